"""A back-up can be restored, to any entry of it; one that is damaged is refused, and nothing is left."""

import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from battpass.kg.errors import BattPassError, DamagedHome, NotFound
from battpass.kg.journal.backup import BadBackup, backup, restore
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.schema import FILE
from battpass.kg.journal.verify import verify
from battpass.kg.keys import FILE as KEYS
from battpass.kg.keys import KeyRing
from benchmarks.campaigns import Campaign
from tests.journal.records import change, record


@pytest.fixture(scope="module")
def kept(told: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A back-up of a journal with all kinds of entries."""
    file = tmp_path_factory.mktemp("kept") / "kept.zip"
    backup(told, file)
    return file


def same(one: Journal, other: Journal, upto: int) -> bool:
    """Whether two journals agree in every entry up to one, and in every state."""
    entries = list(one.entries(0, upto))
    return entries == list(other.entries(0, upto)) and all(
        one.state(entry) == other.state(entry) and one.told(entry) == other.told(entry) for entry in entries
    )


def test_a_backup_is_restored_whole(told: Path, kept: Path, tmp_path: Path) -> None:
    found = restore(kept, tmp_path / "new")
    assert found.problems == () and found.head.sequence == 14
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [FILE]
    with Journal.open(told, read_only=True) as before, Journal.open(tmp_path / "new") as after:
        assert same(before, after, 14) and after.head == before.head
        assert after.append([change(9, 1)])[0][0].sequence == 15


def test_keys_and_backups_are_for_their_owner_alone(told: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(told, home)
    with closing(KeyRing(home / KEYS)) as ring:
        issued = ring.create("owner", ["write"])
    backup(home, tmp_path / "kept.zip")
    restore(tmp_path / "kept.zip", tmp_path / "new")
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "kept.zip", tmp_path / "new" / KEYS)]
    assert modes == [0o600, 0o600]
    with closing(KeyRing(tmp_path / "new" / KEYS)) as ring:
        assert ring.find(issued.token) == issued.key


def test_a_backup_says_what_it_holds_and_needs_nothing_of_ours(told: Path, kept: Path) -> None:
    with zipfile.ZipFile(kept) as archive:
        assert sorted(archive.namelist()) == ["backup.json", FILE]
        about = json.loads(archive.read("backup.json"))
    assert about["sequence"] == 14 and about["head"] == verify(told / FILE).head.hash
    assert sorted(about) == ["created", "files", "head", "sequence"]


@pytest.mark.parametrize("upto", range(15))
def test_a_journal_is_restored_to_any_entry(told: Path, kept: Path, tmp_path: Path, upto: int) -> None:
    found = restore(kept, tmp_path / "new", upto)
    assert found.problems == () and found.head.sequence == upto
    with Journal.open(told, read_only=True) as before, Journal.open(tmp_path / "new") as after:
        assert same(before, after, upto)
        assert after.head.sequence == upto
        for number in range(4):
            wanted = [entry for entry in before.history(record(number)) if entry.sequence <= upto]
            assert after.history(record(number)) == wanted
            assert all(entry in wanted for entry in after.standing(record(number)).values())
            assert bool(after.standing(record(number))) == bool(wanted)


def test_nothing_of_later_entries_is_left_in_what_was_restored(kept: Path, tmp_path: Path) -> None:
    restore(kept, tmp_path / "new", 6)
    with Journal.open(tmp_path / "new", read_only=True) as journal:
        documents = [journal.text(entry.original) for entry in journal.entries() if entry.original]
    assert documents == [b"document 1"]
    with closing(sqlite3.connect(tmp_path / "new" / FILE)) as connection:
        count = connection.execute("SELECT COUNT(*) FROM texts").fetchone()[0]
    assert count == verify(tmp_path / "new" / FILE).texts < 80


@pytest.mark.parametrize("upto", [-1, 15, 10**12])
def test_an_entry_that_is_not_in_it_is_not_found(kept: Path, tmp_path: Path, upto: int) -> None:
    with pytest.raises(NotFound, match=r"ends at entry 14; there is no entry"):
        restore(kept, tmp_path / "new", upto)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_backup_is_made_beside_a_process_that_writes(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with Journal.open(tmp_path / "home", durable=False) as journal:
        for turn in range(5):
            journal.append([change(1, turn)])
            assert backup(tmp_path / "home", tmp_path / f"{turn}.zip").head == journal.head
        for turn in range(5):
            restore(tmp_path / f"{turn}.zip", tmp_path / f"restored {turn}")
            with Journal.open(tmp_path / f"restored {turn}", read_only=True) as restored:
                assert same(journal, restored, turn + 1)


def test_the_keys_go_along(copied: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(copied / "keys.sqlite")) as connection:
        connection.execute("CREATE TABLE keys (id TEXT)")
    backup(copied, tmp_path / "kept.zip")
    restore(tmp_path / "kept.zip", tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [FILE, "keys.sqlite"]


def test_a_file_that_is_there_is_not_written_over(told: Path, tmp_path: Path) -> None:
    (tmp_path / "kept.zip").write_text("precious")
    with pytest.raises(BattPassError, match="never written over"):
        backup(told, tmp_path / "kept.zip")
    assert (tmp_path / "kept.zip").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.zip"]


def test_a_folder_that_holds_a_journal_is_not_written_over(kept: Path, copied: Path) -> None:
    before = (copied / FILE).read_bytes()
    with pytest.raises(BattPassError, match=r"holds a journal already.*empty or a new folder"):
        restore(kept, copied)
    assert (copied / FILE).read_bytes() == before


def test_a_journal_that_is_not_whole_is_not_backed_up(copied: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(copied / FILE, isolation_level=None)) as connection:
        connection.execute("DELETE FROM entries WHERE sequence = 5")
    with pytest.raises(DamagedHome, match=r"not whole, so it was not backed up: Entry 5 is missing"):
        backup(copied, tmp_path / "kept.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["copied"]


def test_a_place_that_cannot_be_written_to_says_so(told: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BattPassError, match="cannot be written"):
        backup(told, tmp_path / "file" / "kept.zip")


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        restore(tmp_path / "kept.zip", tmp_path / "new")


def packed(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return path


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"letter_txt": b"Dear"},
        {"backup_json": b"no JSON"},
        {"backup_json": b"[]"},
        {"backup_json": b"{}"},
        {"backup_json": b'{"files": []}'},
        {"backup_json": b'{"files": {}}'},
        {"backup_json": b'{"files": {"journal.sqlite": "00"}}'},
        {"backup_json": b'{"files": {"journal.sqlite": "00"}}', "journal_sqlite": b"other"},
        {"backup_json": b'{"files": {"../elsewhere": "00"}}', "../elsewhere": b"evil"},
        {"backup_json": b'{"files": {"home.json": "00"}}', "home_json": b"{}"},
    ],
)
def test_a_zip_file_of_something_else_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(BadBackup):
        restore(packed(tmp_path / "kept.zip", **files), tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.zip", "new"]


def test_a_file_that_is_no_zip_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept.zip").write_bytes(b"no zip")
    with pytest.raises(BadBackup, match="is no back-up, or damaged"):
        restore(tmp_path / "kept.zip", tmp_path / "new")
    with pytest.raises(BattPassError, match="cannot be read"):
        restore(tmp_path, tmp_path / "new")


def test_what_was_left_by_a_restoring_that_was_cut_off_is_no_obstacle(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "new" / ".restoring").mkdir(parents=True)
    (tmp_path / "new" / ".restoring" / FILE).write_text("half")
    assert restore(kept, tmp_path / "new").sound
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE]


def test_no_damage_to_a_backup_goes_by(kept: Path, tmp_path: Path, campaign: Campaign) -> None:
    """Bits are flipped and ends cut off at random: what is restored then is whole, or nothing is."""
    random = campaign.random("damaged back-ups")
    rounds = campaign.count(1_000)
    whole = kept.read_bytes()
    head = restore(kept, tmp_path / "whole").head
    refused = 0
    for turn in range(rounds):
        data = bytearray(whole)
        kind = random.random()
        if kind < 0.1:
            del data[random.randrange(len(data)) :]
        elif kind < 0.5:  # where the names, sizes and methods stand
            data[random.randrange(len(data) - 300, len(data))] ^= 1 << random.randrange(8)
        elif kind < 0.7:
            data[random.randrange(700)] ^= 1 << random.randrange(8)
        else:
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        file, folder = tmp_path / "damaged.zip", tmp_path / str(turn)
        file.write_bytes(data)
        try:
            assert restore(file, folder).head == head
        except BadBackup:
            refused += 1
            assert list(folder.iterdir()) == []
    assert refused > rounds / 2
    campaign.record("damaged-backups", "a back-up of 14 entries", {"rounds": rounds, "refused": refused})
