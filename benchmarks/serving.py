"""What serving costs: start and memory with 10,000 passports, reads over HTTP alone, beside writers, under
attack, and while a dataset is built.

The rival of a read is a bare FastAPI route that answers with as many bytes, on the same server, driven by the
same clients over connections that stay open. "Warm" reads are of passports that were read before, "cold" ones
of any. The attack is one client that sends query bombs and document bombs in a loop, beside twenty honest
ones.
"""

import http.client
import json
import random
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, sleep
from urllib.parse import quote, urlsplit

from battpass.kg.home import Home
from battpass.kg.keys import FILE, KeyRing
from benchmarks.campaigns import ROOT, Campaign
from benchmarks.harness import Measure, script
from benchmarks.journal import fill, folder

PASSPORTS = 10_000
CLIENTS = 4
WRITERS = 2
HONEST = 20
WARM = 200
SECONDS = 200  # of all drives together at full count

# Each of these ends, or keeps busy, the process that runs it; none may touch the others.
QUERIES = (
    "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?a ?d ?g",
    "SELECT * " + "{" * 90 + " ?s ?p ?o " + "}" * 90,
    "ASK { ?s (bp:model|!bp:model)* ?o . ?o (bp:model|!bp:model)* ?p }",
)
DOCUMENTS = (
    (b"[" * 100_000, "application/json"),
    (b'{"a":' * 4_000 + b"1" + b"}" * 4_000, "application/ld+json"),
    (b"<urn:a> <urn:b> " + b"( " * 50_000 + b") " * 50_000 + b".", "text/turtle"),
    (b'{"identification": [' + b"{}," * 300_000 + b"{}]}", "application/json"),
)


@dataclass(frozen=True, slots=True)
class Server:
    """A running process that answers HTTP."""

    process: "subprocess.Popen[str]"
    address: str
    ready_seconds: float

    def get(self, path: str) -> bytes:
        """Return the body of one answer."""
        return _Client(self.address).request("GET", path)[1]

    def resident(self) -> int:
        """Return the memory of the process and its children in bytes, shared pages counted once."""
        return sum(_proportional(pid) for pid in _family(self.process.pid))


def measure(campaign: Campaign) -> Sequence[Measure]:
    """Return the figures of starting, reading and being attacked."""
    size = campaign.count(PASSPORTS)
    seconds = campaign.count(SECONDS) / 10
    with folder() as place:
        with Home.open(place, create=True) as home:
            fill(home, size, campaign.seed)
            for audience in ("public", "owner"):
                home.dataset(audience)
            names = [record.rpartition("/")[2] for record in home.records()]
        with closing(KeyRing(place / FILE)) as ring:
            key = ring.create("owner", {"read", "write"}, label="writer").token
            other = ring.create("authority", {"read"}, label="the first of its audience").token
            honest = [ring.create("public", {"read"}, label=f"{n}").token for n in range(HONEST)]
        arguments = ["battpass", "--home", str(place), "serve", "--port", "0"]
        with serving(arguments, "/readyz") as server:
            rows = [
                Measure("from start to ready", server.ready_seconds, "s", {"passports": size}),
                Measure("memory when ready, all processes", server.resident() / 2**20, "MiB"),
                *reads(server, names, key, seconds, campaign.random("serving")),
                *attack(
                    server, names, honest, key, other, seconds, campaign.count(4), campaign.random("attack")
                ),
                Measure("memory afterwards, all processes", server.resident() / 2**20, "MiB"),
            ]
    return rows


