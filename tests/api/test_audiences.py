"""Who gets what: every route, for every audience, of passports in every stage.

What is not there and what a caller may not see get one answer, but for the number of the request.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from urllib.parse import quote

import httpx
import pytest
from pyoxigraph import RdfFormat, parse

from battpass.kg.graphs import AccessClass
from battpass.kg.home import Home
from battpass.kg.journal.entry import Stage
from battpass.services.exchange.registry import formats
from tests.api.conftest import MERGE, Served, another, arrival, charge, identifier_of, problem, serving

AUDIENCES = ("public", "interest", "authority", "owner")
OTHERS = AUDIENCES[:-1]
# Each stage, with the number of a passport that stands in it.
STAGES = {
    "never there": 0,
    "draft": 1,
    "published": 2,
    "published with a draft": 3,
    "archived": 4,
    "archived draft": 5,
    "erased": 6,
    "changed where few see it": 7,
    "lonely draft": 8,
}
# A marker in each access class, of passports in every stage.
MARKS = {
    AccessClass.PUBLIC: "MARKER-PUBLIC-4f1d",
    AccessClass.INTEREST: "MARKER-INTEREST-9b3e",
    AccessClass.AUTHORITY: "MARKER-AUTHORITY-77aa",
    AccessClass.ITEM: "MARKER-ITEM-c0de",
    AccessClass.DOCUMENT: "MARKER-DOCUMENT-b00c",
}
CHANGES = {
    "identification.identification.type.nameAtManufacturer": MARKS[AccessClass.PUBLIC],
    "materials.active.nickel.location": MARKS[AccessClass.INTEREST],
    "conformity.resultOfTestReport.0.header": MARKS[AccessClass.AUTHORITY],
    "performance.dynamic.negativeEvents.0.header": MARKS[AccessClass.ITEM],
    "surprise": MARKS[AccessClass.DOCUMENT],
}
# A model record that no other passport has.
LONELY = {**CHANGES, "identification.identification.type.nameAtManufacturer": "Of a draft alone"}
ENDED = {"archived", "erased"}
DRAFTS = {"draft", "lonely draft"}
THERE = {"published", "published with a draft", "changed where few see it"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Home.open(tmp_path_factory.mktemp("stages"), create=True) as home:
        kept = {name: arrival(another(number, CHANGES)) for name, number in STAGES.items()}
        for name in ("published", "published with a draft", "archived", "erased", "changed where few see it"):
            home.put(kept[name], trusted=True)
        kept["lonely draft"] = arrival(another(8, LONELY))
        for name in ("draft", "archived draft", "lonely draft"):
            home.put(kept[name], stage=Stage.DRAFT)
        home.put(
            arrival(another(3, {**CHANGES, "identification.chemistry": "MARKER-OPEN-DRAFT"})),
            stage=Stage.DRAFT,
        )
        home.put(
            arrival(another(7, {**CHANGES, "performance.dynamic.stateOfCharge.value": 12.5})), trusted=True
        )
        for name in ("archived", "archived draft", "erased"):
            home.archive(identifier_of(STAGES[name]))
        home.erase(identifier_of(STAGES["erased"]))
        with serving(home, dataset_wait_seconds=60) as server:
            yield server


@dataclass(frozen=True)
class Route:
    """A way to ask for a passport. `owner_only`: what others never get; `drafts`: what asks for drafts."""

    path: str
    owner_only: bool = False
    drafts: bool = False
    dated: bool = False


ROUTES = (
    *(Route(f"/v1/dpps/ID?format={one.name}") for one in formats()),
    Route("/v1/dpps/ID"),
    Route("/v1/dpps/urn:uuid:ID"),
    Route("/v1/dpps/PRODUCT"),
    Route("/v1/dpps/ID?version=1"),
    Route("/v1/dpps/ID?stage=published"),
    Route("/v1/dpps/ID?stage=draft", drafts=True),
    Route("/v1/dpps/ID?date=2999-01-01", dated=True),
    Route("/v1/dppsByIdAndDate/ID?date=2999-01-01", dated=True),
    Route("/v1/dppsByProductId/PRODUCT"),
    Route("/v1/dppsByProductIdAndDate/PRODUCT?date=2999-01-01", dated=True),
    Route("/v1/dpps/ID/versions"),
    Route("/v1/dpps/ID/versions/1"),
    Route("/v1/dpps/ID/versions/1/document", owner_only=True),
    Route("/v1/dpps/ID/versions/99"),
    Route("/p/ID"),
    Route("/p/ID.html"),
    Route("/p/ID.ttl"),
    Route("/p/ID?format=n-quads"),
    Route("/p/ID/qr.svg"),
)


def address(path: str, number: int) -> str:
    name = quote(f"https://id.exemplar-cells.example/b/{number}", safe="")
    return path.replace("ID", identifier_of(number)).replace("PRODUCT", name)


def expected(route: Route, stage: str, audience: str) -> int:
    """Return the status that the rules ask for, written down anew and not taken from the code."""
    owner = audience == "owner"
    if stage == "erased" and "PRODUCT" in route.path:
        return 404  # the names of the battery were erased, too
    if stage in ENDED:
        return 410
    if stage == "archived draft":
        return 410 if owner else 404
    if stage == "never there" or route.path.endswith("/99"):
        return 404
    if stage in DRAFTS:
        is_seen = owner and not route.dated and "stage=published" not in route.path
        return 200 if is_seen else 404
    if route.drafts:
        return 200 if owner and stage == "published with a draft" else 404
    return 404 if route.owner_only and not owner else 200


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("stage", STAGES)
def test_every_route_answers_as_audience_and_stage_have_it(served: Served, stage: str, audience: str) -> None:
    wrong = {}
    for route in ROUTES:
        answer = served.client.get(address(route.path, STAGES[stage]), headers=served.key(audience, "read"))
        if answer.status_code != expected(route, stage, audience):
            wrong[route.path] = (answer.status_code, expected(route, stage, audience), answer.text[:200])
    assert not wrong


def bare(answer: httpx.Response, number: int) -> tuple[object, ...]:
    """Return all that an answer tells, without what differs between two questions alike."""
    told = answer.text.replace(answer.headers["x-request-id"], "REQUEST")
    told = (
        told.replace(identifier_of(number), "ID")
        .replace(f"/b/{number}", "/b/N")
        .replace(f"b%2F{number}", "b%2FN")
    )
    headers = {k: v for k, v in answer.headers.items() if k not in ("x-request-id", "date")}
    return answer.status_code, told, headers


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize("audience", OTHERS)
@pytest.mark.parametrize("stage", ["draft", "archived draft"])
def test_what_may_not_be_seen_and_what_is_not_there_get_one_answer(
    served: Served, stage: str, audience: str, accept: str
) -> None:
    headers = {**served.key(audience, "read"), "Accept": accept}
    for route in ROUTES:
        hidden = served.client.get(address(route.path, STAGES[stage]), headers=headers)
        absent = served.client.get(address(route.path, 0), headers=headers)
        assert bare(hidden, STAGES[stage]) == bare(absent, 0), route.path


@pytest.mark.parametrize("audience", OTHERS)
def test_draft_beside_what_is_published_shows_to_nobody_else(served: Served, audience: str) -> None:
    headers = served.key(audience, "read")
    for route in ROUTES:
        with_draft = served.client.get(address(route.path, 3), headers=headers)
        without = served.client.get(address(route.path, 2), headers=headers)
        assert with_draft.status_code == without.status_code, route.path
        assert "MARKER-OPEN-DRAFT" not in with_draft.text
        if with_draft.headers["content-type"] == "application/json" and route.path.endswith("versions"):
            assert len(with_draft.json()["items"]) == 1


WRITES = (
    ("POST", "/v1/dpps"),
    ("PUT", "/v1/dpps/ID"),
    ("PATCH", "/v1/dpps/ID"),
    ("DELETE", "/v1/dpps/ID"),
    ("POST", "/v1/dpps/ID/publish"),
    ("POST", "/v1/dpps/ID/archive"),
    ("POST", "/v1/dpps/ID/erase"),
    ("POST", "/v1/models/0123456789abcdef0123456789abcdef/moves"),
)


@pytest.mark.parametrize(
    ("audience", "status"),
    [("public", 401), ("interest", 403), ("authority", 403), ("owner", 403)],
)
def test_who_may_not_write_gets_one_answer_whatever_stands_there(
    served: Served, audience: str, status: int
) -> None:
    headers = {**served.key(audience, "read"), **MERGE, "If-Match": "*"}
    before = served.home.sequence
    for method, path in WRITES:
        told = set()
        for number in STAGES.values():
            content = another(number)
            answer = served.client.request(method, address(path, number), content=content, headers=headers)
            problem(answer, status)
            told.add(json.dumps(bare(answer, number)))
        assert len(told) == 1, (method, path)
    assert served.home.sequence == before


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("POST", "/v1/dpps", "write"),
        ("POST", "/v1/dpps?stage=published", "publish"),
        ("PUT", "/v1/dpps/ID", "write"),
        ("PUT", "/v1/dpps/ID?stage=published", "publish"),
        ("PATCH", "/v1/dpps/ID?stage=draft", "write"),
        ("PATCH", "/v1/dpps/ID", "publish"),
        ("POST", "/v1/dpps/ID/publish", "publish"),
        ("DELETE", "/v1/dpps/ID", "archive"),
        ("POST", "/v1/dpps/ID/archive", "archive"),
        ("POST", "/v1/dpps/ID/erase", "admin"),
    ],
)
def test_each_write_needs_its_right(served: Served, method: str, path: str, right: str) -> None:
    without = [one for one in ("read", "write", "publish", "archive", "admin") if one != right]
    headers = {**served.key("owner", *without), **MERGE, "If-Match": "*"}
    answer = served.client.request(method, address(path, 2), content=b"{}", headers=headers)
    assert right in problem(answer, 403)["detail"]


def test_key_that_does_not_stand_is_refused_on_every_route(served: Served) -> None:
    wrong = (
        {"Authorization": "Bearer bp_00000000_" + "0" * 64},
        {"X-API-Key": "x"},
        {"Authorization": "Basic eA=="},
    )
    for headers in wrong:
        for path in ("/", "/p/ID", "/v1/dpps", "/v1/dpps/ID", "/v1/dpps/ID/versions", "/sparql?query=ASK{}"):
            answer = served.client.get(address(path, 2), headers=headers)
            assert answer.headers["www-authenticate"] == "Bearer"
            problem(answer, 401)


def classes(served: Served, audience: str) -> frozenset[AccessClass]:
    return served.home.audience(audience).classes


@pytest.mark.parametrize("audience", AUDIENCES)
def test_each_audience_reads_its_access_classes_and_no_other(served: Served, audience: str) -> None:
    headers = served.key(audience, "read")
    readable = {mark for access, mark in MARKS.items() if access in classes(served, audience)}
    seen: set[str] = set()
    for route in ROUTES:
        for accept in ("*/*", "text/html"):
            answer = served.client.get(address(route.path, 2), headers={**headers, "Accept": accept})
            told = answer.text + str(answer.headers)
            found = {mark for mark in MARKS.values() if mark in told}
            assert found <= readable, route.path
            seen |= found
    assert seen == readable


@pytest.mark.parametrize("audience", AUDIENCES)
def test_graphs_that_are_handed_out_are_those_of_the_audience(served: Served, audience: str) -> None:
    headers = served.key(audience, "read")
    model = served.home.entry(identifier_of(2)).model.rpartition("/")[2]
    for path in (f"/v1/dpps/{identifier_of(2)}", f"/v1/models/{model}"):
        text = served.client.get(path, params={"format": "n-quads"}, headers=headers).content
        graphs = {
            str(quad.graph_name).strip("<>").rpartition("/")[2] for quad in parse(text, RdfFormat.N_QUADS)
        }
        assert graphs <= {str(access) for access in classes(served, audience)}
        assert len(graphs) > (audience != "public")


@pytest.mark.parametrize("audience", AUDIENCES)
def test_queries_run_on_what_the_audience_may_read(served: Served, audience: str) -> None:
    text = "SELECT (STR(?o) AS ?text) { ?s ?p ?o FILTER(CONTAINS(STR(?o), 'MARKER')) }"
    answer = served.client.get(
        "/sparql", params={"query": text, "format": "csv"}, headers=served.key(audience, "read")
    )
    assert answer.status_code == 200, answer.text
    readable = {mark for access, mark in MARKS.items() if access in classes(served, audience)}
    assert {mark for mark in MARKS.values() if mark in answer.text} == readable
    assert int(answer.headers["sequence"]) == served.home.sequence
    count = "SELECT (COUNT(?p) AS ?n) { ?p a bp:BatteryPassport }"
    answer = served.client.get(
        "/sparql", params={"query": count, "format": "csv"}, headers=served.key(audience, "read")
    )
    assert answer.text.split() == ["n", str(len(THERE) + len(DRAFTS) * (audience == "owner"))]


@pytest.mark.parametrize("audience", AUDIENCES)
def test_lists_hold_what_the_audience_may_see(served: Served, audience: str) -> None:
    headers = served.key(audience, "read")
    listed = {
        one["id"]: one["stage"] for one in served.client.get("/v1/dpps", headers=headers).json()["items"]
    }
    wanted = {identifier_of(STAGES[stage]): "published" for stage in THERE}
    if audience == "owner":
        wanted |= {identifier_of(STAGES[stage]): "draft" for stage in DRAFTS}
    assert listed == wanted
    page = served.client.get("/", headers={**headers, "Accept": "text/html"}).text
    on_page = set(re.findall(r'href="/p/([0-9a-f-]{36})"', page))
    assert on_page == {identifier_of(STAGES[stage]) for stage in THERE}
    for stage, number in STAGES.items():
        for name in (identifier_of(number), f"https://id.exemplar-cells.example/b/{number}"):
            answer = served.client.get("/", params={"q": name}, headers={**headers, "Accept": "text/html"})
            assert answer.status_code == (303 if stage in THERE else 200), (stage, name)


def test_change_that_few_see_leaves_no_trace_for_others(served: Served) -> None:
    """Neither a version nor a tag tells the public that something else than what it sees has changed."""
    path = f"/v1/dpps/{identifier_of(7)}"
    for audience, versions in (("public", 1), ("authority", 1), ("interest", 2), ("owner", 2)):
        headers = served.key(audience, "read")
        told = served.client.get(f"{path}/versions", headers=headers).json()["items"]
        assert len(told) == versions, audience
        second = served.client.get(path, params={"version": 2}, headers=headers)
        assert second.status_code == (200 if versions == 2 else 404)
        tags = {
            served.client.get(path, params=params, headers=headers).headers["etag"]
            for params in ({}, {"version": 1}, {"date": "2999-01-01"})
        }
        assert len(tags) == versions


def test_versions_tell_others_neither_who_nor_why(served: Served) -> None:
    for audience, number in product(OTHERS, (2, 3, 7)):
        answer = served.client.get(
            f"/v1/dpps/{identifier_of(number)}/versions", headers=served.key(audience, "read")
        )
        for one in answer.json()["items"]:
            assert {name for name, value in one.items() if value is not None} == {
                "version",
                "stage",
                "time",
                "href",
            }


@pytest.mark.parametrize("audience", AUDIENCES)
def test_model_record_shows_if_an_item_that_is_seen_points_to_it(served: Served, audience: str) -> None:
    headers = served.key(audience, "read")
    model = served.home.entry(identifier_of(8)).model.rpartition("/")[2]
    answer = served.client.get(f"/v1/models/{model}", headers=headers)
    assert answer.status_code == (200 if audience == "owner" else 404)
    if audience != "owner":
        absent = served.client.get(f"/v1/models/{'0' * 32}", headers=headers)
        assert bare(answer, 0)[1].replace(model, "M") == bare(absent, 0)[1].replace("0" * 32, "M")  # type: ignore[attr-defined]
    shared = served.home.entry(identifier_of(2)).model.rpartition("/")[2]
    answer = served.client.get(f"/v1/models/{shared}", headers=headers)
    assert answer.status_code == 200
    again = {**headers, "If-None-Match": answer.headers["etag"]}
    assert served.client.get(f"/v1/models/{shared}", headers=again).status_code == 304


def test_answers_for_one_caller_are_not_kept_for_another(served: Served) -> None:
    path = f"/v1/dpps/{identifier_of(2)}"
    tags = set()
    for audience in AUDIENCES:
        answer = served.client.get(path, headers=served.key(audience, "read"))
        assert {"Accept", "Authorization"} <= {one.strip() for one in answer.headers["vary"].split(",")}
        assert "no-cache" in answer.headers["cache-control"]
        assert ("private" in answer.headers["cache-control"]) is (audience != "public")
        tags.add(answer.headers["etag"])
    assert len(tags) == len(AUDIENCES)
    public = served.client.get(path).headers["etag"]
    owner = served.client.get(path, headers={**served.key("owner", "read"), "If-None-Match": public})
    assert owner.status_code == 200


def test_patch_of_an_owner_is_read_by_those_who_may(served: Served) -> None:
    path = f"/v1/dpps/{identifier_of(2)}"
    answer = served.client.patch(path, json=charge(33.25), headers={**served.key(), **MERGE, "If-Match": "*"})
    assert answer.status_code == 200, answer.text
    for audience in AUDIENCES:
        text = served.client.get(path, headers=served.key(audience, "read")).text
        assert ("33.25" in text) is (audience in ("interest", "owner"))
