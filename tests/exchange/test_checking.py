"""A checker reads and validates in sealed processes, whatever comes, and lives on."""

from collections.abc import Iterator
from datetime import date

import pytest
from pyoxigraph import RdfFormat, parse, serialize

from battpass.kg.errors import (
    BadDocument,
    BadShapes,
    BattPassError,
    DocumentTooLarge,
    EngineFailed,
    Overdue,
    ProcessLost,
    UnknownFormat,
)
from battpass.kg.validation.reports.data import DataReport
from battpass.services.exchange.checking import Checked, Checker
from battpass.services.exchange.crew import IntakeLimits
from battpass.services.exchange.foreign import SUFFIXES, media_type_of, read_quads, renamed_apart
from battpass.services.exchange.registry import detect, format_named
from benchmarks.campaigns import ROOT
from tests.shacl.turtle import HEADS, quads

LFP = (ROOT / "examples/passports/ev-lfp-60.json").read_bytes()
SHAPES = HEADS + "ex:S sh:targetSubjectsOf ex:p ; sh:path ex:p ; sh:datatype xsd:string ."
DATA = "ex:a ex:p 'x' , 7 . ex:b ex:p 8 ."
# Every solution of it is looked at before the first comes, so that no clock within is asked.
ENDLESS = """ex:S sh:targetSubjectsOf ex:p ; sh:sparql [ sh:select '''SELECT $this {
    $this ?p ?o . ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?q
    FILTER(CONCAT(STR(?c), STR(?f), STR(?i), STR(?l), STR(?q)) = "nope") }''' ] ."""


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker(1, IntakeLimits(seconds=20, memory=512 << 20, bytes=2 << 20)) as lent:
        yield lent


def check(checker: Checker, data: str, shapes: str, *, graph: bool = False) -> Checked[DataReport]:
    return checker.data((HEADS + data).encode(), (HEADS + shapes).encode(), graph=graph)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_data_and_shapes_come_in_any_syntax(checker: Checker, suffix: str) -> None:
    media_type = SUFFIXES[suffix]
    syntax = RdfFormat.from_media_type(media_type)
    data, shapes = (
        serialize([quad.triple for quad in quads(text.removeprefix(HEADS))], format=syntax) or b""
        for text in (DATA, SHAPES)
    )
    for types in ((media_type, media_type), ("", "")):
        report = checker.data(data, shapes, types=types).report

        assert report.counts["violation"] == 2
        assert {line.value for line in report.lines} == {
            f'"{number}"^^<http://www.w3.org/2001/XMLSchema#integer>' for number in (7, 8)
        }


@pytest.mark.parametrize(
    ("text", "media_type"),
    [
        ("# a\n<a:s> <a:p> 'x' .", "application/trig"),
        ('# a\n\n<a:s> <a:p> "x, \\"y; z"@en .\n', "application/n-quads"),
        ('_:b <a:p> "1"^^<a:t> <a:g> . # c\n', "application/n-quads"),
        ("<a:s> <a:p> <a:o> , <a:q> .", "application/trig"),
        ("@prefix a: <a:> .", "application/trig"),
        (' {"@id": "a:s"}', "application/ld+json"),
        ("\ufeff<?xml version='1.0'?>", "application/rdf+xml"),
        ("", "application/trig"),
    ],
)
def test_a_syntax_is_known_by_its_looks(text: str, media_type: str) -> None:
    assert media_type_of(text.encode()) == media_type


