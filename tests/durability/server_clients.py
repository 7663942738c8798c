"""Clients that write to a server over HTTP, each with a key of its own, and note what they were told.

A write is known again by its id: it stands in the version of a passport that is created or changed, and is
the reason of one that is published or archived.
"""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

import httpx

from battpass.kg.graphs import AccessClass
from battpass.kg.home import Entry, Home, Stage, State
from battpass.kg.journal.parts import digest
from battpass.kg.namespaces import BASE
from battpass.services.exchange.registry import format_named
from benchmarks.campaigns import ROOT
from tests.durability.clients import Tally
from tests.durability.ledger import STAGES, Acknowledged, Attempt, Ledger
from tests.durability.processes import PATIENCE_SECONDS

EXAMPLE, FORMAT = "ind-lead-37", "battery_pass-6.1.0"
# All clients write to these; every other record belongs to one of them.
SHARED = 2
# A maker's fleet: that many passports share a model record.
PASSPORTS_PER_MODEL = 4
_MOST_OWN = 6
_VERSION = re.compile(rb'<https://schema.org/version> "(w-[^"]*)"')


@dataclass(frozen=True, slots=True)
class Stands:
    """How a passport stands, as its client was told."""

    marker: str
    stage: str
    tag: str


@dataclass
class OwnPassports:
    """What one client knows for sure of its own passports, and the header with its key."""

    first: int
    key: dict[str, str]
    standing: dict[int, Stands] = field(default_factory=dict)
    used: int = 0

    def next(self) -> int:
        """Return the number of a record that nobody has used."""
        self.used += 1
        return self.first + self.used - 1


class ServerWrites:
    """The writes of these clients, as a home holds them."""

    def attempt_of(self, home: Home, entry: Entry) -> str:
        """Return the id of the attempt that an entry comes from; that of a model record, with its item."""
        while entry.is_model:
            following = home.journal.entry(entry.sequence + 1)
            if following is None:
                return f"the model record {entry.record} alone"
            entry = following
        reason = home.journal.told(entry).reason
        if reason:
            return reason
        found = _VERSION.search(home.journal.state(entry).get(AccessClass.PUBLIC, b""))
        return found[1].decode() if found else f"nothing that entry {entry.sequence} names"

    def record_name(self, number: int) -> str:
        """Return the IRI of a record by its number."""
        return f"{BASE}p/{identifier(number)}"

    def is_whole(self, home: Home, number: int, attempt: Attempt, entry: Entry) -> bool:
        """Return whether the document of an entry is what was sent, with a model record that came before."""
        model = home.journal.model(entry.model)
        # A change comes without a document of its own; publishing keeps that of the draft.
        sent = digest(document(number, attempt.marker))
        originals = {"draft": {sent}, "put": {sent}, "publish": {sent, ""}}.get(attempt.do, {""})
        return (
            model is not None
            and model.sequence < entry.sequence
            and entry.original in originals
            and entry.checked == (entry.stage is Stage.PUBLISHED)
            and entry.stage is STAGES[attempt.do]
            and _holds(home, entry, number, attempt.marker)
        )

    def stands(self, home: Home, number: int, attempt: Attempt, stage: Stage) -> bool:
        """Return whether the document of what stands is that of an attempt."""
        entry = home.journal.standing(self.record_name(number))[stage]
        return _holds(home, entry, number, attempt.marker)


def identifier(number: int) -> str:
    """Return the UUID of a passport by its number."""
    return f"{number:08x}-3606-439f-9a1d-15c88f125b44"


def document(number: int, marker: str) -> bytes:
    """Return a whole passport of about 30 kB, with a number and a marker of its own."""
    found = json.loads(_example())
    found["metadata"] |= {"passportIdentifier": f"urn:uuid:{identifier(number)}", "version": marker}
    known = found["identification"]
    known["idDmc"] = f"https://id.plumbum-nirgendwo.example/b/{number}"
    known["identification"]["serial"][0]["value"] = str(number)
    known["identification"]["type"]["nameAtManufacturer"] = f"Zugpferd {number // PASSPORTS_PER_MODEL}"
    return json.dumps(found).encode()


def write(address: str, name: str, own: OwnPassports, ledger: Ledger, random: Random, tally: Tally) -> None:
    """Send writes until the connection breaks, one after the other."""
    try:
        with suppress(httpx.TransportError), _client(address, own) as client:
            for count in range(1_000_000):
                id = f"w-{name}-{count}"
                _one(client, id, own, ledger, random, tally)
    finally:
        tally.left()


