"""Back-ups that were read back before they count, and homes restored from them, to any entry.

A back-up is one ZIP file that needs nothing of ours to be opened:

    backup.json      the head of the journal, and the SHA-256 of each file
    journal.sqlite   the journal at that moment
    keys.sqlite      the API keys (hashes only), if there are any
"""

import errno
import hashlib
import json
import lzma
import os
import shutil
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from battpass.kg import storage
from battpass.kg.errors import BattPassError, DamagedHome, NotFound, StorageFull
from battpass.kg.journal import schema
from battpass.kg.journal.entry import Entry
from battpass.kg.journal.verify import Verified, Watch, rebuild, verify
from battpass.kg.journal.witness import Head

ABOUT = "backup.json"
# Beside the journal: whatever else a home cannot make anew.
COMPANIONS = ("keys.sqlite",)
_CHUNK = 1 << 20
# What reading a ZIP file raises that is damaged, or names methods and sizes that are none.
_NO_BACKUP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    OverflowError,
    RuntimeError,
)


class BadBackup(BattPassError):
    """A file is no back-up, or not what was written there."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A back-up that was read back: where it lies, and the journal that it holds."""

    file: Path
    verified: Verified

    @property
    def head(self) -> Head:
        """The end of the journal in it."""
        return self.verified.head


