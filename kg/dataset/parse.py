"""Foreign RDF documents, read in a sealed process: one that lives for the document, or the one we are in.

RDF/XML is not read: a document of 663 bytes can swell to more than a gigabyte through its entities.
"""

import codecs
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from battpass.kg.dataset.sealed import SealedProcess, Walls
from battpass.kg.dataset.worker import Fault, document_quads
from battpass.kg.errors import BadDocument, DocumentTooLarge, Overdue, ProcessLost, UnknownFormat

MEDIA_TYPES = (
    "text/turtle",
    "application/n-triples",
    "application/n-quads",
    "application/trig",
    "application/ld+json",
)


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How large a document may be, as it comes in and as it is written out in full."""

    bytes: int = 16 * 1024 * 1024
    depth: int = 100
    quads: int = 1_000_000
    expanded_bytes: int = 256 * 1024 * 1024
    seconds: float = 30.0
    walls: Walls = field(default_factory=Walls)


def parse_foreign(
    data: bytes, media_type: str, base: str | None = None, limits: DocumentLimits | None = None
) -> list[Quad]:
    """Return the quads of a document in Turtle, N-Triples, N-Quads, TriG or JSON-LD.

    Blank nodes keep the labels that the document gives them; nothing is fetched. UTF-8 is expected, and
    UTF-16 taken where a byte order mark says so.

    Raises
    ------
    UnknownFormat, DocumentTooLarge
    BadDocument
        With line and column where the text is at fault.
    """
    limits = limits or DocumentLimits()
    request = _request(data, media_type, base, limits)
    expanded = _read_sealed(request, _as_utf8(data), limits)
    return list(parse(expanded, format=RdfFormat.N_QUADS))


def parse_in_place(
    data: bytes, media_type: str, base: str | None = None, limits: DocumentLimits | None = None
) -> list[Quad]:
    """Return the quads of a document as `parse_foreign` does, read in this very process.

    Only for a process that is sealed and may be lost: a document of some kilobytes can end it. Of the limits,
    those of time and memory are the business of whoever started the process.

    Raises
    ------
    UnknownFormat, DocumentTooLarge, BadDocument
    """
    limits = limits or DocumentLimits()
    request = _request(data, media_type, base, limits)
    try:
        return list(document_quads(request, _as_utf8(data)))
    except Fault as fault:
        raise _bad(fault.content) from None
    except (ValueError, OSError) as error:
        raise _bad(Fault("engine", str(error)).content) from None


def _request(data: bytes, media_type: str, base: str | None, limits: DocumentLimits) -> dict[str, object]:
    wanted = _media_type(media_type)
    if len(data) > limits.bytes:
        raise DocumentTooLarge(
            f"The document has {len(data):,} bytes; {limits.bytes:,} are read here. Send it in parts."
        )
    if base is not None:
        _check_base(base)
    return {"media_type": wanted, "base": base, "depth": limits.depth, "quads": limits.quads}


def _media_type(media_type: str) -> str:
    bare = media_type.partition(";")[0].strip().lower()
    if bare in MEDIA_TYPES:
        return bare
    if bare in ("application/rdf+xml", "application/xml", "text/xml"):
        raise UnknownFormat("RDF/XML is not read here, as its entities can swell without bound. Send Turtle.")
    raise UnknownFormat(
        f"{media_type[:100]!r} is not read as RDF here. Send one of {', '.join(MEDIA_TYPES)}."
    )


def _check_base(base: str) -> None:
    try:
        NamedNode(base)
    except ValueError:
        raise BadDocument(f"The base {base[:200]!r} is no IRI. Give it in full, as in http://...") from None


def _as_utf8(data: bytes) -> bytes:
    if data.startswith(codecs.BOM_UTF8):
        return data[len(codecs.BOM_UTF8) :]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError as error:
            raise BadDocument(f"The document begins as UTF-16 but is not: {error}. Send UTF-8.") from None
    return data


def _read_sealed(request: Mapping[str, object], body: bytes, limits: DocumentLimits) -> bytes:
    until = time.monotonic() + limits.seconds
    process = SealedProcess(limits.walls)
    expanded = bytearray()
    try:
        if not process.request(request, until, body):
            raise ProcessLost("Its process ended before it began; send the document again.")
        while True:
            kind, payload = process.receive(until)
            if kind == b"E":
                return bytes(expanded)
            if kind == b"X":
                raise _bad(json.loads(payload))
            expanded += payload
            if len(expanded) > limits.expanded_bytes:
                raise DocumentTooLarge(
                    f"Written out in full the document has more than {limits.expanded_bytes:,} bytes. "
                    "Send it in parts, or with shorter IRIs."
                )
    except Overdue:
        raise BadDocument(
            f"The document was not read after {limits.seconds:g} s. Simplify it, or send it in parts."
        ) from None
    except ProcessLost as error:
        raise BadDocument(f"The document cannot be read; nothing of it was kept. {error}") from None
    finally:
        process.close()


def _bad(fault: Mapping[str, object]) -> BadDocument:
    where = ""
    if fault["line"] is not None:
        where = f"line {fault['line']}, column {fault['column']}: "
    message = str(fault["message"]).rstrip(".")
    return BadDocument(f"{where}{message}. {_NEXT_STEP.get(str(fault['kind']), _NEXT_STEP['syntax'])}")


_NEXT_STEP = {
    "syntax": "Mend it there and send the document again.",
    "context": "Put the context into the document itself.",
    "depth": "Flatten it: refer to nodes by their @id instead of nesting them.",
    "quads": "Send the document in parts.",
    "term": "Describe the statement by a node of its own.",
    "memory": "Send the document in parts.",
    "seal": "The system lacks what a sealed process needs.",
}
