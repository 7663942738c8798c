"""A folder for homes that are made, damaged and thrown away by the thousand."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


@pytest.fixture
def quick() -> Iterator[Path]:
    """An empty folder, in memory where there is such a thing: what is damaged here is damaged by hand."""
    with tempfile.TemporaryDirectory(prefix="battpass-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)
