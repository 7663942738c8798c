"""What each audience is told of a passport at each stage of its life, as tables."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from battpass.kg.errors import NotFound
from battpass.kg.home import Home, Stage
from battpass.kg.journal.parts import graphs_of
from tests.home.lives import ERRORS, LIVES, Life, cases, given, live, rows
from tests.home.plain import AUDIENCES, cut
from tests.home.small import PASSES, battery, lines

# What an answer tells: the numbers of versions, or that something was found.
Answer = str


@dataclass
class Told:
    """A passport at a stage of its life, and the time of each of its entries."""

    home: Home
    life: Life

    def time(self, version: int) -> datetime:
        return self.home.journal.history(self.life.name)[version - 1].time

    def now(self) -> datetime:
        return max(one.time for one in self.home.journal.entries())


Reading = Callable[[Told, str], Answer]


def stands(**asked: Any) -> Reading:
    """Ask for the entry, the state and the passport: all are of one version, and cut to the audience.

    A value that is a function gets the passport that is asked for.
    """

    def told(of: Told, audience: str) -> Answer:
        if of.life.last == 0 and "at" in asked:
            wanted = {"at": of.now()}
        else:
            wanted = {name: one(of) if callable(one) else one for name, one in asked.items()}
        home, name = of.home, of.life.name
        entry = home.entry(name, audience, **wanted)
        whole = given(of.life.number, entry.version)
        state = home.state(name, audience, **wanted)
        assert lines(state.item) == cut(lines(whole.item), audience)
        assert lines(state.model_parts) == cut(lines(whole.model_parts), audience)
        assert (state.record, state.model) == (entry.record, entry.model) == (name, whole.model)
        passport = home.passport(name, audience, **wanted)
        assert passport.item_graphs == graphs_of(state.item)
        assert passport.model_graphs == graphs_of(state.model_parts)
        assert entry.identifiers == whole.identifiers
        return str(entry.version)

    return told


def found_by(name: Callable[[Life], str]) -> Reading:
    def told(of: Told, audience: str) -> Answer:
        assert of.home.find(name(of.life), audience) == of.life.name
        return "found"

    return told


def versions(of: Told, audience: str) -> Answer:
    return " ".join(str(one.version) for one in of.home.versions(of.life.name, audience))


def listed(of: Told, audience: str) -> Answer:
    is_listed = of.life.name in set(of.home.records(audience))
    assert is_listed == (of.life.name in {one.record for one in of.home.entries(audience)})
    return "found" if is_listed else "-"


def original(version: int | None = None) -> Reading:
    def told(of: Told, audience: str) -> Answer:
        return of.home.original(of.life.name, version).decode().removeprefix("document ")

    return told


def report(version: int | None = None) -> Reading:
    def told(of: Told, audience: str) -> Answer:
        assert of.home.report(of.life.name, version) == PASSES
        return "found"

    return told


def before(of: Told) -> datetime:
    return of.time(1) - timedelta(microseconds=1)


def first(of: Told) -> datetime:
    return of.time(1)


READINGS: dict[str, Reading] = {
    "listed": listed,
    "find": found_by(lambda life: life.name),
    "find by its UUID": found_by(lambda life: life.name.rpartition("/")[2].upper()),
    "find by its battery": found_by(lambda life: battery(life.number)),
    "find by a name of version 1": found_by(lambda life: f"NAME-{life.number}-1"),
    "find by a name of version 2": found_by(lambda life: f"NAME-{life.number}-2"),
    "what stands": stands(),
    "its draft": stands(stage=Stage.DRAFT),
    "what is published": stands(stage=Stage.PUBLISHED),
    "what is archived": stands(stage=Stage.ARCHIVED),
    "version 1": stands(version=1),
    "version 1, as a draft": stands(version=1, stage=Stage.DRAFT),
    "version 1, as published": stands(version=1, stage=Stage.PUBLISHED),
    "version 2": stands(version=2),
    "version 2, as a draft": stands(version=2, stage=Stage.DRAFT),
    "version 9": stands(version=9),
    "before all": stands(at=before),
    "at its first entry": stands(at=first),
    "its draft at its first entry": stands(at=first, stage=Stage.DRAFT),
    "now": stands(at=Told.now),
    "its draft now": stands(at=Told.now, stage=Stage.DRAFT),
    "version 2 at its first entry": stands(at=first, version=2),
    "versions": versions,
}
# Documents and reports are kept for the owner alone, so these take no audience.
KEPT: dict[str, Reading] = {
    "document": original(),
    "document of version 1": original(1),
    "document of version 2": original(2),
    "document of version 9": original(9),
    "report": report(),
    "report on version 1": report(1),
    "report on version 2": report(2),
}

# What the owner is told, and everybody else; `-`: nothing has that name, `no`: there is nothing like that.
ALIVE = """
                             | none  | draft     | published     | both
