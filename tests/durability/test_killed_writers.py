"""SIGKILL at a random moment under eight writing clients: what they were told is there, whole, no more."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
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
ENDED_ROUNDS = 50
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
                restarts.append(_round(writer, number, folder, ledger, clients, random, groups, writer.kill))
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


@pytest.mark.slow
def test_what_a_writer_acknowledged_while_it_was_ended_is_there(campaign: Campaign, tmp_path: Path) -> None:
    random, rounds = campaign.random("ended writers"), campaign.count(ENDED_ROUNDS)
    counts, groups, ended_by_itself = Counts(), Group(), 0
    ledger, clients = Ledger(counts, SmallWrites()), [Own(1_000_000 * one) for one in range(1, CLIENTS + 1)]
    for number in range(rounds):
        counts.rounds += 1
        with started("-m", "tests.durability.writer", tmp_path / "home") as writer:
            end = partial(writer.end_and_kill, random.choice([0, random.uniform(0, 0.05), 1]))
            _round(writer, number, tmp_path / "home", ledger, clients, random, groups, end)
            ended_by_itself += writer.process.returncode == 0
        assert not counts.problems, f"seed {campaign.seed}, round {number}: {counts.problems[:5]}"
    with Home.open(tmp_path / "home") as home:
        ledger.compare(home)
        ledger.compare_present(home)
    counts.problems += verify(tmp_path / "home/journal.sqlite", tmp_path / "home/head").problems
    assert not counts.problems, f"seed {campaign.seed}: {counts.problems[:5]}"
    figures = {"clients": CLIENTS, **counts.figures(), "ended before it was killed": ended_by_itself}
    campaign.record("durability_killed_shutdown", "SIGTERM, and SIGKILL up to 1 s later", figures)


def _round(
    writer: Started,
    number: int,
    folder: Path,
    ledger: Ledger,
    clients: list[Own],
    random: Random,
    groups: Group,
    end: Callable[[], None],
) -> float:
    """Let the clients write, end the writer, and return how long it took to be ready."""
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
            end()
        for one in running:
            one.result()
    assert enough, f"Acknowledgements stopped coming: {writer.text()}"
    groups.commits += group.commits
    groups.entries += group.entries
    return seconds
