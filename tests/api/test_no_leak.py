"""Nothing of a graph that is not public is in any answer, whatever the route, the format or the query.

One passport carries a marker in each access class. The markers are looked for in every answer there is.
"""

import json
from collections.abc import Iterator
from itertools import product

import httpx
import pytest

from battpass.kg.access import audiences
from battpass.kg.attributes import load_attributes
from battpass.kg.dataset import offers
from battpass.kg.dataset.guard import QueryForm
from battpass.kg.graphs import AccessClass, quads
from battpass.kg.home import Home
from battpass.services.api.passports import representations
from tests.api.conftest import Served, changed, example, keep, serving

PUBLIC = "MARKER-PUBLIC-4f1d"
HIDDEN = {
    AccessClass.INTEREST: ("MARKER-INTEREST-9b3e", "4.8151623"),
    AccessClass.AUTHORITY: ("MARKER-AUTHORITY-77aa",),
    AccessClass.ITEM: ("MARKER-ITEM-c0de", "61.8273645", "1987-06-05"),
    AccessClass.DOCUMENT: ("MARKER-DOCUMENT-b00c",),
}
ALL_HIDDEN = tuple(mark for marks in HIDDEN.values() for mark in marks)


@pytest.fixture(scope="module")
def marked() -> bytes:
    """The document of an example, with a marker in each access class."""
    text = {access: marks[0] for access, marks in HIDDEN.items()}
    return changed(
        example("ev-lfp-60"),
        {
            "identification.identification.type.nameAtManufacturer": PUBLIC,
            "materials.active.nickel.location": text[AccessClass.INTEREST],
            "performance.rated.selfDischargingRate": 4.8151623,
            "conformity.resultOfTestReport.0.header": text[AccessClass.AUTHORITY],
            "performance.dynamic.negativeEvents.0.header": text[AccessClass.ITEM],
            "performance.dynamic.stateOfCharge.value": 61.8273645,
            "operation.intoServiceDate": "1987-06-05",
            "surprise": text[AccessClass.DOCUMENT],
        },
    )


@pytest.fixture(scope="module")
def served(marked: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Home.open(tmp_path_factory.mktemp("marked"), create=True) as home:
        keep(home, marked)
        with serving(home, query_deadline_seconds=5) as server:
            yield server


@pytest.fixture(scope="module")
def record(served: Served) -> str:
    return next(served.home.records())


def assert_nothing_hidden(answer: httpx.Response) -> None:
    told = answer.text + "\n" + "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    found = [mark for mark in ALL_HIDDEN if mark in told]
    assert not found, f"{answer.request.method} {answer.request.url} tells {found}"


def test_markers_are_where_they_belong(served: Served, record: str) -> None:
    passport = served.home.passport(record)
    for access, marks in HIDDEN.items():
        inside = [
            str(quad)
            for graphs in (passport.item_graphs, passport.model_graphs)
            for quad in graphs.get(access, ())
        ]
        outside = [
            str(quad)
            for graphs in (passport.item_graphs, passport.model_graphs)
            for other in set(AccessClass) - {access}
            for quad in graphs.get(other, ())
        ]
        for mark in marks:
            assert any(mark in text for text in inside), f"{mark} is not in {access}"
            assert not any(mark in text for text in outside), f"{mark} is not in {access} alone"


def addresses(served: Served, record: str) -> Iterator[str]:
    """Every GET route of the app with every way to ask for a passport; a new route is among them."""
    identifier = record.rpartition("/")[2]
    yield from ("/openapi.json", "/docs", "/assets/battpass.css")
    for path in served.app.openapi()["paths"]:
        path = path.replace("{identifier}", identifier)
        for one in representations() if "{name}" in path else ():
            yield path.replace("{name}", identifier) + f"?format={one.name}"
            yield path.replace("{name}", f"{identifier}.{one.suffix}")
        yield path.replace("{name}", identifier)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    "accept", ["*/*", "text/html", *sorted({one.media_type for one in representations()} - {"text/html"})]
)
def test_no_route_tells_what_is_not_public(served: Served, record: str, accept: str, language: str) -> None:
    headers = {"Accept": accept, "Accept-Language": language}
    seen = [served.client.get(address, headers=headers) for address in addresses(served, record)]
    for answer in seen:
        assert answer.status_code < 500
        assert_nothing_hidden(answer)
    assert any(PUBLIC in answer.text for answer in seen if answer.status_code == 200)


