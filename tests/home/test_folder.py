"""A folder of passports: one process writes, damage is found, and each passport is whole or as it was."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from battpass.kg.errors import DamagedHome, HomeInUse, NotFound
from battpass.kg.home import Home
from battpass.kg.home.folder import name_of
from battpass.kg.home.lock import holder_of
from benchmarks.campaigns import ROOT
from tests.home.conftest import NAMES, arrival, tree


def test_a_folder_is_opened_again_with_all_it_held(folder: Path, arrivals) -> None:
    with Home.open(folder) as home:
        assert sorted(home.records()) == sorted(one.passport.record for one in arrivals)
        assert all(home.passport(one.passport.record) == one.passport for one in arrivals)


def test_a_model_is_written_once(folder: Path, arrivals) -> None:
    assert len(list((folder / "models").iterdir())) == len({one.passport.model for one in arrivals}) == 2


def test_graphs_are_sorted_and_the_document_lies_beside_them(folder: Path, arrivals) -> None:
    name = name_of(arrivals[0].passport.record)
    graphs = next((folder / "passports").glob(f"{name}.*.nq")).read_bytes().splitlines()
    assert graphs == sorted(graphs)
    assert next((folder / "passports").glob(f"{name}.*.original")).read_bytes() == arrivals[0].original


def test_what_is_replaced_leaves_no_file_behind(folder: Path, arrivals) -> None:
    def dearer(payload) -> None:
        payload["performance"]["rated"]["capacity"]["value"] = 181.0
        payload["performance"]["dynamic"]["fullCycles"]["value"] = 1234

    before = sorted(path.name for path in folder.rglob("*.*"))
    with Home.open(folder) as home:
        home.put_many([arrival(NAMES[2], dearer)])
        home.put_many(arrivals)
    assert sorted(path.name for path in folder.rglob("*.*")) == before


def test_opening_and_closing_changes_no_byte(folder: Path) -> None:
    before = tree(folder)
    Home.open(folder).close()
    Home.open(folder, read_only=True).close()
    assert tree(folder) == before


def test_a_failed_batch_changes_no_byte(folder: Path) -> None:
    before = tree(folder)

    def broken():
        yield arrival("ev-na-31")
        raise ValueError("the next file")

    with Home.open(folder) as home, pytest.raises(ValueError, match="the next file"):
        home.put_many(broken())
    assert tree(folder) == before


def test_a_second_writer_is_told_who_writes(folder: Path) -> None:
    with Home.open(folder), pytest.raises(HomeInUse, match=rf"Process {os.getpid()} writes.*End it or wait"):
        Home.open(folder)
    Home.open(folder).close()


def test_readers_go_beside_a_writer_and_see_its_writes(folder: Path, arrivals) -> None:
    with Home.open(folder) as writer, Home.open(folder, read_only=True) as reader:
        writer.put_many([arrival("ev-na-31")])
        assert len(reader) == 4
        writer.remove(arrivals[0].passport.record)
        assert len(reader) == 3
        with pytest.raises(HomeInUse, match="reading only"):
            reader.remove(arrivals[1].passport.record)


def test_a_reader_meets_a_replaced_passport_as_a_whole(folder: Path, arrivals) -> None:
    """A process that replaces one passport over and over, and one that reads it meanwhile."""
    program = (
        "import sys; from battpass.kg.home import Home; from tests.home.conftest import NAMES, arrival\n"
        "def wear(payload): payload['performance']['dynamic']['fullCycles']['value'] = 4321\n"
        "both = arrival(NAMES[2], wear), arrival(NAMES[2])\n"
        "with Home.open(sys.argv[1]) as home:\n"
        "    print('ready', flush=True)\n"
        "    for turn in range(60): home.put_many([both[turn % 2]])\n"
    )

    def wear(payload) -> None:
        payload["performance"]["dynamic"]["fullCycles"]["value"] = 4321

    whole = {one.original: one.passport for one in (arrivals[2], arrival(NAMES[2], wear))}
    record = arrivals[2].passport.record
    process = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    with process, Home.open(folder, read_only=True) as reader:
        process.stdout.readline()
        while process.poll() is None:
            assert reader.passport(record) in whole.values()
            assert reader.original(record) in whole
    assert process.returncode == 0


def test_the_lock_of_a_killed_process_is_free(folder: Path) -> None:
    program = (
        "import sys, time; from battpass.kg.home import Home; home = Home.open(sys.argv[1]); "
        "print('open', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process, process.stdout:
        assert process.stdout.readline() == "open\n"
        assert holder_of(folder / "lock") == str(process.pid)
        with pytest.raises(HomeInUse, match=f"Process {process.pid} "):
            Home.open(folder)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    assert holder_of(folder / "lock") == ""
    Home.open(folder).close()


def test_what_a_killed_writer_left_aside_is_cleared(folder: Path, arrivals) -> None:
    left = folder / "passports" / f"{name_of(arrivals[0].passport.record)}.json.tmp"
    left.write_text("{")
    with Home.open(folder) as home:
        assert not left.exists()
        assert len(home) == 3


@pytest.mark.parametrize("suffix", ["nq", "original"])
def test_a_flipped_bit_is_found_when_the_file_is_read(folder: Path, arrivals, suffix: str) -> None:
    record = arrivals[0].passport.record
    path = next((folder / "passports").glob(f"{name_of(record)}.*.{suffix}"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with Home.open(folder) as home, pytest.raises(DamagedHome, match="backup, or load the document again"):
        home.passport(record) if suffix == "nq" else home.original(record)


def test_a_missing_file_is_named(folder: Path, arrivals) -> None:
    for path in (folder / "models").iterdir():
        path.unlink()
    with Home.open(folder) as home, pytest.raises(DamagedHome, match="models"):
        home.passport(arrivals[0].passport.record)


def test_a_damaged_entry_is_named(folder: Path) -> None:
    path = next((folder / "passports").glob("*.json"))
    path.write_text("{}")
    with Home.open(folder) as home, pytest.raises(DamagedHome, match=path.name):
        list(home.entries())


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(DamagedHome, match="an empty or a new folder"):
        Home.open(tmp_path, create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_folder_of_a_later_version_is_refused(folder: Path) -> None:
    (folder / "home.json").write_text(json.dumps({"layout": 99, "state": "x"}))
    with pytest.raises(DamagedHome, match="layout 99"):
        Home.open(folder)


def test_a_home_is_made_only_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Home.open(tmp_path / "home")
    with pytest.raises(NotFound):
        Home.open(tmp_path / "home", create=True, read_only=True)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("iri", ["https://example.org/p/../../etc/passwd", "urn:x:" + "a" * 5000, "x:y/CON"])
def test_an_iri_never_leads_out_of_the_folder(iri: str) -> None:
    name = name_of(iri)
    assert len(name) < 70
    assert set(name) <= set("_-0123456789abcdefghijklmnopqrstuvwxyz")
