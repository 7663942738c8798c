"""One hostile client beside twenty honest ones: these get right answers, and the server never restarts."""

import http.client
import itertools
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

import httpx
import pytest

from battpass.kg.journal.verify import verify
from benchmarks.campaigns import Campaign
from tests.api.conftest import problem
from tests.dataset.conftest import Canary
from tests.durability.server_clients import document, identifier
from tests.hostile.attacks import ENDLESS, ONE, QUERIES, RUDE, Attack, answer_to, bombs
from tests.hostile.conftest import DEADLINE_SECONDS, MEMORY_MB, Attacked
from tests.hostile.honest import honest_clients
from tests.hostile.processes import look

# So many of each in a full run; each of them several times.
QUERY_BOMBS, DOCUMENT_BOMBS, RUDE_CONNECTIONS = 600, 400, 120
# And beside them, as long as these last, so many queries at the same time that would never end.
ENDLESS_AT_ONCE = 4
# What the server keeps of requests: bodies under way, passports made ready to be sent, and some slack.
GROWTH_BYTES = 400 << 20
TARGET = 900

T = TypeVar("T")


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    listening = Canary()
    yield listening
    listening.close()


@pytest.mark.slow
def test_honest_clients_are_answered_beside_a_hostile_one(
    campaign: Campaign, attacked: Attacked, canary: Canary
) -> None:
    random = campaign.random("hostile load")
    begun = _begun(attacked)
    with attacked.client("owner", "write") as client, _watched(attacked) as memory:
        target = {"stage": "draft", "check": "false"}
        assert client.post("/v1/dpps", params=target, content=document(TARGET, "w-0")).status_code == 201
        hostile = Hostile(attacked, client, canary)
        works: list[Callable[[], None]] = [
            lambda: hostile.send(_drawn(QUERIES, QUERY_BOMBS, campaign, random)),
            lambda: hostile.send(_drawn(bombs(), DOCUMENT_BOMBS, campaign, random)),
            lambda: hostile.be_rude(_drawn([*RUDE], RUDE_CONNECTIONS, campaign, random)),
        ]
        with (
            honest_clients(attacked) as honest,
            hostile.asking_without_end(random),
            ThreadPoolExecutor(len(works)) as threads,
        ):
            for one in [threads.submit(work) for work in works]:
                one.result()
    assert not honest.wrong, f"seed {campaign.seed}: {len(honest.wrong)} wrong answers: {honest.wrong[:5]}"
    assert min(honest.answered[kind] for kind in ("read", "asked", "written")) > 0
    assert canary.hits == 0, "something reached the network"
    assert attacked.server.process.poll() is None, attacked.server.text()[-2_000:]
    assert _begun(attacked) == begun, "the server was started again"
    assert memory.most < memory.first + GROWTH_BYTES, memory
    found = verify(attacked.home / "journal.sqlite")
    assert found.sound, found.problems
    figures = {
        "hostile": dict(sorted(hostile.sent.items())),
        "honest": dict(honest.answered),
        "honest, wrong": len(honest.wrong),
        "server restarts": 0,
        "memory of the server, MiB": {"before": memory.first >> 20, "at most": memory.most >> 20},
        "connections to the canary": canary.hits,
        "deadline of a query, s": DEADLINE_SECONDS,
        "memory of a query, MiB": MEMORY_MB,
    }
    campaign.record("hostile_load", "five examples, 1 hostile and 20 honest clients", figures)


