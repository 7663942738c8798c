"""Commands on a disk that takes nothing: words and an exit status, nothing half written, done again after."""

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from battpass.kg.errors import NotWritable
from battpass.kg.home import Home
from tests.api.conftest import another
from tests.cli.conftest import Battpass, Done, tree
from tests.storage.disk import Disk

COUNT = "SELECT (COUNT(*) AS ?n) { ?passport a bp:BatteryPassport }"
SAID = {"full": "full", "read-only": "ead-only"}


@pytest.fixture(params=["full", "read-only"])
def fault(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def broken(disk: Disk, fault: str) -> Iterator[None]:
    with disk.filled() if fault == "full" else disk.wholly_read_only():
        yield


@pytest.fixture
def documents(tmp_path: Path) -> tuple[Path, Path]:
    """Two documents, each of a passport of its own."""
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_bytes(another(1))
    second.write_bytes(another(2))
    return first, second


def is_clear(done: Done, fault: str) -> bool:
    """Whether a command was refused in one sentence or two that name the reason, without a trace."""
    return done.status == 2 and SAID[fault] in done.err and "Traceback" not in done.err + done.out


def test_what_cannot_be_kept_is_refused_and_done_again(
    battpass: Battpass, disk: Disk, home: Path, documents: tuple[Path, Path], fault: str, tmp_path: Path
) -> None:
    first, second = documents
    with broken(disk, fault):
        assert is_clear(battpass("import", "--trusted", first), fault)
    assert battpass("import", "--trusted", first).status == 0
    before = tree(home)
    with broken(disk, fault):
        assert is_clear(battpass("import", "--trusted", second), fault)
        assert battpass("export", "urn:uuid:" + identifier(home), "--format", "turtle").status == 0
        assert battpass("journal", "verify").status == 0
        assert battpass("backup", tmp_path / "elsewhere.zip").status == 0
        if fault == "read-only":  # on a full disk it starts, see test_serving.py
            assert is_clear(battpass("serve", "--port", 0), fault)
    assert tree(home) == before
    assert battpass("import", "--trusted", second).status == 0
    assert battpass("journal", "verify").status == 0


def identifier(home: Path) -> str:
    with Home.open(home, read_only=True) as kept:
        return next(kept.records()).rpartition("/")[2]


def test_an_import_that_fills_the_disk_has_kept_what_it_told(
    battpass: Battpass, disk: Disk, home: Path, tmp_path: Path
) -> None:
    """The disk fills once the first passports are told to be kept, while others are still on their way."""
    results, pipe, lines = tmp_path / "results.jsonl", tmp_path / "fleet.jsonl", [*map(line, range(24))]
    os.mkfifo(pipe)

    def hand_over() -> int:
        handed = 0
        with pipe.open("wb", buffering=0) as stream:
            while handed < 22 and not (results.exists() and results.read_bytes()):
                stream.write(lines[handed])
                handed += 1
                time.sleep(0.3)  # what is written at once goes into one chunk
            disk.fill()
            stream.write(b"".join(lines[handed : handed + 2]))  # a pipe holds that much for who reads no more
        return handed

    with ThreadPoolExecutor(1) as threads:
        handing = threads.submit(hand_over)
        done = battpass("import", "--trusted", "--results", results, pipe)
        assert handing.result() < 22
    told = results.read_text(encoding="utf-8").splitlines()
    disk.empty()
    assert is_clear(done, "full"), done
    assert 0 < len(told) < 24
    with Home.open(home, read_only=True) as kept:
        assert len(kept) == len(told)
    pipe.unlink()
    pipe.write_bytes(b"".join(lines))
    assert battpass("import", "--trusted", pipe).status == 0
    with Home.open(home, read_only=True) as kept:
        assert len(kept) == 24
        assert {entry.version for entry in kept.entries()} == {1}
    assert battpass("journal", "verify").status == 0


def line(number: int) -> bytes:
    return json.dumps(json.loads(another(number))).encode() + b"\n"


def test_a_back_up_that_does_not_fit_leaves_nothing_behind(
    battpass: Battpass, disk: Disk, home: Path, documents: tuple[Path, Path], fault: str
) -> None:
    battpass("import", "--trusted", documents[0])
    file = disk.folder / "backup.zip"
    with broken(disk, fault):
        assert is_clear(battpass("backup", file), fault)
        assert {path.name for path in disk.folder.iterdir()} <= {"home", "filling"}
    assert battpass("backup", file).status == 0


def test_a_restoring_that_does_not_fit_can_be_done_again(
    battpass: Battpass, disk: Disk, home: Path, documents: tuple[Path, Path], fault: str, tmp_path: Path
) -> None:
    battpass("import", "--trusted", documents[0])
    assert battpass("backup", tmp_path / "backup.zip").status == 0
    before = head(home)
    restored = disk.folder / "restored"
    with broken(disk, fault):
        assert is_clear(battpass("--home", restored, "restore", tmp_path / "backup.zip"), fault)
        assert battpass("--home", restored, "query", "ASK {}").status == 2
    assert battpass("--home", restored, "restore", tmp_path / "backup.zip").status == 0
    assert head(restored) == before
    assert battpass("--home", restored, "journal", "verify").status == 0


def test_a_restoring_that_nearly_fits_can_be_done_again(
    battpass: Battpass, disk: Disk, documents: tuple[Path, Path], tmp_path: Path
) -> None:
    """Wherever the room ends, there is a whole home afterwards, or a folder that takes another attempt."""
    battpass("import", "--trusted", documents[0])
    battpass("key", "create", "--audience", "owner")
    assert battpass("backup", tmp_path / "backup.zip").status == 0
    size = (tmp_path / "backup.zip").stat().st_size
    refused = 0
    for number, leave in enumerate(range(0, 3 * size, size // 2)):
        restored = disk.folder / f"restored-{number}"
        with disk.filled(leave):
            done = battpass("--home", restored, "restore", tmp_path / "backup.zip")
        if done.status:
            assert is_clear(done, "full"), done
            refused += 1
            assert battpass("--home", restored, "restore", tmp_path / "backup.zip").status == 0
        assert battpass("--home", restored, "journal", "verify").status == 0
    assert refused >= 3


def head(home: Path) -> object:
    with Home.open(home, read_only=True) as kept:
        return kept.journal.head


def test_what_answers_is_not_given_up_for_what_cannot_be_built(
    battpass: Battpass, disk: Disk, documents: tuple[Path, Path], fault: str
) -> None:
    battpass("import", "--trusted", documents[0])
    assert battpass("query", COUNT).out.split() == ["n", "1"]
    with broken(disk, fault):
        assert is_clear(battpass("rebuild"), fault)
        assert battpass("query", COUNT).out.split() == ["n", "1"]
        assert is_clear(battpass("query", "--audience", "public", COUNT), fault)
    assert battpass("rebuild").status == 0
    assert battpass("query", COUNT).out.split() == ["n", "1"]


def test_a_home_begun_on_a_full_disk_is_begun_again(disk: Disk, fault: str) -> None:
    begin: Callable[[], Home] = lambda: Home.open(disk.folder / "new", create=True)  # noqa: E731
    with broken(disk, fault), pytest.raises(NotWritable, match=SAID[fault]):
        begin()
    with begin() as home:
        assert len(home) == 0
