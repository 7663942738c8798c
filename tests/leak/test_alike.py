"""What is not there and what a caller may not see get one answer: status, headers, body, but for the name."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import product
from urllib.parse import quote

import httpx
import pytest

from battpass.services.exchange.registry import formats
from benchmarks.campaigns import Campaign
from tests.api.conftest import Served
from tests.leak.conftest import Caller
from tests.leak.planting import OTHERS, Planted
from tests.leak.questions import NEVER, NO_MODEL, Question, Questions

# Who may not see drafts: other audiences, a key of the operator that may not read, and one taken back.
STRANGERS = (*OTHERS, "administrator")
HIDDEN = ("draft", "archived draft")
# A name that could be one of a passport, and is none.
NO_NAME = "https://id.exemplar-cells.example/b/00000000000"

Told = tuple[int, str, tuple[tuple[str, str], ...]]


def told(answer: httpx.Response, *names: str) -> Told:
    """Return all that an answer tells, with these names and the number of the request taken out."""

    def bare(text: str) -> str:
        for name in names:
            for written in dict.fromkeys((quote(name, safe=""), name)):
                text = text.replace(written, "NAME")
        return text.replace(answer.headers["x-request-id"], "REQUEST")

    headers = sorted((name, bare(value)) for name, value in answer.headers.multi_items() if name != "date")
    return answer.status_code, bare(answer.text), tuple(headers)


def names_of(planted: Planted, name: str) -> tuple[str, str]:
    return planted.identifier(name), planted.product(name)


def about(question: Question, planted: Planted, name: str, other: str) -> Question:
    """Return a question about one passport as one about another."""
    path, parameters, body = question.path, dict(question.parameters), question.body
    for old, new in zip(names_of(planted, name), names_of(planted, other), strict=True):
        path = path.replace(old, new).replace(quote(old, safe=""), quote(new, safe=""))
        parameters = {one: value.replace(old, new) for one, value in parameters.items()}
        body = body.replace(old.encode(), new.encode())
    return replace(question, path=path, parameters=tuple(parameters.items()), body=body)


def asked(served: Served, caller: Caller, question: Question, **more: str) -> httpx.Response:
    return served.client.request(
        question.method,
        question.address,
        headers={**question.headers, **caller.headers, **more},
        content=question.body or None,
    )


@pytest.mark.parametrize("name", STRANGERS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_draft_of_others_is_answered_as_what_never_was(
    served: Served,
    planted: Planted,
    callers: Mapping[str, Caller],
    campaign: Campaign,
    hidden: str,
    name: str,
) -> None:
    """In each way in which a route can be asked for it; a short run draws some ways of each route."""
    ways: dict[str, list[Question]] = {}
    for question in Questions(planted, served.app.openapi(), [hidden]).reading():
        if about(question, planted, hidden, NEVER) != question:
            ways.setdefault(question.operation, []).append(question)
    assert len(ways) > 10
    differing = []
    for operation, questions in ways.items():
        most = len(questions) if campaign.full else 8
        drawn = campaign.random(f"{operation} {name} {hidden}")
        for question in drawn.sample(questions, min(most, len(questions))):
            absent = about(question, planted, hidden, NEVER)
            one = told(asked(served, callers[name], question), *names_of(planted, hidden))
            other = told(asked(served, callers[name], absent), *names_of(planted, NEVER))
            if one != other:
                differing.append((question, one, other))
    assert not differing


@pytest.mark.parametrize("name", STRANGERS)
def test_draft_is_not_even_told_to_who_knows_its_tag(
    served: Served, planted: Planted, callers: Mapping[str, Caller], name: str
) -> None:
    path = f"/v1/dpps/{planted.identifier('draft')}"
    tag = served.client.get(path, headers=callers["owner"].headers).headers["etag"]
    for address, header, value in product(
        (path, path + "?stage=draft", path.replace("/v1/dpps", "/p"), path + "/versions"),
        ("If-None-Match", "If-Match", "If-Modified-Since", "Range"),
        ("*", tag, tag.replace('"', "")),
    ):
        answers = []
        for one in ("draft", NEVER):
            here = address.replace(planted.identifier("draft"), planted.identifier(one))
            answer = served.client.get(here, headers={**callers[name].headers, header: value})
            answers.append(told(answer, *names_of(planted, one)))
        assert answers[0] == answers[1], (address, header, value)
        assert answers[0][0] == 404


@pytest.mark.parametrize("name", STRANGERS)
def test_version_that_is_a_draft_is_answered_as_one_that_never_was(
    served: Served, planted: Planted, callers: Mapping[str, Caller], name: str
) -> None:
    identifier = {"published": "1", "with a draft": "2"}
    for passport, number in identifier.items():
        for path in (
            "/v1/dpps/ID/versions/N",
            "/v1/dpps/ID/versions/N/report",
            "/v1/dpps/ID/versions/N/document",
            "/v1/dpps/ID?version=N",
            *(f"/v1/dpps/ID?version=N&format={one.name}" for one in formats()),
            "/v1/dpps/ID?version=N&stage=draft",
            "/v1/dpps/ID?version=N&stage=published",
        ):
            here = path.replace("ID", planted.identifier(passport))
            draft, never = (
                told(served.client.get(here.replace("N", one), headers=callers[name].headers))
                for one in (number, "9")
            )
            assert draft == never, here
            assert draft[0] == 404


@pytest.mark.parametrize("name", STRANGERS)
def test_report_and_document_are_answered_as_if_there_were_none(
    served: Served, planted: Planted, callers: Mapping[str, Caller], name: str
) -> None:
    """Also those of a version that the caller sees."""
    for what, accept in product(("report", "document"), ("*/*", "text/html")):
        headers = {**callers[name].headers, "Accept": accept}
        path = f"/v1/dpps/{planted.identifier('published')}/versions/2/{what}"
        there = told(served.client.get(path, headers=headers), *names_of(planted, "published"))
        never = told(
            served.client.get(
                path.replace(planted.identifier("published"), planted.identifier(NEVER)), headers=headers
            ),
            *names_of(planted, NEVER),
        )
        assert there == never
        assert there[0] == 404


@pytest.mark.parametrize("name", STRANGERS)
def test_names_that_only_a_draft_has_lead_nowhere(
    served: Served, planted: Planted, callers: Mapping[str, Caller], name: str
) -> None:
    """Nor does the digest of a document, by which the journal finds it, nor the IRI of a model record."""
    beside = planted.sown["draft beside it"]
    document = sha256(planted.sown["published, changed"].arrival.original).hexdigest()
    code = beside.canaries["battery identifier"].code
    for known in (
        f"https://id.exemplar-cells.example/b/{code}",
        f"sha256:{document}",
        beside.arrival.model,
        planted.sown["draft"].arrival.model,
        f"sha256:{sha256(beside.arrival.original).hexdigest()}",
    ):
        # As long as the other, so that their answers are.
        never = NO_NAME if len(known) == len(NO_NAME) else known[:-8] + "00000000"
        assert len(never) == len(known)
        for route, accept in product(
            ("/v1/dpps/NAME", "/v1/dppsByProductId/NAME", "/v1/dpps/NAME/versions", "/?q=NAME"),
            ("*/*", "text/html"),
        ):
            answers = []
            for one in (known, never):
                headers = {**callers[name].headers, "Accept": accept}
                answer = served.client.get(route.replace("NAME", quote(one, safe="")), headers=headers)
                answers.append(told(answer, one, one[:60]))
            assert answers[0] == answers[1], (route, known)


@pytest.mark.parametrize("name", STRANGERS)
@pytest.mark.parametrize("label", ["draft", "draft beside it", "draft before it was published", "archived"])
def test_model_record_that_no_visible_item_points_to_is_answered_as_one_that_never_was(
    served: Served, planted: Planted, callers: Mapping[str, Caller], label: str, name: str
) -> None:
    model = planted.sown[label].model
    for form, condition in product((None, "turtle", "n-quads", "pdf"), (None, "*")):
        headers = {**callers[name].headers, **({"If-None-Match": condition} if condition else {})}
        parameters = {"format": form} if form else {}
        hidden, absent = (
            told(served.client.get(f"/v1/models/{one}", params=parameters, headers=headers), one)
            for one in (model, NO_MODEL)
        )
        assert hidden == absent, form


def written(served: Served, planted: Planted, names: tuple[str, ...]) -> Iterator[tuple[str, Question]]:
    """Yield the writes to some passports, with what each is about."""
    for name in names:
        for question in Questions(planted, served.app.openapi(), [name]).writing():
            if "/models/" not in question.path:
                yield name, question


@pytest.mark.parametrize("name", [*OTHERS, "reader", "revoked"])
def test_who_may_not_write_learns_nothing_by_trying(
    served: Served, planted: Planted, callers: Mapping[str, Caller], revoked: Caller, name: str
) -> None:
    """Whether something stands there, or stood, or never did: one answer for each way to write."""
    caller = {**callers, "revoked": revoked}[name]
    answers: dict[tuple[str, str], set[Told]] = {}
    before = served.home.sequence
    for passport, question in written(served, planted, (*planted.numbers, NEVER)):
        answer = asked(served, caller, question)
        key = (question.operation, str(question.parameters))
        answers.setdefault(key, set()).add(told(answer, *names_of(planted, passport)))
    assert {key: len(some) for key, some in answers.items()} == dict.fromkeys(answers, 1)
    assert {status for some in answers.values() for status, *_ in some} <= {401, 403}
    assert served.home.sequence == before


@pytest.mark.parametrize("hidden", HIDDEN)
def test_right_to_erase_tells_nothing_of_what_its_holder_may_not_read(
    served: Served, planted: Planted, callers: Mapping[str, Caller], hidden: str
) -> None:
    before = served.home.sequence
    answers = []
    for name in (hidden, NEVER):
        path = f"/v1/dpps/{planted.identifier(name)}/erase"
        answer = served.client.post(path, headers=callers["administrator"].headers)
        answers.append(told(answer, *names_of(planted, name)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert served.home.sequence == before


@pytest.mark.parametrize("name", OTHERS)
def test_passport_with_a_draft_beside_it_is_answered_as_one_without(
    served: Served, planted: Planted, callers: Mapping[str, Caller], name: str
) -> None:
    for path in ("/v1/dpps/ID?stage=draft", "/v1/dpps/ID?stage=draft&format=turtle"):
        answers = []
        for passport in ("with a draft", "published", NEVER):
            answer = served.client.get(
                path.replace("ID", planted.identifier(passport)), headers=callers[name].headers
            )
            answers.append(told(answer, *names_of(planted, passport)))
        assert answers[0] == answers[1] == answers[2]
    listed = served.client.get("/v1/dpps", headers=callers[name].headers).json()["items"]
    ids = {planted.identifier(passport) for passport in ("with a draft", "published")}
    assert {one["id"] for one in listed} == ids
    assert {one["stage"] for one in listed} == {"published"}
    assert {identifier for one in listed for identifier in one["identifiers"]} == {
        *(f"urn:uuid:{one}" for one in ids),
        planted.product("published"),
        planted.product("with a draft"),
    }
