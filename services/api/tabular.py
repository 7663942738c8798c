"""The first rows of a streamed answer, for the query page: read from the TSV that SPARQL defines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from battpass.kg.namespaces import XSD, shorten

MOST_ROWS = 200
MOST_BYTES = 1_000_000

_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"(?:@([A-Za-z0-9-]+)|\^\^<([^>]*)>)?\Z', re.DOTALL)
_NUMBERS = frozenset(XSD + name for name in ("decimal", "integer", "double", "float"))
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One term: its text, whether it is a number, an IRI or a literal, and its full form as a hint."""

    text: str
    kind: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """The head and the first rows of an answer; `cut` says that there are more."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    cut: bool


def first_rows(pieces: Iterator[bytes]) -> Rows:
    """Return the first rows of bindings in TSV; stops reading once it has them."""
    lines: list[bytes] = []
    rest, size, ended = b"", 0, True
    for piece in pieces:
        size += len(piece)
        *whole, rest = (rest + piece).split(b"\n")
        lines += whole
        if len(lines) > MOST_ROWS + 1 or size > MOST_BYTES:
            ended = False
            break
    if ended and rest:
        lines.append(rest)
    texts = [line.decode("utf-8", "replace") for line in lines]
    head = tuple(name.lstrip("?") for name in texts[0].split("\t") if name) if texts else ()
    rows = tuple(tuple(map(cell, text.split("\t"))) for text in texts[1 : MOST_ROWS + 1]) if head else ()
    return Rows(head, rows, not ended or len(texts) > MOST_ROWS + 1)


def cell(text: str) -> Cell:
    """Return one term of a row.

    >>> cell('"caf\\\\u00e9"@fr').text, cell("<https://schema.org/name>").text, cell("1.5").kind
    ('café', 'schema:name', 'number')
    """
    if text.startswith("<") and text.endswith(">"):
        return Cell(shorten(text[1:-1]), "iri", text[1:-1])
    literal = _LITERAL.match(text)
    if literal is not None:
        language, datatype = literal[2] or "", literal[3] or ""
        if datatype in _NUMBERS:  # a whole decimal has no short form that would keep its datatype
            return Cell(literal[1], "number")
        return Cell(_unescape(literal[1]), "literal", f"@{language}" if language else shorten(datatype))
    return Cell(text, "number" if text else "none")


def _unescape(text: str) -> str:
    return re.sub(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", _plain, text, flags=re.DOTALL)


def _plain(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1 and int(code[1:], 16) <= 0x10FFFF:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, match[0])
