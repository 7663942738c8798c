"""Many documents from one place, one after the other: folders, JSON Lines, ZIP archives, plain files.

Nothing is read before it is asked for, and each document is bounded in size. What cannot be handed over is
one `Document` with an error, so that one bad file, line or member never ends the rest. None is parsed here.
"""

import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from battpass.kg.errors import BadDocument, BattPassError, DocumentTooLarge
from battpass.kg.jsontext import MAX_BYTES

# What a folder or an archive is searched for; a file that is named itself may be called anything.
DOCUMENTS = frozenset({".json", ".jsonld", ".ttl", ".nq"})
LINES = frozenset({".jsonl", ".ndjson"})
ARCHIVE = ".zip"
OTHER_ARCHIVES = frozenset({".7z", ".bz2", ".gz", ".jar", ".rar", ".tar", ".tgz", ".xz", ".zst"})

_ZIP_BEGINS = (b"PK\x03\x04", b"PK\x05\x06")
_PIECE = 1 << 20
_ENCRYPTED = 0x1


class Unreadable(BadDocument):
    """There is no file of that name, or it cannot be read."""


class BadArchive(BadDocument):
    """An archive, or a member of one, that is not unpacked."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is unpacked: bytes of one document; members, bytes and growth of one archive.

    Passports shrink to about a sixth in an archive, and a file of many to a fortieth at best.
    """

    document: int = MAX_BYTES
    members: int = 1_000_000
    unpacked: int = 32 << 30
    growth: int = 200


STANDARD = Limits()


@dataclass(frozen=True, slots=True)
class Document:
    """One document and where it comes from, such as `fleet.jsonl:17`; or why there is none."""

    name: str
    data: bytes = b""
    error: BattPassError | None = None


def documents(path: Path, limits: Limits = STANDARD) -> Iterator[Document]:
    """Yield the documents of a file or folder; folders by name, lines and members in their order.

    Errors come as documents: nothing is raised.
    """
    try:
        is_folder = path.is_dir()
    except OSError as error:  # a name that is too long
        yield _refused(path, _unreadable(error))
        return
    if not is_folder:
        yield from _of_file(path, limits)
        return
    found = False
    for document in _of_folder(path, limits):
        found = True
        yield document
    if not found:
        kinds = ", ".join(sorted(DOCUMENTS | LINES | {ARCHIVE}))
        yield _refused(path, Unreadable(f"The folder holds no documents. They end in one of: {kinds}."))


def count(path: Path) -> int:
    """Return about how many documents there are, for whoever shows how far a long run has come."""
    try:
        if path.is_dir():
            return sum(count(inner) for inner in _inside(path))
        if not path.is_file():
            return 1  # what a pipe holds is read once
        if path.suffix.lower() in LINES:
            with path.open("rb") as file:
                return sum(piece.count(b"\n") for piece in iter(lambda: file.read(_PIECE), b"")) + 1
        if path.suffix.lower() == ARCHIVE:
            with zipfile.ZipFile(path) as archive:
                return sum(_is_wanted(info.filename, OTHER_ARCHIVES) for info in archive.infolist())
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        pass  # it is said when the documents are read
    return 1


def read_file(path: Path, most: int = MAX_BYTES) -> bytes:
    """Return the bytes of one file.

    Raises
    ------
    Unreadable
        If there is no such file, it is a folder, or it cannot be read.
    DocumentTooLarge
        If it holds more than is read.
    """
    if path.is_dir():
        raise Unreadable(f"This is a folder. Name the files in it, as in {path / '*.json'}.")
    try:
        if (size := path.stat().st_size) > most:
            raise too_large(f"{size:,}", most)
        with path.open("rb") as file:
            data = file.read(most + 1)  # a pipe has no size beforehand
    except OSError as error:
        raise _unreadable(error) from None
    if len(data) > most:
        raise too_large(f"more than {most:,}", most)
    return data


def too_large(size: str, most: int) -> DocumentTooLarge:
    """Return the error for a document of some bytes, in words, where at most so many are read."""
    return DocumentTooLarge(
        f"The document has {size} bytes; at most {most:,} are read. "
        "Send one passport per document, and link large files instead of embedding them."
    )


def _of_folder(folder: Path, limits: Limits) -> Iterator[Document]:
    try:
        inside = _inside(folder)
    except OSError as error:
        yield _refused(folder, _unreadable(error))
        return
    for path in inside:
        yield from _of_folder(path, limits) if path.is_dir() else _of_file(path, limits)


def _inside(folder: Path) -> list[Path]:
    """Return folders and wanted files of a folder, by name. Links to folders might lead round in circles."""
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if (entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."))
            or (entry.is_file() and _is_wanted(entry.name))
        ]
    return [folder / name for name in sorted(names)]


