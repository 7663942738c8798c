"""A journal in a folder, and one in which much has happened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from battpass.kg.journal.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal; a sync more or less is nothing that these tests could see."""
    with Journal.open(tmp_path, durable=False) as made:
        yield made
