"""The witness remembers the newest head that was written whole, whichever of its two slots is torn."""

from pathlib import Path

import pytest

from battpass.kg.errors import DamagedHome
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.parts import digest
from battpass.kg.journal.witness import Head, Witness
from tests.journal.records import change


def head(sequence: int) -> Head:
    return Head(sequence, digest(b"%d" % sequence))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A witness that has seen five heads."""
    witness = Witness(tmp_path / "head")
    for sequence in range(6):
        witness.write(head(sequence))
    witness.close()
    return tmp_path / "head"


def read(path: Path) -> Head | None:
    return Witness(path, writable=False).read()


def test_the_newest_head_is_remembered(path: Path) -> None:
    assert read(path) == head(5)


def test_no_file_and_an_empty_file_remember_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "head") is None
    Witness(tmp_path / "head").close()
    assert read(tmp_path / "head") is None


def test_heads_are_written_in_turn_to_two_slots_in_plain_text(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [
        [f"{one.sequence:020d}", one.hash] for one in (head(4), head(5))
    ]


def test_a_torn_slot_leaves_the_other(path: Path) -> None:
    whole = path.read_bytes()
    second = len(whole) // 2
    for cut in range(second):
        path.write_bytes(whole[:second] + b"\0" * cut + whole[second + cut :])
        assert read(path) == (head(4) if cut else head(5))


def test_no_flipped_bit_makes_a_head_that_never_was(path: Path) -> None:
    whole = path.read_bytes()
    for at in range(0, len(whole), 2):
        data = bytearray(whole)
        data[at] ^= 1 << at // 2 % 8
        path.write_bytes(data)
        assert read(path) in (head(4), head(5))


def test_a_journal_that_ends_before_its_witness_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with Journal.open(tmp_path / "a") as journal:
        journal.append([change(1, 1)])
        journal.append([change(1, 2)])
    witness = Witness(tmp_path / "a" / "head")
    witness.write(head(3))
    witness.close()
    with pytest.raises(DamagedHome, match=r"ends at entry 2, but entry 3 was acknowledged.*from a backup"):
        Journal.open(tmp_path / "a")


def test_a_journal_that_is_not_the_one_its_witness_saw_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with Journal.open(tmp_path / name) as journal:
            journal.append([change(1, name)])
    (tmp_path / "a" / "head").write_bytes((tmp_path / "b" / "head").read_bytes())
    with pytest.raises(DamagedHome, match="not the one that was acknowledged"):
        Journal.open(tmp_path / "a")


def test_a_witness_that_is_behind_or_lost_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with Journal.open(tmp_path / "a") as journal:
        journal.append([change(1, 1)])
        old = (tmp_path / "a" / "head").read_bytes()
        journal.append([change(1, 2)])
    (tmp_path / "a" / "head").write_bytes(old)
    Journal.open(tmp_path / "a").close()
    assert read(tmp_path / "a" / "head").sequence == 2
    (tmp_path / "a" / "head").unlink()
    Journal.open(tmp_path / "a").close()
    assert read(tmp_path / "a" / "head").sequence == 2


def test_a_journal_that_is_gone_is_not_begun_anew(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.append([change(1, 1)])
    (tmp_path / "journal.sqlite").unlink()
    with pytest.raises(DamagedHome, match=r"journal\.sqlite is gone"):
        Journal.open(tmp_path)


def test_a_process_that_ended_before_it_made_the_journal_is_no_damage(tmp_path: Path) -> None:
    Witness(tmp_path / "head").close()
    with Journal.open(tmp_path) as journal:
        assert journal.append([change(1, 1)])[0][1]
