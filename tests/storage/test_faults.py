"""Disk full, read-only, refusing, locked, and a clock that leaps, at random moments under writing clients.

Each fault stops writes with a clear answer and nothing else, and is over by itself when its cause is gone:
the server is the same process from the first fault to the last, and all that it acknowledged is there.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx
import pytest

from battpass.kg.home import Home
from battpass.kg.journal.schema import BUSY_SECONDS
from battpass.kg.journal.verify import verify
from battpass.kg.keys import FILE, KeyRing
from benchmarks.campaigns import Campaign
from tests.api.conftest import problem
from tests.durability.ledger import Acknowledged, Attempt, Counts, Ledger
from tests.durability.processes import PATIENCE_SECONDS, Started, spread, started
from tests.durability.server_clients import FORMAT, ServerWrites, document, identifier
from tests.durability.test_killed_server import ready
from tests.storage.clients import WRITERS, Answers, Told, Writer
from tests.storage.disk import Disk, locked, mounted, refusing

FAULTS = 100
DISK_MEGABYTES = 256
# Beyond the time for which the journal waits for a lock, a writer waits for those who came before it.
BOUND_SECONDS = 2 * BUSY_SECONDS + 20.0
COUNT = "SELECT (COUNT(*) AS ?n) { ?passport a bp:BatteryPassport }"
# The marker of a passport that is there before the first fault.
KEPT = "w-0-0"
DAY = 86_400
YEAR = 365.25 * DAY


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to the server, what a refused writer must be told, and whether datasets suffer too."""

    name: str
    done: Callable[["Bench"], AbstractContextManager[None]]
    slug: str
    words: tuple[str, ...]
    stops_datasets: bool = False


@dataclass
class Bench:
    """A server on a disk of its own, the clock it reads, and who writes and reads there."""

    disk: Disk
    server: Started
    client: httpx.Client
    clock: Path
    answers: Answers
    random: Random

    @property
    def home(self) -> Path:
        return self.disk.folder / "home"

    @contextmanager
    def full(self) -> Iterator[None]:
        """Fill the disk, whatever is given back meanwhile."""
        ended = threading.Event()

        def keep_full() -> None:
            while not ended.wait(0.02):
                self.disk.fill()

        with self.disk.filled(), ThreadPoolExecutor(1) as threads:
            filling = threads.submit(keep_full)
            try:
                yield
            finally:
                ended.set()
                filling.result()

    @contextmanager
    def leapt(self) -> Iterator[None]:
        """Set the clock a day ahead or back, or to the other side of the end of 32-bit time."""
        self._set_clock(self.random.choice([DAY, -DAY, 12 * YEAR, -70 * YEAR]))
        try:
            yield
        finally:
            self._set_clock(0)

    def _set_clock(self, seconds: float) -> None:
        aside = self.clock.with_suffix(".new")
        aside.write_text(str(seconds))
        aside.replace(self.clock)


KINDS = (
    Fault("full", Bench.full, "storage-full", ("is full",), True),
    Fault("read-only", lambda bench: bench.disk.read_only(), "not-writable", ("is read-only",), True),
    Fault(
        "refusing",
        lambda bench: refusing(bench.server.process.pid),
        "not-writable",
        ("does not take journal.sqlite",),
        True,
    ),
    Fault("locked", lambda bench: locked(bench.home / "journal.sqlite"), "not-writable", ("locked",)),
    Fault("clock", Bench.leapt, "not-writable", ("The clock leapt by", "The clock says")),
)


@pytest.mark.slow
def test_faults_of_storage_stop_writes_alone_and_lose_nothing(campaign: Campaign, tmp_path: Path) -> None:
    random, count = campaign.random("storage faults"), campaign.count(FAULTS)
    faults = list(itertools.islice(itertools.cycle(KINDS), count))
    random.shuffle(faults)
    counts, healed = Counts(), dict[str, list[float]]()
    clock = tmp_path / "clock"
    clock.write_text("0")
    ledger = Ledger(counts, ServerWrites())
    with mounted(tmp_path / "disk", DISK_MEGABYTES) as disk:
        home = disk.folder / "home"
        keys = _keys(home)
        with started("-m", "tests.storage.served", home, clock) as server:
            address = ready(server)
            with httpx.Client(base_url=address, timeout=PATIENCE_SECONDS, trust_env=False) as client:
                _publish(client, keys[0], ledger)
                bench = Bench(disk, server, client, clock, Answers(), random)
                _wait_until_shown(bench, 2)
                with _writing(bench, address, keys, ledger):
                    for fault in faults:
                        healed.setdefault(fault.name, []).append(_round(bench, fault))
                        counts.rounds += 1
            assert server.process.poll() is None, server.text()
            with Home.open(home, read_only=True) as beside:
                ledger.compare(beside)
        assert not counts.problems, f"seed {campaign.seed}: {counts.problems[:5]}"
        with Home.open(home) as after:
            ledger.compare_present(after)
        counts.problems += verify(home / "journal.sqlite", home / "head").problems
    assert not counts.problems, f"seed {campaign.seed}: {counts.problems[:5]}"
    figures = {
        **counts.figures(),
        "faults": dict(Counter(fault.name for fault in faults)),
        "refused": sum(one.refused for one in bench.answers.told),
        "restarts": 0,
        "from healing to the next acknowledgement, ms": {name: spread(one) for name, one in healed.items()},
    }
    campaign.record("storage_faults", f"ind-lead-37 with new numbers, {WRITERS} clients over HTTP", figures)


