"""The values with which twins work, and their arithmetic: that of the engine, as far as it is beyond doubt.

A number is an `int` that counts 10^-18, the finest step of the engine's decimals. The engine's operations
are exact as long as a result fits into 38 digits; only a quotient is cut off. Ordinary are decimals and
integers of at most nine digits before and twelve after the point, dates and times in the years 1 to 9999,
`true` and `false`, plain strings and IRIs. Whatever is not ordinary is declined, not judged.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode

from battpass.kg.index import Term
from battpass.kg.namespaces import XSD

ONE: Final = 10**18
# Below it the engine's 128 bits suffice for a result and for what it computes in between.
_LIMIT = 10**36
_DIVIDEND, _DIVISOR_STEP = 10**30, 10**10
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}\Z")
_DECIMAL = re.compile(r"([+-]?)([0-9]{1,9})(?:\.([0-9]{1,12}))?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:Z|[+-](?:0[1-9]|1[0-3]):[0-5][0-9])?\Z"
)
_CANONICAL: Mapping[str, re.Pattern[str]] = {
    XSD + "integer": re.compile(r"(?:0|-?[1-9][0-9]{0,8})\Z"),
    XSD + "decimal": re.compile(r"(?:0|-?(?:[1-9][0-9]{0,8}(?:\.[0-9]{0,11}[1-9])?|0\.[0-9]{0,11}[1-9]))\Z"),
    XSD + "boolean": re.compile(r"true\Z|false\Z"),
    XSD + "date": _DATE,
    XSD + "dateTime": _TIME,
}


class Declined(Exception):
    """The values are not ordinary, or too many: the query itself must be run."""


class Failed(Exception):
    """The expression has no value: an error, in the sense of SPARQL."""


class Day(str):
    """An xsd:date without time zone; days compare as their texts do."""

    __slots__ = ()


class Moment(str):
    """An xsd:dateTime; nothing but its text is used."""

    __slots__ = ()


Value = int | str | bool | Day | Moment | NamedNode | BlankNode


class Known(dict[Term, Value]):
    """The values of terms, found when they are first asked for."""

    __slots__ = ()

    def __missing__(self, term: Term) -> Value:
        value = self[term] = value_of(term)
        return value


def value_of(term: Term) -> Value:
    """Return the value of a term.

    Raises
    ------
    Declined
        If it is not ordinary.
    """
    if isinstance(term, Literal):
        read = _READ.get(term.datatype.value)
        if read is not None:
            return read(term.value)
    elif isinstance(term, NamedNode | BlankNode):
        return term
    raise Declined


def is_canonical(term: Term) -> bool:
    """Return whether the engine keeps a term as it is written, so that equal terms are equal texts."""
    if not isinstance(term, Literal):
        return True
    kind = term.datatype.value
    form = _CANONICAL.get(kind)
    if form is not None:
        return form.match(term.value) is not None and (
            (form is not _DATE and form is not _TIME) or _is_day(term.value[:10])
        )
    if term.language:
        return term.language == term.language.lower()
    return not kind.startswith(XSD) or kind in _KEPT


def same_term(left: Term, right: Term) -> bool:
    """Return whether two terms are one to the engine."""
    if left == right:
        return True
    if is_canonical(left) and is_canonical(right):
        return False
    raise Declined


def check_apart(terms: Sequence[Term]) -> None:
    """Decline terms of which the engine may keep several as one."""
    for term in terms:
        if type(term) is Literal and not is_canonical(term):
            raise Declined


def text_of(value: Value) -> str:
    """Return what STR makes of a value.

    >>> text_of(-1_500_000_000_000_000_000), text_of(94 * ONE)
    ('-1.5', '94')
    """
    if type(value) is int:
        whole, part = divmod(abs(value), ONE)
        sign = "-" if value < 0 else ""
        return f"{sign}{whole}.{part:018d}".rstrip("0") if part else f"{sign}{whole}"
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, NamedNode):
        return value.value
    raise Failed


def add(left: Value, right: Value) -> int:
    """Return the sum of two numbers."""
    return _kept(_number(left) + _number(right))


def subtract(left: Value, right: Value) -> int:
    """Return the difference of two numbers."""
    return _kept(_number(left) - _number(right))


def multiply(left: Value, right: Value) -> int:
    """Return the product of two numbers; one with more than 18 places is declined."""
    product, rest = divmod(_number(left) * _number(right), ONE)
    if rest:
        raise Declined
    return _kept(product)


def divide(left: Value, right: Value) -> int:
    """Return the quotient of two numbers, cut off after 18 places as the engine does."""
    dividend, divisor = _number(left), _number(right)
    if divisor == 0:
        raise Failed
    # Nothing divided by what is no whole number has no value to the engine, which is a slip of it.
    if abs(dividend) >= _DIVIDEND or divisor % (_DIVISOR_STEP if dividend else ONE):
        raise Declined
    quotient = abs(dividend) * ONE // abs(divisor)
    return _kept(quotient if (dividend < 0) is (divisor < 0) else -quotient)


def less(left: Value, right: Value) -> bool:
    """Return whether one value is less than another."""
    if type(left) is not type(right) or type(left) not in _ORDERED:
        raise Declined
    return left < right  # type: ignore[operator]


def equal(left: Value, right: Value) -> bool:
    """Return whether two values are equal."""
    if type(left) is not type(right) or isinstance(left, Moment):
        raise Declined
    return left == right


def truth(value: Value) -> bool:
    """Return the effective boolean value."""
    if isinstance(value, bool):
        return value
    raise Declined


def whole(value: Value) -> int:
    """Return a number that has no fraction, counted in ones."""
    number, rest = divmod(_number(value), ONE)
    if rest:
        raise Declined
    return number


def plain(value: Value) -> str:
    """Return a plain string."""
    if type(value) is not str:
        raise Declined
    return value


def _number(value: Value) -> int:
    if type(value) is not int:
        raise Declined
    return value


def _kept(number: int) -> int:
    if not -_LIMIT < number < _LIMIT:
        raise Declined
    return number


def _integer(lexical: str) -> int:
    if not _INTEGER.match(lexical):
        raise Declined
    return int(lexical) * ONE


def _decimal(lexical: str) -> int:
    match = _DECIMAL.match(lexical)
    if match is None:
        raise Declined
    sign, before, after = match.groups("")
    number = int(before) * ONE + (int(after.ljust(18, "0")) if after else 0)
    return -number if sign == "-" else number


def _boolean(lexical: str) -> bool:
    if lexical not in ("true", "false"):
        raise Declined
    return lexical == "true"


def _day(lexical: str) -> Day:
    if not _DATE.match(lexical) or not _is_day(lexical):
        raise Declined
    return Day(lexical)


def _moment(lexical: str) -> Moment:
    if not _TIME.match(lexical) or not _is_day(lexical[:10]):
        raise Declined
    return Moment(lexical)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


_ORDERED = frozenset({int, str, Day})
_KEPT = frozenset({XSD + "string", XSD + "anyURI"})
_READ: Mapping[str, Callable[[str], Value]] = {
    XSD + "string": str,
    XSD + "integer": _integer,
    XSD + "decimal": _decimal,
    XSD + "boolean": _boolean,
    XSD + "date": _day,
    XSD + "dateTime": _moment,
}
