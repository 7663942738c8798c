"""The applier: the one thread that brings open datasets to where the journal is."""

import threading
import time

from battpass.kg.errors import NotWritable
from battpass.kg.home.datasets import Datasets
from battpass.kg.journal.journal import Journal

# Showing a write costs a flush and new query processes, so writes are gathered for this long.
GATHERED_SECONDS = 1.0
# After trouble, such as a full disk, it is tried again after this long.
AFTER_TROUBLE_SECONDS = 2.0
# The engine takes nothing any more after a write that failed, until it is opened again. What fails more often
# than this although the journal is written does so for another reason: then the dataset is built anew.
MOST_FAILURES = 3


class Follower:
    """Follows the journal from a thread of its own, until it is closed."""

    def __init__(self, journal: Journal, datasets: Datasets) -> None:
        self.trouble = ""
        self._journal = journal
        self._datasets = datasets
        self._failures: dict[str, int] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="battpass-applier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, once what it is doing is done."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        last = 0.0
        while not self._ending.is_set():
            head = self._journal.head.sequence
            behind = [one for one in self._datasets.open_names() if self._datasets.shown(one) < head]
            if not behind:
                self._journal.wait_beyond(head, 0.2)
                continue
            self._ending.wait(max(0.0, last + GATHERED_SECONDS - time.monotonic()))
            last = time.monotonic()
            self.trouble = self._catch_up(behind)
            if self.trouble:
                self._ending.wait(AFTER_TROUBLE_SECONDS)

    def _catch_up(self, names: list[str]) -> str:
        """Bring datasets up to date; return what went wrong with the last that could not be."""
        trouble = ""
        for name in names:
            if self._ending.is_set():
                break
            failures = self._failures.get(name, 0)
            # While the disk takes nothing, nothing is given up: queries go on with what was shown last.
            mending = failures > 0 and self._takes_writes()
            try:
                if mending:
                    self._datasets.reopen(name, anew=failures >= MOST_FAILURES)
                else:
                    self._datasets.catch_up(name)
                self._failures[name] = 0
            except Exception as error:  # whatever it is, reading and writing passports goes on
                self._failures[name] = failures + 1 if mending else 1
                trouble = f"The {name} dataset does not follow the journal: {error}"
        return trouble

    def _takes_writes(self) -> bool:
        """Return whether the disk of datasets has room, and that of the journal takes what it is given."""
        try:
            self._journal.check_writable()
            return self._datasets.has_room()
        except (NotWritable, OSError):
            return False