def _of_file(path: Path, limits: Limits) -> Iterator[Document]:
    try:
        if path.suffix.lower() == ARCHIVE or _begins_as_archive(path):
            yield from _of_archive(path, limits)
        elif path.suffix.lower() in LINES:
            with path.open("rb") as file:
                yield from _of_lines(file, str(path), limits)
        else:
            yield Document(str(path), read_file(path, limits.document))
    except BattPassError as error:
        yield _refused(path, error)
    except (OSError, ValueError) as error:  # the latter of a name with a NUL in it
        yield _refused(path, _unreadable(error))


def _begins_as_archive(path: Path) -> bool:
    if not path.is_file():  # what a pipe holds is read once
        return False
    with path.open("rb") as file:
        return file.read(4) in _ZIP_BEGINS


def _of_lines(file: BinaryIO, name: str, limits: Limits) -> Iterator[Document]:
    """Yield a document for each line that is not blank; a line that is too long is passed over."""
    number = 0
    while line := file.readline(limits.document + 3):  # with "\r\n", and one byte that is too many
        number += 1
        if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            yield _refused(name, BadDocument("The lines are in UTF-16. Save the file as UTF-8."))
            return
        data = line.rstrip(b"\r\n")
        if len(data) > limits.document:
            while line and not line.endswith(b"\n"):
                line = file.readline(_PIECE)
            yield _refused(f"{name}:{number}", too_large(f"more than {limits.document:,}", limits.document))
        elif data.strip():
            yield Document(f"{name}:{number}", data)


def _of_archive(path: Path, limits: Limits) -> Iterator[Document]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            _check_archive(members, path.stat().st_size, limits)
            wanted = [info for info in members if _is_wanted(info.filename, OTHER_ARCHIVES)]
            if not wanted:
                raise BadArchive("The archive holds no documents. Pack files that end in .json or .jsonl.")
            for info in wanted:
                yield from _of_member(archive, info, f"{path}/{info.filename}", limits)
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, EOFError, ValueError) as error:
        raise BadArchive(f"This is no ZIP archive that can be read: {error}. Pack it again.") from None


def _check_archive(members: list[zipfile.ZipInfo], size: int, limits: Limits) -> None:
    unpacked = sum(info.file_size for info in members)
    if len(members) > limits.members:
        raise BadArchive(
            f"The archive has {len(members):,} members; at most {limits.members:,} are unpacked. Divide it."
        )
    if unpacked > limits.unpacked:
        raise BadArchive(
            f"The archive unpacks to {unpacked:,} bytes; at most {limits.unpacked:,} are read. Divide it."
        )
    # Members that lie one upon the other grow far beyond what each of them does.
    if unpacked > limits.document and unpacked > limits.growth * size:
        raise BadArchive(
            f"The archive unpacks to {unpacked // size:,} times its size, which no passports do. Nothing of "
            "it was read; import the files themselves."
        )


def _of_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, limits: Limits
) -> Iterator[Document]:
    try:
        _check_member(info, limits)
        with archive.open(info) as file:
            if PurePosixPath(info.filename).suffix.lower() in LINES:
                yield from _of_lines(file, name, limits)  # type: ignore[arg-type]  # it reads lines alike
                return
            if info.file_size > limits.document:
                raise too_large(f"{info.file_size:,}", limits.document)
            data = file.read(limits.document + 1)
        if data.startswith(_ZIP_BEGINS):
            raise _nested()
        yield Document(name, data)
    except BattPassError as error:
        yield _refused(name, error)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
        reason = str(error) or type(error).__name__
        yield _refused(name, BadArchive(f"It cannot be unpacked: {reason}. Pack it again."))


def _check_member(info: zipfile.ZipInfo, limits: Limits) -> None:
    path = PurePosixPath(info.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in path.parts[0]:
        raise BadArchive("Its name leads out of the archive. Pack it again with plain names.")
    if info.flag_bits & _ENCRYPTED:
        raise BadArchive("It is encrypted. Pack it again without a password.")
    if _suffix(info.filename) in {ARCHIVE, *OTHER_ARCHIVES}:
        raise _nested()
    if info.file_size > _PIECE and info.file_size > limits.growth * max(1, info.compress_size):
        raise BadArchive(
            f"It unpacks to {info.file_size // max(1, info.compress_size):,} times its size, which no "
            "passport does. Import the file itself."
        )


def _is_wanted(name: str, also: frozenset[str] = frozenset()) -> bool:
    """Return whether a file in a folder or an archive is a document, holds some, or has to be told of."""
    parts = PurePosixPath(name).parts
    if not parts or any(part.startswith(".") and part != ".." for part in parts) or parts[0] == "__MACOSX":
        return False
    return _suffix(name) in DOCUMENTS | LINES | {ARCHIVE} | also


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _nested() -> BadArchive:
    return BadArchive("It is an archive within an archive. Unpack it, and import what it holds.")


def _unreadable(error: OSError | ValueError) -> Unreadable:
    if isinstance(error, FileNotFoundError):
        return Unreadable("There is no such file. Look at its name and at the folder you are in.")
    reason = getattr(error, "strerror", None) or error
    return Unreadable(f"The file cannot be read: {reason}. Mend that and try again.")


def _refused(name: Path | str, error: BattPassError) -> Document:
    return Document(str(name), error=error)
