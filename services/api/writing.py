"""The rules of writing: who may, on what condition, and what comes of it.

A write is read, mapped and checked by the intake, in a process of its own, at a place that its client is
given; then it is one entry of the journal, or none. Between the two nothing is locked: what was read is named
by its version, and the journal refuses when another write came first.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from battpass.kg.errors import Archived, Conflict
from battpass.kg.home import Arrival, Home, Policy
from battpass.kg.home.arrival import State, Written
from battpass.kg.journal.entry import Entry, Stage
from battpass.kg.journal.parts import digest
from battpass.services.api.bodies import FindingBody, WrittenBody
from battpass.services.api.callers import Caller, Forbidden
from battpass.services.api.places import Places
from battpass.services.api.preconditions import check_match
from battpass.services.api.problems import BadRequest, PreconditionFailed
from battpass.services.api.reading import OWNER, Reading, short
from battpass.services.exchange.intake import Intake

# How long a write waits for a place at the intake.
PLACE_SECONDS = 30.0
# Others change the same passport between looking and writing; more often than this in a row is no accident.
_ATTEMPTS = 5
# Writes wait for the disk on threads of their own, so that reads never wait for one.
_THREADS = 64

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Client:
    """Who writes: with which rights, under which name in the journal, and at whose places."""

    caller: Caller
    name: str


@dataclass(frozen=True, slots=True)
class Terms:
    """How a write is meant: stage and format, whether shapes are run, If-Match, and what of violations."""

    stage: Stage | None = None
    format: str = ""
    check: bool = True
    match: str | None = None
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a write, and the state tag of what stands now."""

    written: Written
    tag: str
    checked: bool
    findings: tuple[dict[str, Any], ...]

    def body(self) -> WrittenBody:
        """Return it as it is sent."""
        return WrittenBody(
            id=short(self.written.record),
            record=self.written.record,
            version=self.written.version,
            sequence=self.written.sequence,
            stage=self.written.stage,
            outcome=self.written.outcome,
            checked=self.checked,
            findings=[FindingBody(**one) for one in self.findings],
        )


