"""A small dataset in a folder, and a socket on loopback that counts who calls it."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.dataset import Dataset
from battpass.kg.graphs import AccessClass, Graphs
from battpass.kg.namespaces import BASE, BP
from battpass.kg.passport import graph_name

RECORD = f"{BASE}p/11111111-1111-4111-8111-111111111111"
NODES = 500


def graphs(record: str, statements: dict[AccessClass, list[tuple[str, str, object]]]) -> Graphs:
    """Return graphs of a record from (local name of the node, local name of the property, value)."""
    return {
        access: frozenset(
            Quad(
                NamedNode(f"{record}#{subject}"),
                NamedNode(BP + predicate),
                value if isinstance(value, NamedNode) else Literal(value),  # type: ignore[arg-type]
                graph_name(record, access),
            )
            for subject, predicate, value in triples
        )
        for access, triples in statements.items()
    }


def battery(record: str, capacity: int = 94) -> Graphs:
    """Return a passport of three statements in two access classes."""
    return graphs(
        record,
        {
            AccessClass.PUBLIC: [("battery", "ratedCapacityAh", capacity), ("battery", "label", "Pack")],
            AccessClass.ITEM: [("battery", "measuredStateOfChargePercent", 80)],
        },
    )


def web(record: str, nodes: int = NODES) -> Graphs:
    """Return a graph of nodes with three edges each, on which closures and cross products grow."""
    edges = [
        (f"n{number}", "next", NamedNode(f"{record}#n{(number * 7 + step * 131 + 1) % nodes}"))
        for number in range(nodes)
        for step in range(3)
    ]
    return graphs(record, {AccessClass.PUBLIC: edges})  # type: ignore[dict-item]


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    """A dataset in a folder, with one passport, flushed."""
    with Dataset.open(tmp_path / "public") as opened:
        opened.replace(RECORD, battery(RECORD))
        opened.flush()
        yield opened


class Canary:
    """Listens on loopback and counts connections; it answers none."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/canary"
        self.hits = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.hits += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture(scope="session")
def canary() -> Iterator[Canary]:
    listening = Canary()
    yield listening
    listening.close()


@pytest.fixture
def unheard(canary: Canary) -> Iterator[Callable[[str], str]]:
    """Puts the canary's address into a text, and fails the test if anything calls it."""
    before = canary.hits
    yield lambda text: text.replace("CANARY", canary.url)
    assert canary.hits == before, "something reached the network"
