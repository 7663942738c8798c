"""Ctrl+C and SIGTERM as a wish to stop: for work that ends at a good place, and for servers."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Wish:
    """Whether somebody wants it to stop. The second Ctrl+C does not wait for a good place."""

    def __init__(self) -> None:
        self._wanted = False

    def __call__(self) -> bool:
        return self._wanted

    def note(self, number: int, frame: FrameType | None) -> None:
        """Take a signal for the wish to stop."""
        if self._wanted:
            raise KeyboardInterrupt
        self._wanted = True


@contextmanager
def on_wish() -> Iterator[Wish]:
    """Lend what turns true when the process is asked to end."""
    wish = Wish()
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, wish.note) for number in SIGNALS}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def terminating_like_ctrl_c() -> Iterator[None]:
    """Have SIGTERM raise `KeyboardInterrupt` too, so that whatever is open is closed on the way out."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
