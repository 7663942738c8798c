"""Documents that a command is given: from a file or standard input, with errors that name them."""

import sys
from pathlib import Path

from battpass.kg.errors import BadDocument, DocumentTooLarge
from battpass.kg.jsontext import MAX_BYTES
from battpass.services.exchange.registry import Format, detect, format_named

STANDARD_INPUT = "-"


class Unreadable(BadDocument):
    """There is no file of that name, or it cannot be read."""


def read_source(path: Path) -> bytes:
    """Return the bytes of a file, or of standard input for `-`.

    Raises
    ------
    BadDocument
        If there is no such file, it is a folder, or holds more than is read.
    """
    if str(path) == STANDARD_INPUT:
        return _bounded(sys.stdin.buffer.read(MAX_BYTES + 1), f"more than {MAX_BYTES:,}")
    if path.is_dir():
        raise Unreadable(f"This is a folder. Name the files in it, as in {path / '*.json'}.")
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            return _bounded(bytes(MAX_BYTES + 1), f"{size:,}")
        return path.read_bytes()
    except FileNotFoundError:
        raise Unreadable("There is no such file. Look at its name and at the folder you are in.") from None
    except OSError as error:
        raise Unreadable(
            f"The file cannot be read: {error.strerror or error}. Mend that and try again."
        ) from None


def is_file(name: str) -> bool:
    """Return whether an argument that may be a file or something else is a file."""
    try:
        return name == STANDARD_INPUT or (bool(name) and Path(name).exists())
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        return False


def format_of(data: bytes, name: str = "") -> Format:
    """Return the format with a name, or the one that takes a document; see `detect` for the errors."""
    return format_named(name) if name else detect(data)


def _bounded(data: bytes, size: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise DocumentTooLarge(
            f"The document has {size} bytes; at most {MAX_BYTES:,} are read. "
            "Send one passport per document, and link large files instead of embedding them."
        )
    return data
