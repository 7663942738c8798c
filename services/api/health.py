"""Whether a server lives, and whether it can answer: `/healthz` and `/readyz`.

`/healthz` says that the process answers, and touches nothing. `/readyz` looks at each part once a second at
most, however often it is asked, and tells reading from writing: a full disk keeps passports from being
written, and not from being read. What a caller is told names no path and no version; the log says the rest.
"""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import anyio
import anyio.to_thread
import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from battpass.kg.errors import (
    BattPassError,
    ClockJumped,
    DamagedHome,
    DeadlineExceeded,
    HomeInUse,
    NotWritable,
    PoolBusy,
    ProcessLost,
    StorageFailed,
    StorageFull,
)
from battpass.kg.home import Home
from battpass.kg.home.queries import Queries
from battpass.kg.keys import KeyRing
from battpass.services.api.bodies import problems
from battpass.services.api.problems import BadRequest

READ, WRITE = "read", "write"

# A probe returns when its part is well, and raises when it is not.
Probe = Callable[[], None]

QUERY_SECONDS = 2.0
# Longer than the journal waits for another program that has it locked, so that this is told as the reason.
PATIENCE_SECONDS = 8.0
# A dataset that shows nothing new for so long while there is something is not being followed up.
STALE_SECONDS = 30.0
FREE_SHARE, FREE_BYTES = 0.05, 256 << 20

# What is told of an error; its own words may name paths, and go to the log.
_REASONS: Mapping[type[Exception], str] = {
    StorageFull: "The disk is full.",
    StorageFailed: "The disk refuses, or another program has the file locked.",
    ClockJumped: "The clock is wrong, so entries would carry a wrong time.",
    HomeInUse: "Another process holds it.",
    DamagedHome: "It is not what was written.",
    PoolBusy: "All processes are busy.",
    DeadlineExceeded: f"No answer came within {QUERY_SECONDS:g} s.",
    ProcessLost: "Its processes do not start.",
}


def _object(**members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [*members], "properties": members}


