"""A home with a few passports in a folder, and real servers on loopback in front of it."""

import io
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from battpass.kg.home import Arrival, Home
from battpass.kg.keys import FILE, RIGHTS, KeyRing
from battpass.services.api.app import create_app
from battpass.services.api.settings import Settings
from battpass.services.exchange.registry import detect
from benchmarks.campaigns import ROOT

EXAMPLES = ("ev-lfp-60", "lmt-nmc532-05", "ind-lead-48", "sta-lfp-10", "ev-nmc811-82")


def arrival(document: bytes) -> Arrival:
    known = detect(document)
    loaded = known.load(document)
    return Arrival.of(loaded.passport, loaded.findings, document, known.name)


def keep(home: Home, *documents: bytes) -> None:
    """Publish documents without a check: what is served of them is what these tests look at."""
    home.put_many([arrival(document) for document in documents], trusted=True)


def example(name: str) -> bytes:
    return (ROOT / "examples/passports" / f"{name}.json").read_bytes()


def changed(document: bytes, changes: dict[str, Any]) -> bytes:
    """Return a document with other values at some dotted paths; numbers in a path are places in a list."""
    whole = json.loads(document)
    for path, value in changes.items():
        here = whole
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        for step in steps:
            here = here[step]
        here[last] = value
    return json.dumps(whole).encode()


@dataclass
class Served:
    """A running server: what it was made from, where it answers, and what it logged."""

    app: FastAPI
    home: Home
    address: str
    client: httpx.Client
    log: io.StringIO = field(default_factory=io.StringIO)
    keys: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)

    def key(self, audience: str = "owner", *rights: str) -> dict[str, str]:
        """Return the header of a key for an audience, by default with all the rights that it can have."""
        if audience == "public":
            return {}
        rights = rights or (RIGHTS if audience == "owner" else ("read",))
        if (audience, *rights) not in self.keys:
            assert self.home.folder is not None
            ring = KeyRing(self.home.folder / FILE)
            token = ring.create(audience, rights).token
            ring.close()
            self.keys[audience, *rights] = {"Authorization": f"Bearer {token}"}
        return self.keys[audience, *rights]

    def wait_until_ready(self) -> None:
        """Wait until datasets are open."""
        until = time.monotonic() + 60
        while (answer := self.client.get("/readyz")).status_code != 200:
            assert time.monotonic() < until, answer.text
            time.sleep(0.02)

    def logged(self, request: str) -> list[dict[str, Any]]:
        """Return the lines of the log on a request; the last is written after it was answered."""
        until = time.monotonic() + 60
        while not any("ms" in line for line in self.entries(request)):
            assert time.monotonic() < until, self.log.getvalue()
            time.sleep(0.005)
        return self.entries(request)

    def entries(self, request: str = "") -> list[dict[str, Any]]:
        whole, _, _ = self.log.getvalue().rpartition("\n")  # the last line may be half written
        lines = [json.loads(line) for line in whole.splitlines()]
        return [line for line in lines if not request or line.get("request") == request]


@contextmanager
def serving(home: Home, *, ready: bool = True, **settings: Any) -> Iterator[Served]:
    """Serve a home from a thread of this process until the block ends; `ready` waits for its datasets."""
    log = io.StringIO()
    app = create_app(Settings(**settings), home, log)
    # The protocol is named, as asyncio else lets the kernel hold small answers back for 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=5,
            )
        )
        started = threading.Event()
        startup = server.startup

        async def announced(sockets: list[socket.socket] | None = None) -> None:
            await startup(sockets)
            started.set()

        server.startup = announced  # type: ignore[method-assign]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        assert started.wait(30), "the server did not start"
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
            try:
                running = Served(app, home, address, client, log)
                if ready:
                    running.wait_until_ready()
                yield running
            finally:
                server.should_exit = True
                thread.join(20)
                assert not thread.is_alive()


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Five example passports."""
    with Home.open(tmp_path_factory.mktemp("home"), create=True) as opened:
        keep(opened, *(example(name) for name in EXAMPLES))
        yield opened


@pytest.fixture(scope="package")
def served(home: Home) -> Iterator[Served]:
    """The home of five examples, served with a short deadline."""
    with serving(home, query_deadline_seconds=2, query_memory_mb=256) as server:
        yield server


@pytest.fixture(scope="package")
def client(served: Served) -> httpx.Client:
    return served.client


@pytest.fixture(scope="package")
def identifier(home: Home) -> str:
    """The identifier of the first example, an LFP battery of an electric vehicle."""
    return home.find(json.loads(example("ev-lfp-60"))["metadata"]["passportIdentifier"]).rpartition("/")[2]


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Return a problem, once it has been seen to be one of RFC 9457 with a next step."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = answer.json()
    assert content.keys() >= {"type", "title", "status", "detail", "next", "request"}
    assert content["status"] == status
    assert content["type"].startswith("https://w3id.org/battpass/problem#")
    assert content["request"] == answer.headers["x-request-id"]
    assert content["detail"] and content["next"]
    assert "Traceback" not in answer.text
    return content


@pytest.fixture(scope="session")
def repository() -> Path:
    return ROOT


MERGE = {"Content-Type": "application/merge-patch+json"}


def another(number: int, changes: dict[str, Any] | None = None, name: str = "ev-lfp-60") -> bytes:
    """Return the document of another passport, of another battery of the same model."""
    return changed(
        example(name),
        {
            "metadata.passportIdentifier": f"urn:uuid:{identifier_of(number)}",
            "identification.idDmc": f"https://id.exemplar-cells.example/b/{number}",
            **(changes or {}),
        },
    )


def identifier_of(number: int) -> str:
    """Return the identifier of another passport."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"passport {number}"))


def charge(percent: float) -> dict[str, Any]:
    """Return a merge patch that says how far a battery is charged; only its owner and a few others see it."""
    return {"performance": {"dynamic": {"stateOfCharge": {"value": percent}}}}
