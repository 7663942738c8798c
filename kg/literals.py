"""Lexical forms: which texts are values of a datatype, and how the engine spells them.

Values are put in the engine's spelling before they are kept, so that a digest taken before storing
equals one taken after. An ill-formed value never becomes a typed literal.
"""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from pyoxigraph import Literal

from battpass.kg.namespaces import node

DECIMAL = node("xsd:decimal")
INTEGER = node("xsd:integer")
BOOLEAN = node("xsd:boolean")
DATE = node("xsd:date")
DATE_TIME = node("xsd:dateTime")
STRING = node("xsd:string")

# The engine keeps a decimal as a 128-bit number with 18 places; beyond that it would no longer count.
MAX_MAGNITUDE = Decimal("170141183460469231731")
MAX_PLACES = 18
# XSD ends there; a time with a zone beyond it would not count as one.
MAX_ZONE = timedelta(hours=14)

_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_DATE_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?\Z")
# Decimal reads more than numbers of JSON and XSD are: `1_000`, outer blanks, digits of other scripts.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


def decimal_of(token: str) -> Decimal | None:
    """Return the number that a JSON number token stands for, or None where the engine cannot hold it.

    >>> decimal_of("94.0"), decimal_of("1E3"), decimal_of("1e400")
    (Decimal('94.0'), Decimal('1E+3'), None)
    """
    if not _NUMBER.match(token):
        return None
    try:
        value = Decimal(token)
    except InvalidOperation:  # an exponent beyond any that Decimal holds
        return None
    if not value.is_finite() or not -400 < value.adjusted() < 21 or abs(value) > MAX_MAGNITUDE:
        return Decimal(0) if not value and value.is_finite() else None
    places = -int(value.as_tuple().exponent)
    if places > MAX_PLACES and len(decimal_text(value).partition(".")[2]) > MAX_PLACES:
        return None
    return value


def decimal_text(value: Decimal) -> str:
    """Return the canonical form: no exponent, no sign on zero, no zeros at the end.

    >>> decimal_text(Decimal("94.0")), decimal_text(Decimal("-0.0")), decimal_text(Decimal("1E3"))
    ('94', '0', '1000')
    """
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def decimal_literal(value: Decimal) -> Literal:
    """Return a number as a canonical xsd:decimal."""
    return Literal(decimal_text(value), datatype=DECIMAL)


def is_text(text: str) -> bool:
    """Return whether RDF can hold the text: no NUL, no half of a surrogate pair."""
    return not _NOT_TEXT.search(text)


def date_text(text: str) -> str | None:
    """Return a calendar date as the engine spells it, or None for what is none (such as 2023-02-30)."""
    if not _DATE.match(text):
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text


def date_time_text(text: str) -> str | None:
    """Return a time stamp as the engine spells it, or None for what is none.

    >>> date_time_text("2023-12-07T10:39:13.500+00:00")
    '2023-12-07T10:39:13.5Z'
    """
    match = _DATE_TIME.match(text)
    if not match:
        return None
    seconds, fraction, zone = match[1], match[2] or "", match[3] or ""
    try:
        moment = datetime.fromisoformat(seconds + zone)
    except ValueError:
        return None
    if abs(moment.utcoffset() or timedelta()) > MAX_ZONE:
        return None
    if zone in ("+00:00", "-00:00"):
        zone = "Z"
    fraction = fraction.rstrip("0").rstrip(".")
    if len(fraction) > MAX_PLACES + 1:
        return None
    return seconds + fraction + zone
