"""Parts of expressions as functions of a row, put together from those of their own parts."""

import re
from collections.abc import Callable, Mapping

from pyoxigraph import Literal

from battpass.kg.index import Term
from battpass.kg.validation.compiled.native.values import (
    ONE,
    Declined,
    Failed,
    Known,
    Value,
    equal,
    less,
    plain,
    subtract,
    text_of,
    truth,
    whole,
)
from battpass.kg.validation.compiled.regex import Pattern

# A row holds for each variable the term that it is bound to, a value that was computed, or nothing.
Row = list[Term | Value | None]
Expression = Callable[[Row, Known], Value]
Function = Callable[..., Value]
# What REPLACE takes out or puts in: a text that means itself, at the beginning alone if a ^ says so.
_ITSELF = re.compile(r"\^?[A-Za-z0-9:_-]+\Z")
_WHOLE = re.compile(r"[+-]?[0-9]+\Z")


class NotRead(ValueError):
    """A part of the query that twins do not understand."""


def read(place: int) -> Expression:
    """Return what a variable stands for."""

    def reading(row: Row, known: Known) -> Value:
        found = row[place]
        if type(found) is Literal:
            return known[found]
        if found is None:
            raise Failed
        return found  # type: ignore[return-value]

    return reading


def bound(place: int) -> Expression:
    """Return whether a variable has a value."""
    return lambda row, known: row[place] is not None


def constant(value: Value) -> Expression:
    """Return a value that is written in the query."""

    def always(row: Row, known: Known) -> Value:
        return value

    always.value = value  # type: ignore[attr-defined]
    return always


def constant_of(expression: Expression) -> Value:
    """Return the value that an expression always has."""
    found: Value | None = getattr(expression, "value", None)
    if found is None:
        raise NotRead
    return found


def applied(function: Function, *arguments: Expression) -> Expression:
    """Return a function of what its arguments give."""
    if len(arguments) == 1:
        (only,) = arguments
        return lambda row, known: function(only(row, known))
    if len(arguments) == 2:
        left, right = arguments
        return lambda row, known: function(left(row, known), right(row, known))
    return lambda row, known: function(*(one(row, known) for one in arguments))


def comparison(sign: str, left: Expression, right: Expression) -> Expression:
    """Return the comparison that a sign stands for."""
    match sign:
        case "=":
            return applied(equal, left, right)
        case "!=":
            return lambda row, known: not equal(left(row, known), right(row, known))
        case "<":
            return applied(less, left, right)
        case ">":
            return lambda row, known: less(right(row, known), left(row, known))
        case "<=":
            return lambda row, known: not less(right(row, known), left(row, known))
        case _:
            return lambda row, known: not less(left(row, known), right(row, known))


def negated(inner: Expression) -> Expression:
    """Return the opposite."""
    return lambda row, known: not truth(inner(row, known))


def both(left: Expression, right: Expression) -> Expression:
    """Return the logical and of SPARQL, in which false outweighs an error."""

    def found(row: Row, known: Known) -> Value:
        try:
            if not truth(left(row, known)):
                return False
        except Failed:
            if truth(right(row, known)):
                raise
            return False
        return truth(right(row, known))

    return found


def either(left: Expression, right: Expression) -> Expression:
    """Return the logical or of SPARQL, in which true outweighs an error."""

    def found(row: Row, known: Known) -> Value:
        try:
            if truth(left(row, known)):
                return True
        except Failed:
            if not truth(right(row, known)):
                raise
            return True
        return truth(right(row, known))

    return found


def among(left: Expression, others: list[Expression]) -> Expression:
    """Return whether a value is one of several."""

    def found(row: Row, known: Known) -> Value:
        mine = left(row, known)
        return any([equal(mine, other(row, known)) for other in others])

    return found


