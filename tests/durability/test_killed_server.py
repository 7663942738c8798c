"""SIGKILL at a random moment of a server under eight clients: what it acknowledged is there, and whole."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
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
# A home lives through so many rounds, so that histories grow.
ROUNDS_OF_A_HOME = 20
MOST_WRITES = 16
# Of so many rounds one is cut off while the server starts, mostly.
CUT_OFF_AT_START = 0.1


@pytest.mark.slow
def test_what_a_killed_server_acknowledged_is_there(campaign: Campaign, tmp_path: Path) -> None:
    random, rounds = campaign.random("killed servers"), campaign.count(ROUNDS)
    counts, restarts = Counts(), []
    for first in range(0, rounds, ROUNDS_OF_A_HOME):
        folder, ledger = tmp_path / f"home-{first}", Ledger(counts, ServerWrites())
        clients = _clients(folder)
        for number in range(first, min(first + ROUNDS_OF_A_HOME, rounds)):
            counts.rounds += 1
            with started("-m", "battpass", "--home", folder, "serve", "--port", "0") as server:
                if random.random() < CUT_OFF_AT_START:
                    Event().wait(random.uniform(0, 2))
                    continue
                restarts.append(_round(server, number, folder, ledger, clients, random))
            assert not counts.problems, f"seed {campaign.seed}, round {number}: {counts.problems[:5]}"
        with Home.open(folder) as home:
            ledger.compare(home)
            ledger.compare_present(home)
        counts.problems += verify(folder / "journal.sqlite", folder / "head").problems
        assert not counts.problems, f"seed {campaign.seed}, home {first}: {counts.problems[:5]}"
    figures = {"clients": CLIENTS, **counts.figures(), "restart to ready, ms": spread(restarts)}
    campaign.record("durability_killed_server", "ind-lead-37 with new numbers, 8 clients over HTTP", figures)


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
    server: Started, number: int, folder: Path, ledger: Ledger, clients: list[OwnPassports], random: Random
) -> float:
    """Let the clients write, kill, and return how long the server took to be ready."""
    address = _ready(server)
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
            server.kill()
        for one in running:
            one.result()
    assert enough, f"Acknowledgements stopped coming: {server.text()}"
    return seconds


def _ready(server: Started) -> str:
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
