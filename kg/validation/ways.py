"""The way from passport, battery or model to a value: in words, with its sub-model and who can mend it.

All of it is read off the tables: names of properties, sub-models of attributes, and in which of the two
records a value lives.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pyoxigraph import Literal

from battpass.kg.attributes import Attribute
from battpass.kg.namespaces import BP, shorten
from battpass.kg.properties import load_properties
from battpass.kg.quantities import QuantityKind
from battpass.kg.tables import Labels
from battpass.kg.validation.data import Data

_POSITION = BP + "position"
_ROOTS: Mapping[str, Labels] = {
    "passport": Labels("Passport", "Pass"),
    "battery": Labels("Battery", "Batterie"),
    "model": Labels("Model", "Modell"),
}


class Way(NamedTuple):
    """How to get to a value. `mender` is `model` or `item`; what is not known is empty."""

    words: Labels
    submodel: str
    mender: str


class Ways:
    """Knows the tables by which the steps of a way are named."""

    def __init__(self, attributes: Mapping[str, Attribute], quantities: Mapping[str, QuantityKind]) -> None:
        self._names: dict[str, Labels] = {}
        properties = load_properties(attributes=attributes.keys())
        for own in properties.values():
            if own.labels:
                self._names[own.iri] = own.labels
        for kind in quantities.values():
            self._names[kind.link_iri] = self._names[kind.compact_iri] = kind.labels
        self._compacts = {kind.link_iri: kind.compact_iri for kind in quantities.values()}
        self._submodels: dict[str, str] = {}
        for attribute in attributes.values():
            self._names[attribute.iri] = attribute.labels
            # Attributes that share their first step are of one sub-model, but for papers on a common study.
            for route in attribute.path.routes:
                self._submodels.setdefault(route[0], attribute.submodel)
        for own in properties.values():
            above = attributes.get(own.sub_property_of.rpartition("#")[2])
            if above is not None:
                self._submodels.setdefault(own.iri, above.submodel)
        # What no attribute names is of the sub-model of what else leads to the same class.
        ranges = {
            own.range: self._submodels[own.iri] for own in properties.values() if own.iri in self._submodels
        }
        for own in properties.values():
            if own.range.startswith(BP) and own.range in ranges:
                self._submodels.setdefault(own.iri, ranges[own.range])

    def to(self, node: str, route: tuple[str, ...], data: Data, field: Labels) -> Way:
        """Return the way that leads to a node, and on by a route to a field.

        `field` is what the last step is called where no table names its property.
        """
        root, steps = _down_to(node, data)
        named = [self._step(predicate, reached, data) for predicate, reached in steps]
        named += [self._step(predicate, "", data) for predicate in route]
        if route and route[-1] not in self._names:
            named[-1] = field
        if root:
            named.insert(0, _ROOTS[root])
        predicates = [predicate for predicate, _ in steps] + list(route)
        head = predicates[0] if predicates else ""
        return Way(
            Labels(*(" / ".join(label[language] for label in named) for language in (0, 1))),
            self._submodels.get(self._compacts.get(head, head), ""),
            "" if not root else "model" if root == "model" else "item",
        )

    def _step(self, predicate: str, reached: str, data: Data) -> Labels:
        english, german = self._names.get(predicate) or (shorten(predicate).rpartition(":")[2],) * 2
        place = next(
            (one.value for one in data.index.objects(reached, _POSITION) if isinstance(one, Literal)), ""
        )
        number = f" {place[:10]}" if place else ""
        return Labels(english + number, german + number)


def _down_to(node: str, data: Data) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the root that a node hangs below, and the properties and nodes on the shortest way to it."""
    reading = data.reading
    roots = {reading.model: "model", reading.battery: "battery", reading.passport: "passport"}
    known: dict[str, tuple[tuple[str, str], ...]] = {node: ()}
    ring = [node]
    while ring:
        following = []
        for here in ring:
            if here in roots:
                return roots[here], known[here]
            for parent, predicate in data.parents.get(here, ()):
                if parent not in known:
                    known[parent] = ((predicate, here), *known[here])
                    following.append(parent)
        ring = following
    return "", ()
