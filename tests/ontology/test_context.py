"""The JSON-LD context: made from the tables, one IRI for each name, and read as meant."""

import json

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from battpass.kg.namespaces import BP, PREFIXES, expand
from battpass.kg.ontology.context import as_json, context
from battpass.kg.ontology.lock import TermLock
from battpass.kg.quantities import load_quantities
from battpass.kg.resources import ontology_path

CONTEXT = context()
MODEL = "https://example.org/model"
UNIT = "emmo:EMMO_bed1d005_b04e_4a90_94cf_02bc678a8569"
SPECIFICATION = "battery:battery_c25c3fb4_14ce_4640_abcc_d4a6e641fee4"
BY_NAME = {"@value": "1", "@type": "xsd:decimal"}


def typed(text: str, datatype: str) -> Literal:
    return Literal(text, datatype=NamedNode(expand(datatype)))


def test_the_file_is_what_the_tables_give() -> None:
    assert ontology_path("context.jsonld").read_text(encoding="utf-8") == as_json(CONTEXT)


def read(document: dict[str, object]) -> set[tuple[str, str]]:
    text = json.dumps({"@context": CONTEXT, "id": MODEL, **document})
    return {
        (quad.predicate.value, str(quad.object))
        for quad in parse(text, RdfFormat.JSON_LD)
        if quad.subject == NamedNode(MODEL)
    }


@pytest.mark.parametrize(
    ("name", "value", "predicate", "expected"),
    [
        ("ratedCapacityAh", "94.5", "bp:ratedCapacityAh", typed("94.5", "xsd:decimal")),
        ("ratedCapacity", "https://example.org/q", "bp:ratedCapacity", NamedNode("https://example.org/q")),
        ("batteryCategory", "CategoryIndustrial", "bp:batteryCategory", NamedNode(BP + "CategoryIndustrial")),
        ("hasMeasurementUnit", "AmpereHour", UNIT, NamedNode(expand("emmo:AmpereHour"))),
        ("manufacturingDate", "2026-02-18", "bp:manufacturingDate", typed("2026-02-18", "xsd:date")),
        ("name", "EX-94", "schema:name", Literal("EX-94")),
        ("type", "BatteryPackSpecification", "rdf:type", NamedNode(expand(SPECIFICATION))),
        ("bp:ratedCapacityAh", BY_NAME, "bp:ratedCapacityAh", typed("1", "xsd:decimal")),
    ],
    ids=["decimal", "node", "code", "unit", "date", "text", "class", "prefixed name"],
)
def test_a_name_is_read_as_its_term(
    name: str, value: object, predicate: str, expected: NamedNode | Literal
) -> None:
    assert read({name: value}) == {(expand(predicate), str(expected))}


def test_every_quantity_has_both_its_names() -> None:
    for kind in load_quantities().values():
        assert CONTEXT[kind.key] == {"@id": f"bp:{kind.key}", "@type": "@id"}
        assert CONTEXT[kind.compact] == {"@id": f"bp:{kind.compact}", "@type": "xsd:decimal"}


def test_a_label_of_two_terms_is_no_name() -> None:
    twice = {term.label for term in TermLock.load().search("PrismaticBattery")}
    assert twice == {"PrismaticBattery"}
    assert "PrismaticBattery" not in CONTEXT


def test_no_name_hides_a_prefix() -> None:
    assert {prefix: CONTEXT[prefix] for prefix in PREFIXES} == PREFIXES
