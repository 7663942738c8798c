"""pySHACL and pyshacl-turbo over the same shapes and data, with their reports as values."""

from collections import Counter
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
from tests.shacl.turtle import EX


@dataclass(frozen=True, order=True)
class Line:
    """A result as it is compared."""

    focus: str
    path: str
    component: str
    value: str
    severity: str
    shape: str


Lines = Counter[Line]


def ours(shapes: list[Quad], data: list[Quad]) -> Lines:
    """Return what the compiled shapes find."""
    return Counter(_line(result) for result in compile_shapes(shapes).validate(data, deadline=60).results)


def with_pyshacl(shapes: list[Quad], data: list[Quad]) -> Lines:
    """Return what pySHACL finds."""
    _, report, words = pyshacl.validate(
        _rdflib(data),
        shacl_graph=_rdflib(shapes),
        inference="none",
        advanced=False,
        do_owl_imports=False,
        meta_shacl=False,
        inplace=True,
    )
    assert isinstance(report, rdflib.Graph), words
    return _lines(report)


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


def _rdflib(quads: list[Quad]) -> rdflib.Graph:
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
    nodes = [node for nodes in graph.index.by_subject(sh("result")).values() for node in nodes]
    return Counter(_reported(graph, graph.index, node) for node in nodes)


def _reported(graph: ShapesGraph, index: Index, node: Term) -> Line:
    def one(local: str) -> str:
        return _shown(next(iter(index.objects(node, sh(local))), None))

    paths = index.objects(node, sh("resultPath"))
    return Line(
        one("focusNode"),
        sparql(graph.path(paths[0], Said(graph, node, PATH))) if paths else "",
        one("sourceConstraintComponent"),
        one("value"),
        one("resultSeverity"),
        one("sourceShape"),
    )


def _line(result: Result) -> Line:
    return Line(
        _shown(result.focus),
        "" if result.path is None else sparql(result.path),
        _shown(result.component),
        _shown(result.value),
        _shown(result.severity),
        _shown(result.shape),
    )


def _shown(term: Term | None) -> str:
    if term is None:
        return ""
    if isinstance(term, BlankNode):
        return "_:"
    text = str(term).replace("http://www.w3.org/2001/XMLSchema#", "xsd:")
    return text.replace(SH, "").replace(EX, "").removesuffix("ConstraintComponent>").strip("<>")