def test_a_passport_is_checked_as_of_a_day_in_any_syntax(checker: Checker) -> None:
    document = detect(LFP).load(LFP).passport
    told = {
        name: checker.passport(format_named(name).dump(document), on=date(2027, 3, 1), graph=True)
        for name in ("battery_pass-6.1.0", "json-ld", "turtle", "n-quads")
    }
    n_quads = list(parse(format_named("n-quads").dump(document), format=RdfFormat.N_QUADS))
    told["trig"] = checker.passport(
        serialize(n_quads, format=RdfFormat.TRIG) or b"",
        media_type="application/trig",
        on=date(2027, 3, 1),
        graph=True,
    )
    turtle = parse(format_named("turtle").dump(document), format=RdfFormat.TURTLE)
    told["xml"] = checker.passport(
        serialize([quad.triple for quad in turtle], format=RdfFormat.RDF_XML) or b"", on=date(2027, 3, 1)
    )

    for name, checked in told.items():
        assert checked.report.category == "EV", name
        assert checked.report.on == "2027-03-01"
        assert not checked.report.blocking, name
        assert (b"shacl#ValidationReport" in checked.graph) == (name != "xml")


def test_rdf_that_is_no_passport_says_so_and_what_to_do(checker: Checker) -> None:
    with pytest.raises(BadDocument, match=r"describes no passport\. Name shapes"):
        checker.passport((HEADS + DATA).encode(), hint="Name shapes.")


def test_partner_documents_are_checked_by_shapes_of_others_without_what_is_residue(checker: Checker) -> None:
    shapes = """ex:S sh:targetSubjectsOf <https://w3id.org/battpass/ontology#ratedCapacityAh> ;
        sh:path <https://w3id.org/battpass/ontology#ratedCapacityAh> ; sh:maxInclusive 1 ."""
    (line,) = checker.data(LFP, (HEADS + shapes).encode()).report.lines

    assert line.value.startswith('"180"')


def test_blank_nodes_of_data_are_not_those_of_shapes(checker: Checker) -> None:
    shapes = (
        "_:a a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:property _:b . _:b sh:path ex:q ; sh:minCount 1 ."
    )
    checked = check(checker, "_:a ex:p _:b . _:sa ex:p _:sb .", shapes, graph=True)

    assert checked.report.counts["violation"] == 2
    assert {line.focus for line in checked.report.lines} == {"_:a", "_:sa"}
    assert {line.shape for line in checked.report.lines} == {"_:ssb"}


def test_labels_that_are_given_are_used_by_nothing_else() -> None:
    others = quads("_:s ex:p _:sst .")
    given = renamed_apart(quads("_:t ex:p _:x ."), others)

    labels = {str(term) for quad in given for term in (quad.subject, quad.object)}
    assert not labels & {"_:s", "_:sst"} and len(labels) == 2


