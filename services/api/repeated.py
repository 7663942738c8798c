"""Answers that are given again: what anybody reads, as it was answered before, while nothing is written.

A route says of an answer by `request.state.repeatable`, a sequence number of the journal, that it rests on
nothing but the journal up to there, the address and `Accept`. Only answers to callers without a key are kept,
so there is one audience here, and whether a key still stands is never remembered.
"""

from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from battpass.kg.home import Home
from battpass.services.api.callers import ANONYMOUS

# An answer to a request with one of these may be another.
_SINGULAR = frozenset(
    (
        *(b"authorization", b"x-api-key", b"origin", b"range", b"min-sequence"),
        *(b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since"),
    )
)
_LONGEST_KEY = 500
# What an answer takes beside its body: headers, key, links.
_OVERHEAD = 3_000


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was answered when the journal ended at `sequence`; `route` is what the log names."""

    sequence: int
    route: object
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def cost(self) -> int:
        return len(self.body) + _OVERHEAD


class Repeated:
    """Wraps the app within the edge: gives `most` bytes of answers again, those used last."""

    def __init__(self, app: ASGIApp, home: Home, most: int) -> None:
        self._app = app
        self._home = home
        self._most = most
        self._size = 0
        # By address and `Accept`; only the event loop touches it.
        self._answers: OrderedDict[tuple[str, bytes, bytes], _Answer] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        known = self._answers.get(key)
        if known is None or known.sequence != self._home.sequence:
            await self._app(scope, receive, self._noting(key, scope, send))
            return
        self._answers.move_to_end(key)
        scope["state"]["caller"] = ANONYMOUS
        scope["route"] = known.route
        await send({"type": "http.response.start", "status": 200, "headers": known.headers})
        await send({"type": "http.response.body", "body": known.body})

    def _noting(self, key: tuple[str, bytes, bytes], scope: Scope, send: Send) -> Send:
        headers: tuple[tuple[bytes, bytes], ...] = ()

        async def noting(message: Message) -> None:
            nonlocal headers
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = tuple(message["headers"])
            elif message["type"] == "http.response.body" and headers:
                sequence = scope["state"].get("repeatable")
                if sequence is not None and not message.get("more_body"):
                    self._keep(key, _Answer(sequence, scope.get("route"), headers, message["body"]))
                headers = ()  # whatever follows is not the whole
            await send(message)

        return noting

    def _keep(self, key: tuple[str, bytes, bytes], answer: _Answer) -> None:
        if answer.cost > self._most // 4:
            return
        before = self._answers.pop(key, None)
        self._answers[key] = answer
        self._size += answer.cost - (before.cost if before else 0)
        while self._size > self._most:
            _, gone = self._answers.popitem(last=False)
            self._size -= gone.cost


def _key(scope: Scope) -> tuple[str, bytes, bytes] | None:
    """Return by what the answer to a request is kept, None where it is not."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    accept = b""
    for name, value in scope["headers"]:
        if name in _SINGULAR:
            return None
        if name == b"accept":
            accept = accept + b"," + value if accept else value
    query = scope["query_string"]
    if len(scope["path"]) + len(query) + len(accept) > _LONGEST_KEY:
        return None
    return scope["path"], query, accept
