"""What is erased is in no file any more, and the chain still says that it was there."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from battpass.kg.errors import StorageFailed
from battpass.kg.journal import schema
from battpass.kg.journal.backup import BadBackup, backup, restore
from battpass.kg.journal.entry import Note, Stage
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.schema import FILE
from battpass.kg.journal.verify import rebuild, verify
from tests.journal.records import MODEL, archived, change, erased, model, record

SECRET = "Erika Mustermann"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal with the same two versions of two batteries, of which one names a person."""
    (tmp_path / "journal").mkdir()
    with Journal.open(tmp_path / "journal", durable=False) as made:
        made.append([model()])
        for number, owner in ((1, SECRET), (2, "nobody")):
            note = Note(f"ordered by {owner}", f"{owner}.json", (f"id of {owner}",))
            document = b"document that names %s " % owner.encode()
            made.append(
                [change(number, owner, original=document + noise(), note=note, report=owner.encode())]
            )
            made.append([change(number, f"{owner} again", Stage.DRAFT, original=b"a form that many fill in")])
            made.append([change(number, f"{owner} again", note=note)])
        yield made


def noise() -> bytes:
    """Return something that does not pack, so that the texts around it are kept as they are."""
    return Random(7).randbytes(3000)


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def packed_texts(journal: Journal, names: set[str]) -> list[bytes]:
    """Return texts as they lie in the file."""
    with closing(schema.open_for_reading(journal.folder / FILE)) as connection:
        rows = connection.execute("SELECT lower(hex(digest)), data FROM texts").fetchall()
    return [data for name, data in rows if name in names]


def test_no_byte_of_what_was_erased_is_left_in_any_file(journal: Journal) -> None:
    own = {name for one in journal.history(record(1)) for name in {*one.texts, *one.state.values()}}
    others = {name for one in journal.history(record(2)) for name in {*one.texts, *one.state.values()}}
    texts = packed_texts(journal, own - others)
    assert len(texts) > 10 and all(text in everything(journal.folder) for text in texts)
    journal.append([archived(1)])
    entry = journal.forget(record(1), erased(1, note=Note("asked for")))
    left = everything(journal.folder)
    assert [text for text in texts if text in left] == []
    assert SECRET.encode() not in left
    assert own - others - set(entry.erased) == set()
    assert not set(entry.erased) & others


def test_what_others_have_as_well_stays(journal: Journal) -> None:
    journal.append([archived(1)])
    journal.forget(record(1), erased(1))
    for entry in journal.history(record(2)):
        assert len(journal.state(entry)) == 5
        assert all(journal.text(name) is not None for name in entry.texts)
    known = journal.model(MODEL)
    assert known is not None and journal.state(known) == model().parts


def test_the_chain_holds_and_says_what_was_erased(journal: Journal) -> None:
    before = [entry.hash for entry in journal.entries()]
    journal.append([archived(1)])
    entry = journal.forget(record(1), erased(1, actor="anna", note=Note("asked for")))
    assert [one.hash for one in journal.entries()][: len(before)] == before
    found = verify(journal.folder / FILE, journal.folder / "head")
    assert found.problems == () and found.erased == len(entry.erased) > 10
    assert (entry.actor, entry.reason, entry.stage) == ("anna", "asked for", Stage.ARCHIVED)
    assert journal.named(f"id of {SECRET}") == []
    assert journal.history(record(1))[0].identifiers == ()


def test_what_is_derived_can_be_made_anew_afterwards(journal: Journal) -> None:
    journal.append([archived(1)])
    journal.forget(record(1), erased(1))
    with (
        closing(schema.open_for_writing(journal.folder / FILE)) as connection,
        schema.transaction(connection),
    ):
        rebuild(connection)
    assert verify(journal.folder / FILE, journal.folder / "head").problems == ()


def test_a_reader_that_keeps_a_copy_in_the_log_is_told_of(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
    journal.append([archived(1)])
    with closing(schema.open_for_reading(journal.folder / FILE)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM texts").fetchone()
        with pytest.raises(StorageFailed, match=r"a copy stays in its log.*Erase again"):
            journal.forget(record(1), erased(1))
        assert SECRET.encode() in everything(journal.folder)
    journal.empty_log()
    assert SECRET.encode() not in everything(journal.folder)


def test_others_go_on_writing_while_something_is_erased(journal: Journal) -> None:
    journal.append([archived(1)])
    ending = threading.Event()
    written: list[int] = []

    def write() -> None:
        turn = 0
        while not ending.is_set() or turn < 20:
            turn += 1
            written.append(journal.append([change(3, turn)])[0][0].sequence)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        journal.forget(record(1), erased(1))
    finally:
        ending.set()
        thread.join(60)
    assert len(written) >= 20 and len(set(written)) == len(written)
    journal.empty_log()
    assert SECRET.encode() not in everything(journal.folder)
    assert verify(journal.folder / FILE).problems == ()


def test_a_backup_from_afterwards_holds_nothing_of_it(journal: Journal, tmp_path: Path) -> None:
    journal.append([archived(1)])
    journal.forget(record(1), erased(1))
    backup(journal.folder, tmp_path / "kept.zip")
    assert SECRET.encode() not in (tmp_path / "kept.zip").read_bytes()


def test_no_journal_is_restored_to_before_an_erasure(journal: Journal, tmp_path: Path) -> None:
    journal.append([archived(1)])
    entry = journal.forget(record(1), erased(1))
    later, _ = journal.append([change(2, "later")])[0]
    backup(journal.folder, tmp_path / "kept.zip")
    with pytest.raises(
        BadBackup, match=rf"Entry {entry.sequence} erased what earlier ones need.*earlier back-up"
    ):
        restore(tmp_path / "kept.zip", tmp_path / "before", entry.sequence - 1)
    assert not (tmp_path / "before" / FILE).exists()
    for end in (entry.sequence, later.sequence):
        found = restore(tmp_path / "kept.zip", tmp_path / f"to {end}", end)
        assert found.sound and found.head.sequence == end
