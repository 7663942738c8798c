"""A small disk for a test, and the commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import battpass, intake
from tests.storage.disk import Disk, mounted

__all__ = ["battpass", "disk", "home", "intake"]

# A dataset with what its engine takes in advance, and what the journal leaves free.
MEGABYTES = 96


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """An empty disk."""
    with mounted(tmp_path / "disk", MEGABYTES) as made:
        yield made


@pytest.fixture
def home(disk: Disk) -> Path:
    """Where the commands keep passports: on the disk."""
    return disk.folder / "home"
