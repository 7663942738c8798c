"""A quantity is written in two forms that say the same, in one unit, and comes back as it was stated."""

from collections.abc import Iterable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Store

from battpass.kg.index import Index
from battpass.kg.literals import DATE_TIME, DECIMAL, decimal_literal
from battpass.kg.namespaces import PREFIXES, expand, node
from battpass.kg.ontology.units import UnitTable
from battpass.kg.quantities import QuantityKind, load_quantities
from battpass.kg.quantity import (
    HAS_MEASUREMENT_UNIT,
    HAS_NUMBER_VALUE,
    HAS_NUMERICAL_PART,
    HAS_PROPERTY,
    REAL_DATA,
    STATED_UNIT,
    TYPE,
    VALID_AT,
    Quantity,
    Statement,
    child,
    decode,
    encode,
    in_canonical_unit,
    in_stated_unit,
)

KINDS = load_quantities()
UNITS = UnitTable.load()
MODEL = "https://w3id.org/battpass/id/model/1"
READ_AT = "2026-11-21T08:00:00Z"

numbers = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=6)
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.key)


def index_of(statements: Iterable[Statement]) -> Index:
    index = Index()
    for subject, predicate, term in statements:
        index.add(subject, predicate.value, term)
    return index


def store_of(statements: Iterable[Statement]) -> Store:
    store = Store()
    store.extend(Quad(NamedNode(subject), predicate, term) for subject, predicate, term in statements)
    return store


def stated(kind: QuantityKind, text: str, unit: str) -> Quantity:
    quantity = in_canonical_unit(kind, Decimal(text), unit, UNITS)
    assert quantity is not None
    return quantity


def test_a_declared_quantity_is_written_as_the_design_says() -> None:
    q, value = f"{MODEL}#ratedCapacity", f"{MODEL}#ratedCapacity-value"
    number = Literal("94", datatype=DECIMAL)
    assert list(encode(MODEL, Quantity(KINDS["ratedCapacity"], Decimal("94.0"), "emmo:AmpereHour"))) == [
        (MODEL, node("bp:ratedCapacity"), NamedNode(q)),
        (MODEL, HAS_PROPERTY, NamedNode(q)),
        (q, TYPE, node("echem:electrochemistry_9b3b4668_0795_4a35_9965_2af383497a26")),
        (q, TYPE, node("emmo:EMMO_d8aa8e1f_b650_416d_88a0_5118de945456")),
        (q, HAS_NUMERICAL_PART, NamedNode(value)),
        (q, HAS_MEASUREMENT_UNIT, node("emmo:AmpereHour")),
        (value, TYPE, REAL_DATA),
        (value, HAS_NUMBER_VALUE, number),
        (MODEL, node("bp:ratedCapacityAh"), number),
    ]


def test_a_measured_quantity_says_when() -> None:
    kind = KINDS["stateOfCharge"]
    battery = "https://w3id.org/battpass/id/p/1#battery"
    found = list(encode(battery, Quantity(kind, Decimal(72), kind.unit, None, READ_AT)))
    q = f"{battery}-stateOfCharge"
    assert (q, TYPE, node("emmo:EMMO_873b0ab3_88e6_4054_b901_5531e01f14a4")) in found
    assert (q, VALID_AT, Literal(READ_AT, datatype=DATE_TIME)) in found
    assert (battery, node("bp:measuredStateOfChargePercent"), decimal_literal(Decimal(72))) in found


def test_parts_are_named_after_what_they_are_part_of() -> None:
    battery = child("https://w3id.org/battpass/id/p/1", "battery")
    assert battery == "https://w3id.org/battpass/id/p/1#battery"
    assert child(battery, "stateOfCharge") == f"{battery}-stateOfCharge"


@every_kind
def test_what_is_encoded_decodes_as_it_was(kind: QuantityKind) -> None:
    quantity = Quantity(kind, Decimal("12.34"), kind.unit, None, READ_AT)
    assert decode(index_of(encode(MODEL, quantity)), MODEL, kind) == quantity


@every_kind
def test_one_line_and_the_emmo_path_give_the_same(kind: QuantityKind) -> None:
    store = store_of(encode(MODEL, Quantity(kind, Decimal("-0.50"), kind.unit)))
    short = f"SELECT ?v {{ ?s bp:{kind.compact} ?v }}"
    number = f"{HAS_NUMERICAL_PART}/{HAS_NUMBER_VALUE}"
    long = f"SELECT ?v {{ ?s {HAS_PROPERTY} ?q . ?q a <{kind.class_iri}> ; {number} ?v }}"
    for query in (short, long):
        rows = [row["v"] for row in store.query(query, prefixes=PREFIXES)]
        assert rows == [Literal("-0.5", datatype=DECIMAL)]