def _keys(folder: Path) -> list[dict[str, str]]:
    """Make an empty home, and a key for each writer."""
    Home.open(folder, create=True).close()
    ring = KeyRing(folder / FILE)
    tokens = [ring.create("owner", ["read", "write", "publish"]).token for _ in range(WRITERS)]
    ring.close()
    return [{"Authorization": f"Bearer {token}"} for token in tokens]


def _publish(client: httpx.Client, key: dict[str, str], ledger: Ledger) -> None:
    """Publish the passport that is read during faults."""
    attempt = Attempt(KEPT, "put", (0,), KEPT)
    ledger.note(attempt)
    terms = {"stage": "published"}
    written = client.post("/v1/dpps", params=terms, content=document(0, KEPT), headers=key).json()
    attempt.acknowledged = (Acknowledged(written["version"], written["sequence"], written["outcome"]),)


@contextmanager
def _writing(bench: Bench, address: str, keys: list[dict[str, str]], ledger: Ledger) -> Iterator[None]:
    """Let the writers write as long as the block runs."""
    ending = threading.Event()
    with ThreadPoolExecutor(WRITERS) as threads:
        running = [
            threads.submit(
                Writer(number, address, key, ledger, bench.answers, Random(bench.random.random()), ending).run
            )
            for number, key in enumerate(keys, 1)
        ]
        try:
            yield
        finally:
            ending.set()
        for one in running:
            one.result()


def _round(bench: Bench, fault: Fault) -> float:
    """Go through one fault, and return the seconds from its end to the first write that went through."""
    assert bench.answers.wait(time.monotonic(), refused=False), "nothing could be written before the fault"
    threading.Event().wait(bench.random.uniform(0, 0.3))
    with fault.done(bench):
        since = time.monotonic()
        assert bench.answers.wait(since, refused=True), f"{fault.name}: writes were not refused"
        _check_reads(bench)
        _check_health(bench, fault)
        during = bench.answers.since(since)
    after = time.monotonic()
    for told in during:
        _check_refusal(told, fault)
    assert bench.answers.wait(after, refused=False), f"{fault.name}: nothing could be written after it"
    first = [
        next(told for told in bench.answers.since(after) if told.writer == n + 1) for n in range(WRITERS)
    ]
    assert not any(one.refused for one in first), f"{fault.name}: refused when it was over: {first}"
    if fault.stops_datasets:
        _wait_until_shown(bench, bench.answers.sequence)
    return min(one.began + one.seconds for one in first) - after


def _check_refusal(told: Told, fault: Fault) -> None:
    """Whatever began during a fault was refused for that reason, in time, and with what to do."""
    assert told.refused, f"{fault.name}: a write went through: {told}"
    assert told.slug == fault.slug, f"{fault.name}: {told}"
    assert any(words in told.detail for words in fault.words), f"{fault.name}: {told}"
    assert told.seconds < BOUND_SECONDS, f"{fault.name}: {told}"


def _check_reads(bench: Bench) -> None:
    """Passports, their versions and queries are answered as before, and the process lives."""
    name = identifier(0)
    read = bench.client.get(f"/v1/dpps/{name}", params={"format": FORMAT})
    assert (read.status_code, read.json()["metadata"]["version"]) == (200, KEPT)
    assert bench.client.get(f"/v1/dpps/{name}/versions").json()["items"][0]["version"] == 1
    assert bench.client.get("/v1/dpps").json()["items"][0]["id"] == name
    answer = bench.client.get("/sparql", params={"query": COUNT, "format": "csv"})
    assert (answer.status_code, answer.text.split()) == (200, ["n", "1"]), answer.text
    assert bench.client.get("/healthz").status_code == 200
    with Home.open(bench.home, read_only=True) as beside:
        assert beside.original(name) == document(0, KEPT)


def _check_health(bench: Bench, fault: Fault) -> None:
    """The server says that it can be read, that nothing can be written, and which part that is."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (answer := bench.client.get("/readyz", params={"for": "write"})).status_code == 200:
        assert time.monotonic() < until, f"{fault.name}: {answer.text}"  # it looks once a second
    found = answer.json()
    failing = {check["name"] for check in found["checks"] if not check["ok"]}
    assert (found["read"], found["write"]) == (True, False), answer.text
    assert "writing" in failing, answer.text
    assert bench.client.get("/readyz").status_code == 200


def _wait_until_shown(bench: Bench, sequence: int) -> None:
    """Wait until the public dataset is open and follows; it is closed while it is mended."""
    until = time.monotonic() + PATIENCE_SECONDS
    headers = {"Min-Sequence": str(sequence)}
    while (
        answer := bench.client.get("/sparql", params={"query": COUNT}, headers=headers)
    ).status_code != 200:
        assert time.monotonic() < until, answer.text
        slug = problem(answer, answer.status_code)["type"].partition("#")[2]
        assert slug in ("busy", "not-ready", "not-shown-yet", "query-failed"), answer.text
