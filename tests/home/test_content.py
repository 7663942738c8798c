"""Datasets stand at one moment of the journal, however they got there and whatever is written meanwhile."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from battpass.kg.home import Home, Stage, datasets
from battpass.kg.home.content import Content, Touched
from battpass.kg.home.queries import Queries
from tests.home.small import PASSES, arrival, model, model_said, record, text

VALUES = "SELECT ?v { ?battery <https://example.org/value> ?v } ORDER BY ?v"
MODELS = "SELECT DISTINCT ?m { ?battery <https://example.org/model> ?m } ORDER BY ?m"


def rows(queries: Queries, question: str = VALUES) -> list[int]:
    return [int(row) for row in queries.query(question, "csv").read().split()[1:]]


@pytest.fixture
def home() -> Iterator[Home]:
    with Home.in_memory() as made:
        made.put_many([arrival(1, 0), arrival(2, 0)])
        yield made


def test_a_write_in_the_middle_of_building_shows_whole(home: Home) -> None:
    def watch(records: Iterable[str], total: int) -> Iterator[str]:
        first, second = records
        yield first
        home.put_many([arrival(1, 5), arrival(2, 5), arrival(3, 5)])
        yield second

    assert rows(home.dataset("public", watch)) == [5, 5, 5]
    assert home.shown("public") == home.sequence


def test_the_end_of_a_passport_in_the_middle_of_building_shows(home: Home) -> None:
    def watch(records: Iterable[str], total: int) -> Iterator[str]:
        for name in records:
            yield name
            home.archive(name)

    assert rows(home.dataset("public", watch)) == []
    assert rows(home.dataset("public"), MODELS) == []


def test_a_moment_of_the_journal_stays_as_it_is(home: Home) -> None:
    with home.journal.at_one_moment() as moment:
        before, content = moment.head, Content(moment, home.audience("public"))
        home.put_many([arrival(2, 1, of=2), arrival(3, 1)])
        home.archive(record(1))
        assert moment.head == before != home.journal.head
        assert content.items() == {record(1): model(1), record(2): model(1)}
        assert not moment.is_writable
    assert Content(home.journal, home.audience("public")).items() == {
        record(2): model(2),
        record(3): model(1),
    }


@pytest.mark.parametrize("at_one_moment", [0, 100], ids=["in two goes", "in one go"])
@pytest.mark.parametrize("audience", ["public", "owner"])
def test_a_dataset_that_followed_holds_what_one_built_anew_holds(
    home: Home, monkeypatch: pytest.MonkeyPatch, at_one_moment: int, audience: str
) -> None:
    monkeypatch.setattr(datasets, "MOST_AT_ONE_MOMENT", at_one_moment)
    dataset = home.dataset(audience)
    home.put(arrival(1, 1, of=2))
    home.put(arrival(2, 2, of=3), stage=Stage.DRAFT)
    home.put(arrival(3, 3, of=4), stage=Stage.DRAFT)
    home.put(arrival(4, 4, of=2))
    assert home.dataset(audience) is dataset
    home.archive(record(4))
    home.publish(record(2), report=PASSES)
    followed = home.dataset(audience).digest()
    assert rows(dataset) == ([1, 2, 3] if audience == "owner" else [1, 2])
    assert rows(dataset, MODELS) == ([2, 3, 4] if audience == "owner" else [2, 3])
    home.rebuild()
    assert home.dataset(audience).digest() == followed


def test_what_entries_touch_names_the_models_that_may_go(home: Home) -> None:
    begun = home.sequence
    home.put(arrival(1, 1, of=2))
    home.archive(record(2))
    touched = Content(home.journal, home.audience("public")).touched(begun, home.sequence)
    assert touched == Touched((record(1), record(2)), (model(2), model(1)))


def test_a_model_that_only_a_draft_beside_what_stands_points_to_is_not_held(home: Home) -> None:
    home.put(arrival(1, 1, of=2), stage=Stage.DRAFT)
    owner = Content(home.journal, home.audience("owner"))
    held = dict(owner.texts([], [model(1), model(2)]))
    assert held[model(2)] == {} != held[model(1)]
    home.put(arrival(3, 1, of=2), stage=Stage.DRAFT)
    assert dict(owner.texts([], [model(2)]))[model(2)] != {}
    public = Content(home.journal, home.audience("public"))
    assert dict(public.texts([record(3)], [model(2)])) == {model(2): {}, record(3): {}}


def test_a_model_record_is_what_it_was_when_it_first_came(home: Home) -> None:
    """Its name is the digest of its content, so another content under that name is none of ours."""
    other = replace(arrival(3, 1), model_parts=text(model_said(2)))
    home.put(other)
    assert home.state(record(3)).model_parts == home.state(record(1)).model_parts == text(model_said(1))
