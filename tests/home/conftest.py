"""Homes of both kinds, and arrivals made from the published examples."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from battpass.kg.home import Arrival, Home
from battpass.services.exchange.registry import detect
from benchmarks.campaigns import ROOT

NAMES = ("ev-lfp-60", "ev-lfp-60-taxi", "lmt-nmc811-33")  # the first two are of one model

Change = Callable[[dict[str, Any]], None]


def document(name: str, change: Change | None = None) -> bytes:
    """Return an example, changed if need be."""
    data = (ROOT / "examples/passports" / f"{name}.json").read_bytes()
    if change is None:
        return data
    payload = json.loads(data)
    change(payload)
    return json.dumps(payload).encode()


def arrival(name: str, change: Change | None = None) -> Arrival:
    """Return an example on its way in, not checked against the shapes."""
    data = document(name, change)
    known = detect(data)
    loaded = known.load(data)
    return Arrival.of(loaded.passport, loaded.findings, data, known.name, f"{name}.json")


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def arrivals() -> tuple[Arrival, ...]:
    return tuple(arrival(name) for name in NAMES)


@pytest.fixture(params=["memory", "folder"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """An empty home of each kind."""
    made = Home.in_memory() if request.param == "memory" else Home.open(tmp_path / "home", create=True)
    with made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, arrivals: tuple[Arrival, ...]) -> Path:
    """A folder with three passports, closed."""
    with Home.open(tmp_path / "kept", create=True) as home:
        home.put_many(arrivals, trusted=True)
    return tmp_path / "kept"
