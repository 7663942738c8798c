"""A small disk of its own, which can be filled and made read-only while something writes to it."""

import errno
import os
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_BLOCKS = (1 << 20, 4096)


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system in memory, of a fixed size."""

    folder: Path

    @property
    def free_bytes(self) -> int:
        """How much room there is."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Take all room there is but `leave` bytes, and at each further call what others have given back."""
        with (self.folder / "filling").open("ab", buffering=0) as file:
            for size in _BLOCKS:
                while self.free_bytes - leave >= size:
                    try:
                        file.write(bytes(size))
                    except OSError as error:
                        assert error.errno == errno.ENOSPC
                        break

    def empty(self) -> None:
        """Give back what `fill` took."""
        (self.folder / "filling").unlink(missing_ok=True)

    @contextmanager
    def filled(self, leave: int = 0) -> Iterator[None]:
        """Keep the disk full for a while."""
        self.fill(leave)
        try:
            yield
        finally:
            self.empty()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Make the disk read-only for whoever opens a file by its name.

        What is open for writing keeps the kernel from making the whole of it read-only. So the disk is laid
        over itself, read-only: files that are open stay writable, as the engine of the datasets will find.
        """
        _mount("--bind", self.folder, self.folder)
        try:
            _mount("-o", "remount,bind,ro", self.folder)
            yield
        finally:
            _unmount(self.folder)

    @contextmanager
    def wholly_read_only(self) -> Iterator[None]:
        """Make the disk read-only; nobody may have a file of it open for writing."""
        _mount("-o", "remount,ro", self.folder)
        try:
            yield
        finally:
            _mount("-o", "remount,rw", self.folder)


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mount a disk of some size on a new folder; skips the test where nothing may be mounted."""
    folder.mkdir()
    try:
        _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "battpass", folder)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        pytest.skip(f"needs the right to mount a file system: {said.strip()}")
    try:
        yield Disk(folder)
    finally:
        _unmount(folder)


@contextmanager
def refusing(process: int) -> Iterator[None]:
    """Let the system refuse each write of a process that makes a file longer, as a failing disk would."""
    most = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, most[1]))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(process, resource.RLIMIT_FSIZE, most)


@contextmanager
def locked(journal: Path) -> Iterator[None]:
    """Hold the lock that whoever writes to a journal needs, as another program may."""
    other = sqlite3.connect(journal, timeout=60, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, capture_output=True, text=True)


def _unmount(folder: Path) -> None:
    # Lazily: whoever has a file open keeps it, and the rest is gone from the tree at once.
    subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True, text=True)
