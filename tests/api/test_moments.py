"""Dates as they come in addresses."""

import pytest

from battpass.services.api.moments import moment
from battpass.services.api.problems import BadRequest


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-21", "2026-11-21T23:59:59.999999+00:00"),
        ("2024-02-29", "2024-02-29T23:59:59.999999+00:00"),
        ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00+00:00"),
        ("2026-11-21t10:00:00z", "2026-11-21T10:00:00+00:00"),
        ("2026-11-21T00:30:00+01:00", "2026-11-20T23:30:00+00:00"),
        ("2026-11-21T00:30:00 01:00", "2026-11-20T23:30:00+00:00"),
        ("2026-11-21T23:30:00-01:00", "2026-11-22T00:30:00+00:00"),
        ("2026-11-21T10:00:00.5Z", "2026-11-21T10:00:00.500000+00:00"),
        ("2026-11-21T10:00:00.123456789Z", "2026-11-21T10:00:00.123456+00:00"),
    ],
)
def test_dates_are_read(text: str, utc: str) -> None:
    assert moment(text).isoformat() == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2026-11",
        "20261121",
        "2026-W47-6",
        "2026-02-30",
        "2026-11-21T10:00:00",
        "2026-11-21T10:00Z",
        "2026-11-21T24:00:01Z",
        "2026-11-21T10:00:60Z",
        "2026-11-21 10:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-21\n",
        "２０２６-11-21",
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="no date"):
        moment(text)
