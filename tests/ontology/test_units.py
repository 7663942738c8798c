"""The unit table: exact conversion, no guessing, agreement with pint, QUDT, EMMO and the partner's schema."""

import gzip
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pint
import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battpass.kg.errors import BadTable, UnknownUnit
from battpass.kg.namespaces import EMMO, RDFS, expand
from battpass.kg.ontology.units import COLUMNS, Unit, UnitTable

TABLE = UnitTable.load()
QUDT = "http://qudt.org/schema/qudt/"
OWL = "http://www.w3.org/2002/07/owl#"
# hasConversionMultiplier and hasConversionOffset
CONVERSION = ("EMMO_8189b42e_0995_423a_a26c_51168b27c3cf", "EMMO_d088a3cb_d3e3_4eb2_9897_00aef0cb00cd")

# Kinds that QUDT does not have, or gives to other units than these.
OWN_KINDS = {
    # Months and years convert to each other, never to days: a warranty of 36 days is no 1.18 months.
    "CalendarTime",
    "CarbonFootprintPerEnergy",
    "Count",
    "CRate",
    "OperatingTime",
    "PowerToEnergyRatio",
    "RatioPerTime",
    "VolumeFraction",
}

# What EMMO 1.0.2 states as multiplier or offset, where it is not the factor of QUDT and pint.
WRONG_IN_EMMO = {
    "emmo:Percent": "multiplier 1, because the fraction is left to the reader",
    "emmo:KiloAmpereHour": "multiplier 1000, as if the ampere hour were coherent",
    "emmo:DegreeCelsius": "offset with the sign turned",
}

WRONG_CODE_IN_QUDT = {
    "bp:Month": "mo_j, a code of its own for the Julian month, which UCUM calls mo as well",
    "bp:PartPerTrillion": "[ppt] for UCUM's [pptr]",
}


def units_of(kind: str) -> tuple[Unit, ...]:
    return TABLE.of_kind(kind)


KINDS = sorted({unit.kind for unit in TABLE})


@pytest.mark.parametrize(
    ("value", "frm", "to", "expected"),
    [
        ("94000", "emmo:MilliAmpereHour", "emmo:AmpereHour", "94"),
        ("0.1", "emmo:Gram", "emmo:Kilogram", "0.0001"),
        ("25.50", "emmo:DegreeCelsius", "emmo:Kelvin", "298.65"),
        ("77", "emmo:DegreeFahrenheit", "emmo:DegreeCelsius", "25"),
        ("-40", "emmo:DegreeFahrenheit", "emmo:DegreeCelsius", "-40"),
        ("1", "emmo:Kilogram", "bp:Pound", "2.20462262184877580722973801345027"),
        ("3", "emmo:Year", "bp:Month", "36"),
        ("0.24", "bp:PercentPerYear", "bp:PercentPerMonth", "0.02"),
        ("1250", "bp:PartPerMillion", "emmo:Percent", "0.125"),
        ("61.2", "bp:GramCO2ePerKilowattHour", "bp:KilogramCO2ePerKilowattHour", "0.0612"),
        ("0", "emmo:Inch", "emmo:MilliMetre", "0"),
    ],
)
def test_values_convert_by_their_definition(value: str, frm: str, to: str, expected: str) -> None:
    assert str(TABLE.convert(Decimal(value), frm, to)) == expected


def test_a_long_number_keeps_every_digit() -> None:
    digits = "1234567890" * 6 + ".5"
    assert str(TABLE.convert(Decimal(digits), "emmo:Gram", "emmo:MilliGram")) == "1234567890" * 6 + "500"


@given(
    kind=st.sampled_from(KINDS),
    value=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6),
    data=st.data(),
)
def test_a_value_comes_back_equal_from_every_unit_of_its_kind(
    kind: str, value: Decimal, data: st.DataObject
) -> None:
    frm, to = data.draw(st.sampled_from(units_of(kind))), data.draw(st.sampled_from(units_of(kind)))
    there = TABLE.convert(value, frm.curie, to.curie)
    back = TABLE.convert(there, to.curie, frm.curie)
    exact = (Fraction(value) + frm.offset) * frm.factor / to.factor - to.offset
    if Fraction(there) == exact:
        assert back == value
    assert abs(Fraction(there) - exact) <= abs(exact) / 10**33


