"""The one thread that writes to a journal, and gathers what waits into one commit."""

import os
import queue
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from battpass.kg import storage
from battpass.kg.errors import BattPassError, DamagedHome, StorageFailed
from battpass.kg.journal import schema, store
from battpass.kg.journal.clock import Clock
from battpass.kg.journal.entry import GENESIS, Action, Entry, Stage
from battpass.kg.journal.prepare import Prepared, Stale
from battpass.kg.journal.witness import Head, Witness

# One commit takes so many waiting writes, or so many bytes; more would make the first of them wait too long.
_MOST_WRITES = 256
_MOST_BYTES = 16 << 20
# Below this much free space nothing is written: the log must still be folded into the file.
RESERVED_BYTES = 16 << 20

Written = list[tuple[Entry, bool]]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was written since the journal was opened."""

    commits: int = 0
    entries: int = 0
    last_commit_seconds: float = 0.0


@dataclass(slots=True)
class _Job:
    changes: Sequence[Prepared]
    done: "Future[Written]"


class Writer:
    """Owns the connection that writes; `write` is safe from any thread."""

    def __init__(self, path: Path, witness: Witness, clock: Clock, *, durable: bool) -> None:
        self._path = path
        self._witness = witness
        self._clock = clock
        self._durable = durable
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._grown = threading.Condition()
        self._taking = threading.Lock()
        self._closed = False
        self.statistics = Statistics()
        self._connection: sqlite3.Connection | None = None
        # The end as it is on disk, and within the transaction that is under way: nobody sees that one.
        self._last: Entry | None = None
        # The end as it was asked for last: hashing an entry takes longer than all else of a quick answer.
        self._hashed: tuple[Entry | None, Head] = (None, Head(0, GENESIS))
        self._tail: Entry | None = None
        try:
            self._last = self._opened()
        except BaseException as error:
            self._drop_connection()
            witness.close()
            raise self._told(error) from None
        with suppress(OSError):  # as after each commit
            self._witness.write(self.head)
        self._thread = threading.Thread(target=self._run, name="battpass-journal", daemon=True)
        self._thread.start()

    @property
    def head(self) -> Head:
        """The end of the journal."""
        last, (hashed, head) = self._last, self._hashed
        if last is not hashed:
            head = Head(last.sequence, last.hash) if last else Head(0, GENESIS)
            self._hashed = last, head
        return head

    def write(self, changes: Sequence[Prepared]) -> Written:
        """Write changes, all or none, and return when they are on disk.

        Raises
        ------
        Stale
            If a record has changed since the change was prepared.
        NotWritable
        """
        job = _Job(changes, Future())
        with self._taking:  # nothing is taken after the end was announced: nobody would answer it
            if self._closed:
                raise DamagedHome("This journal is closed. Open it again.")
            self._jobs.put(job)
        return job.done.result()

    def probe(self) -> None:
        """Raise `NotWritable` if a write would fail now."""
        self.write([])

    def empty_log(self) -> None:
        """Fold the write-ahead log into the file; raise `StorageFailed` if readers kept it from that."""
        try:
            with closing(schema.open_for_writing(self._path)) as connection:
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            raise schema.failure(error, self._path) from error
        if busy:
            raise StorageFailed(
                f"What was erased is gone from {self._path.name}, but a copy stays in its log: somebody has "
                f"been reading for more than {schema.BUSY_SECONDS:g} s. Erase again when that is over."
            )

    def wait_beyond(self, sequence: int, seconds: float) -> int:
        """Wait for an entry after `sequence`; return the last number there is."""
        with self._grown:
            self._grown.wait_for(lambda: self.head.sequence > sequence or self._closed, seconds)
        return self.head.sequence

    def close(self) -> None:
        """Write what is waiting, then close."""
        with self._taking:
            was_closed, self._closed = self._closed, True
            if not was_closed:
                self._jobs.put(None)
        if not was_closed:
            self._thread.join()
            with self._grown:
                self._grown.notify_all()
            if self._connection is not None:
                with suppress(sqlite3.Error):
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._drop_connection()
            with suppress(OSError):  # a disk that refuses writes; the head was written after each commit
                self._witness.close()

    # --- the thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        closing = False
        while not closing:
            job = self._jobs.get()
            batch: list[_Job] = []
            size = 0
            while job is not None:
                batch.append(job)
                size += sum(len(data) for change in job.changes for data in change.texts.values())
                if len(batch) >= _MOST_WRITES or size >= _MOST_BYTES or self._jobs.empty():
                    break
                job = self._jobs.get()
            closing = job is None
            if batch:
                self._commit(batch)

    def _commit(self, batch: list[_Job]) -> None:
        """Write a batch in one transaction; a job that does not fit is left out and told so."""
        began = time.perf_counter()
        results: list[tuple[_Job, Written | Exception]] = []
        try:
            self._check_room()
            connection = self._connected()
            self._tail = self._last
            if not any(job.changes for job in batch):
                self._witness.write(self.head)  # a probe: what stands there already, but on the disk
            with schema.transaction(connection):
                for job in batch:
                    results.append((job, self._written(connection, job)))
        except Exception as error:  # whatever it is, those who wait are told, and the thread goes on
            if not isinstance(error, BattPassError):
                self._drop_connection()
            for job in batch:
                job.done.set_exception(self._told(error))
            return
        before, self._last = self.head.sequence, self._tail
        new = self.head.sequence - before
        if new:
            with suppress(OSError):  # an older witness proves less, and nothing wrong
                self._witness.write(self.head)
        self.statistics = Statistics(
            self.statistics.commits + bool(new),
            self.statistics.entries + new,
            time.perf_counter() - began,
        )
        for job, result in results:
            if isinstance(result, Exception):
                job.done.set_exception(result)
            else:
                job.done.set_result(result)
        with self._grown:
            self._grown.notify_all()

    def _written(self, connection: sqlite3.Connection, job: _Job) -> Written | Exception:
        """Write one job inside the transaction, or leave no trace of it.

        What is wrong with one job, down to a value that no table takes, is told to whoever sent it alone;
        what is wrong with the file is raised, as it concerns all.
        """
        before = self._tail
        connection.execute("SAVEPOINT job")
        try:
            written = [self._write(connection, change) for change in job.changes]
        except (sqlite3.Error, OSError):
            raise
        except Exception as error:
            self._tail = before
            connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")
            return error
        connection.execute("RELEASE job")
        return written

    def _write(self, connection: sqlite3.Connection, change: Prepared) -> tuple[Entry, bool]:
        record = change.entry.record
        row = connection.execute(
            "SELECT sequence FROM entries WHERE record = ? ORDER BY sequence DESC LIMIT 1", (record,)
        ).fetchone()
        if (row[0] if row else 0) != change.after:
            if change.entry.is_model:  # another write brought the same model record
                entry = store.entry_at(connection, row[0])
                assert entry is not None
                return entry, False
            raise Stale(f"{record} was changed by somebody else at this moment. Read it again.")
        last = self._tail
        entry = replace(
            change.entry,
            sequence=last.sequence + 1 if last else 1,
            previous=last.hash if last else GENESIS,
            time=self._clock.now(last.time if last else None),
        )
        line = entry.line()
        connection.execute(
            "INSERT INTO entries VALUES (?, ?, ?, ?)",
            (entry.sequence, record, bytes.fromhex(entry.hash), line),
        )
        connection.executemany(
            "INSERT INTO texts (digest, derived, data) VALUES (?, ?, ?) "
            "ON CONFLICT (digest) DO UPDATE SET derived = min(derived, excluded.derived)",
            [(bytes.fromhex(name), name in change.derived, data) for name, data in change.texts.items()],
        )
        connection.executemany(
            "DELETE FROM texts WHERE digest = ? AND derived",
            [(bytes.fromhex(name),) for name in change.superseded],
        )
        if entry.erased:
            connection.executemany(
                "DELETE FROM texts WHERE digest = ?", [(bytes.fromhex(name),) for name in entry.erased]
            )
        stand(connection, entry, change.names)
        self._tail = entry
        return entry, True

    # --- the file --------------------------------------------------------------------------------------

    def _opened(self) -> Entry | None:
        """Open the file and return the last entry, after a look at the end of the chain."""
        connection = self._connected()
        last = store.last_entry(connection)
        known = self._witness.read()
        check_end(connection, last, known)
        return last

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = schema.open_for_writing(self._path, durable=self._durable)
            # After a failed commit nobody knows how much of it the disk has; the file does.
            self._last = store.last_entry(self._connection)
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _check_room(self) -> None:
        found = os.statvfs(self._path.parent)
        if found.f_flag & os.ST_RDONLY:
            raise storage.read_only(self._path.name)
        if self._durable and found.f_bavail * found.f_frsize < RESERVED_BYTES:
            raise storage.full(self._path.name)
        self._clock.now(self._last.time if self._last else None)

    def _told(self, error: BaseException) -> BaseException:
        if isinstance(error, sqlite3.Error):
            return schema.failure(error, self._path)
        if isinstance(error, OSError):
            return storage.refusal(error, self._path.name)
        return error


def stand(connection: sqlite3.Connection, entry: Entry, names: frozenset[str]) -> None:
    """Bring the derived tables to where an entry leaves its record."""
    if entry.stage is Stage.DRAFT:
        connection.execute("DELETE FROM current WHERE record = ? AND stage = ?", (entry.record, Stage.DRAFT))
    else:
        connection.execute("DELETE FROM current WHERE record = ?", (entry.record,))
    connection.execute(
        "INSERT INTO current VALUES (?, ?, ?, ?)", (entry.record, entry.stage, entry.sequence, entry.model)
    )
    if entry.stage is Stage.PUBLISHED or entry.action is Action.ERASE:
        connection.execute("DELETE FROM names WHERE record = ?", (entry.record,))
    if entry.action is not Action.ERASE:
        connection.executemany(
            "INSERT OR IGNORE INTO names VALUES (?, ?)", [(name, entry.record) for name in sorted(names)]
        )


def check_end(connection: sqlite3.Connection, last: Entry | None, known: Head | None) -> None:
    """Raise `DamagedHome` if the journal ends before the witness, or its last entries are not one chain."""
    end = last.sequence if last else 0
    if known is not None and known.sequence > end:
        raise DamagedHome(
            f"The journal ends at entry {end}, but entry {known.sequence} was acknowledged: the rest is "
            "lost or damaged. Bring the home back from a backup; `battpass journal verify` says more."
        )
    if known is not None and known.sequence:
        entry = store.entry_at(connection, known.sequence)
        if entry is None or entry.hash != known.hash:
            raise store.damaged(f"Entry {known.sequence} of the journal is not the one that was acknowledged")
    for sequence in range(max(2, end - 8), end + 1):
        entry, before = store.entry_at(connection, sequence), store.entry_at(connection, sequence - 1)
        if entry is None or before is None or entry.previous != before.hash:
            raise store.damaged(f"Entry {sequence} of the journal does not follow the one before it")
