"""`demo` and `serve` as a person starts them: a process, an address, a page, an end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from battpass.kg.home import Home
from battpass.kg.namespaces import node
from battpass.services.cli.fleet import load_fleet
from tests.cli.conftest import Battpass, tree

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
        assert process.wait(timeout=30) == 0
    Home.open(home).close()


@pytest.fixture
def small(battpass: Battpass) -> Callable[..., object]:
    return lambda *more: battpass("demo", "--no-serve", "--size", 2, *more)


def test_the_fleet_is_loaded_once(small, home: Path) -> None:
    assert small().status == 0
    before = {
        name: data for name, data in tree(home).items() if name.startswith(("passports", "models", "home"))
    }
    assert small().status == 0
    assert before.items() <= tree(home).items()


def test_another_size_or_seed_is_another_fleet(small, home: Path) -> None:
    small()
    with Home.open(home, read_only=True) as kept:
        first = set(kept.records())
    done = small("--size", 3, "--seed", 2, "--json")
    assert done.document["passports"] == 3
    with Home.open(home, read_only=True) as kept:
        assert len(kept) == 3
        assert first < set(kept.records()), "the published examples come first in every fleet"


def test_examples_come_with_what_their_format_cannot_hold() -> None:
    symbol = node("bp:separateCollectionSymbol")
    with Home.in_memory() as home:
        load_fleet(home, 12, 1, lambda payloads, total: payloads)
        stated = {quad.predicate for record in home.records() for quad in home.passport(record).quads()}
    assert symbol in stated


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