@pytest.mark.parametrize(
    ("data", "shapes", "error", "message"),
    [
        ("ex:a ex:p", SHAPES, BadDocument, r"The data: line \d+, column \d+: "),
        (DATA, "ex:a ex:p", BadDocument, r"The shapes: line \d+, column \d+: "),
        (DATA, "ex:S sh:targetNode ex:a ; sh:minCout 1 .", BadShapes, "sh:minCout is no property of SHACL"),
        (DATA, "ex:S sh:targetNode ex:a ; sh:node ex:S .", BadShapes, "the shape asks itself"),
        (
            DATA,
            "ex:S sh:targetNode ex:a ; sh:sparql [ sh:select "
            "'SELECT $this ?failure { BIND(true AS ?failure) }' ] .",
            EngineFailed,
            "reports a failure",
        ),
        (
            DATA,
            "ex:S sh:targetNode ex:a ; sh:sparql [ sh:select "
            "'SELECT $this { SERVICE <http://a.example/> { ?s ?p ?o } }' ] .",
            BattPassError,
            "SERVICE",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    checker: Checker, data: str, shapes: str, error: type[BattPassError], message: str
) -> None:
    lost = checker.lost
    with pytest.raises(error, match=message):
        check(checker, data, shapes)
    assert checker.lost == lost


def test_advanced_features_are_run_in_there_too(checker: Checker) -> None:
    report = check(
        checker,
        DATA,
        """ex:S a sh:NodeShape ; sh:target [ a sh:SPARQLTarget ;
            sh:select "SELECT ?this { ?this <http://example.org/p> ?o }" ] ;
        sh:property [ sh:path ex:q ; sh:minCount 1 ; sh:message "Say q." ] .""",
    ).report

    assert [line.messages for line in report.lines] == [(("Say q.", ""),)] * 2


@pytest.mark.parametrize(
    "text",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
        b'<!DOCTYPE x [<!ENTITY % a "x">]><x/>',
        b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 50_000 + b'">]><x>' + b"&a;" * 5_000 + b"</x>",
    ],
    ids=["nested", "external", "parameter", "swelling"],
)
def test_entities_that_swell_or_reach_out_are_refused(checker: Checker, text: bytes) -> None:
    with pytest.raises(BadDocument, match="entities"):
        checker.data(text, SHAPES.encode(), types=("application/rdf+xml", ""))


def test_entities_that_stand_for_namespaces_are_read() -> None:
    text = b"""<?xml version="1.0"?><!DOCTYPE rdf:RDF [<!ENTITY ex "http://example.org/">]>
    <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ex="http://example.org/">
    <rdf:Description rdf:about="&ex;a"><ex:p rdf:resource="&ex;b"/></rdf:Description></rdf:RDF>"""

    assert [str(quad.object) for quad in read_quads(text)] == ["<http://example.org/b>"]


def test_nothing_is_fetched(checker: Checker) -> None:
    for text in (b'{"@context": "http://a.example/c", "@id": "a:s"}', b'{"@context": "c.jsonld"}'):
        with pytest.raises(BadDocument, match="@context"):
            checker.data(text, SHAPES.encode(), types=("application/ld+json", ""))


def test_an_unknown_type_and_too_much_are_refused(checker: Checker) -> None:
    with pytest.raises(UnknownFormat, match="image/png"):
        checker.data(b"x", SHAPES.encode(), types=("image/png", ""))
    with pytest.raises(DocumentTooLarge):
        checker.data(b"#" * (3 << 20), SHAPES.encode())


def test_queries_without_end_are_ended_at_the_deadline_and_the_next_is_answered() -> None:
    data = " ".join(f"ex:a{number} ex:p {number} ." for number in range(300))
    with Checker(1, IntakeLimits(seconds=1)) as checker:
        with pytest.raises(Overdue, match="ended after 1 s"):
            check(checker, data, ENDLESS)
        assert checker.lost == 1
        assert check(checker, DATA, SHAPES.removeprefix(HEADS)).report.counts["violation"] == 2


def test_shapes_that_multiply_are_stopped_within_and_cost_no_process() -> None:
    deepest = 22
    levels = " ".join(
        f"ex:L{level} sh:or ( [ sh:path ex:p ; sh:node {below} ] [ sh:path ex:q ; sh:node {below} ] ) ."
        for level, below in ((level, f"ex:L{level + 1}") for level in range(deepest))
    )
    shapes = f"ex:L0 sh:targetNode ex:a . {levels} ex:L{deepest} sh:path ex:r ; sh:minCount 1 ."
    with Checker(1, IntakeLimits(seconds=1)) as checker:
        with pytest.raises(Overdue, match="was stopped after 1 s"):
            check(checker, "ex:a ex:p ex:a ; ex:q ex:a .", shapes)
        assert checker.lost == 0


def test_a_document_that_swells_costs_its_process_alone() -> None:
    # Each value is looked for in each other one, and what is found is a result of its own.
    data = " ".join(f"ex:a ex:p 'value {number}' ." for number in range(3_000))
    shapes = (
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; " + "; ".join("sh:lessThan ex:p" for _ in range(1)) + " ."
    )
    with Checker(1, IntakeLimits(seconds=60, memory=128 << 20)) as checker:
        with pytest.raises((BadDocument, ProcessLost)):
            check(checker, data, shapes, graph=True)
        assert check(checker, DATA, SHAPES.removeprefix(HEADS)).report.counts["violation"] == 2