def reads(
    server: Server, names: list[str], key: str, seconds: float, chooser: random.Random
) -> Iterator[Measure]:
    """Yield reads a second of one passport's JSON: the bare route, warm, cold, and beside writers."""
    warm = [f"/v1/dpps/{name}" for name in chooser.sample(names, min(WARM, len(names)))]
    everything = [f"/v1/dpps/{name}" for name in names]
    size = len(server.get(warm[0]))
    with serving(["benchmarks.bare", str(size)], warm[0]) as bare:
        for path in warm:
            server.get(path)
        floor = drive(bare.address, warm, seconds, CLIENTS)
        hot = drive(server.address, warm, seconds, CLIENTS)
    cold = drive(server.address, everything, seconds, CLIENTS)
    with writing(server.address, names, key) as written:
        busy = drive(server.address, warm, seconds, CLIENTS)
    yield _rate(f"bare FastAPI route, {size:,} bytes", floor, seconds)
    yield _rate("warm passport", hot, seconds)
    yield _rate("cold passport", cold, seconds)
    yield _rate("warm passport beside writers", busy, seconds, writes_per_second=len(written) / seconds)
    yield Measure("warm passport / bare route, reads a second", len(hot) / len(floor), "times")
    yield Measure("beside writers / alone, reads a second", len(busy) / len(hot), "times")


