"""The engine that runs shapes: pySHACL for the core language, Oxigraph for SPARQL and comparisons.

pySHACL parses the text of a SPARQL constraint anew for every focus node, which costs more than all
core shapes together; and it fails on comparisons of values that do not compare, where the standard asks
for a result. So these are taken out of the shapes that it gets, and run beside it. A test holds that
pySHACL, given everything, finds the same in data that it can compare.
"""

from collections.abc import Iterator
from typing import Protocol

from battpass.kg.errors import EngineFailed
from battpass.kg.validation.data import Data
from battpass.kg.validation.results import Result
from battpass.kg.validation.shapes import FINDING_CODE, MEND, SH, SOURCE, ShapeSet
from battpass.kg.validation.sparql import QUERIED, Constraints

# pySHACL looks at every statement of a shape on each visit; these constrain nothing, and without them a
# run takes half the time.
_FOR_PEOPLE = frozenset(
    {SH + local for local in ("name", "description", "message", "group", "order")}
    | {MEND, FINDING_CODE, SOURCE}
)


class Engine(Protocol):
    """Runs one set of shapes over data."""

    def results(self, data: Data) -> list[Result]:
        """Return all results, in an order that depends on nothing but shapes and data."""
        ...


class PySHACL:
    """pySHACL over a set of shapes.

    `whole` leaves SPARQL constraints and comparisons to pySHACL too: slow, and the reference for the
    quick way.
    """

    def __init__(self, shapes: ShapeSet, *, whole: bool = False) -> None:
        from battpass.kg.validation.terms import to_rdflib_graph

        left_out = _FOR_PEOPLE if whole else _FOR_PEOPLE | QUERIED
        kept = [quad for quad in shapes.quads if quad.predicate.value not in left_out]
        self._graph = to_rdflib_graph(kept)
        self._constraints = None if whole else Constraints(shapes)

    def results(self, data: Data) -> list[Result]:
        """Return the results of core shapes, SPARQL constraints and comparisons."""
        found = list(self._core(data))
        if self._constraints is not None:
            found += self._constraints.results(data)
        return sorted(
            found, key=lambda result: (str(result.focus), result.shape, str(result.value), result.component)
        )

    def _core(self, data: Data) -> Iterator[Result]:
        from pyshacl import validate
        from rdflib import Graph, URIRef

        from battpass.kg.validation.terms import from_rdflib

        _, graph, _ = validate(
            data.rdflib,
            shacl_graph=self._graph,
            advanced=False,
            inference="none",
            meta_shacl=False,
            do_owl_imports=False,
            inplace=True,
        )
        if not isinstance(graph, Graph):
            raise EngineFailed(f"pySHACL gave up: {graph}. Check the shapes: the data alone cannot cause it.")
        for node in graph.objects(None, URIRef(SH + "result")):
            told = {str(what).removeprefix(SH): term for what, term in graph.predicate_objects(node)}
            value, constraint = told.get("value"), told.get("sourceConstraint")
            yield Result(
                focus=from_rdflib(told["focusNode"]),
                value=None if value is None else from_rdflib(value),
                component=str(told["sourceConstraintComponent"]).removeprefix(SH),
                shape=str(told["sourceShape"]),
                severity=str(told["resultSeverity"]).removeprefix(SH),
                constraint="" if constraint is None else str(constraint),
            )
