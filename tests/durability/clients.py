"""Eight clients that write at the same time, each keeping its own list of what it was told."""

import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, BinaryIO, cast

from battpass.kg.home import Entry, Home, Stage
from battpass.kg.journal.parts import digest
from tests.durability import material
from tests.durability.ledger import STAGES, Acknowledged, Attempt, Ledger
from tests.durability.processes import PATIENCE_SECONDS

CLIENTS = 8
# All clients write to these; every other record belongs to one of them.
SHARED = 4
_MOST_OWN = 12


@dataclass
class Own:
    """What one client knows for sure of its own records: the marker of each, and how it stands."""

    first: int
    markers: dict[int, tuple[str, str]] = field(default_factory=dict)
    used: int = 0

    def next(self, count: int) -> tuple[int, ...]:
        """Return numbers of records that nobody has used."""
        self.used += count
        return tuple(range(self.first + self.used - count, self.first + self.used))


class SmallWrites:
    """The writes of `writer.py`: the journal names an attempt by its id, as the actor."""

    def attempt_of(self, home: Home, entry: Entry) -> str:
        """Return the id of the attempt that an entry comes from."""
        return entry.actor

    def record_name(self, number: int) -> str:
        """Return the IRI of a record by its number."""
        return material.record_name(number)

    def is_whole(self, home: Home, number: int, attempt: Attempt, entry: Entry) -> bool:
        """Return whether an entry names every byte that the attempt brought, and a model that came before."""
        model = home.journal.model(entry.model)
        checked = {"draft": "", "put": digest(material.report(attempt.marker))}.get(
            attempt.do, digest(material.report(attempt.id))
        )
        return (
            entry.model == material.model_name(number)
            and model is not None
            and model.sequence < entry.sequence
            and entry.state == material.state_digests(number, attempt.marker)
            and entry.original == digest(material.document(number, attempt.marker))
            and entry.report == checked
            and entry.stage is STAGES[attempt.do]
        )

    def stands(self, home: Home, number: int, attempt: Attempt, stage: Stage) -> bool:
        """Return whether a record stands as an attempt wrote it, byte for byte."""
        standing = home.state(material.record_name(number), stage=stage)
        return standing == material.state(number, attempt.marker)


class Tally:
    """Counts acknowledgements as they come in, for whoever waits for a number of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._running = CLIENTS

    def add(self, count: int) -> None:
        """Count acknowledgements."""
        with self._changed:
            self._count += count
            self._changed.notify_all()

    def left(self) -> None:
        """Say that a client has ended."""
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def wait_for(self, count: int) -> bool:
        """Wait for a number of acknowledgements; return False if the clients have ended before."""
        with self._changed:
            self._changed.wait_for(lambda: self._count >= count or not self._running, PATIENCE_SECONDS)
            return self._count >= count


@dataclass
class Group:
    """How many entries came to a commit, as the writer last said."""

    commits: int = 0
    entries: int = 0


def write(port: int, name: str, own: Own, ledger: Ledger, random: Random, tally: Tally, group: Group) -> None:
    """Send writes until the connection breaks, one after the other."""
    try:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
            stream = cast(BinaryIO, connection.makefile("rwb"))
            for count in range(1_000_000):
                attempt = _attempt(f"{name}-{count}", own, random)
                ledger.note(attempt)
                # Until the answer comes, nobody knows how these stand; if none comes, they are left alone.
                unsure = {number: own.markers.pop(number, None) for number in attempt.records}
                answer = _answer(stream, attempt)
                if answer is None:
                    break
                if attempt.do == "erase" and "StorageFailed" in answer.get("refused", ""):
                    continue  # the entry may be there, but a copy of the texts stays in the log
                if "is closed" in answer.get("refused", ""):  # it is being ended
                    attempt.refused = True
                    break
                assert "refused" not in answer, f"{attempt} was refused: {answer}; before it stood {unsure}"
                attempt.acknowledged = tuple(Acknowledged(*told) for told in answer["written"])
                group.commits, group.entries = answer["commits"], answer["entries"]
                if attempt.do != "erase" and attempt.records[0] >= SHARED:
                    own.markers |= {number: (attempt.marker, attempt.do) for number in attempt.records}
                tally.add(len(attempt.acknowledged))
    finally:
        tally.left()


def _answer(stream: BinaryIO, attempt: Attempt) -> dict[str, Any] | None:
    """Send an attempt, and return the answer, None if the connection broke before its end."""
    asked = {"id": attempt.id, "do": attempt.do, "records": attempt.records, "marker": attempt.marker}
    stream.write(json.dumps(asked).encode() + b"\n")
    stream.flush()
    line = stream.readline()
    return json.loads(line) if line.endswith(b"\n") else None


def _attempt(id: str, own: Own, random: Random) -> Attempt:
    """Return what a client does next: anything that can be done with one of its records, or a new one."""
    chance = random.random()
    if chance < 0.15:
        return Attempt(id, "draft", (random.randrange(SHARED),), id)
    living = [number for number, (_, did) in own.markers.items() if did != "archive"]
    if len(living) < 2 or (chance < 0.3 and len(living) < _MOST_OWN):
        return Attempt(id, random.choice(["draft", "put"]), own.next(random.choice([1, 1, 3])), id)
    number = random.choice(living)
    marker, did = own.markers[number]
    if chance < 0.35:
        return Attempt(id, "archive", (number,), marker)
    if chance < 0.37:
        dead = [number for number, (_, did) in own.markers.items() if did == "archive"]
        if dead:
            return Attempt(id, "erase", (random.choice(dead),), "")
    if chance < 0.42 and did in ("draft", "put"):
        return Attempt(id, did, (number,), marker)  # the same once more
    if chance < 0.6 and did == "draft":
        return Attempt(id, "publish", (number,), marker)
    if chance < 0.7:
        return Attempt(id, "put", (number,), id)
    return Attempt(id, "draft", (number,), id)