def _client(address: str, own: OwnPassports) -> httpx.Client:
    return httpx.Client(base_url=address, headers=own.key, timeout=PATIENCE_SECONDS, trust_env=False)


def _one(
    client: httpx.Client, id: str, own: OwnPassports, ledger: Ledger, random: Random, tally: Tally
) -> None:
    """Make one write, and note what came of it."""
    attempt, tag = _attempt(client, id, own, random)
    ledger.note(attempt)
    number = attempt.records[0]
    # Until the answer comes, nobody knows how it stands; if none comes, it is left alone.
    before = own.standing.pop(number, None)
    answer = _sent(client, attempt, tag)
    came_second = answer.status_code in (409, 412) and (number < SHARED or tag == _STALE)
    if came_second or answer.status_code == _BUSY:
        attempt.refused = True
        if before is not None:
            own.standing[number] = before
        return
    assert answer.status_code in (200, 201), f"{attempt} was refused: {answer.text}; before it stood {before}"
    told = answer.json()
    attempt.acknowledged = (Acknowledged(told["version"], told["sequence"], told["outcome"]),)
    if number >= SHARED and attempt.do != "archive":
        own.standing[number] = Stands(attempt.marker, told["stage"], answer.headers["etag"])
    tally.add(1)


# Whoever is told so is told, too, that nothing was changed; the ledger holds the server to it.
_BUSY = 503
_STALE = '"0123456789abcdef0123456789abcdef.x"'


def _attempt(client: httpx.Client, id: str, own: OwnPassports, random: Random) -> tuple[Attempt, str]:
    """Return what a client does next with one of its passports, or a new one, and what If-Match says."""
    chance = random.random()
    if chance < 0.15:
        number = random.randrange(SHARED)
        read = client.get(f"/v1/dpps/{identifier(number)}", params={"format": FORMAT})
        if read.status_code != 200:
            return Attempt(id, "draft", (number,), id), ""
        return Attempt(id, "change draft", (number,), id), read.headers["etag"]
    if len(own.standing) < 2 or (chance < 0.4 and len(own.standing) < _MOST_OWN):
        return Attempt(id, random.choice(["draft", "put"]), (own.next(),), id), ""
    number = random.choice(list(own.standing))
    known = own.standing[number]
    if chance < 0.5:
        return Attempt(id, "archive", (number,), known.marker), random.choice(["", known.tag])
    if chance < 0.7 and known.stage == "draft":
        return Attempt(id, "publish", (number,), known.marker), random.choice(["", known.tag])
    tag = _STALE if chance > 0.95 else known.tag
    return Attempt(id, f"change {known.stage}", (number,), id), tag


def _sent(client: httpx.Client, attempt: Attempt, tag: str) -> httpx.Response:
    """Send an attempt, and return the answer."""
    number = attempt.records[0]
    path = f"/v1/dpps/{identifier(number)}"
    match = {"If-Match": tag} if tag else {}
    body: dict[str, Any]
    match attempt.do:
        case "draft" | "put":
            content = document(number, attempt.marker)
            return client.post("/v1/dpps", params=_terms(attempt), content=content)
        case "publish" | "archive":
            return client.post(f"{path}/{attempt.do}", json={"reason": attempt.id}, headers=match)
        case _:
            body = {"metadata": {"version": attempt.marker}}
            headers = {**match, "Content-Type": "application/merge-patch+json"}
            content = json.dumps(body).encode()
            return client.patch(path, params=_terms(attempt), content=content, headers=headers)


def _terms(attempt: Attempt) -> dict[str, str]:
    """Return how a write is meant: a draft is not checked, which is most of the work."""
    stage = STAGES[attempt.do]
    return {"stage": str(stage), "check": str(stage is Stage.PUBLISHED).lower()}


def _holds(home: Home, entry: Entry, number: int, marker: str) -> bool:
    """Return whether an entry left the document with a number and a marker, read from what is kept."""
    model = home.journal.model(entry.model)
    assert model is not None
    state = State(entry.record, entry.model, home.journal.state(entry), home.journal.state(model))
    told = format_named(FORMAT).dump(state.passport())
    return bool(json.loads(told) == json.loads(document(number, marker)))


@cache
def _example() -> bytes:
    return (ROOT / "examples/passports" / f"{EXAMPLE}.json").read_bytes()
