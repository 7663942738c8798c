"""Twenty honest clients, each with a key of its own, that know what each answer must be."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.api.conftest import EXAMPLES, MERGE
from tests.durability.server_clients import FORMAT, document, identifier
from tests.hostile.conftest import Attacked

READERS, ASKERS, WRITERS = 12, 5, 3
COUNT = "SELECT (COUNT(*) AS ?n) { ?passport a bp:BatteryPassport }"
_READER_SECONDS, _ASKER_SECONDS, _WRITER_SECONDS = 0.2, 0.5, 1.0


@dataclass
class Honest:
    """What honest clients were told: the answers of each kind, how long each took, and what was wrong."""

    answered: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    ending: threading.Event = field(default_factory=threading.Event)

    def note(self, kind: str, seconds: float, right: bool, answer: httpx.Response) -> None:
        """Note one answer."""
        with self._guard:
            self.answered[kind] += 1
            self.seconds.setdefault(kind, []).append(seconds)
            if not right:
                self.wrong.append(f"{kind}: {answer.status_code} {answer.text[:300]}")


@contextmanager
def honest_clients(attacked: Attacked) -> Iterator[Honest]:
    """Let twenty clients read, ask and write while the block runs."""
    found = Honest()
    works: list[Callable[[], None]] = [
        *(lambda number=number: _read(attacked, found, number) for number in range(READERS)),  # type: ignore[misc]
        *(lambda: _ask(attacked, found) for _ in range(ASKERS)),
        *(lambda number=number: _write(attacked, found, number) for number in range(WRITERS)),  # type: ignore[misc]
    ]
    with ThreadPoolExecutor(len(works)) as threads:
        running: list[Future[None]] = [threads.submit(work) for work in works]
        try:
            yield found
        finally:
            found.ending.set()
        for one in running:
            one.result()


def _read(attacked: Attacked, found: Honest, number: int) -> None:
    """Read passports in turn: as data, as a page, their versions and the list; nothing of them changes."""
    name = attacked.names[number % len(attacked.names)]
    ways = [
        (f"/v1/dpps/{name}", {"Accept": "application/json"}),
        (f"/v1/dpps/{name}", {"Accept": "text/turtle"}),
        (f"/p/{name}", {"Accept": "text/html"}),
        (f"/v1/dpps/{name}/versions", {}),
        ("/v1/dpps", {}),
    ]
    with attacked.client("public", "read") as client:
        known = {}
        for path, headers in ways:
            began = time.monotonic()
            answer = client.get(path, headers=headers)
            found.note("read", time.monotonic() - began, answer.status_code == 200, answer)
            known[path + str(headers)] = answer.content
        while not found.ending.wait(_READER_SECONDS):
            ways.append(ways.pop(0))
            path, headers = ways[0]
            began = time.monotonic()
            answer = client.get(path, headers=headers)
            right = answer.status_code == 200 and answer.content == known[path + str(headers)]
            found.note("read", time.monotonic() - began, right, answer)


def _ask(attacked: Attacked, found: Honest) -> None:
    """Ask how many passports there are."""
    with attacked.client("public", "read") as client:
        while not found.ending.wait(_ASKER_SECONDS):
            began = time.monotonic()
            answer = client.get("/sparql", params={"query": COUNT, "format": "csv"})
            right = answer.status_code == 200 and answer.text.split() == ["n", str(len(EXAMPLES))]
            found.note("asked", time.monotonic() - began, right, answer)


def _write(attacked: Attacked, found: Honest, number: int) -> None:
    """Create a draft, and change it again and again; each change is the next version."""
    with attacked.client("owner", "write") as client:
        terms = {"stage": "draft", "check": "false"}
        answer = client.post("/v1/dpps", params=terms, content=document(number, "w-0"))
        found.note("written", 0.0, answer.status_code == 201, answer)
        version = 1
        while not found.ending.wait(_WRITER_SECONDS):
            version += 1
            began = time.monotonic()
            answer = client.patch(
                f"/v1/dpps/{identifier(number)}",
                params={**terms, "format": FORMAT},
                content=json.dumps({"metadata": {"version": f"w-{version}"}}).encode(),
                headers={**MERGE, "If-Match": answer.headers.get("etag", "")},
            )
            right = answer.status_code == 200 and answer.json()["version"] == version
            found.note("written", time.monotonic() - began, right, answer)
