"""What was made once and is asked for again: bytes by key; what was not used for longest goes first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

# What an entry takes beside its bytes: key, links, the object itself; measured with tracemalloc, rounded up.
_OVERHEAD = 500


class Remembered:
    """Bytes by key, `most` bytes of memory at most; safe to use from many threads.

    >>> remembered = Remembered(10_000)
    >>> remembered.made("a", lambda: b"one")
    b'one'
    >>> remembered.get("a"), remembered.get("b")
    (b'one', None)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._guard = threading.Lock()
        self._entries: OrderedDict[Hashable, bytes] = OrderedDict()
        self._making: dict[Hashable, Future[bytes]] = {}

    @property
    def size(self) -> int:
        """The bytes that are held, with what it costs to hold them."""
        return self._size

    def get(self, key: Hashable) -> bytes | None:
        """Return what stands under a key; it now counts as the last used."""
        with self._guard:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
            return found

    def made(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return what stands under a key, made now where it is not there; who comes meanwhile waits for it.

        Raises what `make` raises, to all who waited; nothing is kept then.
        """
        found = self.get(key)
        if found is not None:
            return found
        with self._guard:
            making = self._making.get(key)
            if making is None:
                mine = self._making[key] = Future[bytes]()
        if making is not None:
            return making.result()
        try:
            value = make()
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(value)
            self._keep(key, value)
            return value
        finally:
            with self._guard:
                del self._making[key]

    def _keep(self, key: Hashable, value: bytes) -> None:
        """Keep a value, unless it alone would fill a quarter of the room."""
        cost = len(value) + _OVERHEAD
        if cost > self._most // 4:
            return
        with self._guard:
            before = self._entries.pop(key, None)
            if before is not None:
                self._size -= len(before) + _OVERHEAD
            self._entries[key] = value
            self._size += cost
            while self._size > self._most:
                _, gone = self._entries.popitem(last=False)
                self._size -= len(gone) + _OVERHEAD
