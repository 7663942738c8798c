"""Documents that a command is given: from a file or standard input, with errors that name them."""

import sys
from pathlib import Path

from battpass.kg.jsontext import MAX_BYTES
from battpass.services.exchange.bulk import read_file, too_large
from battpass.services.exchange.registry import Format, detect, format_named

STANDARD_INPUT = "-"


def read_source(path: Path) -> bytes:
    """Return the bytes of a file, or of standard input for `-`.

    Raises
    ------
    BadDocument
        If there is no such file, it is a folder, or holds more than is read.
    """
    if str(path) != STANDARD_INPUT:
        return read_file(path)
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise too_large(f"more than {MAX_BYTES:,}", MAX_BYTES)
    return data


def is_file(name: str) -> bool:
    """Return whether an argument that may be a file or something else is a file."""
    try:
        return name == STANDARD_INPUT or (bool(name) and Path(name).exists())
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        return False


def format_of(data: bytes, name: str = "") -> Format:
    """Return the format with a name, or the one that takes a document; see `detect` for the errors."""
    return format_named(name) if name else detect(data)
