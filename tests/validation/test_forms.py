"""A report comes as JSON, text, page, table and graph; what documents hold does no harm in any of them."""

import csv
import io
import json
from copy import deepcopy
from datetime import date
from html.parser import HTMLParser

import pytest
from pyoxigraph import BlankNode, Literal, RdfFormat, parse

from battpass.kg.graphs import Finding, Severity
from battpass.kg.jsontext import Number
from battpass.kg.validation.compiled.vocabulary import sh
from battpass.kg.validation.reports.data import MOST, DataReport
from battpass.kg.validation.reports.forms import MEDIA_TYPES, Told, written
from battpass.kg.validation.reports.graphs import n_triples
from battpass.kg.validation.reports.pages import POLICY, STYLE, page
from battpass.kg.validation.reports.passports import PassportReport
from battpass.kg.validation.reports.sheets import WORDS
from tests.shacl.turtle import EX, validate
from tests.validation.seeded import example, faults, report_on

TODAY = date(2026, 11, 21)
HOSTILE = "</dd><script>alert('x')</script>\x1b[31m\ud800\u202e=1+1"


def told(name: str = "one.json", *runs: str) -> Told:
    """Return the report on an example with the faults of some runs."""
    document = deepcopy(example("ev-nmc811-82"))
    for fault in faults():
        if fault.example == "ev-nmc811-82" and fault.run in (runs or ("materials", "state-2")):
            fault.plant(document)
    report = report_on(document, TODAY)
    return Told(name, PassportReport.read(report.text()), n_triples(report.graph))


def hostile() -> Told:
    """Return a report with texts in every field that mean harm."""
    finding = Finding(
        "out-of-range",
        Severity.VIOLATION,
        *(HOSTILE,) * 14,
        **{f"{name}_de": HOSTILE for name in ("found", "allowed", "mend", "words", "closest")},
    )
    shapes = ((HOSTILE, HOSTILE),)
    return Told(HOSTILE, PassportReport("2026-11-21", HOSTILE, False, True, shapes, (finding,)))


def data_report() -> Told:
    report = validate(
        """ex:S sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:datatype xsd:date ;
            sh:message "Give a day."@en , "Einen Tag angeben."@de ] ;
            sh:or ( [ sh:path ex:q ; sh:minCount 1 ] [ sh:path ex:r ; sh:minCount 1 ] ) .
        ex:T sh:targetSubjectsOf ex:p ; sh:path ( ex:p [ sh:inversePath ex:q ] ) ; sh:minCount 1 ;
            sh:severity sh:Info .""",
        f"ex:a ex:p {json.dumps('<script>')} . ex:b ex:p '2026-01-01'^^xsd:date ; ex:q 1 .",
    )
    return Told("data.ttl", DataReport.of(report), n_triples(report.graph))


