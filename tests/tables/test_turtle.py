"""The Turtle files are what the tables say, and hold together."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, QuerySolutions, RdfFormat, Store

from battpass.kg.attributes import load_attributes
from battpass.kg.namespaces import BP, PREFIXES, node
from battpass.kg.obligations import Bindingness, Obligations
from battpass.kg.ontology.turtle import FILES, write
from battpass.kg.resources import ontology_path
from tests.tables.tables import Rows, changed

PREAMBLE = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())
BY_HAND = "battpass.ttl"


@pytest.fixture(scope="module")
def terms() -> Store:
    store = Store()
    for name in (*FILES, BY_HAND):
        store.load(ontology_path(name).read_bytes(), RdfFormat.TURTLE)
    return store


def first_column(store: Store, query: str) -> Iterator[str]:
    solutions = store.query(PREAMBLE + query)
    assert isinstance(solutions, QuerySolutions)
    for solution in solutions:
        yield solution[0].value


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_the_tables_say(name: str) -> None:
    assert ontology_path(name).read_text(encoding="utf-8") == FILES[name](None), (
        "a table has changed: run python -m battpass.kg.ontology.turtle"
    )


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_no_blank_nodes(name: str) -> None:
    store = Store()
    store.load(ontology_path(name).read_bytes(), RdfFormat.TURTLE)
    assert not [quad for quad in store if BlankNode in (type(quad.subject), type(quad.object))]


def test_every_own_term_is_declared(terms: Store) -> None:
    declared = {quad.subject for quad in terms.quads_for_pattern(None, node("rdf:type"), None)}
    used = {
        term
        for quad in terms
        for term in (quad.subject, quad.predicate, quad.object)
        if isinstance(term, NamedNode) and term.value.startswith(BP)
    }
    assert not used - declared


def test_a_property_is_of_one_kind(terms: Store) -> None:
    double = first_column(
        terms,
        """SELECT ?property WHERE {
            ?property a ?one , ?other . FILTER (?one != ?other && isIRI(?property))
            VALUES ?one { owl:ObjectProperty owl:DatatypeProperty owl:AnnotationProperty owl:Class }
            VALUES ?other { owl:ObjectProperty owl:DatatypeProperty owl:AnnotationProperty owl:Class } }""",
    )
    assert not list(double)


@pytest.mark.parametrize("predicate", ["rdfs:label", "skos:prefLabel", "skos:definition"])
def test_a_term_has_one_text_in_each_language(terms: Store, predicate: str) -> None:
    kinds = "owl:ObjectProperty owl:DatatypeProperty owl:AnnotationProperty skos:ConceptScheme"
    if predicate != "skos:definition":
        kinds += " skos:Concept"
    for language in ("en", "de"):
        wrong = first_column(
            terms,
            f"""SELECT ?term WHERE {{
                VALUES ?kind {{ {kinds} }} ?term a ?kind . FILTER STRSTARTS(STR(?term), "{BP}")
                OPTIONAL {{ ?term {predicate} ?text FILTER (LANG(?text) = "{language}") }}
            }} GROUP BY ?term HAVING (COUNT(DISTINCT ?text) != 1)""",
        )
        assert not list(wrong)


def test_the_attributes_are_found_by_a_query(terms: Store) -> None:
    query = "SELECT ?attribute WHERE { ?attribute bp:attributeNumber ?n } ORDER BY ?n"
    found = [iri.removeprefix(BP) for iri in first_column(terms, query)]
    assert found == list(load_attributes())


def test_the_duties_are_found_by_a_query(terms: Store) -> None:
    duties = [row for row in Obligations.load() if row.bindingness is not Bindingness.NONE]
    assert set(first_column(terms, "SELECT ?duty WHERE { ?duty a bp:Obligation }")) == {
        row.iri for row in duties
    }
    first = first_column(
        terms,
        """SELECT (MIN(?day) AS ?first) WHERE { ?duty bp:bindingness "mandatory" ; bp:appliesFrom ?day ;
            bp:forCategory bp:ElectricVehicleBattery }""",
    )
    assert next(first) == date(2027, 2, 18).isoformat()


def test_both_forms_of_a_quantity_point_at_each_other(terms: Store) -> None:
    pairs = list(
        first_column(
            terms,
            "SELECT ?link WHERE { ?link bp:compactForm ?compact . ?compact bp:quantityProperty ?link }",
        )
    )
    assert len(pairs) == len(list(terms.quads_for_pattern(None, node("bp:compactForm"), None)))
    unit = terms.quads_for_pattern(node("bp:ratedCapacityAh"), node("bp:unit"), None)
    assert [quad.object for quad in unit] == [node("emmo:AmpereHour")]


def test_a_changed_table_reaches_the_turtle_without_code(tmp_path: Path) -> None:
    def add(table: Rows) -> None:
        table.append({**table[51], "number": "94", "name": "swellingForce", "path": "bp:swellingForceN"})

    def oblige(table: Rows) -> None:
        table.append({**table[0], "attribute": "swellingForce", "applies_from": "2030-01-01"})

    changed(tmp_path, "attributes.csv", add)
    changed(tmp_path, "obligations.csv", oblige)
    write(tmp_path)
    store = Store()
    store.load((tmp_path / "attributes.ttl").read_bytes(), RdfFormat.TURTLE)
    found = store.quads_for_pattern(node("bp:obligation-swellingForce-EV"), node("bp:appliesFrom"), None)
    assert [quad.object for quad in found] == [Literal("2030-01-01", datatype=node("xsd:date"))]


def test_texts_with_quotes_survive(tmp_path: Path) -> None:
    text = 'A "quoted" back\\slash text of some length.'
    changed(tmp_path, "attributes.csv", lambda table: table[0].update(definition_en=text))
    for name in ("properties.csv", "quantities.csv", "obligations.csv"):
        shutil.copy(ontology_path(name), tmp_path)
    store = Store()
    store.load(FILES["attributes.ttl"](tmp_path).encode(), RdfFormat.TURTLE)
    found = store.quads_for_pattern(node("bp:passportIdentifier"), node("skos:definition"), None)
    assert Literal(text, language="en") in [quad.object for quad in found]