def chosen(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    """Return the one or the other of two expressions."""
    return lambda row, known: (then if truth(condition(row, known)) else otherwise)(row, known)


def first(arguments: list[Expression]) -> Expression:
    """Return the first of several expressions that has a value."""

    def found(row: Row, known: Known) -> Value:
        for one in arguments:
            try:
                return one(row, known)
            except Failed:
                continue
        raise Failed

    return found


def joined(arguments: list[Expression]) -> Expression:
    """Return several texts as one."""
    return lambda row, known: "".join([plain(one(row, known)) for one in arguments])


def matching(arguments: list[Expression]) -> Expression:
    """Return whether a text matches a pattern, which must be one that is matched without the engine."""
    text, *rest = arguments
    written = [constant_of(one) for one in rest]
    if not 1 <= len(written) <= 2 or not all(type(one) is str for one in written):
        raise NotRead
    try:
        pattern = Pattern(*map(str, written))
    except ValueError:
        raise NotRead from None
    if not pattern.is_quick:
        raise NotRead
    return lambda row, known: pattern.matches(_ascii(text(row, known)))


def replacing(arguments: list[Expression]) -> Expression:
    """Return a text with something replaced that means itself."""
    if len(arguments) != 3:
        raise NotRead
    text, (pattern, by) = arguments[0], (constant_of(one) for one in arguments[1:])
    if type(pattern) is not str or not _ITSELF.match(pattern):
        raise NotRead
    if type(by) is not str or (by and not _ITSELF.match(by)) or "^" in by:
        raise NotRead
    taken, put = pattern.removeprefix("^"), by
    if pattern != taken:
        return lambda row, known: _begun(_ascii(text(row, known)), taken, put)
    return lambda row, known: _ascii(text(row, known)).replace(taken, put)


def _begun(text: str, taken: str, put: str) -> str:
    return put + text[len(taken) :] if text.startswith(taken) else text


def _ascii(value: Value) -> str:
    """Return a text in which small and capital letters are beyond doubt."""
    text = plain(value)
    if not text.isascii():
        raise Declined
    return text


def cast(value: Value) -> int:
    """Return what xsd:integer makes of a number or text."""
    if type(value) is int:
        return (abs(value) // ONE) * ONE * (-1 if value < 0 else 1)
    text = plain(value)
    if not _WHOLE.match(text):
        raise Failed
    if len(text) > 9:
        raise Declined
    return int(text) * ONE


def _floor(value: Value) -> int:
    return subtract(value, 0) // ONE * ONE


def _absolute(value: Value) -> int:
    return abs(subtract(value, 0))


def _part(text: Value, start: Value, length: Value | None = None) -> str:
    first = whole(start) - 1
    count = None if length is None else whole(length)
    if first < 0 or (count is not None and count < 0):
        raise Declined
    return plain(text)[first : None if count is None else first + count]


def _after(text: Value, mark: Value) -> str:
    return plain(text).partition(plain(mark))[2] if mark else plain(text)


def _before(text: Value, mark: Value) -> str:
    before, found, _ = plain(text).partition(plain(mark)) if mark else ("", "", "")
    return before if found else ""


FUNCTIONS: Mapping[str, tuple[Function | None, int, int]] = {
    "STR": (text_of, 1, 1),
    "ABS": (_absolute, 1, 1),
    "FLOOR": (_floor, 1, 1),
    "STRLEN": (lambda text: len(plain(text)) * ONE, 1, 1),
    "SUBSTR": (_part, 2, 3),
    "LCASE": (lambda text: _ascii(text).lower(), 1, 1),
    "UCASE": (lambda text: _ascii(text).upper(), 1, 1),
    "CONTAINS": (lambda text, part: plain(part) in plain(text), 2, 2),
    "STRSTARTS": (lambda text, part: plain(text).startswith(plain(part)), 2, 2),
    "STRENDS": (lambda text, part: plain(text).endswith(plain(part)), 2, 2),
    "STRAFTER": (_after, 2, 2),
    "STRBEFORE": (_before, 2, 2),
}
