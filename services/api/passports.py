"""Routes of the passports: the list, one passport by content negotiation, and its data carrier."""

import re
from typing import Any

import anyio.to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from battpass.kg.errors import Archived, NotFound
from battpass.kg.journal.entry import Stage
from battpass.kg.namespaces import BASE
from battpass.services.api import negotiation
from battpass.services.api.bodies import problems
from battpass.services.api.callers import caller_of
from battpass.services.api.negotiation import Representation
from battpass.services.api.page import page_of
from battpass.services.api.parameters import NOT_MODIFIED, READS, UNLESS_KNOWN, contents, data_formats
from battpass.services.api.problems import BadRequest
from battpass.services.api.reading import OWNER, Wanted, nothing_here, short
from battpass.services.api.site import Site

HTML = Representation("html", "html", "text/html", "HTML")

_IDENTIFIER = re.compile(r"[0-9a-z-]{1,64}\Z")
_LONGEST_SEARCH = 200


def representations() -> tuple[Representation, ...]:
    """Return the ways to hand out a passport: the page, then every format that is registered."""
    return (HTML, *data_formats())


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The passport",
        "content": {"text/html": {"schema": {"type": "string"}}, **contents(data_formats())},
    },
    **NOT_MODIFIED,
    **READS,
}
_PAGE_QUERY = [
    ("q", {"type": "string", "maxLength": _LONGEST_SEARCH}, "an identifier, or a part of one"),
    ("page", {"type": "integer", "minimum": 1}, "number of the page"),
]
_LANGUAGE = ("lang", {"type": "string", "enum": list(negotiation.LANGUAGES)}, "language of the page")
_FORMAT = ("format", {"type": "string"}, "short name of a format, or html; wins over the header")
_CODES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The code", "content": {"image/svg+xml": {"schema": {"type": "string"}}}},
    **problems("unauthorized", "not-found", "archived", "keys-unusable"),
}


def passport_router(site: Site) -> APIRouter:
    """Return the routes `/`, `/p/{name}` and `/p/{name}/qr.svg` of one app."""
    router = APIRouter(tags=["passports"])
    offered = representations()

    @router.get(
        "/",
        summary="The passports that are published here, found by identifier",
        response_class=HTMLResponse,
        responses=problems("bad-request", "unauthorized", "keys-unusable"),
        openapi_extra={"parameters": _in_query(*_PAGE_QUERY, _LANGUAGE)},
    )
    def home(request: Request) -> Response:
        """`q` is an identifier or a part of one, `page` counts from 1."""
        audience = caller_of(request).audience
        text = request.query_params.get("q", "").strip()[:_LONGEST_SEARCH]
        if text and (identifier := _exactly(site, text, audience)):
            return RedirectResponse(f"{request.scope.get('root_path', '')}/p/{identifier}", 303)
        found = site.catalogue.find(text, _page_number(request), site.speech(request))
        return site.page(request, "home.html", found=found, text=text)

    @router.get(
        "/p/{name}",
        summary="One passport, as much of it as the caller may see: a page or data",
        response_class=Response,
        responses=_ANSWERS,
        openapi_extra={"parameters": [*_in_query(_FORMAT, _LANGUAGE), *UNLESS_KNOWN["parameters"]]},
    )
    async def passport(request: Request, name: str) -> Response:
        """Ask for a format by the Accept header, by a suffix (`/p/{id}.ttl`) or by `?format=`."""
        identifier, _, suffix = name.partition(".")
        asked = request.query_params.get("format") or suffix or None
        chosen = negotiation.choose(offered, request.headers.get("accept"), asked)

        if not _IDENTIFIER.match(identifier):
            raise nothing_here(identifier)
        audience = (await site.caller(request)).audience
        entry = await anyio.to_thread.run_sync(site.reading.entry, f"{BASE}p/{identifier}", audience)

        def page() -> Response:
            found = site.home.passport(entry.record, audience, version=entry.version)
            draft = entry.stage is Stage.DRAFT
            violations = site.home.violations(entry) if audience == OWNER else None
            shown = page_of(
                found,
                site.speech(request),
                site.audiences,
                audience,
                draft=draft,
                violations=violations or 0,
            )
            return site.page(request, "passport.html", page=shown, offered=offered[1:])

        if chosen is HTML:
            answer = await anyio.to_thread.run_sync(page)
        else:
            answer = await site.document(request, entry, audience, chosen)
        answer.headers["Link"] = _alternates(request, identifier, offered)
        return answer

    @router.get(
        "/p/{identifier}/qr.svg",
        summary="QR code that leads to a passport",
        response_class=Response,
        responses=_CODES,
    )
    def code(request: Request, identifier: str) -> Response:
        """The code holds the passport's IRI."""
        if not _IDENTIFIER.match(identifier):
            raise nothing_here(identifier)
        entry = site.reading.entry(f"{BASE}p/{identifier}", caller_of(request).audience)
        return Response(_code(entry.record), media_type="image/svg+xml")

    return router


def _in_query(*named: tuple[str, dict[str, Any], str]) -> list[dict[str, Any]]:
    """Return what OpenAPI is told of parameters that a route reads itself."""
    return [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
        for name, schema, text in named
    ]


def _exactly(site: Site, text: str, audience: str) -> str:
    """Return the identifier of the one published passport that is called so in full, or an empty text."""
    try:
        return short(site.reading.entry(text, audience, Wanted(stage=Stage.PUBLISHED)).record)
    except (NotFound, Archived):
        return ""


def _page_number(request: Request) -> int:
    text = request.query_params.get("page", "1")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise BadRequest(f"The page {text[:20]!r} is no number. Pages are counted from 1.")
    return int(text)


def _alternates(request: Request, identifier: str, offered: tuple[Representation, ...]) -> str:
    address = f"{request.scope.get('root_path', '')}/p/{identifier}"
    return ", ".join(
        f'<{address}?format={one.name}>; rel="alternate"; type="{one.media_type}"' for one in offered
    )


def _code(text: str) -> bytes:
    import io

    import segno

    image = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        image, kind="svg", border=2, light="#fff", omitsize=True, svgclass=None, lineclass=None, nl=False
    )
    return image.getvalue()
