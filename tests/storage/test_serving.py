"""`battpass serve` on a full disk: it starts, passports are read, and the rest heals when there is room."""

import signal
import time
from pathlib import Path

import httpx

from battpass.kg.home import Home
from battpass.kg.keys import FILE, KeyRing
from tests.api.conftest import problem
from tests.durability.processes import PATIENCE_SECONDS, Started, started
from tests.durability.server_clients import document
from tests.home import small
from tests.storage.disk import Disk

COUNT = "SELECT (COUNT(*) AS ?n) { ?b <https://example.org/value> ?value }"


def test_a_server_started_on_a_full_disk_reads_and_heals(disk: Disk, home: Path) -> None:
    with Home.open(home, create=True) as made:
        made.put(small.arrival(1))
    ring = KeyRing(home / FILE)
    key = {"Authorization": f"Bearer {ring.create('owner', ['read', 'write']).token}"}
    ring.close()
    name = small.record(1).rpartition("/")[2]
    terms = {"stage": "draft", "check": "false"}
    with disk.filled(), started("-m", "battpass", "--home", home, "serve", "--port", "0") as server:
        with httpx.Client(base_url=address(server), timeout=PATIENCE_SECONDS, trust_env=False) as client:
            assert client.get("/healthz").status_code == 200
            assert client.get(f"/v1/dpps/{name}", params={"format": "n-quads"}).status_code == 200
            refused = client.post("/v1/dpps", params=terms, content=document(1, "w-1"), headers=key)
            assert problem(refused, 507)["type"].endswith("#storage-full")
            asked = problem(client.get("/sparql", params={"query": COUNT}), 503)
            assert asked["type"].endswith("#not-ready")
            assert str(disk.folder) not in str(asked)
            ready = client.get("/readyz", params={"for": "write"}).json()
            assert {"writing", "queries"} <= {check["name"] for check in ready["checks"] if not check["ok"]}
            disk.empty()
            until = time.monotonic() + PATIENCE_SECONDS
            while (
                answer := client.get("/sparql", params={"query": COUNT, "format": "csv"})
            ).status_code != 200:
                assert time.monotonic() < until, answer.text
                time.sleep(0.1)
            assert answer.text.split() == ["n", "1"]
            written = client.post("/v1/dpps", params=terms, content=document(1, "w-1"), headers=key)
            assert written.status_code == 201, written.text
            # What was found of each part is told for a second.
            while (answer := client.get("/readyz", params={"for": "write"})).status_code != 200:
                assert time.monotonic() < until, answer.text
                time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE_SECONDS) == 0, server.text()


def address(server: Started) -> str:
    line = server.wait_for("Pages ")
    assert line is not None, server.text()
    assert server.wait_for("Stop with"), server.text()
    return line.split()[1].rstrip("/")
