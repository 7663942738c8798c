"""`/p/{id}`: one passport as a page or as data, and the list of passports."""

import json
import re

import httpx
import pytest
from pyoxigraph import RdfFormat, parse

from battpass.kg.graphs import AccessClass
from battpass.kg.home import Home
from battpass.services.api.lexicon import Lexicon
from battpass.services.api.page import page_of
from battpass.services.exchange.registry import detect, format_named
from tests.api.conftest import EXAMPLES, Served, example, problem

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def page(client: httpx.Client, address: str, language: str = "en", **parameters: str) -> str:
    headers = {"Accept": BROWSER, "Accept-Language": language}
    answer = client.get(address, headers=headers, params=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (BROWSER, "text/html"),
        ("*/*", "text/html"),
        ("text/turtle", "text/turtle"),
        ("application/n-quads", "application/n-quads"),
        ("application/ld+json", "application/ld+json"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, text/turtle", "text/turtle"),
        ("application/json;q=0.9, application/ld+json;q=0.1", "application/json"),
        ("image/png, application/n-quads;q=0.1", "application/n-quads"),
        ("text/html;q=0, */*;q=0.1", "application/json"),
    ],
)
def test_passport_comes_as_it_is_asked_for(
    client: httpx.Client, identifier: str, accept: str, media_type: str
) -> None:
    answer = client.get(f"/p/{identifier}", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.headers["vary"].startswith("Accept")
    assert answer.headers["link"].count('rel="alternate"') >= 5


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        ("html", "text/html"),
        ("ttl", "text/turtle"),
        ("nq", "application/n-quads"),
        ("jsonld", "application/ld+json"),
        ("json", "application/json"),
    ],
)
def test_suffix_wins_over_the_header(
    client: httpx.Client, identifier: str, suffix: str, media_type: str
) -> None:
    answer = client.get(f"/p/{identifier}.{suffix}", headers={"Accept": "text/html, text/csv"})
    assert answer.headers["content-type"].partition(";")[0] == media_type


def test_format_by_name_wins_over_all(client: httpx.Client, identifier: str) -> None:
    answer = client.get(f"/p/{identifier}.ttl", params={"format": "battery_pass-6.0.0"})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("asked", ["?format=pdf", ".pdf"])
def test_format_that_is_none_is_refused_with_those_that_are(
    client: httpx.Client, identifier: str, asked: str
) -> None:
    assert "turtle" in problem(client.get(f"/p/{identifier}{asked}"), 406)["detail"]


def test_type_that_is_none_is_refused(client: httpx.Client, identifier: str) -> None:
    problem(client.get(f"/p/{identifier}", headers={"Accept": "image/png"}), 406)


def test_data_are_the_public_part_of_the_passport(client: httpx.Client, home: Home, identifier: str) -> None:
    passport = home.passport(identifier, "public")
    expected = {
        quad.triple
        for part in (passport.item_graphs, passport.model_graphs)
        for quad in part[AccessClass.PUBLIC]
    }
    quads = client.get(f"/p/{identifier}.nq").content
    assert {quad.triple for quad in parse(quads, RdfFormat.N_QUADS)} == expected
    turtle = client.get(f"/p/{identifier}.ttl").content
    assert {quad.triple for quad in parse(turtle, RdfFormat.TURTLE)} == expected


def test_json_is_the_partners_format(client: httpx.Client, home: Home, identifier: str) -> None:
    data = client.get(f"/p/{identifier}.json").content
    assert detect(data).name == "battery_pass-6.1.0"
    assert data == format_named("battery_pass-6.1.0").dump(home.passport(identifier, "public"))
    assert json.loads(data)["performance"]["rated"]["capacity"]["value"] == 180
    assert "dynamic" not in json.loads(data)["performance"]


@pytest.mark.parametrize(
    "name", ["no-such-passport", "00000000-0000-0000-0000-000000000000", "A%20B", "..%2f..", "%00"]
)
def test_unknown_passport_is_not_found(client: httpx.Client, name: str) -> None:
    problem(client.get(f"/p/{name}"), 404)
    answer = client.get(f"/p/{name}", headers={"Accept": BROWSER})
    assert answer.status_code == 404
    assert "What to do next" in answer.text


def test_page_shows_what_a_reader_looks_for(client: httpx.Client, identifier: str) -> None:
    text = plain(page(client, f"/p/{identifier}"))
    for words in (
        "Exemplar Polar 60",
        "BPNL0000EXEMPLAR",
        "Electric vehicle battery",
        "Lithium iron phosphate",
        "20 June 2022",
        "Rated capacity 180 Ah",
        "Battery mass 418.9 kg",
        "Lower temperature bound at rest",
        "−30 °C",
        "Certified usable battery energy",
        "(given as: Rated energy)".strip("()"),
        "EU declaration of conformity docs.exemplar-cells.example, pdf",
        "Whole life cycle 0.0224 kg CO₂e/kWh",
        "https://id.exemplar-cells.example/b/EP6-EV-5731-2206-020933",
    ):
        assert words in text, words


def test_measured_values_stand_apart_from_declared_ones(home: Home, identifier: str) -> None:
    """The public reads no measured value; whoever does sees them in a list of their own, with the time."""
    view = page_of(home.passport(identifier), Lexicon.load().in_language("en"), home.audiences)
    (performance,) = [section for section in view.sections if section.key == "performance"]
    measured = {line.label: line.values[0] for line in performance.measured}
    assert measured["State of charge"].unit == "%"
    assert measured["State of charge"].note == "measured 9 November 2026, 16:11 UTC"
    assert not measured.keys() & {line.label for line in performance.declared}
    public = page_of(home.passport(identifier, "public"), Lexicon.load().in_language("en"), home.audiences)
    assert not any(section.measured for section in public.sections)


