"""The folder of a home: what says that it is one, and the lock of the process that writes.

home.json          what this folder is
lock               empty, or the process that writes
journal.sqlite     the truth, see `kg.journal`
head               where the journal ends, see `kg.journal.witness`
keys.sqlite        API keys, hashed
datasets/NAME/     derived from the journal, and built again when lost
validation.sqlite  what validating found of what stands, and found again when lost
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from battpass.kg import storage
from battpass.kg.errors import DamagedHome
from battpass.kg.journal import schema

LAYOUT = 1
# Before there was a journal a home kept its passports in this folder, and their documents beside them.
BEFORE = "passports"
ABOUT = "home.json"
ASIDE = f"{ABOUT}.tmp"
DATASETS = "datasets"
IGNORE = ".gitignore"
_IGNORED = "*\n"
# A home lies here while a back-up is unpacked: what is beside it then is no home yet.
RESTORING = ".restoring"


def is_home(folder: Path) -> bool:
    """Return whether a folder is a home."""
    return (folder / ABOUT).exists()


def begin(folder: Path) -> None:
    """Make a home of a folder that is empty, not there, or holds a journal that was just restored.

    Raises
    ------
    DamagedHome
        If the folder holds something else.
    StorageFull, StorageFailed
        If the disk refuses that; it can be done again.
    """
    if is_home(folder):
        return
    if holds(folder) and ((folder / RESTORING).exists() or not (folder / schema.FILE).exists()):
        raise DamagedHome(f"{folder} holds files and is no home of passports. Name an empty or a new folder.")
    try:
        (folder / DATASETS).mkdir(parents=True, exist_ok=True)
        # A home in a working copy is data, not source.
        (folder / IGNORE).write_text(_IGNORED, encoding="utf-8")
        aside = folder / ASIDE
        aside.write_text(json.dumps({"layout": LAYOUT}) + "\n", encoding="utf-8")
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(folder / ABOUT)
    except OSError as error:
        raise storage.refusal(error, str(folder)) from error


def move_in(aside: Path, folder: Path, kept: Iterable[str]) -> None:
    """Make a home of a folder from the one that lies whole in it: what it keeps, and last that it is one.

    Raises
    ------
    StorageFull, StorageFailed
        If the disk refuses that.
    """
    try:
        for name in (*kept, IGNORE, DATASETS, ABOUT):
            if (aside / name).exists():
                (aside / name).replace(folder / name)
        place = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
    except OSError as error:
        raise storage.refusal(error, str(folder)) from error


def holds(folder: Path, *but: str) -> bool:
    """Return whether a folder holds anything, apart from what a beginning that was cut off leaves there."""
    return folder.is_dir() and not all(path.name in but or _is_begun(path) for path in folder.iterdir())


def _is_begun(path: Path) -> bool:
    if path.name == IGNORE:
        return path.is_file() and _IGNORED.startswith(path.read_text(encoding="utf-8", errors="replace"))
    return path.name == ASIDE or (path.name == DATASETS and path.is_dir() and not any(path.iterdir()))


def check(folder: Path) -> None:
    """Raise `DamagedHome` if a folder is no home, or one of a layout that is not read here."""
    try:
        about = json.loads((folder / ABOUT).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise DamagedHome(f"{folder} is no home of passports: it has no {ABOUT}.") from None
    except ValueError as error:
        raise DamagedHome(
            f"{folder / ABOUT} cannot be read ({error}). Bring the home back from a backup, or write "
            f'{{"layout": {LAYOUT}}} into it.'
        ) from None
    layout = about.get("layout") if isinstance(about, dict) else None
    check_has_journal(folder)
    if layout != LAYOUT:
        raise DamagedHome(
            f"{folder} has layout {layout}; this version reads layout {LAYOUT}. Use the version of BattPass "
            "that wrote it, or name another folder."
        )


def check_has_journal(folder: Path) -> None:
    """Raise `DamagedHome` if a folder is a home from before there was a journal: it would look empty."""
    if (folder / BEFORE).is_dir() and not (folder / schema.FILE).exists():
        raise DamagedHome(
            f"{folder} was written by an earlier version, which had a file for each passport and no journal. "
            "It stays as it is. Bring its documents into a new home: "
            f"battpass --home NEW import --publish {folder / BEFORE}/*.original"
        )