def attack(
    server: Server,
    names: list[str],
    keys: list[str],
    key: str,
    other: str,
    seconds: float,
    rounds: int,
    chooser: random.Random,
) -> Iterator[Measure]:
    """Yield what twenty honest clients wait: calm and beside a hostile one by turns, and during a build."""
    paths = [f"/v1/dpps/{name}" for name in chooser.sample(names, min(WARM, len(names)))]
    query = "SELECT ?ah { ?b bp:model/bp:ratedCapacityAh ?ah } LIMIT 10"
    paths += [f"/sparql?query={quote(query)}&format=csv"] * (len(paths) // 5)
    for path in paths:
        server.get(path)
    process = server.process.pid
    calm: list[float] = []
    beside: list[float] = []
    bombs: list[int] = []
    for _ in range(rounds):
        calm += drive(server.address, paths, 3 * seconds / rounds, HONEST, 0.05, keys)
        with hostile(server.address, key) as sent:
            beside += drive(server.address, paths, 3 * seconds / rounds, HONEST, 0.05, keys)
        bombs += sent
    with building(server.address, other) as told:
        meanwhile = drive(server.address, paths, 3 * seconds, HONEST, 0.05, keys)
    assert server.process.pid == process and server.process.poll() is None
    more = {"p50_ms": median(calm) * 1e3}
    yield Measure("honest clients, calm, p99", _percentile(calm, 0.99) * 1e3, "ms", more)
    yield Measure(
        "honest clients beside a hostile one, p99",
        _percentile(beside, 0.99) * 1e3,
        "ms",
        {
            "p50_ms": median(beside) * 1e3,
            "bombs": len(bombs),
            "statuses": dict(sorted(Counter(bombs).items())),
            "server_restarts": 0,
        },
    )
    yield Measure("p99 beside / calm", _percentile(beside, 0.99) / _percentile(calm, 0.99), "times")
    yield Measure(
        "p99 while a dataset is built / calm",
        _percentile(meanwhile, 0.99) / _percentile(calm, 0.99),
        "times",
        {"p99_ms": _percentile(meanwhile, 0.99) * 1e3, "statuses": dict(sorted(Counter(told).items()))},
    )


@contextmanager
def serving(module: Sequence[str], probe: str) -> Iterator[Server]:
    """Start a server by its module, wait until it answers the probe with 200, and end it afterwards."""
    start = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://[^\s/]+", line):
                break
        else:
            raise SystemExit(f"{module[0]} ended before it said where it answers")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        client = _Client(found[0])
        until = monotonic() + 600
        while client.request("GET", probe)[0] != 200:
            if monotonic() > until:
                raise SystemExit(f"{module[0]} was not ready in time")
            sleep(0.02)
        yield Server(process, found[0], perf_counter() - start)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def drive(
    address: str,
    paths: list[str],
    seconds: float,
    clients: int,
    pause: float = 0.0,
    keys: "list[str] | None" = None,
) -> list[float]:
    """Return the seconds of each answer that clients got, each over one connection, with a key if given."""
    until = monotonic() + seconds
    found: list[list[float]] = [[] for _ in range(clients)]

    def work(number: int) -> None:
        client = _Client(address, {"Authorization": f"Bearer {keys[number]}"} if keys else {})
        at = number * 7_919
        while monotonic() < until:
            at += 1
            start = perf_counter()
            status, _ = client.request("GET", paths[at % len(paths)])
            found[number].append(perf_counter() - start)
            if status != 200:
                raise AssertionError(f"{paths[at % len(paths)]} answered {status}")
            if pause:
                sleep(pause)

    _together([partial(work, number) for number in range(clients)])
    return [one for part in found for one in part]


@contextmanager
def writing(address: str, names: list[str], key: str) -> Iterator[list[int]]:
    """Change passports from some clients while the block runs; yield the versions that were acknowledged."""
    ending = threading.Event()
    written: list[int] = []

    def work(number: int) -> None:
        client = _Client(address, {"Authorization": f"Bearer {key}"})
        for turn in range(10**9):
            if ending.is_set():
                return
            name = names[(number + turn * WRITERS) % len(names)]
            patch = json.dumps({"metadata": {"remark": f"{number} {turn}"}}).encode()
            status, body = client.request(
                "PATCH",
                f"/v1/dpps/{name}?stage=draft&check=false",
                patch,
                {"Content-Type": "application/merge-patch+json", "If-Match": "*"},
            )
            if status not in (200, 429, 503):
                raise AssertionError(f"a patch was answered with {status}: {body[:300]!r}")
            if status == 200:
                written.append(json.loads(body)["version"])

    with _beside([partial(work, number) for number in range(WRITERS)], ending):
        yield written


@contextmanager
def hostile(address: str, key: str) -> Iterator[list[int]]:
    """Send bombs from one client while the block runs; yield the statuses of their answers."""
    ending = threading.Event()
    sent: list[int] = []

    def work() -> None:
        client = _Client(address, {"Authorization": f"Bearer {key}"})
        for turn in range(10**9):
            if ending.is_set():
                return
            query = QUERIES[turn % len(QUERIES)]
            sent.append(client.request("GET", f"/sparql?query={quote(query)}")[0])
            body, media_type = DOCUMENTS[turn % len(DOCUMENTS)]
            sent.append(client.request("POST", "/v1/dpps", body, {"Content-Type": media_type})[0])

    with _beside([work], ending):
        yield sent


@contextmanager
def building(address: str, key: str) -> Iterator[list[int]]:
    """Ask for an audience that has no dataset yet, until it answers or the block ends; yield the statuses."""
    ending = threading.Event()
    told: list[int] = []

    def work() -> None:
        client = _Client(address, {"Authorization": f"Bearer {key}"})
        while not ending.is_set() and 200 not in told:
            told.append(client.request("GET", f"/sparql?query={quote('ASK {}')}")[0])

    with _beside([work], ending):
        yield told


class _Client:
    """One connection that stays open; opened again where the server closed it."""

    def __init__(self, address: str, headers: "dict[str, str] | None" = None) -> None:
        self._host = urlsplit(address).netloc
        self._headers = headers or {}
        self._connection = http.client.HTTPConnection(self._host, timeout=120)

    def request(
        self, method: str, path: str, body: "bytes | None" = None, headers: "dict[str, str] | None" = None
    ) -> tuple[int, bytes]:
        for attempt in (1, 2):
            try:
                self._connection.request(method, path, body, {**self._headers, **(headers or {})})
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self._connection.close()
                if attempt == 2:
                    return 0, b""
        raise AssertionError("not reached")


@contextmanager
def _beside(works: "list[Callable[[], None]]", ending: threading.Event) -> Iterator[None]:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def _together(works: "list[Callable[[], None]]") -> None:
    failures: list[BaseException] = []

    def kept(work: "Callable[[], None]") -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=kept, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _rate(case: str, seconds: list[float], lasted: float, **more: object) -> Measure:
    figures = {"p50_ms": median(seconds) * 1e3, "p99_ms": _percentile(seconds, 0.99) * 1e3, **more}
    return Measure(case, len(seconds) / lasted, "reads per s", figures)


def _percentile(seconds: list[float], share: float) -> float:
    return sorted(seconds)[int(len(seconds) * share)]


def _family(parent: int) -> list[int]:
    found = [parent]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found += _family(int(path.parent.name))
        except OSError:
            continue
    return found


def _proportional(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    script(__file__, measure, source="100 passports of the demo fleet, copied under new UUIDs")
