"""The small routes: the list of routes as a page, the stylesheet, the icon."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from battpass.services.api.site import WEB, Site


def plain_router(site: Site) -> APIRouter:
    """Return the routes `/docs`, `/assets/battpass.css` and `/favicon.ico` of one app."""
    router = APIRouter(tags=["server"])

    @router.get("/docs", summary="This list of routes", include_in_schema=False)
    def docs(request: Request) -> Response:
        return site.page(request, "docs.html", paths=request.app.openapi()["paths"])

    @router.get("/assets/battpass.css", include_in_schema=False)
    def stylesheet() -> Response:
        return FileResponse(
            WEB / "battpass.css", media_type="text/css", headers={"Cache-Control": "max-age=3600"}
        )

    @router.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        # Browsers ask for it by this name whatever a page says.
        return FileResponse(
            WEB / "battpass.svg", media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"}
        )

    return router
