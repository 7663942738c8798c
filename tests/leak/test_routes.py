"""No route tells an audience what it may not see, whatever the passport, its stage, version or date, the
representation or the caller; and each audience finds all that it may see.
"""

import json
from collections.abc import Iterable, Mapping

import httpx
import pytest
from pyoxigraph import NamedNode
from starlette.routing import Route

from battpass.kg.attributes import load_attributes
from battpass.kg.graphs import AccessClass
from benchmarks.campaigns import Campaign
from tests.api.conftest import Served
from tests.leak.conftest import Caller
from tests.leak.looking import Look
from tests.leak.planting import AUDIENCES, OTHERS, Planted
from tests.leak.questions import Question, Questions, operations

# The description of itself and what is not in it, which no passport has a part in.
BESIDE = (
    *("/openapi.json", "/docs", "/docs?lang=de", "/assets/battpass.css", "/favicon.ico"),
    *("/nowhere", "/p", "/p/", "/v1/", "/v1/dpps/", "/datasets/owner/sparql"),
)


def ask(served: Served, caller: Caller, question: Question) -> httpx.Response:
    return served.client.request(
        question.method,
        question.address,
        headers={**question.headers, **caller.headers},
        content=question.body or None,
    )


@pytest.fixture(scope="module")
def questions(served: Served, planted: Planted) -> list[Question]:
    return list(Questions(planted, served.app.openapi()).reading())


def asked(questions: Iterable[Question], campaign: Campaign, caller: str) -> list[Question]:
    """Return the questions that are asked in each run, and some of the rest, in a full run all of them."""
    often: list[Question] = []
    rest: list[Question] = []
    for one in questions:
        (often if one.often and caller in AUDIENCES else rest).append(one)
    number = len(rest) if campaign.full else 100
    return [*often, *campaign.random(f"leaks {caller}").sample(rest, number)]


def test_each_operation_is_asked_in_each_way_that_it_is_described(
    served: Served, planted: Planted, questions: list[Question]
) -> None:
    every = [*questions, *Questions(planted, served.app.openapi()).writing()]
    for one in operations(served.app.openapi()):
        of_it = [question for question in every if question.operation == one.name]
        assert of_it, f"nobody asks {one.name}"
        if not one.writes and one.path != "/sparql":
            parameters = {name for question in of_it for name, _ in question.parameters}
            assert parameters == set(one.parameters), one.name
        accepted = {question.headers.get("Accept", "") for question in of_it}
        assert one.writes or one.method == "POST" or set(one.media_types) <= accepted, one.name
    # What is not described is asked for, too.
    included = [getattr(route, "original_router", served.app).routes for route in served.app.routes]
    routes = [route for some in included for route in some if isinstance(route, Route)]
    paths = {route.path for route in routes if not route.include_in_schema}
    assert paths
    assert paths <= set(BESIDE)


@pytest.mark.parametrize("name", [*AUDIENCES, "administrator"])
def test_no_route_tells_an_audience_what_it_may_not_see(
    served: Served,
    planted: Planted,
    callers: Mapping[str, Caller],
    questions: list[Question],
    campaign: Campaign,
    name: str,
) -> None:
    caller = callers[name]
    look = Look(planted.cage, caller.audience)
    for question in asked(questions, campaign, name):
        answer = look.at(ask(served, caller, question))
        assert answer.status_code < 500, (question, answer.text, served.log.getvalue()[-6000:])
    for path in BESIDE:
        look.at(served.client.get(path, headers=caller.headers))
    assert not look.leaks
    if name in AUDIENCES:
        assert not look.missing(planted.cage.told_to(name))


@pytest.mark.parametrize("name", [*OTHERS, "reader"])
def test_writes_tell_nothing_to_who_may_not_write(
    served: Served, planted: Planted, callers: Mapping[str, Caller], name: str
) -> None:
    look, before = Look(planted.cage, "public"), planted.home.sequence
    for question in Questions(planted, served.app.openapi()).writing():
        answer = look.at(ask(served, callers[name], question))
        assert answer.status_code == (401 if name == "public" else 403), question
    assert not look.leaks
    assert look.count > 100
    assert planted.home.sequence == before


