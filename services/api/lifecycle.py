"""Writing passports over HTTP, after EN 18222: create, replace, change, publish, end, erase.

Here stands what a route takes and gives; the rules are those of `writing.py`.
"""

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from battpass.kg.journal.entry import Stage
from battpass.services.api.bodies import ReasonBody
from battpass.services.api.parameters import (
    CHANGES,
    CREATES,
    DELETES,
    ENDS,
    ERASES,
    MAY_MATCH,
    MERGE_PATCH,
    PATCH_BODY,
    PUBLISHES,
    REASON_BODY,
    Checked,
    FormatName,
    Name,
    PolicyAsked,
    Reason,
    StageAsked,
    StageName,
    data_formats,
    document_body,
    wrote,
)
from battpass.services.api.preconditions import entity_tag
from battpass.services.api.problems import BadRequest, UnsupportedMediaType
from battpass.services.api.protocol import read_body
from battpass.services.api.reading import short
from battpass.services.api.site import Site
from battpass.services.api.writing import Client, Done, Terms
from battpass.services.exchange.registry import format_named

# A body without a type, or of the type that curl gives to any body: its format is found out.
_UNSAID = ("", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain")


def lifecycle_router(site: Site) -> APIRouter:
    """Return the routes of one app that write passports."""
    router = APIRouter(tags=["passports"], default_response_class=Response)
    most = site.settings.max_document_bytes

    @router.post(
        "/v1/dpps",
        summary="Keep a document as a new passport",
        status_code=201,
        responses={
            **CREATES,
            **wrote(201, "Kept"),
            **wrote(200, "It stood there already; if as a draft, it may be published now"),
        },
        openapi_extra=document_body(),
    )
    async def create(
        request: Request,
        stage: StageAsked = "draft",
        format: FormatName = None,
        check: Checked = True,
        policy: PolicyAsked = None,
    ) -> Response:
        """The document is of any format that is read here: named by `format` or `Content-Type`, or found out.

        The same once more changes nothing. Another document under the same identifier is a conflict.
        """
        client = await _writer(site, request, *_rights(stage))
        terms = Terms(Stage(stage), _format_of(request, format), check, policy=policy)
        done = await site.writing.create(client, await read_body(request, most), terms, "HTTP")
        return _told(request, done, 201 if done.written.outcome == "added" else 200)

    @router.put(
        "/v1/dpps/{dpp:path}",
        summary="Put a whole document in the place of what stands",
        responses={**CHANGES, **wrote(200, "Kept as a new version, or it stood there already")},
        openapi_extra=document_body(matching=True),
    )
    async def replace(
        request: Request,
        dpp: Name,
        stage: StageAsked = "draft",
        format: FormatName = None,
        check: Checked = True,
        policy: PolicyAsked = None,
    ) -> Response:
        """`If-Match` names what stands: the draft where there is one, else what is published."""
        client = await _writer(site, request, *_rights(stage))
        match = request.headers.get("if-match")
        terms = Terms(Stage(stage), _format_of(request, format), check, match, policy)
        return _told(request, await site.writing.replace(client, dpp, await read_body(request, most), terms))

    @router.patch(
        "/v1/dpps/{dpp:path}",
        summary="Change members of a passport",
        responses={**CHANGES, **wrote(200, "Kept as a new version, or it stood there already")},
        openapi_extra=PATCH_BODY,
    )
    async def change(
        request: Request,
        dpp: Name,
        stage: StageName | None = None,
        format: FormatName = None,
        check: Checked = True,
        policy: PolicyAsked = None,
    ) -> Response:
        """A JSON merge patch (RFC 7396) over the JSON of the passport in `format`; null takes a member away.

        It applies to the draft where there is one; else it makes a new published version or, with
        `stage=draft`, opens a draft.
        """
        client = await _writer(site, request, *_rights(stage))
        if _media_type(request) != MERGE_PATCH:
            raise UnsupportedMediaType(f"A change comes as {MERGE_PATCH}; a whole document is sent with PUT.")
        known = format_named(format or data_formats()[0].name).name
        match = request.headers.get("if-match")
        terms = Terms(Stage(stage) if stage else None, known, check, match, policy)
        return _told(request, await site.writing.change(client, dpp, await read_body(request, most), terms))

    @router.post(
        "/v1/dpps/{dpp:path}/publish",
        summary="Publish the draft",
        responses={**PUBLISHES, **wrote(200, "Published, now or before")},
        openapi_extra={**REASON_BODY, **MAY_MATCH},
    )
    async def publish(request: Request, dpp: Name, policy: PolicyAsked = None) -> Response:
        """It is checked as of today first; with violations `record` alone publishes it.

        `If-Match` may say which draft.
        """
        client = await _writer(site, request, "publish")
        reason, match = await _reason(request, most), request.headers.get("if-match")
        return _told(request, await site.writing.publish(client, dpp, reason, match, policy))

    @router.post(
        "/v1/dpps/{dpp:path}/archive",
        summary="End a passport after recycling",
        responses={**ENDS, **wrote(200, "It has ceased to exist")},
        openapi_extra={**REASON_BODY, **MAY_MATCH},
    )
    async def archive(request: Request, dpp: Name) -> Response:
        """From then on whoever could read it gets 410. `If-Match` may say what is ended."""
        client = await _writer(site, request, "archive")
        reason, match = await _reason(request, most), request.headers.get("if-match")
        return _told(request, await site.writing.archive(client, dpp, reason, match))

    @router.delete(
        "/v1/dpps/{dpp:path}",
        summary="End a passport after recycling",
        responses={**DELETES, **wrote(200, "It has ceased to exist")},
        openapi_extra=MAY_MATCH,
    )
    async def delete(request: Request, dpp: Name, reason: Reason = "") -> Response:
        """The same as `POST .../archive`: its history stays in the journal until it is erased."""
        client = await _writer(site, request, "archive")
        match = request.headers.get("if-match")
        return _told(request, await site.writing.archive(client, dpp, reason, match))

    @router.post(
        "/v1/dpps/{dpp:path}/erase",
        summary="Take away the texts of a passport that has ceased to exist",
        responses={**ERASES, **wrote(200, "Its texts are gone")},
        openapi_extra=REASON_BODY,
    )
    async def erase(request: Request, dpp: Name) -> Response:
        """Graphs, documents and reports go for good. Entries and hashes stay, so the chain still holds."""
        client = await _writer(site, request, "admin")
        return _told(request, await site.writing.erase(client, dpp, await _reason(request, most)))

    return router


async def _writer(site: Site, request: Request, *rights: str) -> Client:
    """Return who writes, if the rights are there; before that nothing of body or passport is read."""
    client = await site.client(request)
    for right in rights:
        client.caller.require(right)
    return client


def _rights(stage: str | None) -> tuple[str, ...]:
    """Return the rights that a write into a stage needs, as far as the request says which."""
    return ("write", "publish") if stage == Stage.PUBLISHED else ("write",)


def _told(request: Request, done: Done, status: int = 200) -> Response:
    """Return the answer to a write."""
    request.state.sequence = done.written.sequence
    headers = {"Sequence": str(done.written.sequence), "Cache-Control": "no-store"}
    if done.tag:
        address = f"{request.scope.get('root_path', '')}/v1/dpps/{short(done.written.record)}"
        headers["ETag"] = entity_tag(done.tag, data_formats()[0].name)
        if status == 201:
            headers["Location"] = address
        else:  # where what the ETag names can be read
            draft = "?stage=draft" if done.written.stage is Stage.DRAFT else ""
            headers["Content-Location"] = address + draft
    return Response(done.body().model_dump_json(), status, headers, "application/json")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _format_of(request: Request, asked: str | None) -> str:
    """Return the name of the format that a document comes in, empty where it is to be found out.

    Raises
    ------
    UnknownFormat
        If the one that is named is none.
    UnsupportedMediaType
        If no format has the type of the body.
    """
    if asked:
        return format_named(asked).name
    media_type = _media_type(request)
    if media_type in _UNSAID:
        return ""
    of_type = [one for one in data_formats() if one.media_type == media_type]
    if not of_type:
        known = ", ".join(sorted({one.media_type for one in data_formats()}))
        raise UnsupportedMediaType(
            f"A document of type {media_type[:100]!r} is not read here. Known: {known}."
        )
    return of_type[0].name if len(of_type) == 1 else ""


async def _reason(request: Request, most_bytes: int) -> str:
    """Return the reason in a body, empty where there is none."""
    body = await read_body(request, most_bytes)
    if not body.strip():
        return ""
    try:
        return ReasonBody.model_validate_json(body).reason
    except ValidationError as error:
        raise BadRequest(f'The body is not {{"reason": "..."}}: {error.errors()[0]["msg"]}.') from None