def test_units_of_two_kinds_do_not_convert() -> None:
    with pytest.raises(UnknownUnit, match="AmpereHour measures ElectricCharge, emmo:KiloWatthour measures"):
        TABLE.convert(Decimal(1), "emmo:AmpereHour", "emmo:KiloWatthour")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1E+999999999", "1E-999999999"])
def test_a_value_that_is_no_measurement_is_refused_at_once(value: str) -> None:
    with pytest.raises(ValueError, match="not a number that converts"):
        TABLE.convert(Decimal(value), "emmo:Gram", "emmo:Kilogram")


@pytest.mark.parametrize("text", ["Mw", "kwh", "unit:furlong", "", "AH", "percentage"])
def test_an_unlisted_spelling_is_never_guessed(text: str) -> None:
    with pytest.raises(UnknownUnit, match=r"units\.csv"):
        TABLE.by_alias(text)


def test_case_tells_milliwatt_from_megawatt() -> None:
    assert (TABLE.by_alias("mW").curie, TABLE.by_alias("MW").curie) == ("emmo:MilliWatt", "emmo:MegaWatt")


@pytest.mark.parametrize("name", ["emmo:AmpereHour", EMMO + "AmpereHour"])
def test_a_unit_is_found_by_prefixed_name_and_by_iri(name: str) -> None:
    assert TABLE.unit(name).symbol == "Ah"


def test_a_name_outside_the_table_is_unknown() -> None:
    with pytest.raises(UnknownUnit, match="emmo:Furlong"):
        TABLE.unit("emmo:Furlong")


