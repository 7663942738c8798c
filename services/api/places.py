"""Places at the workers, shared out among clients: who sends much or slow work keeps nobody waiting.

A client holds at most half of the places (rounded up), however idle the rest are: work under way is not
taken back, so only a place that was never given away is free at once for the next client. When a place comes
free, it goes to the client that holds fewest; among equals, in turn.
"""

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field

import anyio

from battpass.kg.errors import PoolBusy
from battpass.services.api.problems import TooManyRequests


@dataclass(eq=False, slots=True)
class Place:
    """A place that a client holds or waits for; give it back once, in the end."""

    client: str
    places: "Places"
    granted: anyio.Event = field(default_factory=anyio.Event)
    given_back: bool = False

    def give_back(self) -> None:
        """Let the next client in; a second call does nothing."""
        if not self.given_back:
            self.given_back = True
            self.places._return(self.client)

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()


class Places:
    """`total` places; a client has at most `each` requests at them or in the line, which holds `line` in all.

    Used from one event loop, so nothing here needs a lock.
    """

    def __init__(self, total: int, *, each: int, line: int, what: str) -> None:
        self.total = total
        self.share = (total + 1) // 2
        self._each = each
        self._longest = line
        self._what = what
        self._held: Counter[str] = Counter()
        self._line: OrderedDict[str, deque[Place]] = OrderedDict()

    @property
    def held(self) -> int:
        """How many places are taken."""
        return self._held.total()

    @property
    def waiting(self) -> int:
        """How many requests wait for one."""
        return sum(map(len, self._line.values()))

    async def take(self, client: str, seconds: float) -> Place:
        """Return a place, once there is one for this client.

        Raises
        ------
        TooManyRequests
            If the client has too much under way already.
        PoolBusy
            If the line is full, or none came free in time.
        """
        if self._held[client] + len(self._line.get(client, ())) >= self._each:
            raise TooManyRequests(
                f"{self._each} {self._what} of yours are under way, and no client may have more at a time. "
                "Send the next when one of them has ended."
            )
        place = Place(client, self)
        if self.held < self.total and self._held[client] < self.share:
            self._held[client] += 1
            return place
        if self.waiting >= self._longest:
            raise PoolBusy(f"All workers are busy and {self.waiting} {self._what} wait for them.")
        await self._wait(place, seconds)
        return place

    async def _wait(self, place: Place, seconds: float) -> None:
        self._line.setdefault(place.client, deque()).append(place)
        try:
            with anyio.move_on_after(seconds):
                await place.granted.wait()
        except BaseException:
            self._leave(place)
            raise
        if not place.granted.is_set():
            self._leave(place)
            raise PoolBusy(f"All workers were busy for {seconds:g} s. Try again in a moment.")

    def _leave(self, place: Place) -> None:
        """Take a place out of the line; one that was granted just now goes to the next."""
        if place.granted.is_set():
            place.give_back()
            return
        mine = self._line[place.client]
        mine.remove(place)
        if not mine:
            del self._line[place.client]

    def _return(self, client: str) -> None:
        self._held[client] -= 1
        if self._held[client] <= 0:
            del self._held[client]
        while self.held < self.total and (place := self._next()) is not None:
            self._held[place.client] += 1
            place.granted.set()

    def _next(self) -> Place | None:
        """Take the next place out of the line: that of the client that holds fewest, among equals in turn."""
        able = [client for client in self._line if self._held[client] < self.share]
        if not able:
            return None
        client = min(able, key=lambda one: self._held[one])  # the first of equals, in order of the line
        mine = self._line[client]
        place = mine.popleft()
        del self._line[client]
        if mine:
            self._line[client] = mine  # behind the others: it has had its turn
        return place
