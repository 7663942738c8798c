"""A server in a process of its own, as `battpass serve` starts it, with a few passports and many keys."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from battpass.kg.home import Home
from battpass.kg.keys import FILE, KeyRing
from tests.api.conftest import EXAMPLES, example, keep
from tests.durability.processes import PATIENCE_SECONDS, Started, started
from tests.durability.test_killed_server import ready

# The deadline is that of a server that nobody has changed: honest queries wait for their places too.
DEADLINE_SECONDS = 20
MEMORY_MB = 256


@dataclass(frozen=True, slots=True)
class Attacked:
    """A running server, and the names of the passports that it keeps."""

    server: Started
    home: Path
    address: str
    names: tuple[str, ...]

    @property
    def host(self) -> str:
        return self.address.removeprefix("http://").partition(":")[0]

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def client(self, audience: str = "", *rights: str) -> httpx.Client:
        """Return a client with a key of its own, or without one."""
        headers = {}
        if audience:
            ring = KeyRing(self.home / FILE)
            headers = {"Authorization": f"Bearer {ring.create(audience, rights).token}"}
            ring.close()
        return httpx.Client(base_url=self.address, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False)


@pytest.fixture(scope="package")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """A server of five examples, with little memory for queries."""
    folder = tmp_path_factory.mktemp("attacked") / "home"
    with Home.open(folder, create=True) as home:
        keep(home, *map(example, EXAMPLES))
        names = tuple(record.rpartition("/")[2] for record in home.records())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BATTPASS_QUERY_DEADLINE_SECONDS", str(DEADLINE_SECONDS))
        environment.setenv("BATTPASS_QUERY_MEMORY_MB", str(MEMORY_MB))
        with started("-m", "battpass", "--home", folder, "serve", "--port", "0") as server:
            yield Attacked(server, folder, ready(server), names)
