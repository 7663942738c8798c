"""A home with a canary in every place that is not for everybody.

Most come in the way real values do: in a partner's document and in an RDF supplement to it. The value of an
attribute that its documents can say in a few words only is put into the graph itself.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from pyoxigraph import NamedNode, Quad

from battpass.kg.attributes import Attribute, load_attributes
from battpass.kg.graphs import AccessClass, Finding, Graphs, Severity
from battpass.kg.home import Arrival, Home
from battpass.kg.journal.entry import Stage
from battpass.kg.namespaces import node
from battpass.kg.passport import Passport
from battpass.services.exchange.rdf import TURTLE
from battpass.services.exchange.registry import detect
from benchmarks.campaigns import ROOT
from tests.api.conftest import changed, identifier_of
from tests.leak.canaries import Cage, Canary

AUDIENCES = ("public", "interest", "authority", "owner")
OWNER = ("owner",)
NOBODY = ()
# Who reads what, written down anew and not taken from the table that the code reads.
READERS: Mapping[AccessClass, tuple[str, ...]] = {
    AccessClass.PUBLIC: AUDIENCES,
    AccessClass.INTEREST: ("interest", "authority", "owner"),
    AccessClass.AUTHORITY: ("authority", "owner"),
    AccessClass.ITEM: ("interest", "owner"),
    AccessClass.DOCUMENT: OWNER,
}

EXAMPLE = "sta-lfp-10"
ATTRIBUTES = {name: one for name, one in load_attributes().items() if one.access != AccessClass.PUBLIC}

_DYNAMIC = "performance.dynamic."
# Where a partner's document gives an attribute, and how it wants to have it.
IN_DOCUMENT: Mapping[str, tuple[str, str]] = {
    "testReports": ("conformity.resultOfTestReport.0.content", "address"),
    "materialsComposition": ("materials.composition.0.id.0.id", "code"),
    "dismantlingInformation": ("safety.dismantling.0.content", "address"),
    "partNumbers": ("handling.content.sparePart.0.manufacturerPartId", "text"),
    "sparePartSources": ("handling.content.producer.0.id", "partner"),
    "safetyMeasures": ("safety.safetyMeasures.0.content", "address"),
    "remainingCapacity": (_DYNAMIC + "capacity.capacity.value", "decimal"),
    "capacityFade": (_DYNAMIC + "capacity.fade.value", "decimal"),
    "remainingUsableEnergy": (_DYNAMIC + "energy.remaining.value", "decimal"),
    "stateOfCertifiedEnergy": (_DYNAMIC + "energy.soce.value", "decimal"),
    "stateOfCharge": (_DYNAMIC + "stateOfCharge.value", "decimal"),
    "remainingPowerCapability": (_DYNAMIC + "power.remaining.value", "decimal"),
    "powerFade": (_DYNAMIC + "power.fade.value", "decimal"),
    "remainingRoundTripEfficiency": (_DYNAMIC + "roundTripEfficiency.remaining.value", "decimal"),
    "roundTripEfficiencyFade": (_DYNAMIC + "roundTripEfficiency.fade.value", "decimal"),
    "initialSelfDischarge": ("performance.rated.selfDischargingRate", "decimal"),
    "currentSelfDischarge": (_DYNAMIC + "selfDischargingRate", "decimal"),
    "internalResistanceIncrease": (_DYNAMIC + "resistance.increase.pack.value", "decimal"),
    "expectedLifetimeYears": ("performance.rated.lifetime.expectedYears", "integer"),
    "fullCycles": (_DYNAMIC + "fullCycles.value", "integer"),
    "energyThroughput": (_DYNAMIC + "energy.throughput.value", "decimal"),
    "capacityThroughput": (_DYNAMIC + "capacity.throughput.value", "decimal"),
    "accidents": (_DYNAMIC + "negativeEvents.0.content", "address"),
}
# Which property of the supplement gives it.
IN_SUPPLEMENT: Mapping[str, str] = {
    "evolutionOfSelfDischarge": "bp:measuredEvolutionOfSelfDischargePercent",
    "temperatureInformation": "bp:measuredOperatingTemperatureMaximumCelsius",
    "timeAboveRange": "bp:measuredTimeAboveRangeMinutes",
    "timeBelowRange": "bp:measuredTimeBelowRangeMinutes",
    "timeChargingAboveRange": "bp:measuredTimeChargingAboveRangeMinutes",
    "timeChargingBelowRange": "bp:measuredTimeChargingBelowRangeMinutes",
    "deepDischargeEvents": "bp:measuredDeepDischargeEventsCount",
    "overchargeEvents": "bp:measuredOverchargeEventsCount",
}
DATED = {"dateOfPuttingIntoService": "operation.intoServiceDate"}
IN_GRAPH = {"batteryStatus": "bp:batteryStatus"}


@dataclass
class Sown:
    """One passport on its way in, with the canary of each attribute."""

    arrival: Arrival
    canaries: dict[str, Canary]


@dataclass
class Planted:
    """The home, its canaries, and the passports in it by what they are."""

    home: Home
    cage: Cage = field(default_factory=Cage)
    numbers: dict[str, int] = field(default_factory=dict)
    sown: dict[str, Sown] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    originals: dict[str, bytes] = field(default_factory=dict)

    def identifier(self, name: str) -> str:
        """Return the UUID of a passport."""
        return identifier_of(self.numbers[name])

    def product(self, name: str) -> str:
        """Return the identifier of the battery of a passport."""
        return f"https://id.exemplar-cells.example/b/{self.numbers[name]}"

    @cached_property
    def keyed(self) -> dict[int, str]:
        """The names of the passports by their numbers."""
        return {number: name for name, number in self.numbers.items()}

    def sow(self, name: str, by: Mapping[AccessClass, Iterable[str]], title: str = "") -> Sown:
        """Return a passport with canaries in all its places; `by` says who may read each access class.

        `title` tells the states of one passport apart, so that each has canaries of its own.
        """
        number = self.numbers.setdefault(name, 700 + len(self.numbers))
        label = title or name
        made = {
            attribute.name: self.cage.make(f"{label}: {attribute.name}", by[attribute.access])
            for attribute in ATTRIBUTES.values()
            if attribute.name not in DATED
        }

        def canary(place: str, access: AccessClass, *, told: bool = True) -> Canary:
            return self.cage.make(f"{label}: {place}", by[access], told=told)

        document = changed(
            _with_an_accident(),
            {
                "metadata.passportIdentifier": f"urn:uuid:{identifier_of(number)}",
                "identification.idDmc": self.product(name),
                **{path: _as(kind, made[one]) for one, (path, kind) in IN_DOCUMENT.items()},
                # Two that are public, one of the model and one of the battery alone.
                "identification.identification.type.nameAtManufacturer": canary(
                    "public name", AccessClass.PUBLIC
                ).text,
                "identification.identification.batch.0.value": canary(
                    "public batch", AccessClass.PUBLIC
                ).text,
                # What the model has no place for, and what is not what it should be.
                "surprise": canary("unknown member", AccessClass.DOCUMENT).text,
                "performance.dynamic.surprise": {
                    "deeper": [canary("unknown member, deeper", AccessClass.DOCUMENT).decimal]
                },
                "performance.rated.voltage.min": canary("ill-formed value", AccessClass.DOCUMENT).text,
            },
        )
        if not title:
            (dated,) = DATED.values()
            if name == "published":
                day = self.cage.date("published: dateOfPuttingIntoService", by[AccessClass.ITEM])
                document = changed(document, {dated: day})
        known = detect(document)
        loaded = known.load(document)
        passport = TURTLE.supplement(_supplement(loaded.passport.record, made), loaded.passport)
        passport = _in_graph(passport, made)
        # What only the document says, and what was found in it.
        whole = changed(document, {"onlyHere": canary("original document", AccessClass.DOCUMENT).text})
        found = Finding(
            "canary", Severity.INFO, "", "", canary("finding", AccessClass.DOCUMENT, told=False).text, "", ""
        )
        source = canary("source", AccessClass.DOCUMENT, told=False).text
        arrival = Arrival.of(
            passport, (*loaded.findings, found), whole, known.name, source, self._report(canary)
        )
        self.originals[label] = whole
        self.sown[label] = Sown(arrival, made)
        self.models[label] = arrival.model.rpartition("/")[2]
        return self.sown[label]

    def note(self, name: str, readers: Iterable[str] = OWNER) -> dict[str, str]:
        """Return who did something and why, with a canary in each."""
        return {
            "actor": f"key:{self.cage.make(f'{name}: actor', readers).code}",
            "reason": self.cage.make(f"{name}: reason", readers).text,
        }

    @staticmethod
    def _report(canary: "_Maker") -> bytes:
        finding = {
            "code": "canary",
            "severity": "warning",
            "field": "",
            "pointer": "",
            "found": canary("value in the report", AccessClass.DOCUMENT).text,
            "allowed": "",
            "mend": "",
        }
        page = {
            "on": "2026-11-21",
            "category": None,
            "conforms": False,
            "blocking": False,
            "shapes": [],
            "findings": [finding],
        }
        return json.dumps(page).encode()


class _Maker(Protocol):
    def __call__(self, place: str, access: AccessClass, *, told: bool = True) -> Canary: ...


ALL_TO_THE_OWNER = dict.fromkeys(AccessClass, OWNER)
TO_NOBODY = dict.fromkeys(AccessClass, NOBODY)


def plant(home: Home) -> Planted:
    """Fill a home with passports in every stage, each full of canaries."""
    planted = Planted(home)
    draft = planted.sow("published", ALL_TO_THE_OWNER, "draft before it was published").arrival
    home.put(draft, stage=Stage.DRAFT, **planted.note("draft before it was published"))
    for title in ("", "published, changed"):
        sown = planted.sow("published", READERS, title)
        home.put(sown.arrival, **planted.note(title or "published"))

    home.put(planted.sow("with a draft", READERS).arrival, **planted.note("with a draft"))
    opened = planted.sow("with a draft", ALL_TO_THE_OWNER, "draft beside it").arrival
    home.put(opened, stage=Stage.DRAFT, **planted.note("draft beside it"))

    drafted = planted.sow("draft", ALL_TO_THE_OWNER).arrival
    home.put(drafted, stage=Stage.DRAFT, **planted.note("draft"))

    home.put(planted.sow("archived", TO_NOBODY).arrival, **planted.note("archived", NOBODY))
    home.put(
        planted.sow("archived draft", TO_NOBODY).arrival,
        stage=Stage.DRAFT,
        **planted.note("archived draft", NOBODY),
    )
    home.put(planted.sow("erased", TO_NOBODY).arrival, **planted.note("erased", NOBODY))
    for name in ("archived", "archived draft", "erased"):
        home.archive(planted.identifier(name), **planted.note(f"{name}, when it ended", NOBODY))
    home.erase(planted.identifier("erased"), **planted.note("erased, when it was", NOBODY))
    return planted


def _with_an_accident() -> bytes:
    whole = json.loads((ROOT / "examples/passports" / f"{EXAMPLE}.json").read_bytes())
    whole["performance"]["dynamic"]["negativeEvents"] = [
        {"content": "", "contentType": "application/pdf", "header": "Impact from below"}
    ]
    return json.dumps(whole).encode()


def _as(kind: str, canary: Canary) -> object:
    forms: dict[str, object] = {
        "text": canary.text,
        "code": canary.code,
        "address": canary.address,
        "decimal": canary.decimal,
        "integer": int(canary.code),
        "partner": f"BPNL0{canary.code}",
    }
    return forms[kind]


def _supplement(record: str, made: Mapping[str, Canary]) -> bytes:
    """Return the supplement of the example, for another passport and with canaries."""
    text = (ROOT / "examples/supplements" / f"{EXAMPLE}.ttl").read_text()
    text = re.sub(r"@base <[^>]*>", f"@base <{record}>", text)
    for name, property_ in IN_SUPPLEMENT.items():
        text, count = re.subn(rf"({property_}) [0-9.-]+ ", rf"\g<1> {made[name].decimal} ", text)
        assert count == 1, f"the supplement gives no {name}"
    return text.encode()


def _in_graph(passport: Passport, made: Mapping[str, Canary]) -> Passport:
    """Return a passport with the concept of an attribute replaced by a name with a canary."""
    graphs: Graphs = passport.item_graphs
    for name, property_ in IN_GRAPH.items():
        access = ATTRIBUTES[name].access
        kept = frozenset(
            Quad(
                quad.subject,
                quad.predicate,
                NamedNode(f"https://w3id.org/battpass/ontology#Status{made[name].code}"),
                quad.graph_name,
            )
            if quad.predicate.value == node(property_).value
            else quad
            for quad in graphs[access]
        )
        assert kept != graphs[access]
        graphs = {**graphs, access: kept}
    return replace(passport, item_graphs=graphs)


def places_of(attribute: Attribute) -> Iterator[str]:
    """Yield the ways in which the canary of an attribute comes in."""
    for way in (IN_DOCUMENT, IN_SUPPLEMENT, DATED, IN_GRAPH):
        if attribute.name in way:
            yield attribute.name
