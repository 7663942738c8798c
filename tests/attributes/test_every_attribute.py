"""Each attribute is a property, has a shape, stands in an example and answers to whoever may read it."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Triple

from battpass.kg.access import audiences
from battpass.kg.attributes import Attribute, Reading, load_attributes
from battpass.kg.concepts import ConceptTable
from battpass.kg.dataset import Dataset
from battpass.kg.graphs import AccessClass, Severity
from battpass.kg.index import Index, Term
from battpass.kg.namespaces import BP, XSD, expand, node, shorten
from battpass.kg.obligations import Bindingness, Category, Obligations
from battpass.kg.ontology.vocabulary import vocabulary_triples
from battpass.kg.passport import Passport, graph_name
from battpass.kg.tables import Labels
from battpass.kg.validation.obligations import category_shapes, duties
from battpass.kg.validation.shapes import SH, ShapeSet
from battpass.kg.validation.validator import Validator
from tests.tables.tables import Rows, changed

ATTRIBUTES = load_attributes()
OBLIGATIONS = Obligations.load()

# How the shapes find passport, battery and model.
TARGETS = {
    "passport": ("targetClass", "bp:BatteryPassport"),
    "battery": ("targetObjectsOf", "bp:describes"),
    "model": ("targetObjectsOf", "bp:model"),
}
DATATYPES = {"decimal": XSD + "decimal", "string": XSD + "string", "date": XSD + "date"}

every_attribute = pytest.mark.parametrize(
    "attribute", ATTRIBUTES.values(), ids=lambda attribute: attribute.name
)


@cache
def vocabulary() -> Index:
    """The ontology graph that every dataset carries."""
    return Index(Quad(*triple) for triple in vocabulary_triples())


@cache
def shapes() -> ShapeSet:
    return ShapeSet.load()


def said(subject: str, property_: str) -> set[str]:
    """Return what the ontology says of a subject, literals with their language."""
    return {
        f"{term.value}@{term.language}" if isinstance(term, Literal) and term.language else term.value
        for term in vocabulary().objects(subject, expand(property_))
        if isinstance(term, Literal | NamedNode)
    }


def in_two_languages(labels: Labels) -> set[str]:
    return {f"{labels.en}@en", f"{labels.de}@de"}


def test_there_are_93_attributes() -> None:
    assert [attribute.number for attribute in ATTRIBUTES.values()] == list(range(1, 94))


@every_attribute
def test_it_is_a_property_of_the_ontology(attribute: Attribute) -> None:
    kinds = said(attribute.iri, "rdf:type")
    assert kinds & {expand("owl:DatatypeProperty"), expand("owl:ObjectProperty")}
    assert said(attribute.iri, "rdfs:label") == in_two_languages(attribute.labels)
    assert said(attribute.iri, "skos:definition") == in_two_languages(attribute.definitions)
    assert said(attribute.iri, "bp:attributeNumber") == {str(attribute.number)}
    assert said(attribute.iri, "bp:level") == {attribute.level}
    assert said(attribute.iri, "bp:accessClass") == {attribute.access.value}
    assert said(attribute.iri, "bp:path") == {attribute.path.text}
    assert said(attribute.iri, "bp:unit") == ({expand(attribute.unit)} if attribute.unit else set())
    assert said(attribute.iri, "bp:valueType")
    for match in attribute.alignment:
        assert match.term in said(attribute.iri, shorten(match.relation))


@every_attribute
def test_each_step_of_its_path_is_a_property_of_the_ontology(attribute: Attribute) -> None:
    for step in attribute.path.properties:
        if step.startswith(BP):
            kinds = {shorten(kind) for kind in said(step, "rdf:type")}
            assert kinds & {"owl:DatatypeProperty", "owl:ObjectProperty"}, step
            assert len(said(step, "rdfs:label")) == 2, step


@every_attribute
def test_its_duties_are_in_the_ontology(attribute: Attribute) -> None:
    for category in Category:
        duty = OBLIGATIONS.of(attribute.name, category)
        assert duty is not None
        if duty.bindingness is Bindingness.NONE:
            assert not said(duty.iri, "rdf:type")
            continue
        assert said(duty.iri, "bp:ofAttribute") == {attribute.iri}
        assert said(duty.iri, "bp:forCategory") == {category.class_iri}
        assert said(duty.iri, "bp:bindingness") == {duty.bindingness.value}
        assert said(duty.iri, "bp:act") == {duty.act}
        assert said(duty.iri, "bp:condition") == {text for text in [duty.condition.text] if text}
        assert said(duty.iri, "bp:awaits") == {text for text in [duty.awaits] if text}
        begins = {duty.applies_from.isoformat()} if duty.applies_from else set()
        assert said(duty.iri, "bp:appliesFrom") == begins


@every_attribute
def test_a_shape_at_its_subject_checks_where_its_path_begins(attribute: Attribute) -> None:
    begins = {route[0] for route in attribute.path.routes}
    missing = begins - checked_at(attribute.subject)
    assert not missing, f"no shape at the {attribute.subject} has {[shorten(step) for step in missing]}"


@every_attribute
def test_every_step_of_its_path_is_checked_by_a_shape(attribute: Attribute) -> None:
    checked = {
        step for shape in shapes().property_shapes.values() for route in shape.routes for step in route
    }
    assert set(attribute.path.properties) <= checked


@cache
def checked_at(subject: str) -> set[str]:
    """Return the properties that some shape checks directly at passport, battery or model."""
    target, term = TARGETS[subject]
    found = set()
    for name in shapes().node_shapes:
        if node(term) in shapes().objects(name, target):
            for member in shapes().objects(name, "property"):
                assert isinstance(member, NamedNode)
                found |= {route[0] for route in shapes().property_shapes[member.value].routes if route}
    return found


@every_attribute
def test_its_path_answers_in_sparql_what_the_examples_give(
    attribute: Attribute, readings: tuple[Reading, ...], dataset_of: Callable[[str], Dataset]
) -> None:
    query = f"SELECT DISTINCT ?subject ?value {{ ?subject {attribute.path.text} ?value }}"
    given = {
        (NamedNode(reading.subject(attribute.subject) or ""), value)
        for reading in readings
        for value in reading.values(attribute)
    }
    assert given, "no example has it"
    assert set(answers(dataset_of("owner"), query)) == given


@pytest.mark.parametrize(
    "attribute",
    [attribute for attribute in ATTRIBUTES.values() if attribute.shape in ("scalar", "entity")],
    ids=lambda attribute: attribute.name,
)
def test_a_scalar_answers_a_one_line_query(
    attribute: Attribute, dataset_of: Callable[[str], Dataset]
) -> None:
    (property_,) = attribute.path.properties
    found = answers(dataset_of("owner"), f"SELECT ?v {{ ?s {shorten(property_)} ?v }}")
    assert found
    for (value,) in found:
        if attribute.shape == "entity":
            assert isinstance(value, NamedNode)
        else:
            assert isinstance(value, Literal)
            assert value.datatype.value == DATATYPES[attribute.datatype]


@every_attribute
@pytest.mark.parametrize("audience", ["public", "interest", "authority"])
def test_it_answers_those_who_may_read_it(
    attribute: Attribute, audience: str, dataset_of: Callable[[str], Dataset]
) -> None:
    query = f"SELECT ?value {{ ?subject {attribute.path.text} ?value }} LIMIT 1"
    assert bool(answers(dataset_of(audience), query)) is audiences()[audience].reads(attribute.access)


def answers(dataset: Dataset, query: str) -> list[tuple[Term, ...]]:
    """Return the rows of an answer as RDF terms."""
    answer = json.loads(dataset.query(query, "json").read())
    names = answer["head"]["vars"]
    return [tuple(_term(row[name]) for name in names) for row in answer["results"]["bindings"]]


def _term(found: dict[str, str]) -> Term:
    if found["type"] == "uri":
        return NamedNode(found["value"])
    datatype = found.get("datatype")
    return Literal(found["value"], datatype=NamedNode(datatype) if datatype else None)


# --- a changed table ---------------------------------------------------------------------------------


def add_swelling_force(table: Rows) -> None:
    rated = next(row for row in table if row["name"] == "ratedCapacity")
    new = {
        "number": "94",
        "name": "swellingForce",
        "label_en": "Swelling force",
        "label_de": "Quellkraft",
        "unit": "",
        "path": "bp:swellingForceN",
        "alignment": "",
        "samm": "",
    }
    table.append({**rated, **new})


def oblige_swelling_force(table: Rows) -> None:
    rated = next(row for row in table if (row["attribute"], row["category"]) == ("ratedCapacity", "EV"))
    table.append({**rated, "attribute": "swellingForce", "applies_from": "2029-01-01", "clause": "Art. 94"})


def put_off_rated_capacity(table: Rows) -> None:
    for row in table:
        if row["attribute"] == "ratedCapacity":
            row["applies_from"] = "2031-07-01"


def shape_of(attribute: str, attributes: Mapping[str, Attribute], owed: Obligations, on: date) -> Index:
    """Return what the generated category shapes of EV batteries say, with one attribute's shape as `duty`."""
    holding = frozenset(attributes)
    made = category_shapes(Category.EV, duties(attributes, owed, Category.EV, on, holding), ShapeSet.load())
    name = f"https://w3id.org/battpass/shapes#duty-{attribute}-EV"
    return Index(
        Quad(node("bp:duty"), quad.predicate, quad.object)
        for quad in made.quads
        if quad.subject == NamedNode(name)
    )


