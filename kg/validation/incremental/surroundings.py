"""Which records have a say in the report on another one, in both directions.

A record *asks* about the nodes that it describes, and about those that it points to by a property after
which shapes look further. It *answers* about what it describes, and about what it has as value of a property
that shapes follow backwards. Whoever answers what a record asks is of its surroundings, and so on for as many
looks as the shapes take.
"""

from collections.abc import Iterable, Iterator

from pyoxigraph import Quad, Triple

from battpass.kg.index import Term
from battpass.kg.validation.compiled.vocabulary import SUBCLASS
from battpass.kg.validation.incremental.reach import Reach

Statements = Iterable[Quad] | Iterable[Triple]
_Names = dict[str, None]


class Surroundings:
    """The index of who asks and who answers. `reference` belongs to every record."""

    def __init__(self, reach: Reach, reference: Statements) -> None:
        self._reach = reach
        self._reference = {(one.subject, one.predicate, one.object) for one in reference}
        self._asked: dict[Term, _Names] = {}
        self._answered: dict[Term, _Names] = {}
        self._of: dict[str, tuple[frozenset[Term], frozenset[Term]]] = {}
        # Those that say something of classes or of what all refer to have a say everywhere.
        self._common: _Names = {}
        asks, _, _ = self._read(self._reference)
        self._in_common = asks | reach.named

    def put(self, name: str, statements: Statements) -> None:
        """Take in a record in the place of the one before of that name."""
        self.drop(name)
        told = {(one.subject, one.predicate, one.object) for one in statements} - self._reference
        asks, answers, of_classes = self._read(told)
        self._of[name] = asks, answers
        for terms, index in ((asks, self._asked), (answers, self._answered)):
            for term in terms:
                index.setdefault(term, {})[name] = None
        if of_classes or not answers.isdisjoint(self._in_common):
            self._common[name] = None

    def drop(self, name: str) -> None:
        """Leave a record out that is gone."""
        for terms, index in zip(self._of.pop(name, ()), (self._asked, self._answered), strict=False):
            for term in terms:
                del index[term][name]
                if not index[term]:
                    del index[term]
        self._common.pop(name, None)

    def around(self, name: str) -> list[str]:
        """Return the records that have a say in the report on one, without itself, sorted."""
        if self._reach.anywhere:
            return sorted(self._of.keys() - {name})
        return sorted(self._spread({name: None, **self._common}, asking=True) - {name})

    def dependents(self, name: str) -> set[str]:
        """Return the records in whose report one has a say, without itself."""
        if self._reach.anywhere:
            return self._of.keys() - {name}
        found = self._spread({name: None}, asking=False)
        return (set(self._of) if found & self._common.keys() else found) - {name}

    @property
    def named(self) -> frozenset[Term]:
        """The nodes that shapes name."""
        return self._reach.named

    def owned(self, statements: Statements) -> set[Term]:
        """Return the nodes about which results are those of a record with these statements."""
        pointed = self._reach.pointed
        return {one.subject for one in statements} | {
            one.object for one in statements if one.predicate in pointed
        }

    def _read(self, told: Iterable[tuple[Term, Term, Term]]) -> tuple[frozenset[Term], frozenset[Term], bool]:
        """Return what a record asks about, what it answers about, and whether it speaks of classes."""
        reach = self._reach
        asks: set[Term] = set()
        answers: set[Term] = set()
        of_classes = False
        for subject, predicate, term in told:
            asks.add(subject)
            answers.add(subject)
            if predicate in reach.onward:
                asks.add(term)
            if predicate in reach.backward:
                answers.add(term)
            of_classes |= predicate == SUBCLASS
        return frozenset(asks), frozenset(answers), of_classes

    def _spread(self, start: _Names, *, asking: bool) -> set[str]:
        """Return the names that are met from some on, with them, going with the questions or against them."""
        met = dict(start)
        ring = list(start)
        left = self._reach.depth
        while ring and left != 0:
            following = (one for name in ring for one in self._next(name, asking=asking))
            ring = [one for one in dict.fromkeys(following) if one not in met]
            met.update(dict.fromkeys(ring))
            left = None if left is None else left - 1
        return set(met)

    def _next(self, name: str, *, asking: bool) -> Iterator[str]:
        asks, answers = self._of.get(name, (frozenset(), frozenset()))
        terms, index = (asks, self._answered) if asking else (answers, self._asked)
        for term in terms:
            yield from index.get(term, ())
