"""A home: the passports that one operator keeps, and the SPARQL datasets derived from them."""

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from battpass.kg.access import Audience, audiences
from battpass.kg.dataset.answers import Answer
from battpass.kg.dataset.dataset import Dataset
from battpass.kg.dataset.sealed import Walls
from battpass.kg.errors import Conflict, DamagedHome, HomeInUse, NotFound, Unpublishable
from battpass.kg.home import folder as folders
from battpass.kg.home.arrival import Arrival, Outcome, State, Written
from battpass.kg.home.blocking import blocks
from battpass.kg.home.datasets import Answering, Datasets, Watch
from battpass.kg.home.follower import Follower
from battpass.kg.home.lock import Lock
from battpass.kg.home.visible import entry_for, stages, standing, state_for
from battpass.kg.journal import backup as backups
from battpass.kg.journal import schema
from battpass.kg.journal.clock import Clock
from battpass.kg.journal.entry import Action, Entry, Note, Stage
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.parts import digest
from battpass.kg.journal.prepare import Change
from battpass.kg.journal.verify import Verified, rebuild
from battpass.kg.namespaces import BASE
from battpass.kg.passport import Passport


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


class Home:
    """Passports, their whole history and their datasets, in one folder or in memory.

    One process has a folder open for writing; any number read beside it. A name of a passport is its record
    IRI, also without its base or with the fragment of one of its nodes; its UUID, also as `urn:uuid:...`; or
    the identifier of the battery.

    >>> with Home.in_memory() as home:
    ...     len(home)
    0
    """

    def __init__(
        self,
        journal: Journal,
        folder: Path | None = None,
        lock: Lock | None = None,
        scratch: "tempfile.TemporaryDirectory[str] | None" = None,
    ) -> None:
        self.folder = folder
        self.journal = journal
        self._lock = lock
        self._scratch = scratch
        self._datasets = Datasets(journal, folder)
        self._follower: Follower | None = None
        self._opening = threading.RLock()

    @classmethod
    def in_memory(cls) -> "Home":
        """Return an empty home that is gone with this process; its journal lies in a temporary folder."""
        scratch = tempfile.TemporaryDirectory(prefix="battpass-")
        return cls(Journal.open(Path(scratch.name), durable=False), scratch=scratch)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        create: bool = False,
        read_only: bool = False,
        clock: Clock | None = None,
    ) -> "Home":
        """Open the home in a folder; `create` makes one of a folder that is empty or not there.

        Raises
        ------
        NotFound
            If there is no home and none is to be made.
        HomeInUse
            If another process has it open for writing, and `read_only` is not set.
        DamagedHome
            If the folder holds something else, or its journal has lost entries.
        """
        folder = Path(path)
        if not folders.is_home(folder):
            if read_only or not create:
                raise NotFound(f"There is no home of passports in {folder}.")
            folders.begin(folder)
        folders.check(folder)
        if read_only:
            return cls(Journal.open(folder, read_only=True), folder)
        lock = Lock(folder / "lock")
        try:
            return cls(Journal.open(folder, clock=clock), folder, lock)
        except BaseException:
            lock.release()
            raise

    # --- writing ---------------------------------------------------------------------------------------

    def put_many(
        self,
        arrivals: Iterable[Arrival],
        *,
        stage: Stage = Stage.PUBLISHED,
        actor: str = "",
        reason: str = "",
        trusted: bool = False,
        expected: int | None = None,
    ) -> list[Written]:
        """Keep many passports: all of them, or none if anything is raised on the way.

        A later one of the same record takes the place of an earlier one. `expected` is the version that must
        stand, 0 for new passports. `trusted` publishes passports that were not checked against the shapes;
        their entries say so.

        Raises
        ------
        Unpublishable
            If one is to be published and its report holds violations, or it has none and is not trusted.
        Conflict, Archived, NotWritable
        """
        given = list(arrivals)
        if stage is Stage.PUBLISHED:
            for arrival in given:
                _check_publishable(arrival.record, arrival.report, trusted)
        latest = {arrival.record: arrival for arrival in given}
        models = {arrival.model: arrival for arrival in given}
        changes = [
            Change(model, Stage.PUBLISHED, arrival.model_parts, action=Action.MODEL, actor=actor)
            for model, arrival in models.items()
            if self.journal.model(model) is None
        ]
        first = len(changes)
        changes += [_change(arrival, stage, actor, reason, expected) for arrival in latest.values()]
        written = {entry.record: _written(entry, new) for entry, new in self._append(changes)[first:]}
        return [written[arrival.record] for arrival in given]

    def put(
        self,
        arrival: Arrival,
        *,
        stage: Stage = Stage.PUBLISHED,
        actor: str = "",
        reason: str = "",
        expected: int | None = None,
        trusted: bool = False,
    ) -> Written:
        """Keep one passport; see `put_many`."""
        return self.put_many(
            [arrival], stage=stage, actor=actor, reason=reason, trusted=trusted, expected=expected
        )[0]

    def publish(
        self, name: str, *, report: bytes, actor: str = "", reason: str = "", expected: int | None = None
    ) -> Written:
        """Publish the draft of a passport; where there is none, what is published stays as it is.

        `report` is that of the draft as it stands, so whoever checked it names its version as `expected`.

        Raises
        ------
        Unpublishable, NotFound, Archived, Conflict, NotWritable
        """
        owner = self._owner
        record = self.find(name)
        found = self.journal.standing(record)
        draft = found.get(Stage.DRAFT)
        if draft is None:
            return _written(entry_for(self.journal, record, owner), False)
        if expected is not None and draft.version != expected:
            raise Conflict(
                f"The draft of {record} is at version {draft.version}, not {expected}. Check it again first."
            )
        _check_publishable(record, report, False)
        told = self.journal.told(draft).told
        change = Change(
            record,
            Stage.PUBLISHED,
            self.journal.state(draft),
            model=draft.model,
            expected=self._last_version(found),
            actor=actor,
            note=Note(reason, told.source, told.identifiers, told.findings),
            original=self._text(draft.original),
            format=draft.format,
            report=report,
        )
        return _written(*self._append([change])[0])

    def archive(
        self, name: str, *, actor: str = "", reason: str = "", expected: int | None = None
    ) -> Written:
        """Let a passport cease to exist, as it does when its battery was recycled; its history stays.

        Raises
        ------
        NotFound, Archived, Conflict, NotWritable
        """
        record = self.find(name)
        entry = entry_for(self.journal, record, self._owner)
        change = Change(
            record, Stage.ARCHIVED, {}, entry.model, expected=expected, actor=actor, note=Note(reason)
        )
        return _written(*self._append([change])[0])

    def erase(self, name: str, *, actor: str = "", reason: str = "") -> Written:
        """Take away the texts of a passport that was archived; entries and digests stay, so the chain holds.

        Raises
        ------
        NotFound
            If there is no such passport.
        Conflict
            If it was not archived before.
        NotWritable
        """
        record = self.find(name)
        found = self.journal.standing(record).get(Stage.ARCHIVED)
        if found is None:
            raise Conflict(f"{record} is in use. Archive it first; only what has ceased to exist is erased.")
        self._check_writing()
        if found.action is Action.ERASE:
            self.journal.empty_log()
            return _written(found, False)
        change = Change(record, Stage.ARCHIVED, {}, found.model, Action.ERASE, actor=actor, note=Note(reason))
        return _written(self.journal.forget(record, change), True)

    # --- reading ---------------------------------------------------------------------------------------

    def find(self, name: str, audience: str = "owner") -> str:
        """Return the record IRI behind a name of a passport, archived ones included.

        Raises
        ------
        NotFound
            If nothing here has that name for the audience, or several batteries have it.
        """
        reader = self.audience(audience)
        short = name.removeprefix("urn:uuid:").partition("#")[0]
        for record in (name, short, f"{BASE}p/{short.lower()}", BASE + short):
            if self._knows(record, reader):
                return record
        found = [record for record in self.journal.named(name) if self._is_called(record, name, reader)]
        if not found:
            raise NotFound(
                f"No passport here is called {name!r}. "
                "Name it by its UUID, its IRI or the identifier of the battery."
            )
        if len(found) > 1:
            raise NotFound(
                f"More than one passport here is called {name!r}. Name the one by its UUID or IRI."
            )
        return found[0]

    def entry(
        self,
        name: str,
        audience: str = "owner",
        *,
        stage: Stage | None = None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> Entry:
        """Return an entry of a passport: the one whose state stands, or that of a stage, version or time.

        Raises
        ------
        NotFound
            If there is none, or none for this audience.
        Archived
            If the passport has ceased to exist.
        """
        reader = self.audience(audience)
        record = self.find(name, audience)
        found = entry_for(self.journal, record, reader, stage=stage, version=version, at=at)
        return self.journal.told(found)

    def state(
        self,
        name: str,
        audience: str = "owner",
        *,
        stage: Stage | None = None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> State:
        """Return a passport, or as much of it as an audience may read, as texts; see `entry`."""
        reader = self.audience(audience)
        record = self.find(name, audience)
        found = entry_for(self.journal, record, reader, stage=stage, version=version, at=at)
        return state_for(self.journal, found, reader)

    def passport(
        self,
        name: str,
        audience: str = "owner",
        *,
        stage: Stage | None = None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> Passport:
        """Return a passport, or as much of it as an audience may read, as graphs; see `entry`."""
        return self.state(name, audience, stage=stage, version=version, at=at).passport()

    def versions(self, name: str, audience: str = "owner") -> list[Entry]:
        """Return the entries of a passport, the oldest first; drafts for the owner only."""
        reader = self.audience(audience)
        record = self.find(name, audience)
        entry_for(self.journal, record, reader)
        return [one for one in self.journal.history(record) if one.stage in stages(reader)]

    def original(self, name: str, version: int | None = None) -> bytes:
        """Return the document that a passport came from, byte for byte: the newest, or that of a version.

        Raises
        ------
        NotFound
            If it came without one.
        """
        return self._kept_with(name, version, lambda entry: entry.original, "a document")

    def report(self, name: str, version: int | None = None) -> bytes:
        """Return the validation report of a passport as JSON: the newest, or that of a version.

        Raises
        ------
        NotFound
            If it was not checked.
        """
        return self._kept_with(name, version, lambda entry: entry.report, "a validation report")

    def holds(self, document: bytes) -> str:
        """Return the record that stands with exactly this document as its original, or an empty text."""
        name = digest(document)
        for record in self.journal.named(f"sha256:{name}"):
            if any(entry.original == name for entry in self.journal.standing(record).values()):
                return record
        return ""

    def records(self, audience: str = "owner", after: str = "", limit: int = -1) -> Iterator[str]:
        """Yield the record IRIs of the passports that an audience may see, sorted, from one after `after`."""
        last = ""
        for record, _, _ in self.journal.records(stages(self.audience(audience)), after, limit):
            if record != last:
                last = record
                yield record

    def entries(self, audience: str = "owner") -> Iterator[Entry]:
        """Yield the entry that stands for each passport of an audience, in the order of `records`."""
        reader = self.audience(audience)
        for record in self.records(audience):
            entry = standing(self.journal, record, reader)
            if entry is not None:
                yield self.journal.told(entry)

    @property
    def sequence(self) -> int:
        """The sequence number of the last entry of the journal."""
        return self.journal.head.sequence

    def __len__(self) -> int:
        return self.journal.count((Stage.PUBLISHED, Stage.DRAFT))

    # --- datasets --------------------------------------------------------------------------------------

    @cached_property
    def audiences(self) -> dict[str, Audience]:
        """The audiences that a dataset can be asked for."""
        return dict(audiences())

    def audience(self, name: str) -> Audience:
        """Return an audience by its name; `NotFound` lists the names."""
        try:
            return self.audiences[name]
        except KeyError:
            known = ", ".join(sorted(self.audiences))
            raise NotFound(f"There is no audience {name!r}. Use one of: {known}.") from None

    def dataset(self, audience: str, watch: Watch | None = None) -> Dataset:
        """Return the dataset of an audience, up to date; it is built when first asked for, and stays open.

        Raises
        ------
        HomeInUse
            If this home is open for reading only: use `queries`.
        DamagedHome
            If the dataset knows entries that the journal does not have.
        """
        self._check_writing()
        return self._datasets.get(self.audience(audience), watch)

    def queries(
        self, audience: str, watch: Watch | None = None, *, workers: int = 2, walls: Walls | None = None
    ) -> Queries:
        """Return what answers the queries of an audience, also beside a process that writes; close it.

        At most `workers` queries run at the same time, each within `walls`. In the process that writes,
        answers follow each write (see `follow`); beside it they stay those of the moment of this call.

        Raises
        ------
        HomeInUse
            If another process is just building the dataset.
        """
        reader, answering = self.audience(audience), Answering(workers, walls)
        if self.folder is None or self._lock is not None:
            self._datasets.get(reader, watch, answering)
            return _Borrowed(self._datasets, audience)
        with self._opening:
            try:
                self._datasets.get(reader, watch)
            except HomeInUse:
                pass  # the process that writes keeps it up to date
            finally:
                self._datasets.close()
            return self._datasets.snapshot(reader, answering)

    def follow(self) -> None:
        """Bring open datasets up to date beside everything else from now on, at most once a second."""
        self._check_writing()
        if self._follower is None:
            self._follower = Follower(self.journal, self._datasets)

    def wait(self, audience: str, sequence: int, seconds: float) -> int:
        """Wait until the dataset of an audience shows an entry to queries; return what it shows.

        Raises
        ------
        Overdue
            If it does not in time.
        """
        if self._follower is None:
            self.dataset(audience)
        return self._datasets.wait(audience, sequence, seconds)

    def shown(self, audience: str) -> int:
        """Return the sequence number that a dataset shows to queries now, -1 where it is not open."""
        return self._datasets.shown(audience)

    @property
    def trouble(self) -> str:
        """What keeps datasets from following the journal, empty where nothing does."""
        return self._follower.trouble if self._follower else ""

    def built(self) -> list[str]:
        """Return the audiences that have a dataset, up to date or not."""
        return [name for name in self._datasets.names() if name in self.audiences]

    def is_built(self, audience: str) -> bool:
        """Return whether the dataset of an audience exists and is up to date."""
        return self._datasets.is_fresh(self.audience(audience).name)

    def rebuild(self, watch: Watch | None = None) -> list[str]:
        """Make anew whatever is derived: the present states, and each dataset; return their audiences."""
        self._check_writing()
        connection = schema.open_for_writing(self.journal.folder / schema.FILE)
        with closing(connection), schema.transaction(connection):
            rebuild(connection)
        names = self.built()
        for name in names:
            self._datasets.forget(name)
            self._datasets.get(self.audience(name), watch)
        return names

    @staticmethod
    def restore(file: Path, folder: Path, upto: int | None = None) -> Verified:
        """Make a home of a back-up in a folder that is empty or not there; see `kg.journal.backup`."""
        if folders.is_home(folder) or (folder.is_dir() and set(folder.iterdir()) - {folder / ".restoring"}):
            raise DamagedHome(f"{folder} is not empty. Restore into an empty or a new folder.")
        found = backups.restore(file, folder, upto)
        folders.begin(folder)
        return found

    def close(self) -> None:
        """Close the datasets and the journal, and let others write."""
        if self._follower is not None:
            self._follower.close()
            self._follower = None
        self._datasets.close()
        self.journal.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        if self._scratch is not None:
            self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- private ---------------------------------------------------------------------------------------

    @property
    def _owner(self) -> Audience:
        return self.audience("owner")

    def _append(self, changes: Sequence[Change]) -> list[tuple[Entry, bool]]:
        self._check_writing()
        return self.journal.append(changes)

    def _check_writing(self) -> None:
        if not self.journal.is_writable:
            raise HomeInUse(f"{self.folder} is open for reading only. Open it for writing.")

    def _knows(self, record: str, reader: Audience) -> bool:
        """Return whether an audience may know that a record is, or was, here."""
        found = self.journal.standing(record)
        if not found or any(entry.is_model for entry in found.values()):
            return False
        if reader.own or Stage.PUBLISHED in found:
            return True
        return Stage.ARCHIVED in found and any(
            entry.stage is Stage.PUBLISHED for entry in self.journal.history(record)
        )

    def _is_called(self, record: str, name: str, reader: Audience) -> bool:
        """Return whether an audience may know a record by an identifier: not by one of a draft."""
        if not self._knows(record, reader):
            return False
        return reader.own or any(
            entry.stage is Stage.PUBLISHED and name in entry.identifiers
            for entry in self.journal.history(record)
        )

    def _last_version(self, found: dict[Stage, Entry]) -> int:
        return max(entry.version for entry in found.values())

    def _text(self, name: str) -> bytes:
        return (self.journal.text(name) or b"") if name else b""

    def _kept_with(self, name: str, version: int | None, of: Callable[[Entry], str], what: str) -> bytes:
        wanted = version or self.entry(name).version
        for entry in reversed(self.versions(name)):
            if (entry.version == wanted if version else entry.version <= wanted) and of(entry):
                text = self.journal.text(of(entry))
                if text is not None:
                    return text
        raise NotFound(f"{name} came without {what}. Export it in a format of your choice.")


def _check_publishable(record: str, report: bytes, trusted: bool) -> None:
    if not report and not trusted:
        raise Unpublishable(
            f"{record} was not checked against the shapes, so it is not published. Check it, or keep a draft."
        )
    if report and blocks(report):
        raise Unpublishable(
            f"{record} has violations, so it is not published. Mend them, or keep it as a draft.", report
        )


def _change(arrival: Arrival, stage: Stage, actor: str, reason: str, expected: int | None) -> Change:
    return Change(
        arrival.record,
        stage,
        arrival.item,
        model=arrival.model,
        expected=expected,
        actor=actor,
        note=Note(reason, arrival.source, arrival.identifiers, arrival.findings),
        original=arrival.original,
        format=arrival.format,
        report=arrival.report,
    )


def _written(entry: Entry, new: bool) -> Written:
    outcome: Outcome = "unchanged" if not new else "added" if entry.version == 1 else "replaced"
    return Written(entry.record, entry.version, entry.sequence, entry.stage, outcome)


class _Borrowed:
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

    def close(self) -> None:
        """Leave the dataset to its home."""
