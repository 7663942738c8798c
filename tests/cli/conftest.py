"""The real commands, run in this process, with a folder of passports of their own."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from battpass.services.cli.main import app
from battpass.services.exchange.intake import Intake
from benchmarks.campaigns import ROOT

EXAMPLES = ROOT / "examples"


@dataclass(frozen=True)
class Done:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str
    data: bytes

    @property
    def document(self) -> Any:
        """The one JSON document that it printed."""
        return json.loads(self.out)


Battpass = Callable[..., Done]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the commands keep passports; it does not exist at first."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def intake() -> Iterator[Intake]:
    """An intake that all commands in this process read documents with, as each takes seconds to start."""
    with Intake(workers=os.cpu_count() or 1) as lent:
        yield lent


@pytest.fixture
def battpass(home: Path, intake: Intake) -> Battpass:
    """Run a command: `battpass("import", path)`."""

    def run(*arguments: object, given: bytes | None = None) -> Done:
        runner = CliRunner(env={"BATTPASS_HOME": str(home), "NO_COLOR": "1"})
        done = runner.invoke(app, [str(one) for one in arguments], input=given, obj=intake)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr, done.stdout_bytes)

    return run


@pytest.fixture
def example() -> Callable[[str], Path]:
    """Return the path of an example by its name."""
    return lambda name: EXAMPLES / "passports" / f"{name}.json"


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, Callable[[dict[str, Any]], object]], Path]:
    """Write an example with a change into a file, and return its path."""

    def write(name: str, change: Callable[[dict[str, Any]], object]) -> Path:
        payload = json.loads((EXAMPLES / "passports" / f"{name}.json").read_bytes())
        change(payload)
        path = tmp_path / f"changed-{name}.json"
        path.write_text(json.dumps(payload, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    return write


# Files of SQLite beside a journal, made anew by whoever opens it: an index in memory, and an empty log.
OF_SQLITE = ("journal.sqlite-shm", "journal.sqlite-wal")


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its content; nothing where there is no folder."""
    found = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {
        str(path.relative_to(folder)): data
        for path, data in found.items()
        if path.name not in OF_SQLITE or (data and path.name.endswith("-wal"))
    }
