"""The checker: validates what came from outside, and keeps nothing of it.

It never happens in the process that serves or writes. Shapes of others may hold queries that nothing stops
from within, so each validation has a worker of its own for as long as it takes, which is ended at the
deadline.

    with Checker() as checker:
        checked = checker.data(document, shapes)
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from battpass.kg.errors import BadDocument, DocumentTooLarge, Overdue, ProcessLost
from battpass.kg.validation.reports.data import DataReport
from battpass.kg.validation.reports.passports import PassportReport
from battpass.services.exchange.crew import Crew, IntakeLimits, Unavailable
from battpass.services.exchange.wire import Untrustworthy

TASKS = "battpass.services.exchange.checking_tasks:ready"

# A worker that sees its own deadline says so and lives on; this much later it is ended.
_GRACE_SECONDS = 2.0

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Checked(Generic[R]):
    """A report, and the same as the graph of the W3C in N-Triples where that was asked for."""

    report: R
    graph: bytes = b""


class Checker:
    """A pool of sealed workers that validate; safe for threads. The first one takes some seconds to start."""

    def __init__(self, workers: int = 1, limits: IntakeLimits | None = None) -> None:
        self.limits = limits or IntakeLimits(seconds=60.0)
        seconds = self.limits.seconds + _GRACE_SECONDS
        self._crew = Crew(TASKS, workers, replace(self.limits, seconds=seconds))

    def passport(
        self,
        document: bytes,
        *,
        format: str = "",
        media_type: str = "",
        on: date | None = None,
        hint: str = "",
        graph: bool = False,
    ) -> Checked[PassportReport]:
        """Return the report on a passport as of a day, today if none is given.

        It is in a format or of an RDF media type, or in the format that takes it. `hint` says what to do
        where it is RDF and no passport.

        Raises
        ------
        BadDocument
            If it cannot be read, or took more memory than a document may.
        Overdue
            If it took too long.
        PoolBusy
            If no worker came free in time.
        """
        day = (on or date.today()).isoformat()
        request = {"task": "passport", "format": format, "type": media_type, "on": day, "hint": hint}
        return self._run(request, [document], graph, PassportReport.read)

    def data(
        self, data: bytes, shapes: bytes, *, types: tuple[str, str] = ("", ""), graph: bool = False
    ) -> Checked[DataReport]:
        """Return the report on data by shapes; `types` are the media types, "" for what they look like.

        Raises
        ------
        BadShapes, EngineFailed
            If the shapes cannot be used, or a query of theirs says that it failed.
        BadDocument, Overdue, PoolBusy
        """
        request = {"task": "data", "types": list(types), "deadline": self.limits.seconds}
        return self._run(request, [data, shapes], graph, DataReport.read)

    @property
    def started(self) -> int:
        """How many workers were started."""
        return self._crew.started

    @property
    def lost(self) -> int:
        """How many of them ended, or were ended, before their work was done."""
        return self._crew.lost

    def close(self) -> None:
        """End all workers, at work or not, and the process that they come from."""
        self._crew.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(
        self, request: dict[str, Any], texts: list[bytes], graph: bool, read: Callable[[bytes], R]
    ) -> Checked[R]:
        for text in texts:
            if len(text) > self.limits.bytes:
                raise DocumentTooLarge(
                    f"It has {len(text):,} bytes; at most {self.limits.bytes:,} are read. Send less at once."
                )

        def received(answer: list[bytes]) -> Checked[R]:
            try:
                told, statements = answer
                return Checked(read(told), statements)
            except (ValueError, json.JSONDecodeError) as error:
                raise Untrustworthy(str(error)) from None

        try:
            return self._crew.ask({**request, "graph": graph}, texts, received, self.limits.patience)
        except Unavailable:
            raise
        except Overdue as error:
            told = str(error)
            if told.startswith("The validation"):
                raise
            raise Overdue(
                f"The validation was ended after {self.limits.seconds:g} s. Validate less at once, allow "
                "more time, or look for queries and shapes that multiply."
            ) from None
        except ProcessLost as error:
            raise BadDocument(
                f"The validation took its process down. {error} "
                "Simplify data or shapes, or validate less at once."
            ) from None
