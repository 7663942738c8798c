"""What looking after a home costs: proof, back-up, restoring and rebuilding, with 10,000 passports.

The rival of a back-up is the copy that SQLite makes by itself (`VACUUM INTO`), synced: the rest of a back-up
is proving the copy and reading it back. The rival of restoring is unpacking the file, synced.
"""

import os
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter

from battpass.kg.home import Home
from battpass.kg.journal import schema
from battpass.kg.journal.backup import backup
from battpass.kg.journal.verify import verify
from benchmarks.campaigns import Campaign
from benchmarks.harness import Measure, script
from benchmarks.journal import fill, folder

PASSPORTS = 10_000


def measure(campaign: Campaign) -> Sequence[Measure]:
    """Return the seconds of each, and how many passports that makes a second."""
    size = campaign.count(PASSPORTS)
    with folder() as place:
        with Home.open(place, create=True) as home:
            fill(home, size, campaign.seed)
            built = _seconds(lambda: home.dataset("public"))
            rebuilt = _seconds(lambda: home.rebuild())
        return [
            *custody(place, size),
            _row("public dataset built", built, size),
            _row("rebuild", rebuilt, size),
        ]


def custody(place: Path, size: int) -> Iterator[Measure]:
    """Yield what proof, back-up and restoring take, against plain copies."""
    journal, file = place / schema.FILE, place.parent / "backup.zip"
    yield _row("journal verify", _seconds(lambda: verify(journal)), size)
    copied = _seconds(lambda: _copied(journal, place.parent / "copy.sqlite"))
    made = _seconds(lambda: backup(place, file))
    yield _row("backup", made, size, bytes=file.stat().st_size)
    yield _row("a copy by SQLite alone, synced", copied, size)
    yield Measure("backup / the copy alone", made / copied, "times")
    unpacked = _seconds(lambda: _unpacked(file, place.parent / "unpacked"))
    restored = _seconds(lambda: Home.restore(file, place.parent / "restored"))
    yield _row("restore", restored, size)
    yield _row("unpacking alone, synced", unpacked, size)
    yield Measure("restore / unpacking alone", restored / unpacked, "times")


def _copied(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    _sync(target)


def _unpacked(file: Path, target: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        archive.extractall(target)
    for path in target.iterdir():
        _sync(path)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _row(case: str, seconds: float, size: int, **more: object) -> Measure:
    return Measure(case, seconds, "s", {"passports": size, "passports_per_second": size / seconds, **more})


if __name__ == "__main__":
    script(__file__, measure, source="100 passports of the demo fleet, copied under new UUIDs")
