"""The constraints that look at a focus node with all its value nodes, in columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pyoxigraph import NamedNode

from battpass.kg.validation.compiled.columns.encode import Chunk, Flags, Numbers
from battpass.kg.validation.compiled.columns.patterns import wanted_by
from battpass.kg.validation.compiled.columns.relations import Pairs, Relations, among, distinct, joined
from battpass.kg.validation.compiled.columns.search import Search
from battpass.kg.validation.compiled.columns.terms import Terms
from battpass.kg.validation.compiled.constraints.cardinality import MaxCount, MinCount
from battpass.kg.validation.compiled.constraints.other import Closed, HasValue
from battpass.kg.validation.compiled.constraints.pairs import Disjoint, Equals, Less
from battpass.kg.validation.compiled.constraints.strings import UniqueLang
from battpass.kg.validation.compiled.literals import compared
from battpass.kg.validation.compiled.sparql import Asks, Selects

Answers = npt.NDArray[np.uint8]
HOLDS, OPEN, FAILS = np.uint8(0), np.uint8(1), np.uint8(2)

# Comparisons for one focus node, above which the row executor compares: it looks at largest and smallest.
_MOST_PAIRS = 256


@dataclass(frozen=True)
class Group:
    """The nodes that a shape is asked about, and their value nodes."""

    nodes: Numbers
    pairs: Pairs
    chunk: Chunk[Any]
    relations: Relations
    terms: Terms
    search: Search

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many value nodes each node has."""
        return np.bincount(self.pairs.rows, minlength=len(self.nodes))

    def others(self, predicate: NamedNode) -> Pairs:
        """Return the values of another property of the nodes."""
        return self.relations.forwards(predicate).of(self.nodes)

    def fail(self, rows: Numbers) -> Answers:
        """Return the answers where these fail and the others do not."""
        out = np.zeros(len(self.nodes), dtype=np.uint8)
        out[rows] = FAILS
        return out


def _if(bad: Flags, otherwise: np.uint8 = HOLDS) -> Answers:
    return np.where(bad, FAILS, otherwise)


def _min_count(constraint: MinCount, group: Group) -> Answers:
    return _if(group.counts < constraint.least)


def _max_count(constraint: MaxCount, group: Group) -> Answers:
    return _if(group.counts > constraint.most)


def _has_value(constraint: HasValue, group: Group) -> Answers:
    number = group.terms.number(constraint.term)
    there = np.zeros(len(group.nodes), dtype=np.bool_)
    there[group.pairs.rows[group.chunk.terms_of[group.pairs.values] == number]] = True
    return _if(~there)


def _closed(constraint: Closed, group: Group) -> Answers:
    out = np.zeros(len(group.nodes), dtype=np.uint8)
    once = distinct(group.pairs.values)
    bad = np.zeros(len(once), dtype=np.bool_)
    for predicate in group.chunk.properties:
        if predicate not in constraint.known:
            bad |= group.relations.forwards(predicate).has(once)
    out[group.pairs.rows[among(once[bad], group.pairs.values)]] = FAILS
    return out


def _unique_lang(constraint: UniqueLang, group: Group) -> Answers:
    tags = group.terms.tags(group.pairs.values).astype(np.int64)
    tagged = tags >= 0
    keys = np.sort(joined(group.pairs.rows[tagged], tags[tagged]))
    return group.fail(keys[1:][keys[1:] == keys[:-1]] >> 32)


def _equals(constraint: Equals, group: Group) -> Answers:
    mine, others = joined(*group.pairs), joined(*group.others(constraint.other))
    return group.fail(np.setxor1d(mine, others, assume_unique=True) >> 32)


def _disjoint(constraint: Disjoint, group: Group) -> Answers:
    mine, others = joined(*group.pairs), joined(*group.others(constraint.other))
    return group.fail(np.intersect1d(mine, others, assume_unique=True) >> 32)


def _less(constraint: Less, group: Group) -> Answers:
    others = group.others(constraint.other)
    mine, theirs = group.counts, np.bincount(others.rows, minlength=len(group.nodes))
    many = mine * theirs > _MOST_PAIRS
    out = np.where(many, OPEN, HOLDS)
    # Each value node with each other value of its row: as many times as the row has others.
    kept = ~many[group.pairs.rows]
    rows, values = group.pairs.rows[kept], group.pairs.values[kept]
    times = theirs[rows]
    begins = (np.cumsum(theirs) - theirs)[rows]
    total = np.cumsum(times)
    places = np.arange(total[-1] if len(total) else 0) + np.repeat(begins - total + times, times)
    left = group.chunk.terms_of[np.repeat(values, times)].astype(np.int64)
    right = group.chunk.terms_of[others.values[places]].astype(np.int64)
    keys = joined(left, right)
    once = distinct(keys)
    bad = [
        compared(group.terms.value(key >> 32), group.terms.value(key & 0xFFFFFFFF)) not in constraint.allowed
        for key in once.tolist()
    ]
    wrong = np.array(bad, dtype=np.bool_)[np.searchsorted(once, keys)]
    out[np.repeat(rows, times)[wrong]] = FAILS
    return out


def _selects(constraint: Selects, group: Group) -> Answers:
    there = np.ones(len(group.nodes), dtype=np.bool_)
    for iri in constraint.query.needed:
        there &= group.relations.forwards(NamedNode(iri)).has(group.nodes)
    found = np.flatnonzero(there)
    wanted = wanted_by(constraint.query)
    if wanted is not None:
        found = found[among(group.search.among(wanted, group.nodes[found]), group.nodes[found])]
    out = np.full(len(group.nodes), HOLDS)
    out[found] = OPEN
    return out


def _asks(constraint: Asks, group: Group) -> Answers:
    return np.where(group.counts > 0, OPEN, HOLDS)


CHECKS: Mapping[type, Callable[[Any, Group], Answers]] = {
    MinCount: _min_count,
    MaxCount: _max_count,
    HasValue: _has_value,
    Closed: _closed,
    UniqueLang: _unique_lang,
    Equals: _equals,
    Disjoint: _disjoint,
    Less: _less,
    Selects: _selects,
    Asks: _asks,
}
