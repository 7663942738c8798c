"""The shapes as data: read once from `shapes/`, and asked for what they say to people.

The manifest lists the files. Only pyoxigraph parses; the engine that runs the shapes gets the triples.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse

from battpass.kg.errors import BadTable
from battpass.kg.graphs import Severity
from battpass.kg.index import Index, Term
from battpass.kg.namespaces import RDF, expand
from battpass.kg.resources import shapes_path
from battpass.kg.tables import Labels
from battpass.kg.validation.compiled.digest import digest_of

SHAPES = "https://w3id.org/battpass/shapes#"
SH = "http://www.w3.org/ns/shacl#"
MANIFEST = "https://w3id.org/battpass/shapes"

COMPONENTS = "components"

MEND = expand("bp:mend")
FINDING_CODE = expand("bp:findingCode")
SCHEME = expand("bp:scheme")
VALIDATED_ON = expand("bp:validatedOn")
SOURCE = expand("dcterms:source")

_FIRST, _REST, _NIL = RDF + "first", RDF + "rest", RDF + "nil"
_SEVERITIES = {
    SH + "Violation": Severity.VIOLATION,
    SH + "Warning": Severity.WARNING,
    SH + "Info": Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class PropertyShape:
    """What a property shape says to people, and the routes of its path as IRIs, one tuple per route."""

    iri: str
    routes: tuple[tuple[str, ...], ...]
    name: Labels
    description: Labels
    message: Labels
    mend: Labels
    clauses: tuple[str, ...]
    severity: Severity
    group: str
    order: int
    code: str


class ShapeSet:
    """A set of shapes: its quads, and its property shapes by IRI."""

    def __init__(self, quads: Iterable[Quad]) -> None:
        self.quads = tuple(quads)
        self.index = Index(self.quads)

    @classmethod
    def load(cls, folder: Path | None = None, only: Iterable[str] | None = None) -> "ShapeSet":
        """Return the shapes that are installed, or those of `folder`.

        `only` names the files to read (`general`, `materials`, ...); the manifest and the constraint
        components, without which shapes would not say what they say, always come along.

        Raises
        ------
        BadTable
            If a file is missing or is no Turtle.
        """
        folder = folder or shapes_path()
        quads = _read(folder / "manifest.ttl")
        names = [iri.rpartition("/")[2] for iri in _imports(quads)]
        for name in names if only is None else dict.fromkeys((COMPONENTS, *only)):
            # Blank nodes of two files must not meet, so each file gets labels of its own.
            quads += [_relabelled(quad, name) for quad in _read(folder / f"{name}.ttl")]
        return cls(quads)

    @cached_property
    def property_shapes(self) -> Mapping[str, PropertyShape]:
        """The property shapes by IRI."""
        kind = NamedNode(SH + "PropertyShape")
        subjects = (name for name in self.index.subjects(RDF + "type"))
        return {
            iri: self._property_shape(iri)
            for iri in subjects
            if kind in self.index.objects(iri, RDF + "type")
        }

    @cached_property
    def node_shapes(self) -> tuple[str, ...]:
        """The IRIs of the node shapes."""
        kind = NamedNode(SH + "NodeShape")
        return tuple(
            iri for iri in self.index.subjects(RDF + "type") if kind in self.index.objects(iri, RDF + "type")
        )

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of what the shapes state, however blank nodes are called: reports name them by it."""
        return digest_of(self.quads)

    @property
    def version(self) -> str:
        """The version IRI of the set."""
        return self.index.text(MANIFEST, expand("owl:versionIRI")) or ""

    def with_path(self, predicate: str) -> PropertyShape | None:
        """Return the shape that names a property to people: the first whose path is just that property."""
        return self._by_predicate.get(predicate)

    @cached_property
    def _by_predicate(self) -> Mapping[str, PropertyShape]:
        found: dict[str, PropertyShape] = {}
        for shape in sorted(self.property_shapes.values(), key=lambda shape: (shape.group, shape.order)):
            # A shape with a code of its own states a rule about the property rather than naming it.
            if len(shape.routes) == 1 and len(shape.routes[0]) == 1 and not shape.code:
                found.setdefault(shape.routes[0][0], shape)
        return found

    def objects(self, subject: str, local: str) -> list[Term]:
        """Return the values of a SHACL property of a shape."""
        return self.index.objects(subject, SH + local)

    def list_of(self, head: Term) -> Iterator[Term]:
        """Yield the members of an RDF list."""
        here = str(head) if isinstance(head, BlankNode) else _iri(head)
        while here != _NIL:
            yield from self.index.objects(here, _FIRST)[:1]
            rest = self.index.one(here, _REST)
            here = _NIL if rest is None else str(rest) if isinstance(rest, BlankNode) else _iri(rest)

    def _property_shape(self, iri: str) -> PropertyShape:
        path = self.index.one(iri, SH + "path")
        return PropertyShape(
            iri=iri,
            routes=tuple(self._routes(path)) if path is not None else (),
            name=self._labels(iri, SH + "name"),
            description=self._labels(iri, SH + "description"),
            message=self._labels(iri, SH + "message"),
            mend=self._labels(iri, MEND),
            clauses=tuple(_text(term) for term in self.index.objects(iri, SOURCE)),
            severity=_SEVERITIES[self.index.text(iri, SH + "severity") or SH + "Violation"],
            group=self.index.text(iri, SH + "group") or "",
            order=int(self.index.text(iri, SH + "order") or 0),
            code=self.index.text(iri, FINDING_CODE) or "",
        )

    def _routes(self, path: Term) -> Iterator[tuple[str, ...]]:
        """Yield the routes of a path: one predicate, a sequence of them, or alternatives of both."""
        if isinstance(path, NamedNode):
            yield (path.value,)
            return
        choice = self.index.one(str(path), SH + "alternativePath")
        if choice is not None:
            for part in self.list_of(choice):
                yield from self._routes(part)
            return
        routes: list[tuple[str, ...]] = [()]
        for part in self.list_of(path):
            routes = [head + tail for head in routes for tail in self._routes(part)]
        yield from routes

    def _labels(self, iri: str, predicate: str) -> Labels:
        texts = {
            term.language: term.value
            for term in self.index.objects(iri, predicate)
            if isinstance(term, Literal)
        }
        return Labels(texts.get("en", ""), texts.get("de", ""))


def _read(path: Path) -> list[Quad]:
    try:
        return list(parse(path.read_bytes(), format=RdfFormat.TURTLE))
    except (OSError, SyntaxError) as error:
        raise BadTable(f"{path.name} cannot be read: {error}. Restore the file or reinstall.") from error


def _imports(quads: Iterable[Quad]) -> list[str]:
    wanted = expand("owl:imports")
    found = [_iri(quad.object) for quad in quads if quad.predicate.value == wanted]
    if not found:
        raise BadTable("manifest.ttl lists no files. Name them with owl:imports.")
    return found


def _relabelled(quad: Quad, name: str) -> Quad:
    prefix = name.replace("-", "")

    def one(term: Term) -> Term:
        return BlankNode(f"{prefix}{term.value}") if isinstance(term, BlankNode) else term

    subject, target = one(quad.subject), one(quad.object)
    assert isinstance(subject, NamedNode | BlankNode)
    return Quad(subject, quad.predicate, target)


def _iri(term: Term) -> str:
    return term.value if isinstance(term, NamedNode) else ""


def _text(term: Term) -> str:
    return term.value if isinstance(term, Literal | NamedNode) else str(term)
