"""What is large a server has a process of its own build; where there can be none, it builds it itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from battpass.kg.home import Home
from battpass.kg.home.datasets import IN_PLACE
from battpass.services.api.answering import WORTH_RECORDS
from tests.api.conftest import Served, serving
from tests.home import small

COUNT = "SELECT (COUNT(?b) AS ?n) { ?b <https://example.org/value> ?value }"


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Home]:
    with Home.open(tmp_path / "large", create=True) as made:
        made.put_many([small.arrival(number) for number in range(WORTH_RECORDS)], trusted=True)
        yield made


def built(server: Served) -> list[tuple[str, str]]:
    """Return what a server logged of building datasets."""
    events = ("dataset is built", "dataset is built here")
    return [(line["event"], line["audience"]) for line in server.entries() if line["event"] in events]


@pytest.mark.parametrize("possible", [True, False])
def test_a_large_dataset_answers_wherever_it_was_built(
    large: Home, possible: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        if not possible:
            # The name of the module that the process is to run.
            changed.setattr("battpass.kg.home.building.__name__", "battpass.nowhere")
        with serving(large, ready=False) as server:
            server.wait_until_ready()
            answer = server.client.get("/sparql", params={"query": COUNT, "format": "csv"})
            assert answer.text.split() == ["n", str(WORTH_RECORDS)]
            assert built(server) == [("dataset is built" if possible else "dataset is built here", "public")]


def test_a_dataset_that_lacks_much_is_brought_up_by_a_process_too(large: Home) -> None:
    large.dataset("public")
    more = [small.arrival(WORTH_RECORDS + number) for number in range(WORTH_RECORDS // IN_PLACE)]
    large.put_many(more, trusted=True)
    with serving(large, ready=False) as server:
        server.wait_until_ready()
        answer = server.client.get("/sparql", params={"query": COUNT, "format": "csv"})
        assert answer.text.split() == ["n", str(WORTH_RECORDS + len(more))]
        assert built(server) == [("dataset is built", "public")]


def test_a_server_that_ends_does_not_wait_for_a_dataset(large: Home) -> None:
    with serving(large, ready=False) as server:
        server.client.get("/healthz")
    with serving(large) as server:
        answer = server.client.get("/sparql", params={"query": COUNT, "format": "csv"})
        assert answer.text.split() == ["n", str(WORTH_RECORDS)]
