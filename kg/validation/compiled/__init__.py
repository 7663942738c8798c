"""A compiled SHACL validator: shapes graph to plan, plan and record to report.

>>> from pyoxigraph import RdfFormat, parse
>>> heads = "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <http://example.org/> . "
>>> shapes = heads + "ex:S sh:targetClass ex:Cell ; sh:property [ sh:path ex:mass ; sh:minCount 1 ] ."
>>> validator = compile_shapes(parse(shapes, RdfFormat.TURTLE))
>>> report = validator.validate(parse(heads + "ex:c a ex:Cell .", RdfFormat.TURTLE))
>>> report.conforms, report.results[0].focus.value, report.results[0].component.value
(False, 'http://example.org/c', 'http://www.w3.org/ns/shacl#MinCountConstraintComponent')

Shapes and data with blank nodes must not be parsed with the same names for them, unless they share them:
`rename_blank_nodes` of pyoxigraph keeps them apart. `owl:imports` is not followed, and nothing is inferred.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from pyoxigraph import Quad, Triple

from battpass.kg.validation.compiled.compiler import compile_plan
from battpass.kg.validation.compiled.index import Index
from battpass.kg.validation.compiled.plan import Plan
from battpass.kg.validation.compiled.report import report_graph
from battpass.kg.validation.compiled.results import Result
from battpass.kg.validation.compiled.row import Rows

__all__ = ["Compiled", "Index", "Plan", "Report", "Result", "compile_shapes"]

_Record = TypeVar("_Record", bound=Hashable)


@dataclass(frozen=True)
class Report:
    """What a validation found; `shapes` is the digest of the shapes graph."""

    results: tuple[Result, ...]
    shapes: str

    @property
    def conforms(self) -> bool:
        """Whether there is no result, of whatever severity."""
        return not self.results

    @cached_property
    def graph(self) -> tuple[Triple, ...]:
        """The validation report of the W3C."""
        return tuple(report_graph(self.results))


class Compiled:
    """A plan with its executor. Threads may share it."""

    def __init__(self, plan: Plan, native: bool = True) -> None:
        self.plan = plan
        self._native = native
        self._rows = Rows(plan, native)

    def validate(
        self, data: Index | Iterable[Quad] | Iterable[Triple], deadline: float | None = None
    ) -> Report:
        """Return the report on data.

        Parameters
        ----------
        data
            An index, or statements, whose graph names are folded.
        deadline
            Seconds after which the validation is stopped. A single SPARQL query cannot be stopped, nor can
            pySHACL: run shapes of others that have queries in a process that can be ended.

        Raises
        ------
        DeadlineExceeded
            If the time did not suffice.
        EngineFailed
            If a query of the shapes says that it failed, or pySHACL did.
        """
        index = data if isinstance(data, Index) else Index(data)
        if self.plan.advanced:
            from battpass.kg.validation.compiled.advanced import run_advanced

            return Report(tuple(run_advanced(self.plan, index)), self.plan.digest)
        return Report(tuple(self._rows.results(index, deadline)), self.plan.digest)

    def validate_all(
        self,
        records: Iterable[tuple[_Record, Iterable[Quad] | Iterable[Triple]]],
        reference: Iterable[Quad] | Iterable[Triple] = (),
        deadline: float | None = None,
    ) -> Iterator[tuple[_Record, Report]]:
        """Yield the report on each record, in the order of the records; many at a time, so much faster.

        The reports are those of `validate` for the statements of a record and then those of the reference: no
        record sees another one, though they may share IRIs and labels of blank nodes. Some thousand records
        are read ahead, and no more are kept in memory.

        Parameters
        ----------
        records
            What a record is to be called by, and its statements, whose graph names are folded.
        reference
            Statements that belong to each record.
        deadline
            Seconds after which the validation of all is stopped, with what the caller does in between.

        Raises
        ------
        DeadlineExceeded
            If the time did not suffice.
        EngineFailed
            If a query of the shapes says that it failed, or pySHACL did.
        """
        from battpass.kg.validation.compiled.columns.fleet import Clock, Fleet, triples

        clock = Clock(deadline)
        if self.plan.advanced:
            shared = [*triples(reference)]
            for record, statements in records:
                clock.tick()
                yield record, self.validate([*triples(statements), *shared], clock.left)
            return
        fleet = Fleet(self.plan, reference, native=self._native)
        for chunk in fleet.chunks(records, clock):
            for record, results in fleet.results(chunk, clock):
                yield record, Report(tuple(results), self.plan.digest)


def compile_shapes(statements: Iterable[Quad] | Iterable[Triple], native: bool = True) -> Compiled:
    """Return the validator of a shapes graph.

    Queries that are understood to the end have a native twin, which finds the same without SPARQL; with
    `native` false, all queries are run.

    Raises
    ------
    BadShapes
        If the graph is not SHACL, its shapes are recursive, or it asks for what is not run here.
    """
    return Compiled(compile_plan(statements), native)
