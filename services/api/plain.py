"""The small routes: health, the list of routes as a page, the stylesheet."""

import anyio.to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from battpass.kg.errors import BattPassError
from battpass.services.api.problems import NotReady
from battpass.services.api.site import WEB, Site

_READY_SECONDS = 5.0


def plain_router(site: Site) -> APIRouter:
    """Return the routes `/healthz`, `/readyz`, `/docs` and `/assets/battpass.css` of one app."""
    router = APIRouter(tags=["server"])

    @router.get("/healthz", summary="Whether the server runs")
    async def health() -> Response:
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    @router.get("/readyz", summary="Whether it can answer: the home is readable and a query worker answers")
    async def ready() -> Response:
        try:
            count = await anyio.to_thread.run_sync(len, site.home)
            await site.ask(lambda queries: queries.query("ASK {}", "csv", _READY_SECONDS).read())
        except (BattPassError, OSError) as error:
            raise NotReady(f"The server cannot answer now: {error}") from error
        return JSONResponse({"status": "ready", "passports": count}, headers={"Cache-Control": "no-store"})

    @router.get("/docs", summary="This list of routes", include_in_schema=False)
    def docs(request: Request) -> Response:
        return site.page(request, "docs.html", paths=request.app.openapi()["paths"])

    @router.get("/assets/battpass.css", include_in_schema=False)
    def stylesheet() -> Response:
        return FileResponse(
            WEB / "battpass.css", media_type="text/css", headers={"Cache-Control": "max-age=3600"}
        )

    return router
