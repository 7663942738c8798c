"""Sealed processes: foreign text is run or read in a process that can be lost without loss.

A sealed process is started, asked, and ended; it is never mended. Reads and writes run against a point in
time, after which the process is killed. What the process may do is decided in `worker.py`; how it comes into
being, by the class: a `SealedProcess` is a program that starts anew.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pyoxigraph

from battpass.kg.dataset import worker
from battpass.kg.errors import Overdue, ProcessLost

_MOST_IN_A_FRAME = 64 * 1024 * 1024
_CHUNK = 262_144
_START_SECONDS = 20.0

# What a sealed process sees of the environment: nothing of ours.
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}
_ALARM = -14  # the worker's own timer, one second after the deadline


@dataclass(frozen=True, slots=True)
class Walls:
    """What a sealed process is held by; each of the two ways to keep it off the network suffices alone.

    `memory` is in bytes, on top of what the process holds when it is sealed.
    """

    memory: int = 1 << 30
    filter_calls: bool = True
    take_descriptors: bool = True


class Framed(ABC):
    """One running process that speaks frames over two pipes, both of them non-blocking.

    Not safe for threads: one asks at a time; `kill` may come from any thread.
    """

    def __init__(self, to: int, from_: int, settings: Mapping[str, object]) -> None:
        self._to = to
        self._from = from_
        os.set_blocking(to, False)
        os.set_blocking(from_, False)
        self._received = bytearray()
        self._ready: dict[str, object] | None = None
        with contextlib.suppress(ProcessLost):  # the first request says so
            self.send(b"C", json.dumps(settings).encode(), time.monotonic() + _START_SECONDS)

    @property
    @abstractmethod
    def pid(self) -> int:
        """The number of the process."""

    @abstractmethod
    def alive(self) -> bool:
        """Whether the process still runs."""

    @abstractmethod
    def kill(self) -> None:
        """End the process; safe to call twice, and from another thread than the one that asks."""

    @abstractmethod
    def close(self) -> None:
        """End the process and close the pipes; only for whoever asks last."""

    @abstractmethod
    def _ended(self) -> int | None:
        """End a process that closed its pipe, and return its exit code: minus the signal that ended it."""

    def ready(self) -> dict[str, object]:
        """Wait until the process is sealed; return which walls hold."""
        if self._ready is None:
            kind, payload = self.receive(time.monotonic() + _START_SECONDS)
            if kind != b"R":
                self.kill()
                raise ProcessLost(f"The sealed process did not start: {json.loads(payload)['message']}.")
            self._ready = json.loads(payload)
        return self._ready

    def request(self, content: Mapping[str, object], until: float, body: bytes | None = None) -> bool:
        """Send one request; it must be answered up to its E or X frame before the next.

        Return False where the process had ended before it took the request, so that another may be asked.

        Raises
        ------
        Overdue
        ProcessLost
            The process did not start, or ended while the body of the request came in.
        """
        self.ready()
        seconds = max(0.0, until - time.monotonic())
        try:
            self.send(b"Q", json.dumps({**content, "seconds": seconds}).encode(), until)
            self.receive(until)
        except ProcessLost:
            return False
        if body is not None:
            self.send(b"B", body, until)
        return True

    def send(self, kind: bytes, payload: bytes, until: float) -> None:
        """Send one frame.

        Raises
        ------
        Overdue, ProcessLost
        """
        data = memoryview(worker.HEADER.pack(kind, len(payload)) + payload)
        while data:
            self._wait(self._to, select.POLLOUT, until)
            try:
                data = data[os.write(self._to, data) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._lost(until) from None

    def receive(self, until: float) -> tuple[bytes, bytes]:
        """Return the next frame.

        Raises
        ------
        Overdue, ProcessLost
        """
        self._fill(worker.HEADER.size, until)
        kind, length = worker.HEADER.unpack(self._received[: worker.HEADER.size])
        if length > _MOST_IN_A_FRAME:
            self.kill()
            raise ProcessLost("The sealed process sent what is no frame. It has been replaced; ask again.")
        end = worker.HEADER.size + length
        self._fill(end, until)
        payload = bytes(self._received[worker.HEADER.size : end])
        del self._received[:end]
        return kind, payload

    def speaks_by(self, until: float) -> bool:
        """Return whether there is something to receive, waiting for it until then."""
        if self._received:
            return True
        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        return bool(poll.poll(max(0.0, until - time.monotonic()) * 1000))

    def yield_to_others(self) -> None:
        """Leave the process only the processor time that nobody else wants, from now on."""
        with contextlib.suppress(OSError):  # it has ended
            if sys.platform == "linux":
                # More than the lowest niceness: whoever wakes up takes a processor from it at once.
                os.sched_setscheduler(self.pid, os.SCHED_IDLE, os.sched_param(0))
            else:
                os.setpriority(os.PRIO_PROCESS, self.pid, 19)

    def _fill(self, size: int, until: float) -> None:
        while len(self._received) < size:
            self._wait(self._from, select.POLLIN, until)
            try:
                data = os.read(self._from, _CHUNK)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                raise self._lost(until)
            self._received += data

    def _wait(self, descriptor: int, event: int, until: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        remaining = until - time.monotonic()
        if remaining <= 0 or not poll.poll(remaining * 1000):
            self.kill()
            raise Overdue("not done in time")

    def _lost(self, until: float) -> Overdue | ProcessLost:
        code = self._ended()
        if code == _ALARM or time.monotonic() >= until:
            return Overdue("not done in time")
        return ProcessLost(_CAUSES.get(code or 0, f"The process ended with code {code}."))


class SealedProcess(Framed):
    """A program of its own that imports the standard library and pyoxigraph only."""

    def __init__(self, walls: Walls, store: Path | None = None) -> None:
        site = Path(pyoxigraph.__file__).parent.parent
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(worker.__file__).resolve()), str(site)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=ENVIRONMENT,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        settings = asdict(walls) | {"store": str(store) if store else None}
        super().__init__(self._process.stdin.fileno(), self._process.stdout.fileno(), settings)

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _ended(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)
        self.kill()
        return self._process.returncode


# By number, as not every system has all of these signals.
_CAUSES = {
    -11: "It nests too deep: the process ran out of stack.",  # SIGSEGV
    -7: "It nests too deep: the process ran out of stack.",  # SIGBUS
    -6: "It needs more memory than one query or document may take.",  # SIGABRT
    -9: "The process was killed, most likely because it needed too much memory.",  # SIGKILL
}
