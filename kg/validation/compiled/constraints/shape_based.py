"""Other shapes: `sh:node`, `sh:property`, `sh:qualifiedValueShape`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyoxigraph import NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import (
    Constraint,
    Details,
    Judges,
    SetConstraint,
    SetTest,
    ValueConstraint,
    ValueTest,
)
from battpass.kg.validation.compiled.results import Found, Why
from battpass.kg.validation.compiled.syntax import Description
from battpass.kg.validation.compiled.vocabulary import PATH, PROPERTY, Node, sh

if TYPE_CHECKING:
    from battpass.kg.validation.compiled.row import Run

_QUALIFIED = sh("qualifiedValueShape")


def read(description: Description) -> Iterator[Constraint]:
    """Yield the constraints of a shape that ask other shapes."""
    for shape in description.nodes("node"):
        yield Conforms(shape)
    for shape in description.nodes("property"):
        if not description.graph.index.objects(shape, PATH):
            raise description.said("property").bad(
                f"holds {shape}, which has no sh:path", "Give it a path, or use sh:node"
            )
        yield Property(shape)
    yield from _qualified(description)


def _qualified(description: Description) -> Iterator[Constraint]:
    shapes = description.nodes("qualifiedValueShape")
    least, most = description.integer("qualifiedMinCount"), description.integer("qualifiedMaxCount")
    disjoint = description.boolean("qualifiedValueShapesDisjoint")
    # A count without a shape to count by declares no constraint: the suite of the W3C has a test of it.
    if not shapes:
        return
    description.one("qualifiedValueShape")
    siblings = _siblings(description, shapes[0]) if disjoint else ()
    if least is not None:
        yield Qualified(shapes[0], siblings, "Min", least)
    if most is not None:
        yield Qualified(shapes[0], siblings, "Max", most)


def _siblings(description: Description, own: Node) -> tuple[Node, ...]:
    index = description.graph.index
    found = {
        shape: None
        for parent in index.subjects(PROPERTY, description.node)
        for beside in index.objects(parent, PROPERTY)
        for shape in index.objects(beside, _QUALIFIED)
        if shape != own
    }
    return tuple(sorted(found, key=str))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Conforms(ValueConstraint):
    """Each value node conforms to the node shape."""

    shape: Node
    component = sh("NodeConstraintComponent")

    @property
    def refers(self) -> tuple[Node, ...]:
        """The node shape."""
        return (self.shape,)

    def test(self, judges: Judges) -> ValueTest:
        return judges(self.shape).conforms

    def details(self, judges: Judges) -> Details:
        """Return the function that says what the node shape finds."""
        judge = judges(self.shape)
        return lambda run, value: Why(tuple(judge.results(run, value)))


@dataclass(frozen=True)
class Property(Constraint):
    """Each value node conforms to the property shape, whose results are results of the whole."""

    shape: Node
    component = sh("PropertyConstraintComponent")

    @property
    def refers(self) -> tuple[Node, ...]:
        """The property shape."""
        return (self.shape,)


@dataclass(frozen=True)
class Qualified(SetConstraint):
    """At least or at most so many value nodes conform to the shape, and to none of its siblings."""

    shape: Node
    siblings: tuple[Node, ...]
    side: str
    count: int

    @property
    def silent(self) -> bool:
        """Whether none is enough."""
        return self.side == "Max" or self.count <= 0

    @property
    def component(self) -> NamedNode:
        """The constraint component."""
        return sh(f"Qualified{self.side}CountConstraintComponent")

    @property
    def refers(self) -> tuple[Node, ...]:
        """The shape, and those that must not hold beside it."""
        return (self.shape, *self.siblings)

    def test(self, judges: Judges) -> SetTest:
        judge, others = judges(self.shape), tuple(judges(shape) for shape in self.siblings)
        at_least, limit = self.side == "Min", self.count

        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterable[Found]:
            count = sum(
                judge.conforms(run, value) and not any(other.conforms(run, value) for other in others)
                for value in values
            )
            return (Found(),) if (count < limit if at_least else count > limit) else ()

        return found
