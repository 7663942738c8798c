"""Property pairs: `sh:equals`, `sh:disjoint`, `sh:lessThan`, `sh:lessThanOrEquals`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import Constraint, Judges, SetConstraint, SetTest
from battpass.kg.validation.compiled.literals import Value, compared, value_of
from battpass.kg.validation.compiled.results import Found
from battpass.kg.validation.compiled.syntax import Description
from battpass.kg.validation.compiled.vocabulary import sh

if TYPE_CHECKING:
    from battpass.kg.validation.compiled.row import Run

_ALLOWED = {"lessThan": (-1,), "lessThanOrEquals": (-1, 0)}


def read(description: Description) -> Iterator[Constraint]:
    """Yield the constraints of a shape on pairs of properties."""
    for other in description.iris("equals"):
        yield Equals(other)
    for other in description.iris("disjoint"):
        yield Disjoint(other)
    for local in _ALLOWED:
        for other in description.iris(local):
            yield Less(local, other)


@dataclass(frozen=True)
class Equals(SetConstraint):
    """The value nodes are the values of the other property; one result for each that is not in both."""

    other: NamedNode
    component = sh("EqualsConstraintComponent")

    def test(self, judges: Judges) -> SetTest:
        other = self.other

        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterable[Found]:
            others = run.index.objects(focus, other)
            if len(values) == len(others) <= 1:  # as nearly everywhere
                if not values or values[0] == others[0]:
                    return ()
                return Found(values[0]), Found(others[0])
            mine, theirs = frozenset(values), frozenset(others)
            missing = [Found(value) for value in values if value not in theirs]
            return missing + [Found(value) for value in others if value not in mine]

        return found


@dataclass(frozen=True)
class Disjoint(SetConstraint):
    """No value node is a value of the other property."""

    other: NamedNode
    component = sh("DisjointConstraintComponent")
    silent = True

    def test(self, judges: Judges) -> SetTest:
        other = self.other

        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterable[Found]:
            others = frozenset(run.index.objects(focus, other))
            return (Found(value) for value in values if value in others) if others else ()

        return found


@dataclass(frozen=True)
class Less(SetConstraint):
    """Each value node is less than each value of the other property; one result for each pair that fails."""

    parameter: str
    other: NamedNode
    silent = True

    @property
    def component(self) -> NamedNode:
        """The constraint component."""
        return sh(f"{self.parameter[0].upper()}{self.parameter[1:]}ConstraintComponent")

    @property
    def allowed(self) -> tuple[int, ...]:
        """What the order of a value against one of the other property may be."""
        return _ALLOWED[self.parameter]

    def test(self, judges: Judges) -> SetTest:
        other, allowed = self.other, self.allowed

        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterator[Found]:
            others = [_value(term) for term in run.index.objects(focus, other)]
            if not others or not values:
                return
            mine = [_value(value) for value in values]
            if len(mine) * len(others) > 1 and _all_below(mine, others, allowed):
                return
            for value, content in zip(values, mine, strict=True):
                run.tick()
                for bound in others:
                    if compared(content, bound) not in allowed:
                        yield Found(value)

        return found


def _value(term: Term) -> Value | None:
    return value_of(term) if isinstance(term, Literal) else None


def _all_below(mine: list[Value | None], others: list[Value | None], allowed: tuple[int, ...]) -> bool:
    """Return whether the largest is below the smallest, which spares looking at all pairs.

    Only where all are of one kind and exactness, so that they are ordered as a whole.
    """
    first = mine[0]
    if first is None or first.kind == "duration":
        return False
    for value in (*mine, *others):
        if value is None or (value.kind, value.zoned) != (first.kind, first.zoned):
            return False
        if value.content != value.content:  # NaN
            return False
    largest = max((value for value in mine if value is not None), key=lambda value: value.content)
    smallest = min((value for value in others if value is not None), key=lambda value: value.content)
    return compared(largest, smallest) in allowed
