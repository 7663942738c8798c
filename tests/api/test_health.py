"""Health: what is well is told from what is not, reading from writing, and nothing of the inside is told."""

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from battpass.kg.errors import (
    BattPassError,
    ClockJumped,
    DamagedHome,
    DeadlineExceeded,
    HomeInUse,
    PoolBusy,
    StorageFailed,
    StorageFull,
)
from battpass.kg.home import Home
from battpass.kg.home.queries import Queries
from battpass.kg.journal.clock import Clock
from battpass.kg.keys import FILE, KeyRing
from battpass.services.api.edge import make_log
from battpass.services.api.health import (
    FREE_BYTES,
    STALE_SECONDS,
    Health,
    Probe,
    Unready,
    dataset_follows,
    disk_has_room,
    health_of,
    health_router,
    queries_answer,
)
from battpass.services.exchange.intake import Intake
from tests.api.small_app import Small
from tests.api.test_metrics import arrival

INSIDE = "/srv/secret/journal.sqlite of version 3"


def well() -> None:
    pass


def fails(error: Exception) -> Probe:
    def probe() -> None:
        raise error

    return probe


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Small]:
    """Return an app over probes, by name; those in `writing` are not needed to read."""

    def made(reading: dict[str, Probe], writing: dict[str, Probe], **options: float) -> Small:
        small = Small(KeyRing(tmp_path / FILE))
        health = Health(reading, writing, make_log(small.log), **{"lasting": 0.0, **options})
        small.app.include_router(health_router(health))
        return small

    return made


def checks(answer: Any) -> dict[str, str]:
    """Return the details of what is not well."""
    return {one["name"]: one["detail"] for one in answer.json()["checks"] if not one["ok"]}


# --- the routes ----------------------------------------------------------------------------------------


