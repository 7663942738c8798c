"""One SPARQL Protocol request read: GET, POST as a form, POST of the query itself; nothing runs here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import anyio
from starlette.requests import ClientDisconnect, Request

from battpass.services.api.problems import (
    BadRequest,
    BodyTooLarge,
    BodyTooSlow,
    UnsupportedMediaType,
    UpdateRefused,
)

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"

_BODY_SECONDS = 30.0
_MOST_PARAMETERS = 300
_UPDATE_WORDS = re.compile(
    r"(?:\s|\#[^\r\n]*|(?:base|prefix)\b[^<>]*<[^<>\s]*>)*+"
    r"(?P<word>insert|delete|load|clear|create|drop|copy|move|add|with)\b",
    re.IGNORECASE,
)

Parameters = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as it was asked; `query` is None where a GET has none, which may ask for the page."""

    query: str | None
    default_graphs: tuple[str, ...] = ()
    named_graphs: tuple[str, ...] = ()
    format: str | None = None


async def read(request: Request, most_bytes: int) -> Asked:
    """Return what a request to a query endpoint asks.

    Raises
    ------
    BadRequest
        If the query is missing, given twice, or not UTF-8; as `UpdateRefused` for an update.
    UnsupportedMediaType, BodyTooLarge, BodyTooSlow
    """
    url = parameters(request.scope["query_string"])
    if request.method != "POST":
        return _asked(url) if url.keys() & {"query", "update"} else Asked(None)
    media_type, _, rest = request.headers.get("content-type", "").partition(";")
    media_type = media_type.strip().lower()
    charset = re.search(r"charset\s*=\s*\"?([\w-]+)", rest, re.IGNORECASE)
    if media_type == UPDATE:
        raise UpdateRefused("An update was sent, and only queries are answered here.")
    if media_type not in (FORM, QUERY):
        raise UnsupportedMediaType(
            f"A body of type {media_type[:100] or '(none)'} is not read here. Send a query as "
            f"{QUERY}, or as a form ({FORM})."
        )
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f"The body is in {charset[1][:40]}. Send it in UTF-8.")
    body = await read_body(request, most_bytes)
    if media_type == FORM:
        form = parameters(body)
        return _asked({name: url.get(name, []) + form.get(name, []) for name in {*url, *form}})
    if "query" in url:
        raise BadRequest("There is a query in the address and another in the body. Send one of them.")
    return _asked({**url, "query": [_text(body)]})


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Return the body of a request, of which no more than `most_bytes` are ever held."""
    too_large = BodyTooLarge(f"The body has more than {most_bytes:,} bytes.")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length[:20]) > most_bytes:
        raise too_large
    body = bytearray()
    try:
        with anyio.fail_after(_BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > most_bytes:
                    raise too_large
    except TimeoutError:
        raise BodyTooSlow(f"The body was not complete after {_BODY_SECONDS:g} s.") from None
    except ClientDisconnect:
        raise BadRequest("The connection ended before the body was complete.") from None
    return bytes(body)


def parameters(encoded: bytes) -> Parameters:
    """Return the parameters of a query string or a form.

    Raises
    ------
    BadRequest
        If they are not UTF-8, or too many.
    """
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except UnicodeDecodeError:
        raise BadRequest("The parameters are not UTF-8 in percent encoding. Encode them so.") from None
    except ValueError:
        raise BadRequest(f"There are more than {_MOST_PARAMETERS} parameters. Send fewer.") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def is_update(text: str) -> bool:
    """Return whether a text begins as a SPARQL update does.

    >>> is_update("PREFIX a: <urn:a#> INSERT DATA { a:b a:c a:d }"), is_update("ASK {}")
    (True, False)
    """
    return _UPDATE_WORDS.match(text) is not None


def _asked(given: Parameters) -> Asked:
    if "update" in given:
        raise UpdateRefused("The parameter `update` holds an update, and only queries are answered here.")
    queries = given.get("query", [])
    if not queries:
        raise no_query()
    if len(queries) > 1:
        raise BadRequest(f"The parameter `query` is given {len(queries)} times. Send one query to a request.")
    if is_update(queries[0]):
        raise UpdateRefused("The text is an update, and only queries are answered here.")
    formats = given.get("format", [])
    return Asked(
        queries[0],
        tuple(given.get("default-graph-uri", ())),
        tuple(given.get("named-graph-uri", ())),
        formats[0] if formats and formats[0] else None,
    )


def no_query() -> BadRequest:
    """Return the error for a request without a query."""
    return BadRequest(
        "There is no parameter `query`. Send ?query=..., a form with it, or the query as the body."
    )


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"The query is not UTF-8 (byte {error.start:,}). Send it in UTF-8.") from None
