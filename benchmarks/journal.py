"""What keeping costs: reads of one passport at 1,000 and 50,000, durable writes, bytes on disk.

A read is what the server does for one passport: find what stands, fetch the texts of item and model record,
check each by its digest, cut them to an audience. The rival reads the same quads out of Oxigraph, the way
that is fastest for it (patterns by graph, or a dump by graph), from a store with 1,000 passports that was
flushed and is warm.

Writes are small changes of one passport each. "Validated" runs the shapes over the changed passport first;
the journal alone is the floor that validation stands on.
"""

import json
import random
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

import pyoxigraph as ox
from pyoxigraph import NamedNode, RdfFormat

from battpass.kg.graphs import AccessClass
from battpass.kg.home import Arrival, Home, Stage
from battpass.kg.journal.parts import Parts
from battpass.kg.validation.validator import Validator
from benchmarks.campaigns import Campaign
from benchmarks.copies import arrivals
from benchmarks.harness import Comparison, Measure, script

SMALL, LARGE = 1_000, 50_000
READS = 2_000
WRITES = 400
CLIENTS = 16
CHUNK = 500
TURNS = 20

Reading = Callable[[str], object]


def measure(campaign: Campaign) -> Sequence[Comparison | Measure]:
    """Return the figures of reading, writing and size."""
    size = campaign.count(LARGE)
    with folder() as small, folder() as large:
        with Home.open(small, create=True) as few, Home.open(large, create=True) as many:
            fill(few, SMALL, campaign.seed)
            fill(many, size, campaign.seed)
            rows = [*reads(few, many, size, campaign), *writes(few, campaign)]
        return [*rows, *sizes(large, size)]


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder on disk that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="battpass-benchmark-", dir=Path.cwd()) as name:
        yield Path(name) / "home"


def fill(home: Home, size: int, seed: int) -> None:
    """Keep as many passports."""
    fleet = arrivals(size, seed)
    while chunk := list(islice(fleet, CHUNK)):
        home.put_many(chunk, trusted=True)


