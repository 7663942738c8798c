"""The validation report of the W3C, as statements."""

from collections.abc import Iterable, Iterator

from pyoxigraph import BlankNode, Literal, Triple

from battpass.kg.validation.compiled import paths
from battpass.kg.validation.compiled.results import Result
from battpass.kg.validation.compiled.vocabulary import BOOLEAN, TYPE, sh

_REPORT, _RESULT = sh("ValidationReport"), sh("ValidationResult")
_CONFORMS, _HAS_RESULT, _DETAIL = sh("conforms"), sh("result"), sh("detail")
_FOCUS, _PATH, _VALUE, _MESSAGE = sh("focusNode"), sh("resultPath"), sh("value"), sh("resultMessage")
_SEVERITY, _SHAPE = sh("resultSeverity"), sh("sourceShape")
_COMPONENT, _CONSTRAINT = sh("sourceConstraintComponent"), sh("sourceConstraint")


def report_graph(results: Iterable[Result]) -> Iterator[Triple]:
    """Yield the statements of the report.

    Its own blank nodes are named so that no other graph has them; those of data and shapes keep the names
    that they have there.
    """
    results = tuple(results)
    report = BlankNode()
    yield Triple(report, TYPE, _REPORT)
    yield Triple(report, _CONFORMS, Literal("false" if results else "true", datatype=BOOLEAN))
    for number, result in enumerate(results):
        node = BlankNode(f"{report.value}r{number}")
        yield Triple(report, _HAS_RESULT, node)
        yield from written(node, result)


def written(node: BlankNode, result: Result) -> Iterator[Triple]:
    """Yield the statements of one result and its details; their blank nodes are named from that of `node`."""
    yield Triple(node, TYPE, _RESULT)
    yield Triple(node, _FOCUS, result.focus)
    if result.path is not None:
        path, steps = paths.statements(result.path, f"{node.value}p")
        yield Triple(node, _PATH, path)
        yield from steps
    if result.value is not None:
        yield Triple(node, _VALUE, result.value)
    yield Triple(node, _SEVERITY, result.severity)
    yield Triple(node, _COMPONENT, result.component)
    if result.constraint is not None:
        yield Triple(node, _CONSTRAINT, result.constraint)
    yield Triple(node, _SHAPE, result.shape)
    for message in result.messages:
        yield Triple(node, _MESSAGE, message)
    for number, detail in enumerate(result.details):
        below = BlankNode(f"{node.value}d{number}")
        yield Triple(node, _DETAIL, below)
        yield from written(below, detail)
