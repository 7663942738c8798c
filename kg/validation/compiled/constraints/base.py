"""The three kinds of constraints: over a term, over a value in its graph, over all value nodes together.

A plan holds constraints as values. Each also says how it is checked for one focus node, as a function that is
made once: `test`. The first kind needs nothing but the term, so that its answers can be kept, and given
for each distinct term of a whole fleet.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from pyoxigraph import NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.results import Found, Result, Why
from battpass.kg.validation.compiled.vocabulary import Node

if TYPE_CHECKING:
    from battpass.kg.validation.compiled.row import Run

TermTest = Callable[[Term], bool]
ValueTest = Callable[["Run", Term], bool]
Details = Callable[["Run", Term], Why]
SetTest = Callable[["Run", Term, Sequence[Term]], Iterable[Found]]


class Judge(Protocol):
    """Another shape, as it can be asked about a node."""

    def conforms(self, run: "Run", node: Term) -> bool:
        """Return whether a node conforms to the shape."""
        ...

    def results(self, run: "Run", node: Term) -> list[Result]:
        """Return all that the shape finds about a node."""
        ...


Judges = Callable[[Node], Judge]


class Constraint(ABC):
    """One constraint of a shape."""

    @property
    @abstractmethod
    def component(self) -> NamedNode:
        """The constraint component."""

    @property
    def source(self) -> Node | None:
        """The node that states the constraint, where it has one of its own: `sh:sourceConstraint`."""
        return None

    @property
    def refers(self) -> tuple[Node, ...]:
        """The shapes that it asks."""
        return ()


class TermConstraint(Constraint):
    """Holds or not for a term, whatever the graph says of it."""

    @abstractmethod
    def test(self) -> TermTest:
        """Return the function that says whether a value node satisfies the constraint."""


class ValueConstraint(Constraint):
    """Holds or not for each value node, by what the graph says of it."""

    @abstractmethod
    def test(self, judges: Judges) -> ValueTest:
        """Return the function that says whether a value node satisfies the constraint."""

    def details(self, judges: Judges) -> Details | None:
        """Return the function that says why a value node does not."""
        return None


class SetConstraint(Constraint):
    """Looks at focus node and value nodes together."""

    @property
    def silent(self) -> bool:
        """Whether it finds nothing where there are no value nodes."""
        return False

    @abstractmethod
    def test(self, judges: Judges) -> SetTest:
        """Return the function that yields what it finds; lazily, as the first may be enough."""