def test_an_added_row_becomes_a_category_shape_without_code(tmp_path: Path) -> None:
    attributes = load_attributes(changed(tmp_path, "attributes.csv", add_swelling_force))
    owed = Obligations.load(changed(tmp_path, "obligations.csv", oblige_swelling_force), attributes)
    shape = shape_of("swellingForce", attributes, owed, date(2029, 1, 1))
    assert shape.objects(BP + "duty", SH + "path") == [node("bp:swellingForceN")]
    assert shape.objects(BP + "duty", SH + "severity") == [NamedNode(SH + "Violation")]
    assert Literal("Quellkraft", language="de") in shape.objects(BP + "duty", SH + "name")
    assert "Art. 94" in (shape.text(BP + "duty", expand("dcterms:source")) or "")
    earlier = shape_of("swellingForce", attributes, owed, date(2028, 12, 31))
    assert earlier.objects(BP + "duty", SH + "severity") == [NamedNode(SH + "Info")]


def test_a_moved_date_becomes_another_severity_without_code(tmp_path: Path) -> None:
    moved = Obligations.load(changed(tmp_path, "obligations.csv", put_off_rated_capacity))
    before, after = date(2031, 6, 30), date(2031, 7, 1)
    severities = [
        shape_of("ratedCapacity", ATTRIBUTES, owed, on).objects(BP + "duty", SH + "severity")
        for owed in (OBLIGATIONS, moved)
        for on in (before, after)
    ]
    violation, info = [NamedNode(SH + "Violation")], [NamedNode(SH + "Info")]
    assert severities == [violation, violation, info, violation]


