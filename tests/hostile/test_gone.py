"""A document that swells takes its worker along, and nothing else; the worker's memory is given back."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from tests.api.conftest import problem
from tests.dataset.hostile import DOCUMENTS
from tests.durability.processes import PATIENCE_SECONDS
from tests.hostile.conftest import Attacked
from tests.hostile.processes import Running, family, is_gone

T = TypeVar("T")

# What other workers may come to hold meanwhile.
SLACK_BYTES = 128 << 20


@pytest.mark.parametrize("name", ["Turtle base that swells each name", "Turtle prefix that swells each name"])
def test_a_document_that_swells_is_gone_with_its_worker_and_its_memory(attacked: Attacked, name: str) -> None:
    media_type, body, _ = DOCUMENTS[name]
    with attacked.client("owner", "write") as client, ThreadPoolExecutor(1) as threads:
        before = readers(attacked)
        answering = threads.submit(
            client.post, "/v1/dpps", content=body, headers={"Content-Type": media_type}
        )
        worker = wait_for(lambda: swollen(attacked, SLACK_BYTES), "no worker took the document")
        told = problem(answering.result(), 400)
        assert "more memory than one query or document may take" in told["detail"]
        wait_for(lambda: is_gone(worker), "the worker outlived its document")
        most = sum(one.memory for one in before) + SLACK_BYTES
        wait_for(lambda: sum(one.memory for one in readers(attacked)) < most, "its memory was kept")
        assert readers(attacked)[0].began == before[0].began
        assert client.get(f"/v1/dpps/{attacked.names[0]}").status_code == 200


def readers(attacked: Attacked) -> list[Running]:
    """Return the server and the processes that read documents for it."""
    server, *others = family(attacked.pid)
    parents = {one.pid for one in others if one.reads_documents}
    return [server, *(one for one in others if one.reads_documents or one.parent in parents)]


def swollen(attacked: Attacked, size: int) -> Running | None:
    """Return the worker that reads a document and has grown to some size."""
    found = family(attacked.pid)
    parents = {one.pid for one in found if one.reads_documents}
    return next((one for one in found if one.parent in parents and one.memory > size), None)


def wait_for(look: Callable[[], T | None], otherwise: str) -> T:
    """Look until there is something to see."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < until, otherwise
        time.sleep(0.01)
    return found
