"""SIGKILL at a random moment under eight writing clients: what they were told is there, whole, no more."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from battpass.kg.home import Home
from battpass.kg.journal.verify import verify
from benchmarks.campaigns import Campaign
from tests.durability.clients import CLIENTS, Group, Own, SmallWrites, Tally, write
from tests.durability.ledger import Counts, Ledger
from tests.durability.processes import Started, spread, started

ROUNDS = 400
# A home lives through so many rounds, so that histories grow.
ROUNDS_OF_A_HOME = 25
MOST_WRITES = 240


@pytest.mark.slow
def test_what_a_killed_writer_acknowledged_is_there(campaign: Campaign, tmp_path: Path) -> None:
    random = campaign.random("killed writers")
    counts, restarts, groups = Counts(), [], Group()
    for first in range(0, campaign.count(ROUNDS), ROUNDS_OF_A_HOME):
        folder, ledger = tmp_path / f"home-{first}", Ledger(counts, SmallWrites())
        clients = [Own(1_000_000 * number) for number in range(1, CLIENTS + 1)]
        for number in range(first, min(first + ROUNDS_OF_A_HOME, campaign.count(ROUNDS))):
            counts.rounds += 1
            with started("-m", "tests.durability.writer", folder) as writer:
                if random.random() < 0.1:
                    threading.Event().wait(
                        random.uniform(0, 0.4)
                    )  # killed while it starts, more often than not
                    writer.kill()
                    continue
                restarts.append(_round(writer, number, folder, ledger, clients, random, groups))
            assert not counts.problems, f"seed {campaign.seed}, round {number}: {counts.problems[:5]}"
        with Home.open(folder) as home:
            ledger.compare(home)
            ledger.compare_present(home)
            counts.problems += verify(folder / "journal.sqlite", folder / "head").problems
        assert not counts.problems, f"seed {campaign.seed}, home {first}: {counts.problems[:5]}"
    figures = {
        "clients": CLIENTS,
        **counts.figures(),
        "entries to a commit": round(groups.entries / groups.commits, 2),
        "restart to ready, ms": spread(restarts),
    }
    campaign.record("durability_killed_writers", "cut-down examples, 8 clients on Home in a process", figures)


def _round(
    writer: Started,
    number: int,
    folder: Path,
    ledger: Ledger,
    clients: list[Own],
    random: Random,
    groups: Group,
) -> float:
    """Let the clients write, kill, and return how long the writer took to be ready."""
    ready = writer.wait_for("ready")
    assert ready is not None, writer.text()
    seconds = writer.seconds()
    with Home.open(folder, read_only=True) as home:
        ledger.compare(home)
    tally, group = Tally(), Group()
    with ThreadPoolExecutor(CLIENTS) as threads:
        running = [
            threads.submit(
                write, int(ready.split()[1]), f"{number}-{own.first}", own, ledger, seeded, tally, group
            )
            for own in clients
            for seeded in [Random(random.random())]
        ]
        try:
            enough = tally.wait_for(random.randint(1, MOST_WRITES))
            threading.Event().wait(random.uniform(0, 0.003))
        finally:
            writer.kill()
        for one in running:
            one.result()
    assert enough, f"Acknowledgements stopped coming: {writer.text()}"
    groups.commits += group.commits
    groups.entries += group.entries
    return seconds