def test_key_that_was_taken_back_tells_no_more_than_none(
    served: Served, planted: Planted, revoked: Caller, questions: list[Question], campaign: Campaign
) -> None:
    look = Look(planted.cage, "public")
    for question in campaign.random("leaks revoked").sample(questions, 100):
        answer = look.at(ask(served, revoked, question))
        assert answer.status_code in (401, 406) or question.operation in ("get_healthz", "get_readyz")
    assert not look.found


def test_questions_of_other_origins_tell_nothing_more(served: Served, planted: Planted) -> None:
    look = Look(planted.cage, "public")
    for name in planted.numbers:
        path = f"/v1/dpps/{planted.identifier(name)}"
        ours = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "PATCH"}
        look.at(served.client.options(path, headers=ours))
        look.at(served.client.options(path))
        look.at(served.client.get(path, headers={"Origin": "https://elsewhere.example"}))
    assert not look.leaks


@pytest.mark.parametrize("name", OTHERS)
def test_search_finds_no_passport_by_what_is_kept_from_everybody(
    served: Served, planted: Planted, callers: Mapping[str, Caller], name: str
) -> None:
    """Neither a value, nor the name that a battery has in a draft alone, leads anywhere."""
    hidden = [planted.cage.all[number] for number in planted.cage.kept_from("public") if number >= 0]
    headers = {**callers[name].headers, "Accept": "text/html"}
    for canary in hidden[:: max(1, len(hidden) // 40)]:
        answer = served.client.get("/", params={"q": canary.code}, headers=headers)
        assert answer.status_code == 200
        assert "/p/" not in answer.text.partition('<main id="content"')[2]


def test_page_names_what_else_there_is_and_who_may_read_it(served: Served, planted: Planted) -> None:
    address = f"/p/{planted.identifier('published')}"
    other = served.client.get(address, headers={"Accept": "text/html"}).text.partition(
        '<section id="other">'
    )[2]
    hidden = [one for one in load_attributes().values() if one.access != AccessClass.PUBLIC]
    assert len(hidden) > 20
    assert not [one.name for one in hidden if one.labels.en not in other]
    assert "persons with a legitimate interest" in other
    assert "authorities" in other


@pytest.mark.parametrize("name", OTHERS)
def test_no_node_is_named_that_stands_in_graphs_of_others_alone(
    served: Served, planted: Planted, callers: Mapping[str, Caller], name: str
) -> None:
    """Not even that there is a test report, or was an accident."""
    record = planted.record("published")
    whole, seen = planted.home.passport(record), planted.home.passport(record, name)
    known = {term.value for quad in seen.quads() for term in quad.triple if isinstance(term, NamedNode)}
    subjects = {quad.subject.value for quad in whole.quads() if isinstance(quad.subject, NamedNode)}
    hidden = sorted(subjects - known)
    assert len(hidden) > 1
    headers = callers[name].headers
    told = ""
    for form in ("n-quads", "json-ld", "turtle", "battery_pass-6.1.0"):
        path = f"/v1/dpps/{planted.identifier('published')}"
        told += served.client.get(path, params={"format": form}, headers=headers).text
    query = f"SELECT * {{ ?s ?p ?o FILTER(STRSTARTS(STR(?s), '{record}')) }}"
    told += served.client.get("/sparql", params={"query": query, "format": "tsv"}, headers=headers).text
    assert f"{record}#battery" in told
    assert not [iri for iri in hidden if iri in told and f"{iri}-" not in told]


def test_description_and_figures_do_not_change_with_the_caller(
    served: Served, callers: Mapping[str, Caller]
) -> None:
    for path in ("/openapi.json", "/docs", "/assets/battpass.css"):
        assert len({served.client.get(path, headers=one.headers).text for one in callers.values()}) == 1
    assert json.loads(served.client.get("/healthz").text) == {"status": "ok"}
