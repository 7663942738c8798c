"""A disk that takes no more, or nothing at all: how its errors are told apart, and what is said of them."""

import errno
import os
from pathlib import Path

from battpass.kg.errors import StorageFailed, StorageFull


def full(what: str) -> StorageFull:
    """Return the error for a disk without room; `what` is a file on it.

    >>> str(full("journal.sqlite")).partition(".")[0]
    'The disk that holds journal'
    """
    return StorageFull(
        f"The disk that holds {what} is full. Nothing was written and reading goes on; make room, and send "
        "the request again."
    )


def read_only(what: str) -> StorageFailed:
    """Return the error for a disk that nothing can be written to."""
    return StorageFailed(
        f"The disk that holds {what} is read-only. Nothing was written and reading goes on; make it "
        "writable, and send the request again."
    )


def refusal(error: OSError, what: str) -> StorageFull | StorageFailed:
    """Return what an error of the system means for whoever wanted `what` to be written."""
    if is_full(error):
        return full(what)
    if is_read_only(error):
        return read_only(what)
    # The engine of the datasets gives no number, but a chain of places that ends in the reason.
    reason = error.strerror or str(error).rpartition(": ")[2]
    return StorageFailed(
        f"The disk does not take {what} ({reason}). Nothing was written; mend the disk, and send the "
        "request again."
    )


def is_full(error: OSError) -> bool:
    """Whether an error means that there is no room.

    >>> is_full(OSError("IO error: While appending to file: 000010.log: No space left on device"))
    True
    """
    return _is(error, errno.ENOSPC, errno.EDQUOT)


def is_read_only(error: OSError) -> bool:
    """Whether an error means that nothing can be written to the disk at all."""
    return _is(error, errno.EROFS)


def has_room(folder: Path, size: int) -> bool:
    """Return whether so many bytes can be written below a folder."""
    found = os.statvfs(folder)
    return not found.f_flag & os.ST_RDONLY and found.f_bavail * found.f_frsize >= size


def _is(error: OSError, *numbers: int) -> bool:
    return error.errno in numbers or str(error).endswith(tuple(map(os.strerror, numbers)))
