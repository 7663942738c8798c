"""`POST /validate`: is a passport right by our shapes, or any RDF by the caller's? Nothing of it is kept.

What comes is read in a sealed process. The answer depends on the request alone, never on what is kept here.
"""

import json
from datetime import date
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from battpass.kg.validation.reports.data import DataReport
from battpass.kg.validation.reports.forms import MEDIA_TYPES, Told, written
from battpass.kg.validation.reports.graphs import SYNTAXES
from battpass.kg.validation.reports.pages import POLICY
from battpass.kg.validation.reports.passports import PassportReport
from battpass.services.api import negotiation
from battpass.services.api.bodies import DataReportBody, ReportBody, problems
from battpass.services.api.multipart import MULTIPART, Part, media_type, read_parts
from battpass.services.api.negotiation import Representation
from battpass.services.api.parameters import contents, data_formats
from battpass.services.api.problems import BadRequest, UnsupportedMediaType
from battpass.services.api.protocol import read_body
from battpass.services.api.site import Site
from battpass.services.api.writing import PLACE_SECONDS
from battpass.services.exchange import foreign
from battpass.services.exchange.checking import Checked, Checker

# A body or part without a type, or of the type that programs give to any: its format is found out.
_UNSAID = ("", "application/octet-stream", "application/x-www-form-urlencoded", "text/plain")
_PARTS = ("data", "shapes")
# Room for the headers of parts, beside what they hold.
_HEADERS = 16_384
_THREADS = 64
_HINT = "To check it by shapes of its own, send multipart/form-data with the parts data and shapes."
_FORMS = tuple(
    Representation(name, name, kind, f"The report as {name}") for name, kind in MEDIA_TYPES.items()
)

OnAsked = Annotated[
    date | None,
    Query(
        description="day that duties and dates are held against; today if left out", examples=["2027-02-18"]
    ),
]
FormAsked = Annotated[
    str | None,
    Query(max_length=100, description="short name of a form of the report; wins over the header"),
]
LangAsked = Annotated[str | None, Query(max_length=20, description="language of text and page: en or de")]

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report, whatever was found",
        "model": ReportBody | DataReportBody,
        "content": {
            kind: {"schema": {"type": "string"}}
            for kind in MEDIA_TYPES.values()
            if kind != "application/json"
        },
    },
    **problems(
        *("bad-request", "bad-document", "unknown-format", "bad-shapes", "unauthorized", "not-acceptable"),
        *("body-too-slow", "body-too-large", "document-too-large", "unsupported-media-type"),
        *("validation-failed", "too-many-requests", "busy", "process-lost", "keys-unusable", "overdue"),
    ),
}


def checking_router(site: Site) -> APIRouter:
    """Return the route `/validate` of one app."""
    router = APIRouter(tags=["validation"])
    threads = anyio.CapacityLimiter(_THREADS)

    @router.post(
        "/validate",
        summary="Validate a passport, or any RDF by shapes of its own",
        response_class=Response,
        responses=_ANSWERS,
        openapi_extra={"requestBody": _body()},
    )
    async def validate(
        request: Request, on: OnAsked = None, format: FormAsked = None, lang: LangAsked = None
    ) -> Response:
        """The body is a passport in any format that is read here, checked by the shapes of this server.

        Or it has two parts, `data` and `shapes`: any RDF, checked by these shapes. Nothing is kept.
        """
        client = await site.client(request)
        chosen = negotiation.choose(_FORMS, request.headers.get("accept"), format)
        data, shapes = await _parts(site, request)
        if shapes is not None and on is not None:
            raise BadRequest("Shapes of your own know no day. Leave ?on= out, or put the day into the data.")
        language = negotiation.language(lang, request.headers.get("accept-language"))

        def run() -> bytes:
            return _report(site.checker, data, shapes, on, chosen.name, language)

        with await site.validating.take(client.name, PLACE_SECONDS):
            body = await anyio.to_thread.run_sync(run, limiter=threads)
        return Response(body, headers=_headers(chosen, language), media_type=chosen.content_type)

    return router


async def _parts(site: Site, request: Request) -> tuple[Part, Part | None]:
    """Return the data of a request, and the shapes where it has some."""
    header = request.headers.get("content-type", "")
    kind = media_type(header)
    most = site.settings.max_document_bytes
    if kind != MULTIPART:
        _known(kind, "A document", also=tuple(one.media_type for one in data_formats()))
        body = await read_body(request, most)
        return _with_content(Part(body, "" if kind in _UNSAID else kind), "The body"), None
    parts = read_parts(header, await read_body(request, 2 * most + _HEADERS), _PARTS)
    if "data" not in parts:
        raise BadRequest("There is no part `data`. Send what is to be validated under that name.")
    for name, part in parts.items():
        also = tuple(one.media_type for one in data_formats()) if name == "data" else ()
        _known(part.media_type, f"A part `{name}`", also)
    found = {
        name: _with_content(
            Part(part.content, "" if part.media_type in _UNSAID else part.media_type), f"The part `{name}`"
        )
        for name, part in parts.items()
    }
    return found["data"], found.get("shapes")


def _known(kind: str, what: str, also: tuple[str, ...] = ()) -> None:
    known = {*foreign.MEDIA_TYPES, *also}
    if kind not in known and kind not in _UNSAID:
        raise UnsupportedMediaType(
            f"{what} of type {kind[:100]!r} is not read here. Known: {', '.join(sorted(known))}."
        )


def _with_content(part: Part, what: str) -> Part:
    if not part.content.strip():
        raise BadRequest(f"{what} is empty. Send what is to be validated in it.")
    return part


def _report(
    checker: Checker, data: Part, shapes: Part | None, on: date | None, form: str, language: str
) -> bytes:
    """Return the report on data by the shapes that came with it, or on a passport by ours, in a form."""
    is_graph = form in SYNTAXES
    checked: Checked[PassportReport] | Checked[DataReport]
    if shapes is None:
        checked = checker.passport(
            data.content, media_type=data.media_type, on=on, hint=_HINT, graph=is_graph
        )
    else:
        types = (data.media_type, shapes.media_type)
        checked = checker.data(data.content, shapes.content, types=types, graph=is_graph)
    if form == "json":
        return json.dumps(checked.report.content(), ensure_ascii=True).encode()
    return written(form, [Told("", checked.report, checked.graph)], language)


def _headers(chosen: Representation, language: str) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}
    if chosen.name in ("html", "text"):
        headers["Content-Language"] = language
    if chosen.name == "html":
        # The page brings its own style, and may be kept as a file.
        headers["Content-Security-Policy"] = POLICY
    return headers


def _body() -> dict[str, Any]:
    """Return what OpenAPI is told of the body."""
    text: dict[str, Any] = {"schema": {"type": "string"}}
    of_part = {"type": "string", "format": "binary"}
    schema = {"type": "object", "required": ["data"], "properties": {name: of_part for name in _PARTS}}
    return {
        "required": True,
        "content": {
            **{kind: text for kind in foreign.MEDIA_TYPES},
            **contents(data_formats()),
            MULTIPART: {"schema": schema},
        },
    }
