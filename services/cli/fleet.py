"""The example fleet on its way into a home."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from battpass.kg.dataset.dataset import Dataset
from battpass.kg.errors import BattPassError, HomeInUse
from battpass.kg.home import Arrival, Home, Stage, State
from battpass.kg.home.lock import Lock
from battpass.kg.journal import schema
from battpass.kg.journal.journal import WITNESS, Journal
from battpass.kg.journal.witness import Head
from battpass.services.cli.loading import Loader, Result, Way
from battpass.services.demo.examples import demo_supplements
from battpass.services.demo.fleet import demo_payloads
from battpass.services.exchange.bulk import Document
from battpass.services.exchange.intake import Intake

SOURCE = "demo"
FORMAT = "battery_pass-6.1.0"
CHUNK, CHUNK_SECONDS = 200, 10.0

Watch = Callable[[Iterable[Result], int], Iterable[Result]]


class OtherPassports(BattPassError):
    """The home holds passports that are not of the example fleet."""


def open_for_fleet(folder: Path, size: int, seed: int) -> Home:
    """Return the home of a folder for the fleet of this size and seed: begun anew if it holds another fleet.

    Raises
    ------
    OtherPassports
        If it holds others, or held them once: an example beside real passports would be mistaken for one.
    """
    home = Home.open(folder, create=True)
    try:
        sources = list(_sources(home))
        others = sum(not source.startswith(f"{SOURCE} ") for source in sources)
        if others:
            raise OtherPassports(
                f"{folder} holds {others:,} passports that are not of the example fleet. Give the fleet a "
                "folder of its own: battpass --home demo demo"
            )
        if set(sources) <= {_source(size, seed)}:
            return home
        head = home.journal.head
    except BaseException:
        home.close()
        raise
    home.close()
    _begin_anew(folder, head)
    return Home.open(folder, create=True)


def load_fleet(
    home: Home, intake: Intake, size: int, seed: int, watch: Watch, stopping: Callable[[], bool] = bool
) -> bool:
    """Make a home hold the example fleet of this size and seed; return whether there was anything to do.

    It is published as a trusted one, in chunks; after an interruption it goes on where it was.
    """
    source = _source(size, seed)
    if sum(one == source for one in _sources(home)) == size:
        return False
    supplements = demo_supplements()

    def supplemented(arrival: Arrival) -> Arrival:
        more = supplements.get(arrival.record.rpartition("/")[2])
        if more is None:
            return arrival
        state = State(arrival.record, arrival.model, arrival.item, arrival.model_parts)
        grown = intake.supplement(state, more, "turtle", check=False)
        return replace(grown, findings=arrival.findings, original=arrival.original, format=arrival.format)

    way = Way(Stage.PUBLISHED, True, FORMAT, source=source, chunk=CHUNK, seconds=CHUNK_SECONDS)
    loader = Loader(intake, home, lambda: home, way, supplemented, stopping)
    for result in watch(loader.load(_documents(size, seed)), size):
        if result.error:
            raise BattPassError(f"{result.file}: {result.error}")
    return True


def _source(size: int, seed: int) -> str:
    return f"{SOURCE} --size {size} --seed {seed}"


def _sources(home: Home) -> Iterator[str]:
    """Yield where each passport came from that ever was in a home, archived ones included."""
    for entry in home.journal.entries():
        if not entry.is_model and entry.version == 1:
            yield home.journal.told(entry).source


def _documents(size: int, seed: int) -> Iterator[Document]:
    for number, payload in enumerate(demo_payloads(size, seed), 1):
        data = (json.dumps(payload, indent=2, ensure_ascii=False) + "\n").encode()
        yield Document(f"{SOURCE}:{number}", data)


def _begin_anew(folder: Path, head: Head) -> None:
    """Take away the journal of a home that ends at an entry, and what is derived from it; nothing else."""
    lock = Lock(folder / "lock")
    try:
        with Journal.open(folder, read_only=True) as journal:
            if journal.head != head:
                raise HomeInUse(f"{folder} was changed by another process just now. Start it again.")
        for place in (folder / "datasets").iterdir():
            if (place / "store").exists():
                Dataset.open(place).close()  # raises if another process has it open
            shutil.rmtree(place)
        # The witness before the journal: without a witness a journal is whole, the other way round it is not.
        for name in (WITNESS, f"{schema.FILE}-wal", f"{schema.FILE}-shm", schema.FILE):
            (folder / name).unlink(missing_ok=True)
    finally:
        lock.release()
