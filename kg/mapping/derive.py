"""What follows from a passport's own statements, written out so that a plain query finds it.

BattINFO and BVCO users ask by class and by their own relations; the category decides which duties
apply. All of it follows from what the partner stated, so it is computed here, never sent, never
exported to a partner's field, and computed anew whenever the statements change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pyoxigraph import Literal, NamedNode

from battpass.kg.concepts import Chemistry, ConceptTable, load_chemistries
from battpass.kg.graphs import AccessClass
from battpass.kg.index import Index, Term
from battpass.kg.namespaces import expand, node
from battpass.kg.ontology.units import UnitTable
from battpass.kg.passport import MODEL
from battpass.kg.quantities import QuantityKind, load_quantities
from battpass.kg.quantity import Quantity, child, decode, encode

Derived = tuple[AccessClass, str, NamedNode, Term]

TYPE = node("rdf:type")
HAS_CONSTITUENT = node("emmo:EMMO_dba27ca1_33c9_4443_a912_1519ce4c39ec")
HAS_DESCRIPTION = node("emmo:EMMO_c58c799e_cc6c_4310_a3f1_78da70705b2a")
IS_DESCRIPTION_FOR = node("emmo:EMMO_f702bad4_fc77_41f0_a26d_79f6444fd4f3")
BATTERY_CELL = node("battery:battery_68ed592a_7924_45d0_a108_94d6275d57f0")
HAS_POSITIVE_ELECTRODE = node("echem:electrochemistry_8e9cf965_9f92_46e8_b678_b50410ce3616")
HAS_NEGATIVE_ELECTRODE = node("echem:electrochemistry_5d299271_3f68_494f_ab96_3db9acdd3138")
HAS_ACTIVE_MATERIAL = node("echem:electrochemistry_860aa941_5ff9_4452_8a16_7856fad07bee")
BVCO_PACK = node("bvco:BVCO_c3403541_0fb7_4a2b_b432_3860bc89848a")
BVCO_SPENT_BATTERY = node("bvco:BVCO_12664712_cdf1_43c9_b102_1691db16d37f")
BVCO_PACK_MANUFACTURING = node("bvco:BVCO_db4d4d99_4056_46a0_8339_476db375c4a6")

ENTITIES = {
    "bp:operator": "schema:Organization",
    "bp:manufacturer": "schema:Organization",
    "bp:supplier": "schema:Organization",
    "bp:facility": "schema:Place",
}
CATEGORY_CLASSES = {
    "bp:CategoryElectricVehicle": "bp:ElectricVehicleBattery",
    "bp:CategoryLightTransport": "bp:LightTransportBattery",
    "bp:CategoryIndustrial": "bp:IndustrialBattery",
    "bp:CategoryStarting": "bp:StartingBattery",
    "bp:CategoryPortable": "bp:PortableBattery",
}
STATIONARY = "bp:StationaryBattery"


@dataclass(frozen=True, slots=True)
class Deriver:
    """The tables that derivation reads, and the two derivations: of a model record, and of an item."""

    concepts: ConceptTable
    chemistries: Mapping[str, Chemistry]
    quantities: Mapping[str, QuantityKind]
    units: UnitTable

    @classmethod
    def load(cls) -> "Deriver":
        """Return a deriver over the installed tables."""
        return cls(ConceptTable.load(), load_chemistries(), load_quantities(), UnitTable.load())

    def model(self, index: Index, model: str) -> Iterator[Derived]:
        """Yield what follows for a model record from its own statements."""
        yield from _entities(index)
        maker = index.one(model, expand("bp:manufacturer"))
        if maker is not None:
            yield AccessClass.PUBLIC, model, node("schema:manufacturer"), maker
        yield from self._chemistry(index, model)
        yield from self._materials(index, model)
        yield from self._footprint(index, model)

    def item(self, index: Index, battery: str) -> Iterator[Derived]:
        """Yield what follows for an item; `index` holds its model's statements too."""
        yield from _entities(index, model_level=False)
        model = index.text(battery, MODEL.value)
        if model is not None:
            yield AccessClass.PUBLIC, battery, HAS_DESCRIPTION, NamedNode(model)
            yield AccessClass.PUBLIC, model, IS_DESCRIPTION_FOR, NamedNode(battery)
            for category in category_classes(index, model):
                yield AccessClass.PUBLIC, battery, TYPE, NamedNode(category)
        yield AccessClass.PUBLIC, battery, TYPE, BVCO_PACK
        if index.text(battery, expand("bp:batteryStatus")) == expand("bp:StatusWaste"):
            yield AccessClass.ITEM, battery, TYPE, BVCO_SPENT_BATTERY
        made = index.one(battery, expand("bp:manufacturingDate"))
        if made is not None:
            making = child(battery, "manufacturing")
            yield AccessClass.PUBLIC, making, TYPE, BVCO_PACK_MANUFACTURING
            yield AccessClass.PUBLIC, making, TYPE, node("prov:Activity")
            yield AccessClass.PUBLIC, making, node("prov:generated"), NamedNode(battery)

    def _chemistry(self, index: Index, model: str) -> Iterator[Derived]:
        chemistry = self.chemistries.get(index.text(model, expand("bp:batteryChemistry")) or "")
        if chemistry is None:
            return
        cell = child(model, "cell")
        yield AccessClass.PUBLIC, model, HAS_CONSTITUENT, NamedNode(cell)
        for iri in (BATTERY_CELL.value, *chemistry.cell, *chemistry.bvco_cell):
            yield AccessClass.PUBLIC, cell, TYPE, NamedNode(iri)
        for relation, name, classes, materials in (
            (
                HAS_POSITIVE_ELECTRODE,
                "positive",
                chemistry.positive_electrode + chemistry.bvco_positive_electrode,
                chemistry.positive_material,
            ),
            (
                HAS_NEGATIVE_ELECTRODE,
                "negative",
                chemistry.negative_electrode + chemistry.bvco_negative_electrode,
                chemistry.negative_material,
            ),
        ):
            if not classes:
                continue
            electrode = child(cell, name)
            yield AccessClass.PUBLIC, cell, relation, NamedNode(electrode)
            for iri in classes:
                yield AccessClass.PUBLIC, electrode, TYPE, NamedNode(iri)
            for iri in materials:
                material = child(electrode, "material")
                yield AccessClass.PUBLIC, electrode, HAS_ACTIVE_MATERIAL, NamedNode(material)
                yield AccessClass.PUBLIC, material, TYPE, NamedNode(iri)

    def _materials(self, index: Index, model: str) -> Iterator[Derived]:
        material = expand("bp:material")
        for link, access in (
            ("bp:otherActiveMaterial", AccessClass.INTEREST),
            ("bp:hazardousSubstance", AccessClass.PUBLIC),
            ("bp:materialContent", AccessClass.INTEREST),
        ):
            for content in index.objects(model, expand(link)):
                if isinstance(content, NamedNode) and (known := self._known_material(index, content.value)):
                    yield access, content.value, NamedNode(material), NamedNode(known)
                    if index.text(content.value, expand("bp:critical")) == "true":
                        yield AccessClass.PUBLIC, model, node("bp:criticalRawMaterial"), NamedNode(known)
        for name in ("nickel", "lithium", "cobalt", "lead"):
            content_iri = index.text(model, expand(f"bp:{name}Content"))
            known = index.text(content_iri, material) if content_iri else None
            if content_iri and known and index.text(content_iri, expand("bp:critical")) == "true":
                yield AccessClass.PUBLIC, model, node("bp:criticalRawMaterial"), NamedNode(known)

    def _known_material(self, index: Index, content: str) -> str | None:
        """Return the substance that a material's CAS number names, where the table knows it."""
        for identifier in index.objects(content, expand("bp:materialIdentifier")):
            if not isinstance(identifier, NamedNode):
                continue
            if index.text(identifier.value, expand("bp:identifierType")) != expand("bp:IdentifierCAS"):
                continue
            concept = self.concepts.by_notation(
                "Material", index.text(identifier.value, expand("bp:identifierCode")) or ""
            )
            if concept is not None and concept.match:
                return concept.match
        return None

    def _footprint(self, index: Index, model: str) -> Iterator[Derived]:
        """Repeat the footprint of the whole life cycle on the model, where the passport states one."""
        kind = self.quantities["carbonFootprintPerFunctionalUnit"]
        here = child(model, "wholeLifeCycleFootprint")
        stated = index.text(model, kind.link_iri)
        if stated is not None and stated != here:
            return
        for declaration in index.objects(model, expand("bp:carbonFootprint")):
            if isinstance(declaration, Literal) or not isinstance(declaration, NamedNode):
                continue
            stage = index.text(declaration.value, expand("bp:lifeCycleStage"))
            impact = index.text(declaration.value, expand("bp:impactCategory"))
            footprint = decode(index, declaration.value, self.quantities["footprint"])
            if (
                stage == expand("bp:StageWholeLifeCycle")
                and impact == expand("bp:ImpactClimateChangeTotal")
                and footprint is not None
                and footprint.unit == kind.unit
            ):
                whole = Quantity(kind, Decimal(footprint.value), kind.unit)
                for subject, predicate, term in encode(model, whole, here):
                    yield AccessClass.PUBLIC, subject, predicate, term
                return


def category_classes(index: Index, model: str) -> Iterator[str]:
    """Yield the classes of the law that a model's stated category and purposes put it in."""
    category = index.text(model, expand("bp:batteryCategory"))
    for concept, name in CATEGORY_CLASSES.items():
        if category == expand(concept):
            yield expand(name)
    if category == expand("bp:CategoryIndustrial"):
        for purpose in index.objects(model, expand("bp:purpose")):
            if not isinstance(purpose, NamedNode):
                continue
            if index.text(purpose.value, expand("bp:code")) == expand("bp:PurposeStationaryStorage"):
                yield expand(STATIONARY)
                return


def _entities(index: Index, *, model_level: bool = True) -> Iterator[Derived]:
    for link, kind in ENTITIES.items():
        access = AccessClass.INTEREST if link == "bp:supplier" else AccessClass.PUBLIC
        if (link == "bp:operator") == model_level:
            continue
        for subject in index.subjects(expand(link)):
            for entity in index.objects(subject, expand(link)):
                if isinstance(entity, NamedNode):
                    yield access, entity.value, TYPE, NamedNode(expand(kind))
                    name = entity.value.rpartition("/")[2]
                    yield access, entity.value, node("schema:identifier"), Literal(name)
