"""`/sparql` speaks the SPARQL 1.1 Protocol for reading."""

import json
from xml.etree import ElementTree

import httpx
import pytest

from tests.api.conftest import Served, problem

ASK = "ASK {}"
SELECT = "SELECT ?ah WHERE { ?model bp:ratedCapacityAh ?ah } ORDER BY ?ah LIMIT 2"
CONSTRUCT = "CONSTRUCT WHERE { ?model bp:ratedCapacityAh ?ah }"
DESCRIBE = "DESCRIBE bp:BatteryPassport"
FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"


def ask(client: httpx.Client, query: str, accept: str | None = None, **parameters: str) -> httpx.Response:
    headers = {"Accept": accept} if accept else {}
    return client.get("/sparql", params={"query": query, **parameters}, headers=headers)


def test_query_comes_in_the_address(client: httpx.Client) -> None:
    answer = ask(client, SELECT, "application/sparql-results+json")
    assert answer.status_code == 200
    assert [row["ah"]["value"] for row in answer.json()["results"]["bindings"]] == ["14", "100"]


def test_query_comes_in_a_form(client: httpx.Client) -> None:
    answer = client.post(
        "/sparql", data={"query": ASK}, headers={"Accept": "application/sparql-results+json"}
    )
    assert answer.json()["boolean"] is True


def test_query_comes_as_the_body(client: httpx.Client) -> None:
    answer = client.post("/sparql", content=ASK, headers={"Content-Type": f"{QUERY}; charset=utf-8"})
    assert answer.json()["boolean"] is True


