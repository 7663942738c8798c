"""A report is the W3C graph and findings that a person can act on, whichever engine ran."""

from copy import deepcopy
from datetime import date

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from battpass.kg.concepts import ConceptTable
from battpass.kg.graphs import Finding, Severity
from battpass.kg.jsontext import Json, Number
from battpass.kg.namespaces import RDF
from battpass.kg.quantities import load_quantities
from battpass.kg.validation.data import Data, data_of, reference_individuals
from battpass.kg.validation.engine import CompiledEngine
from battpass.kg.validation.findings import MOST_OF_A_KIND, merge
from battpass.kg.validation.places import DocumentPlaces
from battpass.kg.validation.results import Result
from battpass.kg.validation.shapes import SH, ShapeSet
from battpass.kg.validation.validator import Report, Validator
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from tests.validation.oracle import PySHACL
from tests.validation.seeded import example, faults, report_on, validator

TODAY = date(2026, 11, 21)


def faulty(*runs: str) -> Json:
    """Return an example with the faults of some runs."""
    document = deepcopy(example("ev-nmc811-82"))
    for fault in faults():
        if fault.example == "ev-nmc811-82" and fault.run in runs:
            fault.plant(document)
    return document


def without_documents(value: Json) -> Json:
    """Return a document without its lists of documents, which are many and alike."""
    if isinstance(value, dict):
        return {
            name: without_documents(part)
            for name, part in value.items()
            if not (isinstance(part, list) and part and "header" in part[0])
        }
    return [without_documents(part) for part in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def report() -> Report:
    return report_on(faulty("materials", "state-2"), TODAY)


def test_a_conforming_passport_has_an_empty_report() -> None:
    report = report_on(example("ev-lfp-60"), TODAY)

    assert report.conforms and not report.blocking and not report.findings
    assert Triple(BlankNode("report"), _sh("conforms"), _boolean("true")) in report.graph


def test_advice_alone_neither_conforms_nor_blocks() -> None:
    report = report_on(faulty("advice"), TODAY)

    assert not report.conforms and not report.blocking
    assert {finding.severity for finding in report.findings} == {Severity.INFO}


def test_the_graph_says_of_each_result_what_the_standard_asks_for(report: Report) -> None:
    nodes = [quad.object for quad in report.graph if quad.predicate == _sh("result")]
    assert len(nodes) == len(report.results) > 20
    told: dict[object, set[str]] = {}
    for triple in report.graph:
        told.setdefault(triple.subject, set()).add(triple.predicate.value)
    for node in nodes:
        assert told[node] >= {
            RDF + "type",
            *(
                SH + local
                for local in (
                    "focusNode",
                    "resultPath",
                    "resultSeverity",
                    "sourceShape",
                    "sourceConstraintComponent",
                    "resultMessage",
                )
            ),
        }


def test_paths_of_results_are_whole_and_not_shared(report: Report) -> None:
    paths = [
        triple.object
        for triple in report.graph
        if triple.predicate == _sh("resultPath") and isinstance(triple.object, BlankNode)
    ]
    subjects = {triple.subject for triple in report.graph}

    assert paths and len(set(paths)) == len(paths)
    assert set(paths) <= subjects


def test_findings_come_gravest_first(report: Report) -> None:
    order = [Severity.VIOLATION, Severity.WARNING, Severity.INFO]
    ranks = [order.index(finding.severity) for finding in report.findings]

    assert ranks == sorted(ranks)
    assert report.blocking


@pytest.mark.slow
def test_pyshacl_finds_what_the_compiled_shapes_find() -> None:
    document = without_documents(faulty("chronology", "state-2", "footprint-4", "size-3", "voltage"))
    document["materials"]["composition"] = document["materials"]["composition"][:3]
    shapes = ShapeSet.load()
    passport = BATTERY_PASS_6_1.load_document(document).passport
    data = data_of(passport, reference_individuals(ConceptTable.load()), TODAY)

    ours, theirs = CompiledEngine(shapes).results(data), PySHACL(shapes.quads).results(data)

    assert [_about(result) for result in ours] == [_about(result) for result in theirs]
    assert sum(bool(result.constraint) or ":" in result.component for result in theirs) >= 10


def test_another_engine_takes_the_place_of_ours() -> None:
    class Strict:
        """Finds the record at fault whatever it says."""

        def __init__(self, shapes: ShapeSet) -> None:
            self.shapes = shapes

        def results(self, data: Data) -> list[Result]:
            focus = NamedNode(data.index.subjects("https://w3id.org/battpass/ontology#describes")[0])
            shape = "https://w3id.org/battpass/shapes#passportVersion"
            if shape not in self.shapes.property_shapes:
                return []
            return [Result(focus, None, "MinCountConstraintComponent", shape, "Violation")]

    given = validator(TODAY)
    strict = Validator(
        given.shapes, given.attributes, given.obligations, ConceptTable.load(), engine=Strict, on=TODAY
    )

    report = strict.validate(BATTERY_PASS_6_1.load_document(example("ev-lfp-60")).passport)
    assert [finding.field for finding in report.findings] == ["Version of the passport"]


def test_what_a_format_did_not_understand_is_not_missed_again() -> None:
    document = deepcopy(example("ev-lfp-60"))
    document["metadata"]["issueDate"] = "soon"
    document["characteristics"]["physicalDimension"]["weight"]["unit"] = "unit:stone"

    found = report_on(document, date(2027, 2, 18)).findings

    assert sorted(finding.code for finding in found if finding.severity == Severity.VIOLATION) == [
        "bad-date",
        "unknown-unit",
    ]


def test_values_in_other_units_of_the_kind_raise_no_alarm() -> None:
    document = deepcopy(example("ev-lfp-60"))
    length = document["characteristics"]["physicalDimension"]["length"]
    length["value"], length["unit"] = Number(str(float(length["value"].token) / 1000)), "unit:metre"
    electrolyte = document["materials"]["composition"][-1]
    electrolyte["concentration"], electrolyte["unit"] = Number("1.5"), "unit:percentVolume"
    document["characteristics"]["warranty"] = {"lifeValue": Number("3000"), "lifeUnit": "unit:cycle"}

    assert report_on(document, TODAY).findings == ()


def test_of_two_findings_on_one_missing_value_the_graver_stays() -> None:
    advice = Finding("due", Severity.INFO, "Mass", "/a/b", "nothing", "a value", "Add it.")
    grave = Finding("missing", Severity.VIOLATION, "Mass", "/a/b", "nothing", "one value", "Add it.")

    assert merge((), [advice, grave]) == (grave,)


def test_missing_values_are_placed_where_they_would_stand() -> None:
    document = deepcopy(example("ev-lfp-60"))
    del document["performance"]["rated"]["capacity"]["value"]
    del document["materials"]["composition"][2]["concentration"]
    loaded = BATTERY_PASS_6_1.load_document(document)
    places = DocumentPlaces(loaded.places, BATTERY_PASS_6_1.mapping.place, loaded.passport, load_quantities())
    entry = next(node for (node, _), place in loaded.places.items() if place == "/materials/composition/2")
    bp = "https://w3id.org/battpass/ontology#"

    model = loaded.passport.model
    assert places[model, f"{bp}ratedCapacity"] == "/performance/rated/capacity/value"
    assert places[model, f"{bp}ratedCapacityAh"] == "/performance/rated/capacity/value"
    assert places[entry, f"{bp}concentration"] == "/materials/composition/2/concentration"
    assert places[model, f"{bp}batteryCategory"] == "/identification/category"
    assert (model, f"{bp}nothingOfTheKind") not in places


def test_without_places_findings_still_name_node_and_path() -> None:
    document = deepcopy(example("ev-lfp-60"))
    document["performance"]["rated"]["capacity"]["value"] = Number("-94")
    passport = BATTERY_PASS_6_1.load_document(document).passport

    found = validator(TODAY).validate(passport).findings

    assert [(finding.code, finding.pointer, finding.node, finding.path) for finding in found] == [
        ("out-of-range", "", passport.model, "bp:ratedCapacityAh")
    ]
    assert (
        found[0].text().startswith("violation: Rated capacity (bp:ratedCapacityAh): found -94 Ah; allowed: ")
    )


def _about(result: Result) -> tuple[str, ...]:
    return str(result.focus), result.shape, str(result.value), result.component, result.severity


def _sh(local: str) -> NamedNode:
    return NamedNode(SH + local)


def _boolean(text: str) -> Literal:
    return Literal(text, datatype=NamedNode("http://www.w3.org/2001/XMLSchema#boolean"))


def test_of_very_many_findings_the_first_of_each_kind_are_listed_and_the_others_counted() -> None:
    def many(code: str, severity: Severity, count: int) -> list[Finding]:
        return [
            Finding(code, severity, f"Field {number}", f"/{code}/{number:05}", "x", "y", "Mend it.")
            for number in range(count)
        ]

    empty = report_on(example("ev-lfp-60"), TODAY)
    given = [
        *many("order", Severity.VIOLATION, 1),
        *many("sum", Severity.WARNING, 50_000),
        *many("late", Severity.INFO, MOST_OF_A_KIND),
    ]
    report = empty.with_findings(given)

    assert report.blocking and len(report.findings) == 2 * MOST_OF_A_KIND + 2
    assert [one for one in report.findings if one in given] == [*given[:501], *given[50_001:]]
    (further,) = [one for one in report.findings if one not in given]
    assert (further.severity, further.code, further.found, further.found_de) == (
        Severity.WARNING, "sum", "49,500 more of this kind", "49.500 weitere dieser Art",
    )  # fmt: skip
    assert report.findings.index(further) == 501
    assert empty.with_findings(given[:MOST_OF_A_KIND]).findings == tuple(given[:MOST_OF_A_KIND])
