"""A passport as it lives here: the item's graphs, and those of the model record they point to."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode, Quad

from battpass.kg.graphs import AccessClass, Graphs, quads
from battpass.kg.index import Term
from battpass.kg.namespaces import node

PASSPORT_CLASS = node("bp:BatteryPassport")
DESCRIBES = node("bp:describes")
MODEL = node("bp:model")
POSITION = node("bp:position")

DIGEST_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Passport:
    """One passport: `record` names its item graphs, `model` the model record that it shares."""

    record: str
    model: str
    item_graphs: Graphs
    model_graphs: Graphs

    @property
    def battery(self) -> str:
        """The IRI of the battery itself."""
        return battery_of(self.record)

    def quads(self) -> Iterator[Quad]:
        """Yield all quads of the item and of its model."""
        yield from quads(self.item_graphs)
        yield from quads(self.model_graphs)


def battery_of(record: str) -> str:
    """Return the IRI of the battery that a passport record describes."""
    return f"{record}#battery"


def graph_name(record: str, access: AccessClass) -> NamedNode:
    """Return the name of the graph that holds a record's quads of one access class."""
    return NamedNode(f"{record}/{access.value}")


def group(record: str, parts: Iterable[Quad]) -> Graphs:
    """Return a record's quads sorted by access class, as their graph names say.

    Raises
    ------
    ValueError
        If a quad lies in a graph that is none of the record's.
    """
    graphs: dict[AccessClass, set[Quad]] = defaultdict(set)
    names = {graph_name(record, access): access for access in AccessClass}
    for quad in parts:
        access = names.get(quad.graph_name) if isinstance(quad.graph_name, NamedNode) else None
        if access is None:
            raise ValueError(f"{quad.graph_name} is no graph of {record}")
        graphs[access].add(quad)
    return {access: frozenset(graphs[access]) for access in AccessClass if access in graphs}


def model_digest(
    statements: Iterable[tuple[AccessClass, str, NamedNode, Term]], model: str, base: str
) -> str:
    """Return the digest of what is said of a model record under its IRI `model`.

    Neither the record's own name nor the base of instance IRIs counts, nor the order of statements: equal
    content has one digest wherever it is kept.
    """

    def relative(iri: str) -> str:
        if iri == model or iri.startswith((f"{model}#", f"{model}/")):
            return "#" + iri[len(model) :]
        return iri.removeprefix(base)

    # Only IRIs are made relative, never the text of a literal: no text can pass for a name.
    lines = sorted(
        f"{access} <{relative(subject)}> {predicate} "
        f"{f'<{relative(term.value)}>' if isinstance(term, NamedNode) else term}"
        for access, subject, predicate, term in statements
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:DIGEST_LENGTH]
