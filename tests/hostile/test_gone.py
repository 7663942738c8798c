"""A document that swells takes its worker along, and nothing else; the worker's memory is given back."""

import time
from collections.abc import Callable

import pytest

from tests.api.conftest import problem
from tests.dataset.hostile import DOCUMENTS
from tests.durability.processes import PATIENCE_SECONDS
from tests.hostile.conftest import Attacked
from tests.hostile.processes import Running, family, is_gone

# What other workers may come to hold meanwhile.
SLACK_BYTES = 128 << 20


@pytest.mark.parametrize("name", ["Turtle base that swells each name", "Turtle prefix that swells each name"])
def test_a_document_that_swells_is_gone_with_its_worker_and_its_memory(attacked: Attacked, name: str) -> None:
    media_type, body, _ = DOCUMENTS[name]
    with attacked.client("owner", "write") as client:
        refused = client.post("/v1/dpps", content=b"<a:a> <a:b> 1 .", headers={"Content-Type": media_type})
        problem(refused, 400)
        server, before = readers(attacked)
        assert before, "no worker took the first document"
        told = problem(client.post("/v1/dpps", content=body, headers={"Content-Type": media_type}), 400)
        assert "more memory than one query or document may take" in told["detail"]
        wait_for(lambda: any(map(is_gone, before)), "the worker outlived its document")
        most = memory([server, *before]) + SLACK_BYTES
        wait_for(lambda: kept(attacked) < most, "its memory was kept")
        assert readers(attacked)[0].began == server.began
        assert client.get(f"/v1/dpps/{attacked.names[0]}").status_code == 200


def readers(attacked: Attacked) -> tuple[Running, list[Running]]:
    """Return the server as it is now, and the workers that read documents for it."""
    server, *others = family(attacked.pid)
    parents = {one.pid for one in others if one.reads_documents}
    return server, [one for one in others if one.parent in parents]


def kept(attacked: Attacked) -> int:
    server, workers = readers(attacked)
    return memory([server, *workers])


def memory(some: list[Running]) -> int:
    return sum(one.memory for one in some)


def wait_for(look: Callable[[], bool], otherwise: str) -> None:
    """Look until it is so."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < until, otherwise
        time.sleep(0.01)
