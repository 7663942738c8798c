"""Hostile queries against a server in a process of its own: a clear error each, and honest requests go on."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from battpass.kg.home import Home
from tests.api.conftest import EXAMPLES, example, keep, problem
from tests.dataset.conftest import Canary
from tests.dataset.hostile import HEAVY, MISSHAPEN, REACHING_OUT
from tests.hostile.processes import Running, family, is_gone

DEADLINE = 1.2
HONEST = "SELECT (COUNT(*) AS ?n) { ?passport a bp:BatteryPassport }"

SERVER = """
import socket
import uvicorn
from battpass.kg.home import Home
from battpass.services.api.app import create_app
from battpass.services.api.settings import Settings

settings = Settings()
with Home.open(settings.home) as home, socket.create_server((settings.host, settings.port)) as listener:
    app = create_app(settings, home)
    print("http://{}:{}".format(*listener.getsockname()), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listener])
"""


@dataclass
class Process:
    """A server in its own process."""

    running: subprocess.Popen[str]
    client: httpx.Client
    address: str

    def workers(self) -> list[int]:
        """Return the process ids of the sealed workers."""
        children = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children")
        threads = Path(f"/proc/{self.running.pid}/task").iterdir()
        found = [int(pid) for thread in threads for pid in (thread / "children").read_text().split()]
        return found or [int(pid) for pid in children.read_text().split()]


@contextmanager
def started(home: Path, **settings: str) -> Iterator[Process]:
    """Run `serve` in a new process, with settings from the environment, until the block ends."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BATTPASS_")}
    environment |= {f"BATTPASS_{name.upper()}": value for name, value in settings.items()}
    environment |= {"BATTPASS_HOME": str(home), "BATTPASS_PORT": "0"}
    running = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert running.stdout is not None
        address = running.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), "the server did not start"
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
            until = time.monotonic() + 60
            while (answer := client.get("/readyz")).status_code != 200:
                assert time.monotonic() < until, answer.text
                time.sleep(0.05)
            yield Process(running, client, address)
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)
    assert running.returncode in (0, -signal.SIGTERM)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("served")
    with Home.open(folder, create=True) as home:
        keep(home, *(example(name) for name in EXAMPLES))
    with started(folder, query_deadline_seconds=str(DEADLINE), query_memory_mb="64") as process:
        yield process


@dataclass
class Honest:
    """Asks honest questions all the time, beside whatever else goes on."""

    server: Process
    answered: int = 0
    failed: list[str] = field(default_factory=list)
    slowest: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Honest":
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        # Another address makes another client, with places of its own.
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(base_url=self.server.address, transport=elsewhere, timeout=30) as client:
            while not self._ended.wait(0.05):
                began = time.monotonic()
                answers = (
                    client.get("/sparql", params={"query": HONEST, "format": "csv"}),
                    client.get("/", headers={"Accept": "text/html"}),
                )
                self.slowest = max(self.slowest, time.monotonic() - began)
                if answers[0].text.split() == ["n", str(len(EXAMPLES))] and answers[1].status_code == 200:
                    self.answered += 1
                else:
                    self.failed.append(f"{answers[0].status_code} {answers[0].text[:300]}")


def send(server: Process, text: str) -> httpx.Response:
    body = text.encode("utf-8", "surrogatepass")
    return server.client.post("/sparql", content=body, headers={"Content-Type": "application/sparql-query"})


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    listening = Canary()
    yield listening
    listening.close()


@pytest.mark.parametrize("kind", [MISSHAPEN, REACHING_OUT], ids=["misshapen", "reaching out"])
def test_hostile_queries_get_a_clear_error(server: Process, canary: Canary, kind: dict[str, str]) -> None:
    with Honest(server) as honest:
        for name, text in kind.items():
            answer = send(server, text.replace("CANARY", canary.url))
            content = problem(answer, 400 if len(text) < 1_000_000 else answer.status_code)
            assert answer.status_code in (400, 413), name
            assert len(content["detail"]) < 700, name
    assert not honest.failed
    assert honest.answered > 0
    assert canary.hits == 0
    assert server.running.poll() is None


# Closures are heavy over long chains of nodes only, and passports have none.
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in HEAVY if not name.startswith("closure")])
def test_heavy_queries_are_ended_and_honest_ones_go_on(server: Process, name: str) -> None:
    content = {}
    with Honest(server) as honest:
        began = time.monotonic()
        # Where rows are on their way, the body ends without its end mark instead.
        with suppress(httpx.RemoteProtocolError):
            answer = send(server, HEAVY[name])
            content = problem(answer, answer.status_code)
        took = time.monotonic() - began
        while not honest.answered and not honest.failed:
            time.sleep(0.02)
    assert content.get("type", "#cut").partition("#")[2] in ("deadline-exceeded", "query-failed", "cut")
    assert took < DEADLINE + 1.5
    assert not honest.failed
    assert server.running.poll() is None


