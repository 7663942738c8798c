"""Anybody's RDF, in any of its syntaxes, read in place: only for a process that is sealed and may be lost."""

import codecs
import re

from pyoxigraph import BlankNode, Quad

from battpass.kg.dataset.parse import parse_in_place
from battpass.kg.dataset.worker import Fault, document_quads
from battpass.kg.errors import BadDocument, UnknownFormat
from battpass.kg.namespaces import BASE

RDF_XML = "application/rdf+xml"
# By the suffix of a file. TriG holds Turtle, and N-Quads holds N-Triples.
SUFFIXES = {
    ".ttl": "text/turtle",
    ".nt": "application/n-triples",
    ".nq": "application/n-quads",
    ".trig": "application/trig",
    ".jsonld": "application/ld+json",
    ".rdf": RDF_XML,
    ".owl": RDF_XML,
}
MEDIA_TYPES = tuple(dict.fromkeys(SUFFIXES.values()))

_MOST_STATEMENTS = 1_000_000
# How much longer entities may make a document; those of ontologies, which stand for namespaces, add little.
_GROWTH = 16 << 20
_ENTITY = re.compile(rb"<!ENTITY\s+([\w.\-]+)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>")
_TERM = rb"(?:<[^<>\s]*+>|_:[^\s<]++)"
_LITERAL = rb'"(?:[^"\\\r\n]|\\.)*+"(?:@[\w-]++|\^\^<[^<>\s]*+>)?+'
# A whole first line of N-Triples or N-Quads, after comments and empty lines.
_LINE = re.compile(
    rb"(?:\s|#[^\r\n]*+)*+%b[ \t]*+<[^<>\s]*+>[ \t]*+(?:%b|%b)[ \t]*+(?:%b)?+[ \t]*+\.[ \t]*+(?:#|[\r\n]|\Z)"
    % (_TERM, _TERM, _LITERAL, _TERM)
)


def is_json(data: bytes) -> bool:
    """Return whether a document looks like JSON."""
    return data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))


def media_type_of(data: bytes) -> str:
    """Return the media type of the RDF syntax that a document looks like; it may turn out to be none."""
    head = data[:65_536].lstrip(b"\xef\xbb\xbf \t\r\n")
    if is_json(head):
        return "application/ld+json"
    if head.startswith((b"<?xml", b"<rdf:RDF", b"<!DOCTYPE", b"<!--")):
        return RDF_XML
    return "application/n-quads" if _LINE.match(head) else "application/trig"


def read_quads(data: bytes, media_type: str = "", base: str = BASE) -> list[Quad]:
    """Return the statements of a document in the syntax of a media type, or in the one that it looks like.

    Raises
    ------
    UnknownFormat
        If the media type is none of an RDF syntax.
    DocumentTooLarge, BadDocument
        With line and column where the text is at fault.
    """
    wanted = media_type.partition(";")[0].strip().lower() or media_type_of(data)
    if wanted == RDF_XML:
        return _of_xml(data, base)
    if wanted not in MEDIA_TYPES:
        raise UnknownFormat(
            f"{wanted[:100]!r} is not read as RDF here. Send one of {', '.join(MEDIA_TYPES)}."
        )
    return parse_in_place(data, wanted, base)


def renamed_apart(quads: list[Quad], others: list[Quad]) -> list[Quad]:
    """Return statements whose blank nodes have labels that no other statement uses."""
    used = {
        term.value for quad in others for term in (quad.subject, quad.object) if isinstance(term, BlankNode)
    }
    prefix = "s"
    while any(label.startswith(prefix) for label in used):
        prefix += "s"
    return [
        Quad(_renamed(quad.subject, prefix), quad.predicate, _renamed(quad.object, prefix), quad.graph_name)  # type: ignore[arg-type]
        for quad in quads
    ]


def _renamed(term: object, prefix: str) -> object:
    return BlankNode(prefix + term.value) if isinstance(term, BlankNode) else term


def _of_xml(data: bytes, base: str) -> list[Quad]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeError as error:
            raise BadDocument(f"The document begins as UTF-16 but is not: {error}. Send UTF-8.") from None
    _check_entities(data)
    request = {"media_type": RDF_XML, "base": base, "depth": 0, "quads": _MOST_STATEMENTS}
    try:
        return list(document_quads(request, data))
    except Fault as fault:
        place = fault.content["line"]
        where = f"line {place}, column {fault.content['column']}: " if place is not None else ""
        raise BadDocument(
            f"{where}{str(fault).rstrip('.')}. Mend it there and send the document again."
        ) from None
    except (ValueError, OSError) as error:
        raise BadDocument(f"The document is no RDF/XML: {error}. Send it as Turtle.") from None


def _check_entities(data: bytes) -> None:
    """Refuse entities that stand for others, or make a document much longer than it is."""
    declared = data.count(b"<!ENTITY")
    if not declared:
        return
    found = {name: double or single for name, double, single in _ENTITY.findall(data)}
    plain = len(found) == declared and not any(b"&" in text or b"%" in text for text in found.values())
    grown = sum(data.count(b"&" + name + b";") * len(text) for name, text in found.items()) if plain else 0
    if not plain or grown > _GROWTH:
        raise BadDocument(
            "The document declares entities that stand for others or make it swell, which are not followed. "
            "Write them out, or send Turtle."
        )
