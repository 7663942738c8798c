"""A home: the passports that one operator keeps, and the SPARQL datasets derived from them."""

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from battpass.kg.dataset.dataset import Dataset
from battpass.kg.dataset.sealed import Walls
from battpass.kg.errors import DamagedHome, HomeInUse, NotFound, NotWritable
from battpass.kg.home import folder as folders
from battpass.kg.home import verdicts
from battpass.kg.home.arrival import Written
from battpass.kg.home.datasets import Answering, Datasets, Watch
from battpass.kg.home.follower import Follower
from battpass.kg.home.lock import Lock
from battpass.kg.home.passports import Passports
from battpass.kg.home.queries import Borrowed, Queries
from battpass.kg.journal import backup as backups
from battpass.kg.journal import schema
from battpass.kg.journal.clock import Clock
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.verify import Verified, rebuild
from battpass.kg.journal.verify import Watch as WatchEntries

__all__ = ["Home", "Queries"]


class Home(Passports):
    """Passports, their whole history and their datasets, in one folder or in memory.

    One process has a folder open for writing; any number read beside it. What goes in and comes out is told
    at `Passports`.

    >>> with Home.in_memory() as home:
    ...     len(home)
    0
    """

    def __init__(
        self,
        journal: Journal,
        folder: Path | None = None,
        lock: Lock | None = None,
        scratch: "tempfile.TemporaryDirectory[str] | None" = None,
    ) -> None:
        super().__init__(journal)
        self.folder = folder
        self._lock = lock
        self._scratch = scratch
        self._datasets = Datasets(journal, folder)
        self._follower: Follower | None = None
        self._opening = threading.RLock()

    @classmethod
    def in_memory(cls) -> "Home":
        """Return an empty home that is gone with this process; its journal lies in a temporary folder."""
        scratch = tempfile.TemporaryDirectory(prefix="battpass-")
        return cls(Journal.open(Path(scratch.name), durable=False), scratch=scratch)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        create: bool = False,
        read_only: bool = False,
        clock: Clock | None = None,
    ) -> "Home":
        """Open the home in a folder; `create` makes one of a folder that is empty or not there.

        Raises
        ------
        NotFound
            If there is no home and none is to be made.
        HomeInUse
            If another process has it open for writing, and `read_only` is not set.
        DamagedHome
            If the folder holds something else, or its journal has lost entries.
        """
        folder = Path(path)
        if not folders.is_home(folder):
            if read_only or not create:
                raise NotFound(f"There is no home of passports in {folder}.")
            folders.begin(folder)
        folders.check(folder)
        if read_only:
            return cls(Journal.open(folder, read_only=True), folder)
        lock = Lock(folder / "lock")
        try:
            return cls(Journal.open(folder, clock=clock), folder, lock)
        except BaseException:
            lock.release()
            raise

    def erase(self, name: str, *, actor: str = "", reason: str = "") -> Written:
        """Take away the texts of a passport that was archived, and what validating found of it."""
        written = super().erase(name, actor=actor, reason=reason)
        if self.folder is not None:
            verdicts.forget(self.folder, written.record)
        return written

    # --- datasets --------------------------------------------------------------------------------------

    def dataset(self, audience: str, watch: Watch | None = None) -> Dataset:
        """Return the dataset of an audience, up to date; it is built when first asked for, and stays open.

        Raises
        ------
        HomeInUse
            If this home is open for reading only: use `queries`.
        DamagedHome
            If the dataset knows entries that the journal does not have.
        """
        self._check_writing()
        return self._datasets.get(self.audience(audience), watch)

    def queries(
        self, audience: str, watch: Watch | None = None, *, workers: int = 2, walls: Walls | None = None
    ) -> Queries:
        """Return what answers the queries of an audience, also beside a process that writes; close it.

        At most `workers` queries run at the same time, each within `walls`. In the process that writes,
        answers follow each write (see `follow`); beside it they stay those of the moment of this call.

        Raises
        ------
        HomeInUse
            If another process is just building the dataset.
        StorageFull, StorageFailed
            If the dataset has to be built or brought up to date, and the disk does not take it.
        """
        reader, answering = self.audience(audience), Answering(workers, walls)
        if self.folder is None or self._lock is not None:
            self._datasets.get(reader, watch, answering)
            return Borrowed(self._datasets, audience)
        with self._opening:
            try:
                self._datasets.get(reader, watch)
            except HomeInUse:
                pass  # the process that writes keeps it up to date
            except NotWritable:
                if not self._datasets.is_fresh(audience):
                    raise
            finally:
                self._datasets.close()
            return self._datasets.snapshot(reader, answering)

    def follow(self) -> None:
        """Bring open datasets up to date beside everything else from now on, at most once a second."""
        self._check_writing()
        if self._follower is None:
            self._follower = Follower(self.journal, self._datasets)

    def wait(self, audience: str, sequence: int, seconds: float) -> int:
        """Wait until the dataset of an audience shows an entry to queries; return what it shows.

        Raises
        ------
        Overdue
            If it does not in time.
        """
        if self._follower is None:
            self.dataset(audience)
        return self._datasets.wait(audience, sequence, seconds)

    def shown(self, audience: str) -> int:
        """Return the sequence number that a dataset shows to queries now, -1 where it is not open."""
        return self._datasets.shown(audience)

    @property
    def trouble(self) -> str:
        """What keeps datasets from following the journal, empty where nothing does."""
        return self._follower.trouble if self._follower else ""

    def built(self) -> list[str]:
        """Return the audiences that have a dataset, up to date or not."""
        return [name for name in self._datasets.names() if name in self.audiences]

    def behind(self, audience: str) -> int:
        """Return how much a dataset lacks, in records to be loaded: never less, often more."""
        return self._datasets.behind(self.audience(audience))

    def is_built(self, audience: str) -> bool:
        """Return whether the dataset of an audience exists and is up to date."""
        return self._datasets.is_fresh(self.audience(audience).name)

    def rebuild(self, watch: Watch | None = None, entries: WatchEntries | None = None) -> list[str]:
        """Make anew whatever is derived: the present states, and each dataset; return their audiences.

        `entries` sees the numbers of the entries go by, `watch` then the records of each dataset.

        Raises
        ------
        NotWritable
            If there is no room, or nothing can be written; what answers is then left as it is.
        """
        self._check_writing()
        self.journal.check_writable()
        path = self.journal.folder / schema.FILE
        try:
            with closing(schema.open_for_writing(path)) as connection, schema.transaction(connection):
                rebuild(connection, entries)
        except sqlite3.Error as error:
            raise schema.failure(error, path) from error
        names = self.built()
        for name in names:
            self._datasets.forget(name)
            self._datasets.get(self.audience(name), watch)
        return names

    @staticmethod
    def restore(
        file: Path, folder: Path, upto: int | None = None, watch: WatchEntries | None = None
    ) -> Verified:
        """Make a home of a back-up in a folder that is empty or not there; see `kg.journal.backup`.

        It lies aside until it is whole, so one that was cut off can be done again in the same folder. `watch`
        sees the numbers of the entries go by while they are checked.
        """
        aside, kept = folder / folders.RESTORING, (*backups.COMPANIONS, schema.FILE)
        if folders.is_home(folder) or folders.holds(folder, *((aside.name, *kept) if aside.is_dir() else ())):
            raise DamagedHome(f"{folder} is not empty. Restore into an empty or a new folder.")
        try:
            _remove(folder, kept)
            shutil.rmtree(aside, ignore_errors=True)
            found = backups.restore(file, aside, upto, watch)
            folders.begin(aside)
            folders.move_in(aside, folder, kept)
        except BaseException:
            _remove(folder, kept)  # so that it can be done again
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return found

    def close(self) -> None:
        """Close the datasets and the journal, and let others write."""
        if self._follower is not None:
            self._follower.close()
            self._follower = None
        self._datasets.close()
        self.journal.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        if self._scratch is not None:
            self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _remove(folder: Path, names: Iterable[str]) -> None:
    if folder.is_dir():
        for name in names:
            (folder / name).unlink(missing_ok=True)
