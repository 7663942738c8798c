"""A change that an audience may not see changes no answer to it: not a byte, not a tag, not a version."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from battpass.kg.graphs import AccessClass
from battpass.kg.home import Home
from battpass.kg.journal.entry import Stage
from benchmarks.campaigns import Campaign
from tests.api.conftest import Served, serving
from tests.leak.planting import ALL_TO_THE_OWNER, OTHERS, READERS, Planted, Sown
from tests.leak.questions import Question, Questions

Answers = list[tuple[str, int, str, list[tuple[str, str]]]]


@pytest.fixture
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    with Home.open(tmp_path_factory.mktemp("quiet") / "home", create=True) as home:
        planted = Planted(home)
        home.put(planted.sow("published", READERS).arrival, **planted.note("published"))
        yield planted


def with_other_parts(sown: Sown, other: Sown, *classes: AccessClass) -> Sown:
    """Return a state with the parts of the item that are of some access classes from another state."""
    item = {**sown.arrival.item, **{access: other.arrival.item[access] for access in classes}}
    return replace(sown, arrival=replace(sown.arrival, item=item))


def answers(served: Served, questions: list[Question], name: str) -> Answers:
    """Return all that is told to a caller, but for numbers of requests."""
    found: Answers = []
    for question in questions:
        answer = served.client.request(
            question.method, question.address, headers={**question.headers, **served.key(name, "read")}
        )
        text = answer.text.replace(answer.headers["x-request-id"], "N")
        headers = [one for one in answer.headers.multi_items() if one[0] not in ("date", "x-request-id")]
        asked = f"{question.method} {question.address} {question.headers}"
        found.append((asked, answer.status_code, text, sorted(headers)))
    return found


def drawn(questions: Questions, campaign: Campaign) -> list[Question]:
    """Return questions about passports: all in a full run, else some for each route, the plainest first."""
    ways: dict[str, list[Question]] = {}
    for question in questions.reading():
        if question.path.startswith(("/v1", "/p/")) or question.path == "/":
            ways.setdefault(question.operation, []).append(question)
    chosen = []
    for operation, some in ways.items():
        rest = some[1:]
        most = len(rest) if campaign.full else 3
        chosen += [some[0], *campaign.random(operation).sample(rest, min(most, len(rest)))]
    return chosen


def test_drafts_and_changes_in_graphs_of_others_leave_no_trace(quiet: Planted, campaign: Campaign) -> None:
    home, first = quiet.home, quiet.sown["published"]
    beside = quiet.sow("published", ALL_TO_THE_OWNER, "draft")
    residue = with_other_parts(first, beside, AccessClass.DOCUMENT)
    item = with_other_parts(residue, beside, AccessClass.ITEM)
    with serving(home, ready=False) as served:
        questions = drawn(Questions(quiet, served.app.openapi(), ["published"]), campaign)
        # The moments that the questions name are those of the versions that there are now.
        before = {name: answers(served, questions, name) for name in OTHERS}

        home.put(beside.arrival, stage=Stage.DRAFT, **quiet.note("draft"))
        for name in OTHERS:
            assert answers(served, questions, name) == before[name], f"{name} sees that there is a draft"

        home.put(residue.arrival, **quiet.note("residue"))
        for name in OTHERS:
            assert answers(served, questions, name) == before[name], f"{name} sees that residue changed"

        home.put(item.arrival, **quiet.note("item"))
        for name in ("public", "authority"):
            assert answers(served, questions, name) == before[name], f"{name} sees that the battery aged"
        assert answers(served, questions, "interest") != before["interest"]
