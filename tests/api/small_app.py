"""The smallest app with callers, figures and the log, to try these without a home of passports."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from battpass.kg.errors import BattPassError
from battpass.kg.keys import KeyRing
from battpass.services.api import problems
from battpass.services.api.callers import Callers, caller_of
from battpass.services.api.edge import Edge, make_log, request_id
from battpass.services.api.metrics import Metrics


@dataclass
class Small:
    """The app, the keys it takes, its figures, and what it logged."""

    ring: KeyRing
    routers: tuple[APIRouter, ...] = ()
    metrics: Metrics = field(default_factory=Metrics)
    log: io.StringIO = field(default_factory=io.StringIO)
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        logger = make_log(self.log)
        self.app = FastAPI()
        self.app.state.callers = Callers(self.ring, logger)
        for router in (_routes(), *self.routers):
            self.app.include_router(router)
        self.app.add_exception_handler(BattPassError, _problem)
        self.app.add_middleware(Edge, log=logger, metrics=self.metrics)

    def ask(
        self, path: str, method: str = "GET", *, client: str = "192.0.2.1", **headers: Any
    ) -> httpx.Response:
        """Send one request; `x_api_key="..."` is the header X-API-Key. Lists send a header more than once."""
        sent = [
            (name.replace("_", "-"), one)
            for name, value in headers.items()
            for one in (value if isinstance(value, list) else [value])
        ]

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(client, 4711))
            async with httpx.AsyncClient(transport=transport, base_url="http://server.test") as sender:
                return await sender.request(method, path, headers=sent)

        return anyio.run(send)

    def lines(self) -> list[dict[str, Any]]:
        """Return the log."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


async def _problem(request: Request, error: Exception) -> Response:
    return problems.response(error, request_id(request.scope))


def _routes() -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/who")
    def who(request: Request) -> Response:
        caller = caller_of(request)
        return JSONResponse([caller.actor, caller.audience, sorted(caller.rights)])

    @router.post("/things/{name}")
    def write(request: Request, name: str) -> Response:
        caller_of(request).require("write")
        request.state.sequence = 7
        return JSONResponse({}, 201, {"Cache-Control": "no-store"})

    @router.get("/open/{name}")
    def everybody(name: str) -> Response:
        return Response(name)

    @router.get("/broken")
    def broken(request: Request) -> Response:
        raise ZeroDivisionError(f"a secret of the inside, for {request.query_params}")

    @router.get("/stream")
    def stream(request: Request) -> Response:
        caller_of(request)

        def pieces() -> Iterator[bytes]:
            for number in range(3):
                yield b"%d\n" % number

        return StreamingResponse(pieces())

    return router
