"""Value ranges: `sh:minExclusive`, `sh:minInclusive`, `sh:maxExclusive`, `sh:maxInclusive`."""

from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import Constraint, TermConstraint, TermTest
from battpass.kg.validation.compiled.literals import compared, value_of
from battpass.kg.validation.compiled.syntax import Description
from battpass.kg.validation.compiled.vocabulary import sh

# What the order of a value against the bound may be.
_ALLOWED = {"minExclusive": (1,), "minInclusive": (0, 1), "maxExclusive": (-1,), "maxInclusive": (-1, 0)}


def read(description: Description) -> Iterator[Constraint]:
    """Yield the constraints of a shape on ranges."""
    for local in _ALLOWED:
        if (bound := description.literal(local)) is not None:
            yield Bound(local, bound)


@dataclass(frozen=True)
class Bound(TermConstraint):
    """Each value node compares with the bound as the parameter says; what does not compare fails."""

    parameter: str
    bound: Literal

    @property
    def component(self) -> NamedNode:
        """The constraint component."""
        return sh(f"{self.parameter[0].upper()}{self.parameter[1:]}ConstraintComponent")

    def test(self) -> TermTest:
        bound, allowed = value_of(self.bound), _ALLOWED[self.parameter]

        def holds(value: Term) -> bool:
            return isinstance(value, Literal) and compared(value_of(value), bound) in allowed

        return holds
