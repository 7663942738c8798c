"""A change made ready for the writing thread: compared with what stands, packed, and named by digests.

All that costs time is done here, on the thread of whoever writes. The one writing thread then only looks
whether the record is still where it was.
"""

import re
import sqlite3
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime

from battpass.kg.errors import Archived, Conflict
from battpass.kg.journal import store
from battpass.kg.journal.entry import Action, Entry, Note, Stage
from battpass.kg.journal.parts import Parts, difference, digest

# A state is written whole after this many changes, so that no old state is far from a start.
MOST_CHANGES = 64

_DIGEST = re.compile(rb"[0-9a-f]{64}")
_PENDING = datetime(1970, 1, 1, tzinfo=UTC)


class Stale(Conflict):
    """The record changed between looking and writing."""


@dataclass(frozen=True, slots=True)
class Change:
    """A record as it is to stand. `parts` is its state afterwards, empty for one that is archived.

    `expected` is the version that must stand, 0 for a record that must be new; None takes any. `model` is the
    model record of an item, empty for model records themselves.
    """

    record: str
    stage: Stage
    parts: Parts
    model: str = ""
    action: Action | None = None
    expected: int | None = None
    actor: str = ""
    note: Note = field(default_factory=Note)
    original: bytes = b""
    format: str = ""
    report: bytes = b""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change with its texts. `entry` lacks its sequence number, time and the hash of the one before.

    `after` is the sequence number that the record's last entry must have, 0 for a new record. `texts` are
    packed, by digest; those in `derived` are needed
    only while this state stands, those in `superseded` no more.
    """

    entry: Entry
    after: int
    texts: dict[str, bytes]
    derived: frozenset[str]
    superseded: frozenset[str]
    names: frozenset[str]


def prepare(connection: sqlite3.Connection, change: Change) -> Prepared | Entry:
    """Return a change ready to be written, or the entry that stands already and says the same.

    Raises
    ------
    Conflict, Archived
    """
    standing = store.standing(connection, change.record)
    last = store.last_entry(connection, change.record) if standing else None
    _check(change, standing, last)
    newest = max(standing.values(), key=lambda entry: entry.sequence, default=None)
    if change.action is Action.MODEL and newest is not None:
        return newest
    digests = {access: digest(part) for access, part in change.parts.items()}
    base, added, removed = _difference(connection, change, newest)
    kept = {digest(part): part for part in (*added.values(), *removed.values())}
    for part in (change.original, change.report, change.note.text()):
        if part:
            kept[digest(part)] = part
    before = standing.get(change.stage)
    if before is None and change.stage is Stage.DRAFT:
        before = newest  # a draft that says what is published is none
    entry = Entry(
        0,
        "",
        _PENDING,
        change.record,
        last.version + 1 if last else 1,
        change.action or _action(change, standing),
        change.stage,
        actor=change.actor,
        model=change.model,
        base=base.sequence if base else 0,
        depth=base.depth + 1 if base else 0,
        added={access: digest(part) for access, part in added.items()},
        removed={access: digest(part) for access, part in removed.items()},
        state=digests,
        original=digest(change.original) if change.original else "",
        format=change.format,
        report=digest(change.report) if change.report else "",
        checked=bool(change.report),
        note=digest(change.note.text()) if change.note.text() else "",
        erased=_erasable(connection, change.record) if change.action is Action.ERASE else (),
        told=change.note,
    )
    if before is not None and change.action is None and _same(before, entry, standing):
        return store.with_note(connection, before)
    states = {digests[access]: part for access, part in change.parts.items()}
    left = [
        one for stage, one in standing.items() if stage is Stage.PUBLISHED and change.stage is Stage.DRAFT
    ]
    still = {name for one in left for name in one.state.values()} | set(digests.values())
    superseded = {name for one in standing.values() for name in one.state.values()} - still
    return Prepared(
        entry,
        last.sequence if last else 0,
        {name: zlib.compress(part) for name, part in {**states, **kept}.items()},
        frozenset(states.keys() - kept.keys()),
        frozenset(superseded),
        names_of(entry),
    )


def _check(change: Change, standing: dict[Stage, Entry], last: Entry | None) -> None:
    if Stage.ARCHIVED in standing and change.action is not Action.ERASE:
        raise Archived(f"{change.record} has ceased to exist. A battery that lives on gets a new passport.")
    version = last.version if last else 0
    if change.expected is not None and change.expected != version:
        raise Conflict(
            f"{change.record} is at version {version}, not {change.expected}. Read it again, and send the "
            "change for what stands there now."
        )


def _difference(
    connection: sqlite3.Connection, change: Change, newest: Entry | None
) -> tuple[Entry | None, Parts, Parts]:
    """Return the entry to start from, and the lines that come and go; none where all is written."""
    if change.stage is Stage.ARCHIVED:
        return newest, {}, {}
    if newest is None or newest.depth + 1 >= MOST_CHANGES:
        return None, change.parts, {}
    return newest, *difference(store.state(connection, newest), change.parts)


def _action(change: Change, standing: dict[Stage, Entry]) -> Action:
    if change.stage is Stage.ARCHIVED:
        return Action.ARCHIVE
    if not standing:
        return Action.CREATE
    return Action.PUBLISH if change.stage is Stage.PUBLISHED and Stage.DRAFT in standing else Action.CHANGE


def _same(before: Entry, after: Entry, standing: dict[Stage, Entry]) -> bool:
    """Whether nothing would change: the same state from the same document, and no draft to be published."""
    if after.stage is Stage.PUBLISHED and Stage.DRAFT in standing:
        return False
    return (before.state, before.model, before.original, before.format) == (
        after.state,
        after.model,
        after.original,
        after.format,
    )


def _erasable(connection: sqlite3.Connection, record: str) -> tuple[str, ...]:
    """Return the digests of all texts of a record that no other record's entries name."""
    own: set[str] = set()
    for entry in store.entries_of(connection, record):
        own |= entry.texts | set(entry.state.values())
    shared: set[str] = set()
    for (line,) in connection.execute("SELECT line FROM entries WHERE record <> ?", (record,)):
        shared |= own & {found.decode() for found in _DIGEST.findall(line)}
    return tuple(sorted(own - shared))


def names_of(entry: Entry) -> frozenset[str]:
    """Return what leads to the record: identifiers, and the document that it came from."""
    document = {f"sha256:{entry.original}"} if entry.original else set()
    return frozenset(document | set(entry.identifiers))
