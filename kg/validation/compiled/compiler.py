"""From a shapes graph to a plan."""

from collections.abc import Iterable, Iterator

from pyoxigraph import Literal, NamedNode, Quad, Triple

from battpass.kg.namespaces import shorten
from battpass.kg.validation.compiled import sparql
from battpass.kg.validation.compiled.constraints import (
    cardinality,
    logical,
    other,
    pairs,
    ranges,
    shape_based,
    strings,
    value_type,
)
from battpass.kg.validation.compiled.constraints.base import Constraint
from battpass.kg.validation.compiled.digest import digest_of
from battpass.kg.validation.compiled.paths import Path
from battpass.kg.validation.compiled.plan import Plan, Shape, Target, check_references
from battpass.kg.validation.compiled.sparql import Component
from battpass.kg.validation.compiled.syntax import Description, ShapesGraph, bad, shown
from battpass.kg.validation.compiled.vocabulary import (
    ADVANCED_PROPERTIES,
    ADVANCED_TYPES,
    CLASS,
    KNOWN,
    NODE_SHAPE,
    OWL_CLASS,
    PROPERTY_SHAPE,
    SCRIPTS,
    SH,
    VIOLATION,
    sh,
)

_FOR_BOTH = (value_type, ranges, strings, pairs, logical, shape_based, other)
# What only a property shape may say.
_OF_PATHS = ("minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals", "qualifiedValueShape")


def compile_plan(statements: Iterable[Quad] | Iterable[Triple]) -> Plan:
    """Return the plan of a shapes graph.

    Raises
    ------
    BadShapes
        If it is not SHACL, its shapes are recursive, or it asks for what is not run here.
    """
    graph = ShapesGraph(statements)
    quads = tuple(graph.index.quads())
    digest = digest_of(quads)
    _check_graph(graph)
    if advanced := _advanced(graph):
        return Plan(digest, {}, quads, advanced)
    components = sparql.read_components(graph)
    predicates = [one.predicate for component in components for one in component.parameters]
    shapes = {node: _shape(Description(graph, node), components) for node in graph.shapes(predicates)}
    check_references(shapes)
    return Plan(digest, shapes, quads)


def _check_graph(graph: ShapesGraph) -> None:
    for predicate in SCRIPTS:
        for node in graph.index.by_subject(predicate):
            raise bad(node, f"{shorten(predicate.value)} asks for JavaScript", "Say it in SPARQL instead")
    for node, regimes in graph.index.by_subject(sh("entailment")).items():
        raise bad(
            node,
            f"sh:entailment asks for {shown(regimes[0])}, and nothing is inferred here",
            "Validate the data with what follows from them",
        )


def _advanced(graph: ShapesGraph) -> tuple[str, ...]:
    """Return what the graph uses of SHACL Advanced Features."""
    found = {shorten(predicate.value) for predicate in ADVANCED_PROPERTIES & graph.index.table.keys()}
    found |= {shorten(kind.value) for kind in ADVANCED_TYPES if graph.index.instances(kind)}
    return tuple(sorted(found))


def _shape(description: Description, components: tuple[Component, ...]) -> Shape:
    path = description.path()
    _check_kind(description, path)
    _check_names(description)
    severity = description.iri("severity") or VIOLATION
    return Shape(
        node=description.node,
        path=path,
        targets=tuple(_targets(description)),
        constraints=tuple(_constraints(description, path, components)),
        severity=severity,
        messages=description.messages(),
        deactivated=description.boolean("deactivated"),
    )


def _constraints(
    description: Description, path: Path | None, components: tuple[Component, ...]
) -> Iterator[Constraint]:
    if path is not None:
        yield from cardinality.read(description)
    for family in _FOR_BOTH:
        yield from family.read(description)
    yield from sparql.read(description, path, components)


def _check_kind(description: Description, path: Path | None) -> None:
    types = description.graph.types(description.node)
    if path is None:
        if PROPERTY_SHAPE in types:
            raise description.bad("a sh:PropertyShape without sh:path", "Give it a path")
        for local in _OF_PATHS:
            if description.has(local):
                raise description.said(local).bad("stands at a node shape", "Move it to a shape with sh:path")
    elif NODE_SHAPE in types:
        raise description.bad(
            "a sh:NodeShape with sh:path", "Call it sh:PropertyShape, or take the path away"
        )


def _check_names(description: Description) -> None:
    """Refuse what looks like SHACL and is not: a misspelt parameter must not let data through."""
    for predicate, _ in description.graph.index.properties(description.node):
        if predicate.value.startswith(SH) and predicate not in KNOWN:
            raise description.bad(
                f"{shorten(predicate.value)} is no property of SHACL 1.0",
                "Look for a slip in its spelling, or put it in a namespace of your own",
            )


def _targets(description: Description) -> Iterator[Target]:
    for local in ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf"):
        for term in description.all(local):
            if not isinstance(term, NamedNode | (Literal if local == "targetNode" else NamedNode)):
                raise description.said(local).bad(f"is {shown(term)}, where an IRI belongs", "Name one")
            yield Target(local, term)
    if {CLASS, OWL_CLASS} & description.graph.types(description.node):
        if not isinstance(description.node, NamedNode):
            raise description.bad("a class that is a shape, and has no IRI", "Name it")
        yield Target("targetClass", description.node)
