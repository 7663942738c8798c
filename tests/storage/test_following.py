"""A dataset that cannot be written: queries go on with what it showed, and it follows again by itself."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from battpass.kg.errors import Overdue
from battpass.kg.home import Home, follower
from tests.api.conftest import problem, serving
from tests.home import small
from tests.storage.disk import Disk, mounted

PATIENCE_SECONDS = 120.0
VALUES = ("first", "second", "third")
SAID = "SELECT ?value { ?b <https://example.org/value> ?value } ORDER BY ?value"


@pytest.fixture
def datasets(tmp_path: Path) -> Iterator[Disk]:
    """A disk for the datasets alone, so that the journal can be written while they cannot."""
    (tmp_path / "home").mkdir()
    with mounted(tmp_path / "home" / "datasets", 128) as made:
        yield made


@pytest.fixture
def home(datasets: Disk) -> Iterator[Home]:
    """A home with a passport, whose datasets lie on that disk."""
    with Home.open(datasets.folder.parent, create=True) as made:
        made.put(small.arrival(1, "first"))
        yield made


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let many attempts fail in little time."""
    monkeypatch.setattr(follower, "GATHERED_SECONDS", 0.02)
    monkeypatch.setattr(follower, "AFTER_TROUBLE_SECONDS", 0.02)


def wait_for(found: object, what: str) -> None:
    assert callable(found)
    until = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < until, what
        time.sleep(0.02)


@pytest.mark.parametrize("fault", ["full", "read-only"])
@pytest.mark.usefixtures("quick")
def test_a_dataset_that_cannot_be_written_answers_and_follows_again(
    home: Home, datasets: Disk, fault: str
) -> None:
    queries = home.queries("public", workers=1)
    home.follow()
    with datasets.filled() if fault == "full" else datasets.read_only():
        written = home.put(small.arrival(2, "second"))
        with pytest.raises(Overdue, match=f"not yet {written.sequence}"):
            home.wait("public", written.sequence, 1.0)
        wait_for(lambda: home.trouble, "the dataset was written where it could not be")
        assert "public" in home.trouble
        until = time.monotonic() + 1.0
        while time.monotonic() < until:  # many more attempts than there are failures before it is built anew
            assert queries.query(SAID, "csv").read().split() == [b"value", b"first"]
            time.sleep(0.1)
        third = home.put(small.arrival(3, "third"))
    home.wait("public", third.sequence, PATIENCE_SECONDS)
    wait_for(lambda: not home.trouble, home.trouble)
    assert queries.query(SAID, "csv").read().split() == [b"value", b"first", b"second", b"third"]
    followed = home.dataset("public").digest()
    with Home.in_memory() as other:
        other.put_many(small.arrival(number, value) for number, value in enumerate(VALUES, 1))
        assert other.dataset("public").digest() == followed


def test_a_home_closes_and_opens_again_around_a_full_disk_of_datasets(home: Home, datasets: Disk) -> None:
    folder = home.folder
    assert folder is not None
    home.dataset("public")
    with datasets.filled():
        written = home.put(small.arrival(2, "second"))
        home.close()
        with Home.open(folder) as again:
            assert again.sequence == written.sequence
    with Home.open(folder) as again:
        answer = again.queries("public").query(SAID, "csv").read()
    assert answer.split() == [b"value", b"first", b"second"]


def test_who_waits_for_a_write_is_told_in_time_that_it_is_not_shown(home: Home, datasets: Disk) -> None:
    with serving(home, query_deadline_seconds=1.5) as server, datasets.filled():
        written = home.put(small.arrival(2, "second"))
        headers = {"Min-Sequence": str(written.sequence)}
        asked = {"query": SAID, "format": "csv"}
        began = time.monotonic()
        told = problem(server.client.get("/sparql", params=asked, headers=headers), 504)
        assert time.monotonic() - began < 30
        assert told["type"].endswith("#not-shown-yet")
        assert f"not {written.sequence}" in told["detail"]
        assert server.client.get("/sparql", params=asked).text.split() == ["value", "first"]
        datasets.empty()
        wait_for(
            lambda: server.client.get("/sparql", params=asked, headers=headers).status_code == 200,
            "the dataset does not follow again",
        )
        assert server.client.get("/sparql", params=asked).text.split() == ["value", "first", "second"]
