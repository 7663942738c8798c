"""A pool of sealed processes that answer queries from one folder, safe to call from many threads.

A process answers one query at a time. It is used again while the folder it opened is the current one, the
query was short and nothing went wrong; else it is ended and another takes its place, never reopened. Each
folder given to `publish` is a snapshot that the pool owns: it is removed when its last process has gone.
"""

import json
import shutil
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from battpass.kg.dataset.answers import Answer, failure, late, prepare
from battpass.kg.dataset.guard import STANDARD, Limits
from battpass.kg.dataset.sealed import SealedProcess, Walls
from battpass.kg.errors import BattPassError, Overdue, PoolBusy, ProcessLost, QueryFailed
from battpass.kg.namespaces import PREFIXES

_GRACE_SECONDS = 0.3
# A query that takes longer than this gets what processor time is left, so that short ones do not wait for it.
_SHORT_SECONDS = 0.2


class QueryPool:
    """Runs queries in at most `size` sealed processes; the processes start when first needed.

    `limits=None` leaves the guard out, for tests of the wall alone. `started` and `lost` count processes:
    lost are those that ended, or were ended, in the middle of a query.
    """

    def __init__(
        self,
        folder: Path,
        *,
        size: int = 2,
        walls: Walls | None = None,
        limits: Limits | None = STANDARD,
        prefixes: Mapping[str, str] = PREFIXES,
    ) -> None:
        self._folder = folder
        self._size = size
        self._walls = walls or Walls()
        self._limits = limits
        self._prefixes = prefixes
        self._changed = threading.Condition()
        self._idle: list[SealedProcess] = []
        self._leased: dict[SealedProcess, float] = {}
        self._folders: dict[SealedProcess, Path] = {}
        self._closed = False
        self.started = 0
        self.lost = 0
        self._finalizer = weakref.finalize(self, _end_all, self._folders)

    def query(
        self,
        text: str,
        accept: str | None = None,
        deadline: float = 30.0,
        *,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
    ) -> Answer:
        """Return the answer as a stream; the deadline, in seconds, covers waiting, running and reading.

        Raises
        ------
        QueryRefused
            The guard stopped it, or (`NotAcceptable`) no accepted format fits.
        BadQuery
            A syntax error.
        DeadlineExceeded
            It ran over the deadline, and its process was killed.
        PoolBusy
            No process came free in time.
        QueryFailed
            Its process was lost, most often for want of memory or stack.
        """
        request = prepare(text, accept, self._limits, self._prefixes, default_graphs, named_graphs)
        return Answer(request.format, self._pieces(request.content, time.monotonic() + deadline, deadline))

    def publish(self, folder: Path) -> None:
        """Answer from this snapshot from now on; queries under way finish on theirs."""
        with self._changed:
            self._check_open()
            old, self._folder = self._folder, folder
            idle, self._idle = self._idle, []
            for process in idle:
                self._end(process)
            # Booting goes on beside us, so the next query need not wait for all of it.
            self._idle = [self._start() for _ in idle]
            if old != folder and old not in self._folders.values():
                shutil.rmtree(old, ignore_errors=True)
            self._changed.notify_all()

    def close(self) -> None:
        """End all processes, at work or not, and remove the snapshot."""
        with self._changed:
            self._closed = True
            for process in self._leased:
                process.kill()
            for process in self._idle:
                self._end(process)
            self._idle = []
            self._leased = {}
            shutil.rmtree(self._folder, ignore_errors=True)
            self._changed.notify_all()

    def _pieces(self, content: Mapping[str, object], until: float, deadline: float) -> Iterator[bytes]:
        sound = lowered = False
        held = b""
        process = self._asked(content, until, deadline)
        long = time.monotonic() + _SHORT_SECONDS
        try:
            while True:
                if not lowered and not process.speaks_by(min(long, until)):
                    process.yield_to_others()
                    lowered = True
                kind, payload = process.receive(until)
                if kind == b"D":
                    if held:
                        yield held
                    held = payload
                elif kind == b"E":
                    sound = True
                    break
                elif kind == b"X":
                    fault = json.loads(payload)
                    sound = fault["kind"] == "syntax"
                    raise failure(fault, content)
        except Overdue:
            raise late(deadline) from None
        except ProcessLost as error:
            raise _stopped(error) from None
        finally:
            # What has been lowered cannot be raised again without rights that a server should not have.
            self._give_back(process, sound, again=not lowered)
        yield held  # the worker is free again before the last piece is handed out

    def _asked(self, content: Mapping[str, object], until: float, deadline: float) -> SealedProcess:
        """Return a process that has taken a request, passing over those that ended while they waited."""
        while True:
            process = self._take(until, deadline)
            taken = False
            try:
                if taken := process.request(content, until):
                    return process
            except Overdue:
                raise late(deadline) from None
            except ProcessLost as error:
                raise _stopped(error) from None
            finally:
                if not taken:
                    self._give_back(process, False)

    def _take(self, until: float, deadline: float) -> SealedProcess:
        with self._changed:
            while True:
                self._check_open()
                self._end_overdue()
                process = self._idle_process()
                if process is None and len(self._leased) < self._size:
                    process = self._start()
                if process is not None:
                    self._leased[process] = until
                    return process
                now = time.monotonic()
                if now >= until:
                    raise PoolBusy(
                        f"All {self._size} workers were busy for {deadline:g} s. Try again in a moment."
                    )
                soonest = min(self._leased.values()) + _GRACE_SECONDS
                self._changed.wait(max(0.01, min(until, soonest) - now))

    def _idle_process(self) -> SealedProcess | None:
        while self._idle:
            process = self._idle.pop()
            if process.alive():
                return process
            self._end(process)
        return None

    def _give_back(self, process: SealedProcess, sound: bool, *, again: bool = True) -> None:
        with self._changed:
            was_leased = self._leased.pop(process, None) is not None
            self.lost += not sound
            if was_leased and sound and again and self._folders[process] == self._folder and not self._closed:
                self._idle.append(process)
            else:
                self._end(process)
                if was_leased and not self._closed:
                    self._idle.append(self._start())
            self._changed.notify()

    def _end_overdue(self) -> None:
        """Free the places of answers that nobody reads on: their readers find the process gone."""
        now = time.monotonic()
        for process in [one for one, until in list(self._leased.items()) if now > until + _GRACE_SECONDS]:
            process.kill()
            del self._leased[process]

    def _start(self) -> SealedProcess:
        process = SealedProcess(self._walls, self._folder)
        self.started += 1
        self._folders[process] = self._folder
        return process

    def _end(self, process: SealedProcess) -> None:
        process.close()
        folder = self._folders.pop(process)
        if folder != self._folder and folder not in self._folders.values():
            shutil.rmtree(folder, ignore_errors=True)

    def _check_open(self) -> None:
        if self._closed:
            raise BattPassError("This dataset is closed. Open it again to ask it.")


def _stopped(error: ProcessLost) -> QueryFailed:
    return QueryFailed(f"The query was stopped and nothing was changed. {error} Ask for less.")


def _end_all(processes: dict[SealedProcess, Path]) -> None:
    for process in list(processes):
        process.close()