def test_query_over_its_deadline_is_ended(server: Process) -> None:
    content = problem(send(server, HEAVY["cross product of three, counted"]), 504)
    assert f"after {DEADLINE:g} s" in content["detail"]


@pytest.mark.parametrize("name", ["cross product of three, counted", "cross product of three, ordered"])
def test_a_query_over_a_limit_is_gone_with_its_memory(server: Process, name: str) -> None:
    """The first of these goes over its deadline, the second over its memory."""

    def wait_for(look: Callable[[], object], otherwise: str) -> Any:
        until = time.monotonic() + 60
        while not (found := look()):
            assert time.monotonic() < until, otherwise
            time.sleep(0.005)
        return found

    def workers() -> list[Running]:
        return [one for one in family(server.running.pid) if one.answers_queries]

    def at_work() -> Running | None:
        """Return the worker that has worked since it was idle."""
        return next((one for one in workers() if one.seconds > idle.get(one.pid, 60) + 0.02), None)

    assert server.client.get("/sparql", params={"query": HONEST}).status_code == 200
    idle = {one.pid: one.seconds for one in workers()}
    before = sum(one.memory for one in family(server.running.pid))
    told: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: told.append(send(server, HEAVY[name])))
    asking.start()
    found: Running = wait_for(at_work, "no worker took the query")
    asking.join()
    assert problem(told[0], told[0].status_code)["status"] in (503, 504)
    wait_for(lambda: is_gone(found), "the worker outlived its query")
    wait_for(
        lambda: sum(one.memory for one in family(server.running.pid)) < before + (64 << 20),
        "the memory of the query was kept",
    )


def test_query_over_its_memory_is_ended(server: Process) -> None:
    problem(send(server, HEAVY["string doubled 40 times"]), 503)


def test_killed_workers_are_replaced(server: Process) -> None:
    told: list[httpx.Response] = []
    asking = threading.Thread(
        target=lambda: told.append(send(server, HEAVY["cross product of three, counted"]))
    )
    asking.start()
    time.sleep(DEADLINE / 2)
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    asking.join()
    assert problem(told[0], told[0].status_code)["status"] in (503, 504)
    answer = server.client.get("/sparql", params={"query": HONEST, "format": "csv"})
    assert answer.text.split() == ["n", str(len(EXAMPLES))]


def test_more_queries_than_workers_end_in_answers_or_in_busy(server: Process) -> None:
    answers: list[httpx.Response] = []

    def ask(text: str) -> None:
        with httpx.Client(base_url=server.address, trust_env=False, timeout=30) as client:
            answers.append(client.post("/sparql", data={"query": text}))

    texts = [HEAVY["cross product of three, counted"]] * 30 + [HONEST] * 30
    threads = [threading.Thread(target=ask, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    pages = [server.client.get("/", headers={"Accept": "text/html"}) for _ in range(10)]
    for thread in threads:
        thread.join()
    assert {page.status_code for page in pages} == {200}
    assert {answer.status_code for answer in answers} <= {200, 429, 503, 504}
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 429)
    busy = [answer for answer in answers if answer.status_code == 503]
    assert all(problem(answer, 503)["type"].endswith(("#busy", "#query-failed")) for answer in busy)
    assert all("retry-after" in answer.headers for answer in busy if answer.json()["type"].endswith("#busy"))
    assert server.client.get("/sparql", params={"query": HONEST, "format": "csv"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "raw"),
    {
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        "header without end": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 200_000,
        "address without end": b"GET /sparql?query=" + b"a" * 200_000,
        "two lengths": b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        b"Content-Length: 6\r\n\r\nASK {}",
        "length that is none": b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        "negative length": b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "chunk that is none": b"POST /sparql HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "body that stops": b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: application/sparql-query\r\n"
        b"Content-Length: 100\r\n\r\nASK",
        "method of odd bytes": b"\xff\xfe /sparql HTTP/1.1\r\nHost: a\r\n\r\n",
    }.items(),
)
def test_broken_requests_leave_the_server_up(server: Process, name: str, raw: bytes) -> None:
    host, port = server.address.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        told = b""
        with suppress(OSError):  # the server may hang up before it was told all of it
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            told = connection.recv(65_536)
    assert told == b"" or told.startswith(b"HTTP/1.1 4"), name
    assert server.client.get("/healthz").status_code == 200


def test_answer_that_fails_on_the_way_is_not_taken_for_whole(server: Process) -> None:
    """The deadline passes while rows are on their way: the body ends without its end mark."""
    text = "SELECT ?a ?b ?c { ?a ?p ?x . ?b ?q ?y . ?c ?r ?z }"
    with (
        pytest.raises(httpx.RemoteProtocolError),
        server.client.stream(
            "POST", "/sparql", data={"query": text}, headers={"Accept": "text/csv"}
        ) as answer,
    ):
        assert answer.status_code == 200
        for _ in answer.iter_raw():
            pass
    assert server.client.get("/sparql", params={"query": HONEST}).status_code == 200
