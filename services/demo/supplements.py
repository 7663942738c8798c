"""What the law asks of a single battery and `battery_pass` has no place for, as a Turtle supplement.

Two counters have no place at all: deep discharges, owed by light transport and stationary batteries, and
the change of the self-discharge rate, owed by stationary ones (Annex VII Part B(4) and Part A(4)).
"""

from datetime import datetime

from battpass.kg.namespaces import BASE, PREFIXES
from battpass.services.demo.catalogue import BatteryModel
from battpass.services.demo.passport import Battery, instant

STATIONARY = "stationary energy storage"


def supplement(name: str, battery: Battery, model: BatteryModel, deep_discharges: int) -> str:
    """Return the supplement of the example of that name."""
    counters = [
        (
            "deepDischargeEvents",
            "measuredDeepDischargeEventsCount",
            float(deep_discharges),
            battery.counted_at,
        )
    ]
    if model.purpose == STATIONARY:
        change = self_discharge_change_percent(battery, model)
        counters.append(
            ("evolutionOfSelfDischarge", "measuredEvolutionOfSelfDischargePercent", change, battery.tested_at)
        )
    return "\n".join(
        (
            f"# What battery_pass 6.1.0 has no place for, of {model.name} {battery.serial} "
            f"(passports/{name}.json).",
            "# Made from services/demo/examples.csv: only what the law asks of this battery.",
            f"@prefix bp: <{PREFIXES['bp']}> .",
            f"@prefix xsd: <{PREFIXES['xsd']}> .",
            f"@base <{BASE}p/{battery.passport}> .",
            "",
            "<#battery>",
            " ;\n".join(f"    bp:{compact} {value}" for _, compact, value, _ in counters) + " .",
            "",
            *(_read_at(key, read) for key, _, _, read in counters),
            "",
        )
    )


def self_discharge_change_percent(battery: Battery, model: BatteryModel) -> float:
    """Return how much faster the battery loses its charge at rest than when new."""
    now, new = battery.condition.self_discharge_percent_per_month, model.self_discharge_percent_per_month
    return round(100 * (now / new - 1), 1)


def _read_at(key: str, read: datetime) -> str:
    return f'<#battery-{key}> bp:validAt "{instant(read)}"^^xsd:dateTime .'
