"""Entries get times that never go back, and none from a clock that leaps."""

from datetime import UTC, datetime, timedelta

import pytest

from battpass.kg.errors import ClockJumped
from battpass.kg.journal.clock import SETTLED_SECONDS, STEP_SECONDS, TOLERANCE_SECONDS, Clock

START = 1_800_000_000.0


class Time:
    """Two clocks that are moved by hand."""

    def __init__(self) -> None:
        self.wall = START
        self.steady = 1000.0

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.steady)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def time() -> Time:
    return Time()


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_the_first_time_is_that_of_the_wall_clock(time: Time) -> None:
    assert time.clock().now(None) == at(START)


def test_time_passes_as_both_clocks_say_however_long(time: Time) -> None:
    clock = time.clock()
    for seconds in (0.001, 1.0, 3600.0, 400 * 86400.0):
        last = clock.now(None)
        time.passes(seconds)
        assert clock.now(last) == last + timedelta(seconds=seconds)


@pytest.mark.parametrize("leap", [TOLERANCE_SECONDS + 1, 3600.0, 86400.0, 12 * 365 * 86400.0])
def test_a_leap_ahead_stops_writing_until_the_clock_is_set_right(time: Time, leap: float) -> None:
    clock = time.clock()
    last = clock.now(None)
    time.wall += leap
    with pytest.raises(ClockJumped, match=r"leapt by \+.*Set it right, or leave it"):
        clock.now(last)
    time.passes(10)
    with pytest.raises(ClockJumped):
        clock.now(last)
    time.wall -= leap
    assert clock.now(last) == at(START + 10)


def test_a_leap_back_stops_writing_until_the_clock_is_set_right(time: Time) -> None:
    clock = time.clock()
    last = clock.now(None)
    time.wall -= 86400
    with pytest.raises(ClockJumped, match="leapt by -86,400 s"):
        clock.now(last)
    time.wall += 86400
    assert clock.now(last) == last


def test_a_new_time_ahead_that_lasts_is_taken_as_the_right_one(time: Time) -> None:
    clock = time.clock()
    last = clock.now(None)
    time.wall += 3600
    with pytest.raises(ClockJumped):
        clock.now(last)
    time.passes(SETTLED_SECONDS - 1)
    with pytest.raises(ClockJumped):
        clock.now(last)
    time.passes(2)
    assert clock.now(last) == at(START + 3600 + SETTLED_SECONDS + 1)
    time.passes(1)
    clock.now(None)  # and it goes on from there


def test_a_time_that_leaps_to_and_fro_does_not_settle(time: Time) -> None:
    clock = time.clock()
    last = clock.now(None)
    for _ in range(5):
        time.wall += 3600
        with pytest.raises(ClockJumped):
            clock.now(last)
        time.passes(SETTLED_SECONDS - 1)
        time.wall -= 3600
        last = clock.now(last)
        time.passes(1)


def test_a_new_time_back_that_lasts_still_waits_for_the_last_entry(time: Time) -> None:
    clock = time.clock()
    last = clock.now(None)
    time.wall -= 3600
    with pytest.raises(ClockJumped, match="leapt"):
        clock.now(last)
    time.passes(SETTLED_SECONDS + 1)
    with pytest.raises(ClockJumped, match=r"but the last entry is of.*until the clock is past that"):
        clock.now(last)
    time.passes(3600 - SETTLED_SECONDS)
    assert clock.now(last) == at(START + 1)


def test_a_clock_that_stands_before_the_last_entry_from_the_start_stops_writing(time: Time) -> None:
    clock = time.clock()
    with pytest.raises(ClockJumped, match="the last entry is of"):
        clock.now(at(START + STEP_SECONDS + 1))


def test_a_small_step_back_repeats_the_time_of_the_last_entry(time: Time) -> None:
    clock = time.clock()
    last = clock.now(None)
    time.wall -= STEP_SECONDS / 2
    assert clock.now(last) == last
    time.passes(STEP_SECONDS)
    assert clock.now(last) == at(START + STEP_SECONDS / 2)


def test_a_clock_that_stands_still_repeats_its_time(time: Time) -> None:
    clock = time.clock()
    last = clock.now(None)
    assert clock.now(last) == last == clock.now(last)


def test_a_drift_within_the_tolerance_is_followed(time: Time) -> None:
    clock = time.clock()
    last = clock.now(None)
    for _ in range(10):
        time.passes(3600)
        time.wall += TOLERANCE_SECONDS - 1
        last = clock.now(last)
    assert last == at(START + 10 * (3600 + TOLERANCE_SECONDS - 1))
