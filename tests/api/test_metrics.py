"""Figures: what is counted and read, who may see it, and that nobody can make them grow."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from battpass.kg.errors import NotFound, PoolBusy
from battpass.kg.home import Arrival, Home
from battpass.kg.keys import FILE, KeyRing
from battpass.services.api.metrics import Metrics, Sources, metrics_router
from battpass.services.exchange.registry import detect
from benchmarks.campaigns import ROOT
from tests.api.conftest import serving
from tests.api.small_app import Small
from tests.dataset.hostile import HEAVY

Labels = frozenset[tuple[str, str]]


@dataclass
class Pool:
    """What a pool counts."""

    started: int = 0
    lost: int = 0


def arrival(name: str) -> Arrival:
    data = (ROOT / "examples/passports" / f"{name}.json").read_bytes()
    known = detect(data)
    loaded = known.load(data)
    return Arrival.of(loaded.passport, loaded.findings, data, known.name)


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / FILE)


@pytest.fixture
def small(ring: KeyRing) -> Small:
    metrics = Metrics()
    return Small(ring, (metrics_router(metrics),), metrics)


@pytest.fixture
def open_here(ring: KeyRing) -> Small:
    metrics = Metrics()
    return Small(ring, (metrics_router(metrics, open_here=True),), metrics)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home.open(tmp_path / "home", create=True) as opened:
        yield opened


def figures(text: str | bytes) -> dict[str, dict[Labels, float]]:
    """Return the figures of a text by name and labels."""
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text if isinstance(text, str) else text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def labels(**given: str) -> Labels:
    return frozenset(given.items())


def test_requests_are_counted_by_template_method_and_status(small: Small) -> None:
    for path, method, times in (
        ("/v1/open/a", "GET", 3),
        ("/v1/open/b", "GET", 2),
        ("/v1/open/a", "HEAD", 1),
        ("/v1/open/a", "DELETE", 1),
        ("/v1/things/a", "POST", 4),
        ("/nowhere/a", "GET", 2),
        ("/v1/broken", "GET", 1),
        ("/v1/stream", "GET", 1),
    ):
        for _ in range(times):
            small.ask(path, method)
    found = figures(small.metrics.text())
    counted = found["battpass_http_requests_total"]
    assert counted == {
        labels(route="/v1/open/{name}", method="GET", status="200"): 5,
        labels(route="/v1/open/{name}", method="HEAD", status="200"): 1,
        labels(route="/v1/open/{name}", method="DELETE", status="405"): 1,
        labels(route="/v1/things/{name}", method="POST", status="401"): 4,
        labels(route="none", method="GET", status="404"): 2,
        labels(route="/v1/broken", method="GET", status="500"): 1,
        labels(route="/v1/stream", method="GET", status="200"): 1,
    }
    assert found["battpass_http_request_seconds_count"][labels(route="/v1/open/{name}")] == 7
    buckets = found["battpass_http_request_seconds_bucket"]
    assert buckets[labels(route="/v1/open/{name}", le="+Inf")] == 7
    assert found["battpass_http_requests_under_way"][labels()] == 0


def test_no_caller_makes_figures_grow(small: Small, ring: KeyRing) -> None:
    key = ring.create("owner", ["read"])
    small.ask("/v1/open/a", "GET")
    small.ask("/v1/open/a", "OTHER")
    small.ask("/nowhere")
    before = len(figures(small.metrics.text())["battpass_http_requests_total"])
    for number in range(30):
        small.ask(f"/v1/open/{number}", x_request_id=f"n{number}")
        small.ask("/v1/open/a", f"METHOD{number}")
        small.ask(f"/nowhere/{number}?{number}")
    text = small.metrics.text()
    assert len(figures(text)["battpass_http_requests_total"]) == before
    small.ask("/v1/who", x_api_key=key.token)
    assert key.key.id.encode() not in small.metrics.text()


def test_a_request_under_way_is_counted_as_such() -> None:
    metrics = Metrics()
    began = metrics.begun()
    assert figures(metrics.text())["battpass_http_requests_under_way"][labels()] == 1
    metrics.ended(began, "/x", "GET", 0)
    found = figures(metrics.text())
    assert found["battpass_http_requests_under_way"][labels()] == 0
    assert found["battpass_http_requests_total"] == {labels(route="/x", method="GET", status="none"): 1}


def test_many_threads_lose_no_count() -> None:
    metrics = Metrics()

    def work() -> None:
        for _ in range(500):
            metrics.ended(metrics.begun(), "/x", "GET", 200)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(figures(metrics.text())["battpass_http_requests_total"].values()) == 2_000


def test_two_apps_count_for_themselves(tmp_path: Path) -> None:
    one, two = Small(KeyRing(tmp_path / "1")), Small(KeyRing(tmp_path / "2"))
    one.ask("/v1/open/a")
    assert figures(one.metrics.text())["battpass_http_requests_total"]
    assert "battpass_http_requests_total" not in figures(two.metrics.text())


def test_the_figures_of_a_home_are_those_of_its_journal_and_datasets(home: Home) -> None:
    metrics, pools = Metrics(), {"intake": Pool(3, 1)}
    metrics.watch(Sources.of(home, lambda: pools))
    found = figures(metrics.text())
    assert found["battpass_journal_sequence"][labels()] == 0
    assert "battpass_dataset_sequence" not in found  # no dataset was asked for
    home.put_many([arrival("ev-lfp-60"), arrival("sta-lfp-10")], trusted=True)
    home.dataset("public")
    sequence = home.sequence
    assert sequence >= 4  # two items, two models
    found = figures(metrics.text())
    assert found["battpass_journal_sequence"][labels()] == sequence
    assert found["battpass_journal_entries_total"][labels()] == sequence
    assert 1 <= found["battpass_journal_commits_total"][labels()] <= sequence
    assert found["battpass_journal_last_commit_seconds"][labels()] > 0
    assert found["battpass_dataset_sequence"] == {labels(audience="public"): sequence}
    assert found["battpass_dataset_lag_entries"] == {labels(audience="public"): 0}
    assert found["battpass_processes_started_total"] == {labels(pool="intake"): 3}
    assert found["battpass_processes_lost_total"] == {labels(pool="intake"): 1}
    assert 0 < found["battpass_disk_free_bytes"][labels()] <= found["battpass_disk_size_bytes"][labels()]
    assert found["process_start_time_seconds"][labels()] > 1_700_000_000


def test_a_dataset_that_stays_behind_shows_by_how_much(tmp_path: Path) -> None:
    metrics = Metrics()
    shown = {"public": 40, "owner": 42, "interest": -1}
    numbers = Pool()

    def no_numbers() -> object:
        raise NotFound("no journal")

    metrics.watch(Sources(tmp_path, shown, lambda: 42, no_numbers, shown.__getitem__, lambda: {"x": numbers}))  # type: ignore[arg-type]
    found = figures(metrics.text())
    assert found["battpass_dataset_lag_entries"] == {
        labels(audience="public"): 2,
        labels(audience="owner"): 0,
    }
    # What cannot be read is left out, and takes nothing else along.
    assert "battpass_journal_sequence" not in found
    assert found["battpass_processes_started_total"] == {labels(pool="x"): 0}


def test_a_server_tells_how_many_processes_it_started_and_lost(home: Home) -> None:
    home.put_many([arrival("ev-lfp-60")], trusted=True)
    pool = labels(pool="queries-public")
    with serving(home, query_deadline_seconds=1, query_workers=1) as served:

        def told() -> tuple[float, float]:
            found = figures(served.client.get("/metrics", headers=served.key()).text)
            assert labels(pool="intake") in found["battpass_processes_started_total"]
            return found["battpass_processes_started_total"][pool], found["battpass_processes_lost_total"][
                pool
            ]

        started, lost = told()
        assert started >= 1
        page = (ROOT / "docs/server.md").read_text(encoding="utf-8")
        given = text_string_to_metric_families(served.client.get("/metrics", headers=served.key()).text)
        # When a counter began comes along with it.
        names = (family.name for family in given if family.name.startswith("battpass_"))
        ours = [name for name in names if not name.endswith("_created")]
        assert ours and not [name for name in ours if f"`{name}" not in page]
        query = {"query": HEAVY["cross product of three, counted"]}
        assert served.client.get("/sparql", params=query).status_code == 504
        assert told() == (started + 1, lost + 1)


def test_a_pool_that_is_being_renewed_hides_no_other(tmp_path: Path) -> None:
    class Renewed:
        lost = 0

        @property
        def started(self) -> int:
            raise PoolBusy("It is being built anew.")

    def no_numbers() -> object:
        raise NotFound("no journal")

    metrics = Metrics()
    pools = {"a": Renewed(), "b": Pool(2, 1)}
    metrics.watch(Sources(tmp_path, (), lambda: 0, no_numbers, lambda _: -1, lambda: pools))  # type: ignore[arg-type]
    assert figures(metrics.text())["battpass_processes_started_total"] == {labels(pool="b"): 2}


def status(answer: httpx.Response) -> int:
    if answer.status_code == 200:
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert figures(answer.text)["battpass_http_requests_under_way"][labels()] == 1  # this one
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "battpass_http" not in answer.text
    return answer.status_code


def test_figures_need_a_key_with_the_right_admin(small: Small, ring: KeyRing) -> None:
    admin, owner = ring.create("owner", ["admin"]), ring.create("owner", ["write", "publish", "archive"])
    assert status(small.ask("/metrics")) == 401
    assert status(small.ask("/metrics", client="127.0.0.1")) == 401
    assert status(small.ask("/metrics", authorization=f"Bearer {owner.token}")) == 403
    assert status(small.ask("/metrics", authorization=f"Bearer {admin.token}")) == 200
    assert status(small.ask("/metrics", x_api_key=admin.token)) == 200
    ring.revoke(admin.key.id)
    assert status(small.ask("/metrics", x_api_key=admin.token)) == 401


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_figures_can_be_opened_to_this_machine(open_here: Small, address: str) -> None:
    assert status(open_here.ask("/metrics", client=address)) == 200


@pytest.mark.parametrize("address", ["192.0.2.1", "::2", "::11", "10.0.0.1", "::ffff:192.0.2.1", "localhost"])
def test_opened_to_this_machine_is_not_opened_to_others(open_here: Small, address: str) -> None:
    assert status(open_here.ask("/metrics", client=address)) == 401


@pytest.mark.parametrize("header", ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"])
def test_what_a_proxy_hands_on_does_not_come_from_this_machine(open_here: Small, header: str) -> None:
    answer = open_here.ask("/metrics", client="127.0.0.1", **{header: "127.0.0.1"})
    assert status(answer) == 401


def test_a_key_counts_on_this_machine_too(open_here: Small, ring: KeyRing) -> None:
    reader = ring.create("owner", ["read"])
    assert status(open_here.ask("/metrics", client="127.0.0.1", x_api_key=reader.token)) == 403
    assert status(open_here.ask("/metrics", client="127.0.0.1", x_api_key="scrawl")) == 401
