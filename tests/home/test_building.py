"""A dataset that a process of its own builds is the one that this process would build."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from battpass.kg.errors import BattPassError
from battpass.kg.home import Home, Stage
from battpass.kg.home.building import build
from battpass.kg.home.stamp import STAMP
from tests.home import small

COUNT = 250
ENOUGH_SECONDS = 120


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Home.open(tmp_path / "home", create=True) as made:
        made.put_many([small.arrival(number) for number in range(COUNT)], trusted=True)
        made.put(small.arrival(COUNT), stage=Stage.DRAFT)
    return tmp_path / "home"


def test_what_is_built_apart_is_what_is_built_here(home: Path) -> None:
    told: list[tuple[int, int]] = []
    with Home.open(home) as writing:  # as a server does, which keeps the home to itself
        build(home, "owner", lambda done, count: told.append((done, count)))
        assert writing.is_built("owner")
        apart = writing.dataset("owner").digest()
        writing.rebuild()
        assert writing.dataset("owner").digest() == apart
    count = COUNT + 1
    assert told == [(0, count), (100, count), (200, count), (count, count)]


def test_it_ends_when_nobody_wants_it_any_more(home: Path) -> None:
    class Enough(Exception):
        pass

    def enough(done: int, count: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        build(home, "public", enough)
    assert not (home / "datasets" / "public" / STAMP).exists()
    with Home.open(home) as after:
        assert len(after.dataset("public").records()) > COUNT


def test_it_ends_with_its_parent(home: Path) -> None:
    parent = (
        "import sys, pathlib; from battpass.kg.home.building import build; "
        "build(pathlib.Path(sys.argv[1]), 'public', lambda done, count: (print(done, flush=True), input()))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        process.kill()
    until = time.monotonic() + ENOUGH_SECONDS
    while True:  # its store is free as soon as it has ended
        try:
            with Home.open(home) as after:
                assert len(after.dataset("public").records()) > COUNT
            return
        except BattPassError:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_what_goes_wrong_there_is_told_here(home: Path) -> None:
    with pytest.raises(BattPassError, match="nobody"):
        build(home, "nobody", lambda done, count: None)
