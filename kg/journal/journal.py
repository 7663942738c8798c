"""The journal: every change of every record, in one chain, and what stands after them.

    Change -> prepared, compared with what stands -> committed in a group, synced -> Entry

Whoever appends waits until the change is on disk. One thread writes; all that is waiting when it comes round
is committed and synced together, so many writers cost little more than one.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from battpass.kg.errors import DamagedHome
from battpass.kg.graphs import AccessClass
from battpass.kg.journal import schema, store
from battpass.kg.journal.clock import Clock
from battpass.kg.journal.entry import Entry, Stage
from battpass.kg.journal.parts import Parts
from battpass.kg.journal.prepare import Change, Prepared, Stale, prepare
from battpass.kg.journal.witness import Head, Witness
from battpass.kg.journal.writer import Statistics, Writer

WITNESS = "head"
# Others change the same record between looking and writing; more often than this in a row is no accident.
_ATTEMPTS = 50


class Journal:
    """The journal in a folder. Reading is safe from any thread, and beside the process that writes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder)) as journal:
    ...     journal.head.sequence
    0
    """

    def __init__(self, folder: Path, readers: schema.Readers, writer: Writer | None) -> None:
        self.folder = folder
        self._readers = readers
        self._writer = writer
        self._models: dict[tuple[str, AccessClass], bytes] = {}
        self._model_entries: dict[str, Entry] = {}
        self._guard = threading.Lock()

    @classmethod
    def open(
        cls, folder: Path, *, read_only: bool = False, durable: bool = True, clock: Clock | None = None
    ) -> "Journal":
        """Open the journal of a folder, or begin one. The caller holds the lock of the folder.

        Raises
        ------
        DamagedHome
            If it ends before an entry that was acknowledged, or its last entries are not one chain.
        """
        path = folder / schema.FILE
        if read_only:
            if not path.exists():
                raise DamagedHome(f"{folder} has no {schema.FILE}. Bring the home back from a backup.")
            return cls(folder, schema.Readers(path), None)
        # An empty witness is no proof: the process ended between making it and making the journal.
        if not path.exists() and Witness(folder / WITNESS, writable=False).read() is not None:
            raise DamagedHome(
                f"{folder} had a journal, and {schema.FILE} is gone. Bring the home back from a backup."
            )
        writer = Writer(path, Witness(folder / WITNESS), clock or Clock(), durable=durable)
        return cls(folder, schema.Readers(path), writer)

    # --- writing ---------------------------------------------------------------------------------------

    def append(self, changes: Sequence[Change]) -> list[tuple[Entry, bool]]:
        """Write changes, all or none; return per change the entry that stands, and whether it is new.

        A change that would leave everything as it stands writes nothing.

        Raises
        ------
        Conflict
            If a record is not at the version that its change expects.
        Archived
            If a record has ceased to exist.
        NotWritable
            If the disk is full or refuses, or the clock is wrong; nothing was written.
        """
        writer = self._writing()
        for _ in range(_ATTEMPTS):
            with self._readers.lend() as connection:
                prepared = [prepare(connection, change) for change in changes]
            fresh = [one for one in prepared if isinstance(one, Prepared)]
            if not fresh:
                return [(one, False) for one in prepared if isinstance(one, Entry)]
            try:
                written = iter(writer.write(fresh))
            except Stale:
                continue
            return [next(written) if isinstance(one, Prepared) else (one, False) for one in prepared]
        raise Stale("This record changes all the time. Try again in a moment.")

    def forget(self, record: str, entry: Change) -> Entry:
        """Take away the texts of a record that are no other's; the entry that says so lists their digests.

        The bytes are overwritten in the file, and the write-ahead log is emptied: see `empty_log`.
        """
        writer = self._writing()
        with self._readers.lend() as connection:
            prepared = prepare(connection, entry)
        assert isinstance(prepared, Prepared)
        written, _ = writer.write([prepared])[0]
        writer.empty_log()
        return written

    def empty_log(self) -> None:
        """Fold the write-ahead log into the file, so that no copy of what was erased stays in it.

        Raises
        ------
        NotWritable
            If somebody has been reading all the while, so that the log had to stay.
        """
        self._writing().empty_log()

    @property
    def is_writable(self) -> bool:
        """Whether this was opened for writing."""
        return self._writer is not None

    def check_writable(self) -> None:
        """Raise `NotWritable` if a write would fail now, without writing anything that lasts."""
        self._writing().probe()

    @property
    def statistics(self) -> Statistics:
        """What the writing thread has done since the journal was opened."""
        return self._writer.statistics if self._writer else Statistics()

    def wait_beyond(self, sequence: int, seconds: float) -> int:
        """Wait for an entry after `sequence`, or until the time is over; return the last number."""
        return self._writing().wait_beyond(sequence, seconds)

    # --- reading ---------------------------------------------------------------------------------------

    @property
    def head(self) -> Head:
        """The end of the journal."""
        if self._writer is not None:
            return self._writer.head
        with self._readers.lend() as connection:
            last = store.last_entry(connection)
        return Head(last.sequence, last.hash) if last else Head(0, "0" * 64)

    def standing(self, record: str) -> dict[Stage, Entry]:
        """Return the entries whose states stand for a record, by stage; none where it is not known."""
        with self._readers.lend() as connection:
            return store.standing(connection, record)

    def state(self, entry: Entry, classes: frozenset[AccessClass] | None = None) -> Parts:
        """Return the state after an entry; `classes` leaves out what is not to be read.

        States of model records are remembered, as many items share them; all were checked when first read.
        """
        if not entry.is_model:
            with self._readers.lend() as connection:
                return store.state(connection, entry, classes)
        found = {}
        for access in entry.state:
            if classes is None or access in classes:
                found[access] = self._model(entry, access)
        return found

    def model(self, record: str) -> Entry | None:
        """Return the entry of a model record; it never changes, so it is remembered."""
        known = self._model_entries.get(record)
        if known is None:
            known = self.standing(record).get(Stage.PUBLISHED)
            if known is not None and known.is_model:
                if len(self._model_entries) > _MODEL_ENTRIES:
                    self._model_entries = {}
                self._model_entries[record] = known
        return known

    def told(self, entry: Entry) -> Entry:
        """Return an entry with the content of its note."""
        with self._readers.lend() as connection:
            return store.with_note(connection, entry)

    def text(self, digest: str) -> bytes | None:
        """Return the text with a digest: an original document, or a report; None where it was erased."""
        with self._readers.lend() as connection:
            return store.text(connection, digest)

    def entry(self, sequence: int) -> Entry | None:
        """Return the entry with a sequence number."""
        with self._readers.lend() as connection:
            return store.entry_at(connection, sequence)

    def history(self, record: str) -> list[Entry]:
        """Return the entries of a record with their notes, the oldest first."""
        with self._readers.lend() as connection:
            return [store.with_note(connection, one) for one in store.entries_of(connection, record)]

    def as_of(self, record: str, time: datetime) -> Parts:
        """Return the published state of a record at a time, empty where there was none."""
        found = [one for one in self.history(record) if one.time <= time and one.stage is not Stage.DRAFT]
        return self.state(found[-1]) if found else {}

    def entries(self, after: int = 0, upto: int | None = None) -> Iterator[Entry]:
        """Yield the entries after a sequence number, in order, as they were when this was called."""
        end = self.head.sequence if upto is None else upto
        while after < end:
            with self._readers.lend() as connection:
                rows = connection.execute(
                    "SELECT line, hash FROM entries WHERE sequence > ? AND sequence <= ? ORDER BY sequence "
                    "LIMIT 500",
                    (after, end),
                ).fetchall()
            if not rows:
                return
            for row in rows:
                entry = store.read_entry(*row)
                after = entry.sequence
                yield entry

    def records(
        self, stages: Iterable[Stage], after: str = "", limit: int = -1
    ) -> list[tuple[str, Stage, str]]:
        """Return items that stand in one of some stages: record, stage and model, by record."""
        wanted = tuple(str(stage) for stage in stages)
        marks = ", ".join("?" * len(wanted))
        with self._readers.lend() as connection:
            rows = connection.execute(
                f"SELECT record, stage, model FROM current WHERE model <> '' AND stage IN ({marks}) "
                "AND record > ? ORDER BY record, stage LIMIT ?",
                (*wanted, after, limit),
            ).fetchall()
        return [(record, Stage(stage), model) for record, stage, model in rows]

    def count(self, stages: Iterable[Stage]) -> int:
        """Return how many items stand in one of some stages."""
        wanted = tuple(str(stage) for stage in stages)
        with self._readers.lend() as connection:
            row = connection.execute(
                "SELECT COUNT(DISTINCT record) FROM current WHERE model <> '' AND stage IN "
                f"({', '.join('?' * len(wanted))})",
                wanted,
            ).fetchone()
        return int(row[0])

    def items_of(self, model: str, stages: Iterable[Stage], limit: int = -1) -> list[str]:
        """Return the items that share a model record, in some stages; at most `limit` of them if given."""
        wanted = tuple(str(stage) for stage in stages)
        with self._readers.lend() as connection:
            rows = connection.execute(
                "SELECT DISTINCT record FROM current WHERE model = ? AND stage IN "
                f"({', '.join('?' * len(wanted))}) ORDER BY record LIMIT ?",
                (model, *wanted, limit),
            ).fetchall()
        return [row[0] for row in rows]

    def named(self, name: str) -> list[str]:
        """Return the records that have an identifier, or came from the document with a digest."""
        with self._readers.lend() as connection:
            rows = connection.execute(
                "SELECT record FROM names WHERE name = ? ORDER BY record", (name,)
            ).fetchall()
        return [row[0] for row in rows]

    @contextmanager
    def at_one_moment(self) -> Iterator["Journal"]:
        """Lend the journal as it is now, for one thread to read, whatever is written meanwhile.

        The write-ahead log is kept for as long as this lasts, and what is erased stays in it: be quick.
        """
        with self._readers.at_one_moment() as readers:
            yield Journal(self.folder, readers, None)

    def readers(self) -> schema.Readers:
        """Return the connections for reading, for whoever checks or copies the whole."""
        return self._readers

    def close(self) -> None:
        """Write what is waiting, and close the file."""
        if self._writer is not None:
            self._writer.close()
        self._readers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- private ---------------------------------------------------------------------------------------

    def _model(self, entry: Entry, access: AccessClass) -> bytes:
        key = (entry.record, access)
        with self._guard:
            known = self._models.pop(key, None)
            if known is not None:
                self._models[key] = known
                return known
        with self._readers.lend() as connection:
            found = store.state(connection, entry, frozenset({access}))[access]
        with self._guard:
            self._models[key] = found
            while sum(map(len, self._models.values())) > _MODEL_BYTES:
                self._models.pop(next(iter(self._models)))
        return found

    def _writing(self) -> Writer:
        if self._writer is None:
            raise DamagedHome(f"The journal in {self.folder} is open for reading only. Open it for writing.")
        return self._writer


# Texts of some hundred model records; a fleet of one maker has some dozens.
_MODEL_BYTES = 64 << 20
_MODEL_ENTRIES = 10_000