@dataclass
class Hostile:
    """One client that sends what it likes over many connections, and what it was told."""

    attacked: Attacked
    client: httpx.Client
    canary: Canary
    sent: Counter[str] = field(default_factory=Counter)

    def send(self, attacks: list[Attack]) -> None:
        """Send requests one after the other; each is refused in words, or the answer is cut off."""
        for attack in attacks:
            path = attack.path.replace("{id}", identifier(TARGET)) if attack.path == ONE else attack.path
            body = attack.body.replace(b"CANARY", self.canary.url.encode())
            try:
                answer = self.client.request(attack.method, path, content=body, headers=dict(attack.headers))
            except (httpx.RemoteProtocolError, httpx.WriteError, httpx.ReadError):
                self.sent["closed"] += 1
                continue
            self.sent[str(answer.status_code)] += 1
            if answer.status_code in (200, 201) and attack.path != "/sparql":
                continue  # what can be mapped is kept as a draft, with what was found in it
            assert answer.status_code in {*range(400, 500), 503, 504}, f"{attack.name}: {answer.text[:500]}"
            told = problem(answer, answer.status_code)["detail"]
            assert len(told) < 1_000, attack.name
            assert "Reading it failed" not in told, f"{attack.name}: an error that was not foreseen"

    def be_rude(self, names: list[str]) -> None:
        """Break the rules on one connection after the other; each is refused, or closed, or left alone."""
        for name in names:
            told = answer_to(RUDE[name], self.attacked.host, self.attacked.port)
            statuses = [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3})", told)]
            assert not [one for one in statuses if one >= 500], f"{name}: {told[:500]!r}"
            self.sent["rude"] += 1

    @contextmanager
    def asking_without_end(self, random: Random) -> Iterator[None]:
        """Have queries under way that would never end, as many as a client may, while the block runs."""
        ended = threading.Event()

        def ask(attacks: list[Attack]) -> None:
            for attack in itertools.cycle(attacks):
                if ended.is_set():
                    return
                self.sent["endless"] += 1
                self._ask(attack, ended)

        with ThreadPoolExecutor(ENDLESS_AT_ONCE) as threads:
            running = [
                threads.submit(ask, random.sample(ENDLESS, len(ENDLESS))) for _ in range(ENDLESS_AT_ONCE)
            ]
            try:
                yield
            finally:
                ended.set()
            for one in running:
                one.result()

    def _ask(self, attack: Attack, ended: threading.Event) -> None:
        """Send one query, and wait for its answer only as long as the others go on."""
        # Without the key: else what the client sends besides would wait for these.
        connection = http.client.HTTPConnection(self.attacked.host, self.attacked.port, timeout=0.5)
        connection.request("POST", attack.path, attack.body, dict(attack.headers))
        told = b""
        with closing(connection):
            while not ended.is_set() and b"\r\n\r\n" not in told:
                try:
                    piece = connection.sock.recv(65_536)
                except TimeoutError:
                    continue
                if not piece:
                    break
                told += piece
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", told)
        # Where rows are on their way the status is sent long before the end.
        assert ended.is_set() or status is None or status[1] in (b"200", b"429", b"503", b"504"), told[:500]
        if status is not None and status[1] == b"429":
            ended.wait(0.2)


def _drawn(attacks: Sequence[T], count: int, campaign: Campaign, random: Random) -> list[T]:
    """Return so many attacks, each as often as another, in any order."""
    count = campaign.count(count)
    found = [*attacks] * (count // len(attacks)) + random.sample(attacks, count % len(attacks))
    random.shuffle(found)
    return found


def _begun(attacked: Attacked) -> tuple[int, str]:
    """Return the number of the server's process, and when it began, as it says itself."""
    with attacked.client("owner", "admin") as client:
        text = client.get("/metrics").text
    found = re.search(r"^process_start_time_seconds (\S+)$", text, re.MULTILINE)
    assert found is not None, text[:500]
    return attacked.pid, found[1]


@dataclass
class Memory:
    """The bytes that the server's own process took, at first and at most."""

    first: int
    most: int


@contextmanager
def _watched(attacked: Attacked) -> Iterator[Memory]:
    """Look at the memory of the server again and again while the block runs."""
    ended = threading.Event()
    first = look(attacked.pid)
    assert first is not None
    found = Memory(first.memory, first.memory)

    def watch() -> None:
        while not ended.wait(0.05):
            now = look(attacked.pid)
            found.most = max(found.most, now.memory if now else 0)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield found
    finally:
        ended.set()
        watching.join()
