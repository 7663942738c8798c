"""Triples of a query as joins: each extends rows by what the index holds, or keeps those that fit it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.index import NOTHING, Index
from battpass.kg.validation.compiled.native.expressions import Names
from battpass.kg.validation.compiled.native.functions import NotRead, Row
from battpass.kg.validation.compiled.native.values import (
    Declined,
    Known,
    check_apart,
    is_canonical,
    same_term,
)

# Rows that each call of a twin may make, and those that all calls over one record may make beyond that.
_EACH, _BEYOND = 200, 100_000


class Searched:
    """A record as twins look at it, with the work that they still may do."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.known = Known()
        self._left = _BEYOND
        self._apart: dict[NamedNode, bool] = {}

    def begin(self) -> None:
        """Allow for one more call."""
        self._left = min(self._left + _EACH, _BEYOND)

    def spend(self, rows: int) -> None:
        """Take note of rows that were made.

        Raises
        ------
        Declined
            If they are too many altogether.
        """
        self._left -= rows
        if self._left < 0:
            raise Declined

    def apart(self, predicate: NamedNode) -> bool:
        """Return whether the engine keeps all values of a property as they are written."""
        found = self._apart.get(predicate)
        if found is None:
            found = self._apart[predicate] = all(
                type(term) is not Literal or is_canonical(term)
                for terms in self.index.by_subject(predicate).values()
                for term in terms
            )
        return found

    def match(self, found: Term, wanted: Term, predicate: NamedNode) -> bool:
        """Return whether a value of a property is a wanted term to the engine."""
        if found == wanted:
            return True
        if type(found) is not Literal or type(wanted) is not Literal:
            return False
        if is_canonical(wanted) and self.apart(predicate):
            return False
        return same_term(found, wanted)


