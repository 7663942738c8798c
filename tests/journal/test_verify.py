"""Whatever is changed, dropped or added in a journal file, `verify` finds it and says where."""

import json
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from battpass.kg.errors import DamagedHome
from battpass.kg.journal import schema
from battpass.kg.journal.entry import Entry, Note, Stage
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.parts import digest
from battpass.kg.journal.schema import FILE
from battpass.kg.journal.verify import Verified, rebuild, verify
from benchmarks.campaigns import Campaign
from tests.journal.records import archived, change, erased, record

Damage = Callable[[sqlite3.Connection], object]


def look(folder: Path) -> Verified:
    return verify(folder / FILE, folder / "head")


def damage(folder: Path, how: Damage) -> None:
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        how(connection)


def test_a_whole_journal_has_no_problems(told: Path) -> None:
    found = look(told)
    assert found.problems == () and found.sound
    assert found.entries == found.head.sequence == 14
    assert found.texts > 20 and found.erased == 0


def test_looking_changes_no_byte(copied: Path) -> None:
    before = {path.name: path.read_bytes() for path in copied.iterdir()}
    look(copied)
    after = {path.name: path.read_bytes() for path in copied.iterdir()}
    assert {name: after[name] for name in before} == before


def entry(connection: sqlite3.Connection, sequence: int) -> Entry:
    row = connection.execute("SELECT line FROM entries WHERE sequence = ?", (sequence,)).fetchone()
    return Entry.read(row[0])


def a_member_changes(connection: sqlite3.Connection) -> None:
    content = json.loads(connection.execute("SELECT line FROM entries WHERE sequence = 7").fetchone()[0]) | {
        "actor": "nobody"
    }
    line = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    connection.execute("UPDATE entries SET line = ? WHERE sequence = 7", (line,))


def a_member_and_its_hash_change(connection: sqlite3.Connection) -> None:
    a_member_changes(connection)
    (line,) = connection.execute("SELECT line FROM entries WHERE sequence = 7").fetchone()
    connection.execute("UPDATE entries SET hash = ? WHERE sequence = 7", (bytes.fromhex(digest(line)),))


