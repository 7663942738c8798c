"""What validating found of the passports that stand, so that it need not be done again.

It lies in a file of its own beside the journal, and is derived: lost or damaged, it is made again. A verdict
counts only for the very state, rules and day that it was made for, and only while it is as it was written.
Since it repeats what passports say, it goes when a passport is erased.
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from battpass.kg.journal import schema
from battpass.kg.journal.entry import Entry
from battpass.kg.validation.incremental.basis import Basis, digest_of_texts

FILE = "validation.sqlite"

_TABLE = """
CREATE TABLE IF NOT EXISTS verdicts (
  name TEXT PRIMARY KEY, basis TEXT NOT NULL, report BLOB NOT NULL, graph BLOB, seal BLOB NOT NULL
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A report as JSON text; `graph` is that of the W3C as N-Triples, None where it was not asked for."""

    report: bytes
    graph: bytes | None = None


class Verdicts:
    """The verdicts of one home, for one thread. `with_graph` wants those that have a graph.

    Raises
    ------
    StorageFull, StorageFailed
        If nothing can be kept there, or another program has it locked.
    """

    def __init__(self, folder: Path, *, with_graph: bool = False) -> None:
        self._path = folder / FILE
        self._with_graph = with_graph
        try:
            self._connection = _opened(self._path)
        except sqlite3.DatabaseError as error:
            if not _is_damaged(error):
                raise schema.failure(error, self._path) from error
            self._path.unlink(missing_ok=True)
            with self._told():
                self._connection = _opened(self._path)

    def known(self, name: str, basis: Basis) -> Verdict | None:
        """Return the verdict on a state that stands, if it rests on the same and is as it was written."""
        with self._told():
            row = self._connection.execute(
                "SELECT report, graph, seal FROM verdicts WHERE name = ? AND basis = ?", (name, basis.text())
            ).fetchone()
        if row is None or (self._with_graph and row[1] is None):
            return None
        report, graph, seal = row
        if seal != _seal(name, basis, report, graph):
            return None
        return Verdict(zlib.decompress(report), None if graph is None else zlib.decompress(graph))

    def keep(self, found: Iterable[tuple[str, Basis, Verdict]]) -> None:
        """Remember verdicts, all of them or none, each in the place of the one before."""
        rows = []
        for name, basis, verdict in found:
            report = zlib.compress(verdict.report)
            graph = None if verdict.graph is None else zlib.compress(verdict.graph)
            rows.append((name, basis.text(), report, graph, _seal(name, basis, report, graph)))
        with self._told(), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?)", rows)

    def forget(self, names: Iterable[str]) -> None:
        """Forget verdicts; their bytes are overwritten in the file."""
        with self._told(), self._connection:
            self._connection.executemany("DELETE FROM verdicts WHERE name = ?", ((one,) for one in names))

    def names(self) -> list[str]:
        """Return the names of the states of which there is a verdict, sorted."""
        with self._told():
            rows = self._connection.execute("SELECT name FROM verdicts ORDER BY name").fetchall()
        return [row[0] for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what an error of the file means."""
        try:
            yield
        except sqlite3.Error as error:
            raise schema.failure(error, self._path) from error


def name_of(entry: Entry) -> str:
    """Return what the verdict on a state that stands is kept by: a record may have two, one a draft."""
    return f"{entry.record} {entry.stage}"


def data_of(entry: Entry, model: Entry | None) -> str:
    """Return the digest of all that stands with an entry of an item: its state, and that of its model."""
    parts = [(one, entry.state[one]) for one in sorted(entry.state)]
    parts += [(one, model.state[one]) for one in sorted(model.state)] if model else []
    lines = [entry.record, entry.model, str(len(entry.state)), *(f"{one} {name}" for one, name in parts)]
    return digest_of_texts(line.encode() for line in lines)


def forget(folder: Path, record: str) -> None:
    """Forget what was found of a record, in whatever stage.

    Raises
    ------
    StorageFull, StorageFailed
        If the file does not take that.
    """
    if not (folder / FILE).exists():
        return
    with Verdicts(folder) as verdicts:
        verdicts.forget([one for one in verdicts.names() if one.rpartition(" ")[0] == record])


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=schema.BUSY_SECONDS)
    try:
        # What is deleted is overwritten, since it may be what somebody had erased.
        connection.execute("PRAGMA secure_delete = ON")
        with closing(connection.execute("PRAGMA quick_check(1)")) as check:
            if check.fetchone() != ("ok",):
                raise sqlite3.DatabaseError("it is damaged")
        connection.execute(_TABLE)
        connection.commit()
    except BaseException:
        with suppress(sqlite3.Error):
            connection.close()
        raise
    return connection


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _seal(name: str, basis: Basis, report: bytes, graph: bytes | None) -> bytes:
    texts = (name.encode(), basis.text().encode(), report, b"" if graph is None else b"+" + graph)
    return hashlib.sha256(digest_of_texts(texts).encode()).digest()
