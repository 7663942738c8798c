"""Logic over shapes: `sh:not`, `sh:and`, `sh:or`, `sh:xone`.

What a value lacks of a choice is told of the branch that comes closest: the one with the fewest violations,
then warnings, then other results, and of equals the first. Results within results count as those that they
come from.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyoxigraph import NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import (
    Constraint,
    Details,
    Judge,
    Judges,
    ValueConstraint,
    ValueTest,
)
from battpass.kg.validation.compiled.results import Branches, Result, Why
from battpass.kg.validation.compiled.syntax import Description
from battpass.kg.validation.compiled.vocabulary import VIOLATION, Node, sh

if TYPE_CHECKING:
    from battpass.kg.validation.compiled.row import Run

_GRAVITY: Mapping[NamedNode, int] = {VIOLATION: 0, sh("Warning"): 1}


def read(description: Description) -> Iterator[Constraint]:
    """Yield the logical constraints of a shape."""
    for shape in description.nodes("not"):
        yield Not(shape)
    for local, kind in (("and", And), ("or", Or), ("xone", Xone)):
        for shapes in description.lists_of_nodes(local):
            yield kind(shapes)


@dataclass(frozen=True)
class Not(ValueConstraint):
    """No value node conforms to the shape."""

    shape: Node
    component = sh("NotConstraintComponent")

    @property
    def refers(self) -> tuple[Node, ...]:
        """The shape that must not hold."""
        return (self.shape,)

    def test(self, judges: Judges) -> ValueTest:
        judge = judges(self.shape)
        return lambda run, value: not judge.conforms(run, value)


@dataclass(frozen=True)
class _Several(ValueConstraint):
    shapes: tuple[Node, ...]

    @property
    def refers(self) -> tuple[Node, ...]:
        """The shapes of the list."""
        return self.shapes


class And(_Several):
    """Each value node conforms to all shapes of the list."""

    component = sh("AndConstraintComponent")

    def test(self, judges: Judges) -> ValueTest:
        asked = tuple(judges(shape) for shape in self.shapes)
        return lambda run, value: all(judge.conforms(run, value) for judge in asked)

    def details(self, judges: Judges) -> Details:
        """Return the function that says what each shape of the list finds."""
        asked = tuple(judges(shape) for shape in dict.fromkeys(self.shapes))
        return lambda run, value: Why(
            tuple(result for judge in asked for result in judge.results(run, value))
        )


class Or(_Several):
    """Each value node conforms to at least one shape of the list."""

    component = sh("OrConstraintComponent")

    def test(self, judges: Judges) -> ValueTest:
        asked = tuple(judges(shape) for shape in self.shapes)
        return lambda run, value: any(judge.conforms(run, value) for judge in asked)

    def details(self, judges: Judges) -> Details:
        """Return the function that says what the closest shape of the list finds."""
        asked = tuple(judges(shape) for shape in self.shapes)
        return lambda run, value: closest(run, value, self.shapes, asked)


class Xone(_Several):
    """Each value node conforms to exactly one shape of the list; one that stands there twice counts twice."""

    component = sh("XoneConstraintComponent")

    def test(self, judges: Judges) -> ValueTest:
        asked = tuple(judges(shape) for shape in self.shapes)
        return lambda run, value: sum(judge.conforms(run, value) for judge in asked) == 1

    def details(self, judges: Judges) -> Details:
        """Return the function that says which shapes hold, or where none does, what the closest one finds."""
        shapes = self.shapes
        asked = tuple(judges(shape) for shape in shapes)

        def why(run: "Run", value: Term) -> Why:
            places = tuple(at for at, judge in enumerate(asked, start=1) if judge.conforms(run, value))
            if not places:
                return closest(run, value, shapes, asked)
            holding = tuple(shapes[at - 1] for at in places)
            return Why(branches=Branches(places, holding, len(shapes), hold=True))

        return why


def closest(run: "Run", value: Term, shapes: tuple[Node, ...], asked: tuple[Judge, ...]) -> Why:
    """Return what the shape that a value misses least finds about it, and which one that is."""
    known: dict[Node, tuple[Result, ...]] = {}
    for shape, judge in zip(shapes, asked, strict=True):
        if shape not in known:
            known[shape] = tuple(judge.results(run, value))
    if not known:
        return Why()
    nearest = min(known, key=lambda shape: _distance(known[shape]))
    return Why(known[nearest], Branches((shapes.index(nearest) + 1,), (nearest,), len(shapes)))


def _distance(results: Iterable[Result]) -> tuple[int, int, int]:
    """Return how many violations, warnings and other results there are at the ends of these."""
    counts = [0, 0, 0]
    waiting = list(results)
    while waiting:
        result = waiting.pop()
        if result.details:
            waiting += result.details
        else:
            counts[_GRAVITY.get(result.severity, 2)] += 1
    return counts[0], counts[1], counts[2]
