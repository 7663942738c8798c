"""An entry is one line of JSON; its hash covers every member, and a line is read back as it was."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battpass.kg.graphs import AccessClass, Finding, Severity
from battpass.kg.journal.entry import GENESIS, Action, Entry, Note, Stage
from battpass.kg.journal.parts import digest

DIGESTS = st.dictionaries(
    st.sampled_from(AccessClass), st.integers(0, 9).map(lambda n: digest(b"%d" % n)), max_size=5
)
ENTRIES = st.builds(
    Entry,
    sequence=st.integers(1, 2**40),
    previous=st.sampled_from([GENESIS, digest(b"before")]),
    time=st.datetimes(datetime(2026, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    record=st.text(min_size=1),
    version=st.integers(1, 10**6),
    action=st.sampled_from(Action),
    stage=st.sampled_from(Stage),
    actor=st.text(),
    model=st.text(),
    base=st.integers(0, 2**40),
    depth=st.integers(0, 64),
    added=DIGESTS,
    removed=DIGESTS,
    state=DIGESTS,
    original=st.sampled_from(["", digest(b"original")]),
    format=st.text(),
    report=st.sampled_from(["", digest(b"report")]),
    checked=st.booleans(),
    note=st.sampled_from(["", digest(b"note")]),
    erased=st.lists(st.just(digest(b"gone"))).map(tuple),
)


def possible(entry: Entry) -> Entry:
    """Return an entry whose state can follow: where lines only came, something stands afterwards."""
    return (
        replace(entry, state=entry.added) if entry.added and not entry.removed and not entry.state else entry
    )


@given(ENTRIES.map(possible))
def test_a_line_is_read_back_as_it_was(entry: Entry) -> None:
    line = entry.line()
    assert Entry.read(line) == entry
    assert Entry.read(line).line() == line
    assert entry.hash == digest(line)


@given(ENTRIES)
def test_a_line_is_one_line_of_plain_ascii_without_its_own_hash(entry: Entry) -> None:
    line = entry.line()
    assert b"\n" not in line and line.isascii()
    assert entry.hash.encode() not in line
    assert list(json.loads(line)) == sorted(json.loads(line))


BASIC = Entry(
    7,
    digest(b"before"),
    datetime(2026, 11, 21, 10, tzinfo=UTC),
    "urn:x:record",
    3,
    Action.CHANGE,
    Stage.PUBLISHED,
    actor="anna",
    model="urn:x:model",
    base=6,
    depth=2,
    added={AccessClass.ITEM: digest(b"added")},
    removed={AccessClass.ITEM: digest(b"removed")},
    state={AccessClass.ITEM: digest(b"state")},
    original=digest(b"original"),
    format="battery_pass-6.1.0",
    report=digest(b"report"),
    checked=True,
    note=digest(b"note"),
    erased=(digest(b"gone"),),
)
OTHERWISE = {
    "sequence": 8,
    "previous": GENESIS,
    "time": datetime(2026, 11, 21, 10, 0, 0, 1, tzinfo=UTC),
    "record": "urn:x:other",
    "version": 4,
    "action": Action.MOVE,
    "stage": Stage.DRAFT,
    "actor": "",
    "model": "urn:x:other-model",
    "base": 5,
    "depth": 3,
    "added": {AccessClass.PUBLIC: digest(b"added")},
    "removed": {},
    "state": {},
    "original": "",
    "format": "battery_pass-6.0.0",
    "report": "",
    "checked": False,
    "note": "",
    "erased": (),
}


def test_the_table_of_other_values_names_every_member() -> None:
    assert OTHERWISE.keys() == {one.name for one in fields(Entry)} - {"told"}


@pytest.mark.parametrize("member", OTHERWISE)
def test_every_member_is_hashed(member: str) -> None:
    assert replace(BASIC, **{member: OTHERWISE[member]}).hash != BASIC.hash


def test_the_content_of_the_note_is_hashed_by_its_digest_alone() -> None:
    assert replace(BASIC, told=Note(reason="because")).hash == BASIC.hash


def test_a_time_is_hashed_as_the_moment_that_it_is() -> None:
    elsewhere = BASIC.time.astimezone(timezone(timedelta(hours=9)))
    assert replace(BASIC, time=elsewhere).hash == BASIC.hash


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"text"',
        b"\xff",
        BASIC.line()[:-1],
        BASIC.line().replace(b'"change"', b'"steal"'),
        BASIC.line().replace(b'"item"', b'"anybody"'),
        BASIC.line().replace(b"{", b'{"unknown":1,', 1),
        BASIC.line().replace(b"2026-11-21", b"yesterday"),
    ],
    ids=["nothing", "empty", "list", "null", "text", "bytes", "cut", "action", "class", "member", "time"],
)
def test_what_is_no_line_of_an_entry_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        Entry.read(line)


FINDING = Finding(
    "code", Severity.WARNING, "field", "/pointer", "found", "allowed", "mend", node="urn:x:node"
)


@given(
    st.builds(Note, st.text(), st.text(), st.lists(st.text()).map(tuple), st.sampled_from([(), (FINDING,)]))
)
def test_a_note_is_read_back_as_it_was(note: Note) -> None:
    assert Note.read(note.text()) == note


def test_an_empty_note_has_no_text() -> None:
    assert Note().text() == b""
    assert Note.read(b"") == Note()
