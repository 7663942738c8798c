"""How many value nodes there are: `sh:minCount`, `sh:maxCount`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import Constraint, Judges, SetConstraint, SetTest
from battpass.kg.validation.compiled.results import Found
from battpass.kg.validation.compiled.syntax import Description
from battpass.kg.validation.compiled.vocabulary import sh

if TYPE_CHECKING:
    from battpass.kg.validation.compiled.row import Run

_FOUND = (Found(),)


def read(description: Description) -> Iterator[Constraint]:
    """Yield the constraints of a property shape on the number of values."""
    if (least := description.integer("minCount")) is not None:
        yield MinCount(least)
    if (most := description.integer("maxCount")) is not None:
        yield MaxCount(most)


@dataclass(frozen=True)
class MinCount(SetConstraint):
    """There are at least so many value nodes."""

    least: int
    component = sh("MinCountConstraintComponent")

    @property
    def silent(self) -> bool:
        """Whether none is enough."""
        return self.least <= 0

    def test(self, judges: Judges) -> SetTest:
        least = self.least

        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterable[Found]:
            return _FOUND if len(values) < least else ()

        return found


@dataclass(frozen=True)
class MaxCount(SetConstraint):
    """There are at most so many value nodes."""

    most: int
    component = sh("MaxCountConstraintComponent")
    silent = True

    def test(self, judges: Judges) -> SetTest:
        most = self.most

        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterable[Found]:
            return _FOUND if len(values) > most else ()

        return found
