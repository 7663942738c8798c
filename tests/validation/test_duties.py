"""A duty is advice until its day, and a changed table changes what is asked."""

from datetime import date
from pathlib import Path

import pytest

from battpass.kg.attributes import Attribute, load_attributes
from battpass.kg.concepts import ConceptTable
from battpass.kg.graphs import Finding, Severity
from battpass.kg.jsontext import Number
from battpass.kg.obligations import Category, Obligations
from battpass.kg.passport import Passport
from battpass.kg.resources import ontology_path
from battpass.kg.validation.obligations import duties
from battpass.kg.validation.shapes import ShapeSet
from battpass.kg.validation.validator import Validator
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from tests.validation.seeded import example

DAY = date(2027, 2, 18)
BEFORE = date(2027, 2, 17)

# Few shapes, for speed: these tests are about what the table asks.
FEW = ShapeSet.load(only=["general", "reference"])


def lacking(name: str, *steps: str) -> Passport:
    """Return the passport of an example with one member taken out."""
    document = {**example(name)}
    here = document
    for step in steps[:-1]:
        here[step] = {**here[step]}
        here = here[step]
    del here[steps[-1]]
    return BATTERY_PASS_6_1.load_document(document).passport


def findings(passport: Passport, on: date, table: Path | None = None) -> list[Finding]:
    attributes = load_attributes()
    validator = Validator(FEW, attributes, Obligations.load(table, attributes), ConceptTable.load(), on=on)
    return list(validator.validate(passport).findings)


def about(found: list[Finding], field: str) -> Finding:
    return next(finding for finding in found if finding.field == field)


def edited(tmp_path: Path, old: str, new: str) -> Path:
    """Return the obligation table with one row put in place of another."""
    text = ontology_path("obligations.csv").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "obligations.csv"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_a_missing_value_is_advice_on_the_day_before_and_a_violation_on_the_day() -> None:
    passport = lacking("ev-lfp-60", "performance", "rated", "capacity")

    before = about(findings(passport, BEFORE), "Rated capacity")
    assert (before.code, before.severity) == ("due", Severity.INFO)
    assert before.allowed == "a value, due from 2027-02-18"
    assert before.clause.startswith("Regulation (EU) 2023/1542, Annex XIII(1)(g)")

    after = about(findings(passport, DAY), "Rated capacity")
    assert (after.code, after.severity) == ("missing", Severity.VIOLATION)
    assert after.allowed == "a value, due since 2027-02-18"


def test_a_duty_that_awaits_an_act_stays_advice() -> None:
    passport = lacking("ev-lfp-60", "sustainability", "carbonFootprint")

    finding = about(findings(passport, date(2040, 1, 1)), "Carbon footprint performance class")

    assert finding.severity is Severity.INFO
    assert "once this is adopted: delegated act" in finding.allowed


def test_where_the_condition_does_not_hold_a_missing_value_is_advice() -> None:
    # A battery of 2 kWh or less has no passport duty, though its category has.
    small = lacking("ind-lto-4", "characteristics", "warranty")
    document = {**example("ind-lto-4")}
    document["performance"] = {**document["performance"]}
    assert about(findings(small, DAY), "Warranty period").severity is Severity.VIOLATION

    rated = {**document["performance"]["rated"], "energy": {"value": Number("1.9")}}
    document["performance"]["rated"] = rated
    document["characteristics"] = {
        name: part for name, part in document["characteristics"].items() if name != "warranty"
    }
    smaller = BATTERY_PASS_6_1.load_document(document).passport

    finding = about(findings(smaller, DAY), "Warranty period")
    assert (finding.code, finding.severity) == ("advice", Severity.INFO)
    assert "none is owed" in finding.allowed


def test_a_coarser_statement_of_the_same_thing_will_do() -> None:
    found = findings(BATTERY_PASS_6_1.load_document(example("ev-lfp-60")).passport, DAY)

    coarse = ("Temperature information", "Separate collection symbol")
    assert not [one for one in found if one.field in coarse]


def test_a_date_moved_in_the_table_moves_the_duty(tmp_path: Path) -> None:
    passport = lacking("ev-lfp-60", "performance", "rated", "capacity")
    row = next(
        line
        for line in ontology_path("obligations.csv").read_text(encoding="utf-8").splitlines()
        if line.startswith("ratedCapacity,EV,")
    )
    table = edited(tmp_path, row, row.replace("2027-02-18", "2029-02-18"))

    assert about(findings(passport, DAY), "Rated capacity").severity is Severity.VIOLATION
    assert about(findings(passport, DAY, table), "Rated capacity").severity is Severity.INFO
    moved = about(findings(passport, date(2029, 2, 18), table), "Rated capacity")
    assert (moved.severity, moved.allowed) == (Severity.VIOLATION, "a value, due since 2029-02-18")


def test_a_row_added_to_the_table_adds_a_duty(tmp_path: Path) -> None:
    passport = BATTERY_PASS_6_1.load_document(example("ev-lfp-60")).passport
    row = next(
        line
        for line in ontology_path("obligations.csv").read_text(encoding="utf-8").splitlines()
        if line.startswith("powerEnergyRatio,EV,")
    )
    mandatory = "powerEnergyRatio,EV,mandatory,,Regulation (EU) 2023/1542,Annex IV Part B (2),2027-02-18,,"
    table = edited(tmp_path, row, mandatory)

    assert not [one for one in findings(passport, DAY) if one.field == "Ratio of power to energy"]
    added = about(findings(passport, DAY, table), "Ratio of power to energy")
    assert (added.severity, added.clause) == (
        Severity.VIOLATION,
        "Regulation (EU) 2023/1542, Annex IV Part B (2)",
    )


@pytest.mark.parametrize("category", Category)
def test_every_category_owes_what_the_table_says(category: Category) -> None:
    attributes: dict[str, Attribute] = dict(load_attributes())
    obligations = Obligations.load()

    owed = duties(attributes, obligations, category, date(2040, 1, 1), frozenset(attributes))

    binding = {one.attribute for one in obligations.for_category(category, date(2040, 1, 1))}
    assert {duty.attribute.name for duty in owed if duty.severity is Severity.VIOLATION} == binding
    assert len(binding) > 40


def test_batteries_without_a_duty_owe_nothing() -> None:
    document = {**example("ev-lfp-60")}
    document["identification"] = {**document["identification"], "category": "portable"}
    passport = BATTERY_PASS_6_1.load_document(document).passport

    assert [finding.code for finding in findings(passport, DAY)] == ["no-duty"]
