"""The outermost layer of the server: request numbers, the log, headers, figures, and errors nobody foresaw.

A line of the log names the route by its template, who asked by the id of the key, and what was written by its
sequence number. It holds no query string, no body, no address of a caller, and no secret of a key, wherever
that came from.
"""

import re
import sys
import time
import uuid
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from battpass.kg.keys import masked
from battpass.services.api import problems
from battpass.services.api.metrics import Metrics

# Pages carry no scripts at all, one stylesheet of our own, and cannot be framed.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_RAW_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_LONGEST_PATH = 200
_JSON = structlog.processors.JSONRenderer()


def make_log(output: TextIO | None = None) -> structlog.typing.FilteringBoundLogger:
    """Return a log of JSON lines, on standard error unless told otherwise; it is the app's own."""
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(output or sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _as_line,
        ],
        cache_logger_on_first_use=False,
    )
    return logger


def request_id(scope: MutableMapping[str, Any]) -> str:
    """Return the number of a request: the caller's own where it is a plain word, else one of ours."""
    state = scope.setdefault("state", {})
    if "request_id" not in state:
        given = Headers(scope=scope).get("x-request-id", "")
        state["request_id"] = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
    number: str = state["request_id"]
    return number


class Edge:
    """Wraps the app: whatever happens inside, one line of log and an answer come out.

    The line and the headers follow what the app leaves in the state of the request: `caller` (a `Caller`),
    `refused` (the id of a key that was not taken), `sequence` (the journal's number of what was written) and
    `reason` (why the server could not answer, where that is not the caller's mistake).
    """

    def __init__(
        self, app: ASGIApp, log: structlog.typing.FilteringBoundLogger, metrics: Metrics | None = None
    ) -> None:
        self._app = app
        self._log = log
        self._metrics = metrics or Metrics()  # counts that nobody asks for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = request_id(scope)
        method = scope["method"]
        if method == "HEAD":
            # What can be got can be asked for its headers alone; the server leaves the body out.
            scope = {**scope, "method": "GET", "state": {**scope["state"], "head": True}}
        state = scope["state"]
        began = self._metrics.begun()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = number
                given = {name for name, _ in headers.raw}
                headers.raw.extend(pair for pair in _RAW_HEADERS if pair[0] not in given)
                if "caller" in state:
                    _keep_from_others(headers, bool(state["caller"].actor))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            # The outermost edge: nothing below may take the server down or leave a caller without an answer.
            self._log.error("failed", request=number, path=_path(scope), exc_info=error)
            if not status:
                await problems.response(error, number)(scope, receive, send_with_headers)
        finally:
            route = _route(scope)
            self._metrics.ended(began, route, method, status)
            self._log.info(
                "request",
                request=number,
                method=method,
                path=_path(scope),
                route=route,
                status=status,
                ms=round((time.perf_counter() - began) * 1000, 1),
                **_known(state),
            )


def _keep_from_others(headers: MutableHeaders, is_known: bool) -> None:
    """Keep caches between us and a caller from giving an answer to somebody with other rights."""
    vary = headers.get("vary", "")
    named = {name.strip().lower() for name in vary.split(",")}
    if missing := [name for name in ("Authorization", "X-API-Key") if name.lower() not in named]:
        headers["Vary"] = ", ".join([vary, *missing] if vary else missing)
    if is_known and "no-store" not in headers.get("cache-control", ""):
        headers["Cache-Control"] = "private, no-cache"


def _known(state: Mapping[str, Any]) -> dict[str, object]:
    """Return what the line of a request says besides, from the state that the app left."""
    found: dict[str, object] = {}
    if (caller := state.get("caller")) is not None:
        found["audience"] = caller.audience
        if caller.actor:
            found["actor"] = caller.actor
    found.update({name: state[name] for name in ("refused", "sequence", "reason") if name in state})
    return found


def _route(scope: Scope) -> str:
    """Return the template of the route that took a request, empty where none did."""
    return str(getattr(scope.get("route"), "path", ""))


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path[:_LONGEST_PATH]


def _as_line(logger: object, name: str, event: structlog.typing.EventDict) -> str:
    # Masked as a whole: a key may come in a path, or in the message of an error.
    return masked(str(_JSON(logger, name, event)))
