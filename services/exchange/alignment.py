"""Which node of one passport is which node of another: found by their place in the document they make.

A format names nodes by their place (`#material-2`), a kept passport has the names that its nodes were given
when they came, be it as RDF. To change a kept passport by way of its document, the two must meet.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest

from battpass.kg.index import Index
from battpass.kg.jsontext import Json, leaves, tokens
from battpass.kg.mapping.lower import Array, Lower, Object, Value
from battpass.kg.mapping.mapping import Mapping as FormatMapping
from battpass.kg.mapping.residue import plain
from battpass.kg.passport import Passport
from battpass.kg.quantity import HAS_NUMERICAL_PART, child

_NUMBERED = re.compile(r"(.*-)(\d+)\Z")


class Alignment:
    """The names that the nodes of one passport, `other`, have in a kept one.

    By place, items of arrays meet by their index. By likeness, they meet where they are equal or half of
    their content is; those that meet none get a name that nothing of the kept passport has.
    """

    def __init__(
        self, mapping: FormatMapping, other: Passport, kept: Passport, *, by_likeness: bool = False
    ) -> None:
        self._roots = {other.model: kept.model, other.battery: kept.battery, other.record: kept.record}
        self._index, self._kept_index = Index(other.quads()), Index(kept.quads())
        self._by_likeness = by_likeness
        self._links = {kind.link_iri: kind for kind in mapping.deriver.quantities.values()}
        self._names: dict[str, str] = dict(self._roots)
        self._taken: set[str] = set()
        self._pair(_tree(mapping, self._index, other), _tree(mapping, self._kept_index, kept))
        for node, name in list(self._names.items()):
            self._name_quantities(node, name)

    def name(self, iri: str) -> str:
        """Return the name of a node in the kept passport; what is no node of the other one keeps its own."""
        return self._names.get(iri) or self.minted(iri)

    def minted(self, iri: str) -> str:
        """Return a name as the format would mint it in the kept passport: by place, under its own roots."""
        for root, kept in self._roots.items():
            if iri == root or iri.startswith((f"{root}#", f"{root}-", f"{root}/")):
                return kept + iri[len(root) :]
        return iri

    def displaced(self) -> frozenset[str]:
        """Return the names of the kept passport that would mean another node if the format minted them."""
        found = {(name, self.minted(node)) for node, name in self._names.items()}
        return frozenset(iri for pair in found if len(set(pair)) == 2 for iri in pair)

    def by_place(self) -> None:
        """Give each node the name that the format would mint."""
        self._names = dict(self._roots)

    def _pair(self, part: Value, kept: Value) -> None:
        if isinstance(part, Object):
            at = kept if isinstance(kept, Object) else None
            if not part.path:
                self._meet(part.node, at.node if at else None)
            for name, member in part.members.items():
                self._pair(member, at.members.get(name) if at else None)
        elif isinstance(part, Array):
            items = kept.items if isinstance(kept, Array) else []
            for (node, value), match in self._matched(part.items, items):
                self._meet(node, match[0] if match else None)
                self._pair(value, match[1] if match else None)

    def _meet(self, node: str, kept: str | None) -> None:
        if node in self._names:
            return
        self._names[node] = kept or self._fresh(node)
        self._taken.add(self._names[node])

    def _matched(
        self, items: list[tuple[str, Value]], kept: list[tuple[str, Value]]
    ) -> Iterator[tuple[tuple[str, Value], tuple[str, Value] | None]]:
        if not self._by_likeness:
            yield from ((item, match) for item, match in zip_longest(items, kept) if item is not None)
            return
        met = alike([plain(value) for _, value in items], [plain(value) for _, value in kept])
        # Those that met come first, so that a fresh name is none of theirs.
        for number, item in sorted(enumerate(items), key=lambda pair: pair[0] not in met):
            yield item, kept[met[number]] if number in met else None

    def _fresh(self, node: str) -> str:
        """Return a name for a node that the kept passport does not have."""
        parent = next(
            node[:end]
            for end in range(len(node) - 1, 0, -1)
            if node[end] in "#-" and node[:end] in self._names
        )
        name = child(self._names[parent], node[len(parent) + 1 :])
        numbered = _NUMBERED.match(name)
        if numbered is None:
            return name
        number = int(numbered[2])
        while name in self._kept_index or name in self._taken:
            number += 1
            name = f"{numbered[1]}{number}"
        return name

    def _name_quantities(self, node: str, name: str) -> None:
        for link in self._index.predicates(node):
            kind = self._links.get(link)
            here = self._index.text(node, link) if kind else None
            if kind is None or here is None:
                continue
            kept = self._kept_index.text(name, link) or child(name, kind.key)
            self._names[here] = kept
            value = self._index.text(here, HAS_NUMERICAL_PART.value)
            if value is not None:
                kept_value = self._kept_index.text(kept, HAS_NUMERICAL_PART.value)
                self._names[value] = kept_value or f"{kept}-value"


def alike(items: list[Json], kept: list[Json]) -> Mapping[int, int]:
    """Return which of `kept` each of `items` is, by their indices: equal ones first, then the most alike.

    Objects are alike if at least half of their leaves are equal; scalars if they stand at the same place in
    an array that did not grow or shrink.

    >>> alike([{"a": "x", "b": "y"}, {"a": "p", "b": "q"}], [{"a": "r", "b": "s"}, {"a": "x", "b": "z"}])
    {0: 1}
    """
    met: dict[int, int] = {}
    places: dict[tuple[str, ...], list[int]] = {}
    for index, value in reversed(list(enumerate(kept))):
        places.setdefault(_key(value), []).append(index)
    for number, item in enumerate(items):
        if same := places.get(_key(item)):
            met[number] = same.pop()
    taken = set(met.values())
    left = {index: _leaves(value) for index, value in enumerate(kept) if index not in taken}
    scored = sorted(
        (-_likeness(mine, theirs), abs(number - index), number, index)
        for number, mine in (
            (number, _leaves(item)) for number, item in enumerate(items) if number not in met
        )
        for index, theirs in left.items()
    )
    for score, _, number, index in scored:
        in_place = number == index and len(items) == len(kept) and not isinstance(items[number], dict)
        if number not in met and index in left and (score <= -0.5 or in_place):
            met[number] = index
            del left[index]
    return met


def _key(value: Json) -> tuple[str, ...]:
    return tuple(map(str, tokens(value))) if isinstance(value, dict | list) else (repr(value),)


def _leaves(value: Json) -> frozenset[tuple[str, str]]:
    return (
        frozenset((at, repr(leaf)) for at, leaf in leaves(value)) if isinstance(value, dict) else frozenset()
    )


def _likeness(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> float:
    """Return the share of leaves that two objects have in common, 0 to 1."""
    return len(one & other) / max(len(one), len(other), 1)


def _tree(mapping: FormatMapping, index: Index, passport: Passport) -> Object:
    roots = {"passport": passport.record, "battery": passport.battery, "model": passport.model}
    return Lower(index, roots, mapping.vocabulary).document(mapping.place, passport.record)