def test_page_speaks_german(client: httpx.Client, identifier: str) -> None:
    text = page(client, f"/p/{identifier}", "de-AT, en;q=0.5")
    assert '<html lang="de">' in text
    for words in ("Elektrofahrzeugbatterie", "20. Juni 2022", "418,9 kg", "Was es sonst noch gibt"):
        assert words in plain(text), words


def test_language_in_the_address_wins_and_stays(client: httpx.Client, identifier: str) -> None:
    text = page(client, f"/p/{identifier}", "de", lang="en")
    assert '<html lang="en">' in text
    assert 'href="/?lang=en"' in text
    assert page(client, "/", "fr").startswith('<!doctype html>\n<html lang="en">')


def test_page_carries_no_script_style_or_foreign_address(client: httpx.Client, identifier: str) -> None:
    for address in ("/", f"/p/{identifier}", "/sparql", "/docs", "/nowhere"):
        answer = client.get(address, headers={"Accept": BROWSER})
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", answer.text)
        assert set(re.findall(r'(?:src|<link rel="stylesheet" href)="([^"]+)"', answer.text)) <= {
            "/assets/battpass.css",
            f"/p/{identifier}/qr.svg",
        }
    assert "http" not in client.get("/assets/battpass.css").text


def test_code_leads_to_the_passport(client: httpx.Client, identifier: str) -> None:
    answer = client.get(f"/p/{identifier}/qr.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith("<?xml") or answer.text.startswith("<svg")
    problem(client.get("/p/no-such-passport/qr.svg"), 404)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_has_a_page_in_both_languages(client: httpx.Client, home: Home, name: str) -> None:
    record = home.find(json.loads(example(name))["metadata"]["passportIdentifier"])
    for language in ("en", "de"):
        text = page(client, f"/p/{record.rpartition('/')[2]}", language)
        # A prefixed name on the page is a term without a label.
        assert not re.findall(r">\s*((?:bp|emmo|echem|chemsub|battery|schema|dcterms):\w+)", text)


def test_list_shows_all_passports(client: httpx.Client, home: Home) -> None:
    text = page(client, "/")
    assert f"{len(home)} passports" in text
    for record in home.records():
        assert f'href="/p/{record.rpartition("/")[2]}"' in text


def test_search_finds_a_part_of_an_identifier(client: httpx.Client, identifier: str) -> None:
    text = page(client, "/", q="EP6-EV-5731")
    assert "1 passport contains" in text
    assert identifier in text
    assert "No passport contains" in page(client, "/", q="nothing like it")


def test_search_for_a_whole_identifier_goes_there(client: httpx.Client, identifier: str) -> None:
    for text in (
        identifier,
        f"urn:uuid:{identifier}",
        "https://id.exemplar-cells.example/b/EP6-EV-5731-2206-020933",
    ):
        answer = client.get("/", params={"q": text}, headers={"Accept": BROWSER})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/p/{identifier}")


@pytest.mark.parametrize(("number", "status"), [("1", 200), ("99", 200), ("0", 200), ("x", 400), ("-1", 400)])
def test_page_numbers_stay_within_the_list(client: httpx.Client, number: str, status: int) -> None:
    assert client.get("/", params={"page": number}).status_code == status


def test_health_and_readiness(served: Served) -> None:
    assert served.client.get("/healthz").json() == {"status": "ok"}
    ready = served.client.get("/readyz").json()
    assert (ready["status"], ready["read"], ready["write"]) == ("ready", True, True)


def test_docs_page_lists_every_route(served: Served) -> None:
    text = page(served.client, "/docs")
    assert all(path in text for path in served.app.openapi()["paths"])


def test_unknown_route_is_a_problem_with_a_next_step(client: httpx.Client) -> None:
    assert "/docs" in problem(client.get("/nowhere"), 404)["next"]


def test_query_page_offers_examples_and_shows_rows(client: httpx.Client) -> None:
    front = page(client, "/sparql")
    names = re.findall(r'href="/sparql\?example=([\w-]+)"', front)
    assert len(names) >= 5
    text = page(
        client,
        "/sparql",
        query="SELECT ?name ?ah { ?m schema:name ?name ; bp:ratedCapacityAh ?ah } ORDER BY ?ah",
    )
    assert re.search(r'<td class="literal"[^>]*>Exemplar Polar 60</td><td class="number">180</td>', text)
    assert "format=csv" in text
    assert "Yes, there is." in page(client, "/sparql", query="ASK { ?s a bp:BatteryPassport }")
    assert "bp:BatteryPassport" in page(
        client, "/sparql", query="CONSTRUCT WHERE { ?s a bp:BatteryPassport }"
    )


def test_query_page_shows_an_error_beside_the_query(client: httpx.Client) -> None:
    answer = client.get("/sparql", params={"query": "SELECT <script>"}, headers={"Accept": BROWSER})
    assert answer.status_code == 400
    assert "Mend the query" in answer.text
    assert "<script>" not in answer.text
    assert "SELECT &lt;script&gt;" in answer.text


def test_query_page_cuts_long_answers_and_says_so(client: httpx.Client) -> None:
    text = page(client, "/sparql", query="SELECT * { ?s ?p ?o }")
    assert "The first 200 rows" in text
    assert text.count("<tr>") == 201


def test_every_example_question_has_an_answer_for_the_public(served: Served) -> None:
    for one in served.app.state.site.examples:
        answer = served.client.get("/sparql", params={"query": one.text, "format": "csv"})
        assert answer.status_code == 200, one.name
        assert len(answer.text.splitlines()) > 1, f"{one.name} has no rows among public data"


def plain(text: str) -> str:
    """Return the words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace(" ", " ").split())
