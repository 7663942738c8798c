"""SPARQL constraints and comparisons of property shapes, run by Oxigraph with the focus node for `$this`.

`sh:lessThan` and `sh:lessThanOrEquals` become the queries by which the standard defines them.
Takes what the shapes here use: `sh:select` on property shapes, with `$this`, `$PATH`, `?value`, and `?found`
for words on what was found, which other engines pass by.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode, QuerySolutions, Store, Variable

from battpass.kg.index import Term
from battpass.kg.namespaces import RDF, RDFS
from battpass.kg.validation.data import Data
from battpass.kg.validation.results import Result
from battpass.kg.validation.shapes import SH, ShapeSet

THIS = Variable("this")
_TYPE, _SUBCLASS = NamedNode(RDF + "type"), NamedNode(RDFS + "subClassOf")


# The properties of shapes that are run here and not by pySHACL.
QUERIED = frozenset(SH + local for local in ("sparql", "lessThan", "lessThanOrEquals"))

# Values that do not compare leave ?holds unbound, which is a result too.
_COMPARISON = """
SELECT DISTINCT $this ?value WHERE {{
    $this <{path}> ?value ; <{other}> ?bound .
    BIND(?value {operator} ?bound AS ?holds)
    FILTER(!COALESCE(?holds, false))
}}"""
_OPERATORS = {"lessThan": "<", "lessThanOrEquals": "<="}


@dataclass(frozen=True, slots=True)
class Constraint:
    """One query of a property shape; `owners` are the node shapes that give it focus nodes.

    `iri` is that of its `sh:sparql`, empty for a comparison.
    """

    iri: str
    shape: str
    component: str
    severity: str
    select: str
    owners: tuple[str, ...]


class Constraints:
    """All SPARQL constraints and comparisons of a set of shapes."""

    def __init__(self, shapes: ShapeSet) -> None:
        self._shapes = shapes
        self._prefixes = _prefixes(shapes)
        self._constraints = tuple(self._read())

    def results(self, data: Data) -> Iterator[Result]:
        """Yield the results of all constraints over the data."""
        targets = {
            owner: self._targets(owner, data.store)
            for owner in dict.fromkeys(owner for one in self._constraints for owner in one.owners)
        }
        for constraint in self._constraints:
            focuses = dict.fromkeys(focus for owner in constraint.owners for focus in targets[owner])
            for focus in focuses:
                yield from self._run(constraint, focus, data.store)

    def _run(self, constraint: Constraint, focus: NamedNode, store: Store) -> Iterator[Result]:
        rows = store.query(constraint.select, prefixes=self._prefixes, substitutions={THIS: focus})
        assert isinstance(rows, QuerySolutions)
        names = {variable.value for variable in rows.variables}
        for row in rows:
            found = row["found"] if "found" in names else None
            yield Result(
                focus=focus,
                value=row["value"] if "value" in names else None,
                component=constraint.component,
                shape=constraint.shape,
                severity=constraint.severity,
                constraint=constraint.iri,
                found=found.value if isinstance(found, Literal) else "",
            )

    def _read(self) -> Iterator[Constraint]:
        shapes = self._shapes
        owners: dict[str, list[str]] = {}
        for node_shape in shapes.node_shapes:
            for term in shapes.objects(node_shape, "property"):
                if isinstance(term, NamedNode):
                    owners.setdefault(term.value, []).append(node_shape)
        for iri, shape in shapes.property_shapes.items():
            path = shapes.index.text(iri, SH + "path") or ""
            severity = shape.severity.value.capitalize()
            for name, component, select in self._queries(iri, path):
                yield Constraint(name, iri, component, severity, select, tuple(owners.get(iri, ())))

    def _queries(self, shape: str, path: str) -> Iterator[tuple[str, str, str]]:
        """Yield IRI, component and query of each constraint of a property shape that is run here."""
        shapes = self._shapes
        for constraint in shapes.objects(shape, "sparql"):
            if isinstance(constraint, NamedNode):
                select = shapes.index.text(constraint.value, SH + "select") or ""
                yield constraint.value, "SPARQLConstraintComponent", select.replace("$PATH", f"<{path}>")
        for local, operator in _OPERATORS.items():
            for other in shapes.objects(shape, local):
                if isinstance(other, NamedNode):
                    select = _COMPARISON.format(path=path, other=other.value, operator=operator)
                    yield "", f"{local[0].upper()}{local[1:]}ConstraintComponent", select

    def _targets(self, node_shape: str, store: Store) -> dict[NamedNode, None]:
        """Return the focus nodes of a node shape, in the order of their IRIs."""
        found: set[Term] = set()
        for target in self._shapes.objects(node_shape, "targetObjectsOf"):
            found |= {quad.object for quad in store.quads_for_pattern(None, _property(target), None)}
        for target in self._shapes.objects(node_shape, "targetSubjectsOf"):
            found |= {quad.subject for quad in store.quads_for_pattern(None, _property(target), None)}
        for target in self._shapes.objects(node_shape, "targetClass"):
            for kind in _with_subclasses(_property(target), store):
                found |= {quad.subject for quad in store.quads_for_pattern(None, _TYPE, kind)}
        names = sorted((term for term in found if isinstance(term, NamedNode)), key=lambda term: term.value)
        return dict.fromkeys(names)


def _with_subclasses(kind: NamedNode, store: Store) -> set[NamedNode]:
    known, open_ = {kind}, [kind]
    while open_:
        for quad in store.quads_for_pattern(None, _SUBCLASS, open_.pop()):
            if isinstance(quad.subject, NamedNode) and quad.subject not in known:
                known.add(quad.subject)
                open_.append(quad.subject)
    return known


def _property(term: Term) -> NamedNode:
    if not isinstance(term, NamedNode):
        raise TypeError(f"a target is {term}, where an IRI belongs")
    return term


def _prefixes(shapes: ShapeSet) -> dict[str, str]:
    found: dict[str, str] = {}
    for subject in shapes.index.subjects(SH + "declare"):
        for node in shapes.index.objects(subject, SH + "declare"):
            here = (
                str(node)
                if isinstance(node, BlankNode)
                else node.value
                if isinstance(node, NamedNode)
                else ""
            )
            prefix, namespace = (shapes.index.text(here, SH + name) for name in ("prefix", "namespace"))
            if prefix and namespace:
                found[prefix] = namespace
    return found
