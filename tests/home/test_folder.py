"""A home in a folder: one process writes, any number read, and what is no home is left alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from battpass.kg.errors import DamagedHome, HomeInUse, NotFound
from battpass.kg.home import Arrival, Home, Stage
from battpass.kg.home.lock import holder_of
from battpass.kg.journal.schema import FILE
from benchmarks.campaigns import ROOT
from tests.home.conftest import NAMES, arrival, tree

WORN = 4321


def wear(payload: dict[str, Any]) -> None:
    payload["performance"]["dynamic"]["fullCycles"]["value"] = WORN


def test_a_folder_is_opened_again_with_all_it_held(folder: Path, arrivals: tuple[Arrival, ...]) -> None:
    with Home.open(folder) as home:
        assert sorted(home.records()) == sorted(one.record for one in arrivals)
        for one in arrivals:
            state = home.state(one.record)
            assert (state.item, state.model_parts) == (one.item, one.model_parts)
            assert home.original(one.record) == one.original


def test_opening_and_closing_adds_no_entry(folder: Path) -> None:
    with Home.open(folder) as home:
        before = home.journal.head
    Home.open(folder, read_only=True).close()
    with Home.open(folder) as home:
        assert home.journal.head == before


def test_reading_changes_no_byte_of_what_was_written(folder: Path, arrivals) -> None:
    kept = {FILE, "head", "home.json"}
    before = {name: data for name, data in tree(folder).items() if name in kept}
    assert before.keys() == kept
    with Home.open(folder, read_only=True) as home:
        home.state(arrivals[0].record)
    assert {name: data for name, data in tree(folder).items() if name in kept} == before


def test_a_failed_batch_adds_no_entry(folder: Path) -> None:
    def broken() -> Iterator[Arrival]:
        yield arrival("ev-na-31")
        raise ValueError("the next file")

    with Home.open(folder) as home:
        before = home.journal.head
        with pytest.raises(ValueError, match="the next file"):
            home.put_many(broken(), trusted=True)
        assert home.journal.head == before


def test_a_second_writer_is_told_who_writes(folder: Path) -> None:
    with Home.open(folder), pytest.raises(HomeInUse, match=rf"Process {os.getpid()} writes.*End it or wait"):
        Home.open(folder)
    Home.open(folder).close()


def test_readers_go_beside_a_writer_and_see_its_writes(folder: Path, arrivals) -> None:
    with Home.open(folder) as writer, Home.open(folder, read_only=True) as reader:
        writer.put(arrival("ev-na-31"), trusted=True)
        assert len(reader) == 4
        writer.archive(arrivals[0].record)
        assert len(reader) == 3
        for refused in (
            lambda: reader.archive(arrivals[1].record),
            lambda: reader.put(arrivals[1], stage=Stage.DRAFT),
            lambda: reader.erase(arrivals[0].record),
            lambda: reader.dataset("public"),
            reader.follow,
            reader.rebuild,
        ):
            with pytest.raises(HomeInUse, match="reading only"):
                refused()


def test_a_reader_meets_a_replaced_passport_as_a_whole(folder: Path, arrivals) -> None:
    """A process that replaces one passport over and over, and one that reads it meanwhile."""
    program = (
        "import sys; from battpass.kg.home import Home; from tests.home.conftest import NAMES, arrival\n"
        "from tests.home.test_folder import wear\n"
        "both = arrival(NAMES[2], wear), arrival(NAMES[2])\n"
        "with Home.open(sys.argv[1]) as home:\n"
        "    print('ready', flush=True)\n"
        "    for turn in range(200): home.put(both[turn % 2], trusted=True)\n"
    )
    changed = arrival(NAMES[2], wear)
    whole = [(one.item, one.original) for one in (arrivals[2], changed)]
    record, seen = changed.record, set()
    process = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    with process, process.stdout, Home.open(folder, read_only=True) as reader:
        process.stdout.readline()
        while process.poll() is None:
            entry = reader.entry(record)
            state = reader.state(record, version=entry.version)
            found = whole.index((state.item, reader.original(record, entry.version)))
            seen.add(found)
    assert process.returncode == 0
    assert seen == {0, 1}


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


def test_a_journal_that_is_gone_is_no_empty_home(folder: Path) -> None:
    for path in folder.glob(f"{FILE}*"):
        path.unlink()
    with pytest.raises(DamagedHome):
        Home.open(folder)
    assert not (folder / FILE).exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(DamagedHome, match="an empty or a new folder"):
        Home.open(tmp_path, create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_folder_of_a_later_version_is_refused(folder: Path) -> None:
    (folder / "home.json").write_text(json.dumps({"layout": 99}))
    with pytest.raises(DamagedHome, match="layout 99"):
        Home.open(folder)


def test_a_home_is_made_only_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Home.open(tmp_path / "home")
    with pytest.raises(NotFound):
        Home.open(tmp_path / "home", create=True, read_only=True)
    assert not (tmp_path / "home").exists()
