"""Conditions on a passport, as they stand in the obligation table, and whether a record meets them.

    condition   all tests joined by `or`, or by `and`, which binds closer; parentheses group
    test        not TEST                     the test does not hold
                has P                        some node has property P
                P = V, P != V                some value of P is V, or is another one
                P < V, P <= V, P > V, P >= V some value of P compares so, as number or as date
                P in V V ...                 some value of P is one of these
                contains S                   a substance is stated with a share above zero
                contains S above N           or with a share of more than N percent by mass

P and S are prefixed names; V is a prefixed name, a number, a date, `true`, `false`, or a text in double
quotes. An empty condition always holds. A test looks at the whole record, at item and model together.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Protocol

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Index, Term
from battpass.kg.namespaces import PREFIXES, expand

_TOKEN = re.compile(
    r'\s*("[^"]*"|<=|>=|!=|[=<>()]|[a-z]+:[A-Za-z0-9_]+|[0-9]{4}-[0-9]{2}-[0-9]{2}|-?[0-9]+(?:\.[0-9]+)?|[A-Za-z]+)'
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}

Value = str | Decimal | date | bool | NamedNode


class Test(Protocol):
    """A condition or a part of one."""

    def holds(self, index: Index) -> bool:
        """Return whether a record meets it."""

    def terms(self) -> Iterator[str]:
        """Yield the IRIs that it names."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition with the text that it was written as."""

    text: str
    test: Test

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Return the condition of a text; `ValueError` says what does not fit."""
        tokens = list(_tokens(text))
        if not tokens:
            return cls("", AllOf(()))
        test = _any(tokens)
        if tokens:
            raise ValueError(f"{tokens[0]!r} stands where the condition should end")
        return cls(text, test)

    def holds(self, index: Index) -> bool:
        """Return whether a record meets the condition."""
        return self.test.holds(index)

    def terms(self) -> tuple[str, ...]:
        """Return the IRIs that the condition names, each once."""
        return tuple(dict.fromkeys(self.test.terms()))


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of some tests; with none it holds."""

    tests: tuple[Test, ...]

    def holds(self, index: Index) -> bool:
        return all(test.holds(index) for test in self.tests)

    def terms(self) -> Iterator[str]:
        return (term for test in self.tests for term in test.terms())


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of some tests."""

    tests: tuple[Test, ...]

    def holds(self, index: Index) -> bool:
        return any(test.holds(index) for test in self.tests)

    def terms(self) -> Iterator[str]:
        return (term for test in self.tests for term in test.terms())


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of a test."""

    test: Test

    def holds(self, index: Index) -> bool:
        return not self.test.holds(index)

    def terms(self) -> Iterator[str]:
        return self.test.terms()


@dataclass(frozen=True, slots=True)
class Has:
    """Some node has a property."""

    property: str

    def holds(self, index: Index) -> bool:
        return bool(index.subjects(self.property))

    def terms(self) -> Iterator[str]:
        yield self.property


@dataclass(frozen=True, slots=True)
class Compare:
    """Some value of a property compares with one of the given values."""

    property: str
    operator: str
    values: tuple[Value, ...]

    def holds(self, index: Index) -> bool:
        return any(
            _compares(found, self.operator, value) for found in self._found(index) for value in self.values
        )

    def terms(self) -> Iterator[str]:
        yield self.property
        yield from (value.value for value in self.values if isinstance(value, NamedNode))

    def _found(self, index: Index) -> Iterator[Term]:
        for subject in index.subjects(self.property):
            yield from index.objects(subject, self.property)


