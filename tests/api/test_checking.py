"""`POST /validate`: reports in any form, on passports and on any RDF, whoever asks, and nothing is kept."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pyoxigraph import RdfFormat, parse, serialize

from battpass.kg.home import Home
from battpass.kg.validation.reports.forms import MEDIA_TYPES
from battpass.kg.validation.reports.graphs import SYNTAXES
from battpass.services.api.multipart import read_parts
from battpass.services.api.problems import BadRequest
from benchmarks.campaigns import Campaign
from tests.api.conftest import Served, changed, example, problem, serving
from tests.conftest import SHARED
from tests.shacl.bad_input import BAD_INPUT
from tests.shacl.suite import Case, cases, expected, has_messages, must_fail, quads_of, reduced
from tests.shacl.turtle import HEADS

ON = {"on": "2026-12-01"}
JSON = {"Content-Type": "application/json"}
BAD = changed(example("ev-lfp-60"), {"performance.rated.capacity.value": -180.0})
SHAPES = (
    HEADS + 'ex:S sh:targetSubjectsOf ex:p ; sh:path ex:p ; sh:datatype xsd:date ; sh:message "A day."@en .'
)
DATA = HEADS + 'ex:a ex:p "<b>x</b>" .'
ENDLESS = (
    HEADS
    + """ex:S sh:targetSubjectsOf ex:p ; sh:sparql [ sh:select '''SELECT $this {
    $this ?p ?o . ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n ?q
    FILTER(CONCAT(STR(?c), STR(?f), STR(?i), STR(?l), STR(?q)) = "nope") }''' ] ."""
)
MANY = HEADS + " ".join(f"ex:a{number} ex:p {number} ." for number in range(300))

Parts = dict[str, tuple[str, bytes | str, str]]


def parts(data: bytes | str = DATA, shapes: bytes | str = SHAPES, kind: str = "text/turtle") -> Parts:
    return {"data": ("data", data, kind), "shapes": ("shapes", shapes, kind)}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose validations take a second at most, one at a time, and two from one client."""
    limits = {
        "validation_deadline_seconds": 1,
        "validation_workers": 1,
        "validations_per_client": 2,
        "max_document_bytes": 200_000,
    }
    with (
        Home.open(tmp_path_factory.mktemp("small") / "home", create=True) as home,
        serving(home, **limits) as server,
    ):
        yield server


def test_a_passport_is_checked_as_of_a_day_and_nothing_is_kept(served: Served) -> None:
    before = served.home.sequence
    answer = served.client.post("/validate", content=BAD, headers=JSON, params=ON)

    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told["on"] == "2026-12-01" and told["category"] == "EV" and told["blocking"]
    finding = next(one for one in told["findings"] if one["severity"] == "violation")
    assert finding["pointer"] == "/performance/rated/capacity/value"
    assert finding["mender"] == "model" and finding["field_de"] == "Bemessungskapazität"
    assert served.home.sequence == before


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_the_report_comes_in_the_form_that_is_asked_for(client: httpx.Client, form: str) -> None:
    kind = MEDIA_TYPES[form]
    by_header = client.post("/validate", content=BAD, headers={**JSON, "Accept": kind}, params=ON)
    by_name = client.post("/validate", content=BAD, headers=JSON, params={**ON, "format": form})

    assert by_header.status_code == by_name.status_code == 200
    for answer in (by_header, by_name):
        assert answer.headers["content-type"].partition(";")[0] == kind
        assert "Accept" in answer.headers["vary"]
    syntax = SYNTAXES.get(form)
    if syntax is None:
        assert "-180 Ah" in by_header.text and by_header.text == by_name.text
    else:
        quads = list(parse(by_header.content, format=syntax))
        assert sum(quad.predicate.value.endswith("shacl#result") for quad in quads) >= 1


def test_a_page_is_in_the_language_of_its_reader_and_its_own_style_is_all_it_may_have(
    client: httpx.Client,
) -> None:
    german = {**JSON, "Accept": "text/html", "Accept-Language": "de"}
    page = client.post("/validate", content=BAD, headers=german, params=ON)
    english = client.post("/validate", content=BAD, headers=german, params={**ON, "lang": "en"})

    assert "Bemessungskapazität" in page.text and page.headers["content-language"] == "de"
    assert "Rated capacity" in english.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script" not in policy and "'unsafe" not in policy


