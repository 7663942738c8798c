"""Clients that write to a server over HTTP whatever happens to its disk, and note what they are told."""

import json
import threading
import time
from dataclasses import dataclass, field
from random import Random

import httpx

from tests.api.conftest import MERGE, problem
from tests.durability.ledger import Acknowledged, Attempt, Ledger
from tests.durability.processes import PATIENCE_SECONDS
from tests.durability.server_clients import FORMAT, document, identifier

WRITERS = 2
_MOST_PASSPORTS = 4
_PAUSE_SECONDS = 0.05
_AFTER_REFUSAL_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Told:
    """One answer to a write: when the write began, and the problem if it was refused."""

    writer: int
    began: float
    seconds: float
    status: int
    slug: str = ""
    detail: str = ""

    @property
    def refused(self) -> bool:
        return self.status >= 500


@dataclass
class Answers:
    """What all writers were told, in order, and the highest sequence number among it."""

    told: list[Told] = field(default_factory=list)
    sequence: int = 0
    failure: BaseException | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, told: Told, sequence: int = 0) -> None:
        """Note an answer."""
        with self._changed:
            self.told.append(told)
            self.sequence = max(self.sequence, sequence)
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Note that a writer met what it should not."""
        with self._changed:
            self.failure = self.failure or error
            self._changed.notify_all()

    def wait(self, since: float, *, refused: bool, seconds: float = PATIENCE_SECONDS) -> bool:
        """Wait until each writer was told such an answer to a write begun after `since`."""

        def done() -> bool:
            found = {one.writer for one in self.told if one.began >= since and one.refused == refused}
            return self.failure is not None or len(found) == WRITERS

        with self._changed:
            waited = self._changed.wait_for(done, seconds)
            if self.failure is not None:
                raise AssertionError("A writer met what it should not") from self.failure
            return waited

    def since(self, began: float) -> list[Told]:
        """Return the answers to writes that began after some moment."""
        with self._changed:
            return [one for one in self.told if one.began >= began]


@dataclass
class Writer:
    """Creates drafts and changes them, one write after the other, until it is told to end."""

    number: int
    address: str
    key: dict[str, str]
    ledger: Ledger
    answers: Answers
    random: Random
    ending: threading.Event
    standing: dict[int, str] = field(default_factory=dict)

    def run(self) -> None:
        """Write until the end, or until an answer is neither an acknowledgement nor a refusal."""
        try:
            with httpx.Client(
                base_url=self.address, headers=self.key, timeout=PATIENCE_SECONDS, trust_env=False
            ) as client:
                count, pause = 0, 0.0
                while not self.ending.wait(pause):
                    count += 1
                    written = self._write(client, f"w-{self.number}-{count}", 1_000 * self.number + count)
                    pause = _PAUSE_SECONDS if written else _AFTER_REFUSAL_SECONDS
        except BaseException as error:
            self.answers.fail(error)
            raise

    def _write(self, client: httpx.Client, id: str, new: int) -> bool:
        """Make one write, and return whether it was acknowledged."""
        fresh = len(self.standing) < _MOST_PASSPORTS
        number = new if fresh else self.random.choice(list(self.standing))
        attempt = Attempt(id, "draft" if fresh else "change draft", (number,), id)
        self.ledger.note(attempt)
        began = time.monotonic()
        answer = self._sent(client, attempt)
        took = time.monotonic() - began
        if answer.status_code in (503, 507):
            told = problem(answer, answer.status_code)
            attempt.refused = True  # nothing was written, so the tag that was read before still holds
            self.answers.add(
                Told(self.number, began, took, told["status"], told["type"].partition("#")[2], told["detail"])
            )
            return False
        assert answer.status_code in (200, 201), f"{attempt} was answered with {answer.text}"
        written = answer.json()
        attempt.acknowledged = (Acknowledged(written["version"], written["sequence"], written["outcome"]),)
        self.standing[number] = answer.headers["etag"]
        self.answers.add(Told(self.number, began, took, answer.status_code), written["sequence"])
        return True

    def _sent(self, client: httpx.Client, attempt: Attempt) -> httpx.Response:
        number, terms = attempt.records[0], {"stage": "draft", "check": "false"}
        if attempt.do == "draft":
            return client.post("/v1/dpps", params=terms, content=document(number, attempt.marker))
        return client.patch(
            f"/v1/dpps/{identifier(number)}",
            params={**terms, "format": FORMAT},
            content=json.dumps({"metadata": {"version": attempt.marker}}).encode(),
            headers={**MERGE, "If-Match": self.standing[number]},
        )