@dataclass(frozen=True, slots=True)
class Contains:
    """A substance is stated with a share of more than `limit` percent by mass.

    Partner formats make every passport state its nickel, lithium, cobalt and lead, be it as zero; so
    an entry alone says nothing. A recycled share above zero does: what is not there is not recycled.
    """

    substance: str
    limit: Decimal

    def holds(self, index: Index) -> bool:
        return any(self._share_exceeds(index, node) for node in self._entries(index))

    def terms(self) -> Iterator[str]:
        yield self.substance

    def _entries(self, index: Index) -> Iterator[str]:
        substance = NamedNode(self.substance)
        for node in index.subjects(expand("bp:material")):
            if substance in index.objects(node, expand("bp:material")):
                yield node

    def _share_exceeds(self, index: Index, node: str) -> bool:
        shares = index.objects(node, expand("bp:concentrationPercent"))
        if any(_compares(share, ">", self.limit) for share in shares):
            return True
        recycled = index.objects(node, expand("bp:recycledSharePercent"))
        return not self.limit and any(_compares(share, ">", Decimal(0)) for share in recycled)


def _compares(found: Term, operator: str, value: Value) -> bool:
    if isinstance(value, NamedNode):
        return bool(_COMPARE[operator](found, value))
    if not isinstance(found, Literal):
        return False
    try:
        return bool(_COMPARE[operator](_alike(found.value, value), value))
    except (ValueError, InvalidOperation):
        return False


def _alike(text: str, value: Value) -> Value:
    """Read a literal's text as the type of the value that it is held against."""
    if isinstance(value, bool):
        return text in ("true", "1")
    if isinstance(value, Decimal):
        return Decimal(text)
    if isinstance(value, date):
        return date.fromisoformat(text[:10])
    return text


def _tokens(text: str) -> Iterator[str]:
    text, place = text.strip(), 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"{text[place:].split()[0]!r} is not understood")
        yield match[1]
        place = match.end()


def _any(tokens: list[str]) -> Test:
    tests = [_all(tokens)]
    while tokens and tokens[0] == "or":
        tokens.pop(0)
        tests.append(_all(tokens))
    return tests[0] if len(tests) == 1 else AnyOf(tuple(tests))


def _all(tokens: list[str]) -> Test:
    tests = [_test(tokens)]
    while tokens and tokens[0] == "and":
        tokens.pop(0)
        tests.append(_test(tokens))
    return tests[0] if len(tests) == 1 else AllOf(tuple(tests))


def _test(tokens: list[str]) -> Test:
    match _take(tokens):
        case "not":
            return Not(_test(tokens))
        case "(":
            inner = _any(tokens)
            if not tokens or tokens.pop(0) != ")":
                raise ValueError("a parenthesis is not closed")
            return inner
        case "has":
            return Has(_term(_take(tokens)))
        case "contains":
            substance = _term(_take(tokens))
            if tokens[:1] != ["above"]:
                return Contains(substance, Decimal(0))
            tokens.pop(0)
            return Contains(substance, _number(_take(tokens)))
        case name:
            return _comparison(_term(name), tokens)


def _comparison(property_: str, tokens: list[str]) -> Test:
    operator = _take(tokens)
    if operator == "in":
        values = [_value(_take(tokens))]
        while tokens and tokens[0] not in ("and", "or", ")"):
            values.append(_value(tokens.pop(0)))
        return Compare(property_, "=", tuple(values))
    if operator not in _COMPARE:
        raise ValueError(f"{operator!r} is none of {' '.join(_COMPARE)} in")
    value = _value(_take(tokens))
    if operator not in ("=", "!=") and not isinstance(value, Decimal | date):
        raise ValueError(f"{operator} compares numbers and dates only")
    return Compare(property_, operator, (value,))


def _take(tokens: list[str]) -> str:
    if not tokens:
        raise ValueError("the condition breaks off")
    return tokens.pop(0)


def _term(token: str) -> str:
    if token.partition(":")[0] not in PREFIXES or ":" not in token:
        raise ValueError(f"{token!r} is no prefixed name")
    return expand(token)


def _number(token: str) -> Decimal:
    try:
        return Decimal(token)
    except InvalidOperation as error:
        raise ValueError(f"{token!r} is no number") from error


def _value(token: str) -> Value:
    if token in ("true", "false"):
        return token == "true"
    if token.startswith('"'):
        return token[1:-1]
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", token):
        return date.fromisoformat(token)
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", token):
        return _number(token)
    return NamedNode(_term(token))
