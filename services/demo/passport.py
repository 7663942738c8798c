"""From a model and one battery of it to a payload in the form of Catena-X `battery_pass` 6.1.0.

Members stand in the order of the mapping table. All that belongs to the model is built once and
copied, so two batteries of one model carry equal model-level content, character by character.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from battpass.services.demo.catalogue import BatteryModel, Catalogue
from battpass.services.demo.condition import Condition
from battpass.services.demo.documents import Documents, document
from battpass.services.demo.model_sections import ModelSections, model_sections

Json: TypeAlias = Any  # what json.dumps takes
SPEC_VERSION = "urn:io.catenax.battery.battery_pass:6.1.0"
NO_PREDECESSOR = "urn:uuid:00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Battery:
    """One physical battery and its passport: who issued what, when, and how the battery is now.

    `counted_at` is when the management system read the counters and the state of charge, `tested_at`
    when capacity, power and resistance were last tested. `events` are headers of event reports.
    """

    model: str
    passport: str
    predecessor: str
    serial: str
    batch: str
    operator: str
    manufactured: date
    placed_on_market: date
    into_service: date | None
    issued: date
    expires: date
    counted_at: datetime
    tested_at: datetime
    status: str
    passport_status: str
    version: str
    condition: Condition
    events: tuple[str, ...] = ()


class PassportBuilder:
    """Builds payloads; keeps the sections of each model once they are built."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._sections: dict[str, ModelSections] = {}

    def payload(self, battery: Battery) -> dict[str, Json]:
        """Return the passport of a battery; the caller owns it, nothing in it is shared."""
        model = self.catalogue.models[battery.model]
        maker = self.catalogue.maker_of(model)
        documents = Documents(maker.domain, model.model)
        sections = self._sections_of(model)
        return {
            "specVersion": SPEC_VERSION,
            "identification": _identification(sections, battery, maker.domain, maker.bpnl),
            "operation": _operation(sections, battery),
            "characteristics": _copy(sections.characteristics),
            "sustainability": {
                "documents": _copy(sections.sustainability_documents),
                "carbonFootprint": _copy(sections.carbon_footprint),
                "status": battery.status,
            },
            "materials": _copy(sections.materials),
            "performance": {
                "rated": _copy(sections.rated),
                "dynamic": _dynamic(battery, documents),
            },
            "conformity": _copy(sections.conformity),
            "safety": _copy(sections.safety),
            "sources": _copy(sections.sources),
            "metadata": _metadata(battery),
            "commercial": {
                "placedOnMarket": battery.placed_on_market.isoformat(),
                "purpose": [model.purpose],
            },
            "handling": _copy(sections.handling),
        }

    def _sections_of(self, model: BatteryModel) -> ModelSections:
        if model.model not in self._sections:
            self._sections[model.model] = model_sections(model, self.catalogue)
        return self._sections[model.model]


def instant(moment: datetime) -> str:
    """Return a time as `xsd:dateTime`, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _identification(sections: ModelSections, battery: Battery, domain: str, bpnl: str) -> Json:
    return {
        "category": sections.category,
        "idDmc": f"https://id.{domain}/b/{battery.serial}",
        "chemistry": sections.chemistry,
        "identification": {
            "serial": [
                {"key": "partInstanceId", "value": battery.serial},
                {"key": "manufacturerId", "value": bpnl},
            ],
            "batch": [{"key": "batchId", "value": battery.batch}],
            "type": _copy(sections.type),
            "codes": _copy(sections.codes),
            "dataCarrier": {"carrierType": "QR", "carrierLayout": "on the type plate, upper left"},
            "classification": _copy(sections.classification),
        },
    }


def _operation(sections: ModelSections, battery: Battery) -> Json:
    made = {
        "facility": [{"facility": plant} for plant in sections.plants],
        "manufacturer": sections.manufacturer,
        "manufacturingDate": battery.manufactured.isoformat(),
    }
    if battery.into_service is None:  # on stock: nobody uses it yet
        return {"manufacturer": made}
    return {"intoServiceDate": battery.into_service.isoformat(), "manufacturer": made}


def _dynamic(battery: Battery, documents: Documents) -> Json:
    now = battery.condition
    counted, tested = instant(battery.counted_at), instant(battery.tested_at)
    levels = [("pack", now.pack), ("module", now.module), ("cell", now.cell)]
    known = [(name, level) for name, level in levels if level is not None]
    dynamic = {
        "selfDischargingRate": now.self_discharge_percent_per_month,
        "stateOfCharge": _at(now.state_of_charge_percent, counted),
        "fullCycles": {"value": now.full_cycles, "time": counted},
        "performanceDocument": documents.of_battery(battery.serial, "Last reference test", "test.pdf"),
        "power": {"fade": _at(now.power_fade_percent, tested), "remaining": _at(now.power_w, tested)},
        "capacity": {
            "fade": _at(now.capacity_fade_percent, tested),
            "throughput": _at(now.throughput_ah, counted),
            "capacity": _at(now.capacity_ah, tested),
        },
        "roundTripEfficiency": {
            "fade": _at(now.efficiency_fade_percent, tested),
            "remaining": _at(now.efficiency_percent, tested),
        },
        "resistance": {
            "increase": {name: _at(level.increase_percent, tested) for name, level in known},
            "remaining": {name: _at(level.ohm, tested) for name, level in known},
        },
        "energy": {
            "soce": _at(now.certified_energy_percent, tested),
            "remaining": _at(now.energy_kwh, tested),
            "throughput": _at(now.throughput_kwh, counted),
        },
    }
    if battery.events:
        dynamic["negativeEvents"] = _events(battery.events, battery.serial, documents)
    if now.full_cycles:
        dynamic["operatingEnvironment"] = documents.of_battery(
            battery.serial, "Temperature histogram since first use", "temperature.csv", "text/csv"
        )
    return dynamic


def _events(events: Sequence[str], serial: str, documents: Documents) -> list[Json]:
    return [
        document(header, documents.battery_link(serial, f"event-{number}.pdf"))
        for number, header in enumerate(events, start=1)
    ]


def _metadata(battery: Battery) -> Json:
    return {
        "version": battery.version,
        "status": battery.passport_status,
        "expirationDate": battery.expires.isoformat(),
        "issueDate": battery.issued.isoformat(),
        "economicOperatorId": battery.operator,
        "passportIdentifier": f"urn:uuid:{battery.passport}",
        "predecessor": f"urn:uuid:{battery.predecessor}" if battery.predecessor else NO_PREDECESSOR,
        "backupReference": f"https://backup.passport-custody.example/{battery.passport}",
        "registrationIdentifier": f"https://registry.passport-register.example/r/{battery.passport}",
        "lastModification": battery.counted_at.date().isoformat(),
    }


def _at(value: float, time: str) -> Json:
    return {"value": float(value), "time": time}


def _copy(value: Json) -> Json:
    """Copy nested dicts and lists; ten times as fast as copy.deepcopy on such trees."""
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
