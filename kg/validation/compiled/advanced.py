"""SHACL Advanced Features: pySHACL runs the shapes graphs that use them.

The rule is the plan's: a graph that uses rules, targets or functions of the Advanced Features anywhere goes
to pySHACL as a whole, and no other graph does. Each such run is logged with the reason.
"""

import logging
from collections.abc import Iterable, Iterator

from pyoxigraph import BlankNode, Literal, NamedNode, Quad
from rdflib import Graph
from rdflib.term import Node as RdflibNode

from battpass.kg.errors import BadShapes, EngineFailed
from battpass.kg.validation.compiled.index import Index
from battpass.kg.validation.compiled.plan import Plan
from battpass.kg.validation.compiled.results import Result
from battpass.kg.validation.compiled.syntax import Said, ShapesGraph
from battpass.kg.validation.compiled.vocabulary import PATH, SH, sh
from battpass.kg.validation.terms import from_rdflib, to_rdflib_graph


def run_advanced(plan: Plan, data: Index) -> list[Result]:
    """Return what pySHACL finds.

    Raises
    ------
    BadShapes
        If pySHACL refuses the shapes.
    EngineFailed
        If it does not come to an end.
    """
    from pyshacl import validate
    from pyshacl.errors import ShapeLoadError

    logging.getLogger("battpass.validation").info(
        "pySHACL validates with the shapes %s, which use %s", plan.digest[:12], ", ".join(plan.advanced)
    )
    try:
        _, report, words = validate(
            to_rdflib_graph(data.quads()),
            shacl_graph=to_rdflib_graph(plan.quads),
            advanced=True,
            inference="none",
            meta_shacl=False,
            do_owl_imports=False,
            inplace=True,
        )
    except ShapeLoadError as error:
        raise BadShapes(
            f"The shapes cannot be used: {error}. pySHACL, which runs them, refuses them."
        ) from error
    except Exception as error:  # whatever the shapes of others bring about in there
        raise EngineFailed(f"pySHACL gave up: {error}. Check the shapes, which it runs.") from error
    if not isinstance(report, Graph):
        raise EngineFailed(f"pySHACL gave up: {words}. Check the shapes, which it runs.")
    graph = ShapesGraph(_quads(report))
    found = [
        _result(graph, node) for heads in graph.index.by_subject(sh("result")).values() for node in heads
    ]
    return sorted(
        found, key=lambda one: (str(one.focus), str(one.shape), one.component.value, str(one.value))
    )


def _quads(report: Graph) -> Iterator[Quad]:
    known: dict[RdflibNode, object] = {}
    for triple in report:
        for node in triple:
            if node not in known:
                known[node] = from_rdflib(node)
        subject, predicate, term = (known[node] for node in triple)
        yield Quad(subject, predicate, term)  # type: ignore[arg-type]


def _result(graph: ShapesGraph, node: object) -> Result:
    told = {predicate.value.removeprefix(SH): terms for predicate, terms in graph.index.properties(node)}  # type: ignore[arg-type]
    path = told.get("resultPath")
    focus, shape = told["focusNode"][0], told["sourceShape"][0]
    component, severity = told["sourceConstraintComponent"][0], told["resultSeverity"][0]
    assert isinstance(component, NamedNode) and isinstance(severity, NamedNode)
    assert isinstance(shape, NamedNode | BlankNode)
    constraint = next(_nodes(told.get("sourceConstraint", ())), None)
    return Result(
        focus=focus,
        path=None if path is None else graph.path(path[0], Said(graph, shape, PATH)),
        value=next(iter(told.get("value", ())), None),
        component=component,
        shape=shape,
        severity=severity,
        constraint=constraint,
        messages=tuple(one for one in told.get("resultMessage", ()) if isinstance(one, Literal)),
        details=tuple(_result(graph, below) for below in told.get("detail", ())),
    )


def _nodes(terms: Iterable[object]) -> Iterator[NamedNode | BlankNode]:
    return (term for term in terms if isinstance(term, NamedNode | BlankNode))