class Page(HTMLParser):
    """Collects the tags of a page, and how they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_json_has_the_members_it_always_had_and_more() -> None:
    content = told().content()
    before = {"code", "severity", "field", "pointer", "found", "allowed", "mend", "clause", "node", "path"}

    assert content.keys() >= {"on", "category", "conforms", "blocking", "shapes", "findings"}
    assert all(one.keys() > before for one in content["findings"])
    assert sum(content["counts"].values()) == len(content["findings"]) > 20


def test_a_report_is_read_back_as_it_was_written() -> None:
    report = report_on(example("ev-nmc811-82"), date(2027, 3, 1))
    back = PassportReport.read(report.text())

    assert back.findings == report.findings
    assert (back.on, back.category, back.blocking) == ("2027-03-01", "EV", report.blocking)
    assert PassportReport.read(json.dumps(back.content()).encode()) == back


def test_a_report_of_an_earlier_version_is_read_too() -> None:
    old = {
        "on": "2026-01-01",
        "category": None,
        "conforms": False,
        "blocking": True,
        "shapes": [],
        "findings": [
            dict.fromkeys(
                ("code", "field", "pointer", "found", "allowed", "mend", "clause", "node", "path"), "x"
            )
            | {"severity": "violation"}
        ],
    }
    report = PassportReport.read(json.dumps(old).encode())

    assert report.findings[0].mend == "x" and report.findings[0].mender == ""
    assert "x" in written("html", [Told("", report)]).decode()


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"on": 1}', b"\xff", b'{"findings": [{}]}'])
@pytest.mark.parametrize("kind", [PassportReport, DataReport])
def test_what_is_no_report_is_not_read(text: bytes, kind: type[PassportReport] | type[DataReport]) -> None:
    with pytest.raises(ValueError):
        kind.read(text)


def test_a_page_groups_by_sub_model_with_counts_in_two_languages() -> None:
    english, german = (written("html", [told()], language).decode() for language in ("en", "de"))

    assert '<html lang="en">' in english and '<html lang="de">' in german
    assert "<h3>Materials <span" in english and "<h3>Werkstoffe <span" in german
    assert english.index("<h3>Materials") < english.index("<h3>Performance and durability")
    report = told().report
    assert isinstance(report, PassportReport)
    for finding in report.findings:
        if finding.submodel and finding.mend_de:
            assert Page(german).words.count(finding.mend_de) >= 1
    assert english.count("<article") == german.count("<article") == len(report.findings)
    assert "Hersteller des Modells" in german and "the maker of the model" in english


@pytest.mark.parametrize("one", [told(), data_report(), hostile(), Told("x", None, error=HOSTILE)])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_page_is_plain_whole_and_without_scripts(one: Told, language: str) -> None:
    text = written("html", [one], language).decode()
    found = Page(text)

    assert not found.open and text.startswith("<!DOCTYPE html>")
    assert not {"script", "img", "link", "iframe", "a", "form"} & set(found.tags)
    assert found.attributes <= {"lang", "charset", "name", "content", "class"}
    assert "\x1b" not in text
    assert STYLE in text and "http" not in STYLE and "sha256-" in POLICY


def test_text_is_harmless_and_ends_its_lines() -> None:
    text = written("text", [hostile()]).decode()

    assert all(line.isprintable() for line in text.splitlines())
    assert len(text.splitlines()) == 7  # one for the document, one for the place, and five facts
    assert text.endswith("\n")


def test_the_text_in_german_has_german_words_all_through() -> None:
    text = written("text", [told()], "de").decode()

    assert "geprüft zum" in text and " Verstöße" in text
    assert "  mend  " not in text and "  Abhilfe  " in text


def test_a_table_has_a_row_for_each_finding_and_no_formulas() -> None:
    one, other = told("a.json"), hostile()
    rows = list(csv.DictReader(io.StringIO(written("csv", [one, other]).decode(), newline="")))
    assert isinstance(one.report, PassportReport)

    assert len(rows) == len(one.report.findings) + 1
    assert {row["document"] for row in rows} == {
        "a.json",
        HOSTILE.encode("utf-8", "backslashreplace").decode(),
    }
    assert [row["pointer"] for row in rows[:-1]] == [finding.pointer for finding in one.report.findings]
    for row in rows:
        assert not [cell for cell in row.values() if cell.startswith(("=", "+", "@", "-c"))]


@pytest.mark.parametrize(
    ("cell", "safe"), [("=1+1", "'=1+1"), ("-18 %", "-18 %"), ("@x", "'@x"), ("-x", "'-x")]
)
def test_a_cell_that_would_be_run_is_told_as_text(cell: str, safe: str) -> None:
    finding = Finding("order", Severity.INFO, "f", "", cell, "", "")
    report = PassportReport("2026-11-21", None, False, False, (), (finding,))
    (row,) = csv.DictReader(io.StringIO(written("csv", [Told("", report)]).decode()))

    assert row["found"] == safe


def test_graphs_of_several_documents_share_no_blank_nodes() -> None:
    one, other = told("a.json"), told("b.json")
    for form, syntax in (("turtle", RdfFormat.TURTLE), ("json-ld", RdfFormat.JSON_LD), ("n-triples", None)):
        text = written(form, [one, other])
        quads = list(parse(text, format=syntax or RdfFormat.N_TRIPLES))
        reports = {quad.subject for quad in quads if quad.object == sh("ValidationReport")}
        pointed = [quad.object for quad in quads if isinstance(quad.object, BlankNode)]

        assert len(reports) == 2
        assert len(pointed) == len(set(pointed))
        names = {quad.object for quad in quads if quad.predicate.value.endswith("/title")}
        assert names == {Literal("a.json"), Literal("b.json")}


def test_a_single_graph_is_the_report_of_the_w3c() -> None:
    one = told("")
    quads = {str(quad.triple) for quad in parse(written("turtle", [one]), format=RdfFormat.TURTLE)}
    whole = list(parse(one.graph, format=RdfFormat.N_TRIPLES))

    assert len(quads) == len(whole)
    assert sum("shacl#result>" in text for text in quads) > 20


def test_data_are_told_with_focus_path_value_component_shape_and_messages() -> None:
    one = data_report()
    assert isinstance(one.report, DataReport)
    first = next(line for line in one.report.lines if line.messages)

    assert one.report.counts == {"violation": 2, "warning": 0, "info": 2, "other": 0}
    assert (first.focus, first.path, first.value) == (f"<{EX}a>", f"<{EX}p>", '"<script>"')
    assert first.component.endswith("DatatypeConstraintComponent")
    assert set(first.messages) == {("Give a day.", "en"), ("Einen Tag angeben.", "de")}
    assert first.wants == "a well-formed xsd:date"
    choice = next(line for line in one.report.lines if line.closest)
    assert choice.closest.startswith("branch 1 of 2 comes closest; it wants of")
    assert DataReport.read(json.dumps(one.report.content()).encode()) == one.report
    assert "Give a day." in written("text", [one]).decode()
    assert "Einen Tag angeben." in written("html", [one], "de").decode()
    (header, *rows) = csv.reader(io.StringIO(written("csv", [one]).decode()))
    assert header[:4] == ["document", "severity", "focus", "path"]
    assert len(rows) == len(one.report.lines)


def test_what_is_gravest_comes_first_and_what_is_too_much_is_counted() -> None:
    data = " ".join(f"ex:n{number} ex:p {number} ." for number in range(MOST + 5))
    report = DataReport.of(
        validate(
            "ex:S sh:targetSubjectsOf ex:p ; sh:severity sh:Info ; sh:nodeKind sh:Literal ."
            "ex:T sh:targetNode ex:n7 ; sh:nodeKind sh:Literal .",
            data,
        )
    )

    assert report.lines[0].focus == f"<{EX}n7>" and report.lines[0].severity.endswith("Violation")
    assert len(report.lines) == MOST and report.untold == 6
    assert "6 not listed here" in page([report.sheet("", "en")], "en")


def test_long_values_are_cut_where_people_read_and_whole_in_the_graph() -> None:
    report = validate(
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:maxLength 1 .", f"ex:a ex:p '{'x' * 9000}' ."
    )
    one = Told("", DataReport.of(report), n_triples(report.graph))

    assert len(written("json", [one])) < 6_000
    assert b"x" * 9000 in written("turtle", [one])


def test_every_form_is_made_of_every_report() -> None:
    for form in (*MEDIA_TYPES,):
        for one in (told(), data_report()):
            assert written(form, [one])
    assert json.loads(written("json", [Told("a", None, error="It is gone.")])) == [
        {"file": "a", "error": "It is gone."}
    ]
    assert "not checked: It is gone." in written("text", [Told("a", None, error="It is gone.")]).decode()


def test_every_word_of_reports_is_there_in_both_languages() -> None:
    assert all(word.en and word.de for word in WORDS.values())


def test_a_negative_number_is_told_as_it_is() -> None:
    document = deepcopy(example("ev-lfp-60"))
    document["performance"]["rated"]["capacity"]["value"] = Number("-180")
    report = PassportReport.read(report_on(document, TODAY).text())

    assert "-180 Ah" in written("csv", [Told("", report)]).decode().split(",")
