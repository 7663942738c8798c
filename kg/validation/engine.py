"""The engine that runs shapes: they are compiled once, and run over one record at a time."""

from collections.abc import Hashable, Iterable, Iterator
from typing import Protocol, TypeVar

from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.validation.compiled import compile_shapes
from battpass.kg.validation.compiled.results import Result as Compiled
from battpass.kg.validation.data import Data
from battpass.kg.validation.results import Result
from battpass.kg.validation.shapes import SH, ShapeSet

# The variable by which the queries of our shapes say in words what was found; other engines pass it by.
_FOUND = "found"

_Name = TypeVar("_Name", bound=Hashable)


class Engine(Protocol):
    """Runs one set of shapes over data."""

    def results(self, data: Data) -> list[Result]:
        """Return all results, in an order that depends on nothing but shapes and data."""
        ...

    def results_of_all(
        self, records: Iterable[tuple[_Name, Data]], reference: Iterable[Quad]
    ) -> Iterator[tuple[_Name, list[Result]]]:
        """Yield for each of many records what `results` returns for it with the reference statements."""
        ...


class CompiledEngine:
    """The compiled validator over a set of shapes. Threads may share it.

    Raises
    ------
    BadShapes
        If the shapes cannot be compiled.
    """

    def __init__(self, shapes: ShapeSet) -> None:
        self._shapes = compile_shapes(shapes.quads)

    def results(self, data: Data) -> list[Result]:
        """Return the results, in the order of their focus nodes."""
        return _in_order(self._shapes.validate(data.compiled).results)

    def results_of_all(
        self, records: Iterable[tuple[_Name, Data]], reference: Iterable[Quad]
    ) -> Iterator[tuple[_Name, list[Result]]]:
        """Yield the results of each record, found in columns."""
        statements = ((name, data.statements) for name, data in records)
        for name, report in self._shapes.validate_all(statements, reference):
            yield name, _in_order(report.results)


def _in_order(results: Iterable[Compiled]) -> list[Result]:
    return sorted(
        map(_result, results),
        key=lambda result: (str(result.focus), result.shape, str(result.value), result.component),
    )


def _result(result: Compiled) -> Result:
    found = dict(result.told).get(_FOUND)
    return Result(
        focus=result.focus,
        value=result.value,
        component=result.component.value.removeprefix(SH),
        shape=result.shape.value if isinstance(result.shape, NamedNode) else str(result.shape),
        severity=result.severity.value.removeprefix(SH),
        constraint=result.constraint.value if isinstance(result.constraint, NamedNode) else "",
        found=found.value if isinstance(found, Literal) else "",
        details=result.details,
        branches=result.branches,
    )