def reads(few: Home, many: Home, size: int, campaign: Campaign) -> list[Measure]:
    """Return the time of reading passports drawn at random, all that their owner may see.

    The sides take turns, so that a busy moment of the machine weighs on each; the rival counts by the faster
    of its two ways. Files are read once beforehand, as some machines take from memory what lay there for a
    minute.
    """
    with rival(few) as (by_pattern, by_dump):
        for home in (few, many):
            assert home.folder is not None
            _warm(home.folder)
        sides: dict[str, tuple[Reading, list[str]]] = {
            "few": (few.state, _drawn(few, campaign)),
            "many": (many.state, _drawn(many, campaign)),
            "patterns": (by_pattern, _drawn(few, campaign)[: READS // 10]),
            "dumps": (by_dump, _drawn(few, campaign)[: READS // 10]),
        }
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(TURNS):
            for name, (read, records) in sides.items():
                seconds[name] += _timed(read, records[turn::TURNS])
    oxigraph = min(seconds["patterns"], seconds["dumps"], key=median)
    at_few, at_many = median(seconds["few"]), median(seconds["many"])
    return [
        _read("read one passport, 1,000 kept", seconds["few"]),
        _read("the same from Oxigraph", oxigraph),
        _read(f"read one passport, {size:,} kept", seconds["many"]),
        Measure("p50 at the larger size / p50 at 1,000", at_many / at_few, "times"),
        Measure("p50 of Oxigraph / p50 at the larger size", median(oxigraph) / at_many, "times"),
    ]


@contextmanager
def rival(home: Home) -> Iterator[tuple[Reading, Reading]]:
    """Yield two ways of reading the quads of a passport from an Oxigraph store that holds the same."""
    with tempfile.TemporaryDirectory(prefix="battpass-benchmark-", dir=Path.cwd()) as name:
        store = ox.Store(name)
        graphs: dict[str, list[NamedNode]] = {}
        models = set()
        for record in home.records():
            state = home.state(record)
            texts = list(state.item.values())
            if state.model not in models:
                models.add(state.model)
                texts += state.model_parts.values()
            for text in texts:
                store.bulk_load(text, RdfFormat.N_QUADS)
            graphs[record] = [
                NamedNode(f"{of}/{access}")
                for of, parts in ((record, state.item), (state.model, state.model_parts))
                for access in parts
            ]
        store.flush()

        def by_pattern(record: str) -> object:
            return [list(store.quads_for_pattern(None, None, None, graph)) for graph in graphs[record]]

        def by_dump(record: str) -> object:
            return [store.dump(format=RdfFormat.N_TRIPLES, from_graph=graph) for graph in graphs[record]]

        yield by_pattern, by_dump


def writes(home: Home, campaign: Campaign) -> list[Comparison | Measure]:
    """Return how many changes a second are kept: journal alone by 1 and by 16 writers, and validated."""
    count = campaign.count(WRITES * 10)
    chosen = [home.state(record) for record in islice(home.records(), 200)]
    candidates = [
        Arrival(state.record, state.model, _changed(state.item, number), state.model_parts, ())
        for number in range(count)
        for state in [chosen[number % len(chosen)]]
    ]
    alone = _seconds(lambda: [home.put(one, stage=Stage.DRAFT) for one in candidates])
    before = home.journal.statistics
    others = [replace(one, item=_changed(one.item, -number)) for number, one in enumerate(candidates, 2)]
    together = _seconds(lambda: _by_threads(home, others))
    after = home.journal.statistics
    validator = Validator.load()
    validated = candidates[: campaign.count(WRITES)]

    def checked() -> None:
        for one in validated:
            validator.validate(home.state(one.record).passport())
            home.put(replace(one, item=_changed(one.item, -1)), stage=Stage.DRAFT)

    seconds = _seconds(checked)
    gathered = (after.entries - before.entries) / max(1, after.commits - before.commits)
    return [
        Measure("durable changes, journal only, 1 writer", count / alone, "per s"),
        Measure(f"durable changes, journal only, {CLIENTS} writers", count / together, "per s"),
        Measure(f"entries in one commit, {CLIENTS} writers", gathered, "entries"),
        Measure("durable changes with the shapes run, 1 writer", len(validated) / seconds, "per s"),
        Measure("journal only / with the shapes run", (count / alone) / (len(validated) / seconds), "times"),
    ]


def sizes(place: Path, size: int) -> list[Measure]:
    """Return bytes per item, with its history and original document, and per model record."""
    with Home.open(place) as home:
        models = sorted({entry.model for entry in home.entries()})
        entries = [home.journal.model(model) for model in models]
        texts = {name for entry in entries if entry for name in entry.state.values()}
        with home.journal.readers().lend() as connection:
            of_models = sum(
                connection.execute(
                    "SELECT LENGTH(data) FROM texts WHERE digest = ?", (bytes.fromhex(name),)
                ).fetchone()[0]
                for name in texts
            )
    whole = sum(path.stat().st_size for path in place.glob("journal.sqlite*"))
    return [
        Measure("journal", whole, "bytes", {"passports": size, "models": len(models)}),
        Measure("model record, packed", of_models / len(models), "bytes"),
        Measure("item with its document and history", (whole - of_models) / size, "bytes"),
    ]


def _by_threads(home: Home, candidates: list[Arrival]) -> None:
    def work(part: list[Arrival]) -> None:
        for one in part:
            home.put(one, stage=Stage.DRAFT)

    threads = [threading.Thread(target=work, args=(candidates[at::CLIENTS],)) for at in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _changed(item: Parts, number: int) -> Parts:
    """Return texts with one more statement, another for each number."""
    lines = item[AccessClass.PUBLIC].splitlines(keepends=True)
    subject = lines[0].split(b" ", 1)[0]
    graph = lines[0].rsplit(b" ", 2)[1]
    value = json.dumps(f"change {number}").encode()
    more = subject + b" <http://www.w3.org/2000/01/rdf-schema#comment> " + value + b" " + graph + b" .\n"
    return {**item, AccessClass.PUBLIC: b"".join(sorted({*lines, more}))}


def _drawn(home: Home, campaign: Campaign) -> list[str]:
    records = list(home.records())
    chooser: random.Random = campaign.random("reads")
    return [chooser.choice(records) for _ in range(READS)]


def _warm(folder: Path) -> None:
    for path in folder.glob("journal.sqlite*"):
        with path.open("rb") as file:
            while file.read(1 << 20):
                pass


def _timed(read: Reading, records: list[str]) -> list[float]:
    for record in records[:3]:  # what the turn of another left cold
        read(record)
    seconds = []
    for record in records:
        start = perf_counter()
        read(record)
        seconds.append(perf_counter() - start)
    return seconds


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _read(case: str, seconds: list[float]) -> Measure:
    ordered = sorted(seconds)
    p99 = ordered[int(len(ordered) * 0.99)] * 1e6
    return Measure(f"{case}, p50", median(ordered) * 1e6, "us", {"p99": p99, "reads": len(ordered)})


if __name__ == "__main__":
    script(__file__, measure, source="100 passports of the demo fleet, copied under new UUIDs")
