"""Is the journal what was written, and does everything derived from it agree?"""

import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from battpass.kg.errors import DamagedHome
from battpass.kg.journal import schema, store
from battpass.kg.journal.entry import GENESIS, Action, Entry, Stage
from battpass.kg.journal.parts import Parts, digest
from battpass.kg.journal.prepare import names_of
from battpass.kg.journal.witness import Head, Witness
from battpass.kg.journal.writer import check_end, stand

# Sees the steps of a long run go by, and how many there are.
Watch = Callable[[Iterable[int], int], Iterable[int]]

_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at every byte of a journal found."""

    head: Head
    entries: int
    texts: int
    erased: int
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problems


def verify(path: Path, witness: Path | None = None, watch: Watch | None = None) -> Verified:
    """Read every entry and every text, replay every record, and compare what is derived.

    `witness` is the file that remembers the head, if there is one. Nothing is written.

    Raises
    ------
    DamagedHome
        If the file cannot be opened as a journal at all.
    """
    try:
        with closing(schema.open_for_reading(path)) as connection:
            connection.execute("BEGIN")
            schema.check_layout(connection, path)
            return _Verification(connection).run(witness, watch)
    except sqlite3.DatabaseError as error:
        raise schema.failure(error, path) from error


def rebuild(connection: sqlite3.Connection, watch: Watch | None = None) -> None:
    """Make the derived tables and texts anew from the entries, in the transaction that is open.

    Raises
    ------
    DamagedHome
        If the entries do not give what they say.
    """
    schema.derive_tables(connection)
    connection.execute("DELETE FROM texts WHERE derived")
    end = connection.execute("SELECT COALESCE(MAX(sequence), 0) FROM entries").fetchone()[0]
    for sequence in (watch or _unwatched)(range(1, end + 1), end):
        entry = store.entry_at(connection, sequence)
        if entry is None:
            raise store.damaged(f"Entry {sequence} of the journal is missing")
        stand(connection, entry, names_of(store.with_note(connection, entry)))
    for (record,) in connection.execute("SELECT DISTINCT record FROM current").fetchall():
        for entry in store.standing(connection, record).values():
            parts = store.state(connection, entry)
            store.check_state(parts, entry)
            connection.executemany(
                "INSERT OR IGNORE INTO texts (digest, derived, data) VALUES (?, 1, ?)",
                [(bytes.fromhex(digest(part)), zlib.compress(part)) for part in parts.values()],
            )


def _unwatched(numbers: Iterable[int], _: int) -> Iterable[int]:
    return numbers


class _Verification:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._problems: list[str] = []
        self._erased: dict[str, frozenset[str]] = {}  # by record: what one erased another may bring again

    def run(self, witness: Path | None, watch: Watch | None) -> Verified:
        self._file()
        end, head = self._chain(watch)
        if witness is not None:
            known = Witness(witness, writable=False).read()
            self._try(lambda: check_end(self._connection, store.last_entry(self._connection), known))
        texts = self._texts()
        self._replay()
        self._derived()
        return Verified(head, end, texts, sum(map(len, self._erased.values())), tuple(self._problems))

    def _file(self) -> None:
        for (line,) in self._connection.execute("PRAGMA integrity_check(20)").fetchall():
            if line != "ok":
                self._found(f"The file itself: {line}")

    def _chain(self, watch: Watch | None) -> tuple[int, Head]:
        """Follow the chain from its start; return how many entries it has, and its head."""
        end = self._connection.execute("SELECT COUNT(*) FROM entries").fetchone()[0]
        previous = GENESIS
        versions: dict[str, int] = {}
        time = None
        for sequence in (watch or _unwatched)(range(1, end + 1), end):
            row = self._connection.execute(
                "SELECT record, line, hash FROM entries WHERE sequence = ?", (sequence,)
            ).fetchone()
            entry = self._read(sequence, row)
            if entry is None:
                previous, time = digest(row[1]) if row and isinstance(row[1], bytes) else "", None
                continue
            if entry.previous != previous:
                self._found(f"Entry {sequence} does not follow the one before it")
            if entry.version != versions.get(entry.record, 0) + 1:
                self._found(f"Entry {sequence} is version {entry.version} of {entry.record}, out of order")
            if time is not None and entry.time < time:
                self._found(f"Entry {sequence} is older than the one before it")
            versions[entry.record] = entry.version
            if entry.erased:
                self._erased[entry.record] = frozenset(entry.erased)
            previous, time = entry.hash, entry.time
        return end, Head(end, previous)

    def _read(self, sequence: int, row: tuple[str, bytes, bytes] | None) -> Entry | None:
        if row is None:
            self._found(f"Entry {sequence} is missing")
            return None
        record, line, hash = row
        try:
            entry = store.read_entry(line, hash)
        except (DamagedHome, TypeError, AttributeError) as error:
            self._found(f"Entry {sequence}: {error}")
            return None
        if (entry.sequence, entry.record) != (sequence, record) or entry.line() != line:
            self._found(f"Entry {sequence} is not what its line says")
        return entry

    def _texts(self) -> int:
        """Read every text; return how many there are."""
        count = 0
        for name, data in self._connection.execute("SELECT digest, data FROM texts ORDER BY id"):
            count += 1
            try:
                sound = hashlib.sha256(zlib.decompress(data)).digest() == name
            except (zlib.error, TypeError):
                sound = False
            if not sound:
                self._found(f"The text {_shown(name)} does not have its digest")
        return count

    def _replay(self) -> None:
        """Replay each record, so that each state is shown to follow from the changes."""
        states: dict[int, Parts | None] = {}
        record = None
        rows = self._connection.execute("SELECT record, line, hash FROM entries ORDER BY record, sequence")
        for of, line, hash in rows:
            if of != record:
                record, states = of, {}
            self._try(partial(self._replay_entry, line, hash, states))

    def _replay_entry(self, line: bytes, hash: bytes, states: dict[int, Parts | None]) -> None:
        """Add the state after an entry to those of its record; None where its texts were erased."""
        entry = store.read_entry(line, hash)
        gone = {name for name in entry.texts if not self._has(name)}
        if missing := sorted(gone - self._erased.get(entry.record, frozenset())):
            raise store.damaged(f"Texts of entry {entry.sequence} are missing: {', '.join(missing)}")
        if entry.stage is Stage.ARCHIVED:
            return
        if entry.base and entry.base not in states:
            raise store.damaged(f"Entry {entry.sequence} starts from entry {entry.base}, which is not there")
        before = states[entry.base] if entry.base else {}
        states[entry.sequence] = None
        # A text that was erased comes back when another record brings the same.
        if before is None or gone & {*entry.added.values(), *entry.removed.values()}:
            return
        parts = store.changed(self._connection, before, entry)
        store.check_state(parts, entry)
        states[entry.sequence] = parts

    def _derived(self) -> None:
        """Compare the derived tables with what the entries give."""
        expected = sqlite3.connect(":memory:", isolation_level=None)
        try:
            schema.derive_tables(expected)
            for line, hash in self._connection.execute("SELECT line, hash FROM entries ORDER BY sequence"):
                try:
                    entry = store.with_note(self._connection, store.read_entry(line, hash))
                except (DamagedHome, TypeError, AttributeError, ValueError):
                    continue  # said before
                stand(expected, entry, names_of(entry))
            for table in ("current", "names"):
                query = f"SELECT * FROM {table}"
                there, given = set(self._connection.execute(query)), set(expected.execute(query))
                for row in sorted(map(str, there ^ given))[:5]:
                    self._found(f"The table `{table}` does not agree with the entries at {row}")
        finally:
            expected.close()
        for (sequence,) in self._connection.execute("SELECT sequence FROM current").fetchall():
            self._try(partial(self._stands, sequence))

    def _stands(self, sequence: int) -> None:
        entry = store.entry_at(self._connection, sequence)
        if entry is None:
            raise store.damaged(f"A present state leads to entry {sequence}, which is not there")
        missing = [name for name in entry.state.values() if not self._has(name)]
        if missing and entry.action is not Action.ERASE:
            raise store.damaged(f"Texts of the present state of {entry.record} are missing: {missing}")

    def _has(self, name: str) -> bool:
        row = self._connection.execute("SELECT 1 FROM texts WHERE digest = ?", (bytes.fromhex(name),))
        return row.fetchone() is not None

    def _try(self, check: Callable[[], object]) -> None:
        try:
            check()
        except (DamagedHome, TypeError, AttributeError, ValueError) as error:
            self._found(str(error))

    def _found(self, problem: str) -> None:
        if problem not in self._problems and len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(problem)


def _shown(name: object) -> str:
    return name.hex()[:12] if isinstance(name, bytes) else repr(name)[:40]
