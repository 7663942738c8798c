"""SPARQL property paths, as far as the attribute table needs them: steps, `/`, `|` and parentheses.

The same text can be pasted into a query; here it is walked over one record without an engine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode

from battpass.kg.index import Index, Term
from battpass.kg.namespaces import PREFIXES, expand

_TOKEN = re.compile(r"\s*([()|/]|[a-z]+:[A-Za-z0-9_]+)\s*")


@dataclass(frozen=True, slots=True)
class Path:
    """A property path. `routes` are its alternatives, each the IRIs of the steps to take.

    >>> Path.parse("(bp:a|bp:b)/schema:url|bp:c").routes[2]
    ('https://w3id.org/battpass/ontology#c',)
    """

    text: str
    routes: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, text: str) -> "Path":
        """Return the path of a text; `ValueError` says what does not fit."""
        tokens = list(_tokens(text))
        routes = _choice(tokens)
        if tokens:
            raise ValueError(f"{tokens[0]!r} stands where the path should end")
        return cls(text, tuple(dict.fromkeys(routes)))

    @property
    def properties(self) -> tuple[str, ...]:
        """The IRIs of all properties on the path, each once."""
        return tuple(dict.fromkeys(step for route in self.routes for step in route))

    def reach(self, index: Index, start: str) -> tuple[Term, ...]:
        """Return what the path leads to from `start`, each once, in the order of the alternatives."""
        return tuple(
            dict.fromkeys(term for route in self.routes for term in _walk(index, NamedNode(start), route))
        )


def _walk(index: Index, here: Term, route: tuple[str, ...]) -> Iterator[Term]:
    if not route:
        yield here
    elif isinstance(here, NamedNode):
        for term in index.objects(here.value, route[0]):
            yield from _walk(index, term, route[1:])


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError(f"{text[place:].split()[0]!r} is no step, and none of / | ( )")
        yield match[1]
        place = match.end()


def _choice(tokens: list[str]) -> list[tuple[str, ...]]:
    routes = _sequence(tokens)
    while tokens and tokens[0] == "|":
        tokens.pop(0)
        routes += _sequence(tokens)
    return routes


def _sequence(tokens: list[str]) -> list[tuple[str, ...]]:
    routes = _step(tokens)
    while tokens and tokens[0] == "/":
        tokens.pop(0)
        tails = _step(tokens)
        routes = [head + tail for head in routes for tail in tails]
    return routes


def _step(tokens: list[str]) -> list[tuple[str, ...]]:
    if not tokens or tokens[0] in "|/)":
        raise ValueError("a step is missing")
    token = tokens.pop(0)
    if token != "(":
        if token.partition(":")[0] not in PREFIXES:
            raise ValueError(f"{token!r} has no known prefix")
        return [(expand(token),)]
    routes = _choice(tokens)
    if not tokens or tokens.pop(0) != ")":
        raise ValueError("a parenthesis is not closed")
    return routes