listed                       | - / - | found / - | found / found | found / found
find                         | - / - | found / - | found / found | found / found
find by its UUID             | - / - | found / - | found / found | found / found
find by its battery          | - / - | found / - | found / found | found / found
find by a name of version 1  | - / - | found / - | found / found | found / found
find by a name of version 2  | - / - | - / -     | - / -         | found / -
what stands                  | - / - | 1 / -     | 1 / 1         | 1 / 1
its draft                    | - / - | 1 / -     | no / no       | 2 / no
what is published            | - / - | no / -    | 1 / 1         | 1 / 1
what is archived             | - / - | no / -    | no / no       | no / no
version 1                    | - / - | 1 / -     | 1 / 1         | 1 / 1
version 1, as a draft        | - / - | 1 / -     | no / no       | no / no
version 1, as published      | - / - | no / -    | 1 / 1         | 1 / 1
version 2                    | - / - | no / -    | no / no       | 2 / no
version 2, as a draft        | - / - | no / -    | no / no       | 2 / no
version 9                    | - / - | no / -    | no / no       | no / no
before all                   | - / - | no / -    | no / no       | no / no
at its first entry           | - / - | no / -    | 1 / 1         | 1 / 1
its draft at its first entry | - / - | 1 / -     | no / no       | no / no
now                          | - / - | no / -    | 1 / 1         | 1 / 1
its draft now                | - / - | 1 / -     | no / no       | 2 / no
version 2 at its first entry | - / - | no / -    | no / no       | no / no
versions                     | - / - | 1 / -     | 1 / 1         | 1 2 / 1
"""
# Whoever could see it before is told that it has ceased to exist.
ENDED = """
                             | archived draft | archived      | archived both | erased draft | erased
listed                       | - / -          | - / -         | - / -         | - / -        | - / -
find                         | found / -      | found / found | found / found | found / -    | found / found
find by its UUID             | found / -      | found / found | found / found | found / -    | found / found
find by its battery          | found / -      | found / found | found / found | - / -        | - / -
find by a name of version 1  | found / -      | found / found | found / found | - / -        | - / -
find by a name of version 2  | - / -          | - / -         | found / -     | - / -        | - / -
"""
OWNED = """
                             | none  | draft | published | both  | archived | archived both | erased
document                     | -     | 1     | 1         | 1     | gone     | gone          | gone
document of version 1        | -     | 1     | 1         | 1     | gone     | gone          | gone
document of version 2        | -     | none  | none      | 2     | gone     | gone          | gone
document of version 9        | -     | none  | none      | none  | gone     | gone          | gone
report                       | -     | found | found     | found | gone     | gone          | gone
report on version 1          | -     | found | found     | found | gone     | gone          | gone
report on version 2          | -     | none  | none      | found | gone     | gone          | gone
"""
GONE = [name for name in READINGS if name != "listed" and not name.startswith("find")]


@pytest.fixture(scope="module")
def lives() -> Iterator[dict[str, Told]]:
    """A passport at each stage, in one home."""
    with Home.in_memory() as home:
        yield {stage: Told(home, live(home, number, stage)) for number, stage in enumerate(LIVES, 1)}


def check(of: Told, reading: Reading, audience: str, cell: str) -> None:
    if cell == "-" and reading is listed:
        assert reading(of, audience) == cell
    elif cell in ERRORS:
        error, message = ERRORS[cell]
        with pytest.raises(error, match=message):
            reading(of, audience)
    else:
        assert reading(of, audience) == cell


def test_each_reading_is_in_the_tables() -> None:
    assert list(READINGS) == list(dict.fromkeys(name for name, _, _ in rows(ALIVE)))
    assert [name for name in READINGS if name not in GONE] == list(
        dict.fromkeys(name for name, _, _ in rows(ENDED))
    )
    assert list(KEPT) == list(dict.fromkeys(name for name, _, _ in rows(OWNED)))


@pytest.mark.parametrize(("reading", "stage", "cell"), cases(ALIVE, ENDED))
def test_what_is_told_of_a_stage(lives: dict[str, Told], reading: str, stage: str, cell: str) -> None:
    owner, others = cell.split(" / ")
    for audience in AUDIENCES:
        check(lives[stage], READINGS[reading], audience, owner if audience == "owner" else others)


@pytest.mark.parametrize("reading", GONE)
@pytest.mark.parametrize("stage", [stage for stage in LIVES if stage.startswith(("archived", "erased"))])
def test_what_has_ceased_to_exist_is_told_to_whoever_could_see_it(
    lives: dict[str, Told], reading: str, stage: str
) -> None:
    for audience in AUDIENCES:
        saw = audience == "owner" or not stage.endswith("draft")
        check(lives[stage], READINGS[reading], audience, "gone" if saw else "-")


@pytest.mark.parametrize(("reading", "stage", "cell"), cases(OWNED))
def test_documents_and_reports_are_kept_for_the_owner(
    lives: dict[str, Told], reading: str, stage: str, cell: str
) -> None:
    if cell == "none":
        with pytest.raises(NotFound, match=r"came without a (document|validation report). Export it"):
            KEPT[reading](lives[stage], "owner")
    else:
        check(lives[stage], KEPT[reading], "owner", cell)
