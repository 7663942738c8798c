"""Errors as problem+json (RFC 9457): the only table from error class to status.

    {"type": "https://w3id.org/battpass/problem#query-refused", "title": "Query refused", "status": 400,
     "detail": "line 1, column 9: ...", "next": "The query was not run ...", "request": "5f0c..."}

`detail` says what and where, `next` what to do, `request` names the line of the log. `line` and `column` are
members of their own where the error has a place, `findings` where the shapes found something.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from battpass.kg.errors import (
    Archived,
    BadDocument,
    BadQuery,
    BadShapes,
    BattPassError,
    Conflict,
    DeadlineExceeded,
    DocumentTooLarge,
    EngineFailed,
    HomeInUse,
    NotFound,
    NotWritable,
    Overdue,
    PoolBusy,
    ProcessLost,
    QueryFailed,
    QueryRefused,
    Rejected,
    StorageFull,
    UnknownFormat,
    UnknownTerm,
    UnknownUnit,
    Unpublishable,
)
from battpass.kg.errors import NotAcceptable as NoSuchAnswer
from battpass.kg.keys import masked
from battpass.services.api.callers import Forbidden, KeysUnusable, Unauthorized

MEDIA_TYPE = "application/problem+json"
TYPES = "https://w3id.org/battpass/problem#"

_PLACE = re.compile(r"line (\d+), column (\d+): ")


class BadRequest(BattPassError):
    """The request itself is not what the protocol asks for."""


class UpdateRefused(BadRequest):
    """An update came where only queries are answered."""


class NotAcceptable(BattPassError):
    """None of the representations that the caller accepts is on offer."""


class UnsupportedMediaType(BattPassError):
    """The body is of a type that is not read here."""


class BodyTooLarge(BattPassError):
    """The body is over the size that is read here."""


class BodyTooSlow(BattPassError):
    """The body did not arrive in time."""


class NoSuchPage(BattPassError):
    """There is no route under that path."""


class WrongMethod(BattPassError):
    """The path is there, and does not answer this method."""


class NotReady(BattPassError):
    """The server runs, and cannot answer yet or any more."""


class PreconditionRequired(BattPassError):
    """A write that would overwrite came without saying what it overwrites."""


class PreconditionFailed(Conflict):
    """What stands is not what the caller has read."""


class TooManyRequests(BattPassError):
    """One client has too much under way."""


class NotShownYet(BattPassError):
    """The dataset did not come to show a sequence number in time."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem: the slug of its type, its status and title, and what to do next."""

    slug: str
    status: int
    title: str
    next: str

    @property
    def type(self) -> str:
        return TYPES + self.slug


_LATER = "Try again in a moment; nothing was changed."