Step = Callable[[list[Row], Searched], list[Row]]
Look = Callable[[Searched, Term, Row], Iterable[tuple[NamedNode, Sequence[Term]]]]
Add = Callable[[Row, NamedNode, Sequence[Term], Searched, list[Row]], None]
# The properties of which one leads from subject to object; True for one that leads back.
Verb = tuple[tuple[NamedNode, bool], ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A triple; variables are names, and a verb that is a name stands for any property."""

    subject: str | NamedNode
    verb: str | Verb
    object: str | NamedNode | Literal


@dataclass(slots=True)
class Scope:
    """What is known of the variables of a group: that they have a term, or that they may have a value."""

    certain: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)

    def copied(self) -> "Scope":
        """Return the same, to be changed."""
        return Scope(set(self.certain), set(self.maybe))


def joins(pending: list[Statement], scope: Scope, names: Names) -> list[Step]:
    """Return the steps that join statements to rows, in an order in which each hangs on something.

    The list of them is empty afterwards, and the scope knows their variables.

    Raises
    ------
    NotRead
        If one of them hangs on nothing, or on a variable that may be without a value.
    """
    steps: list[Step] = []
    for one in pending:
        # A variable that may be without a value joins in ways that are not followed here.
        if {one.subject, one.verb, one.object} & scope.maybe:
            raise NotRead
    while pending:
        chosen = max(pending, key=lambda one: _bound(one, scope))
        if not _bound(chosen, scope):
            raise NotRead
        pending.remove(chosen)
        join = _Join.of(chosen, scope, names)
        scope.certain |= {
            part for part in (chosen.subject, chosen.verb, chosen.object) if isinstance(part, str)
        }
        tests = []
        while (test := next((one for one in pending if _tests(one, join, scope)), None)) is not None:
            pending.remove(test)
            tests.append(_Join.of(test, scope, names))
        steps.append(join.step(tuple(tests)))
    return steps


def _bound(statement: Statement, scope: Scope) -> int:
    """Return at how many ends a statement hangs on something; of several, the first with most is joined."""
    ends = (statement.subject, statement.object)
    bound = [isinstance(end, NamedNode) or (isinstance(end, str) and end in scope.certain) for end in ends]
    return 0 if not any(bound) else 2 if all(bound) or (bound[0] and isinstance(ends[1], Literal)) else 1


def _tests(statement: Statement, join: "_Join", scope: Scope) -> bool:
    """Return whether a statement is a test of what a join has just found, which needs no row."""
    return (
        statement.subject == join.finds
        and _bound(statement, scope) == 2
        and statement.object != join.finds
        and not isinstance(statement.verb, str)
        and len(statement.verb) == 1
        and not statement.verb[0][1]
    )


@dataclass(frozen=True, slots=True)
class _Join:
    """A statement as it is joined: from one end, which has a term, to the other.

    Ends are places in a row, or constants where the place is -1. `finds` is the variable that gets its terms
    here; where there is none, the other end has a term already.
    """

    start: int
    origin: Term | None
    end: int
    wanted: Term | None
    finds: str | None
    verb: Verb
    any_verb: int
    verb_is_known: bool
    back: bool

    @classmethod
    def of(cls, statement: Statement, scope: Scope, names: Names) -> "_Join":
        """Return how a statement is joined to rows in which some variables have terms."""
        subject, verb, term = statement.subject, statement.verb, statement.object
        if isinstance(verb, str) and verb in (subject, term):
            raise NotRead
        back = not (isinstance(subject, NamedNode) or subject in scope.certain)
        start, end = (term, subject) if back else (subject, term)
        is_bound = not isinstance(end, str) or end in scope.certain
        return cls(
            start=names.place(start) if isinstance(start, str) else -1,
            origin=None if isinstance(start, str) else start,
            end=names.place(end) if isinstance(end, str) else -1,
            wanted=None if isinstance(end, str) else end,
            finds=None if is_bound else str(end),
            verb=() if isinstance(verb, str) else verb,
            any_verb=names.place(verb) if isinstance(verb, str) else -1,
            verb_is_known=not isinstance(verb, str) or verb in scope.certain,
            back=back,
        )

    def step(self, tests: tuple["_Join", ...]) -> Step:
        """Return the step; `tests` are joins from what it finds to what is there already."""
        start, origin, look, add = self.start, self.origin, self._look(), self._adding(tests)
        if self.verb_is_known and len(self.verb) == 1 and not self.verb[0][1] and not self.back:
            return self._forwards(tests)

        def joined(rows: list[Row], searched: Searched) -> list[Row]:
            out: list[Row] = []
            for row in rows:
                for predicate, terms in look(searched, row[start] if origin is None else origin, row):  # type: ignore[arg-type]
                    if terms:
                        add(row, predicate, terms, searched, out)
            return out

        return joined

    def _forwards(self, tests: tuple["_Join", ...]) -> Step:
        """Return the step of the commonest kind: along one property to its values, of which there is one."""
        start, origin, end, ((predicate, _),) = self.start, self.origin, self.end, self.verb
        add, is_plain = self._adding(tests), self.finds is not None and not tests

        def joined(rows: list[Row], searched: Searched) -> list[Row]:
            out: list[Row] = []
            members = searched.index.table.get(predicate, NOTHING)
            for row in rows:
                terms = members.get(row[start] if origin is None else origin)  # type: ignore[arg-type]
                if terms:
                    if is_plain and len(terms) == 1:
                        searched.spend(1)
                        new = row.copy()
                        new[end] = terms[0]
                        out.append(new)
                    else:
                        add(row, predicate, terms, searched, out)
            return out

        return joined

    def _adding(self, tests: tuple["_Join", ...]) -> Add:
        """Return the function that adds to some rows what becomes of one by the terms that are found."""
        end, wanted, any_verb = self.end, self.wanted, self.any_verb
        is_bound, verb_is_known = self.finds is None, self.verb_is_known

        def add(
            row: Row, predicate: NamedNode, terms: Sequence[Term], searched: Searched, out: list[Row]
        ) -> None:
            searched.spend(len(terms))
            if len(terms) > 1 and not searched.apart(predicate):
                check_apart(terms)
            if is_bound:
                there: Term = row[end] if wanted is None else wanted  # type: ignore[assignment]
                terms = [term for term in terms if searched.match(term, there, predicate)]
            else:
                for one in tests:
                    terms = one.passing(terms, row, searched)
            for term in terms:
                new = row.copy()
                if not is_bound:
                    new[end] = term
                if not verb_is_known:
                    new[any_verb] = predicate
                out.append(new)

        return add

    def passing(self, terms: Sequence[Term], row: Row, searched: Searched) -> Sequence[Term]:
        """Return those of some terms from which a property leads to what is there already."""
        ((predicate, _),) = self.verb
        members = searched.index.table.get(predicate, NOTHING)
        wanted: Term = row[self.end] if self.wanted is None else self.wanted  # type: ignore[assignment]
        if searched.apart(predicate) and is_canonical(wanted):
            return [term for term in terms if wanted in members.get(term, ())]
        found = []
        for term in terms:
            values = members.get(term, ())
            searched.spend(len(values))
            if len(values) > 1:
                check_apart(values)
            if any(same_term(value, wanted) for value in values):
                found.append(term)
        return found

    def _look(self) -> Look:
        """Return the function from a term to the properties that lead on, with the terms to which they do."""
        back, any_verb = self.back, self.any_verb
        if not self.verb_is_known:
            return _all_back if back else _all
        if any_verb >= 0:
            return lambda searched, term, row: (
                (row[any_verb], _along(searched.index, row[any_verb], back, term)),  # type: ignore[arg-type,return-value]
            )
        if len(self.verb) == 1 and self.verb[0][1] is back:
            ((only, _),) = self.verb
            return lambda searched, term, row: (
                (only, searched.index.table.get(only, NOTHING).get(term, ())),
            )
        verb = self.verb

        def by_any(searched: Searched, term: Term, row: Row) -> Iterable[tuple[NamedNode, Sequence[Term]]]:
            found = [
                (predicate, _along(searched.index, predicate, turned is not back, term))
                for predicate, turned in verb
            ]
            # Engines differ in whether what is found on two ways is found twice.
            searched.spend(sum(len(terms) for _, terms in found))
            met: set[Term] = set()
            for _, terms in found:
                if not met.isdisjoint(terms):
                    raise Declined
                met.update(terms)
            return found

        return by_any


def _along(index: Index, predicate: NamedNode, back: bool, term: Term) -> Sequence[Term]:
    if not back:
        return index.table.get(predicate, NOTHING).get(term, ())
    if isinstance(term, Literal):
        raise Declined
    return index.by_object(predicate).get(term, ())


def _all(searched: Searched, term: Term, row: Row) -> Iterable[tuple[NamedNode, Sequence[Term]]]:
    return searched.index.properties(term)


def _all_back(searched: Searched, term: Term, row: Row) -> Iterable[tuple[NamedNode, Sequence[Term]]]:
    if isinstance(term, Literal):
        raise Declined
    return searched.index.leading_to(term)
