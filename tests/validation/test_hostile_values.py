"""Whatever an update writes into a graph, the validator answers with findings and does not fail."""

from datetime import date

from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.namespaces import XSD
from battpass.kg.validation.shapes import ShapeSet
from battpass.kg.validation.validator import Validator
from benchmarks.campaigns import Campaign
from tests.validation.graphs import MODEL, RECORD, of_shapes, passport, sound

TYPED = {
    "date": ("7172-75-08", "2020-01-01", "-0001-01-01", "10000-01-01", ""),
    "dateTime": ("2026-05-04T12:00:00", "2026-05-04T25:00:00Z", "99999-01-01T00:00:00Z"),
    "decimal": ("abc", "-5", "9" * 40, "1e3", " 7 "),
    "double": ("1e999", "NaN", "INF"),
    "integer": ("1.5", "٣", "0"),
    "boolean": ("x", "1"),
    "duration": ("P1Y", "soon"),
    "hexBinary": ("zz",),
}
VALUES = [
    *(Literal(text, datatype=NamedNode(XSD + name)) for name, texts in TYPED.items() for text in texts),
    Literal(""),
    Literal("x", language="en"),
    Literal("a" * 100_000),
    Literal("x", datatype=NamedNode("urn:own")),
    *(NamedNode(iri) for iri in ("urn:x", RECORD, f"{RECORD}#battery", MODEL)),
]
ROOTS = [NamedNode(RECORD), NamedNode(f"{RECORD}#battery"), NamedNode(MODEL)]


def test_values_of_any_kind_anywhere_become_findings(campaign: Campaign) -> None:
    shapes = ShapeSet.load()
    routes = [route for shape in shapes.property_shapes.values() for route in shape.routes]
    properties = sorted({step for route in routes for step in route})
    validator = Validator.load(date(2026, 11, 21))
    draw = campaign.random("hostile values")

    for _ in range(campaign.count(80)):
        planted = [
            Quad(root, NamedNode(name), value)
            for name in draw.sample(properties, 60)
            for root in draw.sample(ROOTS, 2)
            for value in draw.sample(VALUES, 2)
        ]
        report = validator.validate(passport([*sound(), *planted]))
        assert report.findings and report.graph


def test_an_ill_typed_value_is_shown_as_it_was_written() -> None:
    day = Literal("2026-02-30", datatype=NamedNode(XSD + "date"))
    battery, made = ROOTS[1], NamedNode("https://w3id.org/battpass/ontology#manufacturingDate")
    validator = Validator.load(date(2026, 11, 21), only=["general", "reference"])

    (finding,) = of_shapes(validator.validate(passport([*sound(), Quad(battery, made, day)])))

    assert (finding.code, finding.found) == ("wrong-type", "2026-02-30")
