"""API keys: who may do what, in a SQLite file of their own beside the journal.

A key reads `bp_ID_SECRET`. The secret is 32 random bytes, shown once; the file keeps its SHA-256. The journal
names a key by its id alone. Whom the key was given to stands in its label, which lives here only and can be
deleted, while what was done with the key stays in the journal.

Other processes may add and revoke keys while a server runs; each look-up sees what stands in the file then.
Every row carries a digest of itself: a row that is not what was written grants nothing, and is reported.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from battpass.kg.access import audiences
from battpass.kg.errors import BattPassError, DamagedHome, HomeInUse, NotFound, StorageFailed, StorageFull

FILE = "keys.sqlite"
RIGHTS = ("read", "write", "publish", "archive", "admin")
OWNER = "owner"

LONGEST_LABEL = 200

_LAYOUT = 1
_TOKEN = re.compile(r"bp_([0-9a-f]{8})_([0-9a-f]{64})")
# Wider than a key is, so that one with a slip of the pen is covered too.
_LIKE_A_TOKEN = re.compile(r"(bp_[0-9A-Za-z]{1,16}_)[0-9A-Fa-f]{16,}")
_OF_THE_OWNER = frozenset(RIGHTS) - {"read"}
# Who changes a passport sees it, or would take away what it does not see.
_SEE_WHAT_THEY_CHANGE = frozenset({"write", "publish", "archive"})
_WAIT_SECONDS = 5.0
# How long a key that is not known is looked for again while a change is being committed.
_COMMIT_SECONDS = 0.1

_TABLE = """
CREATE TABLE IF NOT EXISTS key (
    id TEXT PRIMARY KEY, secret TEXT NOT NULL, audience TEXT NOT NULL, rights TEXT NOT NULL,
    label TEXT NOT NULL, created TEXT NOT NULL, expires TEXT NOT NULL, revoked TEXT NOT NULL,
    digest TEXT NOT NULL
) WITHOUT ROWID
"""
_MEMBERS = ("id", "secret", "audience", "rights", "label", "created", "expires", "revoked")
_READ = f"SELECT {', '.join(_MEMBERS)}, digest FROM key"
_WRITE = f"({', '.join(_MEMBERS)}, digest) VALUES ({', '.join('?' * (len(_MEMBERS) + 1))})"

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}


class BadKey(BattPassError):
    """A key cannot be made as it was asked for."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key but its secret.

    It stands from `created` until `expires` or `revoked`, all UTC; None is never.
    """

    id: str
    audience: str
    rights: frozenset[str]
    label: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    @property
    def actor(self) -> str:
        """How the journal names who holds the key: a pseudonym."""
        return f"key:{self.id}"

    def stands(self, now: datetime) -> bool:
        """Return whether the key is neither revoked nor expired."""
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key, and the text that proves it, which is never shown again."""

    key: Key
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as it stands in the file; `key` is None where it is not what was written."""

    id: str
    secret: bytes
    key: Key | None


_NOBODY = _Row("", bytes(32), None)


class KeyRing:
    """The keys of one home; safe from many threads, and beside other processes.

    The file is made with the first key. Where there is none, no key is known.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self._clock = clock
        self._latest = clock()
        self._lock = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._file: tuple[int, ...] = ()
        self._version = -1
        self._rows: Mapping[str, _Row] | None = None
        self._is_behind = False

    # --- asking ----------------------------------------------------------------------------------------

    def find(self, token: str) -> Key | None:
        """Return the key that a text proves; None if it is ill-formed, unknown, revoked or expired.

        A clock that is set back brings no expired key to life again while this object lives.

        Raises
        ------
        DamagedHome
            If the file, or the row of the key, is not what was written.
        HomeInUse
            If another process keeps the file locked.
        """
        form = _TOKEN.fullmatch(token)
        if form is None:
            return None
        key = self._proven(form)
        until = time.monotonic() + _COMMIT_SECONDS
        # It may have been made a moment ago, with the file held by the next change since.
        while key is None and self._is_behind and time.monotonic() < until:
            time.sleep(_COMMIT_SECONDS / 20)
            key = self._proven(form)
        return key

    def _proven(self, form: re.Match[str]) -> Key | None:
        rows = self._current()
        row = rows.get(form[1], _NOBODY)
        if row.key is None:
            # Where the id is not there, its digits may be what is damaged in another row.
            self._refuse_damaged(rows.values() if row is _NOBODY else [row])
        proven = hmac.compare_digest(row.secret, hashlib.sha256(bytes.fromhex(form[2])).digest())
        return row.key if proven and row.key is not None and row.key.stands(self._now()) else None

    def keys(self) -> list[Key]:
        """Return all sound keys, the oldest first, with those that are revoked or expired."""
        found = [row.key for row in self._current().values() if row.key is not None]
        return sorted(found, key=lambda key: (key.created, key.id))

    def damaged(self) -> list[str]:
        """Return the ids of the rows that are not what was written; each can be revoked, and no more."""
        return sorted(row.id for row in self._current().values() if row.key is None)

    def check(self) -> None:
        """Raise what `find` would raise for any key: `DamagedHome` or `HomeInUse`."""
        self._refuse_damaged(self._current().values())

    # --- changing --------------------------------------------------------------------------------------

    def create(
        self, audience: str, rights: Iterable[str], label: str = "", expires: datetime | None = None
    ) -> Issued:
        """Make a key. The rights to write, publish and archive bring the right to read along.

        Raises
        ------
        BadKey
            If there is no such audience or right, the right is the owner's alone, or it would have expired.
        StorageFull, StorageFailed, HomeInUse, DamagedHome
            If it cannot be kept.
        """
        wanted = frozenset(rights)
        if wanted & _SEE_WHAT_THEY_CHANGE:
            wanted |= {"read"}
        now = self._now()
        _check_wanted(audience, wanted, label, expires, now)
        secret = secrets.token_bytes(32)
        with self._changing() as connection:
            taken = {name for (name,) in connection.execute("SELECT id FROM key")}
            key = Key(_new_id(taken), audience, wanted, label, now, expires)
            _insert(connection, key, hashlib.sha256(secret).digest())
        return Issued(key, f"bp_{key.id}_{secret.hex()}")

    def revoke(self, id: str) -> Key:
        """Take a key back, from the next request on, and return it. Once revoked it stays so.

        A damaged row loses what it said; what is left is a revoked key without rights.

        Raises
        ------
        NotFound
            If there is no key of that id.
        """
        with self._changing() as connection:
            row, now = self._standing(connection, id), self._now()
            if row.key is None:
                connection.execute("DELETE FROM key WHERE CAST(id AS TEXT) = ?", (id,))
            key = row.key or Key(id, "public", frozenset(), "", now)
            if key.revoked is None:
                key = replace(key, revoked=now)
                _insert(connection, key, row.secret)
        return key

    def delete_label(self, id: str) -> Key:
        """Delete whom a key was given to, and return the key, which stays as good as it was.

        Raises
        ------
        NotFound
            If there is no key of that id.
        """
        with self._changing() as connection:
            row = self._standing(connection, id)
            if row.key is None:
                raise self._damage([row])
            key = replace(row.key, label="")
            _insert(connection, key, row.secret)
        return key

    def close(self) -> None:
        """Close the file, which is opened again when it is next needed."""
        with self._lock:
            self._forget()

    # --- the file --------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        self._latest = max(self._latest, self._clock())
        return self._latest

    def _current(self) -> Mapping[str, _Row]:
        """Return the rows as they stand in the file now."""
        with self._lock:
            try:
                return self._refreshed()
            except (sqlite3.Error, OSError, ValueError) as error:
                if self._rows is not None and _code(error) in _BUSY:
                    self._is_behind = True
                    return self._rows  # a change is being committed: until that is done, what was there holds
                self._forget()
                raise self._trouble(error, "No key can be checked.") from error

    def _refreshed(self) -> Mapping[str, _Row]:
        file = _identity(self.path)
        if file[:2] != self._file[:2]:
            self._forget()
        if file != self._file and self._reader is not None:
            self._reader.close()  # what SQLite holds of the file may be older than the file
            self._reader = None
        if not file:
            return {}
        if self._reader is None:
            self._reader = _connect(self.path, 0 if self._rows is not None else _WAIT_SECONDS)
            self._reader.execute("PRAGMA query_only = ON")
            self._version = -1
        (version,) = self._reader.execute("PRAGMA data_version").fetchone()
        if self._rows is None or version != self._version:
            self._rows = _load(self._reader)
            self._reader.execute("PRAGMA busy_timeout = 0")
        self._file, self._version, self._is_behind = file, version, False
        return self._rows

    def _forget(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader, self._file, self._version, self._rows = None, (), -1, None

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction, which is kept and synced if nothing is raised."""
        try:
            with suppress(FileExistsError):
                # SQLite would make the file readable for everybody whom the umask lets. One that is there is
                # not opened here: to close it would give back the locks that SQLite holds on it.
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(_connect(self.path, _WAIT_SECONDS)) as connection:
                # What is deleted is overwritten, and a key is revoked also after a loss of power.
                for pragma in ("secure_delete = ON", "synchronous = EXTRA"):
                    connection.execute(f"PRAGMA {pragma}").fetchall()
                connection.execute("BEGIN IMMEDIATE")
                if connection.execute("PRAGMA user_version").fetchone() == (0,):
                    connection.execute(_TABLE)
                    connection.execute(f"PRAGMA user_version = {_LAYOUT}")
                _check_whole(connection)
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError, ValueError) as error:
            raise self._trouble(error, "Nothing was changed.") from error

    def _standing(self, connection: sqlite3.Connection, id: str) -> _Row:
        found = connection.execute(f"{_READ} WHERE CAST(id AS TEXT) = ?", (id,)).fetchone()
        if found is None:
            raise NotFound(f"There is no key {masked(id)[:80]!r}. `battpass key list` names all.")
        return _row(found)

    def _refuse_damaged(self, rows: Iterable[_Row]) -> None:
        damaged = [row for row in rows if row.key is None]
        if damaged:
            raise self._damage(damaged)

    def _damage(self, rows: Iterable[_Row]) -> DamagedHome:
        names = ", ".join(sorted(row.id for row in rows))
        return DamagedHome(
            f"{self.path} does not hold what was written there at {names}. Revoke what is named with "
            "`battpass key revoke ID`, and make new keys with `battpass key create`."
        )

    def _trouble(self, error: Exception, outcome: str) -> BattPassError:
        """Return what to raise for an error of SQLite or of the disk."""
        code = _code(error)
        if code in _BUSY:
            return HomeInUse(f"Another process keeps {self.path} locked. {outcome} Try again in a moment.")
        if code == sqlite3.SQLITE_FULL:
            return StorageFull(f"There is no room left for {self.path}. {outcome} Free some and try again.")
        if code in _READ_ONLY or isinstance(error, OSError):
            return StorageFailed(
                f"{self.path} cannot be used ({error}). {outcome} See whether the disk is writable and whose "
                "the file is."
            )
        return DamagedHome(
            f"{self.path} is not what was written there ({error}). {outcome} Restore a backup newer than "
            "the last revocation, or move it away and make new keys with `battpass key create`."
        )


def id_in(token: str) -> str:
    """Return the id that a text of the form of a key names, whether there is such a key or not; else nothing.

    >>> id_in("bp_5f0c12ab_" + "7" * 64), id_in("secret")
    ('5f0c12ab', '')
    """
    form = _TOKEN.fullmatch(token)
    return form[1] if form else ""


def masked(text: str) -> str:
    """Return a text without the secrets of keys that may stand in it.

    >>> masked("GET /p/bp_5f0c12ab_" + "7" * 64)
    'GET /p/bp_5f0c12ab_...'
    """
    return _LIKE_A_TOKEN.sub(r"\1...", text)


def _check_wanted(
    audience: str, rights: frozenset[str], label: str, expires: datetime | None, now: datetime
) -> None:
    known = audiences()
    if audience not in known:
        raise BadKey(f"There is no audience {audience!r}. Choose one of {', '.join(sorted(known))}.")
    if strange := sorted(rights - set(RIGHTS)):
        raise BadKey(f"There is no right {strange[0]!r}. Choose from {', '.join(RIGHTS)}.")
    if not rights:
        raise BadKey(f"A key without a right opens nothing. Choose from {', '.join(RIGHTS)}.")
    if audience != OWNER and (more := sorted(rights & _OF_THE_OWNER)):
        raise BadKey(
            f"The right to {more[0]} goes with the audience {OWNER} alone. Choose it, or give {audience} the "
            "right to read."
        )
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise BadKey(f"A label is one line of at most {LONGEST_LABEL} characters. Shorten it.")
    if expires is not None and expires.tzinfo is None:
        raise BadKey("The time at which a key expires needs a time zone. Name one, such as UTC.")
    if expires is not None and expires <= now:
        raise BadKey(f"The key would have expired at {expires:%Y-%m-%d %H:%M} already. Name a later day.")


def _new_id(taken: set[str]) -> str:
    while (new := secrets.token_hex(4)) in taken:
        pass
    return new


def _identity(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is replaced or written to; nothing where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _code(error: Exception) -> int:
    """Return the primary code of an error of SQLite, 0 for others."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _connect(path: Path, patience: float) -> sqlite3.Connection:
    # Opened for writing even to read: a process that was killed may have left a change to be undone. SQLite
    # reads on where the file cannot be written.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
    )


