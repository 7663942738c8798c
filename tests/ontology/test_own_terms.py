"""The own ontology: what was to be minted is there, complete, and below the right parents."""

from collections import Counter, defaultdict

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from battpass.kg.namespaces import BP, PREFIXES, RDF, RDFS, expand, shorten
from battpass.kg.ontology.lock import TermLock
from battpass.kg.ontology.units import UnitTable
from battpass.kg.ontology.vocabulary import vocabulary_triples
from battpass.kg.resources import ontology_path

OWL, SKOS, DCTERMS = PREFIXES["owl"], PREFIXES["skos"], PREFIXES["dcterms"]
OWN = [quad.triple for quad in parse(ontology_path("battpass.ttl").read_bytes(), RdfFormat.TURTLE)]
LOCK = TermLock.load()


def classes() -> list[str]:
    return [
        str(triple.subject.value)
        for triple in OWN
        if isinstance(triple.subject, NamedNode) and triple.object == NamedNode(OWL + "Class")
    ]


def texts(iri: str, predicate: str) -> dict[str, str]:
    return {
        triple.object.language or "": triple.object.value
        for triple in OWN
        if triple.subject == NamedNode(iri)
        and triple.predicate.value == predicate
        and isinstance(triple.object, Literal)
    }


@pytest.fixture(scope="module")
def above() -> dict[str, set[str]]:
    found = defaultdict(set)
    for triple in vocabulary_triples():
        if triple.predicate.value == RDFS + "subClassOf":
            found[shorten(str(triple.subject.value))].add(_label(triple))
    return found


def _label(triple: Triple) -> str:
    assert isinstance(triple.object, NamedNode)
    term = LOCK.get(triple.object.value)
    return term.label if term else shorten(triple.object.value)


@pytest.mark.parametrize(
    ("names", "parents"),
    [
        ("CapacityBasedStateOfHealth ResistanceBasedStateOfHealth", "StateOfHealth RatioQuantity"),
        ("StateOfCertifiedEnergy", "StateOfHealth RatioQuantity"),
        ("RemainingCapacity", "DischargingCapacity"),
        ("RemainingEnergy CertifiedUsableEnergy", "StoredEnergy"),
        ("RemainingPower", "MaximumPower"),
        ("CapacityFadeRatio PowerFade InternalResistanceIncrease RoundTripEfficiencyFade", "RatioQuantity"),
        ("RoundTripEnergyEfficiencyAt50PercentCycleLife", "RoundTripEnergyEfficiency"),
        ("CapacityThroughput", "Capacity"),
        ("EnergyThroughput", "Energy"),
        ("EquivalentFullCycles", "CycleIndex"),
        ("RemainingUsefulLifeCycles KneePoint EventCount", "PureNumberQuantity"),
        ("RemainingUsefulLifeTime WarrantyPeriod ExtremeTemperatureTime", "Duration"),
        ("PredictionInterval", "Entity"),
        ("PredictionRun", "Activity"),
        ("TrainedModel", "Model Entity"),
        ("ConformalMethod", "Algorithm"),
        ("RatedProperty", "ConventionalProperty"),
        ("BatteryPassport", "Document"),
        ("CarbonFootprintPerFunctionalUnit AbsoluteCarbonFootprint", "ObjectiveProperty"),
        ("RawMaterialCarbonFootprint MainProductionCarbonFootprint", "bp:CarbonFootprint ObjectiveProperty"),
        ("DistributionCarbonFootprint EndOfLifeCarbonFootprint", "bp:CarbonFootprint ObjectiveProperty"),
        ("PreConsumerRecycledContentShare", "bp:RecycledContentShare MassFraction"),
        ("PostConsumerRecycledContentShare", "bp:RecycledContentShare MassFraction"),
        ("CriticalRawMaterial HazardousSubstance ExtinguishingAgent", "Material"),
        ("BlackMass", "Mixture"),
        ("RecyclingEfficiency MaterialRecoveryRate", "RatioQuantity"),
        ("RecyclingValue", "MonetaryAmount"),
        ("PyrometallurgicalRecycling HydrometallurgicalRecycling", "bp:RecyclingRoute BatteryRecycling"),
        ("DirectRecycling", "bp:RecyclingRoute BatteryRecycling"),
        ("BatteryDismantling", "bp:RecyclingStep BatteryRecycling Dismantling"),
        ("Shredding", "bp:MechanicalPretreatment BatteryRecycling Crushing Comminution"),
        ("BlackMassSeparation", "bp:MechanicalPretreatment BatteryRecycling Sorting"),
        ("BatterySmelting", "BatteryRecycling Smelting"),
        ("Leaching SolventExtraction", "BatteryRecycling LiquidMediumExtraction"),
        ("SaltPrecipitation Relithiation ThermalPretreatment", "bp:RecyclingStep BatteryRecycling"),
        ("ReUse", "BatteryApplication"),
        ("Repurposing Remanufacturing PreparationForReuse", "bp:SecondLifeOperation"),
        ("ElectricVehicleBattery LightTransportBattery PortableBattery StartingBattery", "Battery"),
        ("StationaryBattery", "bp:IndustrialBattery Battery"),
        ("WasteBattery", "Battery SpentElectricBattery"),
        ("SparePart", "BatteryComponent"),
    ],
    ids=lambda text: text.split()[0],
)
def test_a_minted_class_lies_below_its_parents(names: str, parents: str, above: dict[str, set[str]]) -> None:
    for name in names.split():
        assert set(parents.split()) <= above[f"bp:{name}"], name


