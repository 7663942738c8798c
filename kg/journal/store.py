"""What stands in a journal file: entries, texts and states, each checked when it is read."""

import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import replace

from battpass.kg.errors import DamagedHome
from battpass.kg.graphs import AccessClass
from battpass.kg.journal.entry import Entry, Note, Stage
from battpass.kg.journal.parts import Parts, applied, digest


def damaged(what: str) -> DamagedHome:
    """Return the error for something that is not what was written."""
    return DamagedHome(
        f"{what}. Look with `battpass journal verify`, and bring the home back from a backup; what is "
        "derived can be made anew with `battpass rebuild`."
    )


def read_entry(line: bytes, hash: bytes) -> Entry:
    """Return an entry whose line has the hash that stands beside it."""
    if not isinstance(line, bytes) or not isinstance(hash, bytes) or digest(line) != hash.hex():
        raise damaged(f"An entry of the journal does not have its hash: {line!r:.60}")
    try:
        return Entry.read(line)
    except ValueError as error:
        raise damaged(f"An entry of the journal cannot be read: {error}") from None


def entry_at(connection: sqlite3.Connection, sequence: int) -> Entry | None:
    """Return the entry with a sequence number."""
    row = connection.execute("SELECT line, hash FROM entries WHERE sequence = ?", (sequence,)).fetchone()
    entry = read_entry(*row) if row else None
    if entry is not None and entry.sequence != sequence:
        raise damaged(f"Entry {sequence} stands in the place of entry {entry.sequence}")
    return entry


def last_entry(connection: sqlite3.Connection, record: str | None = None) -> Entry | None:
    """Return the last entry, or the last of a record."""
    where, values = ("", ()) if record is None else ("WHERE record = ?", (record,))
    row = connection.execute(
        f"SELECT sequence FROM entries {where} ORDER BY sequence DESC LIMIT 1", values
    ).fetchone()
    return entry_at(connection, row[0]) if row else None


def entries_of(connection: sqlite3.Connection, record: str) -> Iterator[Entry]:
    """Yield the entries of a record, the oldest first."""
    rows = connection.execute("SELECT line, hash FROM entries WHERE record = ? ORDER BY sequence", (record,))
    for row in rows.fetchall():
        yield read_entry(*row)


def standing(connection: sqlite3.Connection, record: str) -> dict[Stage, Entry]:
    """Return the entries whose states stand for a record, by stage."""
    rows = connection.execute(
        "SELECT c.stage, e.line, e.hash FROM current c LEFT JOIN entries e ON e.sequence = c.sequence "
        "WHERE c.record = ?",
        (record,),
    ).fetchall()
    found = {}
    for stage, line, hash in rows:
        if line is None:
            raise damaged(f"The present state of {record} leads to no entry")
        entry = read_entry(line, hash)
        if entry.record != record or entry.stage != stage:
            raise damaged(f"The present state of {record} leads to entry {entry.sequence}, of {entry.record}")
        found[entry.stage] = entry
    return found


def text(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Return the text with a digest, None where it is not there.

    Raises
    ------
    DamagedHome
        If it does not have that digest.
    """
    row = connection.execute("SELECT data FROM texts WHERE digest = ?", (bytes.fromhex(name),)).fetchone()
    if row is None:
        return None
    try:
        data = zlib.decompress(row[0])
    except (zlib.error, TypeError) as error:  # a flipped bit can make a number or a text of it
        raise damaged(f"The text {name[:12]} does not unpack ({error})") from None
    if digest(data) != name:
        raise damaged(f"The text {name[:12]} does not have its digest")
    return data


def needed(connection: sqlite3.Connection, name: str, of: Entry) -> bytes:
    """Return the text with a digest; one that is missing is damage, unless it was erased."""
    found = text(connection, name) if name else b""
    if found is None:
        raise damaged(f"The text {name[:12]} of entry {of.sequence} ({of.record}) is missing")
    return found


def with_note(connection: sqlite3.Connection, entry: Entry) -> Entry:
    """Return an entry with the content of its note, as far as that was not erased."""
    note = text(connection, entry.note) if entry.note else None
    return replace(entry, told=Note.read(note)) if note else entry


def state(
    connection: sqlite3.Connection, entry: Entry, classes: frozenset[AccessClass] | None = None
) -> Parts:
    """Return the state after an entry, of all access classes or some."""
    wanted = [
        access for access in AccessClass if access in entry.state and (classes is None or access in classes)
    ]
    found = {}
    for access in wanted:
        one = text(connection, entry.state[access])
        if one is None:
            return {access: part for access, part in _replayed(connection, entry).items() if access in wanted}
        found[access] = one
    return found


def _replayed(connection: sqlite3.Connection, entry: Entry) -> Parts:
    """Return the state after an entry whose texts are not kept: from the nearest start, change by change."""
    chain = [entry]
    while chain[-1].base:
        base = entry_at(connection, chain[-1].base)
        if base is None or base.record != entry.record or base.sequence >= chain[-1].sequence:
            raise damaged(
                f"Entry {chain[-1].sequence} starts from entry {chain[-1].base}, which is not its own"
            )
        chain.append(base)
    parts: Parts = {}
    for one in reversed(chain):
        parts = changed(connection, parts, one)
    check_state(parts, entry)
    return parts


def changed(connection: sqlite3.Connection, before: Parts, entry: Entry) -> Parts:
    """Return the state after an entry, from the state that it starts from."""
    added = {access: needed(connection, name, entry) for access, name in entry.added.items()}
    removed = {access: needed(connection, name, entry) for access, name in entry.removed.items()}
    return applied(before, added, removed)


def check_state(parts: Parts, entry: Entry) -> None:
    """Raise `DamagedHome` if texts are not the state that an entry names."""
    if {access: digest(part) for access, part in parts.items()} != dict(entry.state):
        raise damaged(f"The changes up to entry {entry.sequence} of {entry.record} do not give its state")