@pytest.mark.parametrize(
    "headers",
    [
        JSON,
        {},
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "application/json; charset=utf-8"},
    ],
)
def test_the_format_is_named_or_found_out(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.post("/validate", content=BAD, headers=headers).json()["category"] == "EV"


def test_any_rdf_is_checked_by_the_shapes_that_come_with_it(client: httpx.Client) -> None:
    told = client.post("/validate", files=parts()).json()

    assert told["counts"] == {"violation": 1, "warning": 0, "info": 0, "other": 0}
    (result,) = told["results"]
    assert result["focus"] == "<http://example.org/a>" and result["value"] == '"<b>x</b>"'
    assert result["messages"] == [{"text": "A day.", "language": "en"}]
    page = client.post("/validate", files=parts(), headers={"Accept": "text/html"}).text
    assert "&lt;b&gt;x&lt;/b&gt;" in page and "<b>" not in page


def test_a_part_alone_is_a_passport(client: httpx.Client) -> None:
    told = client.post("/validate", files={"data": ("a.json", BAD, "application/json")}, params=ON).json()
    assert told["blocking"]


def test_rdf_that_is_no_passport_is_told_of_shapes(client: httpx.Client) -> None:
    answer = client.post("/validate", content=DATA, headers={"Content-Type": "text/turtle"})
    assert "send multipart/form-data with the parts data and shapes" in problem(answer, 400)["detail"]


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        ({"content": b"", "headers": JSON}, 400, "is empty"),
        ({"content": b"{", "headers": JSON}, 400, "Line 1"),
        ({"content": BAD, "headers": {"Content-Type": "image/png"}}, 415, "image/png"),
        ({"content": BAD, "headers": JSON, "params": {"on": "soon"}}, 400, "query.on"),
        ({"content": BAD, "headers": JSON, "params": {"format": "pdf"}}, 406, "On offer"),
        ({"content": BAD, "headers": {**JSON, "Accept": "image/png"}}, 406, "On offer"),
        ({"files": parts(shapes="@prefix")}, 400, "The shapes: line 1"),
        ({"files": parts(data="@prefix")}, 400, "The data: line 1"),
        ({"files": parts(shapes=HEADS + "ex:S sh:targetNode ex:a ; sh:minCout 1 .")}, 400, "sh:minCout"),
        ({"files": parts(), "params": ON}, 400, "Leave ?on= out"),
        ({"files": {"shapes": ("s", SHAPES, "text/turtle")}}, 400, "no part `data`"),
        ({"files": {**parts(), "more": ("m", "x", "text/turtle")}}, 400, "'more'"),
        ({"files": parts(kind="image/png")}, 415, "image/png"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "boundary"),
    ],
)
def test_what_cannot_be_checked_is_a_problem(
    client: httpx.Client, sent: dict[str, Any], status: int, says: str
) -> None:
    assert says in problem(client.post("/validate", **sent), status)["detail"]


def test_a_query_of_shapes_that_says_that_it_failed_is_the_callers_affair(client: httpx.Client) -> None:
    query = "SELECT $this ?failure { BIND(true AS ?failure) }"
    failing = f"{HEADS} ex:S sh:targetNode ex:a ; sh:sparql [ sh:select '{query}' ] ."
    told = problem(client.post("/validate", files=parts(shapes=failing)), 422)
    assert told["type"].endswith("#validation-failed")


def test_a_key_that_does_not_stand_is_refused_and_none_is_needed(client: httpx.Client) -> None:
    refused = client.post("/validate", content=BAD, headers={**JSON, "X-API-Key": "bp_made_up"})
    assert refused.status_code == 401


def test_only_what_is_sent_decides_the_answer(served: Served) -> None:
    answers = {
        served.client.post("/validate", content=BAD, headers={**JSON, **served.key(*who)}, params=ON).text
        for who in (("public",), ("interest",), ("owner", "read"), ("owner",))
    }
    assert len(answers) == 1


