"""From a node and a property of the graph to a place in the document that came in.

A format says where each value that it understood came from. Values that are missing have no such
place, so the mapping table is asked where they would stand.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from pyoxigraph import NamedNode

from battpass.kg.jsontext import escape, unescape
from battpass.kg.mapping.table import Place, Rule
from battpass.kg.passport import Passport
from battpass.kg.quantities import QuantityKind
from battpass.kg.quantity import VALID_AT
from battpass.kg.validation.data import Data

Places = Mapping[tuple[str, str], str]
Route = tuple[str, ...]


class DocumentPlaces(Mapping[tuple[str, str], str]):
    """Where values stand in a document, and where missing ones would.

    Wraps the places that a format knows; `tree` is its mapping table.
    """

    def __init__(
        self, known: Places, tree: Place, passport: Passport, quantities: Mapping[str, QuantityKind]
    ) -> None:
        self._known = known
        self._tree = tree
        self._roots = {passport.record: "passport", passport.battery: "battery", passport.model: "model"}
        self._links = {kind.compact_iri: kind.link_iri for kind in quantities.values()}
        self._compacts = {kind.link_iri: kind.compact_iri for kind in quantities.values()}
        self._passport = passport

    def __getitem__(self, key: tuple[str, str]) -> str:
        node, predicate = key
        # The unit of a quantity is known by the same property as its value; the compact name is the value's.
        found = self._known.get((node, self._compacts.get(predicate, predicate)))
        if found is None:
            found = self._expected(node, predicate)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    @cached_property
    def _owners(self) -> Mapping[str, tuple[str, str]]:
        """What each quantity is said of, and with what property of its compact form."""
        return {
            quad.object.value: (quad.subject.value, self._compacts[quad.predicate.value])
            for quad in self._passport.quads()
            if quad.predicate.value in self._compacts
            and isinstance(quad.subject, NamedNode)
            and isinstance(quad.object, NamedNode)
        }

    def _expected(self, node: str, predicate: str) -> str | None:
        if predicate == VALID_AT.value:
            return self._time_of(node)
        wanted = self._links.get(predicate, predicate)
        root = self._roots.get(node)
        if root:
            return next(_below(self._tree, "", root, wanted), None)
        pointer = self._known.get((node, ""))
        place = None if pointer is None else _at(self._tree, pointer)
        return None if place is None else next(_below(place, pointer or "", "", wanted), None)

    def _time_of(self, quantity: str) -> str | None:
        """Return where the time of a quantity would stand: beside its value, where the format has it."""
        value = self._known.get(self._owners.get(quantity, ("", "")))
        place = None if value is None else _at(self._tree, value)
        if value is None or place is None or place.rule is None or not place.rule.time:
            return None
        return f"{value.rpartition('/')[0]}/{escape(place.rule.time)}"


def pointer_of(places: Places, data: Data, node: str, routes: Iterable[Route]) -> str:
    """Return the place that the first of some routes leads to, as far as it is known, else "".

    A route whose first steps are there and whose last is missing leads to where that last one would stand.
    """
    if not places:
        return ""
    for route in routes:
        if (found := _along(places, data, node, route)) is not None:
            return found
    return _around(places, data, node)


def _along(places: Places, data: Data, node: str, route: Route) -> str | None:
    step, *rest = route
    if rest:
        for term in data.index.objects(node, step):
            if isinstance(term, NamedNode) and (found := _along(places, data, term.value, tuple(rest))):
                return found
    found = places.get((node, step))
    return _list_place(places, data, node, step) if found is None else found


def _list_place(places: Places, data: Data, node: str, predicate: str) -> str | None:
    """Return the place of a list by its first entry: the list itself is no statement."""
    for entry in data.index.objects(node, predicate):
        if isinstance(entry, NamedNode) and (found := places.get((entry.value, ""))) is not None:
            head, _, last = found.rpartition("/")
            return head if last.isdigit() else found
    return None


def _around(places: Places, data: Data, node: str) -> str:
    """Return the place of a node, else of the nearest node or property that leads to it."""
    seen, ring = {node}, [node]
    while ring:
        for here in ring:
            if (found := places.get((here, ""))) is not None:
                return found
        pointing = [pair for here in ring for pair in data.parents.get(here, ())]
        for pair in pointing:
            if (found := places.get(pair)) is not None:
                return found
        ring = list(dict.fromkeys(parent for parent, _ in pointing if parent not in seen))
        seen.update(ring)
    return ""


def _at(place: Place, pointer: str) -> Place | None:
    """Return the place in the table that a pointer leads to."""
    for step in pointer.split("/")[1:]:
        name = unescape(step)
        inner = place.items if step.isdigit() and place.items is not None else place.members.get(name)
        if inner is None:
            return None
        place = inner
    return place


def _below(place: Place, pointer: str, root: str, predicate: str) -> Iterator[str]:
    """Yield where a property of the node at `place` would stand; structure in between is walked through."""
    for name, inner in place.members.items():
        here = f"{pointer}/{escape(name)}"
        if inner.rule is None:
            yield from _below(inner, here, root, predicate)
        elif _says(inner.rule, root, predicate):
            yield here


def _says(rule: Rule, root: str, predicate: str) -> bool:
    return rule.subject == root and rule.predicate == predicate and rule.kind not in ("unit", "time")
