"""`query` and `terms`: answers in every form, and refusals that say where and why."""

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from battpass.services.cli.main import app
from tests.cli.conftest import EXAMPLES, Battpass, Done

CAPACITIES = "SELECT ?battery ?ah { ?battery bp:model/bp:ratedCapacityAh ?ah } ORDER BY ?ah"
NAMES = ("ev-lfp-60", "lmt-lco-03", "sta-lfp-10")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three passports, asked once so that its dataset is there."""
    folder = tmp_path_factory.mktemp("fleet") / "home"
    runner = CliRunner(env={"BATTPASS_HOME": str(folder)})
    runner.invoke(app, ["import", *(str(EXAMPLES / "passports" / f"{name}.json") for name in NAMES)])
    assert runner.invoke(app, ["query", "ASK {}"]).exit_code == 0
    return folder


@pytest.fixture
def query(battpass: Battpass, fleet: Path):
    def ask(*arguments: object) -> Done:
        return battpass("--home", fleet, "query", *arguments)

    return ask


def test_rows_come_as_csv_where_nobody_looks(query) -> None:
    done = query(CAPACITIES)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert done.status == 0
    assert len(rows) == 3
    assert [float(row["ah"]) for row in rows] == sorted(float(row["ah"]) for row in rows)


def test_a_table_shortens_names(query) -> None:
    done = query(CAPACITIES, "--format", "table")
    heading, _, *rows, last = done.out.splitlines()
    assert heading.split() == ["battery", "ah"]
    assert all(row.startswith("p/") and "#battery" in row for row in rows)
    assert last == "3 rows"


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("json", lambda data: len(json.loads(data)["results"]["bindings"])),
        ("csv", lambda data: len(data.splitlines()) - 1),
        ("tsv", lambda data: len(data.splitlines()) - 1),
        (
            "xml",
            lambda data: len(
                list(ElementTree.fromstring(data).iter("{http://www.w3.org/2005/sparql-results#}result"))
            ),
        ),
    ],
)
def test_rows_come_in_each_form(query, name: str, reads) -> None:
    assert reads(query(CAPACITIES, "--format", name).data) == 3


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("turtle", b"bp:ratedCapacityAh"),
        ("ntriples", b"ratedCapacityAh>"),
        ("jsonld", b"@id"),
        ("rdfxml", b"rdf:RDF"),
    ],
)
def test_a_graph_comes_in_each_form(query, name: str, holds: bytes) -> None:
    text = "CONSTRUCT { ?model bp:ratedCapacityAh ?ah } { ?model bp:ratedCapacityAh ?ah }"
    assert holds in query(text, "--format", name).data


@pytest.mark.parametrize("arguments", [(), ("--format", "table")])
def test_a_graph_is_turtle_unless_asked_otherwise(query, arguments: tuple[str, ...]) -> None:
    assert "bp:ratedCapacityAh" in query("CONSTRUCT WHERE { ?model bp:ratedCapacityAh ?ah }", *arguments).out


def test_json_prints_one_document(query) -> None:
    assert len(query(CAPACITIES, "--json").document["results"]["bindings"]) == 3
    assert query("CONSTRUCT WHERE { ?model bp:ratedCapacityAh ?ah }", "--json").document


def test_yes_and_no(query) -> None:
    assert query("ASK { ?p a bp:BatteryPassport }", "-f", "table").out == "yes\n"
    assert query("ASK { ?p a bp:Teapot }", "-f", "table").out == "no\n"


def test_a_file_and_standard_input_hold_queries_too(
    query, fleet: Path, battpass: Battpass, tmp_path: Path
) -> None:
    file = tmp_path / "capacities.rq"
    file.write_text(f"# What they hold\n{CAPACITIES}\n")
    assert query(file).out == query(CAPACITIES).out
    assert battpass("--home", fleet, "query", "-", given=CAPACITIES.encode()).out == query(CAPACITIES).out


def test_every_example_query_runs(query) -> None:
    files = sorted((EXAMPLES / "queries").glob("*.rq"))
    assert len(files) >= 15
    assert all(query(file).status == 0 for file in files)


def test_an_audience_sees_what_it_may_read(query) -> None:
    status = "SELECT ?s { ?battery bp:batteryStatus ?s }"
    assert len(query(status).out.splitlines()) == 4
    assert len(query(status, "--audience", "public").out.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("SELECT * { ?s ?p }",), "line 1, column 1"),
        (("SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }",), "SERVICE is not followed"),
        (("DELETE WHERE { ?s ?p ?o }",), "DELETE changes data"),
        (("{" * 2000,), "brackets nested deeper than 100"),
        (("nothing.rq",), "neither a file nor a SPARQL query"),
        (("",), "neither a file nor a SPARQL query"),
        ((CAPACITIES, "--format", "turtle"), "cannot be answered as turtle"),
        ((CAPACITIES, "--audience", "everybody"), "authority, interest, owner, public"),
        (
            ("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }", "--deadline", "1"),
            "stopped after 1 s",
        ),
    ],
)
def test_a_refused_query_says_why(query, arguments: tuple[str, ...], message: str) -> None:
    done = query(*arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert done.err.startswith("battpass: ")


def test_an_error_is_json_too_where_json_was_asked_for(query) -> None:
    done = query("SELECT * { ?s ?p }", "--json")
    assert done.status == 2
    assert done.document["error"]["kind"] == "BadQuery"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("rated capacity", "bp:ratedCapacity"),
        ("Bemessungskapazität", "bp:ratedCapacity"),
        ("bp:ratedCapacityAh", "bp:ratedCapacityAh"),
        ("emmo:AmpereHour", "emmo:AmpereHour"),
    ],
)
def test_terms_are_found_by_label_in_both_languages(battpass: Battpass, text: str, first: str) -> None:
    done = battpass("terms", text, "--json")
    assert done.status == 0
    assert done.document["terms"][0]["curie"] == first


def test_terms_have_status_and_definition(battpass: Battpass) -> None:
    own, *others = battpass("terms", "rated capacity", "--json").document["terms"]
    assert own["status"] == "own" and own["definition"]
    assert any(one["status"] == "declared" for one in others)
    assert "(own, BattPass)" in battpass("terms", "rated capacity").out


def test_terms_say_when_there_are_more_and_when_there_are_none(battpass: Battpass) -> None:
    assert "--limit shows more" in battpass("terms", "capacity", "--limit", "1").out
    done = battpass("terms", "flux compensator")
    assert done.status == 1
    assert "Try one word of it" in done.out
