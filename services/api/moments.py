"""Dates in addresses: RFC 3339 times, or a day alone, which means its end (UTC)."""

import re
from datetime import UTC, datetime, time

from battpass.services.api.problems import BadRequest

# The plus of an offset that nobody encoded arrives as a space.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:([Zz])|([-+ ])(\d\d:\d\d))\Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")


def moment(text: str) -> datetime:
    """Return the moment that a date or a time names, in UTC.

    Raises
    ------
    BadRequest
        If it is neither, or no such day is in the calendar.

    >>> moment("2026-11-21").isoformat(), moment("2026-11-21T10:00:00+01:00").isoformat()
    ('2026-11-21T23:59:59.999999+00:00', '2026-11-21T09:00:00+00:00')
    """
    try:
        if _DAY.match(text):
            return datetime.combine(datetime.fromisoformat(text), time.max, UTC)
        if found := _TIME.match(text):
            day, clock, is_utc, sign, offset = found.groups()
            whole, _, fraction = clock.partition(".")
            zone = "+00:00" if is_utc else f"{'-' if sign == '-' else '+'}{offset}"
            # Python reads three or six places, and no more than six.
            return datetime.fromisoformat(f"{day}T{whole}.{fraction[:6]:0<6}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadRequest(
        f"{text[:40]!r} is no date. Write a day (2026-11-21) or a time with its zone (2026-11-21T10:00:00Z)."
    )
