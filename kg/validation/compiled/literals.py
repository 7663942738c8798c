"""Literals: which lexical forms a datatype has, and which of two values is less.

Values compare as the operator `<` of SPARQL has it: numbers with numbers, strings with strings. Dates, times
and the other calendar types of XML Schema compare among their own, although SPARQL leaves that open. Times
with and without a zone compare only where more than fourteen hours lie between them. What does not
compare is neither less nor more; an ill-typed literal compares with nothing.
"""

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pyoxigraph import Literal

from battpass.kg.namespaces import RDF, XSD

_DIGITS = re.compile(r"[+-]?[0-9]+\Z")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z")
_FLOAT = re.compile(r"(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN)\Z")
_ZONE = r"(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"
_YEAR, _MONTH, _DAY = r"(-?(?:[1-9][0-9]{3,}|0[0-9]{3}))", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]+))?|(24):00:00(?:\.0+)?)"
_DURATION = re.compile(
    r"(-)?P(?=[0-9T])(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?"
    r"(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]+))?S)?)?\Z"
)
_RANGES: Mapping[str, tuple[int | None, int | None]] = {
    "integer": (None, None),
    "nonPositiveInteger": (None, 0),
    "negativeInteger": (None, -1),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-128, 127),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 255),
}
_FOURTEEN_HOURS = 14 * 3600
# A year or a part of a duration with more is not counted, and compares with nothing.
_MOST_DIGITS = 12
# The dates from which durations are counted: XML Schema 1.0 part 2, 3.2.6.2.
_STARTS = ((1696, 9), (1697, 2), (1903, 3), (1903, 7))
NAME_START = (
    ":A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
NAME_CHARACTERS = NAME_START + "\\-.0-9\xb7\u0300-\u036f\u203f\u2040"


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a literal: what kind of value it is, and something that compares within the kind.

    `zoned` says of a point in time whether it has a zone; of a number, how exact it is (0 exact, 1 single,
    2 double precision).
    """

    kind: str
    content: Any
    zoned: int = 0


def less(left: Literal, right: Literal) -> bool | None:
    """Return whether one value is less than another, or None where the two do not compare.

    >>> from battpass.kg.namespaces import node
    >>> less(Literal("9", datatype=node("xsd:integer")), Literal("10.0", datatype=node("xsd:decimal")))
    True
    """
    order = compared(value_of(left), value_of(right))
    return None if order is None else order < 0


def compared(left: Value | None, right: Value | None) -> int | None:
    """Return -1, 0 or 1 as one value is less than, equal to or more than another, else None."""
    if left is None or right is None or left.kind != right.kind:
        return None
    mine, other = left.content, right.content
    if left.kind == "number":
        exactness = max(left.zoned, right.zoned)
        if exactness:
            mine, other = _inexact(mine, exactness), _inexact(other, exactness)
    elif left.kind == "duration":
        return _durations(mine, other)
    elif left.kind in _CALENDAR and left.zoned != right.zoned:
        apart = mine[0] - other[0]
        if abs(apart) > _FOURTEEN_HOURS:
            return -1 if apart < 0 else 1
        return None
    if mine < other:
        return -1
    if mine > other:
        return 1
    return 0 if mine == other else None  # NaN compares with nothing


def well_formed(lexical: str, datatype: str) -> bool:
    """Return whether a text is a lexical form of a datatype; any text is one of a datatype not known here."""
    test = _FORMS.get(datatype)
    return test is None or test(lexical)


def value_of(literal: Literal) -> Value | None:
    """Return the value of a literal, None if it is ill-typed or of a datatype without order."""
    if literal.language:
        return None
    read = _VALUES.get(literal.datatype.value)
    return None if read is None else read(literal.value)


def boolean(literal: Literal) -> bool | None:
    """Return the truth value of an xsd:boolean, None of anything else."""
    if literal.language or literal.datatype.value != XSD + "boolean":
        return None
    return {"true": True, "1": True, "false": False, "0": False}.get(literal.value)


def _inexact(value: Any, exactness: int) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = float("inf") if value > 0 else float("-inf")
    if exactness == 1 and number == number:
        try:
            return float(struct.unpack("f", struct.pack("f", number))[0])
        except OverflowError:
            return float("inf") if number > 0 else float("-inf")
    return number


def _integer(least: int | None, most: int | None) -> Callable[[str], Decimal | None]:
    def read(lexical: str) -> Decimal | None:
        if not _DIGITS.match(lexical):
            return None
        value = Decimal(lexical)  # int() is slow with many digits, and refuses a million of them
        inside = (least is None or value >= least) and (most is None or value <= most)
        return value if inside else None

    return read


def _number(read: Callable[[str], Decimal | None]) -> Callable[[str], Value | None]:
    def value(lexical: str) -> Value | None:
        found = read(lexical)
        return None if found is None else Value("number", found)

    return value


def _decimal(lexical: str) -> Decimal | None:
    return Decimal(lexical) if _DECIMAL.match(lexical) else None


def _floating(exactness: int) -> Callable[[str], Value | None]:
    def value(lexical: str) -> Value | None:
        if not _FLOAT.match(lexical):
            return None
        return Value("number", _inexact(float(lexical.replace("INF", "inf")), exactness), exactness)

    return value


def _truth(lexical: str) -> Value | None:
    found = {"true": True, "1": True, "false": False, "0": False}.get(lexical)
    return None if found is None else Value("boolean", found)


def _moment(kind: str, form: str, parts: str) -> Callable[[str], Value | None]:
    """Return the reader of a calendar type; `parts` are the groups of its form: y, m, d, c for the clock."""
    pattern = re.compile(form + _ZONE + r"\Z")

    def value(lexical: str) -> Value | None:
        match = pattern.match(lexical)
        if match is None:
            return None
        groups = list(match.groups())
        # A leap year, and months of 31 days, where the type leaves them open.
        year = groups.pop(0) if "y" in parts else "1972"
        month = int(groups.pop(0)) if "m" in parts else 12
        day = int(groups.pop(0)) if "d" in parts else 1
        clock = [groups.pop(0) for _ in range(5)] if "c" in parts else ["0", "0", "0", None, None]
        if len(year) > _MOST_DIGITS or day > _days_in(int(year), month):
            return None
        seconds = 86400 * _days(int(year), month, day)
        seconds += 86400 if clock[4] else sum(int(clock[n] or 0) * 60 ** (2 - n) for n in range(3))
        if kind == "time":
            seconds %= 86400
        zone = groups.pop()
        return Value(kind, (seconds - _offset(zone), (clock[3] or "").rstrip("0")), int(zone is not None))

    return value


def _offset(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds


def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _days(year: int, month: int, day: int) -> int:
    """Return the day's number in the calendar of today carried on in both directions."""
    shifted = year - (month <= 2)
    era, rest = divmod(shifted, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + rest * 365 + rest // 4 - rest // 100 + day_of_year


def _duration(allowed: str) -> Callable[[str], Value | None]:
    def value(lexical: str) -> Value | None:
        match = _DURATION.match(lexical)
        if match is None:
            return None
        minus, years, months, days, hours, minutes, seconds, fraction = match.groups()
        if ("M" not in allowed and (years or months)) or (
            "D" not in allowed and (days or hours or minutes or seconds)
        ):
            return None
        parts = (years, months, days, hours, minutes, seconds, fraction)
        if any(len(part or "") > _MOST_DIGITS for part in parts):
            return None
        sign = -1 if minus else 1
        in_months = sign * (int(years or 0) * 12 + int(months or 0))
        whole = int(days or 0) * 86400 + int(hours or 0) * 3600 + int(minutes or 0) * 60
        in_seconds = sign * (whole + Decimal(f"{seconds or 0}.{fraction or 0}"))
        return Value("duration", (in_months, in_seconds))

    return value


def _durations(left: tuple[int, Decimal], right: tuple[int, Decimal]) -> int | None:
    """Compare two durations as XML Schema does: counted from four dates, all of which must agree."""
    if left == right:
        return 0
    orders = {_counted(left, start) < _counted(right, start) for start in _STARTS}
    equal = any(_counted(left, start) == _counted(right, start) for start in _STARTS)
    return None if equal or len(orders) > 1 else -1 if True in orders else 1


def _counted(duration: tuple[int, Decimal], start: tuple[int, int]) -> Decimal:
    year, month = divmod(start[0] * 12 + start[1] - 1 + duration[0], 12)
    return _days(year, month + 1, 1) * 86400 + duration[1]


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern + r"\Z")
    return lambda lexical: compiled.match(lexical) is not None


_CALENDAR = frozenset({"dateTime", "date", "time", "gYear", "gYearMonth", "gMonthDay", "gDay", "gMonth"})
_VALUES: Mapping[str, Callable[[str], Value | None]] = {
    XSD + local: read
    for local, read in {
        **{local: _number(_integer(*bounds)) for local, bounds in _RANGES.items()},
        "decimal": _number(_decimal),
        "float": _floating(1),
        "double": _floating(2),
        "string": lambda lexical: Value("string", lexical),
        "boolean": _truth,
        "dateTime": _moment("dateTime", f"{_YEAR}-{_MONTH}-{_DAY}T{_CLOCK}", "ymdc"),
        "date": _moment("date", f"{_YEAR}-{_MONTH}-{_DAY}", "ymd"),
        "time": _moment("time", _CLOCK, "c"),
        "gYear": _moment("gYear", _YEAR, "y"),
        "gYearMonth": _moment("gYearMonth", f"{_YEAR}-{_MONTH}", "ym"),
        "gMonthDay": _moment("gMonthDay", f"--{_MONTH}-{_DAY}", "md"),
        "gDay": _moment("gDay", f"---{_DAY}", "d"),
        "gMonth": _moment("gMonth", f"--{_MONTH}", "m"),
        "duration": _duration("MD"),
        "yearMonthDuration": _duration("M"),
        "dayTimeDuration": _duration("D"),
    }.items()
}
_FORMS: Mapping[str, Callable[[str], bool]] = {
    **{
        datatype: (lambda lexical, read=read: read(lexical) is not None)  # type: ignore[misc]
        for datatype, read in _VALUES.items()
        if datatype != XSD + "string"
    },
    # A language-tagged string never has less than its tag, so this catches "x"^^rdf:langString.
    RDF + "langString": lambda lexical: False,
    XSD + "dateTimeStamp": lambda lexical: (
        (lexical[-1:] == "Z" or (lexical[-6:-5] in ("+", "-") and lexical[-3:-2] == ":"))
        and _VALUES[XSD + "dateTime"](lexical) is not None
    ),
    XSD + "hexBinary": _matches(r"(?:[0-9a-fA-F]{2})*"),
    XSD + "base64Binary": _matches(
        r"(?:(?:[A-Za-z0-9+/] ?){4})*(?:(?:[A-Za-z0-9+/] ?){3}[A-Za-z0-9+/]"
        r"|(?:[A-Za-z0-9+/] ?){2}[AEIMQUYcgkosw048] ?=|[A-Za-z0-9+/] ?[AQgw] ?= ?=)?"
    ),
    XSD + "normalizedString": _matches(r"[^\t\n\r]*"),
    XSD + "token": _matches(r"(?:[^\t\n\r ]+(?: [^\t\n\r ]+)*)?"),
    XSD + "language": _matches(r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*"),
    XSD + "Name": _matches(f"[{NAME_START}][{NAME_CHARACTERS}]*"),
    XSD + "NCName": _matches(f"[{NAME_START.replace(':', '')}][{NAME_CHARACTERS.replace(':', '')}]*"),
    XSD + "NMTOKEN": _matches(f"[{NAME_CHARACTERS}]+"),
}
