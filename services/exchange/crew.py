"""A crew of forked, sealed workers, safe to call from many threads.

A worker does one task at a time. It is asked again while it is sound and has neither done nor grown too much;
else it is ended, and another takes its place at once.
"""

import contextlib
import json
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from battpass.kg.dataset.sealed import Walls
from battpass.kg.errors import BattPassError, Overdue, PoolBusy, ProcessLost
from battpass.kg.jsontext import MAX_BYTES
from battpass.services.exchange.forked import ForkedProcess, ForkServer
from battpass.services.exchange.wire import Untrustworthy, error_received

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """What one document may take, and when a worker has done enough.

    `seconds` are from start to end of one task, `patience` those that a caller waits for a free worker.
    `memory`, in bytes, is on top of what a worker holds when it is sealed; `bytes` is the size of a document,
    `answer` that of all that comes back. A worker is replaced after `documents` of them, or when it has
    grown by `growth` bytes.
    """

    seconds: float = 30.0
    patience: float = 60.0
    memory: int = 1 << 30
    bytes: int = MAX_BYTES
    answer: int = 256 << 20
    documents: int = 1_000
    growth: int = 256 << 20


class Unavailable(ProcessLost):
    """No worker can be started; the document has nothing to do with it."""


class Closed(Unavailable):
    """The intake was closed, and does nothing any more."""

    def __init__(self) -> None:
        super().__init__("This intake is closed. Open another one.")


