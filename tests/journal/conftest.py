"""A journal in a folder, and one in which much has happened."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from battpass.kg.journal.entry import Note, Stage
from battpass.kg.journal.journal import Journal
from tests.journal.records import archived, change, model


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal; a sync more or less is nothing that these tests could see."""
    with Journal.open(tmp_path, durable=False) as made:
        yield made


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a closed journal with all kinds of entries; read it, or copy it."""
    folder = tmp_path_factory.mktemp("told")
    with Journal.open(folder, durable=False) as journal:
        journal.append(
            [model(), *(change(n, 0, note=Note("new", f"{n}.json", (f"id-{n}",))) for n in range(4))]
        )
        for turn in range(1, 4):
            journal.append([change(1, turn, original=b"document %d" % turn)])
            journal.append([change(2, turn, Stage.DRAFT, note=Note("better"))])
        journal.append([change(2, 9, report=b'{"blocking": false}')])
        journal.append([change(3, 1, Stage.DRAFT)])
        journal.append([archived(0, note=Note("recycled"))])
    return folder


@pytest.fixture
def copied(told: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return Path(shutil.copytree(told, tmp_path / "copied"))
