"""The one place that knows how a quantity is written: the EMMO node and the compact literal.

Both forms stand in the same graph and say the same:

    <model> bp:ratedCapacity <q> ; emmo:hasProperty <q> ; bp:ratedCapacityAh 94 .
    <q> a echem:RatedCapacity , emmo:ConventionalProperty ;
        emmo:hasNumericalPart <q-value> ; emmo:hasMeasurementUnit emmo:AmpereHour .
    <q-value> a emmo:RealData ; emmo:hasNumberValue 94 .

A value is kept in the canonical unit of its kind; the unit that the partner stated is remembered
beside it, so that it can be handed back in that unit. A kind that is `open` keeps a unit which does
not convert (a warranty in cycles) as it was stated, without the compact literal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Index, Term
from battpass.kg.literals import DATE_TIME, decimal_literal, decimal_of
from battpass.kg.namespaces import expand, node, shorten
from battpass.kg.ontology.units import UnitTable
from battpass.kg.quantities import QuantityKind

TYPE = node("rdf:type")
HAS_PROPERTY = node("emmo:EMMO_e1097637_70d2_4895_973f_2396f04fa204")
HAS_NUMERICAL_PART = node("emmo:EMMO_8ef3cd6d_ae58_4a8d_9fc0_ad8f49015cd0")
HAS_NUMBER_VALUE = node("emmo:EMMO_faf79f53_749d_40b2_807c_d34244c192f4")
HAS_MEASUREMENT_UNIT = node("emmo:EMMO_bed1d005_b04e_4a90_94cf_02bc678a8569")
REAL_DATA = node("emmo:EMMO_18d180e4_5e3e_42f7_820c_e08951223486")
NATURES: Mapping[str, NamedNode] = {
    "declared": node("emmo:EMMO_d8aa8e1f_b650_416d_88a0_5118de945456"),  # ConventionalProperty
    "measured": node("emmo:EMMO_873b0ab3_88e6_4054_b901_5531e01f14a4"),  # MeasuredProperty
}
VALID_AT = node("bp:validAt")
STATED_UNIT = node("bp:statedUnit")

Statement = tuple[str, NamedNode, Term]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value of a kind, in `unit` (prefixed name); `stated_unit` is what the source wrote, if another."""

    kind: QuantityKind
    value: Decimal
    unit: str
    stated_unit: str | None = None
    valid_at: str | None = None


def child(subject: str, name: str) -> str:
    """Return the IRI of a part of a node: `<record>#name`, or `<record>#node-name` below a part.

    >>> child("https://w3id.org/battpass/id/p/1", "battery")
    'https://w3id.org/battpass/id/p/1#battery'
    """
    return f"{subject}{'-' if '#' in subject else '#'}{name}"


def encode(subject: str, quantity: Quantity, at: str | None = None) -> Iterator[Statement]:
    """Yield the statements of a quantity; `at` is the IRI of its node where it has one already."""
    kind = quantity.kind
    here = at or child(subject, kind.key)
    value_node = f"{here}-value"
    number = decimal_literal(quantity.value)
    yield subject, NamedNode(kind.link_iri), NamedNode(here)
    yield subject, HAS_PROPERTY, NamedNode(here)
    yield here, TYPE, NamedNode(kind.class_iri)
    yield here, TYPE, NATURES[kind.nature]
    yield here, HAS_NUMERICAL_PART, NamedNode(value_node)
    yield here, HAS_MEASUREMENT_UNIT, NamedNode(expand(quantity.unit))
    yield value_node, TYPE, REAL_DATA
    yield value_node, HAS_NUMBER_VALUE, number
    if quantity.unit == kind.unit:
        yield subject, NamedNode(kind.compact_iri), number
    if quantity.stated_unit:
        yield here, STATED_UNIT, NamedNode(expand(quantity.stated_unit))
    if quantity.valid_at:
        yield here, VALID_AT, Literal(quantity.valid_at, datatype=DATE_TIME)


def decode(index: Index, subject: str, kind: QuantityKind) -> Quantity | None:
    """Return the quantity of a kind that a subject has, or None."""
    here = index.text(subject, kind.link_iri)
    if here is None:
        return None
    value_node = index.text(here, HAS_NUMERICAL_PART.value)
    lexical = index.text(value_node, HAS_NUMBER_VALUE.value) if value_node else None
    value = decimal_of(lexical) if lexical else None
    unit = index.text(here, HAS_MEASUREMENT_UNIT.value)
    if value is None or unit is None:
        return None
    stated = index.text(here, STATED_UNIT.value)
    return Quantity(
        kind,
        value,
        shorten(unit),
        shorten(stated) if stated else None,
        index.text(here, VALID_AT.value),
    )


def in_canonical_unit(kind: QuantityKind, value: Decimal, stated: str, units: UnitTable) -> Quantity | None:
    """Return a stated value in the kind's canonical unit; as stated where the kind is open.

    None where the unit measures something else and the kind allows no other.
    """
    if stated == kind.unit:
        return Quantity(kind, value, stated)
    if units.unit(stated).kind != units.unit(kind.unit).kind:
        return Quantity(kind, value, stated) if kind.open else None
    return Quantity(kind, units.convert(value, stated, kind.unit), kind.unit, stated)


def in_stated_unit(quantity: Quantity, units: UnitTable) -> tuple[Decimal, str]:
    """Return value and unit as the source stated them."""
    if quantity.stated_unit is None:
        return quantity.value, quantity.unit
    return units.convert(quantity.value, quantity.unit, quantity.stated_unit), quantity.stated_unit