class Crew:
    """At most `size` workers that run `tasks` (`module:factory`); each starts when it is first needed.

    `started` and `lost` count workers: lost are those that ended, or were ended, before their work was done.
    """

    def __init__(self, tasks: str, size: int, limits: IntakeLimits) -> None:
        self._size = size
        self._limits = limits
        self._changed = threading.Condition()
        self._idle: list[ForkedProcess] = []
        self._at_work: set[ForkedProcess] = set()
        self._starting = 0
        self._closed = False
        self._well = True  # until a worker could not be started
        self.started = 0
        self.lost = 0
        settings = asdict(Walls(memory=limits.memory)) | {"answer": limits.answer}
        self._processes = _Processes(tasks, settings)
        self._finalizer = weakref.finalize(self, self._processes.forget)

    def ask(
        self,
        request: Mapping[str, Any],
        texts: list[bytes],
        received: Callable[[list[bytes]], T],
        patience: float | None,
    ) -> T:
        """Return what a worker answers to a request with its texts, as `received` understands it.

        `patience`, in seconds, is how long to wait for a free worker; None for as long as it takes.

        Raises
        ------
        Overdue, ProcessLost
            The worker was ended, or lost, at work.
        PoolBusy
            No worker came free in time.
        Unavailable
            No worker can be started.
        BattPassError
            Whatever the task raised.
        """
        process, until = self._asked({**request, "sizes": [len(text) for text in texts]}, patience)
        answered = sound = False
        try:
            process.send(b"B", b"".join(texts), until)
            answer = self._answer(process, until)
            if isinstance(answer, _Refusal):
                answered = sound = answer.sound
                raise answer.error
            result = received(answer)
            answered = True
            sound = process.grown <= self._limits.growth and process.served < self._limits.documents
            return result
        except Untrustworthy:
            raise ProcessLost("Its process sent what is no answer.") from None
        except (Overdue, ProcessLost):
            self._check_open()
            raise
        finally:
            self._give_back(process, sound=sound, lost=not answered)

    def check(self) -> None:
        """Return if workers live or can be started; before the first document nothing is started for this.

        Raises
        ------
        Unavailable
            If there are none and none can be had, or the crew was closed.
        """
        self._check_open()
        if self._well and not self._processes.gone():
            return
        try:
            process = self._take(0.0)
        except PoolBusy:
            return  # they are at work
        try:
            process.ready()
            self._well = True
        except (Overdue, ProcessLost) as error:
            raise Unavailable(str(error)) from None
        finally:
            self._give_back(process, sound=self._well, lost=not self._well)

    def close(self) -> None:
        """End all workers, at work or not, and the process that they come from."""
        with self._changed:
            self._closed = True
            for process in (*self._idle, *self._at_work):
                process.kill()
            for process in self._idle:
                self._processes.end(process)
            self._idle = []
            self._changed.notify_all()
        self._processes.close()

    def _asked(self, content: dict[str, Any], patience: float | None) -> tuple[ForkedProcess, float]:
        """Return a worker that has taken a request, and until when it has time.

        Those that ended while they waited are passed over.
        """
        while True:
            process = self._take(patience)
            taken = False
            try:
                process.ready()
                until = time.monotonic() + self._limits.seconds
                if taken := process.request(content, until):
                    process.served += 1
                    self._well = True
                    return process, until
            except (Overdue, ProcessLost) as error:
                self._check_open()
                self._well = False
                raise Unavailable(str(error)) from None
            finally:
                if not taken:
                    self._give_back(process, sound=False, lost=True)

    def _answer(self, process: ForkedProcess, until: float) -> "list[bytes] | _Refusal":
        kind, payload = process.receive(until)
        try:
            head = json.loads(payload)
            if kind == b"X":
                return _Refusal(error_received(head), head["sound"] is True)
            sizes, grown = head["sizes"], head["grown"]
            if kind != b"H" or not all(type(number) is int for number in (*sizes, grown)):
                raise ValueError
            if any(size < 0 for size in sizes):
                raise ValueError
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Untrustworthy("no head of an answer") from None
        process.grown = grown
        received = bytearray()
        while (frame := process.receive(until))[0] == b"D" and len(received) <= self._limits.answer:
            received += frame[1]
        if frame[0] != b"E" or len(received) != sum(sizes):
            raise Untrustworthy("no whole answer")
        whole, texts = memoryview(received), []
        for size in sizes:
            texts.append(bytes(whole[:size]))
            whole = whole[size:]
        return texts

    def _take(self, patience: float | None) -> ForkedProcess:
        until = None if patience is None else time.monotonic() + patience
        with self._changed:
            while True:
                self._check_open()
                process = self._idle_process()
                if process is not None:
                    return process
                if len(self._at_work) + self._starting < self._size:
                    break
                remaining = None if until is None else until - time.monotonic()
                if remaining is not None and remaining <= 0:
                    raise PoolBusy(
                        f"All {self._size} workers of the intake were busy for {patience:g} s. "
                        "Try again in a moment."
                    )
                self._changed.wait(remaining)
            self._starting += 1
        return self._started(self._at_work.add)

    def _idle_process(self) -> ForkedProcess | None:
        while self._idle:
            process = self._idle.pop()
            if process.alive():
                self._at_work.add(process)
                return process
            self._processes.end(process)
        return None

    def _give_back(self, process: ForkedProcess, *, sound: bool, lost: bool) -> None:
        with self._changed:
            self._at_work.discard(process)
            self.lost += lost
            if sound and not self._closed:
                self._idle.append(process)
                self._changed.notify()
                return
            self._starting += 1
        self._processes.end(process)
        with contextlib.suppress(BattPassError):  # whoever needs the next one is told
            self._started(self._idle.append)

    def _started(self, keep: Callable[[ForkedProcess], None]) -> ForkedProcess:
        """Return a new worker, which was counted as starting until now."""
        process = None
        try:
            process = self._processes.start()
        except Unavailable:
            self._well = False
            raise
        finally:
            with self._changed:
                self._starting -= 1
                self.started += process is not None
                kept = process is not None and not self._closed
                if process is not None and kept:
                    keep(process)
                self._changed.notify()
        if not kept:
            self._processes.end(process)
            raise Closed()
        return process

    def _check_open(self) -> None:
        if self._closed:
            raise Closed()


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A worker answered with an error; `sound` says whether it can be asked again."""

    error: BattPassError
    sound: bool


class _Processes:
    """All processes of a crew, and the fork server that they come from."""

    def __init__(self, tasks: str, settings: Mapping[str, object]) -> None:
        self._tasks = tasks
        self._settings = settings
        self._starting = threading.Lock()
        self._workers: set[ForkedProcess] = set()
        self._server: ForkServer | None = None
        self._closed = False

    def gone(self) -> bool:
        """Return whether the fork server was started, and is there no more."""
        server = self._server
        return server is not None and not server.alive()

    def start(self) -> ForkedProcess:
        """Return a new worker; a fork server that was lost is started anew."""
        with self._starting:
            if self._closed:
                raise Closed()
            if self._server is not None and not self._server.alive():
                self._server.close()
                self._server = None
            try:
                if self._server is None:
                    self._server = ForkServer(self._tasks)
                worker = ForkedProcess(self._server, self._settings)
            except ProcessLost as error:
                raise Unavailable(str(error)) from None
            except OSError as error:  # no memory, files or processes are left
                raise Unavailable(f"No process can be started: {error.strerror}. Try again.") from None
            self._workers.add(worker)
            return worker

    def end(self, worker: ForkedProcess) -> None:
        """End a worker."""
        worker.close()
        self._workers.discard(worker)

    def close(self) -> None:
        """End everything; the pipes of workers that are asked right now are closed by who asks."""
        server = self._server
        if server is not None:
            server.close()  # whoever waits for it to start stops waiting
        with self._starting:
            self._closed = True
            if self._server is not None:
                self._server.close()
                self._server = None

    def forget(self) -> None:
        """End everything when nobody can ask any more."""
        self.close()
        for worker in list(self._workers):
            self.end(worker)