def _load(connection: sqlite3.Connection) -> Mapping[str, _Row]:
    """Return all rows, from one state of the file."""
    connection.execute("BEGIN")
    try:
        if connection.execute("PRAGMA user_version").fetchone() == (0,) and not _tables(connection):
            return {}  # made, and its first key not yet written
        _check_whole(connection)
        rows = [_row(found) for found in connection.execute(_READ)]
        return {row.id: row for row in rows}
    finally:
        connection.execute("COMMIT")


def _tables(connection: sqlite3.Connection) -> list[object]:
    return connection.execute("SELECT name FROM sqlite_schema").fetchall()


def _check_whole(connection: sqlite3.Connection) -> None:
    """Raise ValueError where SQLite finds its own structure damaged, or the layout is not ours."""
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if layout != _LAYOUT:
        raise ValueError(f"its layout is {layout}, and {_LAYOUT} is read here")
    (first,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if first != "ok":
        raise ValueError(str(first).splitlines()[-1])


def _row(found: tuple[object, ...]) -> _Row:
    """Return a row, with its key if it is what was written."""
    values, digest = found[:-1], found[-1]
    id = found[0].decode(errors="replace") if isinstance(found[0], bytes) else str(found[0])
    if not all(isinstance(one, str) for one in found) or _digest(values) != digest:
        return _Row(id, bytes(32), None)
    _, secret, audience, rights, label, *times = (str(one) for one in values)
    created, expires, revoked = (datetime.fromisoformat(one) if one else None for one in times)
    assert created is not None
    key = Key(id, audience, frozenset(rights.split()), label, created, expires, revoked)
    return _Row(id, bytes.fromhex(secret), key)


def _insert(connection: sqlite3.Connection, key: Key, secret: bytes) -> None:
    times = (
        one.astimezone(UTC).isoformat() if one else "" for one in (key.created, key.expires, key.revoked)
    )
    values = (key.id, secret.hex(), key.audience, " ".join(sorted(key.rights)), key.label, *times)
    connection.execute(f"INSERT OR REPLACE INTO key {_WRITE}", (*values, _digest(values)))


def _digest(values: tuple[object, ...]) -> str:
    return hashlib.sha256(json.dumps(["battpass key", *values]).encode()).hexdigest()