def _one_of(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": [*words]}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_FLAG = {"type": "boolean"}
_CHECK = _object(name={"type": "string"}, ok=_FLAG, detail={"type": "string"})
_READINESS = _object(
    status=_one_of("ready", "not ready"), read=_FLAG, write=_FLAG, checks={"type": "array", "items": _CHECK}
)
_PURPOSE = {
    "name": "for",
    "in": "query",
    "required": False,
    "schema": {**_one_of(READ, WRITE), "default": READ},
    "description": "what it is asked for",
}


class Unready(BattPassError):
    """A part is not ready; the message is one that anybody may read, `inside` goes to the log."""

    def __init__(self, message: str, inside: str = "") -> None:
        super().__init__(message)
        self.inside = inside


@dataclass(frozen=True, slots=True)
class Check:
    """What was found of one part."""

    name: str
    ok: bool
    detail: str


class Head(Protocol):
    """The number and hash of an entry."""

    @property
    def sequence(self) -> int: ...
    @property
    def hash(self) -> str: ...


class Chain(Protocol):
    """A journal, as far as its health goes: `kg.journal.journal.Journal`."""

    @property
    def head(self) -> Head: ...
    @property
    def is_writable(self) -> bool: ...
    def entry(self, sequence: int) -> Head | None: ...
    def check_writable(self) -> None: ...


class Health:
    """Looks at the parts of one app, each on a thread of its own, so that one that hangs holds up nothing.

    `reading` are the probes of what reading needs, `writing` of what writing needs besides. A probe that
    takes longer than `patience` seconds has failed; what was found is told for `lasting` seconds.
    """

    def __init__(
        self,
        reading: Mapping[str, Probe],
        writing: Mapping[str, Probe],
        log: structlog.typing.FilteringBoundLogger,
        *,
        patience: float = PATIENCE_SECONDS,
        lasting: float = 1.0,
    ) -> None:
        self._probes = {**reading, **writing}
        self._reading = frozenset(reading)
        self._log = log
        self._patience = patience
        self._lasting = lasting
        self._looking = anyio.Lock()
        self._threads = anyio.CapacityLimiter(max(1, len(self._probes)))
        self._under_way: set[str] = set()
        self._found: dict[str, Check] = {}
        self._found_at = -float("inf")

    async def look(self) -> list[Check]:
        """Return what is found of all parts, in the order in which they were given."""
        async with self._looking:
            if time.monotonic() - self._found_at >= self._lasting:
                async with anyio.create_task_group() as tasks:
                    for name in self._probes:
                        tasks.start_soon(self._check, name)
                self._found_at = time.monotonic()
            return [self._found[name] for name in self._probes]

    def ready(self, checks: list[Check], purpose: str) -> bool:
        """Return whether all is well that reading, or writing, needs."""
        return all(check.ok for check in checks if purpose == WRITE or check.name in self._reading)

    async def _check(self, name: str) -> None:
        reason, error = "", ""
        if name in self._under_way:
            reason = error = "An earlier look at it has not ended."
        else:
            try:
                with anyio.fail_after(self._patience):
                    await anyio.to_thread.run_sync(
                        self._tried, name, limiter=self._threads, abandon_on_cancel=True
                    )
            except TimeoutError:
                reason = error = f"It did not answer within {self._patience:g} s."
            except Exception as fault:  # whatever a part does when it is looked at, it is told of that part
                reason, error = (
                    _reason(fault),
                    f"{type(fault).__name__}: {getattr(fault, 'inside', '') or fault}",
                )
        before = self._found.get(name)
        self._found[name] = Check(name, not reason, reason or "ok")
        if reason and (before is None or before.ok):
            self._log.warning("not ready", check=name, reason=error)
        elif not reason and before is not None and not before.ok:
            self._log.info("ready again", check=name)

    def _tried(self, name: str) -> None:
        self._under_way.add(name)
        try:
            self._probes[name]()
        finally:
            self._under_way.discard(name)


def health_of(
    home: Home,
    *,
    queries: Callable[[], Queries | None],
    audience: str,
    intake: Probe,
    ring: KeyRing,
    log: structlog.typing.FilteringBoundLogger,
) -> Health:
    """Return the health of a server: its journal, dataset and queries; then disk, intake and keys.

    `queries` gives what answers the queries of `audience`, None while that is being opened. `intake` is the
    probe of what reads documents.
    """
    journal = home.journal
    reading = {"journal": journal_reads(journal), "queries": queries_answer(queries)}
    if journal.is_writable:
        # Beside another process that writes, answers stay those of the moment when this one started.
        reading["dataset"] = dataset_follows(
            lambda: home.sequence,
            lambda: home.shown(audience),
            lambda: home.trouble,
            excused=lambda: not takes_writes(journal),
        )
    writing = {
        "writing": journal_writes(journal, journal.folder),
        "disk": disk_has_room(journal.folder),
        "intake": intake,
        "keys": ring.check,
    }
    return Health(reading, writing, log)


def health_router(health: Health) -> APIRouter:
    """Return the routes `/healthz` and `/readyz` of one app."""
    router = APIRouter(tags=["server"])

    @router.get(
        "/healthz",
        summary="Whether the server runs",
        responses={200: _json("It runs", _object(status=_one_of("ok")))},
    )
    async def healthz() -> Response:
        """Nothing is looked at for it."""
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    @router.get(
        "/readyz",
        summary="Whether the server can answer",
        responses={
            200: _json("It can", _READINESS),
            503: _json("It cannot", _READINESS),
            **problems("bad-request"),
        },
        openapi_extra={"parameters": [_PURPOSE]},
    )
    async def readyz(request: Request) -> Response:
        """Each part with what was found of it; the status is 503 where one that is needed is not well.

        With `for=write`: whether it takes passports, too.
        """
        purpose = request.query_params.get("for", READ)
        if purpose not in (READ, WRITE):
            raise BadRequest(f"A server is ready for {READ} or for {WRITE}, not for {purpose[:20]!r}.")
        checks = await health.look()
        ready = health.ready(checks, purpose)
        content = {
            "status": "ready" if ready else "not ready",
            READ: health.ready(checks, READ),
            WRITE: health.ready(checks, WRITE),
            "checks": [asdict(check) for check in checks],
        }
        headers = {"Cache-Control": "no-store", **({} if ready else {"Retry-After": "5"})}
        return JSONResponse(content, 200 if ready else 503, headers)

    return router


# --- probes --------------------------------------------------------------------------------------------


def journal_reads(journal: Chain) -> Probe:
    """Return a probe: the last entry of the journal can be read, and has the hash of the head."""

    def probe() -> None:
        head = journal.head
        if not head.sequence:
            return
        entry = journal.entry(head.sequence)
        if entry is None or entry.hash != head.hash:
            raise DamagedHome(f"Entry {head.sequence} of the journal is not the one that was written last.")

    return probe


def journal_writes(journal: Chain, folder: Path) -> Probe:
    """Return a probe: an entry could be written now."""

    def probe() -> None:
        if not journal.is_writable:
            raise Unready("It is open for reading only.")
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            raise Unready("The disk is read-only.")
        journal.check_writable()

    return probe


def queries_answer(queries: Callable[[], Queries | None]) -> Probe:
    """Return a probe: a query goes through a process and back in time.

    Where all processes are at work the probe is content: whoever sends many long queries must not be able to
    have the whole server taken out of service.
    """

    def probe() -> None:
        asked = queries()
        if asked is None:
            raise Unready("What answers queries is not open yet, or no more.")
        try:
            answer = asked.query("ASK {}", "csv", QUERY_SECONDS).read()
        except PoolBusy:
            return
        if answer.strip() != b"true":
            raise BattPassError("ASK {} was not answered with true.")

    return probe


def dataset_follows(
    sequence: Callable[[], int],
    shown: Callable[[], int],
    trouble: Callable[[], str] = str,
    clock: Callable[[], float] = time.monotonic,
    excused: Callable[[], bool] = bool,
) -> Probe:
    """Return a probe: a dataset shows the whole journal, or came nearer to it within `STALE_SECONDS`.

    `trouble` says what keeps it from doing so, for the log. It is `excused` where nothing can be written:
    that is told of writing, and a full disk must not take a server out of service that can be read.
    """
    behind: tuple[int, float] | None = None  # what was shown when it was first seen to lag, and when that was

    def probe() -> None:
        nonlocal behind
        last, at = sequence(), shown()
        if at >= last:
            behind = None
        elif behind is None or behind[0] != at or (clock() - behind[1] > STALE_SECONDS and excused()):
            behind = at, clock()
        elif clock() - behind[1] > STALE_SECONDS:
            raise Unready("Queries do not see what was written lately.", trouble())

    return probe


def takes_writes(journal: Chain) -> bool:
    """Return whether an entry could be written now."""
    try:
        journal.check_writable()
    except NotWritable:
        return False
    return True


def disk_has_room(folder: Path, free: Callable[[Path], tuple[int, int]] | None = None) -> Probe:
    """Return a probe: more than 5 % or 256 MiB of the disk are free. `free` gives free and all bytes."""
    measure = free or _free

    def probe() -> None:
        left, size = measure(folder)
        if left <= FREE_BYTES and left <= size * FREE_SHARE:
            raise Unready("The disk is nearly full.")

    return probe


def _free(folder: Path) -> tuple[int, int]:
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


def _reason(error: Exception) -> str:
    if isinstance(error, Unready):
        return str(error)
    known = (_REASONS[kind] for kind in type(error).__mro__ if kind in _REASONS)
    return next(known, "It fails; the log says how.")
