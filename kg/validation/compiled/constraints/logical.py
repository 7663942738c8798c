"""Logic over shapes: `sh:not`, `sh:and`, `sh:or`, `sh:xone`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import (
    Constraint,
    Details,
    Judge,
    Judges,
    ValueConstraint,
    ValueTest,
)
from battpass.kg.validation.compiled.results import Result
from battpass.kg.validation.compiled.syntax import Description
from battpass.kg.validation.compiled.vocabulary import Node, sh

if TYPE_CHECKING:
    from battpass.kg.validation.compiled.row import Run


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

    def details(self, judges: Judges) -> Details:
        """Return the function that says what each shape of the list finds."""
        asked = tuple(judges(shape) for shape in dict.fromkeys(self.shapes))
        return lambda run, value: details_of(run, value, asked)


class And(_Several):
    """Each value node conforms to all shapes of the list."""

    component = sh("AndConstraintComponent")

    def test(self, judges: Judges) -> ValueTest:
        asked = tuple(judges(shape) for shape in self.shapes)
        return lambda run, value: all(judge.conforms(run, value) for judge in asked)


class Or(_Several):
    """Each value node conforms to at least one shape of the list."""

    component = sh("OrConstraintComponent")

    def test(self, judges: Judges) -> ValueTest:
        asked = tuple(judges(shape) for shape in self.shapes)
        return lambda run, value: any(judge.conforms(run, value) for judge in asked)


class Xone(_Several):
    """Each value node conforms to exactly one shape of the list; one that stands there twice counts twice."""

    component = sh("XoneConstraintComponent")

    def test(self, judges: Judges) -> ValueTest:
        asked = tuple(judges(shape) for shape in self.shapes)
        return lambda run, value: sum(judge.conforms(run, value) for judge in asked) == 1


def details_of(run: "Run", value: Term, asked: tuple[Judge, ...]) -> tuple[Result, ...]:
    """Return what the shapes that do not hold find about a value."""
    return tuple(result for judge in asked for result in judge.results(run, value))
