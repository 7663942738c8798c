"""A second place that knows where the journal ends.

SQLite takes a damaged write-ahead log for one that a crash cut short: it opens without a word and ends where
the damage begins. The witness is written after each commit, so a journal that ends before it has lost entries
which were acknowledged. It has two slots, written in turn: a crash tears at most the one that is not needed.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from battpass.kg import storage

_SLOT = 256
_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a journal: the sequence number and hash of its last entry."""

    sequence: int
    hash: str


class Witness:
    """The file that remembers the head."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        """Open the file, and make it where there is none and it is to be writable.

        Raises
        ------
        StorageFull, StorageFailed
            If the disk refuses that.
        """
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644) if writable else -1
        except OSError as error:
            raise storage.refusal(error, path.name) from error

    def read(self) -> Head | None:
        """Return the newest head that was written whole, None where there is none."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        heads = [head for at in (0, _SLOT) if (head := _read(data[at : at + _SLOT])) is not None]
        return max(heads, key=lambda head: head.sequence, default=None)

    def write(self, head: Head) -> None:
        """Remember a head. It is not synced: after a crash an older head is as good."""
        os.pwrite(self._file, _text(head), _SLOT * (head.sequence % 2))

    def close(self) -> None:
        """Sync and close the file."""
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
            self._file = -1


def _text(head: Head) -> bytes:
    content = f"{head.sequence:020d} {head.hash} ".encode()
    return (content + hashlib.sha256(content).hexdigest().encode()).ljust(_SLOT - 1) + b"\n"


def _read(slot: bytes) -> Head | None:
    content, check = slot[: 22 + _DIGITS], slot[22 + _DIGITS : 22 + 2 * _DIGITS]
    if hashlib.sha256(content).hexdigest().encode() != check:
        return None
    sequence, found = content.split()
    return Head(int(sequence), found.decode())
