"""`validate`: one report of each document, in any form, by our shapes or by anybody's."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse

from tests.cli.conftest import Battpass
from tests.shacl.bad_input import BAD_INPUT
from tests.shacl.turtle import HEADS

SHAPES = """ex:S sh:targetSubjectsOf ex:p ; sh:property ex:Days .
ex:Days sh:path ex:p ; sh:datatype xsd:date ; sh:message "Give a day."@en .
"""


def negative(payload) -> None:
    payload["performance"]["rated"]["capacity"]["value"] = -180.0


@pytest.fixture
def folder(tmp_path: Path, example, changed) -> Path:
    """A folder with a good document, a bad one and one that cannot be read, in folders of their own."""
    here = tmp_path / "documents"
    (here / "b").mkdir(parents=True)
    shutil.copy(example("ev-na-31"), here / "a.json")
    shutil.copy(changed("ev-lfp-60", negative), here / "b" / "bad.json")
    (here / "b" / "note.txt").write_text("not looked at")
    return here


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    path = tmp_path / "shapes.ttl"
    path.write_text(HEADS + SHAPES)
    return path


def turtle(tmp_path: Path, text: str, name: str = "data.ttl") -> Path:
    path = tmp_path / name
    path.write_text(HEADS + text)
    return path


def test_a_folder_is_searched_and_each_document_has_its_result(battpass: Battpass, folder: Path) -> None:
    done = battpass("validate", folder, "--on", "2026-12-01", "--json")

    assert done.status == 1
    assert [Path(one["file"]).name for one in done.document["results"]] == ["a.json", "bad.json"]
    assert [one["conforms"] for one in done.document["results"]] == [True, False]
    (finding,) = done.document["results"][1]["findings"]
    assert finding["field_de"] and finding["mender"] == "model" and finding["shape"]


def test_the_exit_status_is_that_of_the_worst(battpass: Battpass, folder: Path) -> None:
    (folder / "c.json").write_text("{")
    done = battpass("validate", folder, "--on", "2026-12-01", "--format", "csv")

    assert done.status == 2
    assert "c.json: Line 1" in done.err
    rows = csv.DictReader(io.StringIO(done.data.decode(), newline=""))
    (row,) = [row for row in rows if row["severity"] == "violation"]
    assert row["found"] == "-180 Ah" and row["document"].endswith("bad.json")


@pytest.mark.parametrize("form", ["html", "text", "csv", "turtle", "n-triples", "json-ld"])
def test_a_report_comes_in_every_form(battpass: Battpass, folder: Path, form: str) -> None:
    done = battpass("validate", folder, "--on", "2026-12-01", "--format", form)

    assert done.status == 1 and done.err == ""
    kinds = {"turtle": RdfFormat.TURTLE, "n-triples": RdfFormat.N_TRIPLES, "json-ld": RdfFormat.JSON_LD}
    if form in kinds:
        quads = list(parse(done.data, format=kinds[form]))
        assert sum(quad.predicate.value.endswith("#conforms") for quad in quads) == 2
        # A quantity has two forms in the graph, and people are told once.
        assert sum(quad.predicate.value.endswith("#result") for quad in quads) == 2
    else:
        assert "-180 Ah" in done.out
    assert done.out.endswith("\n") and done.out.count("<!DOCTYPE html>") == (form == "html")


def test_the_format_of_documents_is_named_by_from(battpass: Battpass, example) -> None:
    assert battpass("validate", "--from", "battery_pass-6.1.0", example("ev-na-31")).status == 0
    done = battpass("validate", "--format", "battery_pass-6.1.0", example("ev-na-31"))
    assert done.status == 2
    assert "write --from battery_pass-6.1.0" in " ".join(done.err.split())


def test_lines_and_standard_input_are_documents(battpass: Battpass, example, tmp_path: Path) -> None:
    line = json.dumps(json.loads(example("ev-na-31").read_bytes()))
    (tmp_path / "two.jsonl").write_text(f"{line}\n{line}\n")

    many = battpass("validate", tmp_path / "two.jsonl", "--json", "--on", "2026-12-01")
    given = battpass("validate", "-", "--json", "--on", "2026-12-01", given=line.encode())

    assert [one["file"][-2:] for one in many.document["results"]] == [":1", ":2"]
    assert [one["file"] for one in given.document["results"]] == ["-"]


def test_data_are_checked_by_the_shapes_that_are_named(
    battpass: Battpass, tmp_path: Path, shapes: Path
) -> None:
    data = turtle(tmp_path, 'ex:a ex:p "x" . ex:b ex:p "2026-01-01"^^xsd:date .')
    done = battpass("validate", data, "--shapes", shapes)

    assert done.status == 1
    lines = done.out.splitlines()
    assert lines[0] == f"{data}: does not conform: 1 violation"
    assert lines[1].split() == ["violation", "http://example.org/p", "<http://example.org/a>"]
    assert [line.split()[0] for line in lines[2:]] == ["value", "says", "wants", "by", "shape"]
    assert "Give a day." in lines[3] and "DatatypeConstraintComponent" in lines[5]

    told = battpass("validate", data, "--shapes", shapes, "--json").document["results"][0]
    assert told["counts"]["violation"] == 1 and not told["conforms"]
    assert told["results"][0]["value"] == '"x"'
    graph = battpass("validate", data, "--shapes", shapes, "--format", "turtle")
    assert "Give a day." in graph.out and graph.status == 1


def test_advice_of_other_shapes_is_no_fault(battpass: Battpass, tmp_path: Path) -> None:
    shapes = turtle(
        tmp_path, "ex:S sh:targetNode ex:a ; sh:path ex:q ; sh:minCount 1 ; sh:severity sh:Info .", "s.ttl"
    )
    done = battpass("validate", turtle(tmp_path, "ex:a ex:p 1 ."), "--shapes", shapes)
    assert done.status == 0 and "1 piece of advice" in done.out


def test_rdf_that_is_no_passport_is_told_how_it_can_be_checked(battpass: Battpass, tmp_path: Path) -> None:
    xml = tmp_path / "data.rdf"
    xml.write_text('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>')
    for path in (turtle(tmp_path, "ex:a ex:p 1 ."), xml):
        done = battpass("validate", path)
        assert done.status == 2 and done.out == ""
        assert f"{path}: " in done.err and "--shapes FILE" in done.err


def test_shapes_that_cannot_be_used_are_told_for_each_document_and_nothing_else(
    battpass: Battpass, tmp_path: Path
) -> None:
    data = turtle(tmp_path, "ex:a ex:p 1 .")
    bad = turtle(tmp_path, "ex:S sh:targetNode ex:a ; sh:minCout 1 .", "bad.ttl")
    done = battpass("validate", data, "--shapes", bad, "--format", "html")

    assert done.status == 2
    assert "sh:minCout is no property of SHACL 1.0" in done.err
    for wrong in ("nowhere.ttl", tmp_path):
        refused = battpass("validate", data, "--shapes", wrong)
        assert refused.status == 2 and refused.out == "" and str(wrong) in refused.err


def test_a_query_without_end_is_ended_at_the_deadline(battpass: Battpass, tmp_path: Path) -> None:
    query = "SELECT $this { $this ?p ?o . ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l FILTER(CONCAT(STR(?c), STR(?f), STR(?i), STR(?l)) = 'no') }"  # noqa: E501
    shapes = turtle(tmp_path, f'ex:S sh:targetSubjectsOf ex:p ; sh:sparql [ sh:select "{query}" ] .', "s.ttl")
    data = turtle(tmp_path, " ".join(f"ex:a{number} ex:p {number} ." for number in range(400)))
    done = battpass("validate", data, "--shapes", shapes, "--deadline", "0.5")

    assert done.status == 2 and done.out == ""
    assert "after 0.5 s" in done.err


# Each kind of end; `/validate` asks the same processes about the whole list.
@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "a list that leads back into itself",
        "SPARQL that kills the engine",
        "a literal of a million characters",
        "ill-typed literals",
        "shapes that multiply",
        "billions of solutions",
    ],
)
def test_bad_input_has_an_answer_in_time(battpass: Battpass, tmp_path: Path, name: str) -> None:
    bad = BAD_INPUT[name]
    (tmp_path / "data.ttl").write_bytes(bad.texts[0])
    (tmp_path / "shapes.ttl").write_bytes(bad.texts[1])
    seconds = "1" if bad.stopped else "60"

    done = battpass(
        "validate",
        tmp_path / "data.ttl",
        "--shapes",
        tmp_path / "shapes.ttl",
        "--deadline",
        seconds,
        "--format",
        "json",
    )

    if bad.results:
        assert done.status == 1
        assert done.document["results"][0]["counts"]["violation"] == bad.results
    else:
        assert done.status == 2
        assert (bad.refused or "after 1 s") in done.err


def test_days_and_formats_do_not_go_with_shapes(battpass: Battpass, tmp_path: Path, shapes: Path) -> None:
    data = turtle(tmp_path, "ex:a ex:p 1 .")
    done = battpass("validate", data, "--shapes", shapes, "--on", "2026-12-01")
    assert done.status == 2 and "--shapes" in done.err