def test_a_changed_table_changes_what_validation_finds_without_code(
    tmp_path: Path, examples: tuple[Passport, ...]
) -> None:
    attributes = load_attributes(changed(tmp_path, "attributes.csv", add_swelling_force))
    path = changed(tmp_path, "obligations.csv", oblige_swelling_force)
    passport = next(one for one in examples if is_electric_vehicle(one))

    def found(on: date, more: tuple[Quad, ...] = ()) -> list[tuple[str, Severity, str]]:
        validator = Validator(
            ShapeSet.load(only=["general"]),
            attributes,
            Obligations.load(path, attributes),
            ConceptTable.load(),
            on=on,
        )
        public = passport.model_graphs[AccessClass.PUBLIC] | frozenset(more)
        graphs = {**passport.model_graphs, AccessClass.PUBLIC: public}
        report = validator.validate(Passport(passport.record, passport.model, passport.item_graphs, graphs))
        return [
            (finding.code, finding.severity, finding.path)
            for finding in report.findings
            if finding.field == "Swelling force"
        ]

    assert found(date(2028, 12, 31)) == [("due", Severity.INFO, "bp:swellingForceN")]
    assert found(date(2029, 1, 1)) == [("missing", Severity.VIOLATION, "bp:swellingForceN")]
    given = Quad(
        NamedNode(passport.model),
        node("bp:swellingForceN"),
        Literal("1200", datatype=node("xsd:decimal")),
        graph_name(passport.model, AccessClass.PUBLIC),
    )
    assert found(date(2029, 1, 1), (given,)) == []


def is_electric_vehicle(passport: Passport) -> bool:
    kind = Triple(NamedNode(passport.battery), node("rdf:type"), node("bp:ElectricVehicleBattery"))
    return any(quad.triple == kind for quad in passport.quads())
