"""What clients were told, and whether a home agrees with it: the lists are theirs, kept outside the home."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from battpass.kg.home import Entry, Home, Stage
from battpass.kg.journal.entry import GENESIS
from battpass.kg.journal.witness import Head

STAGES = {
    "draft": Stage.DRAFT,
    "put": Stage.PUBLISHED,
    "publish": Stage.PUBLISHED,
    "change draft": Stage.DRAFT,
    "change published": Stage.PUBLISHED,
    "archive": Stage.ARCHIVED,
    "erase": Stage.ARCHIVED,
}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a client was told of one record."""

    version: int
    sequence: int
    outcome: str


@dataclass(slots=True)
class Attempt:
    """One write that a client sent; `acknowledged` says what it was told, nothing if no answer came.

    All its records are written, or none; none where it was `refused`.
    """

    id: str
    do: str
    records: tuple[int, ...]
    marker: str
    acknowledged: tuple[Acknowledged, ...] = ()
    refused: bool = False


class Writes(Protocol):
    """What there is to know of the writes of some clients: how to find them in a home, and whole."""

    def attempt_of(self, home: Home, entry: Entry) -> str:
        """Return the id of the attempt that an entry comes from."""
        ...

    def record_name(self, number: int) -> str:
        """Return the IRI of a record by its number."""
        ...

    def is_whole(self, home: Home, number: int, attempt: Attempt, entry: Entry) -> bool:
        """Return whether an entry holds all that an attempt brought."""
        ...

    def stands(self, home: Home, number: int, attempt: Attempt, stage: Stage) -> bool:
        """Return whether a record stands as an attempt wrote it."""
        ...


@dataclass(slots=True)
class Counts:
    """What was found over all rounds."""

    rounds: int = 0
    acknowledged: int = 0
    unanswered_and_there: int = 0
    lost: int = 0
    torn: int = 0
    unattempted: int = 0
    most_entries: int = 0
    problems: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, parts: Iterable["Counts"]) -> "Counts":
        """Return the counts of several homes as one."""
        found = cls()
        for part in parts:
            found.rounds += part.rounds
            found.acknowledged += part.acknowledged
            found.unanswered_and_there += part.unanswered_and_there
            found.lost += part.lost
            found.torn += part.torn
            found.unattempted += part.unattempted
            found.most_entries = max(found.most_entries, part.most_entries)
            found.problems += part.problems
        return found

    def figures(self) -> dict[str, int]:
        """Return the counts by the words that result files use."""
        return {
            "rounds": self.rounds,
            "acknowledged": self.acknowledged,
            "lost": self.lost,
            "torn": self.torn,
            "not attempted": self.unattempted,
            "there without an answer": self.unanswered_and_there,
            "entries of the longest journal": self.most_entries,
        }


class Ledger:
    """The lists of all clients of one home, over all rounds that it lives through."""

    def __init__(self, counts: Counts, writes: Writes) -> None:
        self._writes = writes
        self.attempts: dict[str, Attempt] = {}
        self.counts = counts
        self._checked = Head(0, GENESIS)
        self._new: list[Attempt] = []

    def note(self, attempt: Attempt) -> None:
        """Note an attempt before it is sent; safe from many threads."""
        self.attempts[attempt.id] = attempt
        self._new.append(attempt)

    def compare(self, home: Home) -> None:
        """Compare what came into the home since the last call with the attempts made since then.

        Each finding goes to the counts; the test looks at them when it is done.
        """
        before, counts = self._checked, self.counts
        problems = len(counts.problems)
        if before.sequence and not self._still_stands(home, before):
            counts.lost += 1
            counts.problems.append(f"Entry {before.sequence}, there after the last round, is gone or another")
        entries = list(home.journal.entries(before.sequence))
        new, self._new = {one.id: one for one in self._new}, []
        found: dict[str, list[Entry]] = {}
        for id, group in groupby(entries, key=lambda entry: self._writes.attempt_of(home, entry)):
            attempt = new.get(id)
            if attempt is None or id in found or attempt.refused:
                counts.unattempted += 1
                counts.problems.append(f"Entries of {id!r} come twice, or nobody was to write them now")
                continue
            found[id] = list(group)
            torn = list(self._torn(home, attempt, found[id]))
            counts.torn += bool(torn)
            counts.problems += torn
            counts.unanswered_and_there += not attempt.acknowledged
        for attempt in new.values():
            lost = list(self._lost(home, attempt, found.get(attempt.id, [])))
            counts.acknowledged += len(attempt.acknowledged)
            counts.lost += len(lost)
            counts.problems += lost
        counts.most_entries = max(counts.most_entries, home.sequence)
        if len(counts.problems) == problems:
            self._checked = home.journal.head

    def compare_present(self, home: Home) -> None:
        """Compare each present state, byte for byte, with the write that it must come from."""
        for record, stage, _ in home.journal.records((Stage.DRAFT, Stage.PUBLISHED)):
            entry = home.journal.standing(record)[stage]
            attempt = self.attempts[self._writes.attempt_of(home, entry)]
            number = next(one for one in attempt.records if self._writes.record_name(one) == record)
            if not self._writes.stands(home, number, attempt, stage):
                self.counts.torn += 1
                self.counts.problems.append(f"{record} does not stand as {attempt} wrote it")

    def _still_stands(self, home: Home, head: Head) -> bool:
        entry = home.journal.entry(head.sequence)
        return entry is not None and entry.hash == head.hash

    def _lost(self, home: Home, attempt: Attempt, there: list[Entry]) -> Iterator[str]:
        """Yield what was acknowledged and is not there as it was acknowledged."""
        for number, told in zip(attempt.records, attempt.acknowledged, strict=bool(attempt.acknowledged)):
            if told.outcome == "unchanged":
                entry = home.journal.entry(told.sequence)
            else:
                entry = next((one for one in there if one.sequence == told.sequence), None)
            if entry is None or (entry.record, entry.version, entry.stage) != (
                self._writes.record_name(number),
                told.version,
                STAGES[attempt.do],
            ):
                yield f"{attempt} was acknowledged, and entry {told.sequence} is {entry}"

    def _torn(self, home: Home, attempt: Attempt, there: list[Entry]) -> Iterator[str]:
        """Yield where the entries of an attempt are not the whole of it."""
        items = [entry for entry in there if not entry.is_model]
        models = {entry.record for entry in there if entry.is_model}
        names = [self._writes.record_name(number) for number in attempt.records]
        if [entry.record for entry in items] != names:
            yield f"{attempt} left entries of {[entry.record for entry in items]} alone"
            return
        if not models <= {entry.model for entry in items}:
            yield f"{attempt} left a model record without an item"
        for number, entry in zip(attempt.records, items, strict=True):
            ends = STAGES[attempt.do] is Stage.ARCHIVED
            if not ends and not self._writes.is_whole(home, number, attempt, entry):
                yield f"{attempt} left entry {entry.sequence}, which is not what was sent: {entry}"