class Writing:
    """Writes passports into a home for callers. `policy` is what the server does of violations."""

    def __init__(
        self, home: Home, intake: Intake, reading: Reading, places: Places, policy: Policy | None = None
    ) -> None:
        self._home = home
        self._intake = intake
        self._reading = reading
        self._places = places
        self._policy = policy
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def create(self, client: Client, document: bytes, terms: Terms, source: str = "") -> Done:
        """Keep a document as a passport that is new here; the same once more changes nothing.

        Raises
        ------
        Conflict
            If another passport stands under its identifier.
        Unpublishable
            If it is to be published and holds violations.
        """
        stage = terms.stage or Stage.DRAFT
        policy = self._required(client, stage, terms)
        if (entry := await self._run(self._standing_document, document, stage)) is not None:
            return await self._unchanged(entry)
        arrival = await self._taken_in(
            client,
            lambda: self._intake.read(document, terms.format, source=source, check=terms.check),
        )
        for _ in range(_ATTEMPTS):
            try:
                return await self._put(client, arrival, stage, 0, policy)
            except Conflict:
                entry = await self._run(self._reading.newest, arrival.record)
            if not _is_same(entry, arrival):
                raise Conflict(
                    f"Another passport stands at /v1/dpps/{short(arrival.record)}, version {entry.version}. "
                    "To put this document in its place, PUT it there with the ETag of that as If-Match."
                )
            if stage is Stage.DRAFT or entry.stage is Stage.PUBLISHED:
                return await self._unchanged(entry)
            try:
                return await self._put(client, arrival, stage, entry.version, policy)
            except Conflict:
                continue
        raise Conflict(f"{arrival.record} changes all the time. Try again in a moment.")

    async def replace(self, client: Client, name: str, document: bytes, terms: Terms) -> Done:
        """Put a whole document in the place of what stands: as a draft unless it is to be published.

        Raises
        ------
        PreconditionFailed, PreconditionRequired
            If what stands is not what the caller has read.
        Conflict
            If the document is of another passport.
        """
        stage = terms.stage or Stage.DRAFT
        policy = self._required(client, stage, terms)
        base = await self._run(self._reading.newest, name)
        self._check(base, terms.match)
        arrival = await self._taken_in(
            client, lambda: self._intake.read(document, terms.format, check=terms.check)
        )
        if arrival.record != base.record:
            raise Conflict(
                f"The document is of {arrival.record}, and this is the address of {base.record}. "
                "PUT it at its own address, or POST it where it is new."
            )
        expected = None if _is_any(terms.match) else base.version
        return await self._put(client, arrival, stage, expected, policy, terms.match)

    async def change(self, client: Client, name: str, patch: bytes, terms: Terms) -> Done:
        """Merge a patch into what stands: the draft where there is one, else what is published.

        Raises
        ------
        PreconditionFailed, PreconditionRequired
            If what stands is not what the caller has read.
        Unpublishable
            If the result is to be published and holds violations.
        """
        client.caller.require("write")
        for _ in range(_ATTEMPTS):
            base = await self._run(self._reading.newest, name)
            self._check(base, terms.match)
            stage = terms.stage or base.stage
            policy = self._required(client, stage, terms)
            state = await self._run(self._state, base)
            arrival = await self._taken_in(
                client,
                lambda state=state: self._intake.patch(  # type: ignore[misc]
                    state, patch, terms.format, check=terms.check
                ),
            )
            try:
                return await self._put(client, arrival, stage, base.version, policy, terms.match)
            except Conflict:
                if not _is_any(terms.match):
                    raise
        raise Conflict(f"{name} changes all the time. Try again in a moment.")

    async def publish(
        self, client: Client, name: str, reason: str, match: str | None, policy: Policy | None = None
    ) -> Done:
        """Make the draft the published version, once it has been checked as of today."""
        client.caller.require("publish")
        chosen = self._chosen(policy)
        base = await self._run(self._reading.newest, name)
        self._check(base, match, required=False)
        if base.stage is Stage.PUBLISHED:
            return await self._unchanged(base)
        state = await self._run(self._state, base)
        # A duty may have come into force since the draft was checked.
        report = await self._taken_in(client, lambda: self._intake.check(state))
        written = await self._expecting(
            match,
            lambda: self._home.publish(
                base.record,
                report=report,
                actor=client.caller.actor,
                reason=reason,
                expected=base.version,
                policy=chosen,
            ),
        )
        return await self._done(written, tuple(json.loads(report)["findings"]), True)

    async def archive(self, client: Client, name: str, reason: str, match: str | None) -> Done:
        """End a passport, as its battery was recycled."""
        client.caller.require("archive")
        base = await self._run(self._reading.newest, name)
        self._check(base, match, required=False)
        expected = None if match is None or _is_any(match) else base.version
        written = await self._expecting(
            match,
            lambda: self._home.archive(
                base.record, actor=client.caller.actor, reason=reason, expected=expected
            ),
        )
        return Done(written, "", False, ())

    async def erase(self, client: Client, name: str, reason: str) -> Done:
        """Take away the texts of an archived passport for good; the chain of the journal stays whole.

        Raises
        ------
        NotFound
            If the caller may not know that it is or was here: the right to erase goes without that to read.
        """
        client.caller.require("admin")
        written = await self._run(self._erase, client.caller, name, reason)
        return Done(written, "", False, ())

    # --- private ---------------------------------------------------------------------------------------

    def _required(self, client: Client, stage: Stage, terms: Terms) -> Policy | None:
        """Let a write go on if the caller has the rights for its stage; return what becomes of violations."""
        client.caller.require("write")
        policy = self._chosen(terms.policy)
        if stage is Stage.PUBLISHED:
            client.caller.require("publish")
        if not terms.check and stage is Stage.PUBLISHED:
            raise BadRequest(
                "What is published is always checked. Leave check=false out, or keep it as a draft."
            )
        if not terms.check and policy is Policy.REJECT:
            raise BadRequest(
                "The policy is to reject what has violations, so all is checked. Leave check=false out."
            )
        return policy

    def _chosen(self, asked: Policy | None) -> Policy | None:
        """Return what becomes of violations: what a caller asks for, if the server allows that.

        Raises
        ------
        Forbidden
            If it is laxer than what the server is set to.
        """
        if asked is None:
            return self._policy
        own = self._policy or Policy.QUARANTINE
        if not own.allows(asked):
            raise Forbidden(
                f"This server is set to {own} what has violations, and to {asked} it would be laxer. Leave "
                "policy out, or have BATTPASS_POLICY changed by who runs it."
            )
        return asked

    async def _run(self, call: Callable[..., T], *arguments: object) -> T:
        return await anyio.to_thread.run_sync(call, *arguments, limiter=self._threads)

    async def _taken_in(self, client: Client, call: Callable[[], T]) -> T:
        """Run something at the intake, at a place of this client."""
        with await self._places.take(client.name, PLACE_SECONDS):
            return await self._run(call)

    async def _put(
        self,
        client: Client,
        arrival: Arrival,
        stage: Stage,
        expected: int | None,
        policy: Policy | None,
        match: str | None = None,
    ) -> Done:
        written = await self._expecting(
            match,
            lambda: self._home.put(
                arrival, stage=stage, actor=client.caller.actor, expected=expected, policy=policy
            ),
        )
        return await self._done(written, _findings(arrival), bool(arrival.report))

    async def _expecting(self, match: str | None, write: Callable[[], Written]) -> Written:
        """Write; where another write came first and If-Match named what stood before, say so in its words."""
        try:
            return await self._run(write)
        except Conflict as error:
            if match is None or _is_any(match):
                raise
            raise PreconditionFailed(f"Another change came first. {error}") from error

    async def _done(self, written: Written, findings: tuple[dict[str, Any], ...], checked: bool) -> Done:
        entry = await self._run(self._version, written)
        return Done(written, self._reading.state_tag(entry, OWNER), checked, findings)

    async def _unchanged(self, entry: Entry) -> Done:
        written = Written(entry.record, entry.version, entry.sequence, entry.stage, "unchanged")
        findings = await self._run(self._kept_findings, entry)
        return Done(written, self._reading.state_tag(entry, OWNER), entry.checked, findings)

    def _check(self, base: Entry, match: str | None, *, required: bool = True) -> None:
        stage = "?stage=draft" if base.stage is Stage.DRAFT else ""
        hint = f" Read it at /v1/dpps/{short(base.record)}{stage}."
        check_match(match, self._reading.state_tag(base, OWNER), hint, required=required)

    def _standing_document(self, document: bytes, stage: Stage) -> Entry | None:
        """Return the entry that stands with exactly this document, in the stage asked for or a later one."""
        record = self._home.holds(document)
        if not record:
            return None
        entry = self._reading.newest(record)
        is_there = entry.stage is stage or entry.stage is Stage.PUBLISHED
        return entry if is_there and entry.original == digest(document) else None

    def _state(self, entry: Entry) -> State:
        return self._home.state(entry.record, OWNER, version=entry.version)

    def _version(self, written: Written) -> Entry:
        return self._home.entry(written.record, OWNER, version=written.version)

    def _kept_findings(self, entry: Entry) -> tuple[dict[str, Any], ...]:
        if entry.checked:
            return tuple(json.loads(self._home.report(entry.record, entry.version))["findings"])
        return tuple(asdict(one) for one in entry.told.findings)

    def _erase(self, caller: Caller, name: str, reason: str) -> Written:
        with suppress(Archived):
            self._reading.entry(name, caller.audience)
        return self._home.erase(name, actor=caller.actor, reason=reason)


def _is_any(match: str | None) -> bool:
    return match is not None and match.strip() == "*"


def _is_same(entry: Entry, arrival: Arrival) -> bool:
    """Return whether a passport stands as it arrives once more."""
    arriving = {access: digest(part) for access, part in arrival.item.items()}
    return dict(entry.state) == arriving and entry.model == arrival.model


def _findings(arrival: Arrival) -> tuple[dict[str, Any], ...]:
    if arrival.report:
        return tuple(json.loads(arrival.report)["findings"])
    return tuple(asdict(one) for one in arrival.findings)
