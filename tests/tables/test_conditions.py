"""The language of conditions."""

import pytest

from battpass.kg.conditions import Condition
from tests.tables.tables import BATTERY, MODEL, reading

CADMIUM = "chemsub:substance_90f71119_f476_4033_b6ee_6342680322e5"
ENTRY = f"{MODEL}#cadmium"

PASSPORT = reading(
    (MODEL, "bp:ratedEnergyKWh", 4.6),
    (MODEL, "bp:batteryChemistry", "bp:ChemistryLFP"),
    (MODEL, "bp:warrantyPeriodMonths", '"soon"'),
    (BATTERY, "bp:batteryStatus", "bp:StatusRepurposed"),
    (BATTERY, "bp:manufacturingDate", '"2025-03-09"'),
    (BATTERY, "bp:batteryIdentifier", '"B-1"'),
    (ENTRY, "bp:material", CADMIUM),
    (ENTRY, "bp:concentrationPercent", 0.003),
    (ENTRY, "bp:critical", False),
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bp:ratedEnergyKWh > 2",
        "bp:ratedEnergyKWh <= 4.6",
        "not bp:ratedEnergyKWh <= 2",
        "not bp:ratedCapacityAh <= 2",
        "bp:ratedEnergyKWh != 5",
        "bp:batteryStatus = bp:StatusRepurposed",
        "bp:batteryStatus != bp:StatusOriginal",
        "bp:batteryChemistry in bp:ChemistryNMC bp:ChemistryLFP",
        "bp:batteryChemistry in bp:ChemistryNMC or has bp:batteryIdentifier",
        'bp:batteryIdentifier = "B-1"',
        "bp:manufacturingDate < 2025-08-18",
        "bp:critical = false",
        "has bp:ratedEnergyKWh",
        f"contains {CADMIUM}",
        f"contains {CADMIUM} above 0.002",
        "has bp:nothing or has bp:ratedEnergyKWh and has bp:batteryStatus",
        "not (has bp:nothing or has bp:noOther)",
    ],
)
def test_a_condition_holds(text: str) -> None:
    assert Condition.parse(text).holds(PASSPORT.index)


@pytest.mark.parametrize(
    "text",
    [
        "bp:ratedEnergyKWh > 4.6",
        "bp:ratedCapacityAh > 0",
        "bp:warrantyPeriodMonths > 1",
        "bp:batteryStatus = bp:StatusWaste",
        "bp:batteryStatus > 2",
        "bp:batteryChemistry in bp:ChemistryNMC bp:ChemistryLCO",
        "bp:manufacturingDate >= 2025-08-18",
        "bp:critical = true",
        "has bp:nothing",
        f"contains {CADMIUM} above 0.003",
        "contains chemsub:substance_other",
        "(has bp:nothing or has bp:ratedEnergyKWh) and has bp:noOther",
        "not has bp:ratedEnergyKWh",
    ],
)
def test_a_condition_does_not_hold(text: str) -> None:
    assert not Condition.parse(text).holds(PASSPORT.index)


def test_an_entry_without_a_share_says_nothing_about_a_substance() -> None:
    bare = reading((ENTRY, "bp:material", CADMIUM), (ENTRY, "bp:recycledSharePercent", 0))
    assert not Condition.parse(f"contains {CADMIUM}").holds(bare.index)


def test_a_recycled_share_says_that_the_substance_is_there() -> None:
    recycled = reading((ENTRY, "bp:material", CADMIUM), (ENTRY, "bp:recycledSharePercent", 7))
    assert Condition.parse(f"contains {CADMIUM}").holds(recycled.index)
    assert not Condition.parse(f"contains {CADMIUM} above 0.002").holds(recycled.index)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bp:ratedEnergyKWh", "breaks off"),
        ("bp:ratedEnergyKWh about 2", "is none of"),
        ("bp:ratedEnergyKWh > many", "no prefixed name"),
        ("bp:ratedEnergyKWh > bp:x", "numbers and dates only"),
        ("ratedEnergyKWh > 2", "no prefixed name"),
        ("nix:a > 2", "no prefixed name"),
        ("has bp:a bp:b", "should end"),
        ("(has bp:a", "not closed"),
        ("has bp:a and", "breaks off"),
        ("contains bp:a above much", "no number"),
        ("has bp:a; DROP", "not understood"),
    ],
)
def test_what_does_not_fit_is_said(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Condition.parse(text)


def test_a_condition_names_its_terms() -> None:
    terms = Condition.parse(f"not has bp:a and (bp:b in bp:C or contains {CADMIUM})").terms()
    assert [term.rpartition("#")[2] for term in terms] == ["a", "b", "C", CADMIUM.partition(":")[2]]