def test_a_query_without_end_is_ended_and_the_next_caller_is_answered(small: Served) -> None:
    told = problem(small.client.post("/validate", files=parts(MANY, ENDLESS)), 504)
    assert "ended after 1 s" in told["detail"]
    assert small.client.post("/validate", files=parts()).status_code == 200
    # Writers have workers of their own, none of which was lost.
    assert small.app.state.site.intake.lost == 0


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_has_an_answer_in_time(served: Served, small: Served, name: str) -> None:
    """What never ends goes to the server that allows a second, what is only large to the one that waits."""
    bad = BAD_INPUT[name]
    data, shapes = bad.texts
    answer = (small if bad.stopped else served).client.post("/validate", files=parts(data, shapes))

    if bad.stopped:
        problem(answer, 504)
    elif bad.refused:
        assert bad.refused in problem(answer, 400)["detail"]
    else:
        assert answer.json()["counts"]["violation"] == bad.results


def test_a_body_that_is_too_large_is_refused(small: Served) -> None:
    problem(small.client.post("/validate", content=b" " * 300_000, headers=JSON), 413)
    problem(small.client.post("/validate", files=parts(b"#" * 500_000)), 413)
    problem(small.client.post("/validate", files=parts(b"#" * 300_000)), 413)


def test_a_client_has_no_more_under_way_than_it_may(small: Served) -> None:
    statuses: list[int] = []

    def ask() -> None:
        with httpx.Client(base_url=small.address, trust_env=False, timeout=60) as own:
            statuses.append(own.post("/validate", files=parts(MANY, ENDLESS)).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(statuses) == 6
    assert statuses.count(504) >= 2 and statuses.count(429) >= 1
    assert set(statuses) <= {504, 429, 503}


CASES = list(cases(SHARED / "w3c-shacl-tests" / "tests")) if SHARED.is_dir() else []


def reported(client: httpx.Client, case: Case) -> httpx.Response:
    data, shapes = (
        serialize([quad.triple for quad in quads_of(path)], format=RdfFormat.N_TRIPLES) or b""
        for path in (case.data, case.shapes)
    )
    sent = parts(data, shapes, "application/n-triples")
    return client.post("/validate", files=sent, headers={"Accept": "application/n-triples"})


@pytest.mark.shared
def test_the_suite_of_the_w3c_is_passed_over_http(served: Served, shared: Any, campaign: Campaign) -> None:
    """All 121 tests in a full run, some twenty in a short one."""
    count = len(CASES) if campaign.full else 20
    for case in campaign.random("w3c over http").sample(CASES, count):
        answer = reported(served.client, case)
        if must_fail(case):
            assert problem(answer, 400)["type"].endswith("#bad-shapes"), case.name
            continue
        assert answer.status_code == 200, (case.name, answer.text)
        report = [quad.triple for quad in parse(answer.content, format=RdfFormat.N_TRIPLES)]
        found = reduced(report, messages=has_messages(case))
        assert sorted(map(str, found)) == sorted(map(str, expected(case))), case.name
    campaign.record(
        "shacl-w3c-http", "the test suite of the W3C over HTTP", {"tests": count, "passed": count}
    )


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--B--\r\n', {"a": b"x"}),
        (b'pre\r\n--B\r\ncontent-disposition: form-data; filename="n"; name=a\r\n\r\n\r\n--B--', {"a": b""}),
        (b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--Bx\r\n--B--', None),
        (b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx', None),
        (b'--B\r\nContent-Disposition: form-data; filename="a"\r\n\r\nx\r\n--B--', None),
        (b"--B\r\n\r\nx\r\n--B--", None),
        (b"--B\r\n" + b"h: x\r\n" * 5_000 + b"\r\nx\r\n--B--", None),
        (b"", None),
        (b"--B--", {}),
    ],
)
def test_parts_are_read_or_refused(body: bytes, found: dict[str, bytes] | None) -> None:
    if found is None:
        with pytest.raises(BadRequest):
            read_parts("multipart/form-data; boundary=B", body, ("a", "b"))
    else:
        told = read_parts('multipart/form-data; boundary="B"', body, ("a", "b"))
        assert {name: part.content for name, part in told.items()} == found


def test_the_answer_is_as_it_is_described(served: Served) -> None:
    from jsonschema import Draft202012Validator

    described = json.loads(served.client.get("/openapi.json").text)
    answer = described["paths"]["/validate"]["post"]["responses"]["200"]["content"]
    assert answer.keys() == set(MEDIA_TYPES.values())
    schema = {**answer["application/json"]["schema"], "components": described["components"]}
    for told in (
        served.client.post("/validate", content=BAD, headers=JSON),
        served.client.post("/validate", files=parts()),
    ):
        Draft202012Validator(schema).validate(told.json())
