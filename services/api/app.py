"""The HTTP server: one app is made from settings and a home, and holds all that it needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TextIO

import anyio.to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

import battpass
from battpass.kg.access import audiences
from battpass.kg.errors import BattPassError
from battpass.kg.home import Home
from battpass.services.api import problems
from battpass.services.api.catalogue import Catalogue
from battpass.services.api.edge import Edge, make_log, request_id
from battpass.services.api.examples import load_examples
from battpass.services.api.lexicon import Lexicon
from battpass.services.api.negotiation import prefers_html
from battpass.services.api.passports import passport_router
from battpass.services.api.plain import plain_router
from battpass.services.api.settings import Settings
from battpass.services.api.site import AUDIENCE, Site, templates
from battpass.services.api.sparql import sparql_router


def create_app(settings: Settings, home: Home, log_to: TextIO | None = None) -> FastAPI:
    """Return a new app over an open home. The caller closes the home, after the app has ended.

    Foreign queries run in sealed processes on the dataset of a folder, so the home must lie in one.

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
    lexicon = Lexicon.load()
    site = Site(
        settings,
        home,
        lexicon,
        audiences(),
        load_examples(lexicon),
        Catalogue(home, AUDIENCE),
        make_log(log_to),
        templates(),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await anyio.to_thread.run_sync(site.open)
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(site.close)

    app = FastAPI(
        title="BattPass",
        summary="Public part of the battery passports that are kept here",
        version=battpass.__version__,
        # The interactive pages of FastAPI load scripts from elsewhere; /docs is a page of our own.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.site = site
    for router in (passport_router(site), sparql_router(site), plain_router(site)):
        app.include_router(router)
    _add_problems(app, site)
    # The data are public and no sign-in exists, so any page may read them; GET needs no more than this.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["X-Request-ID"],
        expose_headers=["X-Request-ID", "Link"],
    )
    app.add_middleware(Edge, log=site.log)
    return app


def _add_problems(app: FastAPI, site: Site) -> None:
    def answer(request: Request, error: Exception, headers: dict[str, str] | None = None) -> Response:
        number = request_id(request.scope)
        if prefers_html(request.headers.get("accept"), (problems.MEDIA_TYPE, "application/json")):
            told = problems.told(error)
            page = site.page(request, "problem.html", told.status, problem=told, number=number)
            page.headers.update({**problems.headers_of(error), **(headers or {})})
            return page
        return problems.response(error, number, headers)

    async def ours(request: Request, error: Exception) -> Response:
        return answer(request, error)

    async def unfit(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        places = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        return answer(request, problems.BadRequest(f"The request does not fit at {places}."))

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
            known = request.app.openapi()["paths"].get(request.scope["path"], {"get": {}})
            headers["Allow"] = ", ".join(sorted({"HEAD", *map(str.upper, known)}))
        return answer(request, told, headers)

    app.add_exception_handler(BattPassError, ours)
    app.add_exception_handler(RequestValidationError, unfit)
    app.add_exception_handler(HTTPException, routing)
