"""Bodies of the type multipart/form-data (RFC 7578), of which a few named parts are wanted."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from battpass.services.api.problems import BadRequest

MULTIPART = "multipart/form-data"

_LONGEST_HEADERS = 8_192
_BOUNDARY = re.compile(r"(?:^|;)\s*boundary=(?:\"([^\"\r\n]{1,70})\"|([^\s\";,]{1,70}))", re.IGNORECASE)
_NAME = re.compile(r"(?:^|;)\s*name=(?:\"([^\"]*)\"|([^\s;]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its content and the media type that it names, empty where it names none."""

    content: bytes
    media_type: str


def read_parts(content_type: str, body: bytes, wanted: Collection[str]) -> dict[str, Part]:
    """Return the parts of a body by name.

    Raises
    ------
    BadRequest
        If it is not in parts, or a part is not wanted, has no name or comes twice.
    """
    boundary = _BOUNDARY.search(content_type.partition(";")[2])
    if boundary is None:
        raise BadRequest("The Content-Type names no boundary. Send the parts as a form with files does.")
    mark = b"\r\n--" + (boundary[1] or boundary[2]).encode("latin-1", "replace")
    # As many pieces as parts, one before them, one behind, and one that is too many.
    _, *pieces = (b"\r\n" + body).split(mark, len(wanted) + 2)
    found: dict[str, Part] = {}
    for piece in pieces:
        if piece.startswith(b"--"):
            return found
        name, part = _part(piece)
        if name not in wanted or name in found:
            twice = "comes twice" if name in found else "is not known here"
            raise BadRequest(f"The part {name[:60]!r} {twice}. Send one each of: {', '.join(wanted)}.")
        found[name] = part
    raise BadRequest("The parts do not end with their boundary. Send the whole body.")


def _part(piece: bytes) -> tuple[str, Part]:
    heads, gap, content = piece.partition(b"\r\n\r\n")
    if not gap or len(heads) > _LONGEST_HEADERS:
        raise BadRequest("A part has no headers, or very long ones. Name it in Content-Disposition.")
    headers: dict[str, str] = {}
    for line in heads.decode("latin-1").split("\r\n"):
        field, _, value = line.partition(":")
        headers[field.strip().lower()] = value.strip()
    named = _NAME.search(headers.get("content-disposition", "").partition(";")[2])
    if named is None:
        raise BadRequest('A part has no name. Send it with Content-Disposition: form-data; name="data".')
    return named[1] or named[2] or "", Part(content, media_type(headers.get("content-type", "")))


def media_type(header: str) -> str:
    """Return the media type of a Content-Type header, without its parameters.

    >>> media_type("Text/Turtle; charset=utf-8")
    'text/turtle'
    """
    return header.partition(";")[0].strip().lower()
