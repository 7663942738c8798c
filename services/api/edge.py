"""The outermost layer of the server: request numbers, the log, headers, and errors nobody foresaw."""

import re
import sys
import time
import uuid
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from battpass.services.api import problems

# Pages carry no scripts at all, one stylesheet of our own, and cannot be framed.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


def make_log(output: TextIO | None = None) -> structlog.typing.FilteringBoundLogger:
    """Return a log of JSON lines, on standard error unless told otherwise; it is the app's own."""
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(output or sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
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
    """Wraps the app: whatever happens inside, one line of log and an answer come out."""

    def __init__(self, app: ASGIApp, log: structlog.typing.FilteringBoundLogger) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = request_id(scope)
        method = scope["method"]
        if method == "HEAD":
            # What can be got can be asked for its headers alone; the server leaves the body out.
            scope = {**scope, "method": "GET", "state": {**scope["state"], "head": True}}
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = number
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            # The outermost edge: nothing below may take the server down or leave a caller without an answer.
            self._log.error("failed", request=number, path=scope["path"], exc_info=error)
            if not status:
                await problems.response(error, number)(scope, receive, send_with_headers)
        finally:
            self._log.info(
                "request",
                request=number,
                method=method,
                path=scope["path"],
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
