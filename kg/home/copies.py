"""Copies of a dataset's store, so that a process can query it beside the one that writes."""

import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

from pyoxigraph import Store

from battpass.kg import storage
from battpass.kg.errors import HomeInUse
from battpass.kg.home.stamp import STAMP, Stamp

_ATTEMPTS = 10


def copy_of(place: Path) -> Path:
    """Return a copy of the store of a dataset as it stands; copies that ended processes left go.

    A store that is written to cannot be opened beside its writer with certainty, as the writer removes tables
    that it has merged. So the copy is then made of the snapshot that the writer's own queries run on. A store
    without a stamp is being built, and its snapshots hold none or some of the passports.

    Where the disk takes nothing the copy lies among temporary files.

    Raises
    ------
    HomeInUse
        If another process is building the dataset, or changes it again and again while it is copied.
    StorageFull, StorageFailed
        If there is no room for it there either.
    """
    try:
        readers = place / "readers"
        readers.mkdir(exist_ok=True)
        for left in readers.iterdir():
            if not _runs(left.name.partition("-")[0]):
                shutil.rmtree(left, ignore_errors=True)
        copy = readers / f"{os.getpid()}-{secrets.token_hex(4)}"
        _copy(place, copy)
        return copy
    except OSError as error:
        if not storage.is_full(error) and not storage.is_read_only(error):
            raise
        return _copy_elsewhere(place)


def _copy(place: Path, copy: Path) -> None:
    """Make a copy that belongs to the stamp of a dataset.

    Raises
    ------
    OSError
        If the disk is full or read-only.
    """
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt * 0.05)
        stamp = Stamp.read(place / STAMP)
        if stamp is None:
            continue
        try:
            _copy_store(place, copy)
            if Stamp.read(place / STAMP) == stamp:
                return
        except (OSError, RuntimeError, shutil.Error) as error:
            if isinstance(error, OSError) and (storage.is_full(error) or storage.is_read_only(error)):
                raise
            # The snapshot was replaced, or a writer came or went.
        shutil.rmtree(copy, ignore_errors=True)
    raise HomeInUse(f"Another process is building or changing {place}. Try again in a moment.")


def _copy_elsewhere(place: Path) -> Path:
    """Return a copy on the disk of temporary files, for nobody else to read."""
    try:
        with tempfile.TemporaryDirectory(prefix="battpass-") as made:
            _copy(place, Path(made) / "store")
            (Path(made) / "store").chmod(0o700)
            return (Path(made) / "store").rename(f"{made}-store")
    except OSError as error:
        raise storage.refusal(error, "temporary files") from error


def _copy_store(place: Path, copy: Path) -> None:
    """Make a copy of the newest snapshot or of the store, of hard links where the file system has them."""
    snapshots = [path for path in (place / "snapshots").glob("*") if path.name.isdigit()]
    if snapshots:
        newest = max(snapshots, key=lambda path: int(path.name))
        shutil.copytree(newest, copy, copy_function=_link)
    else:
        Store.read_only(str(place / "store")).backup(str(copy))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True