# The nearest class in the error's own line of ancestors counts, so a subclass has its parent's row until it
# is given one.
PROBLEMS: Mapping[type[Exception], Problem] = {
    BadRequest: Problem("bad-request", 400, "Bad request", "Send the request again as the detail says."),
    UpdateRefused: Problem(
        "update-refused",
        400,
        "Nothing is written here",
        "This address answers queries only. Passports are written at /v1/dpps; see /docs.",
    ),
    Unauthorized: Problem(
        "unauthorized",
        401,
        "Key needed",
        "Send a key as Authorization: Bearer bp_...; whoever runs this server makes one with "
        "`battpass key create`.",
    ),
    Forbidden: Problem(
        "forbidden",
        403,
        "Not allowed",
        "Ask whoever runs this server for a key with the right that is named.",
    ),
    NoSuchPage: Problem(
        "no-such-page", 404, "No such page", "See / for the passports and /docs for the routes."
    ),
    WrongMethod: Problem(
        "wrong-method", 405, "Method not allowed", "Use one of the methods that the Allow header names."
    ),
    NotAcceptable: Problem(
        "not-acceptable",
        406,
        "Not acceptable",
        "Name one of the types in the detail in the Accept header, or its short name in ?format=.",
    ),
    Archived: Problem(
        "archived",
        410,
        "Passport has ceased to exist",
        "Nothing can be done: its battery was recycled, and a passport ends with its battery (Art. 77(8)).",
    ),
    Conflict: Problem(
        "conflict",
        409,
        "Conflict with what stands",
        "Read what stands there, and decide again as the detail says.",
    ),
    PreconditionFailed: Problem(
        "precondition-failed",
        412,
        "Changed since it was read",
        "Read it again, make the change on what stands now, and send that with its ETag in If-Match.",
    ),
    PreconditionRequired: Problem(
        "precondition-required",
        428,
        "If-Match needed",
        "Read the passport and send the ETag of that answer as If-Match.",
    ),
    Unpublishable: Problem(
        "unpublishable",
        422,
        "Violations keep it from being published",
        "Mend what the findings name and send it again; or keep it as a draft with ?stage=draft.",
    ),
    Rejected: Problem(
        "rejected",
        422,
        "The policy keeps nothing with violations",
        "Mend what the findings name and send it again; nothing of it was kept.",
    ),
    TooManyRequests: Problem(
        "too-many-requests",
        429,
        "Too much at a time",
        "Wait until some of it has ended; nothing was changed.",
    ),
    BodyTooSlow: Problem("body-too-slow", 408, "Body came too slowly", "Send the request again, in one go."),
    BodyTooLarge: Problem(
        "body-too-large",
        413,
        "Body too large",
        "Send less, or raise BATTPASS_MAX_BODY_BYTES or BATTPASS_MAX_DOCUMENT_BYTES.",
    ),
    UnsupportedMediaType: Problem(
        "unsupported-media-type", 415, "Unsupported media type", "Send it as one of the types in the detail."
    ),
    QueryRefused: Problem(
        "query-refused",
        400,
        "Query refused",
        "The query was not run. Change it as the detail says and send it again.",
    ),
    NoSuchAnswer: Problem(
        "not-acceptable",
        406,
        "Not acceptable",
        "Name one of the types in the detail in the Accept header, or its short name in ?format=.",
    ),
    BadQuery: Problem("bad-query", 400, "Syntax error in the query", "Mend the query at the place named."),
    QueryFailed: Problem(
        "query-failed",
        503,
        "Query stopped",
        "The query was too much for one worker and was ended; the server goes on. Ask for less: fewer joins, "
        "a LIMIT, or one passport at a time.",
    ),
    DeadlineExceeded: Problem(
        "deadline-exceeded",
        504,
        "Query ran over its deadline",
        "Ask for less: fewer joins, a LIMIT, or one passport at a time. The same query would end alike.",
    ),
    PoolBusy: Problem("busy", 503, "All workers are busy", _LATER),
    ProcessLost: Problem("process-lost", 503, "A process was lost", _LATER),
    Overdue: Problem("overdue", 504, "Not done in time", _LATER),
    NotFound: Problem(
        "not-found", 404, "Not found", "Check the identifier; / lists the passports that are kept here."
    ),
    BadDocument: Problem(
        "bad-document", 400, "Document cannot be read", "Mend the document as the detail says."
    ),
    DocumentTooLarge: Problem("document-too-large", 413, "Document too large", "Send it in smaller parts."),
    BadShapes: Problem("bad-shapes", 400, "Shapes cannot be used", "Mend the shapes as the detail says."),
    EngineFailed: Problem(
        "validation-failed",
        422,
        "Validation came to no end",
        "See what the shapes mean by it, and mend shapes or data; nothing is known of the data.",
    ),
    UnknownFormat: Problem("unknown-format", 400, "Unknown format", "Use one of the formats in the detail."),
    UnknownTerm: Problem("unknown-term", 400, "Unknown term", "Look the term up with `battpass terms TEXT`."),
    UnknownUnit: Problem("unknown-unit", 400, "Unknown unit", "Use a unit that the detail names."),
    NotReady: Problem("not-ready", 503, "Not ready", _LATER),
    KeysUnusable: Problem(
        "keys-unusable",
        503,
        "Keys cannot be checked",
        "Tell the operator the request number. What is public can be read without a key.",
    ),
    NotShownYet: Problem(
        "not-shown-yet",
        504,
        "Not shown in time",
        "Ask again in a moment with the same Min-Sequence, or without it for what is shown now.",
    ),
    NotWritable: Problem(
        "not-writable", 503, "Nothing can be written now", "Send it again in a moment; reading goes on."
    ),
    StorageFull: Problem(
        "storage-full",
        507,
        "The disk is full",
        "Nothing was changed, and reading goes on. Tell the operator; send it again once there is room.",
    ),
    HomeInUse: Problem("home-in-use", 503, "Home folder is in use", _LATER),
    BattPassError: Problem(
        "internal", 500, "The server failed", "Tell the operator the request number; nothing was changed."
    ),
}
UNEXPECTED = PROBLEMS[BattPassError]

