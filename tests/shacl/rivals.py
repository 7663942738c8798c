"""pySHACL and pyshacl-turbo over the same shapes and data, with their reports as values."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import pyshacl
import pyshacl_turbo
import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple, serialize

from battpass.kg.index import Term
from battpass.kg.validation.compiled import Result, compile_shapes
from battpass.kg.validation.compiled.index import Index
from battpass.kg.validation.compiled.paths import sparql
from battpass.kg.validation.compiled.syntax import Said, ShapesGraph
from battpass.kg.validation.compiled.vocabulary import PATH, SH, sh
from battpass.kg.validation.terms import from_rdflib
from tests.shacl.material import COMPONENTS, EX, MESSAGES

OWN_COMPONENTS = frozenset(
    name for text, _ in COMPONENTS.values() for name in re.findall(r"ex:(\w+Component)\b", text)
)
_OF_SHAPES = frozenset(text for one in MESSAGES for text in one.split(" , "))


@dataclass(frozen=True, order=True)
class Line:
    """A result as it is compared.

    `messages` are those of its shape, if they are of `MESSAGES`: what engines say of themselves is theirs. A
    detail of an `sh:node` is a line of its own, and `depth` says below how many results it stands.
    """

    focus: str
    path: str
    component: str
    value: str
    severity: str
    shape: str
    messages: str = ""
    depth: int = 0


Lines = Counter[Line]


def ours(shapes: list[Quad], data: list[Quad]) -> Lines:
    """Return what the compiled shapes find."""
    return lines(compile_shapes(shapes).validate(data, deadline=60).results)


def lines(results: Iterable[Result]) -> Lines:
    """Return results of ours as they are compared."""
    return Counter(line for result in results for line in _compared(result))


def with_pyshacl(shapes: list[Quad], data: list[Quad], *, advanced: bool = False) -> Lines:
    """Return what pySHACL finds."""
    conforms, report, words = pyshacl.validate(
        rdflib_graph(data),
        shacl_graph=rdflib_graph(shapes),
        inference="none",
        advanced=advanced,
        do_owl_imports=False,
        meta_shacl=False,
        inplace=True,
    )
    assert isinstance(report, rdflib.Graph), words
    found = _lines(report)
    assert conforms is not bool(found)
    return found


def with_turbo(shapes: list[Quad], data: list[Quad]) -> Lines:
    """Return what pyshacl-turbo finds, given texts, which it judges better than rdflib graphs."""
    _, report, words = pyshacl_turbo.validate(
        _text(data),
        shacl_graph=_text(shapes),
        data_graph_format="nt",
        shacl_graph_format="nt",
        inference="none",
    )
    assert isinstance(report, rdflib.Graph), words
    return _lines(report)


def _text(quads: list[Quad]) -> str:
    triples = [Triple(quad.subject, quad.predicate, quad.object) for quad in quads]
    return (serialize(triples, format=RdfFormat.N_TRIPLES) or b"").decode()


def rdflib_graph(quads: list[Quad]) -> rdflib.Graph:
    """Return statements as a graph of rdflib, with the spelling of their literals."""
    graph = rdflib.Graph(bind_namespaces="none")
    for quad in quads:
        graph.add((_node(quad.subject), _node(quad.predicate), _node(quad.object)))
    return graph


@cache
def _node(term: Term) -> rdflib.term.Node:
    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    assert isinstance(term, Literal)
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    datatype = None if term.datatype.value.endswith("#string") else rdflib.URIRef(term.datatype.value)
    return rdflib.Literal(term.value, datatype=datatype, normalize=False)


def _lines(report: rdflib.Graph) -> Lines:
    quads = []
    for subject, predicate, term in report:
        quads.append(Quad(from_rdflib(subject), from_rdflib(predicate), from_rdflib(term)))  # type: ignore[arg-type]
    graph = ShapesGraph(quads)
    found = [node for nodes in graph.index.by_subject(sh("result")).values() for node in nodes]
    return Counter(line for node in found for line in _reported(graph, graph.index, node, 0))


def _reported(graph: ShapesGraph, index: Index, node: Term, depth: int) -> Iterator[Line]:
    def one(local: str) -> str:
        return _shown(next(iter(index.objects(node, sh(local))), None))

    paths = index.objects(node, sh("resultPath"))
    component = one("sourceConstraintComponent")
    yield Line(
        one("focusNode"),
        sparql(graph.path(paths[0], Said(graph, node, PATH))) if paths else "",
        component,
        one("value"),
        one("resultSeverity"),
        one("sourceShape"),
        _messages(component, index.objects(node, sh("resultMessage"))),
        depth,
    )
    for detail in index.objects(node, sh("detail")):
        yield from _reported(graph, index, detail, depth + 1)


def _compared(result: Result, depth: int = 0) -> Iterator[Line]:
    """Yield a result of ours as it is compared, and the details of an `sh:node`: rivals give no others."""
    component = _shown(result.component)
    yield Line(
        _shown(result.focus),
        "" if result.path is None else sparql(result.path),
        component,
        _shown(result.value),
        _shown(result.severity),
        _shown(result.shape),
        _messages(component, result.messages),
        depth,
    )
    if component == "Node":
        for detail in result.details:
            yield from _compared(detail, depth + 1)


def _messages(component: str, messages: Iterable[Term]) -> str:
    """Return the messages of a shape; what queries say is compared with the standard alone."""
    if component.startswith("SPARQL") or component in OWN_COMPONENTS:
        return ""
    return " ".join(sorted(text for text in map(str, messages) if text in _OF_SHAPES))


def _shown(term: Term | None) -> str:
    if term is None:
        return ""
    if isinstance(term, BlankNode):
        return "_:"
    text = str(term).replace("http://www.w3.org/2001/XMLSchema#", "xsd:")
    return text.replace(SH, "").replace(EX, "").removesuffix("ConstraintComponent>").strip("<>")