def row(curie: str, factor: str = "1", aliases: str = "") -> str:
    cells: Mapping[str, str] = {"curie": curie, "factor": factor, "offset": "0", "aliases": aliases}
    cells = {"kind": "Mass", "label": curie, "symbol": curie, **cells}
    return ",".join(cells.get(column, "") for column in COLUMNS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("emmo:A"), row("emmo:A")], "holds emmo:A twice"),
        ([row("emmo:A", aliases="x"), row("emmo:B", aliases="x")], "spelling 'x' to emmo:A and emmo:B"),
        ([row("emmo:A", factor="about 3")], "column factor: found 'about 3'"),
        ([row("emmo:A", factor="-1")], "factor above zero"),
        ([row("nowhere:A")], "line 2, column curie"),
        ([row("emmo:A") + ",more"], "11 cells under 10 columns"),
    ],
    ids=["twice", "spelling of two", "no number", "negative factor", "unknown prefix", "too many cells"],
)
def test_an_ill_formed_table_does_not_load(rows: list[str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_text("\n".join([",".join(COLUMNS), *rows]), encoding="utf-8")
    with pytest.raises(BadTable, match=message):
        UnitTable.load(path)


@pytest.fixture(scope="module")
def registry() -> pint.UnitRegistry:
    return pint.UnitRegistry(non_int_type=Fraction)


@pytest.mark.parametrize("unit", [unit for unit in TABLE if unit.pint], ids=lambda unit: unit.curie)
def test_pint_converts_alike(unit: Unit, registry: pint.UnitRegistry) -> None:
    kind = "Time" if unit.kind == "CalendarTime" else unit.kind
    coherent = next(other for other in units_of(kind) if other.factor == 1 and not other.offset)
    value = registry.Quantity(Fraction(10), unit.pint).to(coherent.pint).magnitude
    assert Fraction(value) == (10 + unit.offset) * unit.factor


@pytest.fixture(scope="module")
def ontologies(shared: Path) -> ox.Store:
    store = ox.Store()
    folder = shared / "ontologies"
    for name in (
        "qudt/VOCAB_QUDT-UNITS-ALL.ttl.gz",
        "battinfo-closure-asserted.ttl.gz",
        "emmo-1.0.2-units-not-in-closure.ttl.gz",
    ):
        with gzip.open(folder / name) as file:
            store.load(file, ox.RdfFormat.TURTLE)
    return store


def values(store: ox.Store, subject: str, predicate: str) -> set[str]:
    quads = store.quads_for_pattern(ox.NamedNode(subject), ox.NamedNode(predicate), None)
    return {quad.object.value for quad in quads if not isinstance(quad.object, ox.BlankNode | ox.Triple)}


def test_qudt_states_the_same_factor_offset_and_kind(ontologies: ox.Store) -> None:
    for unit in TABLE:
        if not unit.qudt:
            continue
        iri = expand(unit.qudt)
        factors = values(ontologies, iri, QUDT + "conversionMultiplier")
        offsets = values(ontologies, iri, QUDT + "conversionOffset") or {"0"}
        if unit.kind not in OWN_KINDS:
            assert [float(factor) for factor in factors] == [pytest.approx(float(unit.factor))], unit
            assert {Fraction(offset) for offset in offsets} == {unit.offset}, unit
            kinds = values(ontologies, iri, QUDT + "hasQuantityKind")
            kinds |= values(ontologies, iri, QUDT + "unitForQuantityKind")
            # QUDT names no kind for watt hours per litre, and no gram among the units of emissions.
            assert (
                unit.curie in ("emmo:WattHourPerLitre", "bp:GramCO2e")
                or f"http://qudt.org/vocab/quantitykind/{unit.kind}" in kinds
            ), unit
        assert factors, f"{unit.qudt} is not in QUDT"


def test_ucum_codes_are_those_of_qudt(ontologies: ox.Store) -> None:
    for unit in TABLE:
        codes = values(ontologies, expand(unit.qudt), QUDT + "ucumCode") if unit.qudt else set()
        if codes and "{" not in unit.ucum and unit.curie not in WRONG_CODE_IN_QUDT:
            assert unit.ucum in codes, unit


def conversion(store: ox.Store, iri: str) -> tuple[Fraction, Fraction] | None:
    stated = {}
    for quad in store.quads_for_pattern(ox.NamedNode(iri), ox.NamedNode(RDFS + "subClassOf"), None):
        if isinstance(quad.object, ox.BlankNode):
            parts = {q.predicate.value: q.object for q in store.quads_for_pattern(quad.object, None, None)}
            on, value = parts.get(OWL + "onProperty"), parts.get(OWL + "hasValue")
            if isinstance(on, ox.NamedNode) and isinstance(value, ox.Literal):
                stated[on.value] = value.value
    multiplier, offset = (EMMO + name for name in CONVERSION)
    return (Fraction(stated[multiplier]), Fraction(stated[offset])) if multiplier in stated else None


def test_emmo_states_the_same_conversion_but_for_its_known_slips(ontologies: ox.Store) -> None:
    slips = set()
    for unit in TABLE:
        stated = conversion(ontologies, unit.iri) if unit.curie.startswith(("emmo:", "echem:")) else None
        if stated and stated != (
            pytest.approx(float(unit.factor), rel=1e-6),
            pytest.approx(float(unit.offset)),
        ):
            slips.add(unit.curie)
    assert slips == set(WRONG_IN_EMMO)


def test_emmo_refers_to_the_same_qudt_unit(ontologies: ox.Store) -> None:
    for unit in TABLE:
        references = values(ontologies, unit.iri, EMMO + "EMMO_1f1b164d_ec6a_4faa_8d5e_88bda62316cc")
        # EMMO's tonne points to a QUDT unit that is no longer there.
        if references and unit.curie != "emmo:Tonne":
            assert expand(unit.qudt) in references, unit


def test_the_month_of_emmo_is_that_of_the_moon_so_ours_is_another(ontologies: ox.Store) -> None:
    stated = conversion(ontologies, EMMO + "Month")
    assert stated is not None
    assert stated[0] / 86400 == pytest.approx(29.53, abs=0.01)
    assert TABLE.unit("bp:Month").factor * 12 == TABLE.unit("emmo:Year").factor


@pytest.mark.parametrize("version", ["6.0.0", "6.1.0"])
def test_every_unit_that_the_partner_schema_allows_has_a_row(shared: Path, version: str) -> None:
    schema = (shared / "catena-x" / "battery_pass" / version / "BatteryPass-schema.json").read_text("utf-8")
    named = set(re.findall(r'"(unit:[A-Za-z]+)"', json.dumps(json.loads(schema))))
    assert len(named) > 20
    assert [name for name in sorted(named) if not TABLE.by_alias(name).factor] == []
