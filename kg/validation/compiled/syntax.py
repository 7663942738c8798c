"""Reads a shapes graph: what is a shape, what its properties say, and what is not SHACL about it.

Whatever is ill-formed ends in `BadShapes`, which names the shape, what is wrong and what to write instead:
a shape that were passed over would let through the data that it is there to stop.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from battpass.kg.errors import BadShapes
from battpass.kg.index import Term
from battpass.kg.namespaces import shorten
from battpass.kg.validation.compiled.index import Index, closure
from battpass.kg.validation.compiled.literals import boolean, well_formed
from battpass.kg.validation.compiled.paths import Alternative, Inverse, Path, Predicate, Repeated, Steps
from battpass.kg.validation.compiled.vocabulary import (
    BOOLEAN,
    FIRST,
    INTEGER,
    LANG_STRING,
    NIL,
    NODE_SHAPE,
    PARAMETERS,
    PATH,
    PROPERTY_SHAPE,
    REST,
    SHAPE_EXPECTING,
    SHAPE_LISTS,
    STRING,
    SUBCLASS,
    TARGETS,
    TYPE,
    Node,
    sh,
)

_ALTERNATIVE, _INVERSE = sh("alternativePath"), sh("inversePath")
_REPEATS = {sh("zeroOrMorePath"): (0, True), sh("oneOrMorePath"): (1, True), sh("zeroOrOnePath"): (0, False)}
# Deeper ones are nobody's work, and would end in the limit of Python instead of in a message.
_DEEPEST_PATH = 50
_SHOWN = 200


class ShapesGraph:
    """A shapes graph, and the reading of it."""

    def __init__(self, statements: Iterable[Quad] | Iterable[Triple]) -> None:
        self.index = Index(statements)

    def objects(self, node: Term, predicate: NamedNode) -> list[Term]:
        """Return the values of a property, in the order of their spelling."""
        found = self.index.objects(node, predicate)
        return sorted(found, key=str) if len(found) > 1 else list(found)

    def instances(self, kind: NamedNode) -> list[Term]:
        """Return the SHACL instances of a class, in the order of their spelling."""
        return sorted(self.index.instances(kind), key=str)

    def shapes(self, parameters: Iterable[NamedNode]) -> list[Node]:
        """Return the nodes that are shapes by the standard, given the parameters of further components."""
        found: dict[Term, None] = dict.fromkeys(
            [*self.index.instances(NODE_SHAPE), *self.index.instances(PROPERTY_SHAPE)]
        )
        for predicate in (*TARGETS, *PARAMETERS, *parameters):
            found.update(dict.fromkeys(self.index.by_subject(predicate)))
        for predicate in SHAPE_EXPECTING:
            found.update(dict.fromkeys(self.index.by_object(predicate)))
        for predicate in SHAPE_LISTS:
            for owner, heads in self.index.by_subject(predicate).items():
                for head in heads:
                    found.update(dict.fromkeys(self.members(head, Said(self, owner, predicate))))
        return sorted((node for node in found if isinstance(node, NamedNode | BlankNode)), key=str)

    def members(self, head: Term, said: "Said") -> list[Term]:
        """Return the members of a list.

        Raises
        ------
        BadShapes
            If it is no list, has a loop, or a node of it has two members.
        """
        members: list[Term] = []
        seen: set[Term] = set()
        while head != NIL:
            firsts, rests = self.index.objects(head, FIRST), self.index.objects(head, REST)
            if head in seen:
                raise said.bad("is a list that leads back into itself", "End it with rdf:nil")
            if len(firsts) != 1 or len(rests) != 1:
                raise said.bad(
                    f"is no list: {shown(head)} has {len(firsts)} rdf:first and {len(rests)} rdf:rest",
                    "Write a list, in Turtle in parentheses",
                )
            seen.add(head)
            members.append(firsts[0])
            head = rests[0]
        return members

    def path(self, node: Term, said: "Said", depth: int = 0) -> Path:
        """Return the property path that a node writes."""
        if isinstance(node, NamedNode):
            return Predicate(node)
        if depth > _DEEPEST_PATH:
            raise said.bad(f"is nested deeper than {_DEEPEST_PATH} levels, or leads back into itself", _PATHS)
        if not isinstance(node, BlankNode):
            raise said.bad(f"is {shown(node)}, which is no path", _PATHS)
        # The test suite of the W3C wants a node that is both a list and something else read as the list.
        if self.index.objects(node, FIRST) or self.index.objects(node, REST):
            return Steps(self._paths(node, said, depth))
        found = [
            (predicate, term)
            for predicate in (_ALTERNATIVE, _INVERSE, *_REPEATS)
            for term in self.index.objects(node, predicate)
        ]
        if len(found) != 1:
            raise said.bad(f"is a node with {len(found)} kinds of path, where there is one", _PATHS)
        predicate, term = found[0]
        if predicate == _ALTERNATIVE:
            return Alternative(self._paths(term, said, depth))
        inner = self.path(term, said, depth + 1)
        return Inverse(inner) if predicate == _INVERSE else Repeated(inner, *_REPEATS[predicate])

    def _paths(self, head: Term, said: "Said", depth: int) -> tuple[Path, ...]:
        members = self.members(head, said)
        if len(members) < 2:
            raise said.bad(f"has a list of {len(members)} paths, where there are two or more", _PATHS)
        return tuple(self.path(member, said, depth + 1) for member in members)

    def types(self, node: Term) -> set[Term]:
        """Return the classes of a node and all classes above them."""
        return set(closure(self.index.objects(node, TYPE), self.index.by_subject(SUBCLASS)))


@dataclass(frozen=True, slots=True)
class Said:
    """A property of a shape, for the words of an error about it."""

    graph: ShapesGraph
    shape: Term
    predicate: NamedNode

    def bad(self, what: str, advice: str) -> BadShapes:
        """Return the error: what is wrong with the property's value, and what to do."""
        return bad(self.shape, f"{shorten(self.predicate.value)} {what}", advice)


