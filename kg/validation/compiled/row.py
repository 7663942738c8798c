"""The row executor: runs a plan over one record, as functions that were put together beforehand.

Constraints over terms alone are asked once for each term and shape, and the answer is kept. A shape is asked
either whether a node conforms, which ends at the first objection, or for all its results.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic

from pyoxigraph import NamedNode

from battpass.kg.errors import DeadlineExceeded
from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import (
    Constraint,
    Details,
    SetConstraint,
    SetTest,
    TermConstraint,
    TermTest,
    ValueConstraint,
    ValueTest,
)
from battpass.kg.validation.compiled.constraints.cardinality import MaxCount, MinCount
from battpass.kg.validation.compiled.constraints.shape_based import Property
from battpass.kg.validation.compiled.constraints.strings import MaxLength, MinLength
from battpass.kg.validation.compiled.constraints.value_type import NodeKind
from battpass.kg.validation.compiled.index import NOTHING, Index, Members
from battpass.kg.validation.compiled.native.joins import Searched
from battpass.kg.validation.compiled.paths import Follow, Predicate, follow
from battpass.kg.validation.compiled.plan import Plan, Shape, Target
from battpass.kg.validation.compiled.results import Found, Result, Why
from battpass.kg.validation.compiled.sparql import Asked, Queries
from battpass.kg.validation.compiled.vocabulary import Node

# Answers of one shape that are kept, and the longest text that they are kept for.
_KEPT = 4096
_LONGEST = 256
_MANY = 256
# Nodes at the ends of paths that are remembered.
_ROOM = 2_000_000
_NO_END = 2**63
_NO_REASON = Why()


class Run:
    """One validation: the data, what is known of it so far, and until when there is time.

    `searched` is the data as twins of queries look at them, None where all queries are run.
    """

    def __init__(self, index: Index, queries: Queries, deadline: float | None, native: bool) -> None:
        self.index = index
        self.queries = queries
        self.searched = Searched(index) if native else None
        self.known: dict[tuple[int, Term], bool] = {}
        self.walked: dict[Follow, dict[Term, Sequence[Term]]] = {}
        self.room = _ROOM
        self.awake: dict[int, tuple[Awake, ...]] = {}
        self.hurried = deadline is not None
        self._deadline = deadline or 0.0
        self._until = monotonic() + self._deadline

    def tick(self) -> None:
        """Raise DeadlineExceeded if there is no time left."""
        if self.hurried and monotonic() > self._until:
            raise DeadlineExceeded(
                f"The validation was stopped after {self._deadline:g} s. "
                "Validate less at once, allow more time, or look for shapes that multiply."
            )

    def watched(self, terms: Sequence[Term]) -> Iterator[Term] | Sequence[Term]:
        """Return the terms; where they are many, looking at the clock between them."""
        return terms if len(terms) <= _MANY else self._watched(terms)

    def _watched(self, terms: Sequence[Term]) -> Iterator[Term]:
        for number, term in enumerate(terms):
            if not number % _MANY:
                self.tick()
            yield term


class RowShape:
    """A shape, ready to be asked about focus nodes.

    `predicate` is its path where that is one property; `silent` says that without value nodes it finds
    nothing, so that it need not be asked at all.
    """

    def __init__(self, shape: Shape, number: int) -> None:
        self._shape = shape
        self._number = number
        self._follow = None if shape.path is None else follow(shape.path)
        self._terms: tuple[tuple[Constraint, TermTest], ...] = ()
        self._values: tuple[tuple[Constraint, ValueTest, Details | None], ...] = ()
        self._sets: tuple[tuple[Constraint, SetTest], ...] = ()
        self._counts: tuple[tuple[Constraint, SetTest], ...] = ()
        self._least, self._most = 0, _NO_END
        self._properties: tuple[RowShape, ...] = ()
        self._kept: dict[Term, tuple[Constraint, ...]] = {}
        self._cheap = self._plain = False
        self.predicate = shape.path.iri if isinstance(shape.path, Predicate) else None
        self.silent = shape.path is not None

    def connect(self, shapes: Mapping[Node, "RowShape"]) -> None:
        """Put the functions of the constraints together, now that all shapes are there."""
        if self._shape.deactivated:
            return
        constraints = self._shape.constraints
        self._terms = tuple((one, one.test()) for one in constraints if isinstance(one, TermConstraint))
        # To look at a term again costs less than to look it up.
        self._cheap = all(isinstance(one, NodeKind | MinLength | MaxLength) for one, _ in self._terms)
        self._values = tuple(
            (one, one.test(shapes.__getitem__), one.details(shapes.__getitem__))
            for one in constraints
            if isinstance(one, ValueConstraint)
        )
        sets = [one for one in constraints if isinstance(one, SetConstraint)]
        tests = tuple((one, one.test(shapes.__getitem__)) for one in sets)
        # Nearly every shape counts, so counts are held against two numbers before their functions are asked.
        self._counts = tuple(pair for pair in tests if isinstance(pair[0], MinCount | MaxCount))
        self._sets = tuple(pair for pair in tests if not isinstance(pair[0], MinCount | MaxCount))
        self._least = max((one.least for one in sets if isinstance(one, MinCount)), default=0)
        self._most = min((one.most for one in sets if isinstance(one, MaxCount)), default=_NO_END)
        self._properties = tuple(shapes[one.shape] for one in constraints if isinstance(one, Property))
        self._plain = bool(self._terms and not self._cheap and self._least <= 1 <= self._most) and not (
            self._sets or self._values or self._properties
        )
        self.silent = self.silent and all(one.silent for one in sets)

    def conforms(self, run: Run, node: Term) -> bool:
        """Return whether a node conforms."""
        key = (self._number, node)
        known = run.known.get(key)
        if known is None:
            known = run.known[key] = self._conforms(run, node)
        return known

    def _conforms(self, run: Run, node: Term) -> bool:
        run.tick()
        values = (node,) if self._follow is None else self._follow(run, node)
        if not self._least <= len(values) <= self._most:
            return False
        for _, found in self._sets:
            for _ in found(run, node, values):
                return False
        if not values:
            return True
        if self._terms and any(self._objections(value) for value in run.watched(values)):
            return False
        for _, holds, _ in self._values:
            if not all(holds(run, value) for value in run.watched(values)):
                return False
        return all(
            one.conforms(run, value)
            for one, members, _ in self._awake(run)
            for value in values
            if members is None or value in members or not one.silent
        )

    def results(self, run: Run, node: Term) -> list[Result]:
        """Return all results about a focus node."""
        out: list[Result] = []
        self.judge(run, node, out)
        return out

    def judge(self, run: Run, node: Term, out: list[Result]) -> None:
        """Add all results about a focus node."""
        self._judge(run, node, (node,) if self._follow is None else self._follow(run, node), out)

    def _judge(self, run: Run, node: Term, values: Sequence[Term], out: list[Result]) -> None:
        """Add all results about a focus node with its value nodes."""
        if run.hurried:
            run.tick()
        count = len(values)
        if not self._least <= count <= self._most:
            for constraint, found in self._counts:
                for one in found(run, node, values):
                    out.append(self._result(constraint, node, one))
        for constraint, found in self._sets:
            for one in found(run, node, values):
                out.append(self._result(constraint, node, one))
        if not count:
            return
        if self._terms:
            kept, cheap = self._kept, self._cheap
            for value in values if count <= _MANY else run.watched(values):
                objections = None if cheap else kept.get(value)
                if objections is None:
                    objections = self._objections(value)
                for constraint in objections:
                    out.append(self._result(constraint, node, Found(value)))
        for constraint, holds, details in self._values:
            for value in values if count <= _MANY else run.watched(values):
                if not holds(run, value):
                    why = _NO_REASON if details is None else details(run, value)
                    missed = Found(value, details=why.details, branches=why.branches)
                    out.append(self._result(constraint, node, missed))
        if self._properties:
            awake = self._awake(run)
            for value in values if count <= _MANY else run.watched(values):
                for shape, members, sound in awake:
                    if members is not None:
                        below: Sequence[Term] = members.get(value, ())
                        if sound is not None and len(below) == 1 and sound.get(below[0]) == ():
                            continue
                        if below or not shape.silent:
                            shape._judge(run, value, below, out)
                    else:
                        follow_ = shape._follow
                        shape._judge(run, value, () if follow_ is None else follow_(run, value), out)

    def _awake(self, run: Run) -> tuple["Awake", ...]:
        """Return the property shapes that can find something in these data, with the values they look at.

        Third is what a shape knows of terms, where one value to which it does not object is all it wants.
        """
        found = run.awake.get(self._number)
        if found is None:
            table = run.index.table
            found = run.awake[self._number] = tuple(
                (
                    one,
                    None if one.predicate is None else table.get(one.predicate, NOTHING),
                    one._kept if one._plain else None,
                )
                for one in self._properties
                if one.predicate is None or one.predicate in table or not one.silent
            )
        return found

    def _objections(self, value: Term) -> tuple[Constraint, ...]:
        """Return the constraints over terms that a value does not satisfy."""
        found = None if self._cheap else self._kept.get(value)
        if found is None:
            found = tuple(constraint for constraint, holds in self._terms if not holds(value))
            if not self._cheap and len(getattr(value, "value", "")) <= _LONGEST:
                if len(self._kept) >= _KEPT:
                    self._kept.clear()
                self._kept[value] = found
        return found

    def _result(self, constraint: Constraint, focus: Term, found: Found) -> Result:
        shape = self._shape
        return Result(
            focus=focus,
            path=found.path or shape.path,
            value=found.value,
            component=constraint.component,
            shape=shape.node,
            severity=shape.severity,
            constraint=constraint.source,
            messages=found.messages or shape.messages,
            details=found.details,
            told=found.told,
            branches=found.branches,
            rule=constraint,
        )


Awake = tuple[RowShape, Members | None, dict[Term, tuple[Constraint, ...]] | None]


class Rows:
    """A plan, put together for running over records one at a time. Threads may share it.

    `native` says whether twins may stand in for queries.
    """

    def __init__(self, plan: Plan, native: bool = True) -> None:
        self._plan = plan
        self._native = native
        self._shapes = {
            node: RowShape(shape, number) for number, (node, shape) in enumerate(plan.shapes.items())
        }
        for shape in self._shapes.values():
            shape.connect(self._shapes)
        self._targeted = [
            (self._shapes[shape.node], [*map(_finder, shape.targets)]) for shape in plan.targeted
        ]
        self._asked = Asked(plan.queries)

    def results(self, index: Index, deadline: float | None) -> list[Result]:
        """Return all results over the data, in an order that depends on nothing but shapes and data."""
        queries = Queries(index, self._asked, self._plan.quads)
        run = Run(index, queries, deadline, self._native)
        out: list[Result] = []
        for shape, finders in self._targeted:
            if len(finders) == 1:
                focuses: Sequence[Term] | dict[Term, None] = finders[0](index)
            else:
                focuses = {focus: None for find in finders for focus in find(index)}
            for focus in focuses:
                shape.judge(run, focus, out)
        if len(out) > 1:
            out.sort(key=_order)
        return out


def _order(result: Result) -> tuple[str, ...]:
    parts = (result.focus, result.shape, result.component, result.constraint, result.value)
    return tuple("" if part is None else str(part) for part in parts)


def _finder(target: Target) -> Callable[[Index], Sequence[Term]]:
    """Return the function that finds the focus nodes of a target, each once."""
    term = target.term
    if target.kind == "targetNode":
        return lambda index: (term,)
    assert isinstance(term, NamedNode)
    if target.kind == "targetClass":
        return lambda index: index.instances(term)
    if target.kind == "targetSubjectsOf":
        return lambda index: tuple(index.by_subject(term))
    return lambda index: tuple(index.by_object(term))
