"""Work in shares, on several processes that end with the one that started them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

from battpass.kg.errors import ProcessLost

T = TypeVar("T")
R = TypeVar("R")


def in_shares(
    work: Callable[[list[T]], list[R]], items: Iterable[T], workers: int, share: int
) -> Iterator[list[R]]:
    """Yield what comes of each share, in their order; items are taken as they are needed.

    Ctrl+C goes to whoever started this alone: shares that are under way are brought to their end. What fits
    into one share is worked on in this process.

    Raises
    ------
    ProcessLost
        If a process was ended from outside.
    """
    remaining = iter(items)
    first = list(islice(remaining, share))
    second = list(islice(remaining, share)) if len(first) == share else []
    if not second:
        if first:
            yield work(first)
        return
    waiting: deque[Future[list[R]]] = deque()
    # Threads of this process may hold locks, so children begin anew.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool:
        try:
            waiting += (pool.submit(_worked, work, one) for one in (first, second))
            while waiting:
                while len(waiting) <= workers and (following := list(islice(remaining, share))):
                    waiting.append(pool.submit(_worked, work, following))
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise ProcessLost(
                "A process that was at work was ended from outside, perhaps for want of memory. Run the same "
                "command again, with fewer --workers."
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """Make a child ready: it leaves Ctrl+C to its parent, and ends when that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()


def _worked(work: Callable[[list[T]], list[R]], share: list[T]) -> list[R]:
    done = work(share)
    # Once for a share: to look through all terms again and again would take as long as the work itself.
    gc.collect()
    return done


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