def test_query_that_a_post_has_in_address_and_form_is_one_too_many(client: httpx.Client) -> None:
    answer = client.post("/sparql", params={"query": ASK}, data={"query": ASK})
    assert "2 times" in problem(answer, 400)["detail"]


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        (SELECT, None, "application/sparql-results+json"),
        (SELECT, "*/*", "application/sparql-results+json"),
        (SELECT, "application/sparql-results+json", "application/sparql-results+json"),
        (SELECT, "application/json", "application/json"),
        (SELECT, "application/sparql-results+xml", "application/sparql-results+xml"),
        (SELECT, "text/csv", "text/csv"),
        (SELECT, "text/tab-separated-values", "text/tab-separated-values"),
        (SELECT, "text/csv;q=0.3, application/sparql-results+xml;q=0.9", "application/sparql-results+xml"),
        (SELECT, "text/csv, */*;q=0.1", "text/csv"),
        (SELECT, "text/turtle, text/csv;q=0.1", "text/csv"),
        (SELECT, "application/*, text/csv;q=0.9", "application/sparql-results+json"),
        (
            SELECT,
            "*/*, application/sparql-results+json;q=0, application/json;q=0",
            "application/sparql-results+xml",
        ),
        (ASK, "application/sparql-results+xml", "application/sparql-results+xml"),
        (ASK, "text/csv", "text/csv"),
        (CONSTRUCT, None, "text/turtle"),
        (CONSTRUCT, "application/n-triples", "application/n-triples"),
        (CONSTRUCT, "application/ld+json", "application/ld+json"),
        (CONSTRUCT, "application/rdf+xml", "application/rdf+xml"),
        (CONSTRUCT, "text/turtle;q=0.1, application/n-triples;q=0.2", "application/n-triples"),
        (DESCRIBE, "text/turtle", "text/turtle"),
        (DESCRIBE, "text/csv, application/ld+json;q=0.2", "application/ld+json"),
    ],
)
def test_answer_is_of_the_type_asked_for(
    client: httpx.Client, query: str, accept: str | None, media_type: str
) -> None:
    headers = {"Accept": accept} if accept else {}
    with httpx.Client(base_url=client.base_url, trust_env=False, headers={"Accept": ""}) as bare:
        if not accept:
            del bare.headers["accept"]
        answer = bare.get("/sparql", params={"query": query}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.headers["vary"].startswith("Accept")
    assert_parses(answer, media_type)


def assert_parses(answer: httpx.Response, media_type: str) -> None:
    if media_type.endswith("json"):
        json.loads(answer.content)
    elif media_type.endswith("xml"):
        ElementTree.fromstring(answer.content)
    else:
        assert answer.content.strip()


@pytest.mark.parametrize("name", ["json", "xml", "csv", "tsv"])
def test_short_name_of_a_format_wins_over_the_header(client: httpx.Client, name: str) -> None:
    answer = ask(client, SELECT, "text/turtle", format=name)
    assert answer.status_code == 200
    assert name.removeprefix("t") in answer.headers["content-type"] or name == "tsv"


@pytest.mark.parametrize(
    ("query", "accept"),
    [(SELECT, "text/turtle"), (CONSTRUCT, "text/csv"), (ASK, "image/png"), (SELECT, "text/csv;q=0")],
)
def test_type_that_does_not_fit_is_refused_with_those_that_do(
    client: httpx.Client, query: str, accept: str
) -> None:
    detail = problem(ask(client, query, accept), 406)["detail"]
    assert ("text/turtle" if query == CONSTRUCT else "text/csv") in detail


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/sparql", params={"query": ASK})
    problem(answer, 405)
    assert {one.strip() for one in answer.headers["allow"].split(",")} == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize("media_type", ["text/plain", "application/json", "multipart/form-data", "", "x"])
def test_other_media_types_are_refused(client: httpx.Client, media_type: str) -> None:
    problem(client.post("/sparql", content=ASK, headers={"Content-Type": media_type}), 415)


def test_other_charsets_are_refused(client: httpx.Client) -> None:
    headers = {"Content-Type": f"{QUERY}; charset=utf-16"}
    assert (
        "UTF-8"
        in problem(client.post("/sparql", content=ASK.encode("utf-16"), headers=headers), 415)["detail"]
    )


def test_missing_query_is_refused(client: httpx.Client) -> None:
    assert "query" in problem(client.get("/sparql"), 400)["detail"]
    assert "query" in problem(client.get("/sparql", params={"format": "csv"}), 400)["detail"]
    problem(client.post("/sparql", data={"quer": ASK}), 400)
    problem(client.post("/sparql", content="", headers={"Content-Type": FORM}), 400)


def test_empty_query_is_a_syntax_error(client: httpx.Client) -> None:
    problem(client.post("/sparql", content="", headers={"Content-Type": QUERY}), 400)
    problem(client.get("/sparql", params={"query": ""}), 400)


def test_two_queries_are_refused(client: httpx.Client) -> None:
    problem(client.get("/sparql?query=ASK%20%7B%7D&query=SELECT%20%2A%20%7B%7D"), 400)
    problem(client.post("/sparql", content=ASK, params={"query": ASK}, headers={"Content-Type": QUERY}), 400)


def test_text_that_is_not_utf8_is_refused(client: httpx.Client) -> None:
    headers = {"Content-Type": QUERY}
    problem(client.post("/sparql", content="ASK { ?s ?p 'é' }".encode("latin-1"), headers=headers), 400)
    problem(client.get("/sparql?query=ASK%20%7B%20%3Fs%20%3Fp%20%27%E9%27%7D"), 400)


def test_body_that_is_too_large_is_refused(client: httpx.Client) -> None:
    body = b"ASK {} #" + b"x" * 1_100_000
    problem(client.post("/sparql", content=body, headers={"Content-Type": QUERY}), 413)


def test_body_of_unknown_length_is_held_to_the_same_size(client: httpx.Client) -> None:
    pieces = (b"#" * 65_536 for _ in range(40))
    problem(client.post("/sparql", content=pieces, headers={"Content-Type": QUERY}), 413)


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { <a:s> <a:p> 1 }",
        "PREFIX a: <a:> DELETE WHERE { ?s a:p ?o }",
        "# tidy up\nCLEAR ALL",
        "LOAD <http://example.org/>",
        "WITH <a:g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
    ],
)
def test_update_is_told_where_writing_goes(client: httpx.Client, text: str) -> None:
    for answer in (
        client.get("/sparql", params={"query": text}),
        client.post("/sparql", data={"update": text}),
        client.post("/sparql", content=text, headers={"Content-Type": QUERY}),
        client.post("/sparql", content=text, headers={"Content-Type": "application/sparql-update"}),
    ):
        content = problem(answer, 400)
        assert content["type"].endswith("#update-refused")
        assert "/v1/dpps" in content["next"]


