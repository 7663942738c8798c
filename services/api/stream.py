"""An answer sent while it is being made, from a thread of its own kind, and let go when the caller leaves."""

from collections.abc import Callable, Iterator
from typing import Protocol

import anyio
import anyio.to_thread
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from battpass.kg.errors import BattPassError


class Pieces(Iterator[bytes], Protocol):
    """What is streamed: pieces of bytes, and a way to leave the rest unread."""

    def close(self) -> None: ...


class Stream(Response):
    """A response from an iterator that may block, and may fail on the way.

    When it fails after the first bytes, the status is long sent. The connection is then ended without the
    mark that closes a body, so no caller takes half an answer for a whole one. `done` is called in the end.
    """

    def __init__(
        self,
        pieces: Pieces,
        media_type: str,
        limiter: anyio.CapacityLimiter,
        log: structlog.typing.FilteringBoundLogger,
        headers: dict[str, str],
        done: Callable[[], None],
    ) -> None:
        self._pieces = pieces
        self._done = done
        self._limiter = limiter
        self._log = log
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
                await self._send_all(scope, send)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await anyio.to_thread.run_sync(self._pieces.close, limiter=self._limiter)
                finally:
                    self._done()

    async def _send_all(self, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            if not scope["state"].get("head"):
                while (piece := await self._next()) is not None:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except BattPassError as error:
            self._log.warning("cut short", request=scope["state"]["request_id"], reason=str(error))
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self) -> bytes | None:
        return await anyio.to_thread.run_sync(next, self._pieces, None, limiter=self._limiter)


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    """End the sending when the caller goes away: a worker is held as long as its answer is read."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
