"""Routes of the passports: the list, one passport by content negotiation, and its data carrier."""

import re

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from battpass.kg.errors import NotFound
from battpass.kg.namespaces import BASE
from battpass.kg.passport import Passport
from battpass.services.api import negotiation
from battpass.services.api.negotiation import Representation
from battpass.services.api.page import page_of
from battpass.services.api.problems import BadRequest
from battpass.services.api.site import AUDIENCE, Site
from battpass.services.exchange.registry import format_named, formats

HTML = Representation("html", "html", "text/html", "HTML")

_IDENTIFIER = re.compile(r"[0-9a-z-]{1,64}\Z")
_LONGEST_SEARCH = 200


def representations() -> tuple[Representation, ...]:
    """Return the ways to hand out a passport: the page, then every format that is registered."""
    return (
        HTML,
        *(Representation(one.name, one.suffix.lstrip("."), one.media_type, one.title) for one in formats()),
    )


def passport_router(site: Site) -> APIRouter:
    """Return the routes `/`, `/p/{name}` and `/p/{name}/qr.svg` of one app."""
    router = APIRouter(tags=["passports"])
    offered = representations()

    @router.get("/", summary="The passports kept here, found by identifier")
    def home(request: Request) -> Response:
        """`q` is an identifier or a part of one, `page` counts from 1."""
        text = request.query_params.get("q", "").strip()[:_LONGEST_SEARCH]
        if text and (identifier := _exactly(site, text)):
            return RedirectResponse(f"{request.scope.get('root_path', '')}/p/{identifier}", 303)
        found = site.catalogue.find(text, _page_number(request), site.speech(request))
        return site.page(request, "home.html", found=found, text=text)

    @router.get("/p/{name}", summary="One passport, public part: a page or data")
    def passport(request: Request, name: str) -> Response:
        """Ask for a format by the Accept header, by a suffix (`/p/{id}.ttl`) or by `?format=`."""
        identifier, _, suffix = name.partition(".")
        asked = request.query_params.get("format") or suffix or None
        chosen = negotiation.choose(offered, request.headers.get("accept"), asked)
        found = _read(site, identifier)
        if chosen is HTML:
            page = page_of(found, site.speech(request), site.audiences)
            answer: Response = site.page(request, "passport.html", page=page, offered=offered[1:])
        else:
            answer = Response(format_named(chosen.name).dump(found), media_type=_content_type(chosen))
            answer.headers.update({"Vary": "Accept", "Cache-Control": "no-cache"})
        answer.headers["Link"] = _alternates(request, identifier, offered)
        return answer

    @router.get("/p/{identifier}/qr.svg", summary="QR code that leads to a passport")
    def code(identifier: str) -> Response:
        """The code holds the passport's IRI."""
        return Response(_code(_read(site, identifier).record), media_type="image/svg+xml")

    return router


def _read(site: Site, identifier: str) -> Passport:
    """Return the public part of a passport."""
    if not _IDENTIFIER.match(identifier):
        raise NotFound(
            f"{identifier[:80]!r} is no identifier of a passport: small letters, digits and dashes."
        )
    return site.home.passport(f"{BASE}p/{identifier}", AUDIENCE)


def _exactly(site: Site, text: str) -> str:
    """Return the identifier of the one passport that is called so in full, or an empty text."""
    try:
        return site.home.find(text).rpartition("/")[2]
    except NotFound:
        return ""


def _page_number(request: Request) -> int:
    text = request.query_params.get("page", "1")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise BadRequest(f"The page {text[:20]!r} is no number. Pages are counted from 1.")
    return int(text)


def _content_type(chosen: Representation) -> str:
    is_text = chosen.media_type.startswith("text/")
    return f"{chosen.media_type}; charset=utf-8" if is_text else chosen.media_type


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