def backup(folder: Path, file: Path, watch: Watch | None = None) -> Backup:
    """Write a back-up of the home in a folder, also beside the process that writes to it.

    The copy is checked entry by entry, packed, and read back. The file appears under its name when all is
    done.

    Raises
    ------
    DamagedHome
        If the journal is not whole: then a back-up would only hide it.
    BattPassError
        If the file is there already, or cannot be written.
    """
    if file.exists():
        raise BattPassError(f"{file} is there already. Name another file; back-ups are never written over.")
    work = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        work.mkdir(parents=True)
        files = [_copied(folder / schema.FILE, work / schema.FILE)]
        files += [_copied(folder / name, work / name) for name in COMPANIONS if (folder / name).exists()]
        found = verify(work / schema.FILE, watch=watch)
        if not found.sound:
            raise DamagedHome(
                f"The journal in {folder} is not whole, so it was not backed up: {found.problems[0]}. See "
                "`battpass journal verify`, and bring the home back from an earlier back-up."
            )
        packed = work / "packed"
        packed.touch(0o600)  # it holds drafts and what is said of persons
        _pack(packed, files, found.head)
        _read_back(packed)
        _sync(packed)
        # A link fails where a file of that name came up meanwhile; a rename would write over it.
        os.link(packed, file)
        _sync(file.parent)
        return Backup(file, found)
    except StorageFull as error:
        raise BattPassError(f"{file} cannot be written: its disk is full. Name another.") from error
    except OSError as error:
        raise BattPassError(f"{file} cannot be written: {error.strerror or error}. Name another.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def restore(file: Path, folder: Path, upto: int | None = None, watch: Watch | None = None) -> Verified:
    """Put the journal of a back-up into a folder, up to an entry if one is named.

    The folder holds no journal before; it has a whole one afterwards, or none.

    Raises
    ------
    NotFound
        If there is no such file, or no such entry in it.
    BadBackup
        If the file is damaged or is no back-up.
    StorageFull, StorageFailed
        If the disk of the folder does not take it.
    BattPassError
        If the folder holds a journal already.
    """
    if (folder / schema.FILE).exists():
        raise BattPassError(f"{folder} holds a journal already. Restore into an empty or a new folder.")
    work = folder / ".restoring"
    shutil.rmtree(work, ignore_errors=True)  # of a restoring that was cut off
    try:
        work.mkdir(parents=True)
        _unpack(file, work)
        journal = work / schema.FILE
        if upto is not None:
            _cut(journal, upto)
        found = verify(journal, watch=watch)
        if not found.sound:
            raise BadBackup(f"The journal in {file} is not whole: {found.problems[0]}. Use another back-up.")
        for name in (*COMPANIONS, schema.FILE):  # the journal last: it makes the folder a home
            if (work / name).exists():
                _sync(work / name)
                (work / name).replace(folder / name)
        _sync(folder)
        return found
    except OSError as error:
        raise storage.refusal(error, str(folder)) from error
    except sqlite3.Error as error:
        raise schema.failure(error, folder / schema.FILE) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _copied(source: Path, target: Path) -> Path:
    """Copy a database as it is at one moment."""
    try:
        with closing(schema.open_for_reading(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise schema.failure(error, source) from error
    return target


def _pack(packed: Path, files: list[Path], head: Head) -> None:
    about = {
        "sequence": head.sequence,
        "head": head.hash,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {path.name: _digest(path) for path in files},
    }
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(ABOUT, json.dumps(about, indent=1) + "\n")
        for path in files:  # the texts in a journal are packed already
            archive.write(path, path.name)


def _read_back(packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        for name, wanted in _about(archive)["files"].items():
            with archive.open(name) as stream:
                if _digest_of(stream) != wanted:
                    raise BadBackup(f"{name} does not come back as it was written. Look at the disk.")


def _unpack(file: Path, work: Path) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            for name, wanted in _about(archive)["files"].items():
                if name not in (schema.FILE, *COMPANIONS):
                    raise BadBackup(f"{file} holds {name!r}, which is no file of a back-up.")
                (work / name).touch(0o600 if name in COMPANIONS else 0o666, exist_ok=False)
                with archive.open(name) as stream, (work / name).open("wb") as target:
                    shutil.copyfileobj(stream, target, _CHUNK)
                if _digest(work / name) != wanted:
                    raise BadBackup(f"{name} in {file} does not have its digest. Use another back-up.")
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.") from None
    except _NO_BACKUP as error:
        raise BadBackup(f"{file} is no back-up, or damaged ({error}). Use another.") from None
    except OSError as error:
        if storage.is_full(error) or storage.is_read_only(error):
            raise
        if error.errno in (None, errno.EINVAL):  # of a place before the start, or a packing that is none
            raise BadBackup(f"{file} is damaged ({error}). Use another back-up.") from None
        raise BattPassError(
            f"{file} cannot be read, or {work.parent} not written ({error.strerror or error}). Look at both."
        ) from error
    if not (work / schema.FILE).exists():
        raise BadBackup(f"{file} holds no journal. Use another back-up.")


def _about(archive: zipfile.ZipFile) -> Mapping[str, Any]:
    about = json.loads(archive.read(ABOUT))
    if not isinstance(about["files"], dict):
        raise ValueError("its list of files is none")
    found: Mapping[str, Any] = about
    return found


def _cut(journal: Path, upto: int) -> None:
    """Take away what came after an entry."""
    with closing(schema.open_for_writing(journal)) as connection:
        end = connection.execute("SELECT COALESCE(MAX(sequence), 0) FROM entries").fetchone()[0]
        if not 0 <= upto <= end:
            raise NotFound(f"The back-up ends at entry {end}; there is no entry {upto} in it.")
        for (line,) in connection.execute("SELECT line FROM entries WHERE sequence > ?", (upto,)):
            if (entry := Entry.read(line)).erased:
                raise BadBackup(
                    f"Entry {entry.sequence} erased what earlier ones need, so the journal cannot end at "
                    f"entry {upto}. Name entry {entry.sequence} or a later one, or an earlier back-up."
                )
        with schema.transaction(connection):
            connection.execute("DELETE FROM entries WHERE sequence > ?", (upto,))
            # First, as the state that stands then may be a text that only a later entry named.
            _drop_unnamed(connection)
            rebuild(connection)
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")


def _drop_unnamed(connection: sqlite3.Connection) -> None:
    """Remove the texts that only entries named which are gone."""
    named: set[bytes] = set()
    for (line,) in connection.execute("SELECT line FROM entries"):
        entry = Entry.read(line)
        named |= {bytes.fromhex(name) for name in entry.texts}
    rows = connection.execute("SELECT digest FROM texts WHERE NOT derived").fetchall()
    connection.executemany("DELETE FROM texts WHERE digest = ?", [row for row in rows if row[0] not in named])


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return _digest_of(stream)


def _digest_of(stream: Any) -> str:
    found = hashlib.sha256()
    while piece := stream.read(_CHUNK):
        found.update(piece)
    return found.hexdigest()


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
