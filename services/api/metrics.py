"""Figures of one running app for Prometheus: requests, the journal, the datasets, processes and the disk.

Each app has a registry of its own. What stands somewhere already (the journal's numbers, the free disk) is
read when it is asked for; only requests are counted here. Labels are route templates, methods, statuses and
names of audiences, so no figure tells of one passport or one caller, and no caller can make new time series.
"""

import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Protocol

import anyio.to_thread
from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from battpass.kg.errors import BattPassError
from battpass.kg.home import Home
from battpass.services.api.bodies import problems
from battpass.services.api.callers import caller_of

# Answers of a passport take milliseconds, queries up to their deadline.
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# A proxy on this machine connects from it, and says so by one of these.
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class Numbers(Protocol):
    """What a journal counts since it was opened."""

    @property
    def commits(self) -> int: ...
    @property
    def entries(self) -> int: ...
    @property
    def last_commit_seconds(self) -> float: ...


class Counted(Protocol):
    """What a pool of processes counts: how many were started, and how many ended before their work did."""

    @property
    def started(self) -> int: ...
    @property
    def lost(self) -> int: ...


@dataclass(frozen=True)
class Sources:
    """Where figures are read; each call may raise BattPassError, and its figure is then left out.

    `sequence` is the last entry of the journal, `shown` the entry up to which an audience's dataset shows the
    journal to queries, below 0 where it is not open. `pools` gives what each pool of processes has counted,
    by its name.
    """

    folder: Path
    audiences: Collection[str]
    sequence: Callable[[], int]
    numbers: Callable[[], Numbers]
    shown: Callable[[str], int]
    pools: Callable[[], Mapping[str, Counted]]

    @classmethod
    def of(cls, home: Home, pools: Callable[[], Mapping[str, Counted]] = dict) -> "Sources":
        """Return where the figures of a home are read."""
        journal = home.journal
        return cls(
            journal.folder,
            home.audiences,
            lambda: home.sequence,
            lambda: journal.statistics,
            home.shown,
            pools,
        )


class Metrics:
    """The figures of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # when the process started, its memory, time and files
        self._requests = Counter(
            "battpass_http_requests",
            "Requests that were answered, by route template, method and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "battpass_http_request_seconds",
            "Time from a request to the last byte of its answer, by route template.",
            ("route",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._under_way = Gauge(
            "battpass_http_requests_under_way",
            "Requests that are being answered.",
            registry=self.registry,
        )

    def watch(self, sources: Sources) -> None:
        """Read figures from here too, whenever they are asked for."""
        self.registry.register(Standing(sources))

    def begun(self) -> float:
        """Count a request that begins, and return when it did, for `ended`."""
        self._under_way.inc()
        return time.perf_counter()

    def ended(self, begun: float, route: str, method: str, status: int) -> None:
        """Count a request that ended. `route` is empty where none fits, `status` 0 where nothing was sent."""
        self._under_way.dec()
        name = route or "none"
        self._seconds.labels(name).observe(time.perf_counter() - begun)
        self._requests.labels(name, method if method in _METHODS else "other", str(status or "none")).inc()

    def text(self) -> bytes:
        """Return all figures in the text format of Prometheus."""
        return generate_latest(self.registry)


class Standing(Collector):
    """Figures that are read from where they stand."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def describe(self) -> Iterable[Metric]:
        """Return nothing: reading takes place when figures are asked for, not when this is registered."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield the figures that can be read now."""
        for read in (self._journal, self._datasets, self._processes, self._disk):
            try:
                found = list(read())
            except (BattPassError, OSError):
                continue  # what is missing is seen in Prometheus, and /readyz says why
            yield from found

    def _journal(self) -> Iterable[Metric]:
        sequence, numbers = self._sources.sequence(), self._sources.numbers()
        yield _gauge("battpass_journal_sequence", "Number of the last entry of the journal.", sequence)
        yield _counter("battpass_journal_commits", "Commits since the start.", numbers.commits)
        yield _counter(
            "battpass_journal_entries",
            "Entries written since the start; over commits: a group.",
            numbers.entries,
        )
        yield _gauge(
            "battpass_journal_last_commit_seconds", "Time of the last commit.", numbers.last_commit_seconds
        )

    def _datasets(self) -> Iterable[Metric]:
        shown = GaugeMetricFamily(
            "battpass_dataset_sequence", "Last entry that a dataset shows to queries.", labels=("audience",)
        )
        lag = GaugeMetricFamily(
            "battpass_dataset_lag_entries", "Entries that a dataset does not show yet.", labels=("audience",)
        )
        for audience in sorted(self._sources.audiences):
            at = self._sources.shown(audience)
            if at >= 0:
                shown.add_metric((audience,), at)
                lag.add_metric((audience,), max(0, self._sources.sequence() - at))
        yield from (shown, lag)

    def _processes(self) -> Iterable[Metric]:
        started = CounterMetricFamily(
            "battpass_processes_started", "Sealed processes that were started.", labels=("pool",)
        )
        lost = CounterMetricFamily(
            "battpass_processes_lost", "Sealed processes that ended before their work.", labels=("pool",)
        )
        for name, pool in sorted(self._sources.pools().items()):
            with suppress(BattPassError):  # a dataset that is being built anew has none
                counted = pool.started, pool.lost
                started.add_metric((name,), counted[0])
                lost.add_metric((name,), counted[1])
        yield from (started, lost)

    def _disk(self) -> Iterable[Metric]:
        usage = shutil.disk_usage(self._sources.folder)
        yield _gauge("battpass_disk_free_bytes", "Free room on the disk of the home folder.", usage.free)
        yield _gauge("battpass_disk_size_bytes", "Size of that disk.", usage.total)


def metrics_router(metrics: Metrics, *, open_here: bool = False) -> APIRouter:
    """Return the route `/metrics` of one app.

    It needs a key with the right `admin`. With `open_here` it also answers whoever connects from this machine
    without a key; a proxy that runs here connects from this machine too, so this is for machines without one.
    """
    router = APIRouter(tags=["server"])

    @router.get(
        "/metrics",
        summary="Figures for Prometheus; needs a key with the right admin",
        response_class=Response,
        responses={
            200: {"description": "The figures", "content": {"text/plain": {"schema": {"type": "string"}}}},
            **problems("unauthorized", "forbidden", "keys-unusable"),
        },
    )
    async def figures(request: Request) -> Response:
        """In the text format, version 0.0.4."""
        caller = await anyio.to_thread.run_sync(caller_of, request)
        if caller.actor or not (open_here and is_local(request)):
            caller.require("admin")
        text = await anyio.to_thread.run_sync(metrics.text)
        return Response(text, headers={"Content-Type": _TEXT, "Cache-Control": "no-store"})

    return router


def is_local(request: Request) -> bool:
    """Return whether a request comes from this machine, and no proxy says that it hands it on."""
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False  # a socket of another kind, or a name
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address.is_loopback and not any(name in request.headers for name in _FORWARDED)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value)
