"""Duties follow the longlist, their dates and their conditions."""

import csv
import re
from datetime import date
from pathlib import Path

import pytest

from battpass.kg.attributes import Presence, Reading, load_attributes
from battpass.kg.errors import BadTable
from battpass.kg.graphs import Severity
from battpass.kg.namespaces import BP
from battpass.kg.obligations import Bindingness, Category, Obligation, Obligations, category_of
from battpass.kg.properties import load_properties
from battpass.kg.quantities import load_quantities
from tests.tables.tables import BATTERY, MODEL, Rows, changed, reading

ATTRIBUTES = load_attributes()
OBLIGATIONS = Obligations.load()
BEFORE = date(2027, 2, 17)
PASSPORT_DAY = date(2027, 2, 18)
LATER = date(2040, 1, 1)
NICKEL = "chemsub:substance_f92b3948_72a5_4662_acf7_5d8dd64e85de"

COLUMNS = {
    Category.EV: "EV",
    Category.LMT: "LMT",
    Category.INDUSTRIAL: "industrial_gt_2kWh",
    Category.STATIONARY: "stationary_gt_2kWh",
}
SIGNS = {"M": Bindingness.MANDATORY, "O": Bindingness.VOLUNTARY, "-": Bindingness.NONE}

every_category = pytest.mark.parametrize("category", Category)


def duty(attribute: str, category: Category) -> Obligation:
    found = OBLIGATIONS.of(attribute, category)
    assert found is not None
    return found


@every_category
def test_obligations_are_those_of_the_longlist(shared: Path, category: Category) -> None:
    path = shared / "batterypass-data-model" / "attributes.csv"
    with path.open(encoding="utf-8", newline="") as table:
        theirs = {row["slug"]: SIGNS[row[COLUMNS[category]]] for row in csv.DictReader(table)}
    assert {name: duty(name, category).bindingness for name in ATTRIBUTES} == theirs


@pytest.mark.parametrize(
    ("category", "count"),
    [(Category.EV, 70), (Category.LMT, 79), (Category.INDUSTRIAL, 72), (Category.STATIONARY, 80)],
)
def test_each_category_has_its_count_of_duties(category: Category, count: int) -> None:
    rows = OBLIGATIONS.for_category(category)
    assert sum(row.bindingness is Bindingness.MANDATORY for row in rows) == count


@every_category
def test_no_duty_binds_before_passports_are_required(category: Category) -> None:
    assert OBLIGATIONS.for_category(category, BEFORE) == ()
    assert len(OBLIGATIONS.for_category(category, PASSPORT_DAY)) > 50


@every_category
def test_a_duty_that_waits_for_an_act_binds_on_no_day(category: Category) -> None:
    names = {row.attribute for row in OBLIGATIONS.for_category(category, LATER)}
    assert "carbonFootprintPerFunctionalUnit" not in names
    assert "preConsumerNickel" not in names
    assert {"ratedCapacity", "dueDiligenceReport"} <= names


def test_due_diligence_comes_half_a_year_after_the_passport() -> None:
    row = duty("dueDiligenceReport", Category.EV)
    assert not row.in_force(date(2027, 8, 17))
    assert row.in_force(date(2027, 8, 18))
    assert "2025/1561" in row.act


def test_every_duty_names_its_act_and_clause() -> None:
    for row in OBLIGATIONS:
        if row.bindingness is not Bindingness.NONE:
            assert row.act, row.iri
        if row.bindingness is Bindingness.MANDATORY:
            assert row.applies_from is not None and row.applies_from >= PASSPORT_DAY, row.iri
            assert row.clause or row.attribute == "stateOfCertifiedEnergy", row.iri
        if row.awaits:
            assert row.note, row.iri


def test_conditions_use_known_terms() -> None:
    known = {property_.iri for property_ in load_properties().values()}
    for kind in load_quantities().values():
        known |= {kind.link_iri, kind.compact_iri}
    for row in OBLIGATIONS:
        own = {term for term in row.condition.terms() if term.startswith(BP)}
        concepts = {term for term in own if term.removeprefix(BP)[0].isupper()}
        assert own - concepts <= known, row.iri
        assert all(term.startswith(BP + "Chemistry") for term in concepts), row.iri


@pytest.mark.parametrize(("energy", "bound"), [(1.5, False), (2, False), (2.1, True), (None, True)])
def test_industrial_batteries_up_to_two_kilowatt_hours_are_free(energy: float | None, bound: bool) -> None:
    stated = [(MODEL, "bp:ratedEnergyKWh", energy)] if energy is not None else []
    assert duty("ratedCapacity", Category.INDUSTRIAL).binds(reading(*stated), PASSPORT_DAY) is bound
    assert duty("ratedCapacity", Category.EV).binds(reading(*stated), PASSPORT_DAY)


def test_recycled_nickel_is_asked_of_batteries_with_nickel_only() -> None:
    condition = duty("preConsumerNickel", Category.EV).condition
    assert condition.holds(reading((MODEL, "bp:batteryChemistry", "bp:ChemistryNMC811")).index)
    assert not condition.holds(reading((MODEL, "bp:batteryChemistry", "bp:ChemistryLFP")).index)
    entry = f"{MODEL}#material-1"
    with_nickel = reading((entry, "bp:material", NICKEL), (entry, "bp:concentrationPercent", 3))
    assert condition.holds(with_nickel.index)


