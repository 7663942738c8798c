"""The published examples conform, today and in 2030; the official one is judged and not refused."""

from datetime import date
from functools import cache
from pathlib import Path

import pytest

from battpass.kg.graphs import Severity
from battpass.kg.jsontext import read_json
from battpass.kg.passport import Passport
from battpass.kg.validation.validator import Validator
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from battpass.services.exchange.rdf import TURTLE
from battpass.services.exchange.registry import Loaded
from tests.validation.seeded import PASSPORTS, example, key_of, report_on, validator

TODAY, LATER = date(2026, 11, 21), date(2030, 1, 1)
NAMES = sorted(path.stem for path in PASSPORTS.glob("*.json"))
SUPPLEMENTS = {path.stem: path for path in (PASSPORTS.parent / "supplements").glob("*.ttl")}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_conforms_today(name: str) -> None:
    found = [*loaded(name).findings, *validator(TODAY).validate(supplemented(name)).findings]

    assert [finding.text() for finding in found if finding.severity is not Severity.INFO] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_conforms_in_2030_with_what_its_format_has_no_place_for(name: str) -> None:
    found = later().validate(supplemented(name)).findings

    assert [finding.text() for finding in found if finding.severity is not Severity.INFO] == []


def test_the_official_example_is_judged_by_its_values(shared: Path) -> None:
    path = shared / "catena-x" / "battery_pass" / "6.1.0" / "BatteryPass.json"
    findings = report_on(read_json(path.read_bytes()), TODAY).findings
    keys = {key_of(finding) for finding in findings}

    rated, dynamic = "/performance/rated", "/performance/dynamic"
    assert keys >= {
        ("bad-date", "/operation/intoServiceDate", "violation"),
        ("limit", "/materials/hazardous/mercury/concentration", "violation"),
        ("no-duty", "/identification/category", "warning"),
        ("implausible", "/characteristics/warranty/lifeValue", "warning"),
        ("implausible", "/characteristics/physicalDimension/weight/value", "warning"),
        ("implausible", f"{rated}/energy/value", "warning"),
        ("implausible", f"{dynamic}/capacity/fade/value", "warning"),
        ("implausible", f"{dynamic}/power/fade/value", "warning"),
        ("implausible", f"{dynamic}/energy/soce/value", "warning"),
        ("implausible", f"{dynamic}/resistance/increase/cell/value", "warning"),
        ("ill-formed", "/materials/composition/0/id/0/id", "warning"),
        ("order", "/operation/manufacturer/manufacturingDate", "warning"),
    }
    assert [key for key in keys if key[2] == "violation"] == [
        key for key in keys if key[0] in ("bad-date", "limit")
    ]
    assert not any("cadmium" in place for _, place, _ in keys)


def test_the_energy_of_the_official_example_is_answered_in_words(shared: Path) -> None:
    path = shared / "catena-x" / "battery_pass" / "6.1.0" / "BatteryPass.json"
    findings = report_on(read_json(path.read_bytes()), TODAY).findings

    energy = next(finding for finding in findings if finding.pointer == "/performance/rated/energy/value")
    assert energy.text() == (
        "warning: Rated energy (/performance/rated/energy/value): "
        "found 0.5 kWh, while 4 Ah at 3.7 V are 0.0148 kWh; "
        "allowed: rated capacity times nominal voltage, give or take 30 percent. "
        "Check the units (Wh or kWh, mAh or Ah) and that all three figures are those of the whole battery, "
        "not of a cell. [DIN DKE SPEC 99100, 6.7.2.2; Regulation (EU) 2023/1542, Annex XIII 1(g)]"
    )


@cache
def later() -> Validator:
    """Return a validator of the shapes that a later day can break: those of dates and duties."""
    return Validator.load(LATER, only=["general", "reference"])


@cache
def loaded(name: str) -> Loaded:
    return BATTERY_PASS_6_1.load_document(example(name))


def supplemented(name: str) -> Passport:
    """Return the passport of an example, with its supplement if it has one."""
    passport = loaded(name).passport
    if name not in SUPPLEMENTS:
        return passport
    return TURTLE.supplement(SUPPLEMENTS[name].read_bytes(), passport)
