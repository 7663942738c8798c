"""What an engine finds, and the W3C validation report that says so.

An engine returns `Result`s; the report graph and the findings for people are both made from them, so
that another engine can take the place of the present one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from battpass.kg.index import Term
from battpass.kg.namespaces import RDF, XSD
from battpass.kg.validation.compiled.report import written
from battpass.kg.validation.compiled.results import Branches
from battpass.kg.validation.compiled.results import Result as Detail
from battpass.kg.validation.shapes import SH, ShapeSet

REPORT = BlankNode("report")


@dataclass(frozen=True, slots=True)
class Result:
    """One validation result.

    `focus` is a node or, where a literal stands in the place of one, that literal. `component` and
    `severity` are local names of SHACL (`MinCountConstraintComponent`, `Violation`); `shape` is the IRI of
    the property shape, `constraint` that of its SPARQL constraint, if one spoke. `found` is what the
    constraint's query says was found, where it says so. `details` are the results of the shapes that this
    one asked, and `branches` says of which branch of a choice, where the engine tells.
    """

    focus: Term
    value: Term | None
    component: str
    shape: str
    severity: str
    constraint: str = ""
    found: str = ""
    details: tuple[Detail, ...] = ()
    branches: Branches | None = None


def report_graph(results: Sequence[Result], shapes: Iterable[ShapeSet]) -> tuple[Triple, ...]:
    """Return the validation report as the standard writes it; paths are copied from the shapes."""
    return tuple(_report(results, tuple(shapes)))


def _report(results: Sequence[Result], shapes: tuple[ShapeSet, ...]) -> Iterator[Triple]:
    yield Triple(REPORT, _TYPE, _sh("ValidationReport"))
    conforms = Literal("false" if results else "true", datatype=NamedNode(XSD + "boolean"))
    yield Triple(REPORT, _sh("conforms"), conforms)
    for number, result in enumerate(results, start=1):
        node = BlankNode(f"result{number}")
        yield Triple(REPORT, _sh("result"), node)
        yield Triple(node, _TYPE, _sh("ValidationResult"))
        yield Triple(node, _sh("focusNode"), result.focus)
        yield Triple(node, _sh("sourceConstraintComponent"), _component(result.component))
        yield Triple(node, _sh("sourceShape"), NamedNode(result.shape))
        yield Triple(node, _sh("resultSeverity"), _sh(result.severity))
        if result.constraint:
            yield Triple(node, _sh("sourceConstraint"), NamedNode(result.constraint))
        if result.value is not None:
            yield Triple(node, _sh("value"), result.value)
        for known in shapes:
            if result.shape in known.property_shapes:
                yield from _of_shape(node, result.shape, known)
        for place, detail in enumerate(result.details):
            below = BlankNode(f"{node.value}d{place}")
            yield Triple(node, _sh("detail"), below)
            yield from written(below, detail)


def _of_shape(node: BlankNode, shape: str, shapes: ShapeSet) -> Iterator[Triple]:
    for message in shapes.objects(shape, "message"):
        yield Triple(node, _sh("resultMessage"), message)
    for path in shapes.objects(shape, "path"):
        if not isinstance(path, BlankNode):
            yield Triple(node, _sh("resultPath"), path)
            continue
        # Paths with blank nodes are not shared among results: the W3C suite compares them one by one.
        own = BlankNode(f"{node.value}p{path.value}")
        yield Triple(node, _sh("resultPath"), own)
        yield from _copied(path, node.value, shapes)


def _copied(here: BlankNode, prefix: str, shapes: ShapeSet) -> Iterator[Triple]:
    for quad in shapes.quads:
        if quad.subject != here:
            continue
        target = quad.object
        if isinstance(target, BlankNode):
            yield from _copied(target, prefix, shapes)
            target = BlankNode(f"{prefix}p{target.value}")
        yield Triple(BlankNode(f"{prefix}p{here.value}"), quad.predicate, target)


def _component(name: str) -> NamedNode:
    """Return a component: those of the standard go by their local names, others by their IRIs."""
    return NamedNode(name) if ":" in name else _sh(name)


def _sh(local: str) -> NamedNode:
    return NamedNode(SH + local)


_TYPE = NamedNode(RDF + "type")
