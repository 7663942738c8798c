"""The stamp of a dataset: read back as it was written, or not at all; and what it was built with."""

import shutil
from pathlib import Path

import pytest

from battpass.kg.home import Home, stamp
from battpass.kg.home.stamp import STAMP, Stamp, ontology_digest
from battpass.kg.resources import ontology_path
from tests.home.small import arrival

WRITTEN = Stamp(12, "a1" * 32, "0123456789abcdef")


def test_a_stamp_is_read_as_it_was_written(tmp_path: Path) -> None:
    WRITTEN.write(tmp_path / STAMP)
    Stamp(13, "b2" * 32, "another").write(tmp_path / STAMP)
    WRITTEN.write(tmp_path / STAMP)
    assert Stamp.read(tmp_path / STAMP) == WRITTEN
    assert [path.name for path in tmp_path.iterdir()] == [STAMP]


def test_a_stamp_that_is_cut_short_anywhere_is_none(tmp_path: Path) -> None:
    whole = WRITTEN.text().encode()
    for end in range(len(whole) - 1):  # the last byte ends the line
        (tmp_path / STAMP).write_bytes(whole[:end])
        assert Stamp.read(tmp_path / STAMP) is None, whole[:end]


def test_a_stamp_with_any_bit_flipped_is_none_or_the_same(tmp_path: Path) -> None:
    whole = WRITTEN.text().encode()
    for at in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << bit
            (tmp_path / STAMP).write_bytes(damaged)
            assert Stamp.read(tmp_path / STAMP) in (None, WRITTEN), bytes(damaged)


@pytest.fixture
def ontology(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the ontology, which datasets are built with from now on."""
    copy = Path(shutil.copytree(ontology_path(), tmp_path / "ontology"))
    monkeypatch.setattr(stamp, "ontology_path", lambda: copy)
    return copy


def test_each_text_of_the_ontology_counts(ontology: Path) -> None:
    before = ontology_digest()
    texts = sorted(path for path in ontology.glob("*.*") if path.is_file())
    assert len(texts) > 10
    for path in texts:
        text = path.read_bytes()
        path.write_bytes(text + b"\n")
        assert ontology_digest() != before, path.name
        path.write_bytes(text)
    assert ontology_digest() == before


def test_a_dataset_is_built_anew_when_a_text_of_the_ontology_has_changed(
    tmp_path: Path, ontology: Path
) -> None:
    store = tmp_path / "home/datasets/public/store"
    with Home.open(tmp_path / "home", create=True) as home:
        home.put(arrival(1))
        home.dataset("public")
    (store / "mark").touch()
    with Home.open(tmp_path / "home") as home:
        assert home.is_built("public")
        home.dataset("public")
        assert (store / "mark").exists(), "it was built with the same texts"
    with (ontology / "access.csv").open("a") as table:
        table.write("\n")
    with Home.open(tmp_path / "home") as home:
        assert not home.is_built("public")
        home.dataset("public")
        assert home.is_built("public")
    assert not (store / "mark").exists()
