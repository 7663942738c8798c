"""The small routes: the list of routes as a page, the stylesheet."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from battpass.services.api.site import WEB, Site


def plain_router(site: Site) -> APIRouter:
    """Return the routes `/docs` and `/assets/battpass.css` of one app."""
    router = APIRouter(tags=["server"])

    @router.get("/docs", summary="This list of routes", include_in_schema=False)
    def docs(request: Request) -> Response:
        return site.page(request, "docs.html", paths=request.app.openapi()["paths"])

    @router.get("/assets/battpass.css", include_in_schema=False)
    def stylesheet() -> Response:
        return FileResponse(
            WEB / "battpass.css", media_type="text/css", headers={"Cache-Control": "max-age=3600"}
        )

    return router
