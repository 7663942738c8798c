"""The intake: the only place where documents from outside are parsed, mapped and validated.

It never happens in the process that writes. A document that crashes its worker, swells or never ends costs
that worker, which is replaced; other callers notice nothing.

    with Intake() as intake:
        arrival = intake.read(document)
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from types import TracebackType
from typing import Any, Self, TypeVar

from battpass.kg.errors import BadDocument, BattPassError, DocumentTooLarge, Overdue, ProcessLost
from battpass.kg.home.arrival import Arrival, State
from battpass.kg.journal.parts import Parts
from battpass.services.exchange.crew import Crew, IntakeLimits, Unavailable
from battpass.services.exchange.wire import Untrustworthy, arrival_received, state_sent

__all__ = ["Intake", "IntakeLimits"]

T = TypeVar("T")

TASKS = "battpass.services.exchange.intake_tasks:ready"

# Tasks that read what came from outside: whatever ends their worker, the document is at fault.
_OF_DOCUMENTS = ("read", "patch", "supplement")


class Intake:
    """A pool of sealed workers that parse, map and validate; safe for threads.

    The workers start when first needed: the first one takes a second or two, each later one some 20 ms. `on`
    is the day that duties and dates are held against; each time today, if none is given.
    """

    def __init__(
        self, workers: int = 2, limits: IntakeLimits | None = None, *, on: date | None = None
    ) -> None:
        self.limits = limits or IntakeLimits()
        self._size = workers
        self._on = on
        self._crew = Crew(TASKS, workers, self.limits)

    def read(self, data: bytes, format_name: str = "", *, source: str = "", check: bool = True) -> Arrival:
        """Return the passport of a document in a format, or in the one that takes it.

        Its findings are those of the format; `check` adds the report of the shapes.

        Raises
        ------
        BadDocument
            If it cannot be read, or took more time or memory than a document may.
        PoolBusy
            If no worker came free in time.
        """
        return self._read(data, format_name, source, check, self.limits.patience)

    def read_many(
        self, documents: Iterable[tuple[str, bytes]], format_name: str = "", *, check: bool = True
    ) -> Iterator[tuple[str, bytes, Arrival | BattPassError]]:
        """Yield what became of each of many (source, document), in their order, some of them at a time.

        Documents are taken from the iterable as they are needed, a few ahead of what is yielded.
        """

        def result(source: str, data: bytes) -> Arrival | BattPassError:
            try:
                return self._read(data, format_name, source, check, None)
            except BattPassError as error:
                return error

        waiting: deque[tuple[str, bytes, Future[Arrival | BattPassError]]] = deque()
        with ThreadPoolExecutor(self._size, thread_name_prefix="intake") as threads:
            try:
                for source, data in documents:
                    waiting.append((source, data, threads.submit(result, source, data)))
                    if len(waiting) > 2 * self._size:
                        yield _done(*waiting.popleft())
                while waiting:
                    yield _done(*waiting.popleft())
            finally:
                for *_, future in waiting:
                    future.cancel()

    def patch(self, state: State, patch: bytes, format_name: str, *, check: bool = True) -> Arrival:
        """Return a passport changed by a merge patch (RFC 7396) over its document in a format.

        What the format has no place for stays. A patch that changes nothing gives back the state as it is,
        byte for byte. The arrival has no original, as nobody sent the document as it is now.

        Raises
        ------
        BadDocument
            If it is no JSON object, or what it makes cannot be read or is another passport.
        Contradiction
            If it gives a quantity two values at once.
        """
        return self._change({"task": "patch", "format": format_name}, state, check, patch)

    def supplement(self, state: State, document: bytes, format_name: str, *, check: bool = True) -> Arrival:
        """Return a passport with what an RDF document adds to it; the document is the arrival's original.

        Raises
        ------
        BadDocument
            If it says nothing of this passport, or contradicts it.
        """
        return self._change(
            {"task": "supplement", "format": format_name}, state, check, document, original=document
        )

    def move(self, state: State, model: str, model_parts: Parts, *, check: bool = True) -> Arrival:
        """Return a passport whose item points to another model record, which revises the one before."""
        target, texts = state_sent(State(state.record, model, {}, model_parts))
        return self._change({"task": "move", "target": target}, state, check, *texts)

    def check(self, state: State) -> bytes:
        """Return the validation report of a passport, as JSON text."""
        return self._one("check", "", state)

    def dump(self, state: State, format_name: str) -> bytes:
        """Return the document of a passport in a format."""
        return self._one("dump", format_name, state)

    @property
    def started(self) -> int:
        """How many workers were started."""
        return self._crew.started

    @property
    def lost(self) -> int:
        """How many of them ended, or were ended, before their work was done."""
        return self._crew.lost

    def check_alive(self) -> None:
        """Return if documents can be taken in; that workers start on demand is taken for granted at first.

        Raises
        ------
        ProcessLost
            If no worker lives and none can be started, or this was closed.
        """
        self._crew.check()

    def close(self) -> None:
        """End all workers, at work or not, and the process that they come from."""
        self._crew.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- tasks -----------------------------------------------------------------------------------------

    def _read(
        self, data: bytes, format_name: str, source: str, check: bool, patience: float | None
    ) -> Arrival:
        self._check_size(data)
        request = {"task": "read", "format": format_name, "on": self._day(check)}
        return self._run(request, [data], lambda texts: arrival_received(texts, data, source), patience)

    def _change(
        self, request: dict[str, Any], state: State, check: bool, *more: bytes, original: bytes = b""
    ) -> Arrival:
        for text in more:
            self._check_size(text)
        description, texts = state_sent(state)
        request = {"format": "", **request, "state": description, "on": self._day(check)}

        def received(answer: list[bytes]) -> Arrival:
            arrival = arrival_received(answer, original, "")
            if arrival.record != state.record:
                raise Untrustworthy("another record")
            return arrival

        return self._run(request, [*texts, *more], received, self.limits.patience)

    def _one(self, task: str, format_name: str, state: State) -> bytes:
        description, texts = state_sent(state)
        on = self._day(task == "check")
        request = {"task": task, "format": format_name, "state": description, "on": on}
        return self._run(request, texts, b"".join, self.limits.patience)

    def _day(self, check: bool) -> str | None:
        return (self._on or date.today()).isoformat() if check else None

    def _check_size(self, data: bytes) -> None:
        if len(data) > self.limits.bytes:
            raise DocumentTooLarge(
                f"The document has {len(data):,} bytes; at most {self.limits.bytes:,} are read. "
                "Send one passport per document, and link large files instead of embedding them."
            )

    def _run(
        self,
        request: dict[str, Any],
        texts: list[bytes],
        received: Callable[[list[bytes]], T],
        patience: float | None,
    ) -> T:
        try:
            return self._crew.ask(request, texts, received, patience)
        except Unavailable:
            raise
        except Overdue:
            why = f"It was not done after {self.limits.seconds:g} s."
            raise _lost(request, why, Overdue) from None
        except ProcessLost as error:
            raise _lost(request, str(error), ProcessLost) from None


def _lost(request: dict[str, Any], why: str, kind: type[BattPassError]) -> BattPassError:
    if request["task"] not in _OF_DOCUMENTS:
        return kind(f"{why} Nothing was changed; try again.")
    return BadDocument(
        f"The document cannot be read; nothing of it was kept. {why} Simplify it, or send it in parts."
    )


def _done(
    source: str, data: bytes, future: Future[Arrival | BattPassError]
) -> tuple[str, bytes, Arrival | BattPassError]:
    return source, data, future.result()
