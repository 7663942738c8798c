"""One home full of canaries, one real server on loopback in front of it, and callers of every kind."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from battpass.kg.home import Home
from battpass.kg.keys import FILE, RIGHTS, KeyRing
from tests.api.conftest import Served, serving
from tests.leak.planting import AUDIENCES, Planted, live_on, plant


@dataclass(frozen=True)
class Caller:
    """Who asks: what it is called, whose eyes it has, and the headers that say so."""

    name: str
    audience: str
    headers: Mapping[str, str] = field(repr=False)


@pytest.fixture(scope="package")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """A home with passports in every stage; some datasets saw them change, others were made afterwards."""
    with Home.open(tmp_path_factory.mktemp("planted") / "home", create=True) as home:
        planted = plant(home)
        for audience in ("public", "owner"):
            home.dataset(audience)
        live_on(planted)
        yield planted


@pytest.fixture(scope="package")
def served(planted: Planted) -> Iterator[Served]:
    """The home behind a real server, with all its datasets open and up to date."""
    with serving(planted.home, dataset_wait_seconds=60, query_deadline_seconds=60) as server:
        for audience in AUDIENCES:
            answer = server.client.get(
                "/sparql",
                params={"query": "ASK {}"},
                headers={**server.key(audience, "read"), "Min-Sequence": str(planted.home.sequence)},
            )
            assert answer.status_code == 200, answer.text
        yield server


@pytest.fixture(scope="package")
def callers(served: Served) -> Mapping[str, Caller]:
    """One caller of each audience, and some with a key that says less than its audience could."""
    found = [Caller(one, one, served.key(one, "read")) for one in AUDIENCES]
    found.append(Caller("reader", "owner", served.key("owner", "read")))
    # A key without the right to read sees what anybody sees.
    found.append(Caller("administrator", "public", served.key("owner", "admin")))
    return {one.name: one for one in found}


@pytest.fixture(scope="package")
def revoked(served: Served) -> Caller:
    """Who had all rights, and has none any more."""
    assert served.home.folder is not None
    ring = KeyRing(served.home.folder / FILE)
    issued = ring.create("owner", RIGHTS)
    ring.revoke(issued.key.id)
    ring.close()
    return Caller("revoked", "public", {"Authorization": f"Bearer {issued.token}"})
