"""What was made once is made again only when it had to go."""

import threading

import pytest

from battpass.services.api.remembered import Remembered

KILO = b"x" * 1_000


def test_value_is_made_once() -> None:
    remembered, made = Remembered(100_000), []
    for _ in range(3):
        assert remembered.made("a", lambda: made.append(1) or KILO) == KILO  # type: ignore[func-returns-value]
    assert len(made) == 1


def test_room_is_kept_within_its_bounds_and_the_last_used_stays() -> None:
    remembered = Remembered(20_000)
    for number in range(100):
        remembered.made(number, lambda: KILO)
        remembered.get(0)
        assert remembered.size <= 20_000
    assert remembered.get(0) == KILO
    assert remembered.get(99) == KILO
    assert remembered.get(50) is None


def test_value_that_would_fill_the_room_is_handed_out_and_not_kept() -> None:
    remembered = Remembered(2_000)
    assert remembered.made("a", lambda: KILO) == KILO
    assert remembered.get("a") is None
    assert remembered.size == 0


def test_who_comes_while_it_is_made_waits_for_it() -> None:
    remembered, made, found = Remembered(100_000), [], []
    begun, go_on = threading.Event(), threading.Event()

    def make() -> bytes:
        made.append(1)
        begun.set()
        assert go_on.wait(30)
        return KILO

    threads = [threading.Thread(target=lambda: found.append(remembered.made("a", make))) for _ in range(8)]
    threads[0].start()
    assert begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert found == [KILO] * 8
    assert len(made) == 1


def test_failure_is_told_and_not_kept() -> None:
    remembered = Remembered(100_000)

    def fail() -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        remembered.made("a", fail)
    assert remembered.made("a", lambda: KILO) == KILO
