"""Clocks that leap, through a home and over HTTP: order is by sequence, and dates find what stood then."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from battpass.kg.errors import ClockJumped
from battpass.kg.home import Home
from battpass.kg.journal.clock import SETTLED_SECONDS, STEP_SECONDS
from battpass.kg.journal.verify import verify
from tests.api.conftest import Served, problem, serving
from tests.home import small
from tests.journal.test_clock import Time

DAY = 86_400.0
# The last second that a signed number of 32 bits counts.
END_OF_32_BITS = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
# Clocks in Berlin show the hour after two twice on this day.
FALL_BACK = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
RECORD = small.record(1)


class Kept:
    """A home whose clock is moved by hand; each version of its one passport says its own number."""

    def __init__(self, folder: Path, start: datetime) -> None:
        self.clock = Time()
        self.clock.wall = start.timestamp()
        self.home = Home.open(folder, create=True, clock=self.clock.clock())
        self.said: list[int] = []

    def write(self) -> datetime:
        """Write the next version, and return the time that its entry carries."""
        number = len(self.said) + 1
        written = self.home.put(small.arrival(1, number))
        assert written.version == number
        self.said.append(number)
        return self.home.entry(RECORD).time

    def at(self, moment: datetime) -> int:
        """Return the version that stood at a moment."""
        return self.home.entry(RECORD, at=moment).version


@pytest.fixture
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path / "home", getattr(request, "param", FALL_BACK))
    with made.home:
        yield made
        entries = made.home.versions(RECORD)
        assert [entry.version for entry in entries] == made.said
        assert [entry.time for entry in entries] == sorted(entry.time for entry in entries)
    assert verify(tmp_path / "home" / "journal.sqlite", tmp_path / "home" / "head").sound


@pytest.mark.parametrize("leap", [DAY, -DAY, 12 * 365.25 * DAY, -40 * 365.25 * DAY])
def test_a_leap_stops_writing_alone_and_ends_with_its_cause(kept: Kept, leap: float) -> None:
    kept.write()
    kept.clock.passes(10)
    kept.clock.wall += leap
    for _ in range(3):
        with pytest.raises(ClockJumped):
            kept.write()
        assert kept.at(FALL_BACK) == 1
        assert len(kept.home) == 1
        kept.clock.passes(SETTLED_SECONDS / 4)
    kept.clock.wall -= leap
    kept.write()


def test_a_day_ahead_that_lasts_is_kept_to_and_the_way_back_waits_for_it(kept: Kept) -> None:
    before = kept.write()
    kept.clock.wall += DAY
    with pytest.raises(ClockJumped):
        kept.write()
    kept.clock.passes(SETTLED_SECONDS + 1)
    ahead = kept.write()
    assert ahead - before > timedelta(days=1)
    kept.clock.wall -= DAY
    with pytest.raises(ClockJumped, match="leapt"):
        kept.write()
    kept.clock.passes(SETTLED_SECONDS + 1)
    with pytest.raises(ClockJumped, match="until the clock is past that"):
        kept.write()
    assert (kept.at(before), kept.at(ahead - timedelta(seconds=1)), kept.at(ahead)) == (1, 1, 2)
    kept.clock.passes(DAY)
    kept.write()


def test_a_small_step_back_gives_two_entries_one_time_and_the_later_one_stands(kept: Kept) -> None:
    first = kept.write()
    kept.clock.wall -= STEP_SECONDS / 2
    assert kept.write() == first
    assert kept.at(first) == 2
    assert [entry.sequence for entry in kept.home.versions(RECORD)] == [2, 3]


@pytest.mark.parametrize("kept", [END_OF_32_BITS], indirect=True)
def test_time_goes_on_past_the_end_of_32_bits(kept: Kept) -> None:
    assert kept.write() == END_OF_32_BITS
    kept.clock.passes(1)
    assert kept.write() == END_OF_32_BITS + timedelta(seconds=1)
    kept.clock.passes(400 * DAY)
    kept.write()
    with serving(kept.home, ready=False) as server:
        assert version(server, "2038-01-19T03:14:07Z") == 1
        assert version(server, "2038-01-19T03:14:08Z") == 2
        assert version(server, "2038-01-19") == 2
        assert version(server, "2039-12-31") == 3
        problem(by_date(server, "2038-01-19T03:14:06Z"), 404)


def test_the_hour_that_clocks_show_twice_is_two_hours(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the zone of the machine says the time is, is nothing to what is written."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert time.localtime(kept.clock.wall).tm_isdst == 1
        assert kept.write() == FALL_BACK
        kept.clock.passes(3_600)
        assert time.localtime(kept.clock.wall).tm_isdst == 0
        assert kept.write() == FALL_BACK + timedelta(hours=1)
        with serving(kept.home, ready=False) as server:
            assert version(server, "2026-10-25T02:30:00+02:00") == 1
            assert version(server, "2026-10-25T02:30:00+01:00") == 2
            assert version(server, "2026-10-25T01:00:00Z") == 1
            assert version(server, "2026-10-25") == 2
            problem(by_date(server, "2026-10-24"), 404)
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def by_date(server: Served, date: str) -> httpx.Response:
    name = RECORD.rpartition("/")[2]
    first = server.client.get(f"/v1/dpps/{name}", params={"date": date, "format": "n-quads"})
    second = server.client.get(f"/v1/dppsByIdAndDate/{name}", params={"date": date, "format": "n-quads"})
    assert first.status_code == second.status_code
    if first.status_code == 200:
        assert first.text == second.text
    return first


def version(server: Served, date: str) -> int:
    """Return the version that stood on a date, by what it says."""
    answer = by_date(server, date)
    assert answer.status_code == 200, answer.text
    (said,) = re.findall(r'<https://example.org/value> "(\d+)" <\S+/public>', answer.text)
    return int(said)
