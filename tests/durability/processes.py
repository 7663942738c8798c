"""Processes that are started to be killed; none outlives its test."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from benchmarks.campaigns import ROOT

# How long anything here may take before the test gives up; far more than it takes on a busy machine.
PATIENCE_SECONDS = 240.0


@dataclass
class Started:
    """A process, and the lines that it printed so far."""

    process: subprocess.Popen[str]
    began: float
    lines: list[str] = field(default_factory=list)
    _said: threading.Condition = field(default_factory=threading.Condition)
    _ended: bool = False

    def wait_for(self, start: str) -> str | None:
        """Return the first line that begins so, None if the process ended without one."""
        with self._said:
            self._said.wait_for(lambda: self._ended or self._line(start) is not None, PATIENCE_SECONDS)
            found = self._line(start)
        assert found is not None or self._ended, f"{self.process.args!r} said only {self.lines}"
        return found

    def seconds(self) -> float:
        """Return the time since it was started."""
        return time.monotonic() - self.began

    def tell(self, line: str) -> None:
        """Send it a line, where it was started with a pipe to listen to."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """Send SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def end_and_kill(self, after_seconds: float) -> None:
        """Send SIGTERM, and SIGKILL a moment later if it has not ended by then."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(after_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def text(self) -> str:
        """Return all that it printed."""
        return "".join(self.lines)

    def _line(self, start: str) -> str | None:
        return next((line for line in self.lines if line.startswith(start)), None)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._said:
                self.lines.append(line)
                self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()


def spread(seconds: list[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the worst of some times, in milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
    return {
        name: round(1000 * value, 1)
        for name, value in (("p50", cuts[49]), ("p99", cuts[98]), ("max", max(seconds)))
    }


@contextmanager
def started(*arguments: str | Path, stdin: int | None = None) -> Iterator[Started]:
    """Start `python ARGUMENTS` from the repository; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    found = Started(process, time.monotonic())
    reader = threading.Thread(target=found._read, daemon=True)
    reader.start()
    try:
        yield found
    finally:
        found.kill()
        reader.join(PATIENCE_SECONDS)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