def two_entries_change_places(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE entries SET sequence = 99 WHERE sequence = 7")
    connection.execute("UPDATE entries SET sequence = 7 WHERE sequence = 8")
    connection.execute("UPDATE entries SET sequence = 8 WHERE sequence = 99")


def text_of(connection: sqlite3.Connection, sequence: int, member: str) -> bytes:
    found = getattr(entry(connection, sequence), member)
    return bytes.fromhex(found if isinstance(found, str) else next(iter(found.values())))


def another_text(connection: sqlite3.Connection) -> None:
    name = text_of(connection, 6, "added")
    connection.execute("UPDATE texts SET data = ? WHERE digest = ?", (zlib.compress(b"other"), name))


def standing_text(connection: sqlite3.Connection) -> None:
    name = bytes.fromhex(next(iter(entry(connection, 10).state.values())))
    assert connection.execute("DELETE FROM texts WHERE digest = ? AND derived", (name,)).rowcount == 1


def a_draft_takes_the_place(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM current WHERE record = ? AND stage = 'published'", (record(3),))
    connection.execute("UPDATE current SET stage = 'published' WHERE record = ?", (record(3),))


FAULTS: dict[str, tuple[Damage, str]] = {
    "a member of an entry changed": (
        a_member_changes,
        "Entry 7: An entry of the journal does not have its hash",
    ),
    "an entry and its hash changed": (
        a_member_and_its_hash_change,
        "Entry 8 does not follow the one before it",
    ),
    "the hash of an entry changed": (
        lambda one: one.execute("UPDATE entries SET hash = zeroblob(32) WHERE sequence = 7"),
        "Entry 7: An entry of the journal does not have its hash",
    ),
    "the line of an entry is none": (
        lambda one: one.execute("UPDATE entries SET line = 'text' WHERE sequence = 7"),
        "Entry 7",
    ),
    "an entry is said to be of another record": (
        lambda one: one.execute("UPDATE entries SET record = 'urn:x:other' WHERE sequence = 7"),
        "Entry 7 is not what its line says",
    ),
    "an entry dropped": (
        lambda one: one.execute("DELETE FROM entries WHERE sequence = 7"),
        "Entry 7 is missing",
    ),
    "the first entry dropped": (
        lambda one: one.execute("DELETE FROM entries WHERE sequence = 1"),
        "Entry 1 is missing",
    ),
    "the last entry dropped": (
        lambda one: one.execute("DELETE FROM entries WHERE sequence = 14"),
        "ends at entry 13, but entry 14 was acknowledged",
    ),
    "all entries dropped": (lambda one: one.execute("DELETE FROM entries"), "ends at entry 0, but entry 14"),
    "entries reordered": (two_entries_change_places, "Entry 7 is not what its line says"),
    "an entry added": (
        lambda one: one.execute(
            "INSERT INTO entries SELECT 15, record, hash, line FROM entries WHERE sequence = 9"
        ),
        "Entry 15",
    ),
    "a text changed": (another_text, "does not have its digest"),
    "a text is no packed text": (
        lambda one: one.execute("UPDATE texts SET data = 'x' WHERE digest = ?", (text_of(one, 6, "added"),)),
        "does not have its digest",
    ),
    "a text of a change missing": (
        lambda one: one.execute("DELETE FROM texts WHERE digest = ?", (text_of(one, 6, "removed"),)),
        "Texts of entry 6 are missing",
    ),
    "a document missing": (
        lambda one: one.execute("DELETE FROM texts WHERE digest = ?", (text_of(one, 6, "original"),)),
        "Texts of entry 6 are missing",
    ),
    "a report missing": (
        lambda one: one.execute("DELETE FROM texts WHERE digest = ?", (text_of(one, 12, "report"),)),
        "Texts of entry 12 are missing",
    ),
    "a note missing": (
        lambda one: one.execute("DELETE FROM texts WHERE digest = ?", (text_of(one, 3, "note"),)),
        "Texts of entry 3 are missing",
    ),
    "a text of a present state missing": (
        standing_text,
        f"Texts of the present state of {record(1)} are missing",
    ),
    "a present state missing": (
        lambda one: one.execute("DELETE FROM current WHERE record = ?", (record(1),)),
        "The table `current` does not agree",
    ),
    "a present state of another entry": (
        lambda one: one.execute("UPDATE current SET sequence = 6 WHERE record = ?", (record(1),)),
        "The table `current` does not agree",
    ),
    "a draft said to be published": (a_draft_takes_the_place, "The table `current` does not agree"),
    "a present state that is none": (
        lambda one: one.execute("INSERT INTO current VALUES ('urn:x:none', 'published', 99, 'urn:x:m')"),
        "A present state leads to entry 99, which is not there",
    ),
    "a name missing": (
        lambda one: one.execute("DELETE FROM names WHERE name = 'id-3'"),
        "The table `names` does not agree with the entries at ('id-3'",
    ),
    "a name of another record": (
        lambda one: one.execute("INSERT INTO names VALUES ('id-3', ?)", (record(1),)),
        "The table `names` does not agree",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_named(copied: Path, fault: str) -> None:
    how, message = FAULTS[fault]
    damage(copied, how)
    found = look(copied)
    assert not found.sound
    assert any(message in problem for problem in found.problems), found.problems


def test_a_chain_forged_to_its_end_is_found_by_the_witness(copied: Path) -> None:
    """Whoever can write the file can write a new chain; the head that others remember gives it away."""

    def forge(connection: sqlite3.Connection) -> None:
        a_member_changes(connection)
        before = ""
        for sequence, line in connection.execute(
            "SELECT sequence, line FROM entries ORDER BY sequence"
        ).fetchall():
            content = json.loads(line) | ({"previous": before} if sequence > 1 else {})
            forged = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
            before = digest(forged)
            connection.execute(
                "UPDATE entries SET line = ?, hash = ? WHERE sequence = ?",
                (forged, bytes.fromhex(before), sequence),
            )

    damage(copied, forge)
    assert verify(copied / FILE).sound, "the chain alone does not tell"
    assert "Entry 14 of the journal is not the one that was acknowledged" in look(copied).problems[0]


def test_no_page_that_was_overwritten_goes_by(copied: Path) -> None:
    damage(copied, lambda one: one.execute("VACUUM"))  # no free pages, where nothing would be lost
    whole = (copied / FILE).read_bytes()
    size = int.from_bytes(whole[16:18], "big")
    for start in range(0, len(whole), size):
        (copied / FILE).write_bytes(whole[:start] + b"\xaa" * size + whole[start + size :])
        try:
            assert not look(copied).sound, start
        except DamagedHome as error:
            assert "backup" in str(error)


@pytest.mark.parametrize("content", [b"", b"no database at all", b"SQLite format 3\0" + bytes(4080)])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(DamagedHome):
        verify(tmp_path / FILE)


def test_a_journal_that_is_just_being_made_is_told_from_one_that_the_disk_lost(tmp_path: Path) -> None:
    Journal.open(tmp_path).close()
    (tmp_path / FILE).write_bytes(b"")
    with Journal.open(tmp_path, read_only=True) as reader:
        for _ in range(2):
            with pytest.raises(DamagedHome, match=r"holds no journal\. Where it is just being made"):
                reader.count((Stage.PUBLISHED,))


def test_a_journal_of_a_later_layout_is_refused(copied: Path) -> None:
    damage(copied, lambda one: one.execute("UPDATE about SET value = '99' WHERE name = 'layout'"))
    for attempt in (lambda: verify(copied / FILE), lambda: Journal.open(copied)):
        with pytest.raises(DamagedHome, match="layout 99; this version reads layout 1"):
            attempt()


def test_damage_at_the_end_of_the_chain_is_found_when_a_journal_is_opened(copied: Path) -> None:
    damage(copied, lambda one: one.execute("UPDATE entries SET hash = zeroblob(32) WHERE sequence = 12"))
    with pytest.raises(DamagedHome, match="does not have its hash"):
        Journal.open(copied)


def test_a_damaged_text_is_found_when_it_is_read(copied: Path) -> None:
    damage(copied, another_text)
    with Journal.open(copied, read_only=True) as journal:
        old = journal.entry(6)
        assert old is not None
        with pytest.raises(DamagedHome, match=r"does not have its digest.*journal verify"):
            journal.state(old)


@pytest.mark.parametrize("fault", [name for name in FAULTS if "present state" in name or "name " in name])
def test_what_is_derived_is_made_anew(copied: Path, fault: str) -> None:
    damage(copied, FAULTS[fault][0])
    with closing(schema.open_for_writing(copied / FILE)) as connection, schema.transaction(connection):
        rebuild(connection)
    assert look(copied).problems == ()


def test_what_cannot_be_made_anew_stays_as_it_is(copied: Path) -> None:
    damage(copied, FAULTS["a text of a change missing"][0])
    damage(copied, standing_text)
    with (
        closing(schema.open_for_writing(copied / FILE)) as connection,
        pytest.raises(DamagedHome, match="is missing"),
        schema.transaction(connection),
    ):
        rebuild(connection)
    assert any("Texts of entry 6" in problem for problem in look(copied).problems)


def unpacked(data: bytes | bytearray) -> bytes | None:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return None


def test_no_random_change_of_a_table_goes_by(told: Path, tmp_path: Path, campaign: Campaign) -> None:
    """Bytes of lines, hashes and texts are changed, and rows dropped, at random places."""
    random = campaign.random("tampering with the journal")
    rounds = campaign.count(2_000)
    target = tmp_path / "copied"
    target.mkdir()
    (target / "head").write_bytes((told / "head").read_bytes())
    whole = (told / FILE).read_bytes()
    for _ in range(rounds):
        (target / FILE).write_bytes(whole)
        table, column = random.choice([("entries", "line"), ("entries", "hash"), ("texts", "data")])
        drop = random.random() < 0.2

        def tamper(
            connection: sqlite3.Connection, table: str = table, column: str = column, drop: bool = drop
        ) -> None:
            rows = connection.execute(f"SELECT rowid, {column} FROM {table} ORDER BY rowid").fetchall()
            row, value = random.choice(rows)
            if drop:
                connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
                return
            data = bytearray(value)
            while bytes(data) == value or (
                table == "texts" and unpacked(data) == unpacked(value)
            ):  # some bits mean nothing
                data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (bytes(data), row))

        damage(target, tamper)
        assert not look(target).sound
    campaign.record("tampering", "a journal of 14 entries of every kind", {"rounds": rounds, "missed": 0})


def test_a_text_that_comes_again_after_it_was_erased_is_no_fault(journal: Journal) -> None:
    journal.append([change(1, 1, note=Note("yearly check"))])
    journal.append([archived(1)])
    journal.forget(record(1), erased(1))
    journal.append([change(2, 1, note=Note("yearly check"))])
    journal.append([change(2, 2)])
    assert look(journal.folder).problems == ()
    damage(
        journal.folder,
        lambda one: one.execute("DELETE FROM texts WHERE digest = ?", (text_of(one, 4, "note"),)),
    )
    assert any("Texts of entry 4 are missing" in problem for problem in look(journal.folder).problems)
