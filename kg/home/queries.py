"""What answers the SPARQL queries of one audience, whatever stands behind it."""

from collections.abc import Sequence
from typing import Protocol

from battpass.kg.dataset.answers import Answer
from battpass.kg.home.datasets import Datasets


class Queries(Protocol):
    """Something that answers SPARQL for one audience."""

    def query(
        self,
        text: str,
        accept: str | None = None,
        deadline: float = 30.0,
        *,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
    ) -> Answer:
        """Return the answer as a stream of bytes."""
        ...

    def close(self) -> None:
        """Give back what answering took."""
        ...

    @property
    def started(self) -> int:
        """How many processes were started for this."""
        ...

    @property
    def lost(self) -> int:
        """How many of them ended, or were ended, in the middle of a query."""
        ...


class Borrowed:
    """The open dataset of a home, lent out: closing it leaves it open."""

    def __init__(self, datasets: Datasets, audience: str) -> None:
        self._datasets = datasets
        self._audience = audience

    def query(
        self,
        text: str,
        accept: str | None = None,
        deadline: float = 30.0,
        *,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
    ) -> Answer:
        return self._datasets.opened(self._audience).query(
            text, accept, deadline, default_graphs=default_graphs, named_graphs=named_graphs
        )

    @property
    def started(self) -> int:
        return self._datasets.opened(self._audience).started

    @property
    def lost(self) -> int:
        return self._datasets.opened(self._audience).lost

    def close(self) -> None:
        """Leave the dataset to its home."""