@dataclass(frozen=True, slots=True)
class Description:
    """What a shapes graph says of one shape; every method refuses what the standard does not allow."""

    graph: ShapesGraph
    node: Node

    def all(self, local: str) -> list[Term]:
        """Return all values of a property."""
        return self.graph.objects(self.node, sh(local))

    def has(self, local: str) -> bool:
        """Return whether the shape has a property."""
        return bool(self.graph.index.objects(self.node, sh(local)))

    def said(self, local: str) -> Said:
        """Return the property, for an error about it."""
        return Said(self.graph, self.node, sh(local))

    def one(self, local: str) -> Term | None:
        """Return the value of a property that has at most one."""
        found = self.all(local)
        if len(found) > 1:
            raise self.said(local).bad(
                f"has {len(found)} values, where there is one at most", "Keep one of them"
            )
        return found[0] if found else None

    def iris(self, local: str) -> list[NamedNode]:
        """Return the values of a property, all of them IRIs."""
        for term in (found := self.all(local)):
            if not isinstance(term, NamedNode):
                raise self.said(local).bad(
                    f"is {shown(term)}, where an IRI belongs", "Name a property or a class"
                )
        return [term for term in found if isinstance(term, NamedNode)]

    def iri(self, local: str) -> NamedNode | None:
        """Return the value of a property that has at most one, an IRI."""
        self.one(local)
        found = self.iris(local)
        return found[0] if found else None

    def nodes(self, local: str) -> list[Node]:
        """Return the values of a property, all of them shapes."""
        return [self._shape(term, local) for term in self.all(local)]

    def lists_of_nodes(self, local: str) -> list[tuple[Node, ...]]:
        """Return the values of a property, all of them lists of shapes."""
        lists = []
        for head in self.all(local):
            members = self.graph.members(head, self.said(local))
            lists.append(tuple(self._shape(term, local) for term in members))
        return lists

    def list_of(self, local: str) -> list[Term] | None:
        """Return the members of the list that a property has at most once."""
        head = self.one(local)
        return None if head is None else self.graph.members(head, self.said(local))

    def literal(self, local: str) -> Literal | None:
        """Return the value of a property that has at most one, a literal."""
        found = self.one(local)
        if found is not None and not isinstance(found, Literal):
            raise self.said(local).bad(f"is {shown(found)}, where a literal belongs", "Write a literal")
        return found

    def integer(self, local: str) -> int | None:
        """Return the value of a property that has at most one, an xsd:integer."""
        found = self.literal(local)
        if found is None:
            return None
        if found.datatype != INTEGER or len(found.value) > 18 or not well_formed(found.value, INTEGER.value):
            raise self.said(local).bad(
                f"is {shown(found)}, where an xsd:integer belongs", "Write a whole number"
            )
        return int(found.value)

    def boolean(self, local: str) -> bool:
        """Return whether a property is true.

        Written `"1"^^xsd:boolean` it counts as the standard has it: the value of a parameter is the term
        `true`, and another spelling is another term.
        """
        found = self.literal(local)
        if found is not None and (found.datatype != BOOLEAN or boolean(found) is None):
            raise self.said(local).bad(
                f"is {shown(found)}, where true or false belongs", "Write true or false"
            )
        return found is not None and found.value == "true"

    def string(self, local: str) -> str | None:
        """Return the value of a property that has at most one, an xsd:string."""
        found = self.literal(local)
        if found is not None and found.datatype != STRING:
            raise self.said(local).bad(f"is {shown(found)}, where a plain string belongs", "Write a string")
        return None if found is None else found.value

    def messages(self) -> tuple[Literal, ...]:
        """Return the messages of the shape."""
        for term in (found := self.all("message")):
            if not isinstance(term, Literal) or term.datatype not in (STRING, LANG_STRING):
                raise self.said("message").bad(f"is {shown(term)}, where words belong", "Write a string")
        return tuple(term for term in found if isinstance(term, Literal))

    def path(self) -> Path | None:
        """Return the property path of the shape, None if it is a node shape."""
        found = self.one("path")
        return None if found is None else self.graph.path(found, Said(self.graph, self.node, PATH))

    def bad(self, what: str, advice: str) -> BadShapes:
        """Return the error about this shape."""
        return bad(self.node, what, advice)

    def _shape(self, term: Term, local: str) -> Node:
        if not isinstance(term, NamedNode | BlankNode):
            raise self.said(local).bad(f"holds {shown(term)}, where a shape belongs", "Name a shape")
        return term


def bad(shape: Term, what: str, advice: str) -> BadShapes:
    """Return the error about a shape: what is wrong with it and what to do."""
    return BadShapes(f"The shapes cannot be used. In {shown(shape)}: {what}. {advice}.")


def shown(term: Term) -> str:
    """Return a term for an error message, not longer than a line or two."""
    text = shorten(term.value) if isinstance(term, NamedNode) else str(term)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def iris_of(terms: Iterable[Term], said: Said) -> Iterator[NamedNode]:
    """Yield terms that must all be IRIs."""
    for term in terms:
        if not isinstance(term, NamedNode):
            raise said.bad(f"holds {shown(term)}, where an IRI belongs", "Name a property")
        yield term


_PATHS = (
    "Write an IRI, a list of paths, or a node with one of sh:inversePath, sh:alternativePath, "
    "sh:zeroOrMorePath, sh:oneOrMorePath, sh:zeroOrOnePath"
)
