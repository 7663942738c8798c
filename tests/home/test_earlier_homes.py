"""A home from before there was a journal is not taken for an empty one, and can be brought over."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from battpass.kg.errors import DamagedHome
from battpass.kg.home import Home
from benchmarks.campaigns import ROOT

EXAMPLE = ROOT / "examples/passports/ev-na-31.json"
UUID = "1e38d501-f3d5-4d97-acb0-6261f9a16c50"


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A home as the first version wrote it, as far as it matters here."""
    folder = tmp_path / "earlier"
    for name in ("passports", "models", "datasets"):
        (folder / name).mkdir(parents=True)
    (folder / "home.json").write_text('{"layout": 1, "state": "5f0c12ab5f0c12ab"}\n')
    (folder / "lock").touch()
    (folder / "passports" / f"{UUID}.json").write_text("{}")
    (folder / "passports" / f"{UUID}.0123456789abcdef.original").write_bytes(EXAMPLE.read_bytes())
    return folder


def run(*arguments: str, home: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "battpass", "--home", str(home), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("read_only", [False, True], ids=["for writing", "for reading"])
def test_it_is_refused_and_stays_as_it_is(earlier: Path, read_only: bool) -> None:
    before = {path: path.read_bytes() for path in earlier.rglob("*") if path.is_file()}
    with pytest.raises(DamagedHome, match="written by an earlier version"):
        Home.open(earlier, read_only=read_only)
    assert {path: path.read_bytes() for path in earlier.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("command", [("journal", "verify"), ("backup", "file.zip"), ("import", str(EXAMPLE))])
def test_every_command_says_what_to_do(earlier: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(*command, home=earlier, cwd=tmp_path)
    assert done.returncode == 2
    assert "import --publish" in done.stderr
    assert not (tmp_path / "file.zip").exists()


def test_what_the_message_says_brings_the_documents_over(earlier: Path, tmp_path: Path) -> None:
    with pytest.raises(DamagedHome) as told:
        Home.open(earlier)
    found = re.search(r"battpass --home NEW (import .+)$", str(told.value))
    assert found
    *options, pattern = shlex.split(found[1])
    files = sorted(map(str, Path(pattern).parent.glob(Path(pattern).name)))
    assert run(*options, *files, home=tmp_path / "new", cwd=tmp_path).returncode == 0
    with Home.open(tmp_path / "new", read_only=True) as home:
        assert [record.rpartition("/")[2] for record in home.records("public")] == [UUID]
        assert home.original(UUID) == EXAMPLE.read_bytes()
