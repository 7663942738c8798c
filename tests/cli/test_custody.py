"""`journal verify`, `backup`, `restore` and `rebuild`: proof that passports are whole, and the way back."""

import os
import pty
import shutil
import sqlite3
import subprocess
import sys
import threading
import zipfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from battpass.kg.home import Home
from battpass.services.cli.main import app
from battpass.services.exchange.intake import Intake
from tests.cli.conftest import EXAMPLES, Battpass, tree

UUID = "0bd91ad9-e0f0-4bcf-984e-eee4fe00a5d3"  # of ev-lfp-60
COUNT = "SELECT (COUNT(*) AS ?n) { ?p a bp:BatteryPassport }"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, intake: Intake) -> Path:
    """A home with two passports, one of them published, and a dataset."""
    folder = tmp_path_factory.mktemp("custody") / "home"
    runner = CliRunner(env={"BATTPASS_HOME": str(folder)})
    files = [str(EXAMPLES / f"passports/{name}.json") for name in ("ev-lfp-60", "lmt-lco-03")]
    for arguments in (["import", *files], ["publish", UUID], ["query", COUNT]):
        assert runner.invoke(app, arguments, obj=intake).exit_code == 0
    return folder


@pytest.fixture
def kept(made: Path, home: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(made, home))


def test_a_whole_journal_is_proved_whole_and_its_head_is_said(battpass: Battpass, kept: Path) -> None:
    before = tree(kept)
    done = battpass("journal", "verify")
    assert done.status == 0
    with Home.open(kept, read_only=True) as home:
        head = home.journal.head
    assert done.out.startswith(f"All as it was written: {head.sequence} entries, ")
    assert done.out.endswith(f"; head {head.sequence} {head.hash}\n")
    assert tree(kept) == before


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE entries SET line = replace(line, 'cli', 'CLI') WHERE sequence = 2", "Entry 2"),
        ("DELETE FROM entries WHERE sequence = 3", "Entry 3 is missing"),
        ("DELETE FROM texts WHERE id = 1", "missing"),
        ("DELETE FROM current", "The table `current` does not agree with the entries"),
    ],
)
def test_every_problem_is_said_with_what_to_do(
    battpass: Battpass, kept: Path, statement: str, said: str
) -> None:
    with closing(sqlite3.connect(kept / "journal.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()
    done = battpass("journal", "verify", "--json")
    assert done.status == 1
    assert not done.document["sound"]
    assert any(said in problem for problem in done.document["problems"]), done.document["problems"]
    told = battpass("journal", "verify")
    assert told.out.count("PROBLEM  ") == len(done.document["problems"])
    assert "Bring the home back from a back-up: battpass --home DIR restore FILE" in told.out


def test_what_is_no_journal_at_all_is_a_problem_too(battpass: Battpass, kept: Path) -> None:
    (kept / "journal.sqlite").write_bytes(b"no database" * 1000)
    done = battpass("journal", "verify")
    assert done.status == 1
    assert done.out.startswith("PROBLEM  ")


def test_a_back_up_gives_the_same_home(battpass: Battpass, kept: Path, tmp_path: Path) -> None:
    battpass("key", "create", "--audience", "owner")
    file = tmp_path / "battpass.zip"
    done = battpass("backup", file)
    assert done.status == 0
    assert "read back. All as it was written: 5 entries" in done.out
    other = tmp_path / "other"
    restored = battpass("--home", other, "restore", file)
    assert restored.status == 0
    assert f"{other} is restored. All as it was written: 5 entries" in restored.out
    with Home.open(kept, read_only=True) as one, Home.open(other, read_only=True) as two:
        assert one.journal.head == two.journal.head
        assert one.original(UUID) == two.original(UUID)
    assert (other / "keys.sqlite").exists()
    assert battpass("--home", other, "query", COUNT).out.split() == ["n", "2"]
    assert battpass("--home", other, "journal", "verify").status == 0


def test_a_back_up_is_made_beside_a_process_that_writes(
    battpass: Battpass, kept: Path, tmp_path: Path
) -> None:
    with Home.open(kept):
        assert battpass("backup", tmp_path / "battpass.zip").status == 0


def test_a_home_is_restored_to_any_entry(battpass: Battpass, kept: Path, tmp_path: Path) -> None:
    battpass("backup", tmp_path / "battpass.zip")
    other = tmp_path / "other"
    assert battpass("--home", other, "restore", tmp_path / "battpass.zip", "--to-sequence", 4).status == 0
    assert [
        one["stage"] for one in battpass("--home", other, "history", UUID, "--json").document["versions"]
    ] == ["draft"]
    done = battpass("--home", tmp_path / "third", "restore", tmp_path / "battpass.zip", "--to-sequence", 6)
    assert done.status == 2
    assert "The back-up ends at entry 5; there is no entry 6 in it." in done.err


def test_nothing_is_written_over(battpass: Battpass, kept: Path, tmp_path: Path) -> None:
    file = tmp_path / "battpass.zip"
    battpass("backup", file)
    before = file.read_bytes(), tree(kept)
    again = battpass("backup", file)
    assert again.status == 2
    assert "is there already. Name another file" in again.err
    restored = battpass("restore", file)
    assert restored.status == 2
    assert "is not empty. Restore into an empty or a new folder." in restored.err
    assert (file.read_bytes(), tree(kept)) == before


def test_a_damaged_back_up_makes_no_home(battpass: Battpass, kept: Path, tmp_path: Path) -> None:
    file = tmp_path / "battpass.zip"
    battpass("backup", file)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    done = battpass("--home", tmp_path / "other", "restore", file)
    assert done.status == 2
    assert "Use another" in done.err
    assert battpass("--home", tmp_path / "other", "export", UUID).status == 2


def test_a_journal_that_is_not_whole_is_not_backed_up(battpass: Battpass, kept: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(kept / "journal.sqlite")) as connection:
        connection.execute("DELETE FROM entries WHERE sequence = 3")
        connection.commit()
    done = battpass("backup", tmp_path / "battpass.zip")
    assert done.status == 2
    assert "is not whole, so it was not backed up" in done.err
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]


@pytest.mark.parametrize("name", ["gone.zip", "text.zip", "other.zip"])
def test_what_is_no_back_up_is_refused(battpass: Battpass, tmp_path: Path, name: str) -> None:
    (tmp_path / "text.zip").write_text("Dear")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.json", "{}")
    done = battpass("restore", tmp_path / name)
    assert done.status == 2
    assert name in done.err


def test_what_is_derived_is_made_anew(battpass: Battpass, kept: Path) -> None:
    with closing(sqlite3.connect(kept / "journal.sqlite")) as connection:
        connection.execute("DELETE FROM current")
        connection.commit()
    assert battpass("journal", "verify").status == 1
    done = battpass("rebuild")
    assert done.status == 0
    assert "keeps 2 passports; built anew: the present states, and the datasets owner." in done.out
    assert battpass("journal", "verify").status == 0
    assert battpass("query", COUNT).out.split() == ["n", "2"]


@pytest.mark.parametrize("command", [("journal", "verify"), ("backup", "x.zip"), ("rebuild",)], ids=" ".join)
def test_without_a_home_it_says_how_to_make_one(
    battpass: Battpass, home: Path, command: tuple[str, ...]
) -> None:
    done = battpass(*command)
    assert done.status == 2
    assert "There is no home of passports in" in done.err and "battpass import FILE" in done.err
    assert not home.exists()


def on_a_terminal(home: Path, *arguments: str) -> tuple[str, str]:
    """Run a command whose standard error is a terminal; return what went there, and its output."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "BATTPASS_HOME": str(home), "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-m", "battpass", *arguments]
    seen = bytearray()

    def watch() -> None:
        with suppress(OSError):  # nobody has the other side open any more
            while piece := os.read(ours, 4096):
                seen.extend(piece)

    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=theirs) as running:
        os.close(theirs)
        thread = threading.Thread(target=watch)
        thread.start()
        assert running.stdout is not None
        out = running.stdout.read().decode()
    thread.join()
    os.close(ours)
    assert running.returncode == 0, out
    return seen.decode(), out


def test_work_that_takes_long_shows_how_far_it_is_where_somebody_looks(kept: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept.zip"
    for words, *arguments in (
        ("Following the chain", "journal", "verify"),
        ("Checking the copy", "backup", str(file)),
        ("Checking the copy", "--home", str(tmp_path / "new"), "restore", str(file)),
        ("Building", "rebuild"),
        ("Reading passports", "doctor"),
    ):
        shown, out = on_a_terminal(kept, *arguments)
        assert words in shown and "100%" in shown, arguments
        assert "\x1b" not in out and words not in out, arguments
