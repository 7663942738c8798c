"""Builds the dataset of an audience in a process of its own, with the processor time that others leave.

Whoever answers meanwhile goes on: the same work within its process would hold up each answer. The process
reads the journal beside its writer, says on standard output how many records are done, and ends with its
parent.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from battpass.kg.errors import BattPassError
from battpass.kg.home.home import Home

# A process takes half a second to start; fewer records are built sooner than that.
WORTH_RECORDS = 300
_NICENESS = 19
_SAID_EVERY = 100

# Told how many records are done, and of how many; raises to end the work.
Progress = Callable[[int, int], None]


def build(folder: Path, audience: str, progress: Progress) -> None:
    """Build a dataset, or bring it to the end of the journal, and wait until it lies on disk.

    Raises
    ------
    BattPassError
        If the process ended before it was done; the message holds the end of what it said.
    Exception
        What `progress` raises, once the process has ended.
    """
    command = [sys.executable, "-m", __name__, str(folder), audience]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        said: list[str] = []
        listening = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
        listening.start()
        try:
            for line in process.stdout:
                done, _, count = line.partition(" ")
                progress(int(done), int(count))
        except BaseException:
            process.kill()
            raise
        status = process.wait()
        listening.join()
    if status != 0:
        raise BattPassError(f"The process that builds the {audience} dataset ended: {''.join(said[-3:])}")


def main(folder: str, audience: str) -> None:
    """Build a dataset, and say how far it is."""
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with Home.open(Path(folder), read_only=True) as home:
        home.queries(audience, _said, workers=1).close()


def _said(records: Iterable[str], count: int) -> Iterator[str]:
    for done, record in enumerate(records):
        if done % _SAID_EVERY == 0:
            print(done, count, flush=True)  # noqa: T201
        yield record
    print(count, count, flush=True)  # noqa: T201


def _end_with_parent() -> None:
    """End this process when its parent has closed the pipe, or is gone; what has no stamp is built anew."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
