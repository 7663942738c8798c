"""Hostile queries end in a clear error, with the guard and without it, and honest ones go on."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import Store

from battpass.kg.dataset import Dataset, Limits, Walls
from battpass.kg.dataset.guard import check
from battpass.kg.errors import BattPassError, DeadlineExceeded, QueryFailed, QueryRefused
from tests.dataset.conftest import RECORD, Canary, battery, web
from tests.dataset.hostile import HEAVY, MISSHAPEN, REACHING_OUT

HONEST = f"SELECT ?c {{ <{RECORD}#battery> bp:ratedCapacityAh ?c }}"
DEADLINE = 0.2
WALLS = Walls(memory=128 << 20)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    with Dataset.open(tmp_path_factory.mktemp("guarded"), walls=WALLS) as dataset:
        yield filled(dataset)


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dataset]:
    with Dataset.open(tmp_path_factory.mktemp("unguarded"), walls=WALLS, limits=None) as dataset:
        dataset.replace(RECORD, battery(RECORD))
        dataset.flush()
        yield dataset


def filled(dataset: Dataset) -> Dataset:
    dataset.replace_many([(RECORD, battery(RECORD)), (f"{RECORD}-web", web(f"{RECORD}-web", 2_000))])
    dataset.flush()
    assert dataset.query(HONEST, "csv").read() == b"c\r\n94\r\n"
    return dataset


def is_clear(error: BattPassError) -> bool:
    """Whether an error is a sentence or two, short enough to read, with a next step."""
    return bool(re.fullmatch(r"(line \d+, column \d+: )?[^\n]{20,600}\.", str(error)))


def assert_goes_on(dataset: Dataset) -> None:
    """The writer writes, and an honest query is answered."""
    dataset.replace(RECORD, battery(RECORD, 95))
    dataset.replace(RECORD, battery(RECORD, 94))
    assert dataset.query(HONEST, "csv", 5.0).read() == b"c\r\n94\r\n"


@pytest.mark.parametrize("name", MISSHAPEN | REACHING_OUT)
def test_guard_refuses(name: str, guarded: Dataset, unheard: Callable[[str], str]) -> None:
    text = unheard((MISSHAPEN | REACHING_OUT)[name])
    with pytest.raises(QueryRefused, match=r"^line \d+, column \d+: ") as caught:
        guarded.query(text)
    assert is_clear(caught.value)
    assert_goes_on(guarded)


@pytest.mark.parametrize("name", MISSHAPEN)
def test_wall_alone_holds(name: str, unguarded: Dataset) -> None:
    began = time.monotonic()
    try:
        unguarded.query(MISSHAPEN[name], deadline=DEADLINE).read()
    except (QueryFailed, QueryRefused) as error:
        assert is_clear(error)
    assert time.monotonic() - began < DEADLINE + 0.5
    assert_goes_on(unguarded)


@pytest.mark.parametrize("name", REACHING_OUT)
def test_wall_alone_lets_nothing_out(name: str, unguarded: Dataset, unheard: Callable[[str], str]) -> None:
    try:
        unguarded.query(unheard(REACHING_OUT[name]), deadline=5.0).read()
    except QueryFailed as error:
        assert is_clear(error)
    else:
        assert "SILENT" in name or "EXISTS" in name  # where an error counts as no solution
    assert_goes_on(unguarded)


@pytest.mark.parametrize("name", HEAVY)
def test_wall_ends_what_passes_the_guard(name: str, guarded: Dataset) -> None:
    check(HEAVY[name], Limits())
    began = time.monotonic()
    with pytest.raises(QueryFailed) as caught:
        guarded.query(HEAVY[name], deadline=DEADLINE).read()
    assert time.monotonic() - began < DEADLINE + 0.5
    assert is_clear(caught.value)
    assert_goes_on(guarded)


def test_engine_in_process_would_call_out(canary: Canary) -> None:
    """The canary sings: without a wall the engine calls it."""
    before = canary.hits
    with pytest.raises(OSError):
        list(Store().query(f"SELECT * {{ SERVICE <{canary.url}> {{ ?s ?p ?o }} }}"))  # type: ignore[arg-type]
    assert canary.hits > before


@pytest.mark.parametrize("wall", ["filter_calls", "take_descriptors"])
def test_each_wall_alone_keeps_off_the_network(
    wall: str, tmp_path: Path, unheard: Callable[[str], str]
) -> None:
    other = {"filter_calls": "take_descriptors", "take_descriptors": "filter_calls"}[wall]
    walls = replace(WALLS, **{other: False})
    with Dataset.open(tmp_path, walls=walls, limits=None) as dataset:
        dataset.replace(RECORD, battery(RECORD))
        dataset.flush()
        with pytest.raises(QueryFailed, match="could not answer"):
            dataset.query(unheard("SELECT * { SERVICE <CANARY> { ?s ?p ?o } }")).read()
        assert_goes_on(dataset)


@pytest.mark.parametrize("deadline", [0.2, 0.7])
def test_deadline_is_kept_within_half_a_second(deadline: float, guarded: Dataset) -> None:
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=f"after {deadline:g} s"):
        guarded.query(HEAVY["cross product of three, counted"], deadline=deadline)
    assert deadline <= time.monotonic() - began <= deadline + 0.5


def test_honest_queries_are_answered_beside_a_hostile_one(guarded: Dataset) -> None:
    ended: list[Exception] = []

    def ask() -> None:
        try:
            guarded.query(HEAVY["cross product of three, counted"], deadline=1.0)
        except QueryFailed as error:
            ended.append(error)

    hostile = threading.Thread(target=ask)
    hostile.start()
    answered = 0
    while hostile.is_alive():
        assert guarded.query(HONEST, "csv", 1.0).read() == b"c\r\n94\r\n"
        answered += 1
    hostile.join()
    assert len(ended) == 1
    assert answered > 10
