"""One process writes to a home: a lock that the kernel gives back when the process ends, however it ends."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from battpass.kg import storage
from battpass.kg.errors import HomeInUse


class Lock:
    """Holds the lock file of a folder; the file names the process that holds it, and is empty else."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises
        ------
        HomeInUse
            If another process, or another home of this one, holds it.
        StorageFull, StorageFailed
            If the disk refuses the file.
        """
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise storage.refusal(error, path.name) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._file, 20).decode(errors="replace").strip()
            os.close(self._file)
            who = f"Process {holder}" if holder else "Another process"
            raise HomeInUse(
                f"{who} writes to {path.parent}, and one writes at a time. "
                "End it or wait for it, or name another folder."
            ) from None
        # The name is for whoever is refused; the lock holds also where a full disk does not take it.
        with suppress(OSError):
            os.ftruncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Give the lock back."""
        with suppress(OSError):
            os.ftruncate(self._file, 0)
        os.close(self._file)


def holder_of(path: Path) -> str:
    """Return the id of the process that holds a lock file, or nothing where it is free."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return ""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return os.read(file, 20).decode(errors="replace").strip() or "unknown"
    finally:
        os.close(file)
    return ""
