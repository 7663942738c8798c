"""No query tells an audience what it may not see: its dataset does not hold it, and no error names it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import product

import httpx
import pytest

from battpass.kg.dataset.formats import BINDINGS, GRAPHS
from battpass.kg.graphs import AccessClass
from battpass.kg.namespaces import BASE
from tests.api.conftest import Served, problem, serving
from tests.leak.canaries import CORE
from tests.leak.conftest import Caller
from tests.leak.looking import Look
from tests.leak.planting import AUDIENCES, DRAFTS, PUBLISHED, READERS, Planted

Query = Callable[..., httpx.Response]

# The states that datasets hold: what is published, for the owner else the draft.
STANDING = ("published, changed", "with a draft")
# The vocabulary, which is large and the same for all, is asked for once only.
_OF_RECORDS = f"GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?g), '{BASE}'))"
EVERYTHING = {
    "SELECT * { ?s ?p ?o }": ("csv",),
    f"SELECT * {{ {_OF_RECORDS} }}": tuple(dict.fromkeys(one.name for one in BINDINGS)),
    f"CONSTRUCT {{ ?s ?p ?o }} {{ {_OF_RECORDS} }}": tuple(dict.fromkeys(one.name for one in GRAPHS)),
    f"DESCRIBE ?s {{ ?s a ?class FILTER(STRSTARTS(STR(?s), '{BASE}')) }}": ("turtle",),
}
# What holds a canary, in few rows.
MARKED = f"GRAPH ?g {{ ?s ?p ?o }} FILTER(CONTAINS(STR(?o), '{CORE}'))"
MARKED_ROWS, MARKED_GRAPH = f"SELECT * {{ {MARKED} }}", f"CONSTRUCT {{ ?s ?p ?o }} {{ {MARKED} }}"


@pytest.fixture(params=AUDIENCES)
def caller(request: pytest.FixtureRequest, callers: Mapping[str, Caller]) -> Caller:
    """A caller of each audience in turn."""
    return callers[request.param]


@pytest.fixture
def look(planted: Planted, caller: Caller) -> Look:
    return Look(planted.cage, caller.audience)


@pytest.fixture
def query(served: Served, caller: Caller, look: Look) -> Query:
    """Ask a query, and search the answer."""

    def ask(text: str, form: str = "csv", **more: str) -> httpx.Response:
        parameters = {"query": text, "format": form, **more}
        answer = served.client.get("/sparql", params=parameters, headers=caller.headers)
        return look.at(answer, f"{text} {form} {more}")

    return ask


def readable(audience: str) -> set[AccessClass]:
    return {access for access, readers in READERS.items() if audience in readers}


def graphs(planted: Planted, audience: str) -> set[str]:
    """Return the names of the graphs that an audience may know of, from what was planted."""
    labels = (*STANDING, *DRAFTS) if audience == "owner" else STANDING
    sown = [planted.sown[label].arrival for label in labels]
    return {
        f"{record}/{access}"
        for one in sown
        for record in (one.record, one.model)
        for access in readable(audience)
    }


def hidden_graphs(planted: Planted, audience: str) -> Iterator[str]:
    """Yield the names of graphs that are in the home, and not for an audience."""
    records = {one for sown in planted.sown.values() for one in (sown.arrival.record, sown.arrival.model)}
    names = {f"{record}/{access}" for record, access in product(records, AccessClass)}
    yield from sorted(names - graphs(planted, audience))


def expected(planted: Planted, audience: str) -> set[int]:
    """Return the canaries that a dataset of an audience holds."""
    labels = (*STANDING, *DRAFTS) if audience == "owner" else STANDING
    return {
        canary.number
        for label in labels
        for canary in planted.sown[label].canaries.values()
        if audience in canary.readers
    }


def test_whole_dataset_holds_what_the_audience_may_see_and_nothing_else(
    planted: Planted, caller: Caller, look: Look, query: Query
) -> None:
    for text, forms in EVERYTHING.items():
        for form in forms:
            look.found.clear()
            assert query(text, form).status_code == 200
            assert not look.missing(expected(planted, caller.audience)), (text, form)
    assert not look.leaks


def test_page_of_results_tells_no_more_than_the_dataset(served: Served, caller: Caller, look: Look) -> None:
    asked = (("GET", MARKED_ROWS, "en"), ("GET", MARKED_GRAPH, "de"), ("POST", MARKED_ROWS, "de"))
    for method, text, language in asked:
        headers = {**caller.headers, "Accept": "text/html", "Accept-Language": language}
        if method == "GET":
            answer = served.client.get("/sparql", params={"query": text}, headers=headers)
        else:
            answer = served.client.post("/sparql", data={"query": text}, headers=headers)
        assert look.at(answer).status_code == 200
    assert not look.leaks
    assert look.found


def test_body_of_a_request_asks_the_same_dataset(served: Served, caller: Caller, look: Look) -> None:
    headers = {**caller.headers, "Content-Type": "application/sparql-query", "Accept": "text/csv"}
    answer = served.client.post("/sparql", content=list(EVERYTHING)[1], headers=headers)
    assert look.at(answer).status_code == 200
    assert not look.leaks
    assert look.found


def test_dataset_knows_no_graph_that_the_audience_may_not_see(
    planted: Planted, caller: Caller, query: Query
) -> None:
    known = set(query("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }").text.split()[1:])
    of_records = {name for name in known if name.startswith(BASE)}
    may = graphs(planted, caller.audience)
    assert of_records <= may
    needed = {one for one in may if one.endswith("/public")}
    assert needed <= of_records
    assert {name.rpartition("/")[2] for name in of_records} == {str(one) for one in readable(caller.audience)}
    # An empty group is no way around either.
    assert set(query("SELECT DISTINCT ?g { GRAPH ?g {} }").text.split()[1:]) == known


def test_graph_that_is_not_for_the_audience_is_as_empty_as_one_that_never_was(
    planted: Planted, caller: Caller, look: Look, query: Query
) -> None:
    hidden = list(hidden_graphs(planted, caller.audience))
    # Each way is tried with all of them at once, and with some alone.
    clauses = "".join(f"FROM <{name}> " for name in hidden[:90])
    named = "".join(f"FROM NAMED <{name}> " for name in hidden[:90])
    values = " ".join(f"<{name}>" for name in hidden)
    assert len(query(f"SELECT * {clauses} {{ ?s ?p ?o }}").text.splitlines()) == 1
    assert len(query(f"SELECT * {named} {{ GRAPH ?g {{ ?s ?p ?o }} }}").text.splitlines()) == 1
    inside = query(
        f"SELECT ?g (COUNT(*) AS ?n) {{ VALUES ?g {{ {values} }} GRAPH ?g {{ ?s ?p ?o }} }} GROUP BY ?g"
    )
    assert len(inside.text.splitlines()) == 1
    for name, parameter in product(hidden[::9], ("default-graph-uri", "named-graph-uri")):
        for text in ("SELECT * { ?s ?p ?o }", "SELECT * { GRAPH ?g { ?s ?p ?o } }"):
            answer = query(text, **{parameter: name})
            assert len(answer.text.splitlines()) == 1, (parameter, name)
    assert not look.leaks


def test_no_text_search_finds_what_is_kept_from_the_audience(
    planted: Planted, caller: Caller, look: Look, query: Query
) -> None:
    kept = {planted.cage.all[one].code for one in planted.cage.kept_from(caller.audience) if one >= 0}
    values = " ".join(f'"{code}"' for code in sorted(kept))
    for part in "spog":
        pattern = "GRAPH ?g { ?s ?p ?o }" if part == "g" else "?s ?p ?o"
        found = query(
            f"SELECT DISTINCT ?code {{ {{ SELECT DISTINCT (STR(?{part}) AS ?text) {{ {pattern} "
            f'FILTER(CONTAINS(STR(?{part}), "27182818")) }} }} '
            f"VALUES ?code {{ {values} }} FILTER(CONTAINS(?text, ?code)) }}"
        )
        assert found.status_code == 200, found.text
        assert found.text.split() == ["code"], part
    asked = sorted(kept)[:: max(1, len(kept) // 10)]
    for code in asked:
        for filter_ in (f'CONTAINS(STR(?o), "{code}")', f'REGEX(STR(?o), "{code}")'):
            assert query(f"ASK {{ ?s ?p ?o FILTER({filter_}) }}").text.strip() == "false"
        assert query(f"ASK {{ ?s ?p 61.{code}5 }}").text.strip() == "false"


def test_counting_counts_what_the_audience_may_see(planted: Planted, caller: Caller, query: Query) -> None:
    """How many there are of what is hidden is hidden, too."""
    number = len(PUBLISHED) + len(DRAFTS) * (caller.audience == "owner")
    for text in (
        "SELECT (COUNT(?p) AS ?n) { ?p a bp:BatteryPassport }",
        "SELECT (COUNT(DISTINCT ?m) AS ?n) { ?b bp:model ?m }",
    ):
        assert query(text).text.split() == ["n", str(number)]
    for access in AccessClass:
        counted = query(
            "SELECT (COUNT(DISTINCT ?g) AS ?n) "
            f"{{ GRAPH ?g {{ ?s ?p ?o }} FILTER(STRENDS(STR(?g), '/{access}')) }}"
        )
        assert (counted.text.split() != ["n", "0"]) is (access in readable(caller.audience)), access


def test_paths_lead_nowhere_that_the_audience_may_not_go(
    planted: Planted, caller: Caller, look: Look, query: Query
) -> None:
    for label in ("published, changed", "draft beside it", "archived"):
        arrival = planted.sown[label].arrival
        for start in (f"{arrival.record}#battery", arrival.model):
            query(f"SELECT DISTINCT ?o {{ <{start}> (!<a:a>)* ?o }}", "tsv")
            query(f"SELECT DISTINCT ?s {{ ?s (!<a:a>)+ <{start}> }}", "tsv")
            query(f"DESCRIBE <{start}>", "turtle")
    away = planted.sown["published, changed"].arrival.record
    query(f"CONSTRUCT {{ ?s ?p ?o }} {{ <{away}> (!<a:a>|^!<a:a>)* ?s . ?s ?p ?o }}", "ntriples")
    assert not look.leaks
    assert look.found


def test_errors_in_a_query_tell_nothing_of_what_it_names(
    planted: Planted, caller: Caller, look: Look, query: Query
) -> None:
    """A graph that is hidden and one that never was get the same answer, also where the query is wrong."""
    hidden = planted.sown["draft"].arrival.record if caller.audience != "owner" else planted.record("erased")
    never = planted.record("never there")
    for text in (
        "SELECT * { GRAPH <GRAPH/item> { ?subject ?predicate ?object . ?subject ?predicate } }",
        "SELECT * FROM <GRAPH/item> WHERE { ?subject ?predicate ?object } ORDER OF APPEARANCE",
        "SELECT * { <GRAPH> unknown:x ?o }",
        "SELECT * { <GRAPH> bp:ratedCapacityAh 'x'^^xsd:decimal FILTER(1/0) }",
        "SELECT * { SERVICE <GRAPH> { ?s ?p ?o } }",
        "SELECT * { ?s ?p ?o . FILTER EXISTS { SERVICE SILENT <file:///GRAPH> { ?s ?p ?o } } }",
        "LOAD <GRAPH>",
        "DELETE WHERE { GRAPH <GRAPH/item> { ?s ?p ?o } }",
        "DESCRIBE <GRAPH>",
        "ASK { GRAPH <GRAPH/public> { ?s ?p ?o } }",
        "SELECT (COUNT(*) AS ?n) FROM <GRAPH/public> { ?s ?p ?o }",
    ):
        answers = []
        for record in (hidden, never):
            form = "turtle" if text.startswith("DESCRIBE") else "csv"
            answer = query(text.replace("GRAPH>", f"{record}>").replace("<GRAPH/", f"<{record}/"), form)
            told = answer.text.replace(answer.headers["x-request-id"], "N")
            answers.append((answer.status_code, told.replace(record, "R")))
        assert answers[0] == answers[1], text
    assert not look.leaks


def test_sequence_is_the_same_for_every_audience(served: Served, callers: Mapping[str, Caller]) -> None:
    told = {
        served.client.get("/sparql", params={"query": "ASK {}"}, headers=one.headers).headers["sequence"]
        for one in callers.values()
    }
    assert told == {str(served.home.sequence)}


def test_query_that_runs_out_of_time_tells_nothing(planted: Planted) -> None:
    look = Look(planted.cage, "public")
    counting = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    streaming = "SELECT * { ?a ?b ?c . ?d ?e ?f }"
    with serving(planted.home, query_deadline_seconds=1.5, dataset_wait_seconds=60) as hurried:
        answer = hurried.client.get("/sparql", params={"query": counting})
        problem(look.at(answer), 504)
        told = bytearray()
        # Its end is cut off; where the machine is slow, it does not even begin.
        with (
            suppress(httpx.RemoteProtocolError),
            hurried.client.stream("GET", "/sparql", params={"query": streaming}) as half,
        ):
            for piece in half.iter_bytes():
                if len(told) < 2_000_000:
                    told += piece
        look.over(told.decode("utf-8", "replace"), streaming)
        look.over(hurried.log.getvalue(), "log")
    assert not look.leaks
