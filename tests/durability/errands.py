"""A process that does things with homes, each in a child of its own that can be killed at any moment.

`python -m tests.durability.errands` reads a line of JSON for each errand: what to do, and what with. It
forks, and says `ended COUNT STATUS SECONDS` when the child has ended. So an errand costs no start of Python,
and the moments to be killed at lie within it alone.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from battpass.kg.errors import BattPassError
from battpass.kg.home import Arrival, Home, Stage
from battpass.kg.journal.backup import backup
from battpass.services.cli.loading import Loader, Way
from battpass.services.exchange.bulk import documents
from battpass.services.exchange.registry import detect
from tests.durability import material
from tests.durability.processes import PATIENCE_SECONDS, Started, started

# So many documents of an import are committed together.
CHUNK = 4
# While a back-up is made or a dataset follows, a thread keeps writing passports from this number on.
FIRST_WRITTEN = 5_000


def make_backup(home: str, file: str, told: str) -> None:
    """Back a home up while it is written to; `told` is where acknowledgements are noted."""
    with Home.open(home) as opened, _writing(opened, Path(told)):
        backup(Path(home), Path(file))


def restore(file: str, home: str) -> None:
    """Make a home of a back-up."""
    Home.restore(Path(file), Path(home))


def rebuild(home: str) -> None:
    """Make anew what is derived in a home."""
    with Home.open(home) as opened:
        opened.rebuild()


def load(source: str, home: str, told: str) -> None:
    """Import documents, and note each result in `told`."""
    with ExitStack() as stack, Path(told).open("ab", buffering=0) as results:
        open_home: Callable[[], Home] = lambda: stack.enter_context(Home.open(home, create=True))  # noqa: E731
        there = open_home() if (Path(home) / "home.json").exists() else None
        way = Way(Stage.PUBLISHED, trusted=True, chunk=CHUNK, seconds=PATIENCE_SECONDS)
        # Documents of our own need no sealed process, which would take longer to start than to read them.
        loader = Loader(_InPlace(), there, open_home, way)  # type: ignore[arg-type]
        for result in loader.load(documents(Path(source))):
            results.write(json.dumps([result.record, result.version, result.outcome]).encode() + b"\n")


def follow(home: str, audience: str, told: str) -> None:
    """Build the dataset of an audience, or bring it up to date, and have it follow what is written."""
    with Home.open(home) as opened:
        opened.follow()
        with _writing(opened, Path(told)):
            opened.dataset(audience)
            for _ in range(2):
                opened.wait(audience, opened.sequence, PATIENCE_SECONDS)


class _InPlace:
    """Reads documents in this process; what `Loader` asks of an intake."""

    def read(self, data: bytes, name: str, *, source: str = "", check: bool = True) -> Arrival:
        known = detect(data)
        loaded = known.load(data)
        arrival = Arrival.of(loaded.passport, loaded.findings, data, known.name)
        return replace(arrival, source=source)

    def read_many(
        self, given: Iterator[tuple[str, bytes]], name: str = "", *, check: bool = True
    ) -> Iterator[tuple[str, bytes, Arrival | BattPassError]]:
        for source, data in given:
            yield source, data, self.read(data, name, source=source)


@contextmanager
def _writing(home: Home, told: Path) -> Iterator[None]:
    """Write drafts beside, and note the number of each once it is acknowledged."""
    ending = threading.Event()

    def write() -> None:
        number = FIRST_WRITTEN + home.sequence
        with told.open("ab", buffering=0) as acknowledged:
            while not ending.is_set():
                checked = number % 2 == 0
                arrival = material.arrival(number, "beside", checked=checked)
                home.put(arrival, stage=Stage.PUBLISHED if checked else Stage.DRAFT)
                acknowledged.write(f"{number}\n".encode())
                number += 1
                ending.wait(0.002)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


ERRANDS: dict[str, Callable[..., None]] = {
    one.__name__: one for one in (make_backup, restore, rebuild, load, follow)
}


def main() -> None:
    """Carry out one errand after the other, until there are no more."""
    material.arrival(0, "")  # reads the example, and with it all that errands need
    for count, line in enumerate(sys.stdin):
        asked: dict[str, Any] = json.loads(line)
        began = time.monotonic()
        child = os.fork()
        if not child:
            _carry_out(asked)
        if asked["killed_after"] is not None:
            time.sleep(asked["killed_after"])
            os.kill(child, signal.SIGKILL)  # it may have ended, and is not forgotten before the next line
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"ended {count} {status} {time.monotonic() - began}\n")
        sys.stdout.flush()


def _carry_out(asked: dict[str, Any]) -> NoReturn:
    status = 1
    try:
        ERRANDS[asked["do"]](*asked["with"])
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


class Errands:
    """Sends errands out, one at a time."""

    def __init__(self, process: Started) -> None:
        self._process = process
        self._count = 0

    def run(self, do: str, *arguments: object, killed_after: float | None = None) -> float:
        """Send an errand out, and return how many seconds it took; kill it after so many, if it still runs.

        Where it is not killed it must end well.
        """
        given = {"do": do, "with": [str(one) for one in arguments], "killed_after": killed_after}
        self._process.tell(json.dumps(given))
        ended = self._process.wait_for(f"ended {self._count} ")
        assert ended is not None, self._process.text()
        self._count += 1
        status, seconds = ended.split()[2:]
        assert status == "0" or (status == str(-signal.SIGKILL) and killed_after is not None), (
            f"{do} ended with {status}: {self._process.text()}"
        )
        return float(seconds)


@contextmanager
def errands() -> Iterator[Errands]:
    """Lend a process that carries out errands."""
    with started("-m", "tests.durability.errands", stdin=subprocess.PIPE) as process:
        yield Errands(process)


if __name__ == "__main__":
    main()