def test_a_process_lives_whatever_its_parts_do(make: Callable[..., Small]) -> None:
    small = make({"journal": fails(DamagedHome(INSIDE))}, {})
    answer = small.ask("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert not [line for line in small.lines() if line["event"] == "not ready"]  # nothing was looked at


def test_a_server_is_ready_when_all_is_well(make: Callable[..., Small]) -> None:
    small = make({"journal": well}, {"disk": well})
    for path in ("/readyz", "/readyz?for=read", "/readyz?for=write"):
        answer = small.ask(path)
        assert answer.status_code == 200
        assert answer.json() == {
            "status": "ready",
            "read": True,
            "write": True,
            "checks": [
                {"name": "journal", "ok": True, "detail": "ok"},
                {"name": "disk", "ok": True, "detail": "ok"},
            ],
        }
        assert answer.headers["cache-control"] == "no-store"


def test_what_cannot_write_may_still_read(make: Callable[..., Small]) -> None:
    small = make({"journal": well}, {"disk": fails(StorageFull(INSIDE))})
    reading, writing = small.ask("/readyz"), small.ask("/readyz?for=write")
    assert (reading.status_code, writing.status_code) == (200, 503)
    for answer in (reading, writing):
        assert (answer.json()["read"], answer.json()["write"]) == (True, False)
        assert checks(answer) == {"disk": "The disk is full."}
    assert writing.headers["retry-after"] == "5"


def test_what_cannot_read_is_ready_for_nothing(make: Callable[..., Small]) -> None:
    small = make({"journal": fails(DamagedHome(INSIDE))}, {"disk": well})
    assert [small.ask(f"/readyz{query}").status_code for query in ("", "?for=write")] == [503, 503]


@pytest.mark.parametrize("purpose", ["", "both", "READ", "x" * 5000])
def test_readiness_for_something_else_is_a_bad_request(make: Callable[..., Small], purpose: str) -> None:
    answer = make({"journal": well}, {}).ask(f"/readyz?for={purpose}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "error",
    [
        StorageFull(INSIDE),
        StorageFailed(INSIDE),
        ClockJumped(INSIDE),
        HomeInUse(INSIDE),
        DamagedHome(INSIDE),
        PoolBusy(INSIDE),
        DeadlineExceeded(INSIDE),
        BattPassError(INSIDE),
        OSError(5, INSIDE),
        sqlite3.OperationalError(INSIDE),
        ZeroDivisionError(INSIDE),
        Unready("It sleeps.", INSIDE),
    ],
    ids=lambda error: type(error).__name__,
)
def test_callers_are_told_a_reason_and_the_log_the_whole(
    make: Callable[..., Small], error: Exception
) -> None:
    small = make({"part": fails(error)}, {})
    answer = small.ask("/readyz")
    assert answer.status_code == 503
    assert "secret" not in answer.text and "version 3" not in answer.text
    (detail,) = checks(answer).values()
    assert detail.endswith(".")
    (line,) = [line for line in small.lines() if line["event"] == "not ready"]
    assert INSIDE in line["reason"]
    assert line["check"] == "part"


def test_reasons_are_told_apart(make: Callable[..., Small]) -> None:
    errors = (StorageFull, StorageFailed, ClockJumped, HomeInUse, DamagedHome, PoolBusy, DeadlineExceeded)
    small = make({kind.__name__: fails(kind("")) for kind in errors}, {})
    assert len(set(checks(small.ask("/readyz")).values())) == len(errors)


def test_a_change_is_logged_once(make: Callable[..., Small]) -> None:
    state = {"well": True}

    def probe() -> None:
        if not state["well"]:
            raise StorageFull(INSIDE)

    small = make({"disk": probe}, {})
    for well_now in (True, True, False, False, False, True, True):
        state["well"] = well_now
        assert (small.ask("/readyz").status_code == 200) == well_now
    events = [line["event"] for line in small.lines() if "check" in line]
    assert events == ["not ready", "ready again"]


def test_a_part_that_hangs_is_not_ready_and_holds_up_nothing(make: Callable[..., Small]) -> None:
    ended, looks = threading.Event(), []

    def hang() -> None:
        looks.append(1)
        ended.wait(60)

    small = make({"journal": well, "queries": hang}, {}, patience=0.2)
    for _ in range(4):
        answer = small.ask("/readyz")
        assert answer.status_code == 503
        assert set(checks(answer)) == {"queries"}
        assert small.ask("/healthz").status_code == 200
    assert len(looks) == 1  # no second thread waits beside the first
    ended.set()
    until = time.monotonic() + 30
    while small.ask("/readyz").status_code != 200:
        assert time.monotonic() < until
    assert len(looks) > 1


def test_many_looks_in_one_second_are_one(make: Callable[..., Small]) -> None:
    looks = []
    small = make({"journal": lambda: looks.append(1)}, {}, lasting=3_600.0)
    for _ in range(20):
        assert small.ask("/readyz").status_code == 200
    assert len(looks) == 1


# --- the probes ----------------------------------------------------------------------------------------


def test_a_dataset_that_comes_nearer_follows_and_one_that_does_not_is_stale() -> None:
    now, last, at = [0.0], [10], [10]
    probe = dataset_follows(lambda: last[0], lambda: at[0], lambda: "it is stuck", lambda: now[0])
    probe()
    now[0], last[0] = 1_000.0, 20  # long at rest, then a write: that is no lag yet
    probe()
    now[0] += STALE_SECONDS - 1
    probe()
    at[0] = 15
    now[0] += STALE_SECONDS - 1
    probe()
    now[0] += STALE_SECONDS + 1
    with pytest.raises(Unready) as told:
        probe()
    assert told.value.inside == "it is stuck"
    at[0] = 20
    probe()


def test_a_dataset_that_cannot_be_written_is_excused_until_it_can() -> None:
    now, refused = [0.0], [True]
    probe = dataset_follows(lambda: 20, lambda: 10, str, lambda: now[0], excused=lambda: refused[0])
    for _ in range(5):
        probe()
        now[0] += STALE_SECONDS + 1
        probe()
    refused[0] = False
    probe()  # it is given time to follow, now that it can
    now[0] += STALE_SECONDS - 1
    probe()
    now[0] += 2
    with pytest.raises(Unready):
        probe()


@pytest.mark.parametrize(
    ("left", "size", "ok"),
    [
        (FREE_BYTES + 1, 1 << 40, True),
        (FREE_BYTES, 1 << 40, False),
        (60 << 20, 1 << 30, True),  # 6 %
        (50 << 20, 1 << 30, False),
        (0, 1 << 30, False),
    ],
)
def test_a_disk_has_room_by_share_or_by_size(tmp_path: Path, left: int, size: int, ok: bool) -> None:
    probe = disk_has_room(tmp_path, lambda _: (left, size))
    if ok:
        probe()
    else:
        with pytest.raises(Unready, match="nearly full"):
            probe()


def test_a_disk_is_measured_where_the_folder_lies(tmp_path: Path) -> None:
    usage = shutil.disk_usage(tmp_path)
    if usage.free > FREE_BYTES:
        disk_has_room(tmp_path)()
    with pytest.raises(OSError):
        disk_has_room(tmp_path / "nowhere")()


def test_queries_that_are_not_open_yet_are_not_ready() -> None:
    with pytest.raises(Unready, match="not open"):
        queries_answer(lambda: None)()


# --- a real home ---------------------------------------------------------------------------------------


class Served:
    """A home with one passport, its public queries, and an app over its health."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.intake = Intake(workers=1)
        self.ring = KeyRing(home.journal.folder / FILE)
        self.queries: Queries | None = home.queries("public", workers=1)
        self.small = Small(self.ring)
        health = health_of(
            home,
            queries=lambda: self.queries,
            audience="public",
            intake=self.intake.check_alive,
            ring=self.ring,
            log=make_log(self.small.log),
        )
        health._lasting = 0.0
        self.small.app.include_router(health_router(health))

    def faults(self) -> tuple[bool, bool, dict[str, str]]:
        """Return whether it is ready to read, to write, and what is not well."""
        answer = self.small.ask("/readyz?for=write")
        content = answer.json()
        assert (answer.status_code == 200) == content["write"]
        for word in (str(self.home.folder), "sqlite", "Traceback"):
            assert word not in answer.text
        return content["read"], content["write"], checks(answer)

    def close(self) -> None:
        self.intake.close()
        if self.queries is not None:
            self.queries.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home.open(tmp_path / "home", create=True) as opened:
        opened.put_many([arrival("sta-lfp-10")], trusted=True)
        yield opened


@pytest.fixture
def served(home: Home) -> Iterator[Served]:
    made = Served(home)
    yield made
    made.close()


def test_a_home_that_is_well_is_ready(served: Served) -> None:
    assert served.faults() == (True, True, {})
    names = [one["name"] for one in served.small.ask("/readyz").json()["checks"]]
    assert names == ["journal", "queries", "dataset", "writing", "disk", "intake", "keys"]


def test_an_empty_home_is_ready(tmp_path: Path) -> None:
    with Home.open(tmp_path / "empty", create=True) as home:
        made = Served(home)
        assert made.faults() == (True, True, {})
        made.close()


def test_a_home_that_is_read_beside_its_writer_is_ready_to_read(home: Home, tmp_path: Path) -> None:
    with Home.open(tmp_path / "home", read_only=True) as reader:
        made = Served(reader)
        assert made.faults() == (True, False, {"writing": "It is open for reading only."})
        made.close()


def test_a_journal_that_another_program_has_locked_is_read_on(served: Served) -> None:
    other = sqlite3.connect(served.home.journal.folder / "journal.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    readable, writable, faults = served.faults()
    other.close()
    assert (readable, writable, set(faults)) == (True, False, {"writing"})
    assert "locked" in faults["writing"]
    until = time.monotonic() + 60
    while served.faults() != (True, True, {}):
        assert time.monotonic() < until


def test_a_clock_that_leapt_stops_writing_alone(tmp_path: Path) -> None:
    leap = [0.0]
    clock = Clock(lambda: datetime.now(UTC).timestamp() + leap[0])
    with Home.open(tmp_path / "home", create=True, clock=clock) as home:
        made = Served(home)
        leap[0] = 86_400.0
        assert made.faults() == (
            True,
            False,
            {"writing": "The clock is wrong, so entries would carry a wrong time."},
        )
        leap[0] = 0.0
        assert made.faults() == (True, True, {})
        made.close()


def test_a_last_entry_that_was_changed_is_noticed(served: Served) -> None:
    with sqlite3.connect(served.home.journal.folder / "journal.sqlite") as other:
        other.execute("UPDATE entries SET line = CAST(line || ' ' AS BLOB)")
    other.close()
    readable, writable, faults = served.faults()
    assert (readable, writable) == (False, False)
    assert faults["journal"] == "It is not what was written."


def test_queries_that_have_ended_make_it_not_ready(served: Served) -> None:
    assert served.queries is not None
    served.queries.close()
    served.queries = None
    readable, writable, faults = served.faults()
    assert (readable, writable, set(faults)) == (False, False, {"queries"})


def test_an_intake_that_has_ended_keeps_from_writing_and_not_from_reading(served: Served) -> None:
    served.intake.close()
    assert served.faults() == (True, False, {"intake": "Its processes do not start."})


def test_damaged_keys_keep_from_writing_and_not_from_reading(served: Served) -> None:
    served.ring.create("owner", ["write"])
    served.ring.close()
    served.ring.path.write_bytes(os.urandom(8192))
    assert served.faults() == (True, False, {"keys": "It is not what was written."})