def test_twenty_classes_describe_recycling(above: dict[str, set[str]]) -> None:
    below = {name for name, ends in above.items() if "BatteryRecycling" in ends and name.startswith("bp:")}
    beside = {"bp:BlackMass", "bp:RecyclingEfficiency", "bp:MaterialRecoveryRate", "bp:RecyclingValue"}
    assert len(below | beside) >= 20


@pytest.mark.parametrize("iri", classes(), ids=shorten)
def test_a_class_tells_what_it_is_in_english_and_german(iri: str) -> None:
    for predicate in (RDFS + "label", SKOS + "prefLabel", SKOS + "definition"):
        assert set(texts(iri, predicate)) == {"en", "de"}, predicate
    assert texts(iri, RDFS + "label") == texts(iri, SKOS + "prefLabel")
    definition = texts(iri, SKOS + "definition")
    assert all(text.endswith(".") for text in definition.values())
    assert definition["en"] != definition["de"]
    assert texts(iri, DCTERMS + "source")


def test_no_two_classes_have_the_same_label() -> None:
    for language in ("en", "de"):
        labels = Counter(texts(iri, RDFS + "label")[language] for iri in classes())
        assert [label for label, count in labels.items() if count > 1] == []


def test_the_header_states_version_licence_and_name() -> None:
    ontology = BP.rstrip("#")
    said = {triple.predicate.value for triple in OWN if triple.subject == NamedNode(ontology)}
    assert {OWL + "versionIRI", DCTERMS + "license", RDFS + "label", DCTERMS + "description"} <= said
    assert set(texts(ontology, RDFS + "label")) == {"en", "de"}


def test_every_own_unit_of_the_table_is_a_class_of_units(above: dict[str, set[str]]) -> None:
    own = [unit for unit in UnitTable.load() if unit.curie.startswith("bp:")]
    assert len(own) > 15
    for unit in own:
        assert "MeasurementUnit" in above[unit.curie], unit.curie
        assert texts(unit.iri, RDFS + "label")["en"] == unit.label


def test_a_route_names_only_steps_as_typical(above: dict[str, set[str]]) -> None:
    steps = [triple.object for triple in OWN if triple.predicate.value == BP + "typicalStep"]
    assert len(steps) > 10
    assert all("bp:RecyclingStep" in above[shorten(str(step.value))] for step in steps)


def test_the_ontology_has_no_blank_node() -> None:
    assert all(isinstance(triple.subject, NamedNode) for triple in OWN)
    assert {type(triple.object) for triple in OWN} == {NamedNode, Literal}


def test_names_in_code_are_written_as_their_kind_wants() -> None:
    for triple in OWN:
        if triple.predicate.value == RDF + "type" and str(triple.subject).startswith(f"<{BP}"):
            local = str(triple.subject.value).removeprefix(BP)
            assert local[0].isupper() == (triple.object == NamedNode(expand("owl:Class"))), local
