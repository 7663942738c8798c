"""The datasets that answer queries, one for each audience, opened in the background when first asked for.

Opening builds a dataset that is not there yet, which may take minutes. Meanwhile queries of that audience are
told how far it is, and everything else goes on.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import anyio
import structlog

from battpass.kg.dataset import Walls
from battpass.kg.errors import BattPassError
from battpass.kg.home import Home
from battpass.kg.home.building import WORTH_RECORDS, build
from battpass.kg.home.queries import Queries
from battpass.services.api.problems import NotReady, NotShownYet
from battpass.services.api.settings import Settings

_LOOK_SECONDS = 0.02
_END_SECONDS = 10.0


class _Ending(Exception):
    """The server ends while a dataset is being built."""


@dataclass(slots=True)
class Opening:
    """How far a dataset is: `done` of `count` records are in it; `queries` answer once it is open."""

    audience: str
    done: int = 0
    count: int = 0
    queries: Queries | None = None
    failure: Exception | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def told(self) -> str:
        """Return how far it is, as a sentence."""
        if self.queries is not None:
            return f"The dataset for {self.audience} is open."
        if self.failure is not None:
            # Its own words may name folders; they are in the log.
            return f"The dataset for {self.audience} does not open; the log of the server says why."
        if self.count:
            return (
                f"The dataset for {self.audience} is being built: {self.done:,} of {self.count:,} passports."
            )
        return f"The dataset for {self.audience} is being opened."


class Answering:
    """The datasets of a home that queries run on."""

    def __init__(self, home: Home, settings: Settings, log: structlog.typing.FilteringBoundLogger) -> None:
        self._home = home
        self._settings = settings
        self._log = log
        self._guard = threading.Lock()
        self._openings: dict[str, Opening] = {}
        self._closing = threading.Event()

    def begin(self, audience: str) -> Opening:
        """Begin to open the dataset of an audience, unless that has begun; one that failed is tried again."""
        with self._guard:
            opening = self._openings.get(audience)
            if opening is None or opening.failure is not None:
                opening = self._openings[audience] = Opening(audience)
                opening.thread = threading.Thread(
                    target=self._open, args=(opening,), name=f"open {audience}", daemon=True
                )
                opening.thread.start()
            return opening

    def openings(self) -> list[Opening]:
        """Return what has been asked for so far, open or not."""
        with self._guard:
            return list(self._openings.values())

    def opened(self, audience: str = "public") -> Queries | None:
        """Return what answers the queries of an audience where it is open."""
        with self._guard:
            opening = self._openings.get(audience)
        return opening.queries if opening else None

    async def queries(self, audience: str) -> Queries:
        """Return what answers the queries of an audience; waits a little where it is being opened.

        Raises
        ------
        NotReady
            If it is not open by then; the message says how far it is.
        """
        if self._closing.is_set():
            raise NotReady("The server is ending.")
        opening = self.begin(audience)
        until = time.monotonic() + self._settings.dataset_wait_seconds
        while opening.queries is None:
            if opening.failure is not None or time.monotonic() >= until:
                raise NotReady(opening.told())
            await anyio.sleep(_LOOK_SECONDS)
        return opening.queries

    async def shows(self, audience: str, sequence: int, seconds: float) -> None:
        """Wait until the dataset of an audience shows a sequence number.

        Raises
        ------
        NotShownYet
            If it does not in time.
        """
        until = time.monotonic() + seconds
        while (shown := self._home.shown(audience)) < sequence:
            if time.monotonic() >= until:
                raise NotShownYet(
                    f"The dataset shows the journal up to {shown}, not {sequence}, after {seconds:.3g} s. "
                    f"The journal itself ends at {self._home.sequence}."
                )
            await anyio.sleep(_LOOK_SECONDS)

    def close(self) -> None:
        """End what is being opened, and give back what answering took."""
        self._closing.set()
        for opening in self.openings():
            if opening.thread is not None:
                opening.thread.join(_END_SECONDS)
            if opening.queries is not None:
                opening.queries.close()
        with self._guard:
            self._openings = {}

    def _open(self, opening: Opening) -> None:
        walls = Walls(memory=self._settings.query_memory_mb << 20)
        workers = self._settings.query_workers
        try:
            self._build_apart(opening)
            opening.queries = self._home.queries(
                opening.audience, self._watch(opening), workers=workers, walls=walls
            )
        except _Ending:
            opening.failure = BattPassError("the server is ending")
        except Exception as error:
            # The outermost edge of this thread: who asks next is told, and tries again.
            opening.failure = error
            self._log.error("dataset does not open", audience=opening.audience, exc_info=error)
        finally:
            opening.ended.set()

    def _build_apart(self, opening: Opening) -> None:
        """Have a process of its own bring up a dataset that lacks much; else that is done here."""
        folder = self._home.folder
        if folder is None or self._home.behind(opening.audience) < WORTH_RECORDS:
            return

        def progress(done: int, count: int) -> None:
            opening.done, opening.count = done, count
            if self._closing.is_set():
                raise _Ending

        try:
            build(folder, opening.audience, progress)
            self._log.info("dataset is built", audience=opening.audience)
        except (BattPassError, OSError) as error:
            self._log.warning("dataset is built here", audience=opening.audience, reason=str(error))
        opening.done = 0

    def _watch(self, opening: Opening) -> "_Watch":
        return _Watch(opening, self._closing)


class _Watch:
    """Counts the records that go into a dataset, and stops when the server ends."""

    def __init__(self, opening: Opening, closing: threading.Event) -> None:
        self._opening = opening
        self._closing = closing

    def __call__(self, records: Iterable[str], count: int) -> Iterator[str]:
        self._opening.count = count
        for record in records:
            if self._closing.is_set():
                raise _Ending
            yield record
            self._opening.done += 1
