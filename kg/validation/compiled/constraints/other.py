"""What is left: `sh:closed`, `sh:hasValue`, `sh:in`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyoxigraph import NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import (
    Constraint,
    Judges,
    SetConstraint,
    SetTest,
    TermConstraint,
    TermTest,
)
from battpass.kg.validation.compiled.paths import Predicate
from battpass.kg.validation.compiled.results import Found
from battpass.kg.validation.compiled.syntax import Description, iris_of
from battpass.kg.validation.compiled.vocabulary import PATH, PROPERTY, sh

if TYPE_CHECKING:
    from battpass.kg.validation.compiled.row import Run


def read(description: Description) -> Iterator[Constraint]:
    """Yield the remaining constraints of a shape."""
    ignored = description.list_of("ignoredProperties")
    known = frozenset(iris_of(ignored or (), description.said("ignoredProperties")))
    if description.boolean("closed"):
        index = description.graph.index
        paths = {
            path
            for shape in index.objects(description.node, PROPERTY)
            for path in index.objects(shape, PATH)
            if isinstance(path, NamedNode)
        }
        yield Closed(known | paths)
    for term in description.all("hasValue"):
        yield HasValue(term)
    if (terms := description.list_of("in")) is not None:
        yield In(tuple(terms))


@dataclass(frozen=True)
class Closed(SetConstraint):
    """No value node has another property than these; one result for each statement with one."""

    known: frozenset[NamedNode]
    component = sh("ClosedConstraintComponent")
    silent = True

    def test(self, judges: Judges) -> SetTest:
        known = self.known

        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterator[Found]:
            for value in values:
                for predicate, terms in run.index.properties(value):
                    if predicate not in known:
                        yield from (Found(term, Predicate(predicate)) for term in terms)

        return found


@dataclass(frozen=True)
class HasValue(SetConstraint):
    """The term is among the value nodes."""

    term: Term
    component = sh("HasValueConstraintComponent")

    def test(self, judges: Judges) -> SetTest:
        term = self.term

        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterable[Found]:
            return () if term in values else (Found(),)

        return found


@dataclass(frozen=True)
class In(TermConstraint):
    """Each value node is one of the terms."""

    terms: tuple[Term, ...]
    component = sh("InConstraintComponent")

    def test(self) -> TermTest:
        return frozenset(self.terms).__contains__