def gap(passport: Reading, name: str, category: Category, on: date) -> tuple[Presence, Severity] | None:
    found = list(OBLIGATIONS.gaps(passport, category, on, [ATTRIBUTES[name]]))
    return (found[0].presence, found[0].severity) if found else None


def test_a_missing_value_is_advice_before_its_day_and_a_violation_from_it() -> None:
    passport = reading()
    assert gap(passport, "ratedCapacity", Category.EV, BEFORE) == (Presence.MISSING, Severity.INFO)
    assert gap(passport, "ratedCapacity", Category.EV, PASSPORT_DAY) == (Presence.MISSING, Severity.VIOLATION)


def test_a_given_value_and_a_row_that_does_not_apply_are_no_gap() -> None:
    passport = reading((MODEL, "bp:ratedCapacityAh", 94))
    assert gap(passport, "ratedCapacity", Category.EV, PASSPORT_DAY) is None
    assert gap(passport, "energyThroughput", Category.EV, PASSPORT_DAY) is None


def test_a_voluntary_value_is_advice_on_every_day() -> None:
    assert gap(reading(), "powerEnergyRatio", Category.EV, LATER) == (Presence.MISSING, Severity.INFO)


def test_a_coarse_statement_is_a_warning_and_no_violation() -> None:
    paper = f"{MODEL}#separateCollectionInfo-1"
    passport = reading((MODEL, "bp:separateCollectionInfo", paper), (paper, "schema:url", '"bin.svg"'))
    assert gap(passport, "separateCollectionSymbol", Category.EV, PASSPORT_DAY) == (
        Presence.COARSE,
        Severity.INFO,
    )


@every_category
def test_the_category_is_read_from_the_class_of_the_battery(category: Category) -> None:
    assert category_of(reading((BATTERY, "rdf:type", category.class_iri))) is category


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("bp:CategoryElectricVehicle", Category.EV),
        ("bp:CategoryLightTransport", Category.LMT),
        ("bp:CategoryIndustrial", Category.INDUSTRIAL),
        ("bp:CategoryPortable", None),
    ],
)
def test_the_category_is_read_from_what_the_model_states(code: str, category: Category | None) -> None:
    assert category_of(reading((MODEL, "bp:batteryCategory", code))) is category


def test_stationary_storage_is_told_from_the_other_industrial_batteries() -> None:
    classes = [(BATTERY, "rdf:type", f"bp:{name}") for name in ("IndustrialBattery", "StationaryBattery")]
    assert category_of(reading(*classes)) is Category.STATIONARY


def test_a_portable_battery_has_no_category_of_the_passport() -> None:
    assert category_of(reading((BATTERY, "rdf:type", "bp:PortableBattery"))) is None


def test_a_moved_date_counts_without_code(tmp_path: Path) -> None:
    def move(table: Rows) -> None:
        for row in table:
            if row["attribute"] == "ratedCapacity":
                row["applies_from"] = "2026-12-01"

    moved = Obligations.load(changed(tmp_path, "obligations.csv", move))
    assert [row.attribute for row in moved.for_category(Category.EV, date(2026, 12, 1))] == ["ratedCapacity"]


def test_an_adopted_act_counts_without_code(tmp_path: Path) -> None:
    def adopt(table: Rows) -> None:
        for row in table:
            if row["attribute"] == "cfStudyLink":
                row["awaits"], row["applies_from"] = "", "2028-03-01"

    adopted = Obligations.load(changed(tmp_path, "obligations.csv", adopt))
    before, after = (adopted.for_category(Category.EV, date(2028, month, 1)) for month in (2, 3))
    assert {row.attribute for row in after} - {row.attribute for row in before} == {"cfStudyLink"}


def test_an_added_attribute_gets_duties_without_code(tmp_path: Path) -> None:
    def add(table: Rows) -> None:
        table.append({**table[0], "attribute": "swellingForce"})

    path = changed(tmp_path, "obligations.csv", add)
    assert Obligations.load(path, {*ATTRIBUTES, "swellingForce"}).of("swellingForce", Category.EV)
    with pytest.raises(BadTable, match=r"line 374, column attribute: found 'swellingForce'"):
        Obligations.load(path)


@pytest.mark.parametrize(
    ("column", "text", "mend"),
    [
        ("category", "boat", "'EV', 'LMT', 'industrial', 'stationary'"),
        ("category", "LMT", "holds this attribute and category already"),
        ("obligation", "maybe", "'mandatory'"),
        ("applies_from", "18.02.2027", "2027-02-18"),
        ("applies_from", "2027-02-30", "2027-02-18"),
        ("applies_from", "", "first day of the duty"),
        ("act", "", "Fill the cell"),
        ("condition", "bp:ratedEnergyKWh >", "breaks off"),
    ],
)
def test_a_bad_cell_is_named_with_its_mend(tmp_path: Path, column: str, text: str, mend: str) -> None:
    def spoil(table: Rows) -> None:
        # With its place taken, the row after it is the one that stands twice.
        table[0][column] = text

    with pytest.raises(BadTable, match=rf"obligations\.csv, line [23], column {column}: .*{re.escape(mend)}"):
        Obligations.load(changed(tmp_path, "obligations.csv", spoil))
