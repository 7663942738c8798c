"""`/v1/models`: model records, which items share, and moving items to a corrected one."""

import anyio.to_thread
from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from battpass.services.api import negotiation
from battpass.services.api.bodies import MoveBody, MovedBody, MovedItemBody
from battpass.services.api.callers import caller_of
from battpass.services.api.moving import SYNTAXES
from battpass.services.api.parameters import (
    MODELS_READ,
    MOVES,
    UNLESS_KNOWN,
    FormatName,
    ModelName,
    data_formats,
    move_body,
)
from battpass.services.api.preconditions import unchanged
from battpass.services.api.problems import BadRequest
from battpass.services.api.protocol import read_body
from battpass.services.api.reading import short
from battpass.services.api.site import Site


def models_router(site: Site) -> APIRouter:
    """Return the routes of one app that are about model records."""
    router = APIRouter(tags=["models"], default_response_class=Response)
    named = {one.name: one for one in data_formats()}
    offered = tuple(named[name] for name in SYNTAXES)

    @router.get(
        "/v1/models/{digest}", summary="A model record", responses=MODELS_READ, openapi_extra=UNLESS_KNOWN
    )
    async def model(request: Request, digest: ModelName, format: FormatName = None) -> Response:
        """As much of it as the caller may see, if a passport that the caller sees points to it."""
        chosen = negotiation.choose(offered, request.headers.get("accept"), format)

        def made() -> tuple[str, bytes]:
            return site.moving.document(digest, caller_of(request).audience, chosen.name)

        tag, body = await anyio.to_thread.run_sync(made)
        headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache"}
        if unchanged(request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=chosen.content_type)

    @router.post(
        "/v1/models/{digest}/moves",
        summary="Move items to a corrected model record",
        responses=MOVES,
        openapi_extra=move_body(),
    )
    async def move(request: Request, digest: ModelName) -> Response:
        """Each item becomes a new version that was checked; all of them, or none.

        The items of one move stand in one stage. One with an open draft is moved there.
        """
        client = await site.client(request)
        client.caller.require("write")
        body = await read_body(request, site.settings.max_document_bytes)
        try:
            order = MoveBody.model_validate_json(body)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise BadRequest(
                f"The body does not say what to move ({place}: {first['msg']}). Send "
                '{"to": DIGEST, "items": [ID, ...] or "all", "reason": "..."}.'
            ) from None
        iri, written = await site.moving.move(client, digest, order)
        last = max(one.sequence for one in written)
        request.state.sequence = last
        moved = MovedBody(
            model=iri,
            items=[
                MovedItemBody(
                    id=short(one.record),
                    record=one.record,
                    version=one.version,
                    sequence=one.sequence,
                    stage=one.stage,
                    outcome=one.outcome,
                )
                for one in written
            ],
        )
        headers = {"Sequence": str(last), "Cache-Control": "no-store"}
        return Response(moved.model_dump_json(), 200, headers, "application/json")

    return router
