"""The planted faults reach every shape and every duty, so that no rule stands untried."""

from collections.abc import Iterable, Iterator
from datetime import date

import pytest
from pyoxigraph import NamedNode

from battpass.kg.attributes import load_attributes
from battpass.kg.concepts import ConceptTable
from battpass.kg.graphs import AccessClass
from battpass.kg.obligations import Bindingness, Category, Obligations
from battpass.kg.passport import Passport
from battpass.kg.validation.compiled.results import Result as Detail
from battpass.kg.validation.obligations import presence_routes
from battpass.kg.validation.results import Result
from battpass.kg.validation.shapes import SHAPES, ShapeSet
from battpass.kg.validation.validator import Report, Validator
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from tests.validation.seeded import example, faults, played, runs
from tests.validation.seeded_graphs import graph_faults, graph_runs, play_graph

STATIC = ShapeSet.load()

# No field has codes of this scheme: a material of the graph is a substance of EMMO.
UNUSED = {"inMaterial"}

EXAMPLES = {
    Category.EV: "ev-nmc811-82",
    Category.LMT: "lmt-nmc532-05",
    Category.INDUSTRIAL: "ind-lead-48",
    Category.STATIONARY: "sta-lfp-10",
}
# What a category is read from; without it there are no duties, and the shapes of all passports say so.
DECIDES = {"batteryCategory"}


def reports() -> Iterator[Report]:
    """Yield the reports on all planted faults."""
    yield from map(played, runs())
    yield from map(play_graph, graph_runs())


def reached(results: Iterable[Result | Detail]) -> Iterator[tuple[str, str]]:
    """Yield shapes and severities of results, and of those below them."""
    for result in results:
        shape = result.shape.value if isinstance(result.shape, NamedNode) else str(result.shape)
        severity = result.severity.value if isinstance(result.severity, NamedNode) else result.severity
        yield shape.removeprefix(SHAPES), severity.rpartition("#")[2].lower()
        yield from reached(result.details)


def test_every_property_shape_speaks_of_some_planted_fault_with_its_weight() -> None:
    spoken = {pair for report in reports() for pair in reached(report.results)}
    wanted = {
        (iri.removeprefix(SHAPES), shape.severity.value) for iri, shape in STATIC.property_shapes.items()
    }

    assert {shape for shape, _ in wanted - spoken} == UNUSED


def test_the_tables_hold_at_least_400_faults() -> None:
    assert len(faults()) + len(graph_faults()) >= 400
    assert {fault.severity for fault in faults()} == {"violation", "warning", "info"}
    assert {fault.severity for fault in graph_faults()} == {"violation", "warning", "info"}


def lacking(name: str, predicates: set[str]) -> Passport:
    """Return the passport of an example without what some properties say."""
    passport = BATTERY_PASS_6_1.load_document(example(name)).passport
    item, model = (
        {
            access: frozenset(quad for quad in part if quad.predicate.value not in predicates)
            for access, part in graphs.items()
            if access is not AccessClass.DOCUMENT
        }
        for graphs in (passport.item_graphs, passport.model_graphs)
    )
    return Passport(passport.record, passport.model, item, model)


@pytest.mark.parametrize("on", [date(2026, 11, 21), date(2027, 2, 18), date(2030, 1, 1)], ids=str)
@pytest.mark.parametrize("category", list(Category))
def test_every_duty_of_a_category_asks_for_what_is_taken_out(category: Category, on: date) -> None:
    attributes = load_attributes()
    obligations = Obligations.load(attributes=attributes)
    owed = {
        attributes[one.attribute]: one
        for one in obligations.for_category(category)
        if one.bindingness is Bindingness.MANDATORY and one.attribute not in DECIDES
    }
    gone = {route[-1] for attribute in owed for route in presence_routes(attribute)}
    validator = Validator(STATIC, attributes, obligations, ConceptTable.load(), on=on)
    # Duties speak beside the shapes of all passports, of which one may say the same thing first.
    report = validator.validate(lacking(EXAMPLES[category], gone))
    spoken = {shape: severity for shape, severity in reached(report.results)}
    words = {finding.shape.removeprefix(SHAPES): finding for finding in report.findings}

    assert len(owed) > 50
    for attribute, obligation in owed.items():
        shape = f"duty-{attribute.name}-{category}"
        assert shape in spoken, attribute.name
        if obligation.in_force(on) and not obligation.condition.text:
            assert spoken[shape] == "violation", attribute.name
        if not obligation.in_force(on):
            assert spoken[shape] == "info", attribute.name
        if (finding := words.get(shape)) is not None:
            assert (finding.field, finding.field_de) == attribute.labels
            assert finding.clause and finding.allowed_de and finding.mend_de
    assert len(words.keys() & {f"duty-{attribute.name}-{category}" for attribute in owed}) > 50
