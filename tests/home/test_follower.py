"""The applier: gathers writes, shows them together, and keeps neither readers nor writers waiting."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from battpass.kg.errors import Overdue
from battpass.kg.home import Home, follower
from battpass.kg.home.stamp import STAMP
from tests.home.small import arrival, record

PATIENCE_SECONDS = 120.0
VALUES = "SELECT ?v { ?battery <https://example.org/value> ?v } ORDER BY ?v"


def values(home: Home, audience: str = "public") -> list[int]:
    return [int(row) for row in home.queries(audience).query(VALUES, "csv").read().split()[1:]]


def appliers() -> int:
    return sum(thread.name == "battpass-applier" for thread in threading.enumerate())


@pytest.fixture
def home() -> Iterator[Home]:
    """A home with a passport and its public dataset, which follows."""
    with Home.in_memory() as made:
        made.put(arrival(1, 0))
        made.queries("public")
        made.follow()
        yield made


def test_writes_are_gathered_for_a_second(home: Home) -> None:
    shown = [home.shown("public")]
    began = time.monotonic()
    writes = 0
    while time.monotonic() - began < 3.5:
        writes += 1
        home.put(arrival(1, writes))
        if home.shown("public") != shown[-1]:
            shown.append(home.shown("public"))
    took = time.monotonic() - began
    last = home.sequence
    assert home.wait("public", last, PATIENCE_SECONDS) == last
    assert values(home) == [writes]
    # One is shown at once, as nothing was shown the second before; then there is one a second at most.
    assert len(shown) - 1 <= took / follower.GATHERED_SECONDS + 1


def test_passports_are_read_as_they_stand_before_a_dataset_shows_them(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "GATHERED_SECONDS", 3600.0)
    first = home.put(arrival(1, 1))
    home.wait("public", first.sequence, PATIENCE_SECONDS)
    second = home.put(arrival(1, 2))
    assert home.entry(record(1), "public").version == second.version
    assert home.shown("public") == first.sequence
    assert values(home) == [2], "whoever comes to ask brings the dataset up to date"
    assert home.shown("public") == second.sequence


def test_who_waits_is_told_as_soon_as_it_is_shown(home: Home) -> None:
    told: list[int] = []
    waiting = [
        threading.Thread(target=lambda: told.append(home.wait("public", 4, PATIENCE_SECONDS)))
        for _ in range(8)
    ]
    for thread in waiting:
        thread.start()
    assert told == []
    for value in (1, 2):
        home.put(arrival(1, value))
    for thread in waiting:
        thread.join(PATIENCE_SECONDS)
    assert told == [4] * 8


def test_what_is_not_open_shows_nothing_and_is_opened_by_waiting() -> None:
    with Home.in_memory() as home:
        written = home.put(arrival(1))
        assert home.shown("public") == -1
        assert home.wait("public", written.sequence, 0.0) == written.sequence == home.shown("public")
        home.follow()
        assert home.shown("owner") == -1
        with pytest.raises(Overdue, match=r"shows entry -1 after 0\.1 s, not yet 2"):
            home.wait("owner", written.sequence, 0.1)
        assert home.trouble == ""


def test_following_twice_is_following_once_and_ends_with_the_home() -> None:
    before = appliers()
    with Home.in_memory() as home:
        home.follow()
        home.follow()
        assert appliers() == before + 1
    assert appliers() == before


def test_a_dataset_that_cannot_follow_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "AFTER_TROUBLE_SECONDS", 0.05)
    monkeypatch.setattr(follower, "GATHERED_SECONDS", 0.0)
    with Home.open(tmp_path / "home", create=True) as home:
        home.put(arrival(1, 0))
        home.queries("interest")
        home.queries("public")
        stamp = tmp_path / "home/datasets/interest" / STAMP
        stamp.unlink()
        (stamp / "in the way").mkdir(parents=True)
        home.follow()
        for value in range(1, 4):
            written = home.put(arrival(1, value))
            home.wait("public", written.sequence, PATIENCE_SECONDS)
        assert home.shown("interest") < written.sequence
        assert home.state(record(1), "public").record == record(1)


def test_what_was_not_shown_when_the_home_closed_is_shown_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "GATHERED_SECONDS", 3600.0)
    with Home.open(tmp_path / "home", create=True) as home:
        home.put(arrival(1, 0))
        home.queries("public")
        home.follow()
        home.wait("public", home.put(arrival(1, 1)).sequence, PATIENCE_SECONDS)
        last = home.put(arrival(1, 2)).sequence
        began = time.monotonic()
    assert time.monotonic() - began < PATIENCE_SECONDS, "closing does not wait for the hour"
    with Home.open(tmp_path / "home") as home:
        assert not home.is_built("public")
        assert values(home) == [2]
        assert home.shown("public") == last
