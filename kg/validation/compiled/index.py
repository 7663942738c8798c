"""The statements under validation as nested dictionaries of terms: by predicate, then by subject.

What else a shape may ask for (the other direction, all properties of a node, classes) is derived when it
is first asked for.
"""

from collections.abc import Iterable, Iterator, Sequence

from pyoxigraph import Literal, NamedNode, Quad, Triple

from battpass.kg.index import Term
from battpass.kg.validation.compiled.vocabulary import SUBCLASS, TYPE

Members = dict[Term, list[Term]]
NOTHING: Members = {}


class Index:
    """A graph of terms. Lexical forms stay as they are; graph names are folded, repeated statements too."""

    __slots__ = ("_by_object", "_by_subject", "_classes", "_leading", "_superclasses", "table")

    def __init__(self, statements: Iterable[Quad] | Iterable[Triple] = ()) -> None:
        self.table: dict[Term, Members] = {}
        self._by_object: dict[Term, Members] = {}
        self._by_subject: dict[Term, list[tuple[NamedNode, Sequence[Term]]]] | None = None
        self._leading: dict[Term, list[tuple[NamedNode, tuple[Term]]]] | None = None
        self._classes: dict[Term, list[Term]] = {}
        self._superclasses: dict[Term, frozenset[Term]] = {}
        self._fill(statements)

    def _fill(self, statements: Iterable[Quad] | Iterable[Triple]) -> None:
        table = self.table
        several: dict[int, tuple[Members, Term]] = {}
        for statement in statements:
            subject: Term = statement.subject
            predicate, term = statement.predicate, statement.object
            members = table.get(predicate)
            if members is None:
                table[predicate] = {subject: [term]}
                continue
            terms = members.get(subject)
            if terms is None:
                members[subject] = [term]
            else:
                terms.append(term)
                several[id(terms)] = (members, subject)
        # Looking for each value among the ones before it would take a minute for 100,000 of them.
        for members, subject in several.values():
            members[subject] = list(dict.fromkeys(members[subject]))

    def objects(self, subject: Term, predicate: NamedNode) -> Sequence[Term]:
        """Return the values of a property of a node, each once."""
        return self.table.get(predicate, NOTHING).get(subject, ())

    def subjects(self, predicate: NamedNode, term: Term) -> Sequence[Term]:
        """Return the nodes that have a term as value of a property."""
        return self.by_object(predicate).get(term, ())

    def by_subject(self, predicate: NamedNode) -> Members:
        """Return the values of a property by node."""
        return self.table.get(predicate, NOTHING)

    def by_object(self, predicate: NamedNode) -> Members:
        """Return the nodes that have a property by its value."""
        found = self._by_object.get(predicate)
        if found is None:
            found = self._by_object[predicate] = {}
            for subject, terms in self.table.get(predicate, NOTHING).items():
                for term in terms:
                    found.setdefault(term, []).append(subject)
        return found

    def properties(self, subject: Term) -> Sequence[tuple[NamedNode, Sequence[Term]]]:
        """Return all properties of a node with their values."""
        if self._by_subject is None:
            self._by_subject = {}
            for predicate, members in self.table.items():
                assert isinstance(predicate, NamedNode)
                for node, terms in members.items():
                    self._by_subject.setdefault(node, []).append((predicate, terms))
        return self._by_subject.get(subject, ())

    def leading_to(self, node: Term) -> Sequence[tuple[NamedNode, tuple[Term]]]:
        """Return which properties of which nodes lead to a node; not to a literal."""
        if self._leading is None:
            self._leading = {}
            for predicate, members in self.table.items():
                assert isinstance(predicate, NamedNode)
                for subject, terms in members.items():
                    for term in terms:
                        if type(term) is not Literal:
                            self._leading.setdefault(term, []).append((predicate, (subject,)))
        return self._leading.get(node, ())

    def instances(self, kind: Term) -> Sequence[Term]:
        """Return the SHACL instances of a class: those of its subclasses too."""
        found = self._classes.get(kind)
        if found is None:
            by_type = self.by_object(TYPE)
            if SUBCLASS not in self.table:
                found = list(by_type.get(kind, ()))
            else:
                classes = closure((kind,), self.by_object(SUBCLASS))
                found = list(dict.fromkeys(node for one in classes for node in by_type.get(one, ())))
            self._classes[kind] = found
        return found

    def is_instance(self, node: Term, kind: Term) -> bool:
        """Return whether a node is a SHACL instance of a class."""
        types = self.table.get(TYPE, NOTHING).get(node, ())
        if kind in types:
            return True
        if SUBCLASS not in self.table:
            return False
        return any(kind in self._above(one) for one in types)

    def _above(self, kind: Term) -> frozenset[Term]:
        found = self._superclasses.get(kind)
        if found is None:
            found = frozenset(closure((kind,), self.table[SUBCLASS]))
            self._superclasses[kind] = found
        return found

    def quads(self, predicates: Iterable[Term] | None = None) -> Iterator[Quad]:
        """Yield the statements with some predicates, or all."""
        for predicate in self.table if predicates is None else predicates:
            assert isinstance(predicate, NamedNode)
            for subject, terms in self.table.get(predicate, NOTHING).items():
                for term in terms:
                    yield Quad(subject, predicate, term)  # type: ignore[arg-type]


def closure(starts: Iterable[Term], steps: Members) -> dict[Term, None]:
    """Return the starts and whatever can be reached from them by steps, in the order in which it is met."""
    found = dict.fromkeys(starts)
    open_ = list(found)
    while open_:
        for term in steps.get(open_.pop(), ()):
            if term not in found:
                found[term] = None
                open_.append(term)
    return found
