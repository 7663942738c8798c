"""Documents on their way into a home: read and checked in parallel, committed in chunks, resumed if cut off.

What stands already is passed over before anything of it is parsed, so the same documents once more change
nothing, and an import that was cut off goes on where it was.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from battpass.kg.errors import Archived, BattPassError, Conflict, Unpublishable
from battpass.kg.graphs import Finding, Severity
from battpass.kg.home import Arrival, Entry, Home, Policy, Stage
from battpass.kg.home.staging import stage_of
from battpass.kg.journal.parts import digest
from battpass.services.cli.console import FOUND, MISUSED
from battpass.services.cli.documents import weighs

if TYPE_CHECKING:
    from battpass.services.exchange.bulk import Document
    from battpass.services.exchange.intake import Intake

ACTOR = "cli"

# What is refused for what stands there, not for want of room: the rest of its chunk goes in without it.
_OF_ONE = (Archived, Conflict, Unpublishable)
# Documents that are passed over wait for those before them; so many bytes of them at most.
_MOST_WAITING_BYTES = 64 << 20
_MOST_WAITING = 1_000


@dataclass(frozen=True, slots=True)
class Way:
    """How documents go in.

    To be published, one is checked against the shapes, unless all are `trusted`; what holds violations stays
    a draft, or what the `policy` makes of it. A chunk is committed when it has `chunk` documents or is
    `seconds` old; as a `whole`, all goes in at the end, or nothing when one document is refused. `source` is
    told in the place of each one's name.
    """

    stage: Stage = Stage.DRAFT
    trusted: bool = False
    format: str = ""
    reason: str = ""
    source: str = ""
    chunk: int = 100
    seconds: float = 2.0
    whole: bool = False
    policy: Policy = Policy.QUARANTINE


@dataclass(slots=True)
class Result:
    """What became of one document."""

    file: str
    outcome: str = ""
    record: str = ""
    stage: str = ""
    version: int = 0
    sequence: int = 0
    format: str = ""
    findings: tuple[Finding, ...] = ()
    error: str = ""

    @property
    def status(self) -> int:
        """The exit status that this document asks for."""
        return MISUSED if self.error else FOUND if any(map(weighs, self.findings)) else 0


class Refused(BattPassError):
    """A document was refused where one that is refused ends it all; `name` says which, `error` why."""

    def __init__(self, name: str, error: BattPassError) -> None:
        super().__init__(str(error))
        self.name = name
        self.error = error


@dataclass(slots=True)
class _Waiting:
    """A result, and what is to be written for it, if anything is."""

    result: Result
    arrival: Arrival | None = None


class Loader:
    """Brings documents into a home; `open_home` makes one when there is the first passport to keep.

    `amend` changes arrivals before they are kept; `stopping` is asked whether to end after the chunk at hand.
    """

    def __init__(
        self,
        intake: Intake,
        home: Home | None,
        open_home: Callable[[], Home],
        way: Way,
        amend: Callable[[Arrival], Arrival] = lambda arrival: arrival,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.home = home
        self._intake = intake
        self._open_home = open_home
        self._way = way
        self._amend = amend
        self._stopping = stopping
        self._chunk: list[_Waiting] = []
        self._records: set[str] = set()
        self._began = 0.0
        # Older versions of passports, by record; they count if what stands does not come again after them.
        self._older: dict[str, list[tuple[str, Arrival]]] = {}
        self._newest: dict[str, str] = {}

    def load(self, documents: Iterable[Document]) -> Iterator[Result]:
        """Yield what became of each document, in their order, once it is committed.

        Raises
        ------
        Refused
            If all or nothing is kept, and one document is refused.
        NotWritable
            If nothing can be written; what was yielded before is kept.
        """
        feed = _Feed(documents, self._needs_no_reading, self._stopping)
        checked = not self._way.trusted
        while not feed.ended:
            for name, data, found in self._intake.read_many(feed.batch(), self._way.format, check=checked):
                while (passed := feed.events.popleft()) is not None:
                    yield from self._pass_over(passed)
                yield from self._take(name, data, found)
            while feed.events:
                passed = feed.events.popleft()
                assert passed is not None
                yield from self._pass_over(passed)
        for record in [*self._older]:
            yield from self._take_older(record)
        yield from self._commit()

    # --- private ---------------------------------------------------------------------------------------

    def _needs_no_reading(self, document: Document) -> bool:
        if document.error is not None:
            return True
        return self.home is not None and self._standing(self.home, document.data) is not None

    def _standing(self, home: Home, data: bytes) -> Entry | None:
        """Return the entry that stands with exactly this document, in the stage that is asked for."""
        record = home.holds(data)
        if not record:
            return None
        newest = _newest(home, record)
        if newest is None or newest.original != digest(data):
            return None
        wanted = self._way.stage is Stage.DRAFT or newest.stage is Stage.PUBLISHED
        return newest if wanted else None

    def _pass_over(self, document: Document) -> Iterator[Result]:
        """Tell of a document that is not to be read; of one that stood, if it does still."""
        if document.error is not None:
            yield from self._wait(Result(document.name, "refused", error=str(document.error)), document.error)
            return
        assert self.home is not None
        if not self._way.whole and self.home.holds(document.data) in self._records:
            yield from self._commit()
        entry = self._standing(self.home, document.data)
        if entry is None or entry.record in self._records:  # an earlier document of this run took its place
            found = self._read(document)
            yield from self._take(document.name, document.data, found)
            return
        if self._newest.get(entry.record) == entry.original:
            # The older ones came before it, as they did when it was brought in.
            for name, older in self._older.pop(entry.record):
                yield from self._wait(_told(self.home, entry, name, older.format))
            del self._newest[entry.record]
        yield from self._wait(_told(self.home, entry, document.name, entry.format))

    def _read(self, document: Document) -> Arrival | BattPassError:
        try:
            return self._intake.read(
                document.data, self._way.format, source=document.name, check=not self._way.trusted
            )
        except BattPassError as error:
            return error

    def _take(self, name: str, data: bytes, found: Arrival | BattPassError) -> Iterator[Result]:
        if isinstance(found, BattPassError):
            yield from self._wait(Result(name, "refused", error=str(found)), found)
            return
        try:
            arrival = self._amend(found)
        except BattPassError as error:
            yield from self._wait(Result(name, "refused", error=str(error)), error)
            return
        if arrival.record in self._records and not self._way.whole:
            yield from self._commit()  # two documents of one passport are two versions of it
        if self.home is not None and (newest := self._overtaken(self.home, arrival, data)):
            self._older.setdefault(arrival.record, []).append((name, arrival))
            self._newest[arrival.record] = newest
            return
        if arrival.record in self._older:
            yield from self._take_older(arrival.record)
            if not self._way.whole:
                yield from self._commit()
        yield from self._keep(name, arrival)

    def _keep(self, name: str, arrival: Arrival) -> Iterator[Result]:
        way, findings = self._way, findings_of(arrival)
        result = Result(name, record=arrival.record, format=arrival.format, findings=findings)
        try:
            stage_of(arrival.record, arrival.report, way.stage, way.policy, trusted=way.trusted)
        except Unpublishable as error:
            yield from self._wait(replace(result, outcome="refused", error=str(error)), error)
            return
        self._records.add(arrival.record)
        yield from self._wait(result, arrival=replace(arrival, source=self._way.source or name))

    def _overtaken(self, home: Home, arrival: Arrival, data: bytes) -> str:
        """Return the digest of the document that stands, if this one stood before it; else an empty text."""
        newest = _newest(home, arrival.record)
        if newest is None or not newest.original:
            return ""
        before = {entry.original for entry in home.journal.history(arrival.record)} - {newest.original}
        return newest.original if digest(data) in before else ""

    def _take_older(self, record: str) -> Iterator[Result]:
        """Take older documents for new ones: what stood after them is not among the documents."""
        self._newest.pop(record)
        for name, arrival in self._older.pop(record):
            if record in self._records and not self._way.whole:
                yield from self._commit()
            yield from self._keep(name, arrival)

    def _wait(
        self, result: Result, error: BattPassError | None = None, arrival: Arrival | None = None
    ) -> Iterator[Result]:
        way = self._way
        if error is not None and way.whole:
            raise Refused(result.file, error)
        if not self._chunk:
            self._began = time.monotonic()
        self._chunk.append(_Waiting(result, arrival))
        is_old = time.monotonic() - self._began >= way.seconds
        if not way.whole and (is_old or len(self._chunk) >= way.chunk):
            yield from self._commit()

    def _commit(self) -> Iterator[Result]:
        chunk, self._chunk = self._chunk, []
        self._records.clear()
        group = [one for one in chunk if one.arrival]
        if group:
            self._put(group)
        for one in chunk:
            yield one.result

    def _put(self, group: list[_Waiting]) -> None:
        if self.home is None:
            self.home = self._open_home()
        way = self._way
        # Of several documents of one passport in a whole, the last one says what stands.
        latest = {one.arrival.record: one.arrival for one in group if one.arrival}
        try:
            written = self.home.put_many(
                latest.values(),
                stage=way.stage,
                actor=ACTOR,
                reason=way.reason,
                trusted=way.trusted,
                policy=way.policy,
            )
        except _OF_ONE as error:
            if way.whole:
                raise Refused(group[0].result.file, error) from error
            if len(group) > 1:
                for one in group:
                    self._put([one])
                return
            group[0].result.outcome, group[0].result.error = "refused", str(error)
            return
        became = {done.record: done for done in written}
        for result in (one.result for one in group):
            done = became[result.record]
            result.outcome, result.stage = done.outcome, str(done.stage)
            result.version, result.sequence = done.version, done.sequence


class _Feed:
    """Documents on their way to the intake.

    Those that need no reading wait in `events` for what was sent before them, which is None there.
    """

    def __init__(
        self,
        documents: Iterable[Document],
        needs_no_reading: Callable[[Document], bool],
        stopping: Callable[[], bool],
    ) -> None:
        self.ended = False
        self.events: deque[Document | None] = deque()
        self._source = iter(documents)
        self._needs_no_reading = needs_no_reading
        self._stopping = stopping

    def batch(self) -> Iterator[tuple[str, bytes]]:
        """Yield documents to be read, until all are through or too many of the others wait."""
        number = size = 0
        while not self._stopping() and (document := next(self._source, None)) is not None:
            if not self._needs_no_reading(document):
                number = size = 0
                self.events.append(None)
                yield document.name, document.data
                continue
            self.events.append(document)
            number, size = number + 1, size + len(document.data)
            if number >= _MOST_WAITING or size >= _MOST_WAITING_BYTES:
                return
        self.ended = True


def findings_of(arrival: Arrival) -> tuple[Finding, ...]:
    """Return what was found in a document: by format and shapes, or by the format alone if that is all."""
    return findings_in(arrival.report) if arrival.report else arrival.findings


def findings_in(report: bytes) -> tuple[Finding, ...]:
    """Return the findings of a report."""
    found: list[dict[str, Any]] = json.loads(report)["findings"]
    return tuple(Finding(**{**one, "severity": Severity(one["severity"])}) for one in found)


def _newest(home: Home, record: str) -> Entry | None:
    found = home.journal.standing(record).values()
    return max(found, key=lambda entry: entry.sequence, default=None)


def _told(home: Home, entry: Entry, name: str, format_name: str) -> Result:
    """Return the result of a document that stands, with what was found in it when it was brought in."""
    report = home.journal.text(entry.report) if entry.report else None
    findings = findings_in(report) if report else home.journal.told(entry).findings
    return Result(
        name,
        "unchanged",
        entry.record,
        str(entry.stage),
        entry.version,
        entry.sequence,
        format_name,
        findings,
    )
