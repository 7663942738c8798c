"""Datasets asked beside another process that writes: what is told is whole, and never goes back."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from battpass.kg.errors import HomeInUse
from battpass.kg.home import Home
from battpass.kg.home.queries import Queries
from benchmarks.campaigns import ROOT
from tests.home.small import arrival, record

PATIENCE_SECONDS = 120.0
VALUES = "SELECT ?v { ?battery <https://example.org/value> ?v } ORDER BY ?v"

# Puts the same value into two passports, one write after the other, and says which were acknowledged.
WRITER = """
import itertools, sys
from battpass.kg.home import Home
from tests.home.small import arrival
with Home.open(sys.argv[1]) as home:
    home.queries("public")
    home.follow()
    for value in itertools.count(1):
        home.put_many([arrival(1, value), arrival(2, value)])
        print(value, flush=True)
"""


def values(queries: Queries) -> list[int]:
    try:
        return [int(row) for row in queries.query(VALUES, "csv").read().split()[1:]]
    finally:
        queries.close()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two passports that say 0, and a dataset."""
    folder = tmp_path_factory.mktemp("built") / "home"
    with Home.open(folder, create=True) as home:
        home.put_many([arrival(1, 0), arrival(2, 0)])
        home.dataset("public")
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(built, tmp_path / "home"))


@pytest.fixture
def writing(folder: Path) -> Iterator[Callable[[], int]]:
    """A process that writes all the while; ends it, and returns the last value that was acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    with process, process.stdout as stdout:
        said = [stdout.readline()]

        def end() -> int:
            process.kill()
            said.extend(stdout)
            return int(said[-1])

        yield end
        process.kill()


def test_each_answer_beside_a_writing_process_is_whole_and_newer(
    folder: Path, writing: Callable[[], int]
) -> None:
    seen: list[int] = []
    until = time.monotonic() + PATIENCE_SECONDS
    with Home.open(folder, read_only=True) as reader:
        while len(set(seen)) < 4 and time.monotonic() < until:
            one, other = values(reader.queries("public"))
            assert one == other, "half of a write was shown"
            seen.append(one)
        assert seen == sorted(seen)
        assert len(set(seen)) >= 4, "the answers did not follow the writer"


def test_whatever_a_killed_process_acknowledged_is_told_by_the_next_reader(
    folder: Path, writing: Callable[[], int]
) -> None:
    with Home.open(folder, read_only=True) as reader:
        assert len(values(reader.queries("public"))) == 2
        last = writing()
        one, other = values(reader.queries("public"))
        assert one == other >= last
        assert reader.is_built("public")


def test_queries_that_are_open_outlive_the_writing_process(folder: Path, writing: Callable[[], int]) -> None:
    with Home.open(folder, read_only=True) as reader:
        queries = reader.queries("public")
        before = queries.query(VALUES, "csv").read()
        writing()
        with Home.open(folder) as writer:
            writer.put(arrival(3, 7))
            writer.dataset("public")
            assert queries.query(VALUES, "csv").read() == before
        queries.close()


def test_a_dataset_that_is_being_built_is_not_asked(folder: Path) -> None:
    """Whoever asks beside the first build is told to wait, not that there is nothing."""
    told: list[str] = []

    def watch(records: object, total: int) -> Iterator[str]:
        assert total == 2
        with Home.open(folder, read_only=True) as reader, pytest.raises(HomeInUse) as error:
            reader.queries("interest")
        told.append(str(error.value))
        yield from (record(1), record(2))

    with Home.open(folder) as writer:
        writer.dataset("interest", watch)
        with Home.open(folder, read_only=True) as reader:
            assert values(reader.queries("interest")) == [0, 0]
    assert len(told) == 1 and told[0].endswith("Try again in a moment.")
    assert list((folder / "datasets/interest/readers").iterdir()) == []


def test_a_reader_of_a_folder_writes_no_entry_and_keeps_no_lock(folder: Path) -> None:
    with Home.open(folder, read_only=True) as reader:
        assert values(reader.queries("public")) == [0, 0]
        for write in (
            lambda: reader.put(arrival(1, 1)),
            lambda: reader.publish(record(1), report=b""),
            lambda: reader.archive(record(1)),
            lambda: reader.dataset("public"),
            lambda: reader.follow(),
            lambda: reader.rebuild(),
        ):
            before = reader.sequence
            with pytest.raises(HomeInUse, match=r"open for reading only\. Open it for writing"):
                write()
            assert reader.sequence == before
        with Home.open(folder) as writer:
            assert writer.put(arrival(1, 1)).version == 2
            assert reader.entry(record(1)).version == 2
