"""The places of a passport that hold what is not for everybody, and how a canary gets into each.

Most come in the way real values do: in a partner's document and in an RDF supplement to it. A concept, of
which documents can say a few only, is put into the graph itself. Which access class a place is of is written
down anew here; a test holds that the code puts each canary there and nowhere else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pyoxigraph import NamedNode, Quad

from battpass.kg.attributes import load_attributes
from battpass.kg.graphs import AccessClass, Graphs
from battpass.kg.namespaces import node
from battpass.kg.passport import Passport
from benchmarks.campaigns import ROOT
from tests.leak.canaries import Canary

EXAMPLE = "sta-lfp-10"
# The attributes that are not for everybody, with the class that the longlist gives them.
ATTRIBUTES: Mapping[str, AccessClass] = {
    name: one.access for name, one in load_attributes().items() if one.access != AccessClass.PUBLIC
}


@dataclass(frozen=True)
class Place:
    """A dotted path into a partner's document, the form of what it takes, and who may read that."""

    path: str
    form: str
    access: AccessClass


_DYNAMIC = "performance.dynamic."
# Where the document gives an attribute, and how it wants to have it.
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
DATED: Mapping[str, str] = {"dateOfPuttingIntoService": "operation.intoServiceDate"}
IN_GRAPH: Mapping[str, str] = {"batteryStatus": "bp:batteryStatus"}

# Some that are public, of model and battery; what goes with attributes that are not, and what the model has
# no place for or what is not what it should be.
FURTHER: Mapping[str, Place] = {
    "public name": Place("identification.identification.type.nameAtManufacturer", "text", AccessClass.PUBLIC),
    "public batch": Place("identification.identification.batch.0.value", "text", AccessClass.PUBLIC),
    "place of nickel": Place("materials.active.nickel.location", "text", AccessClass.INTEREST),
    "name of a spare part": Place(
        "handling.content.sparePart.0.nameAtManufacturer", "text", AccessClass.INTEREST
    ),
    "how to discharge": Place("safety.safeDischarging.0.header", "text", AccessClass.INTEREST),
    "how to remove": Place("safety.removalFromAppliance.0.content", "address", AccessClass.INTEREST),
    "name of a report": Place("conformity.resultOfTestReport.0.header", "text", AccessClass.AUTHORITY),
    "type test": Place("performance.rated.testReport.0.header", "text", AccessClass.AUTHORITY),
    "resistance of a cell": Place(_DYNAMIC + "resistance.remaining.cell.value", "decimal", AccessClass.ITEM),
    "reference test": Place(_DYNAMIC + "performanceDocument.0.content", "address", AccessClass.ITEM),
    "temperatures": Place(_DYNAMIC + "operatingEnvironment.0.header", "text", AccessClass.ITEM),
    "name of an accident": Place(_DYNAMIC + "negativeEvents.0.header", "text", AccessClass.ITEM),
    "unknown member": Place("surprise", "text", AccessClass.DOCUMENT),
    "unknown member, deeper": Place(_DYNAMIC + "surprise", "list", AccessClass.DOCUMENT),
    "ill-formed value": Place("performance.rated.voltage.min", "text", AccessClass.DOCUMENT),
}
# Predictions have no graph of their own yet: what is predicted in a supplement is kept for the owner alone.
PREDICTED = "bp:predictedCapacitySoHPercent"


def with_an_accident() -> bytes:
    """Return the document of the example, to which an accident has come."""
    whole = json.loads((ROOT / "examples/passports" / f"{EXAMPLE}.json").read_bytes())
    whole["performance"]["dynamic"]["negativeEvents"] = [
        {"content": "", "contentType": "application/pdf", "header": ""}
    ]
    return json.dumps(whole).encode()


def as_form(form: str, canary: Canary) -> object:
    """Return a canary as a place wants to have it."""
    forms: dict[str, object] = {
        "text": canary.text,
        "code": canary.code,
        "address": canary.address,
        "decimal": canary.decimal,
        "integer": int(canary.code),
        "partner": f"BPNL0{canary.code}",
        "list": {"deeper": [canary.decimal]},
    }
    return forms[form]


def supplement(record: str, attributes: Mapping[str, Canary], predicted: Canary) -> bytes:
    """Return the supplement of the example, for another passport and with canaries."""
    text = (ROOT / "examples/supplements" / f"{EXAMPLE}.ttl").read_text()
    text = re.sub(r"@base <[^>]*>", f"@base <{record}>", text)
    for name, property_ in IN_SUPPLEMENT.items():
        value = attributes[name].decimal
        text, count = re.subn(rf"({property_}) [0-9.-]+ ", rf"\g<1> {value} ", text)
        assert count == 1, f"the supplement gives no {name}"
    return f"{text}\n<#battery> {PREDICTED} {predicted.decimal} .\n".encode()


def in_graph(passport: Passport, attributes: Mapping[str, Canary]) -> Passport:
    """Return a passport with the concept of an attribute replaced by a name with a canary."""
    graphs: Graphs = passport.item_graphs
    for name, property_ in IN_GRAPH.items():
        access, predicate = ATTRIBUTES[name], node(property_)
        named = NamedNode(f"https://w3id.org/battpass/ontology#Status{attributes[name].code}")
        kept = frozenset(
            Quad(quad.subject, predicate, named, quad.graph_name) if quad.predicate == predicate else quad
            for quad in graphs[access]
        )
        assert kept != graphs[access]
        graphs = {**graphs, access: kept}
    return replace(passport, item_graphs=graphs)
