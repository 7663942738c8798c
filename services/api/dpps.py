"""Reading passports over HTTP, after EN 18222: the list, one passport, its versions, by battery and by date.

Here stands what a route takes and gives; the rules are those of `reading.py`.
"""

from collections.abc import Callable
from typing import Any

import anyio.to_thread
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from battpass.kg.errors import NotFound
from battpass.kg.journal.entry import Entry, Stage
from battpass.services.api import negotiation
from battpass.services.api.bodies import PassportBody, PassportsBody, VersionBody, VersionsBody
from battpass.services.api.callers import caller_of
from battpass.services.api.moments import moment
from battpass.services.api.parameters import (
    LISTS,
    LOOKS,
    NOT_MODIFIED,
    PER_PAGE,
    READS,
    UNLESS_KNOWN,
    Cursor,
    DateAsked,
    DateGiven,
    FormatName,
    Limit,
    Name,
    Number,
    ProductName,
    StageName,
    VersionAsked,
    contents,
    data_formats,
)
from battpass.services.api.problems import BadRequest
from battpass.services.api.reading import LATEST, OWNER, Wanted, nothing_here, short
from battpass.services.api.site import Site

# Of a document whose format is not read any more.
_UNKNOWN = "application/octet-stream"


def dpps_router(site: Site) -> APIRouter:
    """Return the routes of one app that read passports."""
    router = APIRouter(tags=["passports"], default_response_class=Response)
    offered = data_formats()
    documents = {
        200: {"description": "The passport", "content": contents(offered)},
        **NOT_MODIFIED,
        **READS,
    }

    @router.get(
        "/v1/dpps",
        summary="The passports that the caller may see",
        response_class=JSONResponse,
        response_model=PassportsBody,
        responses=LISTS,
    )
    def listed(request: Request, limit: Limit = PER_PAGE, cursor: Cursor = "") -> Response:
        """In a stable order; what is written meanwhile may or may not be among them."""
        entries, more = site.catalogue.part(caller_of(request).audience, cursor, limit)
        root = request.scope.get("root_path", "")
        items = [_line(entry, root) for entry in entries]
        return _json(PassportsBody(items=items, next=entries[-1].record if more else None))

    @router.get(
        "/v1/dppsByIdAndDate/{dpp:path}",
        summary="A passport as it stood on a date",
        responses=documents,
        openapi_extra=UNLESS_KNOWN,
    )
    async def by_date(request: Request, dpp: Name, date: DateGiven, format: FormatName = None) -> Response:
        """What was published by then."""
        return await _document(site, request, dpp, _wanted(None, date, None), format)

    @router.get(
        "/v1/dppsByProductIdAndDate/{product:path}",
        summary="The passport of a battery as it stood on a date",
        responses=documents,
        openapi_extra=UNLESS_KNOWN,
    )
    async def by_product_and_date(
        request: Request, product: ProductName, date: DateGiven, format: FormatName = None
    ) -> Response:
        """What was published by then."""
        return await _document(site, request, product, _wanted(None, date, None), format)

    @router.get(
        "/v1/dppsByProductId/{product:path}",
        summary="The passport of a battery",
        responses=documents,
        openapi_extra=UNLESS_KNOWN,
    )
    async def by_product(request: Request, product: ProductName, format: FormatName = None) -> Response:
        """By the identifier that its maker gave it."""
        return await _document(site, request, product, _wanted(None, None, None), format)

    @router.get(
        "/v1/dpps/{dpp:path}/versions",
        summary="The versions of a passport",
        response_class=JSONResponse,
        response_model=VersionsBody,
        responses=LOOKS,
    )
    def versions(request: Request, dpp: Name) -> Response:
        """Those that changed something of what the caller may see."""
        audience = caller_of(request).audience
        entries = site.reading.versions(dpp, audience)
        root = request.scope.get("root_path", "")
        items = [_version(site, entry, audience, root) for entry in entries]
        return _json(VersionsBody(id=short(entries[0].record), items=items))

    @router.get(
        "/v1/dpps/{dpp:path}/versions/{number}",
        summary="What is known of one version",
        response_class=JSONResponse,
        response_model=VersionBody,
        responses=LOOKS,
    )
    def version(request: Request, dpp: Name, number: Number) -> Response:
        """When it came about and, for its owner, who did it and why."""
        audience = caller_of(request).audience
        found = site.reading.entry(dpp, audience, Wanted(version=number))
        return _json(_version(site, found, audience, request.scope.get("root_path", "")))

    @router.get(
        "/v1/dpps/{dpp:path}/versions/{number}/report",
        summary="The validation report of a version, for its owner",
        responses={
            200: {
                "description": "The report",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **LOOKS,
        },
    )
    def report(request: Request, dpp: Name, number: Number) -> Response:
        """As it was made when the version was written."""
        entry = _of_the_owner(site, request, dpp, number)
        return _kept(dpp, lambda: site.home.report(entry.record, number), "application/json")

    @router.get(
        "/v1/dpps/{dpp:path}/versions/{number}/document",
        summary="The document that a version came from, for its owner",
        responses={
            200: {
                "description": "The document, byte for byte",
                "content": {**contents(offered), _UNKNOWN: {"schema": {"type": "string"}}},
            },
            **LOOKS,
        },
    )
    def document(request: Request, dpp: Name, number: Number) -> Response:
        """Byte for byte as it came in."""
        entry = _of_the_owner(site, request, dpp, number)
        types = {one.name: one.media_type for one in offered}
        media_type = types.get(entry.format, _UNKNOWN)
        return _kept(dpp, lambda: site.home.original(entry.record, number), media_type)

    @router.get(
        "/v1/dpps/{dpp:path}",
        summary="A passport, as much of it as the caller may see",
        responses=documents,
        openapi_extra=UNLESS_KNOWN,
    )
    async def read(
        request: Request,
        dpp: Name,
        format: FormatName = None,
        version: VersionAsked = None,
        date: DateAsked = None,
        stage: StageName | None = None,
    ) -> Response:
        """In the format that `Accept` or `format` asks for.

        Without `stage` it is what is published; for its owner the draft where nothing is published yet.
        """
        return await _document(site, request, dpp, _wanted(version, date, stage), format)

    return router


async def _document(site: Site, request: Request, name: str, wanted: Wanted, asked: str | None) -> Response:
    """Return a passport as data: from what was made before where it was, without parsing anything."""
    chosen = negotiation.choose(data_formats(), request.headers.get("accept"), asked)

    audience = (await site.caller(request)).audience
    if wanted is LATEST:
        request.state.repeatable = site.home.sequence
    entry = site.reading.known(name, audience) if wanted is LATEST else None
    if entry is None:
        entry = await anyio.to_thread.run_sync(site.reading.entry, name, audience, wanted)
    return await site.document(request, entry, audience, chosen)


def _wanted(version: int | None, date: str | None, stage: str | None) -> Wanted:
    """Return which state is asked for."""
    if version is None and date is None and stage is None:
        return LATEST
    if version is not None and date is not None:
        raise BadRequest("A version and a date are both given. Ask for one of them.")
    if stage == Stage.DRAFT and date is not None:
        raise BadRequest("A date finds what was published by then. Leave stage=draft out.")
    return Wanted(Stage(stage) if stage else None, version, moment(date) if date is not None else None)


def _of_the_owner(site: Site, request: Request, name: str, number: int) -> Entry:
    """Return a version whose report and document the caller may have; for all others nothing is there."""
    audience = caller_of(request).audience
    entry = site.reading.entry(name, audience, Wanted(version=number))
    if audience != OWNER:
        raise nothing_here(name)
    return entry


def _kept(name: str, read: Callable[[], bytes], media_type: str) -> Response:
    try:
        return Response(read(), media_type=media_type, headers={"Cache-Control": "private, no-cache"})
    except NotFound:
        raise nothing_here(name) from None


def _line(entry: Entry, root: str) -> PassportBody:
    identifier = short(entry.record)
    return PassportBody(
        id=identifier,
        record=entry.record,
        href=f"{root}/v1/dpps/{identifier}",
        stage=entry.stage,
        identifiers=list(entry.told.identifiers),
    )


def _version(site: Site, entry: Entry, audience: str, root: str) -> VersionBody:
    known: dict[str, Any] = {
        "version": entry.version,
        "stage": entry.stage,
        "time": entry.time.isoformat(timespec="microseconds"),
        "href": f"{root}/v1/dpps/{short(entry.record)}?version={entry.version}",
    }
    if audience == OWNER:
        known |= {
            "sequence": entry.sequence,
            "action": str(entry.action),
            "actor": entry.actor,
            "reason": entry.told.reason,
            "format": entry.format,
            "checked": entry.checked,
            "violations": site.home.violations(entry),
            "document": bool(entry.original),
        }
    return VersionBody(**known)


def _json(body: BaseModel) -> Response:
    return Response(
        body.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-cache"}
    )
