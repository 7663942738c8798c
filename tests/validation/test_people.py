"""A finding says in two languages where a value lives, who can mend it, and which branch comes closest."""

import re
from copy import deepcopy
from datetime import date

import pytest
from pyoxigraph import BlankNode, NamedNode, RdfFormat, parse

from battpass.kg.concepts import ConceptTable
from battpass.kg.graphs import Finding
from battpass.kg.jsontext import Json, Number
from battpass.kg.namespaces import PREFIXES
from battpass.kg.validation.shapes import SH, ShapeSet
from battpass.kg.validation.validator import Report, Validator
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from tests.validation.seeded import example, faults, play, report_on, runs, validator
from tests.validation.seeded_graphs import graph_runs, play_graph

TODAY = date(2026, 11, 21)
SHAPE = """
bps:capacityOrEnergy a sh:PropertyShape ; sh:path bp:ratedCapacityAh ; sh:severity sh:Violation ;
    sh:name "Capacity"@en , "Kapazität"@de ; sh:description "..."@en , "..."@de ;
    sh:message "A capacity of a cell or of a pack."@en , "Eine Kapazität von Zelle oder Pack."@de ;
    bp:mend "Look it up."@en , "Nachschlagen."@de ; dcterms:source "Annex" ;
    %s .
bps:OfModels a sh:NodeShape ; sh:targetObjectsOf bp:model ; sh:property bps:capacityOrEnergy .
bps:Cell sh:maxExclusive 10.0 . bps:Pack sh:minExclusive 1000.0 ; sh:maxExclusive 2000.0 .
bps:Any sh:datatype xsd:decimal .
"""


def report_by(choice: str) -> Report:
    """Return the report on an example with 94 Ah, by one shape alone."""
    heads = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    heads += "@prefix bps: <https://w3id.org/battpass/shapes#> .\n"
    given = validator(TODAY)
    alone = Validator(
        ShapeSet(parse(heads + SHAPE % choice, RdfFormat.TURTLE)),
        given.attributes,
        given.obligations,
        ConceptTable.load(),
        on=TODAY,
    )
    return alone.validate(BATTERY_PASS_6_1.load_document(example("ev-lfp-60")).passport)


def only(report: Report) -> Finding:
    (finding,) = [one for one in report.findings if one.severity == "violation"]
    return finding


def test_a_finding_names_the_closest_branch_and_what_it_wants() -> None:
    finding = only(report_by("sh:or ( bps:Pack bps:Cell )"))

    assert finding.closest.endswith("comes closest; it wants more than 1000.0")
    assert finding.closest.startswith("branch 1 of 2 (")
    assert "Zweig 1 von 2" in finding.closest_de and "mehr als 1000.0" in finding.closest_de


def test_a_finding_names_the_branches_that_hold_together() -> None:
    finding = only(report_by("sh:xone ( bps:Any bps:Cell bps:Any )"))

    assert finding.closest.startswith("branches 1 and 3 of 3 hold together")


def test_the_graph_has_the_details_of_the_closest_branch_alone() -> None:
    report = report_by("sh:or ( bps:Pack bps:Cell )")
    choice = NamedNode(SH + "OrConstraintComponent")
    (result,) = [triple.subject for triple in report.graph if triple.object == choice]
    of_result = [triple for triple in report.graph if triple.subject == result]
    details = [triple.object for triple in of_result if triple.predicate.value == SH + "detail"]

    assert len(details) == 1 and isinstance(details[0], BlankNode)
    told = {triple.predicate.value: triple.object for triple in report.graph if triple.subject == details[0]}
    assert told[SH + "sourceShape"] == NamedNode("https://w3id.org/battpass/shapes#Pack")
    assert told[SH + "sourceConstraintComponent"] == NamedNode(SH + "MinExclusiveConstraintComponent")
    results = [triple.object for triple in report.graph if triple.predicate.value == SH + "result"]
    assert len(results) == len(set(results)) == len(report.results)
    assert details[0] not in results


def test_graphs_of_damaged_passports_have_one_node_to_each_result_and_path() -> None:
    document = deepcopy(example("ev-nmc811-82"))
    for fault in faults():
        if fault.example == "ev-nmc811-82" and fault.run in ("materials", "state-2", "footprint-4"):
            fault.plant(document)
    graph = report_on(document, TODAY).graph
    nodes = [triple.object for triple in graph if isinstance(triple.object, BlankNode)]

    assert len(nodes) > 20
    # Nothing but the report itself is without one that points to it, and nothing has two.
    assert len(nodes) == len(set(nodes))
    subjects = {triple.subject for triple in graph if isinstance(triple.subject, BlankNode)}
    shapes = {triple.object for triple in graph if triple.predicate.value == SH + "sourceShape"}
    assert subjects - set(nodes) == {BlankNode("report")}
    assert set(nodes) - shapes <= subjects


def mass(document: Json) -> None:
    document["performance"]["rated"]["capacity"]["value"] = Number("-1")


def charge(document: Json) -> None:
    document["performance"]["dynamic"]["stateOfCharge"]["value"] = Number("101")


def share(document: Json) -> None:
    document["materials"]["composition"][1]["concentration"] = Number("-1")


@pytest.mark.parametrize(
    ("change", "mender", "submodel", "words", "words_de"),
    [
        (mass, "model", "performance", "Model / Rated capacity", "Modell / Bemessungskapazität"),
        (charge, "item", "performance", "Battery / State of charge", "Batterie / Ladezustand"),
        (share, "model", "materials", "Model / material content 2 / ", "Modell / Materialgehalt 2 / "),
    ],
)
def test_a_finding_says_in_words_where_a_value_lives_and_so_who_can_mend_it(
    change, mender: str, submodel: str, words: str, words_de: str
) -> None:
    document = deepcopy(example("ev-lfp-60"))
    change(document)
    found = [one for one in report_on(document, TODAY).findings if one.code == "out-of-range"]

    assert found
    for finding in found:
        assert (finding.mender, finding.submodel) == (mender, submodel)
        assert finding.words.lower().startswith(words.lower())
        assert finding.words_de.lower().startswith(words_de.lower())
        assert finding.shape.startswith("https://w3id.org/battpass/shapes#")


def test_every_text_of_a_finding_is_there_in_german_too() -> None:
    found = [one for run in runs() for one in play(run)]
    of_formats = [one for one in found if not one.shape]

    assert len(found) > 300 and len({one.code for one in of_formats}) > 6
    for one in found:
        assert one.field_de and one.found_de and one.allowed_de and one.mend_de, one
        assert one.mend_de != one.mend, one
        # Lists of codes are the same in both languages.
        assert one.allowed_de != one.allowed or one.code in (
            "unknown-code",
            "wrong-unit",
            "unclear-version",
        ), one
        if one.shape:
            assert one.words and one.words_de and one.mender in ("model", "item"), one


ENGLISH = re.compile(r"\b(but|made|issued|and|of|in all|from|for|while|are|with|left|outside|months|years)\b")


def test_what_queries_say_they_found_is_german_in_german() -> None:
    found = [one for run in runs() for one in play(run)]
    found += [one for run in graph_runs() for one in play_graph(run).findings]
    said = {one.found_de for one in found if one.shape and one.found != one.found_de}

    assert len(said) > 30
    # What stands in quotation marks is somebody's own.
    assert not [text for text in said if ENGLISH.search(re.sub(r'".*"', "", text))]
    same = {one.found for one in found if one.shape and one.found == one.found_de}
    assert not [text for text in same if re.match(r"-?\d", text) and ENGLISH.search(text)]
