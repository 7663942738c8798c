"""A quantity in a wrong unit is told how it converts, in words that hold."""

import re
from decimal import Decimal

import pytest

from battpass.kg.ontology.units import UnitTable
from battpass.kg.quantities import load_quantities
from battpass.kg.validation.conversions import conversion

UNITS = UnitTable.load()
NUMBER = Decimal("90")


@pytest.mark.parametrize(
    ("found", "wanted", "number", "english", "german"),
    [
        (
            "emmo:KiloWatthour", "emmo:Watthour", "82.3",
            "kWh given, Wh expected: multiply by 1000, as 82.3 kWh are 82300 Wh.",
            "kWh angegeben, Wh erwartet: mit 1000 multiplizieren, denn 82.3 kWh sind 82300 Wh.",
        ),
        (
            "emmo:Kelvin", "emmo:DegreeCelsius", "298.15",
            "K given, °C expected: subtract 273.15, as 298.15 K are 25 °C.",
            "K angegeben, °C erwartet: 273.15 subtrahieren, denn 298.15 K sind 25 °C.",
        ),
        (
            "emmo:Metre", "emmo:MilliMetre", None,
            "m given, mm expected: multiply by 1000.",
            "m angegeben, mm erwartet: mit 1000 multiplizieren.",
        ),
        (
            "emmo:Volt", "emmo:AmpereHour", "400",
            "V given, Ah expected: the one does not convert into the other.",
            "V angegeben, Ah erwartet: Das eine lässt sich nicht in das andere umrechnen.",
        ),
        ("https://example.org/handful", "emmo:Kilogram", "1", "", ""),
    ],
    ids=["prefix", "offset", "no number", "another kind", "unknown"],
)  # fmt: skip
def test_the_words_say_the_conversion(
    found: str, wanted: str, number: str | None, english: str, german: str
) -> None:
    given = None if number is None else Decimal(number)

    assert conversion(found, wanted, given, UNITS) == (english, german)


def test_the_steps_lead_to_the_number_in_every_unit_that_a_field_has() -> None:
    tried = 0
    for wanted in {kind.unit for kind in load_quantities().values()}:
        for unit in UNITS.of_kind(UNITS.unit(wanted).kind):
            if unit.curie == wanted:
                continue
            said = conversion(unit.curie, wanted, NUMBER, UNITS).en
            result = float(NUMBER)
            for step, amount in re.findall(
                r"(add|subtract|multiply by|divide by) ([\d.]+)", said.partition(" as ")[0]
            ):
                change = float(amount.rstrip("."))
                match step:
                    case "add":
                        result += change
                    case "subtract":
                        result -= change
                    case "multiply by":
                        result *= change
                    case _:
                        result /= change
            assert result == pytest.approx(float(UNITS.convert(NUMBER, unit.curie, wanted)), rel=1e-9), said
            tried += 1

    assert tried > 40
