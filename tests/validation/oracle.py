"""pySHACL over our shapes: the reference for the compiled validator."""

from collections.abc import Iterable

import pyshacl
import rdflib
from pyoxigraph import NamedNode, Quad

from battpass.kg.index import Term
from battpass.kg.validation.data import Data
from battpass.kg.validation.results import Result
from battpass.kg.validation.shapes import FINDING_CODE, MEND, SH, SOURCE
from battpass.kg.validation.terms import from_rdflib, to_rdflib_graph

# pySHACL fails on comparisons of values that do not compare, where the standard asks for a result.
_COMPARISONS = frozenset(SH + local for local in ("sparql", "lessThan", "lessThanOrEquals"))
_COMPONENT = NamedNode(SH + "ConstraintComponent")
# It looks at every statement of a shape on each visit; these constrain nothing.
_FOR_PEOPLE = frozenset(
    {SH + local for local in ("name", "description", "message", "group", "order")}
    | {MEND, FINDING_CODE, SOURCE}
)


def compares(quad: Quad) -> bool:
    """Return whether a statement of shapes asks for comparisons, or declares a component that does."""
    return quad.predicate.value in _COMPARISONS or quad.object == _COMPONENT


class PySHACL:
    """pySHACL over the statements of a shapes graph."""

    def __init__(self, shapes: Iterable[Quad]) -> None:
        self._shapes = to_rdflib_graph(quad for quad in shapes if quad.predicate.value not in _FOR_PEOPLE)

    def results(self, data: Data) -> list[Result]:
        """Return what it finds, in the order of our engine."""
        _, graph, words = pyshacl.validate(
            to_rdflib_graph(data.quads),
            shacl_graph=self._shapes,
            advanced=False,
            inference="none",
            meta_shacl=False,
            do_owl_imports=False,
            inplace=True,
        )
        assert isinstance(graph, rdflib.Graph), words
        found = [_result(graph, node) for node in graph.objects(None, rdflib.URIRef(SH + "result"))]
        return sorted(
            found, key=lambda result: (str(result.focus), result.shape, str(result.value), result.component)
        )


def _result(graph: rdflib.Graph, node: rdflib.term.Node) -> Result:
    told: dict[str, Term] = {
        str(what).removeprefix(SH): from_rdflib(term) for what, term in graph.predicate_objects(node)
    }
    component, shape, severity = (
        told[name] for name in ("sourceConstraintComponent", "sourceShape", "resultSeverity")
    )
    constraint = told.get("sourceConstraint")
    assert isinstance(component, NamedNode) and isinstance(severity, NamedNode)
    return Result(
        focus=told["focusNode"],
        value=told.get("value"),
        component=component.value.removeprefix(SH),
        shape=shape.value if isinstance(shape, NamedNode) else str(shape),
        severity=severity.value.removeprefix(SH),
        constraint=constraint.value if isinstance(constraint, NamedNode) else "",
    )