# Waiting helps with these, so they say for how long.
RETRY_AFTER = {
    "busy": "2",
    "process-lost": "2",
    "not-ready": "5",
    "home-in-use": "5",
    "too-many-requests": "1",
    "not-writable": "5",
    "not-shown-yet": "2",
}


def problem_of(error: Exception) -> Problem:
    """Return the kind of problem that an error is.

    >>> problem_of(DeadlineExceeded("...")).status
    504
    """
    for kind in type(error).__mro__:
        found = PROBLEMS.get(kind) if issubclass(kind, Exception) else None
        if found is not None:
            return found
    return UNEXPECTED


def detail_of(error: Exception) -> str:
    """Return what may be told of an error: our own messages, and never those about the inside.

    A message may quote what was sent, and a key may have been sent in the wrong place.
    """
    if not isinstance(error, BattPassError):
        return "Something went wrong that was not foreseen."
    if problem_of(error) is UNEXPECTED:
        return "Something is wrong with the server or what it keeps; its log says what."
    return masked(str(error))


def reason_of(error: Exception) -> str:
    """Return what the log says of an error that is the server's, empty where it is the caller's."""
    return f"{type(error).__name__}: {error}" if problem_of(error).status >= 500 else ""


def place_of(error: Exception) -> dict[str, int]:
    """Return line and column where an error names its place."""
    found = _PLACE.match(str(error))
    return {"line": int(found[1]), "column": int(found[2])} if found else {}


def shown_in(request: Request) -> dict[str, str]:
    """Return the header that says up to which entry of the journal the answer to a query knows."""
    shown = getattr(request.state, "shown", -1)
    return {"Sequence": str(shown)} if shown >= 0 else {}


@dataclass(frozen=True, slots=True)
class Told:
    """An error as a page tells it; pages may have words of their own for its slug."""

    slug: str
    status: int
    title: str
    detail: str
    next: str


def told(error: Exception) -> Told:
    """Return an error as a page tells it."""
    problem = problem_of(error)
    return Told(problem.slug, problem.status, problem.title, detail_of(error), problem.next)


def headers_of(error: Exception) -> dict[str, str]:
    """Return the headers that go with an error, on a page as in problem+json."""
    problem = problem_of(error)
    found = {"Cache-Control": "no-store"}
    if retry := RETRY_AFTER.get(problem.slug):
        found["Retry-After"] = retry
    return found | dict(getattr(error, "headers", {}))


def findings_of(error: Exception) -> dict[str, Any]:
    """Return the findings of a report that keeps a passport from being published."""
    if not isinstance(error, Unpublishable) or not error.report:
        return {}
    return {"findings": json.loads(error.report)["findings"]}


def response(error: Exception, request_id: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an error as problem+json."""
    problem = problem_of(error)
    content: dict[str, object] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": detail_of(error),
        "next": problem.next,
        "request": request_id,
        **place_of(error),
        **findings_of(error),
    }
    return JSONResponse(content, problem.status, {**headers_of(error), **(headers or {})}, MEDIA_TYPE)
