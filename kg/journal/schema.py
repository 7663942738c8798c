"""The file that a journal lies in: its tables, and connections that are set up alike.

    entries   the chain: sequence number, record, hash and line of each entry; only ever added to
    texts     what the lines name by digest, compressed; `derived` marks texts that only a present state needs
    current   derived: per record and stage, the entry whose state stands
    names     derived: identifiers and document digests that lead to a record

`entries` and the texts that are not `derived` are the truth; the rest is made from them by `rebuild`.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from battpass.kg import storage
from battpass.kg.errors import DamagedHome, NotWritable, StorageFailed

FILE = "journal.sqlite"
LAYOUT = 1
BUSY_SECONDS = 5.0

_TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
  sequence INTEGER PRIMARY KEY, record TEXT NOT NULL, hash BLOB NOT NULL, line BLOB NOT NULL
);
CREATE INDEX entries_by_record ON entries (record, sequence);
CREATE TABLE texts (
  id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, derived INTEGER NOT NULL, data BLOB NOT NULL
);
"""
_DERIVED = """
CREATE TABLE IF NOT EXISTS current (
  record TEXT NOT NULL, stage TEXT NOT NULL, sequence INTEGER NOT NULL, model TEXT NOT NULL,
  PRIMARY KEY (record, stage)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS current_by_model ON current (model, stage);
CREATE TABLE IF NOT EXISTS names (
  name TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (name, record)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS names_by_record ON names (record);
"""


def open_for_writing(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """Open a journal file for the one writer, and make its tables if it is new.

    `durable=False` leaves out the sync of each commit, for journals that are gone with the process.

    Raises
    ------
    DamagedHome
        If the file is none, or of another layout.
    """
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        connection.execute("PRAGMA secure_delete = ON")  # what is erased must not stay in free pages
        connection.execute("PRAGMA temp_store = MEMORY")
        with transaction(connection):
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone():
                for statement in (_TABLES + _DERIVED).split(";"):
                    connection.execute(statement)
                connection.execute("INSERT INTO about VALUES ('layout', ?)", (str(LAYOUT),))
        check_layout(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise failure(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a journal file beside its writer, or on a disk that nothing can be written to."""
    address = path.resolve().as_uri()
    connection = sqlite3.connect(
        f"{address}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        if not isinstance(error, sqlite3.OperationalError):
            raise
        log = path.with_name(path.name + "-wal")
        if not path.exists() or (log.exists() and log.stat().st_size):
            raise
        # Even reading wants a file for locks beside the journal; without a log it can do without.
        connection = sqlite3.connect(
            f"{address}?mode=ro&immutable=1", uri=True, isolation_level=None, check_same_thread=False
        )
    return connection


def check_layout(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `DamagedHome` if the file is of a layout that is not read here."""
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'about'").fetchone()
    if there is None:
        raise DamagedHome(
            f"{path} holds no journal. Where it is just being made, try again in a moment; else bring the "
            "home back from a backup."
        )
    row = connection.execute("SELECT value FROM about WHERE name = 'layout'").fetchone()
    if row is None or row[0] != str(LAYOUT):
        raise DamagedHome(
            f"{path} has layout {row[0] if row else 'unknown'}; this version reads layout {LAYOUT}. "
            "Use the version of BattPass that wrote it, or bring the home back from a backup."
        )


def derive_tables(connection: sqlite3.Connection) -> None:
    """Make the derived tables anew, empty."""
    connection.execute("DROP TABLE IF EXISTS current")
    connection.execute("DROP TABLE IF EXISTS names")
    for statement in _DERIVED.split(";"):
        connection.execute(statement)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def failure(error: sqlite3.Error, path: Path) -> DamagedHome | NotWritable:
    """Return what an error of the database means for whoever writes."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return storage.full(path.name)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DamagedHome(
            f"{path} is damaged ({error}). Look with `battpass journal verify`, and bring the home back from "
            "a backup."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageFailed(
            f"Another program has {path.name} locked for more than {BUSY_SECONDS:g} s. Nothing was written; "
            "end that program, and send the request again."
        )
    return StorageFailed(
        f"The disk does not take {path.name} ({error}). Nothing was written and reading goes on; mend the "
        "disk, and send the request again."
    )


class Readers:
    """Connections for reading, lent to one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one moment of the journal, however many statements are run."""
        with self._guard:
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or self._opened()
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if connection is not None:
                connection.close()
            raise failure(error, self._path) from error
        except BaseException:
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                self._give_back(connection)
            raise
        self._give_back(connection)

    def _opened(self) -> sqlite3.Connection:
        connection = open_for_reading(self._path)
        try:
            check_layout(connection, self._path)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def at_one_moment(self) -> Iterator["Readers"]:
        """Lend what sees one moment of the journal, for one thread and for as long as this lasts."""
        with self.lend() as connection:
            yield _Moment(self._path, connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._guard:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the connections that are not lent, and the others when they come back."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            with closing(connection):
                pass


class _Moment(Readers):
    """Lends one connection again and again, within one transaction."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path)
        self._connection = connection

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection, whoever else has it."""
        yield self._connection
