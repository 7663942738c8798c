"""A fleet of records, validated in columns; the row executor says why a focus node fails."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Generic

import numpy as np
from pyoxigraph import Triple

from battpass.kg.errors import DeadlineExceeded
from battpass.kg.index import Term
from battpass.kg.validation.compiled.columns.encode import (
    RECORDS,
    Chunk,
    Encoder,
    Record,
    Statements,
    uncollected,
)
from battpass.kg.validation.compiled.columns.screen import Screen
from battpass.kg.validation.compiled.columns.sets import FAILS
from battpass.kg.validation.compiled.index import Index
from battpass.kg.validation.compiled.plan import Plan
from battpass.kg.validation.compiled.results import Result
from battpass.kg.validation.compiled.row import Rows, Run, _order
from battpass.kg.validation.compiled.sparql import Asks, Queries, Selects
from battpass.kg.validation.compiled.vocabulary import Node


class Clock:
    """The time that a validation may take, in seconds; None is no end."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._until = monotonic() + (seconds or 0.0)

    def tick(self) -> None:
        """Raise DeadlineExceeded if there is no time left."""
        if self.left == 0.0:
            raise self.over()

    @property
    def left(self) -> float | None:
        """The seconds that are left, None if there is no end."""
        return None if self._seconds is None else max(0.0, self._until - monotonic())

    def over(self) -> DeadlineExceeded:
        """Return the error that says that time is up."""
        return DeadlineExceeded(
            f"The validation of the fleet was stopped after {self._seconds:g} s. "
            "Validate fewer records at once, allow more time, or look for shapes that multiply."
        )


@dataclass(frozen=True, slots=True)
class Suspect(Generic[Record]):
    """A focus node that does not conform for sure: of which record, by which shape.

    `open` says that only the row executor can tell; otherwise the node fails.
    """

    record: Record
    shape: Node
    focus: Term
    open: bool


class Explainer(Rows):
    """The row executor, asked about single focus nodes."""

    def about(self, index: Index, focuses: list[tuple[Node, Term]], left: float | None) -> list[Result]:
        """Return all results about focus nodes, in the order in which a whole validation returns them."""
        run = Run(index, Queries(index, self._asked, self._plan.quads), left, self._native)
        out = [result for node, focus in focuses for result in self._shapes[node].results(run, focus)]
        out.sort(key=_order)
        return out


class Fleet:
    """Validates records against one plan, each alone with the reference statements. Threads may share it.

    Parameters
    ----------
    reference
        Statements that belong to each record. Give them blank nodes of their own.
    most
        Records that are held in memory at once; fewer where they are large.
    native
        Whether twins may stand in for queries.
    """

    def __init__(
        self, plan: Plan, reference: Statements = (), most: int = RECORDS, native: bool = True
    ) -> None:
        self._plan = plan
        self._reference = [*triples(reference)]
        self._most = most
        self._rows = Explainer(plan, native)
        self._named = tuple(
            target.term for shape in plan.targeted for target in shape.targets if target.kind == "targetNode"
        )

    @property
    def handed(self) -> tuple[tuple[Node, Node], ...]:
        """The constraints that have no form in columns, as shape and component: queries.

        The row executor decides them for each focus node that has what the query cannot do without, as far as
        `search` finds that. Besides it decides `sh:lessThan` and `sh:lessThanOrEquals` for nodes with many
        values.
        """
        return tuple(
            (shape.node, constraint.component)
            for shape in self._plan.shapes.values()
            for constraint in shape.constraints
            if isinstance(constraint, Selects | Asks)
        )

    def chunks(
        self, records: Iterable[tuple[Record, Statements]], clock: Clock | None = None
    ) -> Iterator[Chunk[Record]]:
        """Yield the records as arrays, as many at a time as memory is meant for."""
        encoder = Encoder[Record](self._reference, self._named, self._most)
        records = iter(records)
        while True:
            with uncollected():
                for record, statements in records:
                    encoder.add(record, statements)
                    if clock is not None:
                        clock.tick()
                    if encoder.full:
                        break
            if not len(encoder):
                return
            yield encoder.take()

    def suspects(self, chunk: Chunk[Record], clock: Clock) -> Iterator[Suspect[Record]]:
        """Yield the focus nodes of a chunk that fail, or that only the row executor can judge."""
        for record, found in self._screened(chunk, clock).items():
            for node, focus, sure in found:
                yield Suspect(chunk.records[record], node, focus, not sure)

    def results(self, chunk: Chunk[Record], clock: Clock) -> Iterator[tuple[Record, list[Result]]]:
        """Yield each record of a chunk with its results."""
        with uncollected():
            screened = self._screened(chunk, clock)
        for number, record in enumerate(chunk.records):
            found = screened.get(number)
            if found is None:
                yield record, []
                continue
            clock.tick()
            try:
                focuses = [(node, focus) for node, focus, _ in found]
                yield record, self._rows.about(chunk.index(number), focuses, clock.left)
            except DeadlineExceeded as error:
                raise clock.over() from error

    def _screened(self, chunk: Chunk[Record], clock: Clock) -> dict[int, list[tuple[Node, Term, bool]]]:
        """Return by number of record what does not conform for sure: shape, focus, whether it fails."""
        screened: dict[int, list[tuple[Node, Term, bool]]] = {}
        for shape, nodes, answers in Screen(self._plan, chunk, clock.tick).suspects():
            terms = chunk.terms_of[nodes].tolist()
            records = chunk.records_of(nodes).tolist()
            sure = np.equal(answers, FAILS).tolist()
            for record, term, fails in zip(records, terms, sure, strict=True):
                screened.setdefault(record, []).append((shape.node, chunk.terms[term], fails))
        return screened


def triples(statements: Statements) -> Iterator[Triple]:
    """Yield statements without their graph names."""
    return (Triple(one.subject, one.predicate, one.object) for one in statements)