def test_syntax_error_has_its_place(client: httpx.Client) -> None:
    content = problem(ask(client, "SELECT *\nWHERE { ?s ?p }"), 400)
    assert content["type"].endswith("#bad-query")
    assert content["line"] == 2
    assert content["column"] in (15, 16)  # the brace, or what follows it
    assert content["detail"].startswith(f"line 2, column {content['column']}: ")


def test_refused_query_has_its_place(client: httpx.Client) -> None:
    content = problem(ask(client, "ASK {\n SERVICE <http://127.0.0.1/> { ?s ?p ?o } }"), 400)
    assert content["type"].endswith("#query-refused")
    assert (content["line"], content["column"]) == (2, 2)


def test_default_and_named_graphs_are_the_callers_choice(client: httpx.Client, served: Served) -> None:
    record = next(served.home.records())
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    inside = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"

    def number(query: str, **graphs: str) -> int:
        answer = client.get("/sparql", params={"query": query, "format": "csv", **graphs})
        return int(answer.text.split()[1])

    whole = number(count)
    one = number(count, **{"default-graph-uri": f"{record}/public"})
    assert 0 < one < whole
    assert number(inside, **{"default-graph-uri": f"{record}/public"}) == 0
    assert number(inside, **{"named-graph-uri": f"{record}/public"}) == one
    assert number(count, **{"named-graph-uri": f"{record}/public"}) == 0
    problem(client.get("/sparql", params={"query": ASK, "default-graph-uri": "no iri"}), 400)


def test_answer_is_streamed_in_pieces(client: httpx.Client) -> None:
    with client.stream(
        "GET", "/sparql", params={"query": "SELECT * { ?s ?p ?o }", "format": "json"}
    ) as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
        assert "content-length" not in answer.headers
        content = b"".join(answer.iter_bytes())
    assert len(json.loads(content)["results"]["bindings"]) > 1_000


def test_caller_who_leaves_gives_the_worker_free(client: httpx.Client) -> None:
    for _ in range(12):
        with client.stream(
            "GET", "/sparql", params={"query": "SELECT * { ?s ?p ?o . ?s ?q ?x }", "format": "csv"}
        ) as one:
            next(one.iter_bytes())
    assert ask(client, ASK, "text/csv").text.strip() == "true"


def test_head_answers_without_a_body(client: httpx.Client) -> None:
    answer = client.head("/sparql", params={"query": ASK})
    assert answer.status_code == 200
    assert answer.content == b""


def test_pages_of_other_origins_may_read(client: httpx.Client) -> None:
    origin = {"Origin": "https://example.org"}
    assert (
        client.get("/sparql", params={"query": ASK}, headers=origin).headers["access-control-allow-origin"]
        == "*"
    )
    asked = {**origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "accept"}
    assert "GET" in client.options("/sparql", headers=asked).headers["access-control-allow-methods"]
    refused = client.get("/sparql", params={"query": "SELECT"}, headers=origin)
    assert refused.status_code == 400
    assert refused.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in refused.headers


@pytest.mark.parametrize("accept", ["text/turtle", "application/n-triples", "application/rdf+xml"])
def test_endpoint_describes_itself(client: httpx.Client, accept: str) -> None:
    answer = client.get("/sparql", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(accept)
    assert "SPARQL11Query" in answer.text


def test_request_keeps_the_number_it_came_with(served: Served) -> None:
    answer = served.client.get("/sparql", params={"query": ASK}, headers={"X-Request-ID": "mine-42"})
    assert answer.headers["x-request-id"] == "mine-42"
    garbled = served.client.get("/healthz", headers={"X-Request-ID": 'a"b\u00e9'.encode()})
    assert garbled.headers["x-request-id"].isalnum()
    (line,) = served.logged("mine-42")
    assert line["path"] == "/sparql"
