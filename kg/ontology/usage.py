"""Which terms the product names, and where: read from its tables, Turtle, SPARQL, contexts and code."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from battpass.kg.namespaces import PREFIXES, RDF, RDFS, expand
from battpass.kg.resources import ontology_path
from battpass.kg.validation.shapes import SHAPES

# The lock itself, and the extract that is made from it, prove nothing about use.
_MADE = ("term-lock.csv", "vocabulary.ttl")
_FOLDERS = ("ontology", "shapes", "kg", "services", "examples")

_NAMESPACES = tuple(sorted(PREFIXES.values()))
_CURIE = re.compile(rf"(?<![\w:/#.-])(?:{'|'.join(PREFIXES)}):[A-Za-z_][A-Za-z0-9_-]*")
_IRI = re.compile(r"https?://[^\s<>\"'|{}\\^`,;)\]]+")
_DECLARED = re.compile(r"PREFIX\s+([A-Za-z]\w*)\s*:\s*<([^>]*)>", re.IGNORECASE)

# Local names that stand alone in code, as in `EMMO + "EMMO_e1097637..."`.
_UUID = r"[0-9a-f]{8}[_-][0-9a-f]{4}[_-][0-9a-f]{4}[_-][0-9a-f]{4}[_-][0-9a-f]{12}"
_LOCAL = re.compile(rf"(?<![\w:/#])(EMMO|battery|electrochemistry|substance|BVCO|GPO)_{_UUID}")
_HOME_OF = {
    "EMMO": "emmo",
    "battery": "battery",
    "electrochemistry": "echem",
    "substance": "chemsub",
    "BVCO": "bvco",
    "GPO": "gpo",
}

# Where the object of a triple names a term, not a thing.
_TERM_PLACES = frozenset(
    [RDF + "type"]
    + [RDFS + name for name in ("subClassOf", "subPropertyOf", "domain", "range")]
    + [PREFIXES["skos"] + f"{kind}Match" for kind in ("exact", "close", "broad", "narrow", "related")]
)


def used_terms(house: Path | None = None) -> Mapping[str, tuple[str, ...]]:
    """Return every IRI of a term that the product names, with the files that name it.

    Terms are IRIs in a namespace with a prefix, and whatever stands in Turtle as predicate, type or
    superclass. `house` is the folder that holds `ontology/`, `shapes/`, `kg/`, ...
    """
    house = house or ontology_path().parent
    places: dict[str, set[str]] = defaultdict(set)
    for folder in _FOLDERS:
        for path in sorted((house / folder).rglob("*")):
            read = _READERS.get(path.suffix)
            if read and path.name not in _MADE:
                for iri in read(path.read_text(encoding="utf-8")):
                    places[iri].add(path.relative_to(house).as_posix())
    return {iri: tuple(sorted(files)) for iri, files in sorted(places.items())}


def in_text(text: str) -> Iterator[str]:
    """Return the terms that a text names by prefixed name, by IRI or by a bare EMMO-style local name."""
    for match in _CURIE.finditer(text):
        # `unit:gram` is how SAMM names a unit in a payload; QUDT's names begin with a capital.
        if not (match[0].startswith("unit:") and match[0][5].islower()):
            yield expand(match[0])
    yield from (iri for match in _IRI.finditer(text) if _is_term(iri := match[0].rstrip(".")))
    for match in _LOCAL.finditer(text):
        yield expand(f"{_HOME_OF[match[1]]}:{match[0]}")


def _is_term(iri: str) -> bool:
    space = next((space for space in _NAMESPACES if iri.startswith(space) and iri != space), None)
    return space is not None and "/" not in iri[len(space) :]


def _turtle(text: str) -> Iterator[str]:
    for quad in parse(text, RdfFormat.TURTLE):
        # The parameters of our own constraint components are declared beside them.
        if not quad.predicate.value.startswith(SHAPES):
            yield quad.predicate.value
        if isinstance(quad.subject, NamedNode) and _is_term(quad.subject.value):
            yield quad.subject.value
        if isinstance(quad.object, Literal):
            yield quad.object.datatype.value
        elif isinstance(quad.object, NamedNode) and (
            _is_term(quad.object.value) or quad.predicate.value in _TERM_PLACES
        ):
            yield quad.object.value


def _python(text: str) -> Iterator[str]:
    tree = ast.parse(text)
    # Docstrings show readable names (`emmo:hasProperty`) that stand for an IRI.
    told = {id(part) for node in ast.walk(tree) if isinstance(node, _Documented) for part in _docstring(node)}
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    open_ended = {
        id(part)
        for node in joined
        for part, after in zip(node.values, node.values[1:], strict=False)
        if isinstance(after, ast.FormattedValue)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            # In `f"emmo:{name}_x"` the term is not known here.
            yield from in_text(re.sub(r"\S*$", "", node.value) if id(node) in open_ended else node.value)


_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _docstring(node: _Documented) -> Iterator[ast.expr]:
    if node.body and isinstance(first := node.body[0], ast.Expr) and isinstance(first.value, ast.Constant):
        yield first.value


def _sparql(text: str) -> Iterator[str]:
    declared = {**PREFIXES, **dict(_DECLARED.findall(text))}
    body = _DECLARED.sub("", text)
    for prefix, local in re.findall(r"(?<![\w:<])([A-Za-z]\w*):([A-Za-z_][\w-]*)", body):
        if prefix in declared:
            yield declared[prefix] + local
    yield from (iri for iri in re.findall(r"<([^>\s]+)>", body) if _is_term(iri))


def _context(text: str) -> Iterator[str]:
    for value in _strings(json.loads(text).get("@context", {})):
        yield from in_text(value)


def _strings(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


_READERS = {
    ".ttl": _turtle,
    ".csv": in_text,
    ".tsv": in_text,
    ".py": _python,
    ".rq": _sparql,
    ".jsonld": _context,
}