@given(st.sampled_from(list(KINDS.values())), numbers, st.data())
def test_a_value_stated_in_any_unit_of_its_kind_comes_back(
    kind: QuantityKind, value: Decimal, data: st.DataObject
) -> None:
    of_kind = UNITS.of_kind(UNITS.unit(kind.unit).kind)
    unit = data.draw(st.sampled_from(of_kind)).curie
    quantity = in_canonical_unit(kind, value, unit, UNITS)
    assert quantity is not None and quantity.unit == kind.unit
    again, unit_again = in_stated_unit(quantity, UNITS)
    assert unit_again == unit
    # A unit with an endless decimal form (a third of something) is kept to 34 digits.
    assert abs(again - value) <= abs(value) * Decimal("1e-27")


@given(st.sampled_from(list(KINDS.values())), numbers)
def test_a_value_in_the_canonical_unit_is_not_touched(kind: QuantityKind, value: Decimal) -> None:
    assert in_canonical_unit(kind, value, kind.unit, UNITS) == Quantity(kind, value, kind.unit)


@pytest.mark.parametrize(
    ("key", "text", "unit", "kept"),
    [
        ("ratedCapacity", "94000", "emmo:MilliAmpereHour", "94"),
        ("batteryMass", "412500", "emmo:Gram", "412.5"),
        ("batteryHeight", "1.25", "emmo:Metre", "1250"),
        ("warrantyPeriod", "8", "emmo:Year", "96"),
        ("ratedEnergy", "3600000", "emmo:Joule", "1"),
        ("voltageReferenceTemperature", "298.15", "emmo:Kelvin", "25"),
        ("concentration", "1000", "bp:PartPerMillion", "0.1"),
        ("concentration", "5", "bp:PartPerThousand", "0.5"),
    ],
)
def test_units_are_converted_at_the_border(key: str, text: str, unit: str, kept: str) -> None:
    quantity = stated(KINDS[key], text, unit)
    assert quantity == Quantity(KINDS[key], Decimal(kept), KINDS[key].unit, unit)
    index = index_of(encode(MODEL, quantity))
    assert index.text(MODEL, KINDS[key].compact_iri) == kept
    assert index.text(child(MODEL, key), STATED_UNIT.value) == expand(unit)
    assert index.text(child(MODEL, key), HAS_MEASUREMENT_UNIT.value) == KINDS[key].unit_iri
    assert decode(index, MODEL, KINDS[key]) == quantity


def test_a_unit_of_another_kind_is_kept_as_stated_by_an_open_kind() -> None:
    warranty = stated(KINDS["warrantyPeriod"], "1000", "bp:Cycle")
    assert (warranty.unit, warranty.stated_unit) == ("bp:Cycle", None)
    index = index_of(encode(MODEL, warranty))
    assert index.text(MODEL, KINDS["warrantyPeriod"].compact_iri) is None
    assert decode(index, MODEL, KINDS["warrantyPeriod"]) == warranty
    assert in_stated_unit(warranty, UNITS) == (Decimal(1000), "bp:Cycle")


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if not kind.open], ids=lambda kind: kind.key
)
def test_a_unit_of_another_kind_is_refused_by_the_others(kind: QuantityKind) -> None:
    other = next(unit for unit in UNITS if unit.kind != UNITS.unit(kind.unit).kind)
    assert in_canonical_unit(kind, Decimal(1), other.curie, UNITS) is None


def test_days_are_no_part_of_a_month() -> None:
    warranty = stated(KINDS["warrantyPeriod"], "730", "emmo:Day")
    assert (warranty.value, warranty.unit) == (Decimal(730), "emmo:Day")


def test_a_percentage_by_volume_is_none_by_mass() -> None:
    kind = KINDS["concentration"]
    found = in_canonical_unit(kind, Decimal(1), "bp:PercentByVolume", UNITS)
    assert found is None or found.unit == "bp:PercentByVolume"


@pytest.mark.parametrize("lost", [HAS_NUMERICAL_PART, HAS_MEASUREMENT_UNIT, HAS_NUMBER_VALUE, "link"])
def test_half_a_quantity_is_none(lost: NamedNode | str) -> None:
    kind = KINDS["ratedCapacity"]
    gone = kind.link_iri if lost == "link" else getattr(lost, "value", "")
    whole = list(encode(MODEL, Quantity(kind, Decimal(94), kind.unit)))
    index = index_of(one for one in whole if one[1].value != gone)
    assert decode(index, MODEL, kind) is None


def test_a_quantity_keeps_the_node_that_it_has() -> None:
    kind = KINDS["ratedCapacity"]
    here = "https://example.org/q/1"
    statements = list(encode(MODEL, Quantity(kind, Decimal(94), kind.unit), here))
    assert {subject for subject, _, _ in statements} == {MODEL, here, f"{here}-value"}
    assert decode(index_of(statements), MODEL, kind) == Quantity(kind, Decimal(94), kind.unit)


@every_kind
def test_the_name_of_the_compact_form_tells_nature_and_unit(kind: QuantityKind) -> None:
    measured = kind.compact.startswith("measured")
    assert measured == (kind.nature == "measured")
    assert kind.compact != kind.key
