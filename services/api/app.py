"""The HTTP server: one app is made from settings and a home, and holds all that it needs."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TextIO

import anyio.to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

import battpass
from battpass.kg.errors import BattPassError
from battpass.kg.home import Home
from battpass.kg.keys import FILE as KEYS
from battpass.kg.keys import KeyRing
from battpass.services.api import openapi, problems
from battpass.services.api.callers import Callers
from battpass.services.api.checking import checking_router
from battpass.services.api.dpps import dpps_router
from battpass.services.api.edge import Edge, make_log, request_id
from battpass.services.api.examples import load_examples
from battpass.services.api.health import health_of, health_router
from battpass.services.api.lexicon import Lexicon
from battpass.services.api.lifecycle import lifecycle_router
from battpass.services.api.metrics import Metrics, Sources, metrics_router
from battpass.services.api.models import models_router
from battpass.services.api.negotiation import prefers_html
from battpass.services.api.passports import passport_router
from battpass.services.api.plain import plain_router
from battpass.services.api.repeated import Repeated
from battpass.services.api.settings import Settings
from battpass.services.api.site import PUBLIC, Site, templates
from battpass.services.api.sparql import sparql_router
from battpass.services.exchange.checking import Checker
from battpass.services.exchange.intake import Intake, IntakeLimits

# Bytes of a report in all; one of more results than that holds is refused.
_LONGEST_REPORT = 32 << 20


def create_app(settings: Settings, home: Home, log_to: TextIO | None = None) -> FastAPI:
    """Return a new app over an open home. The caller closes the home, after the app has ended.

    It answers as soon as it listens: datasets open in the background, and `/readyz` says when. Foreign
    queries run in sealed processes on the dataset of a folder, so the home must lie in one.

    Raises
    ------
    BattPassError
        If the home is in memory.
    """
    if home.folder is None:
        raise BattPassError(
            "A home in memory cannot be served, because its queries would run in the server's own process. "
            "Open one in a folder: Home.open(path, create=True)."
        )
    log, lexicon, metrics = make_log(log_to), Lexicon.load(), Metrics()
    intake = Intake(settings.intake_workers, IntakeLimits(bytes=settings.max_document_bytes))
    checker = Checker(settings.validation_workers, _validation_limits(settings))
    site = Site(
        settings, home, intake, checker, lexicon, home.audiences, load_examples(lexicon), log, templates()
    )
    ring = KeyRing(home.folder / KEYS)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        site.open()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(site.close)
            ring.close()

    app = FastAPI(
        title="BattPass",
        summary="Battery passports: written, read as much as the caller may see, and asked over SPARQL",
        version=battpass.__version__,
        # The interactive pages of FastAPI load scripts from elsewhere; /docs is a page of our own.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.site = site
    app.state.callers = Callers(ring, log)
    metrics.watch(Sources.of(home, site.pools))
    health = health_of(
        home,
        queries=site.answering.opened,
        audience=PUBLIC,
        intake=intake.check_alive,
        ring=ring,
        log=log,
    )
    routers = (
        dpps_router(site),  # what is asked for most often, first
        passport_router(site),
        sparql_router(site),
        lifecycle_router(site),
        models_router(site),
        checking_router(site),
        health_router(health),
        metrics_router(metrics, open_here=settings.metrics_open_here),
        plain_router(site),
    )
    for router in routers:
        app.include_router(router)
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    _add_problems(app, site, [route for router in routers for route in router.routes])
    # No cookie says who asks, so a page of another origin gets no more than its reader gives it.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            "Authorization",
            "Content-Type",
            "If-Match",
            "If-None-Match",
            "Min-Sequence",
            "X-API-Key",
            "X-Request-ID",
        ],
        expose_headers=["ETag", "Link", "Location", "Retry-After", "Sequence", "X-Request-ID"],
    )
    app.add_middleware(Repeated, home=home, most=settings.remembered_mb << 20)
    app.add_middleware(Edge, log=log, metrics=metrics)
    return app


def _validation_limits(settings: Settings) -> IntakeLimits:
    return IntakeLimits(
        seconds=settings.validation_deadline_seconds,
        memory=settings.validation_memory_mb << 20,
        bytes=settings.max_document_bytes,
        answer=_LONGEST_REPORT,
    )


def _add_problems(app: FastAPI, site: Site, routes: Sequence[BaseRoute]) -> None:
    def answer(request: Request, error: Exception, headers: dict[str, str] | None = None) -> Response:
        number = request_id(request.scope)
        added = {**problems.shown_in(request), **(headers or {})}
        if prefers_html(request.headers.get("accept"), (problems.MEDIA_TYPE, "application/json")):
            told = problems.told(error)
            page = site.page(request, "problem.html", told.status, problem=told, number=number)
            page.headers.update({**problems.headers_of(error), **added})
            return page
        return problems.response(error, number, added)

    async def ours(request: Request, error: Exception) -> Response:
        if reason := problems.reason_of(error):
            request.state.reason = reason
        return answer(request, error)

    async def unfit(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(request, problems.BadRequest(f"The request does not fit: {_places(error)}."))

    async def routing(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = request.url.path[:200]
        kinds = {
            404: problems.NoSuchPage(f"There is nothing at {path}."),
            405: problems.WrongMethod(f"{path} does not answer {request.method[:20]}."),
        }
        told = kinds.get(error.status_code, problems.BadRequest(str(error.detail)))
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_allowed(request, routes))
        return answer(request, told, headers)

    app.add_exception_handler(BattPassError, ours)
    app.add_exception_handler(RequestValidationError, unfit)
    app.add_exception_handler(HTTPException, routing)


def _allowed(request: Request, routes: Iterable[BaseRoute]) -> list[str]:
    """Return the methods that the path of a request answers."""
    found = {"HEAD"}
    for route in routes:
        fits, _ = route.matches(request.scope)
        if fits is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return sorted(found)


def _places(error: RequestValidationError) -> str:
    def place(one: dict[str, Any]) -> str:
        return f"{'.'.join(map(str, one['loc']))}: {one['msg'][:1].lower()}{one['msg'][1:]}"

    return "; ".join(place(one) for one in error.errors()[:5])
