"""A graph as nested dictionaries, for reading one record by hand."""

from collections.abc import Iterable

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

Term = NamedNode | BlankNode | Literal | Triple


class Index:
    """Objects by subject and predicate IRI. Built once per record; holds no order.

    Named graphs are folded: what stands in two graphs of a record counts once.
    """

    def __init__(self, quads: Iterable[Quad] = ()) -> None:
        self._objects: dict[str, dict[str, list[Term]]] = {}
        for quad in quads:
            subject = quad.subject.value if isinstance(quad.subject, NamedNode) else str(quad.subject)
            self.add(subject, quad.predicate.value, quad.object)

    def add(self, subject: str, predicate: str, term: Term) -> None:
        """Take in one statement; one that is there already counts once."""
        members = self._objects.get(subject)
        if members is None:
            self._objects[subject] = {predicate: [term]}
            return
        objects = members.get(predicate)
        if objects is None:
            members[predicate] = [term]
        elif term not in objects:
            objects.append(term)

    def objects(self, subject: str, predicate: str) -> list[Term]:
        """Return all objects of a subject's property, smallest spelling first."""
        found = self._objects.get(subject, {}).get(predicate, [])
        return sorted(found, key=str) if len(found) > 1 else found

    def one(self, subject: str, predicate: str) -> Term | None:
        """Return the object of a property, the smallest spelling where there are several."""
        found = self.objects(subject, predicate)
        return found[0] if found else None

    def text(self, subject: str, predicate: str) -> str | None:
        """Return the lexical form or IRI of a property's object."""
        found = self.one(subject, predicate)
        return None if found is None or isinstance(found, Triple) else found.value

    def predicates(self, subject: str) -> list[str]:
        """Return the properties that a subject has."""
        return list(self._objects.get(subject, ()))

    def exchange(self, subject: str, predicate: str, terms: list[Term]) -> list[Term]:
        """Put other objects in the place of a property's, and return those that stood there."""
        members = self._objects.setdefault(subject, {})
        before = members.pop(predicate, [])
        if terms:
            members[predicate] = terms
        return before

    def subjects(self, predicate: str) -> list[str]:
        """Return the subjects that have a property."""
        return sorted(subject for subject, members in self._objects.items() if predicate in members)

    def __contains__(self, subject: object) -> bool:
        return subject in self._objects
