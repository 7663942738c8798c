"""SIGKILL at a random moment of a server under eight clients: what it acknowledged is there, and whole."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from random import Random
from threading import Event

import httpx
import pytest

from battpass.kg.home import Home
from battpass.kg.journal.verify import verify
from battpass.kg.keys import FILE, KeyRing
from benchmarks.campaigns import Campaign
from tests.durability.clients import CLIENTS, Tally
from tests.durability.ledger import Counts, Ledger
from tests.durability.processes import PATIENCE_SECONDS, Started, spread, started
from tests.durability.server_clients import OwnPassports, ServerWrites, write

ROUNDS = 100
ENDED_ROUNDS = 10
# A home lives through so many rounds, so that histories grow.
ROUNDS_OF_A_HOME = 20
MOST_WRITES = 12
# Servers wait for their disks and processes, so two of them keep one machine busy.
AT_THE_SAME_TIME = 2
# Of so many rounds one is cut off while the server starts, mostly.
CUT_OFF_AT_START = 0.1


@pytest.mark.slow
def test_what_a_killed_server_acknowledged_is_there(campaign: Campaign, tmp_path: Path) -> None:
    rounds = campaign.count(ROUNDS)
    lives = [
        range(first, min(first + ROUNDS_OF_A_HOME, rounds)) for first in range(0, rounds, ROUNDS_OF_A_HOME)
    ]
    with ThreadPoolExecutor(AT_THE_SAME_TIME) as threads:
        lived = list(threads.map(lambda life: _live(campaign, tmp_path / f"home-{life[0]}", life), lives))
    counts = Counts.of(ledger.counts for ledger, _ in lived)
    restarts = [seconds for _, times in lived for seconds in times]
    figures = {
        "clients": CLIENTS,
        "servers at the same time": min(len(lives), AT_THE_SAME_TIME),
        **counts.figures(),
        "restart to ready, ms": spread(restarts),
    }
    campaign.record("durability_killed_server", "ind-lead-37 with new numbers, 8 clients over HTTP", figures)


@pytest.mark.slow
def test_what_a_server_acknowledged_while_it_was_ended_is_there(campaign: Campaign, tmp_path: Path) -> None:
    random, ledger = campaign.random("ended servers"), Ledger(Counts(), ServerWrites())
    clients = _clients(tmp_path / "home")
    for number in range(campaign.count(ENDED_ROUNDS)):
        with _serving(tmp_path / "home") as server:
            end = partial(server.end_and_kill, random.uniform(0, 0.5))
            _round(server, number, tmp_path / "home", ledger, clients, random, end)
        _check(ledger, tmp_path / "home")


def _live(campaign: Campaign, folder: Path, rounds: range) -> tuple[Ledger, list[float]]:
    """Let a home live through some rounds; return what clients found, and the seconds of each start."""
    random = campaign.random(f"killed servers {rounds[0]}")
    ledger, clients, restarts = Ledger(Counts(), ServerWrites()), _clients(folder), []
    for number in rounds:
        ledger.counts.rounds += 1
        with _serving(folder) as server:
            if random.random() < CUT_OFF_AT_START:
                Event().wait(random.uniform(0, 2))
                continue
            restarts.append(_round(server, number, folder, ledger, clients, random, server.kill))
        problems = ledger.counts.problems
        assert not problems, f"seed {campaign.seed}, round {number}: {problems[:5]}"
    _check(ledger, folder)
    return ledger, restarts


def _serving(folder: Path) -> AbstractContextManager[Started]:
    return started("-m", "battpass", "--home", folder, "serve", "--port", "0")


def _check(ledger: Ledger, folder: Path) -> None:
    with Home.open(folder) as home:
        ledger.compare(home)
        ledger.compare_present(home)
    problems = [*ledger.counts.problems, *verify(folder / "journal.sqlite", folder / "head").problems]
    assert not problems, f"{folder.name}: {problems[:5]}"


def _clients(folder: Path) -> list[OwnPassports]:
    """Make a home, and the keys of the clients."""
    Home.open(folder, create=True).close()
    ring = KeyRing(folder / FILE)
    tokens = [ring.create("owner", ["read", "write", "publish", "archive"]).token for _ in range(CLIENTS)]
    ring.close()
    return [
        OwnPassports(1_000_000 * number, {"Authorization": f"Bearer {token}"})
        for number, token in enumerate(tokens, 1)
    ]


def _round(
    server: Started,
    number: int,
    folder: Path,
    ledger: Ledger,
    clients: list[OwnPassports],
    random: Random,
    end: Callable[[], None],
) -> float:
    """Let the clients write, end the server, and return how long it took to be ready."""
    address = ready(server)
    seconds = server.seconds()
    with Home.open(folder, read_only=True) as home:
        ledger.compare(home)
    tally = Tally()
    with ThreadPoolExecutor(CLIENTS) as threads:
        running = [
            threads.submit(write, address, f"{number}-{own.first}", own, ledger, seeded, tally)
            for own in clients
            for seeded in [Random(random.random())]
        ]
        try:
            enough = tally.wait_for(random.randint(1, MOST_WRITES))
            Event().wait(random.uniform(0, 0.03))
        finally:
            end()
        for one in running:
            one.result()
    assert enough, f"Acknowledgements stopped coming: {server.text()}"
    return seconds


def ready(server: Started) -> str:
    """Wait until a server is ready, and return its address."""
    line = server.wait_for("Pages ")
    assert line is not None, server.text()
    found = re.search(r"http://\S+[^/\s]", line)
    assert found is not None
    until = time.monotonic() + PATIENCE_SECONDS
    with httpx.Client(base_url=found[0], timeout=PATIENCE_SECONDS, trust_env=False) as client:
        while time.monotonic() < until:
            try:
                answer = client.get("/readyz", params={"for": "write"})
            except httpx.TransportError:  # it listens before it answers
                assert server.process.poll() is None, server.text()
            else:
                if answer.status_code == 200:
                    return found[0]
            Event().wait(0.01)
    raise AssertionError(f"The server was never ready: {server.text()}")
