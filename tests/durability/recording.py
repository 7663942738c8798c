"""The bytes of a home after each of a series of commits, and where each ends in the write-ahead log."""

import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from battpass.kg.home import Home, Stage
from battpass.kg.journal.witness import Head
from tests.durability import material

JOURNAL, LOG, INDEX, WITNESS = "journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "head"
FILES = (JOURNAL, LOG, WITNESS)

_LOG_HEADER, _FRAME_HEADER = 32, 24


@dataclass(frozen=True, slots=True)
class Moment:
    """The files of a home right after a commit, and the head that was acknowledged with it."""

    head: Head
    journal: bytes
    log: bytes
    witness: bytes

    @property
    def ends(self) -> list[int]:
        """Where each commit of this generation of the log ends, in bytes; the first is where none has."""
        return ends_of_commits(self.log)


@dataclass(frozen=True, slots=True)
class Recording:
    """The moments of a series, by their sequence number, and the hash of every entry."""

    moments: tuple[Moment, ...]
    hashes: tuple[str, ...]

    @property
    def last(self) -> Moment:
        """The end of the series."""
        return self.moments[-1]

    def head(self, sequence: int) -> Head:
        """Return the head of the journal when it ended there."""
        return Head(sequence, self.hashes[sequence])

    def at(self, sequence: int) -> Moment:
        """Return the moment when the journal ended at an entry."""
        return next(one for one in self.moments if one.head.sequence == sequence)


def record(folder: Path, steps: tuple[str, ...]) -> Recording:
    """Carry out a series in a new home, and return what lay on disk after each step.

    Steps are those of `_STEPS`, with the number of a record: `draft 1`, `publish 1`; or `fold`, which brings
    the log into the file as SQLite does by itself after so many pages.
    """
    moments = []
    with Home.open(folder, create=True) as home:
        moments.append(_moment(folder, home))
        for count, step in enumerate(steps):
            what, _, number = step.partition(" ")
            if what == "fold":
                with closing(sqlite3.connect(folder / JOURNAL)) as connection:
                    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                assert not busy
            else:
                _STEPS[what](home, int(number), f"step {count}")
            moments.append(_moment(folder, home))
        hashes = ["0" * 64, *(entry.hash for entry in home.journal.entries())]
    return Recording(tuple(moments), tuple(hashes))


@lru_cache(64)
def ends_of_commits(log: bytes) -> list[int]:
    """Return where each commit ends in a log: after a frame that names the size of the file."""
    if len(log) < _LOG_HEADER:
        return [0]
    page = struct.unpack(">I", log[8:12])[0]
    ends = [_LOG_HEADER]
    at = _LOG_HEADER
    while at + _FRAME_HEADER + page <= len(log) and log[at + 8 : at + 16] == log[16:24]:
        size = struct.unpack(">I", log[at + 4 : at + 8])[0]
        at += _FRAME_HEADER + page
        if size:
            ends.append(at)
    return ends


def _moment(folder: Path, home: Home) -> Moment:
    journal, log, witness = ((folder / name).read_bytes() for name in FILES)
    return Moment(home.journal.head, journal, log, witness)


def _draft(home: Home, number: int, marker: str) -> None:
    home.put(material.arrival(number, marker), stage=Stage.DRAFT, actor="recorder")


def _put(home: Home, number: int, marker: str) -> None:
    home.put(material.arrival(number, marker, checked=True), actor="recorder")


def _publish(home: Home, number: int, marker: str) -> None:
    home.publish(material.record_name(number), report=material.report(marker), actor="recorder")


def _archive(home: Home, number: int, marker: str) -> None:
    home.archive(material.record_name(number), actor="recorder", reason=marker)


def _erase(home: Home, number: int, marker: str) -> None:
    home.erase(material.record_name(number), actor="recorder", reason=marker)


_STEPS: dict[str, Callable[[Home, int, str], None]] = {
    "draft": _draft,
    "put": _put,
    "publish": _publish,
    "archive": _archive,
    "erase": _erase,
}
