"""What a report rests on, and where reports are remembered by it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

Report = TypeVar("Report")


@dataclass(frozen=True, slots=True)
class Basis:
    """What a report rests on: while all of it is the same, so is the report.

    `data` is a digest of the statements, `shapes` of the shapes and of the table of duties, `reference` of
    what the statements refer to and of the code that judges. `on` is the day that it was held against.
    """

    data: str
    shapes: str
    reference: str
    on: date | None = None

    def text(self) -> str:
        """Return it as one line."""
        return " ".join((self.data, self.shapes, self.reference, self.on.isoformat() if self.on else "-"))


class Memory(Protocol[Report]):
    """Remembers the last report on each record, with what it rests on."""

    def known(self, name: str, basis: Basis) -> Report | None:
        """Return the report on a record if it rests on the same."""
        ...

    def keep(self, found: Iterable[tuple[str, Basis, Report]]) -> None:
        """Remember reports, each in the place of the one before."""
        ...

    def forget(self, names: Iterable[str]) -> None:
        """Forget the reports on records."""
        ...


class InMemory(Memory[Report]):
    """Remembers reports for as long as this process lives."""

    def __init__(self) -> None:
        self._reports: dict[str, tuple[Basis, Report]] = {}

    def known(self, name: str, basis: Basis) -> Report | None:
        """Return the report on a record if it rests on the same."""
        was, report = self._reports.get(name, (None, None))
        return report if was == basis else None

    def keep(self, found: Iterable[tuple[str, Basis, Report]]) -> None:
        """Remember reports."""
        self._reports.update((name, (basis, report)) for name, basis, report in found)

    def forget(self, names: Iterable[str]) -> None:
        """Forget the reports on records."""
        for name in names:
            self._reports.pop(name, None)


def digest_of_texts(texts: Iterable[bytes]) -> str:
    """Return one SHA-256 for texts in their order.

    >>> digest_of_texts([b"a", b"b"]) == digest_of_texts([b"ab"])
    False
    """
    whole = hashlib.sha256()
    for text in texts:
        whole.update(hashlib.sha256(text).digest())
    return whole.hexdigest()