@pytest.mark.parametrize("mark", [*ALL_HIDDEN, PUBLIC])
def test_search_does_not_find_what_is_not_public(served: Served, mark: str) -> None:
    answer = served.client.get("/", params={"q": mark}, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "/p/" not in answer.text.partition('<main id="content"')[2]


def queries(record: str) -> Iterator[str]:
    hidden = [f"<{record}/{access}>" for access in HIDDEN]
    model = "?model"
    yield "SELECT * { ?s ?p ?o }"
    yield "SELECT * { GRAPH ?g { ?s ?p ?o } }"
    yield "CONSTRUCT WHERE { ?s ?p ?o }"
    yield "SELECT DISTINCT ?g { GRAPH ?g {} }"
    yield from (f"SELECT * {{ GRAPH {graph} {{ ?s ?p ?o }} }}" for graph in hidden)
    yield from (f"SELECT * FROM {graph} {{ ?s ?p ?o }}" for graph in hidden)
    yield from (f"SELECT * FROM NAMED {graph} {{ GRAPH ?g {{ ?s ?p ?o }} }}" for graph in hidden)
    yield f"SELECT * {{ <{record}#battery> (!<a:a>)* ?o }}"
    yield f"SELECT * {{ <{record}#battery> bp:model {model} . {model} ?p ?o }}"
    yield f"CONSTRUCT {{ ?s ?p ?o }} {{ ?s ?p ?o FILTER(STRSTARTS(STR(?s), '{record}')) }}"
    yield f"DESCRIBE <{record}> <{record}#battery>"
    yield "DESCRIBE ?s { ?s a ?class }"


def test_no_query_gets_what_is_not_public(served: Served, record: str) -> None:
    found_public = 0
    for number, query in enumerate(queries(record)):
        form = QueryForm.CONSTRUCT if query.startswith(("CONSTRUCT", "DESCRIBE")) else QueryForm.SELECT
        names = sorted({one.name for one in offers(form)})
        for name in names if number < 3 else names[:1]:
            answer = served.client.get("/sparql", params={"query": query, "format": name})
            assert answer.status_code == 200, answer.text
            assert_nothing_hidden(answer)
            found_public += PUBLIC in answer.text
        assert_nothing_hidden(
            served.client.get("/sparql", params={"query": query}, headers={"Accept": "text/html"})
        )
    assert found_public > 10


def test_no_graph_named_in_the_request_gets_what_is_not_public(served: Served, record: str) -> None:
    graphs = [f"{record}/{access}" for access in HIDDEN]
    texts = ("SELECT * { ?s ?p ?o }", "SELECT * { GRAPH ?g { ?s ?p ?o } }")
    for text, graph, parameter in product(texts, graphs, ("default-graph-uri", "named-graph-uri")):
        answer = served.client.get("/sparql", params={"query": text, parameter: graph, "format": "csv"})
        assert answer.status_code == 200
        assert len(answer.text.splitlines()) == 1, f"{parameter}={graph} gives rows"


@pytest.mark.parametrize("mark", ALL_HIDDEN)
def test_errors_do_not_tell_what_is_not_public(served: Served, mark: str) -> None:
    """A value that is asked for is not confirmed either: the answer is the same as for any other value."""
    for text in (mark, "something else"):
        query = f'ASK {{ ?s ?p ?o FILTER(CONTAINS(STR(?o), "{text}")) }}'
        assert served.client.get("/sparql", params={"query": query, "format": "csv"}).text.strip() == "false"


def test_no_node_that_is_not_public_is_named(served: Served, record: str) -> None:
    """Not even that a test report or an event exists: IRIs of nodes that only hidden graphs hold."""
    passport = served.home.passport(record)
    public = {
        term.value
        for graphs in (passport.item_graphs, passport.model_graphs)
        for quad in graphs.get(AccessClass.PUBLIC, ())
        for term in (quad.subject, quad.predicate, quad.object)
        if hasattr(term, "value")
    }
    subjects = {
        quad.subject.value
        for graphs in (passport.item_graphs, passport.model_graphs)
        for quad in quads(graphs)
    }
    hidden = sorted(subjects - public)
    assert len(hidden) > 50
    told = served.client.get("/sparql", params={"query": "SELECT * { ?s ?p ?o }", "format": "tsv"}).text
    told += served.client.get(f"/p/{record.rpartition('/')[2]}", params={"format": "n-quads"}).text
    assert not [iri for iri in hidden if f"<{iri}>" in told]


def test_public_audience_reads_the_public_class_alone() -> None:
    assert audiences()["public"].classes == {AccessClass.PUBLIC}


def test_page_names_what_else_exists_and_who_may_read_it(served: Served, record: str) -> None:
    page = served.client.get(f"/p/{record.rpartition('/')[2]}", headers={"Accept": "text/html"}).text
    other = page.partition('<section id="other">')[2]
    hidden = [one for one in load_attributes().values() if one.access != AccessClass.PUBLIC]
    assert len(hidden) > 20
    assert not [one.name for one in hidden if one.labels.en not in other]
    assert "persons with a legitimate interest" in other
    assert "authorities" in other


def test_log_does_not_tell_what_was_asked(served: Served) -> None:
    served.client.get("/sparql", params={"query": 'ASK { ?s ?p "SECRET-QUESTION" }'})
    assert "SECRET-QUESTION" not in served.log.getvalue()
    assert all(json.dumps(entry) for entry in served.entries())
