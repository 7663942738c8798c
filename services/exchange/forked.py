"""Sealed processes that are forked: `ForkServer` is the one they come from, `ForkedProcess` is one of them.

Not the fork server of `multiprocessing`: that one runs the caller's main script once more in each process
unless it is guarded, unpickles, is one for the whole program and cannot be ended, and hands on the caller's
environment.
"""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import battpass
from battpass.kg.dataset.sealed import ENVIRONMENT, Framed
from battpass.kg.errors import Overdue, ProcessLost
from battpass.services.exchange import fork_server

_PATIENCE_SECONDS = 60.0
_END_SECONDS = 5.0


class ForkServer:
    """One process that has loaded `tasks` (`module:factory`) and forks workers; safe for threads.

    It starts at once and is waited for when first asked.
    """

    def __init__(self, tasks: str) -> None:
        self._asking = threading.Lock()
        self._started = False
        self._owner = os.getpid()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(fork_server.__file__).resolve())],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=ENVIRONMENT,
            )
        except OSError:
            self._control.close()
            raise
        finally:
            theirs.close()
        self._control.settimeout(_PATIENCE_SECONDS)
        # The package may be found by a hook of the installer, which is no path.
        home = str(Path(battpass.__file__).parent.parent)
        paths = [home, *(path for path in sys.path if path)]
        with contextlib.suppress(OSError):  # the first question says so
            self._control.send(json.dumps({"paths": paths, "tasks": tasks}).encode())

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def fork(self, source: int, sink: int) -> int:
        """Return the number of a new worker between two pipes.

        Raises
        ------
        ProcessLost
        """
        return int(self._ask({"do": "fork"}, (source, sink))["pid"])

    def end(self, pid: int) -> int | None:
        """End a worker and return its exit code; None where that is not known."""
        try:
            return int(self._ask({"do": "end", "pid": pid})["code"])
        except ProcessLost:
            return None  # with the server go its workers

    def close(self) -> None:
        """End the process and all its workers."""
        if os.getpid() != self._owner:
            self._control.close()  # a copy, in a process that was forked from ours
            return
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # whoever waits for an answer stops waiting
        with self._asking:
            self._control.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, message: Mapping[str, Any], pipes: tuple[int, ...] = ()) -> dict[str, Any]:
        with self._asking:
            try:
                if not self._started:
                    self._answer()
                    self._started = True
                socket.send_fds(self._control, [json.dumps(message).encode()], pipes)
                return self._answer()
            except OSError as error:
                # It may answer yet, to whoever asks next: so nobody does.
                self._process.kill()
                self._process.wait()
                raise ProcessLost(f"The fork server does not answer: {error}. Try again.") from None

    def _answer(self) -> dict[str, Any]:
        data = self._control.recv(fork_server.MOST_IN_A_MESSAGE)
        if not data:
            raise ConnectionError("it has ended")
        content: dict[str, Any] = json.loads(data)
        if "error" in content:
            raise ConnectionError(content["error"])
        return content


class ForkedProcess(Framed):
    """A worker of a fork server. `served` counts what it was asked, `grown` is by how many bytes it grew."""

    def __init__(self, server: ForkServer, settings: Mapping[str, object]) -> None:
        self.served = 0
        self.grown = 0
        self._server = server
        self._ending = threading.Lock()
        self._over = False
        self._code: int | None = None
        source, to = os.pipe()
        try:
            from_, sink = os.pipe()
        except OSError:
            os.close(source)
            os.close(to)
            raise
        try:
            self._pid = server.fork(source, sink)
        except BaseException:
            os.close(to)
            os.close(from_)
            raise
        finally:
            os.close(source)
            os.close(sink)
        self._pipes = [to, from_]
        super().__init__(to, from_, settings)

    @property
    def pid(self) -> int:
        return self._pid

    def alive(self) -> bool:
        if self._over:
            return False
        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        if not poll.poll(0):
            return True
        if self._ready is not None:
            return False  # it has nothing to say unless it is asked
        try:
            self.ready()
        except (ProcessLost, Overdue):
            return False
        return True

    def kill(self) -> None:
        with self._ending:
            if not self._over:
                self._over = True
                self._code = self._server.end(self._pid)

    def close(self) -> None:
        self.kill()
        while self._pipes:
            os.close(self._pipes.pop())

    def _ended(self) -> int | None:
        self.kill()
        return self._code
