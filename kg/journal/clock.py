"""The time that entries carry: never before the last entry, and never from a clock that leaps.

Order comes from sequence numbers alone. But a time stands in a legal record for good, and one entry from a
clock that is years ahead would keep every later one from being written. So a wall clock that disagrees with
the machine's steady clock stops writing until the two agree again, or the new time has lasted.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from battpass.kg.errors import ClockJumped

# How far the two clocks may part between two writes before it counts as a jump.
TOLERANCE_SECONDS = 60.0
# After this long a new time is taken for the right one: a clock that was set, not one that broke.
SETTLED_SECONDS = 300.0
# A step back this small is what time servers do; the entry then carries the time of the one before.
STEP_SECONDS = 2.0


def steady_seconds() -> float:
    """Return seconds that pass evenly, also while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class Clock:
    """Gives entries their time; both clocks can be given, in seconds."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady_seconds
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._anchor = (wall(), steady())
        self._jumped_at: float | None = None

    def now(self, last: datetime | None) -> datetime:
        """Return the time for the next entry; `last` is that of the entry before.

        Raises
        ------
        ClockJumped
            If the wall clock leapt since the last call, or stands before the last entry.
        """
        wall, steady = self._wall(), self._steady()
        leap = (wall - self._anchor[0]) - (steady - self._anchor[1])
        if abs(leap) <= TOLERANCE_SECONDS:
            self._jumped_at = None
        else:
            self._jumped_at = steady if self._jumped_at is None else self._jumped_at
            if steady - self._jumped_at < SETTLED_SECONDS:
                raise ClockJumped(
                    f"The clock leapt by {leap:+,.0f} s, so nothing is written. Set it right, or leave it: a "
                    f"time that lasts {SETTLED_SECONDS:g} s is taken as the right one."
                )
        now = datetime.fromtimestamp(wall, UTC)
        if last is not None and now <= last:
            if last - now > timedelta(seconds=STEP_SECONDS):
                raise ClockJumped(
                    f"The clock says {now:%Y-%m-%d %H:%M:%S} UTC, but the last entry is of "
                    f"{last:%Y-%m-%d %H:%M:%S}. Nothing is written until the clock is past that: set it."
                )
            now = last
        self._anchor, self._jumped_at = (wall, steady), None
        return now
