"""What may be done to a passport at each stage of its life, as a table."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from battpass.kg.errors import Unpublishable
from battpass.kg.home import Home, Stage, Written
from tests.home.lives import ERRORS, LIVES, Life, cases, given, live, rows
from tests.home.small import BLOCKS, PASSES

DRAFT, PUBLISHED = Stage.DRAFT, Stage.PUBLISHED

Operation = Callable[[Home, Life], Written]
NEW = 9


def put(stage: Stage, *, same: bool = False, report: bytes = PASSES, trusted: bool = False) -> Operation:
    def done(home: Home, life: Life) -> Written:
        said = given(life.number, (life.says or 1) if same else NEW, report)
        return home.put(said, stage=stage, trusted=trusted)

    return done


def change(stage: Stage, off: int | None, *, same: bool = False) -> Operation:
    """Put a state for a version that is `off` the one that stands, or for none."""

    def done(home: Home, life: Life) -> Written:
        said = given(life.number, (life.says or 1) if same else NEW)
        return home.put(said, stage=stage, expected=0 if off is None else life.last + off)

    return done


def publish(report: bytes, off: int | None = None) -> Operation:
    def done(home: Home, life: Life) -> Written:
        expected = None if off is None else life.last + off
        return home.publish(life.name, report=report, expected=expected)

    return done


def archive(off: int | None = None) -> Operation:
    def done(home: Home, life: Life) -> Written:
        return home.archive(life.name, expected=None if off is None else life.last + off)

    return done


OPERATIONS: dict[str, Operation] = {
    "keep a draft": put(DRAFT),
    "keep a draft, not checked": put(DRAFT, report=b""),
    "keep a draft with violations": put(DRAFT, report=BLOCKS),
    "keep the same as a draft": put(DRAFT, same=True),
    "put": put(PUBLISHED),
    "put the same": put(PUBLISHED, same=True),
    "put, not checked": put(PUBLISHED, report=b""),
    "put, vouched for": put(PUBLISHED, report=b"", trusted=True),
    "put with violations": put(PUBLISHED, report=BLOCKS),
    "put violations, vouched for": put(PUBLISHED, report=BLOCKS, trusted=True),
    "put as new": change(PUBLISHED, None),
    "keep a draft as new": change(DRAFT, None),
    "change": change(PUBLISHED, 0),
    "change in a draft": change(DRAFT, 0),
    "change an old version": change(PUBLISHED, -1),
    "change an old one in a draft": change(DRAFT, -1),
    "change a version to come": change(PUBLISHED, 1),
    "put the same for an old one": change(PUBLISHED, -1, same=True),
    "publish": publish(PASSES),
    "publish this draft": publish(PASSES, 0),
    "publish an old draft": publish(PASSES, -1),
    "publish, not checked": publish(b""),
    "publish violations": publish(BLOCKS),
    "archive": archive(),
    "archive this version": archive(0),
    "archive an old version": archive(-1),
    "erase": lambda home, life: home.erase(life.name),
}

# `new` is version 1, `next` the version after the last, `same` the one that stands: nothing is written.
ALIVE = """
                             | none           | draft          | published      | both
keep a draft                 | new draft      | next draft     | next draft     | next draft
keep a draft, not checked    | new draft      | next draft     | next draft     | next draft
keep a draft with violations | new draft      | next draft     | next draft     | next draft
keep the same as a draft     | new draft      | same draft     | same published | same draft
put                          | new published  | next published | next published | next published
put the same                 | new published  | next published | same published | next published
put, not checked             | unchecked      | unchecked      | unchecked      | unchecked
put, vouched for             | new published  | next published | next published | next published
put with violations          | violates       | violates       | violates       | violates
put violations, vouched for  | violates       | violates       | violates       | violates
put as new                   | new published  | stale          | stale          | stale
keep a draft as new          | new draft      | stale          | stale          | stale
change                       | new published  | next published | next published | next published
change in a draft            | new draft      | next draft     | next draft     | next draft
change an old version        | stale          | stale          | stale          | stale
change an old one in a draft | stale          | stale          | stale          | stale
change a version to come     | stale          | stale          | stale          | stale
put the same for an old one  | stale          | stale          | stale          | stale
publish                      | -              | next published | same published | next published
publish this draft           | -              | next published | same published | next published
publish an old draft         | -              | stale          | same published | stale
publish, not checked         | -              | unchecked      | same published | unchecked
publish violations           | -              | violates       | same published | violates
archive                      | -              | next archived  | next archived  | next archived
archive this version         | -              | next archived  | next archived  | next archived
archive an old version       | -              | stale          | stale          | stale
erase                        | -              | in use         | in use         | in use
"""
# Whatever it was before: what has ceased to exist stays so, and what is refused for itself is refused first.
REFUSED = {
    "put, not checked": "unchecked",
    "put with violations": "violates",
    "put violations, vouched for": "violates",
}


def ended() -> list[object]:
    found = []
    for stage in (name for name in LIVES if name.startswith(("archived", "erased"))):
        for name in OPERATIONS:
            cell = REFUSED.get(name, "gone")
            if name == "erase":
                cell = "next archived" if stage.startswith("archived") else "same archived"
            found.append(pytest.param(name, stage, cell, id=f"{name}, {stage}"))
    return found


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Home]:
    with Home.in_memory() as home:
        yield home


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return count(1)


def test_each_operation_is_in_the_table() -> None:
    assert list(OPERATIONS) == list(dict.fromkeys(name for name, _, _ in rows(ALIVE)))


@pytest.mark.parametrize(("operation", "stage", "cell"), cases(ALIVE) + ended())
def test_what_may_be_done_at_a_stage(
    shared_home: Home, numbers: Iterator[int], operation: str, stage: str, cell: str
) -> None:
    home, life = shared_home, live(shared_home, next(numbers), stage)
    before, history = home.sequence, home.journal.history(life.name)
    if cell in ERRORS:
        error, message = ERRORS[cell]
        with pytest.raises(error, match=message) as told:
            OPERATIONS[operation](home, life)
        assert not isinstance(told.value, Unpublishable) or told.value.report == (
            BLOCKS if cell == "violates" else b""
        )
        assert (home.sequence, home.journal.history(life.name)) == (before, history)
        return
    outcome, stands = cell.split()
    written = OPERATIONS[operation](home, life)
    assert (written.record, written.stage) == (life.name, Stage(stands))
    assert written.outcome == {"new": "added", "next": "replaced", "same": "unchanged"}[outcome]
    entry = home.journal.entry(written.sequence)
    assert entry is not None
    assert (entry.record, entry.version, entry.stage) == (life.name, written.version, written.stage)
    assert home.journal.standing(life.name)[written.stage] == entry
    if outcome == "same":
        assert (home.sequence, home.journal.history(life.name)) == (before, history)
        assert written.version == life.last if stands == "archived" else written.version <= life.last
    else:
        assert written.version == life.last + 1
        assert [one.version for one in home.journal.history(life.name)] == list(range(1, life.last + 2))
