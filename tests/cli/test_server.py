"""`demo` and `serve` as a person starts them: a process, an address, a page, an end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from battpass.kg.errors import DamagedHome, NotFound
from battpass.kg.home import Home, Stage
from battpass.kg.namespaces import node
from battpass.services.cli.fleet import load_fleet
from battpass.services.exchange.intake import Intake
from tests.cli.conftest import Battpass, tree
from tests.cli.test_import import is_there, wait_for

COUNT = "SELECT (COUNT(*) AS ?n) { ?p a bp:BatteryPassport }"


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Start a command that serves; yield it with what it printed up to the invitation to stop it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "battpass", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    assert process.stdout is not None
    printed = []
    with process, process.stdout:
        try:
            for line in process.stdout:
                printed.append(line)
                if line.startswith("Stop with"):
                    break
            assert process.poll() is None, "".join(printed)
            yield process, printed
        finally:
            process.kill()


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return str(answer.read().decode())


def is_ready(address: str) -> bool:
    """Return whether a server can answer queries; its datasets open when it listens already."""
    try:
        return bool(fetch(f"{address}/readyz"))
    except urllib.error.HTTPError as error:
        assert error.code == 503
        return False


@pytest.mark.slow
def test_demo_loads_the_fleet_serves_it_and_ends(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started("--home", str(home), "demo", "--size", "3", "--port", "0") as (process, printed):
        text = "".join(printed)
        assert "keeps 3 passports of the example fleet, seed 1." in text
        address = re.search(r"Pages +(http://127\.0\.0\.1:\d+)/", text)[1]  # type: ignore[index]
        passport = re.search(r"Passport +(http\S+)", text)[1]  # type: ignore[index]
        assert "<html" in fetch(f"{address}/")
        assert "<html" in fetch(passport)
        wait_for(lambda: is_ready(address))
        answer = json.loads(fetch(f"{address}/sparql?query={urllib.parse.quote(COUNT)}"))
        assert answer["results"]["bindings"][0]["n"]["value"] == "3"
        # Beside the server one can ask, and is told why one cannot write.
        ask = [sys.executable, "-m", "battpass", "--home", str(home)]
        asked = subprocess.run([*ask, "query", COUNT], capture_output=True, text=True, check=True)
        assert asked.stdout.split() == ["n", "3"]
        refused = subprocess.run([*ask, "demo", "--no-serve"], capture_output=True, text=True, check=False)
        assert refused.returncode == 2
        assert f"Process {process.pid} writes to" in refused.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    Home.open(home).close()


@pytest.mark.slow
def test_sigterm_ends_a_server_with_all_its_processes(battpass: Battpass, home: Path, example) -> None:
    battpass("import", "--publish", example("ev-lfp-60"))
    with started("--home", str(home), "serve", "--port", "0") as (process, printed):
        address = re.search(r"Pages +(http://127\.0\.0\.1:\d+)/", "".join(printed))[1]  # type: ignore[index]
        wait_for(lambda: is_ready(address))
        assert json.loads(fetch(f"{address}/sparql?query={urllib.parse.quote(COUNT)}"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        wait_for(lambda: not is_there(process.pid))
    with Home.open(home) as kept:
        assert len(kept) == 1


@pytest.mark.slow
def test_a_demo_that_is_cut_off_goes_on_where_it_was(battpass: Battpass, home: Path) -> None:
    arguments = ["--home", str(home), "demo", "--no-serve", "--size", "230"]
    with subprocess.Popen([sys.executable, "-m", "battpass", *arguments], start_new_session=True) as process:
        try:
            wait_for(lambda: held(home) >= 200)
        finally:
            process.kill()
    before = held(home)
    wait_for(lambda: not is_there(process.pid))
    assert battpass("demo", "--no-serve", "--size", 230, "--json").document["passports"] == 230
    with Home.open(home, read_only=True) as kept:
        assert before >= 200
        assert {entry.version for entry in kept.entries()} == {1}


def held(home: Path) -> int:
    """Return how many passports a home holds, none while it is not there."""
    try:
        with Home.open(home, read_only=True) as kept:
            return len(kept)
    except (NotFound, DamagedHome):
        return 0


@pytest.fixture
def small(battpass: Battpass) -> Callable[..., object]:
    return lambda *more: battpass("demo", "--no-serve", "--size", 2, *more)


def test_the_fleet_is_loaded_once_and_as_a_trusted_one(small, home: Path) -> None:
    assert small().status == 0
    with Home.open(home, read_only=True) as kept:
        before = kept.journal.head
        assert {entry.source for entry in kept.entries()} == {"demo --size 2 --seed 1"}
        assert {(entry.stage, entry.checked) for entry in kept.entries()} == {(Stage.PUBLISHED, False)}
    assert small().status == 0
    with Home.open(home, read_only=True) as kept:
        assert kept.journal.head == before


def test_another_size_or_seed_begins_the_demo_anew(battpass: Battpass, small, home: Path) -> None:
    battpass("key", "create", "--audience", "owner")  # makes no home, and is refused
    small()
    battpass("key", "create", "--audience", "owner")
    with Home.open(home, read_only=True) as kept:
        first = set(kept.records())
    done = small("--size", 3, "--seed", 2, "--json")
    assert done.document["passports"] == 3
    with Home.open(home, read_only=True) as kept:
        assert len(kept) == 3
        assert first < set(kept.records()), "the published examples come first in every fleet"
        assert all(entry.version == 1 for entry in kept.entries()), "of the fleet before, nothing is left"
    assert battpass("journal", "verify").status == 0
    assert battpass("query", COUNT).out.split() == ["n", "3"]
    assert len(battpass("key", "list", "--json").document["keys"]) == 1


def test_a_demo_with_a_passport_that_came_later_is_left_alone(
    battpass: Battpass, small, home: Path, example
) -> None:
    small()
    later = battpass("import", example("sta-lfp-10"), "--json").document["results"][0]
    assert later["outcome"] == "added"  # none of those two
    battpass("archive", later["record"], "--reason", "recycled")
    with Home.open(home, read_only=True) as kept:
        before = kept.journal.head
    done = small("--size", 3)
    assert done.status == 2
    assert "holds 1 passports that are not of the example fleet" in done.err
    with Home.open(home, read_only=True) as kept:
        assert kept.journal.head == before


def test_examples_come_with_what_their_format_cannot_hold(intake: Intake) -> None:
    symbol = node("bp:separateCollectionSymbol")
    with Home.in_memory() as home:
        load_fleet(home, intake, 12, 1, lambda results, total: results)
        stated = {quad.predicate for record in home.records() for quad in home.passport(record).quads()}
        originals = [home.original(record) for record in home.records()]
    assert symbol in stated
    assert all(json.loads(original)["metadata"] for original in originals), "the document stays as it came"


def test_a_home_with_other_passports_is_left_alone(battpass: Battpass, small, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    before = tree(home)
    done = small()
    assert done.status == 2
    assert "battpass --home demo demo" in done.err
    assert tree(home) == before


def test_a_port_in_use_is_refused(battpass: Battpass, example) -> None:
    battpass("import", example("ev-lfp-60"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = battpass("serve", "--port", taken.getsockname()[1])
    assert done.status == 2
    assert "Name another with --port, or 0 for a free one" in done.err


def test_an_address_of_another_machine_is_refused(battpass: Battpass, example) -> None:
    battpass("import", example("ev-lfp-60"))
    done = battpass("serve", "--host", "203.0.113.7", "--port", 0)
    assert done.status == 2
    assert "cannot be had" in done.err
