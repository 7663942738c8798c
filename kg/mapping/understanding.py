"""How much of a document the graph understands, proved leaf by leaf.

A leaf counts as understood if changing its aligned triple, and nothing else, changes exactly that leaf
of the exported document. What only the residue brings back is returned, but not understood.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Index, Term
from battpass.kg.jsontext import Json, leaves
from battpass.kg.literals import BOOLEAN, DATE, DATE_TIME, decimal_literal
from battpass.kg.mapping.lift import Origin
from battpass.kg.mapping.mapping import Lifted, Mapping
from battpass.kg.namespaces import expand
from battpass.kg.quantity import (
    HAS_MEASUREMENT_UNIT,
    HAS_NUMBER_VALUE,
    HAS_NUMERICAL_PART,
    STATED_UNIT,
    VALID_AT,
    decode,
)

Change = tuple[str, str, Term]

OTHER_TIME = "1999-12-31T23:59:59Z"


@dataclass(frozen=True, slots=True)
class Understanding:
    """The leaves of a document, those understood, and why the others are not (pointer, reason)."""

    leaves: int
    understood: int
    rest: tuple[tuple[str, str], ...]

    @property
    def share(self) -> float:
        """The understood share, between 0 and 1."""
        return self.understood / self.leaves if self.leaves else 1.0


def understanding(mapping: Mapping, document: Json, lifted: Lifted) -> Understanding:
    """Return how much of a document its graph understands, by changing each triple in turn."""
    index = Index(lifted.passport.quads())
    before = dict(leaves(mapping.lower_index(index, lifted.passport)))
    origins = {origin.pointer: origin for origin in lifted.origins()}
    rest: list[tuple[str, str]] = []
    pointers = [pointer for pointer, _ in leaves(document)]
    for pointer in pointers:
        origin = origins.get(pointer)
        changes = [] if origin is None else _changes(mapping, index, origin)
        if not changes:
            rest.append((pointer, "no triple: kept as residue"))
            continue
        with _changed(index, changes):
            after = dict(leaves(mapping.lower_index(index, lifted.passport)))
        moved = [at for at in {**before, **after} if before.get(at) != after.get(at)]
        if moved != [pointer]:
            others = ", ".join(sorted(at for at in moved if at != pointer))
            rest.append((pointer, f"changes {others} as well" if others else "its triple does not change it"))
    return Understanding(len(pointers), len(pointers) - len(rest), tuple(rest))


@contextmanager
def _changed(index: Index, changes: list[Change]) -> Iterator[None]:
    before = [
        (subject, predicate, index.exchange(subject, predicate, [term]))
        for subject, predicate, term in changes
    ]
    try:
        yield
    finally:
        for subject, predicate, terms in reversed(before):
            index.exchange(subject, predicate, terms)


def _changes(mapping: Mapping, index: Index, origin: Origin) -> list[Change]:
    """Return the one change of the aligned triple (for a quantity, of both its forms)."""
    rule, subject = origin.rule, origin.subject
    if rule.kind in ("quantity", "unit", "time"):
        return _quantity_changes(mapping, index, origin)
    text = index.text(subject, rule.predicate)
    match rule.kind:
        case "literal" if text is not None:
            return [(subject, rule.predicate, _other_literal(text, rule.range))]
        case "entity" if text is not None:
            return [(subject, rule.predicate, NamedNode(text[:-1] + ("1" if text[-1] == "0" else "0")))]
        case "concept" | "code" if text is not None:
            concepts = mapping.vocabulary.concepts.in_scheme(rule.range)
            other = next((one.iri for one in concepts if one.iri != text), None)
            return [(subject, rule.predicate, NamedNode(other))] if other else []
        case "code":
            text = index.text(subject, f"{rule.predicate}Text")
            return [(subject, f"{rule.predicate}Text", Literal(f"{text}~"))] if text is not None else []
    return []


def _other_literal(text: str, datatype: str) -> Literal:
    if datatype == "boolean":
        return Literal("false" if text == "true" else "true", datatype=BOOLEAN)
    if datatype == "date":
        day = date.fromisoformat(text)
        step = timedelta(days=1 if day < date.max else -1)
        return Literal((day + step).isoformat(), datatype=DATE)
    return Literal(f"{text}~")


def _quantity_changes(mapping: Mapping, index: Index, origin: Origin) -> list[Change]:
    rule, subject = origin.rule, origin.subject
    kind = mapping.vocabulary.quantities[rule.key]
    quantity = decode(index, subject, kind)
    here = index.text(subject, kind.link_iri)
    if quantity is None or here is None:
        return []
    if rule.kind == "time":
        return [(here, VALID_AT.value, Literal(OTHER_TIME, datatype=DATE_TIME))]
    if rule.kind == "unit":
        units = mapping.vocabulary.units
        stated = quantity.stated_unit or quantity.unit
        converts = units.unit(quantity.unit).kind == units.unit(kind.unit).kind
        written = STATED_UNIT if converts else HAS_MEASUREMENT_UNIT
        other = next((unit for unit in units.of_kind(units.unit(stated).kind) if unit.curie != stated), None)
        return [(here, written.value, NamedNode(expand(other.curie)))] if other else []
    number = decimal_literal(quantity.value + Decimal(1))
    value_node = index.text(here, HAS_NUMERICAL_PART.value)
    assert value_node is not None
    changes: list[Change] = [(value_node, HAS_NUMBER_VALUE.value, number)]
    if quantity.unit == kind.unit:
        changes.append((subject, kind.compact_iri, number))
    return changes
