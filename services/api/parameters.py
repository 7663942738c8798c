"""What the routes of `/v1` take and give: parameters, bodies and headers, in words that OpenAPI shows."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import Path, Query

from battpass.kg.policy import Policy
from battpass.services.api.bodies import MoveBody, MovedBody, ReasonBody, WrittenBody, problems
from battpass.services.api.negotiation import Representation
from battpass.services.exchange.registry import formats

MERGE_PATCH = "application/merge-patch+json"
PER_PAGE, MOST_PER_PAGE = 50, 500

_LONGEST_REASON = 1_000

StageName = Literal["draft", "published"]
Name = Annotated[
    str,
    Path(
        description="UUID or IRI (percent-encoded) of the passport, or an identifier of its battery",
        examples=["0bd91ad9-e0f0-4bcf-984e-eee4fe00a5d3"],
    ),
]
ProductName = Annotated[
    str,
    Path(
        description="identifier of the battery, percent-encoded",
        examples=["https://id.exemplar-cells.example/b/EP6-EV-5731-2206-020933"],
    ),
]
ModelName = Annotated[
    str,
    Path(description="digest of the model record", examples=["5c1f0a6f7d3e4b2a9c8d7e6f5a4b3c2d"]),
]
Number = Annotated[int, Path(ge=1, le=2**53, description="number of the version", examples=[1])]
FormatName = Annotated[
    str | None,
    Query(max_length=100, description="short name of a format; wins over the header", examples=["json-ld"]),
]
StageAsked = Annotated[StageName, Query(description="a draft is its owner's alone")]
DateAsked = Annotated[
    str | None,
    Query(max_length=60, description="RFC 3339; a day alone means its end, UTC", examples=["2026-11-21"]),
]
DateGiven = Annotated[
    str,
    Query(max_length=60, description="RFC 3339; a day alone means its end, UTC", examples=["2026-11-21"]),
]
VersionAsked = Annotated[int | None, Query(ge=1, le=2**53, description="number of a version")]
Checked = Annotated[bool, Query(description="run the shapes; false only for drafts")]
PolicyAsked = Annotated[
    Policy | None,
    Query(
        description="what becomes of violations: `reject` keeps nothing, `quarantine` keeps a draft, "
        "`record` publishes all the same; not laxer than the server is set to"
    ),
]
Reason = Annotated[str, Query(max_length=_LONGEST_REASON, description="why; it stands in the journal")]
Limit = Annotated[int, Query(ge=1, le=MOST_PER_PAGE, description="passports in the answer, at most")]
Cursor = Annotated[str, Query(max_length=200, description="`next` of the part before")]

_READS = ("bad-request", "unauthorized", "not-found", "archived", "keys-unusable")
READS = problems(*_READS, "not-acceptable")
LOOKS = problems(*_READS)
LISTS = problems("bad-request", "unauthorized", "keys-unusable")
_REFUSALS = (
    "unauthorized",
    "forbidden",
    "too-many-requests",
    "busy",
    "process-lost",
    "overdue",
    "not-writable",
    "storage-full",
    "keys-unusable",
)
_BODIES = ("body-too-slow", "body-too-large")
_DOCUMENTS = (
    "bad-request",
    "bad-document",
    "unknown-format",
    *_BODIES,
    "document-too-large",
    "unsupported-media-type",
    "unpublishable",
    "rejected",
)
CREATES = problems(*_DOCUMENTS, "conflict", "archived", *_REFUSALS)
CHANGES = problems(
    *_DOCUMENTS,
    "conflict",
    "not-found",
    "archived",
    "precondition-failed",
    "precondition-required",
    *_REFUSALS,
)
_ENDS = ("bad-request", "conflict", "not-found", "archived", "precondition-failed", *_REFUSALS)
PUBLISHES = problems("unpublishable", *_BODIES, *_ENDS)
ENDS = problems(*_BODIES, *_ENDS)
DELETES = problems(*_ENDS)
ERASES = problems("bad-request", *_BODIES, "conflict", "not-found", *_REFUSALS)

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The caller has it already (If-None-Match)"}
}

_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
    "description": "ETag of what was read, in any format, or * for whatever stands",
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "ETag of what the caller has already",
}
UNLESS_KNOWN: dict[str, Any] = {"parameters": [_IF_NONE_MATCH]}
MAY_MATCH: dict[str, Any] = {"parameters": [{**_IF_MATCH, "required": False}]}
_HEADERS = {
    "ETag": {"schema": {"type": "string"}, "description": "of the passport in its default format"},
    "Location": {"schema": {"type": "string"}, "description": "address of the passport, where it is new"},
    "Content-Location": {"schema": {"type": "string"}, "description": "address of what the ETag names"},
    "Sequence": {"schema": {"type": "integer"}, "description": "number of the write in the journal"},
}
MODELS_READ: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The model record",
        "content": {
            one: {"schema": {"type": "string"}}
            for one in ("application/ld+json", "text/turtle", "application/n-quads")
        },
    },
    **NOT_MODIFIED,
    **problems("unauthorized", "not-found", "not-acceptable", "keys-unusable"),
}
MOVES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "All are moved",
        "model": MovedBody,
        "headers": {"Sequence": _HEADERS["Sequence"]},
    },
    **problems("bad-request", *_BODIES, "not-found", "conflict", "unpublishable", "rejected", *_REFUSALS),
}
REASON_BODY: dict[str, Any] = {
    "requestBody": {
        "required": False,
        "content": {"application/json": {"schema": ReasonBody.model_json_schema()}},
    }
}
PATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            MERGE_PATCH: {
                "schema": {"type": "object"},
                "example": {"performance": {"dynamic": {"stateOfCharge": {"value": 71.5}}}},
            }
        },
    },
    "parameters": [_IF_MATCH],
}


def move_body() -> dict[str, Any]:
    """Return what OpenAPI is told of the order to move items."""
    schema = MoveBody.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def data_formats() -> tuple[Representation, ...]:
    """Return the formats that a passport is handed out in as data; the first is the default."""
    return tuple(
        Representation(one.name, one.suffix.lstrip("."), one.media_type, one.title) for one in formats()
    )


def wrote(status: int, description: str) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI is told of the answer to a write."""
    return {status: {"description": description, "model": WrittenBody, "headers": _HEADERS}}


def document_body(*, matching: bool = False) -> dict[str, Any]:
    """Return what OpenAPI is told of a document in the body; `matching` asks for If-Match."""
    found: dict[str, Any] = {"requestBody": {"required": True, "content": contents(data_formats())}}
    return {**found, "parameters": [_IF_MATCH]} if matching else found


def contents(offered: Iterable[Representation]) -> dict[str, Any]:
    """Return the media types of formats, as OpenAPI has them."""
    schemas = {"application/json": {"type": "object"}, "application/ld+json": {"type": "object"}}
    return {one.media_type: {"schema": schemas.get(one.media_type, {"type": "string"})} for one in offered}
