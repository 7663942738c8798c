"""Data made up for shapes of others: instances of what the shapes are about, most of it as they want it.

What a shape asks of a path is put there once, more often or not at all, and now and then is something else.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from battpass.kg.index import Term
from battpass.kg.namespaces import XSD
from battpass.kg.validation.compiled import Plan
from battpass.kg.validation.compiled.constraints.logical import And, Or, Xone
from battpass.kg.validation.compiled.constraints.other import HasValue, In
from battpass.kg.validation.compiled.constraints.ranges import Bound
from battpass.kg.validation.compiled.constraints.shape_based import Conforms, Property, Qualified
from battpass.kg.validation.compiled.constraints.value_type import Class, Datatype, NodeKind
from battpass.kg.validation.compiled.paths import Alternative, Inverse, Path, Predicate, Repeated, Steps
from battpass.kg.validation.compiled.plan import Shape, Target
from battpass.kg.validation.compiled.vocabulary import SUBCLASS, TYPE, Node, sh
from tests.shacl.material import EX

_HOW_OFTEN = (0, 1, 1, 1, 1, 2, 3)
_LANGUAGES = ("en", "de", "en")
_WRITTEN: Mapping[str, Sequence[str]] = {
    "integer": ("0", "7", "-3", "+5", "x"),
    "decimal": ("1.5", "0.25", "-2.0", "1000.0"),
    "double": ("1.0E0", "-0.5", "5e3", "INF"),
    "float": ("1.5", "-2"),
    "boolean": ("true", "false", "yes"),
    "date": ("2020-01-01", "2021-06-30", "2021-02-30"),
    "dateTime": ("2020-01-01T00:00:00Z", "2021-06-30T12:00:00", "soon"),
    "anyURI": ("http://example.org/", "urn:x"),
    "string": ("a", "Abc", "", "22"),
}


def literal(kind: str, random: Random) -> Literal:
    """Return a literal of a datatype, for the most part a well-formed one."""
    if kind.endswith("#langString"):
        return Literal(random.choice(("a", "Cell")), language=random.choice(_LANGUAGES))
    texts = _WRITTEN.get(kind.removeprefix(XSD), ("a", "1"))
    return Literal(random.choice(texts), datatype=NamedNode(kind))


class Inventor:
    """Makes up records for a plan. `statements` say which classes are below which."""

    def __init__(self, plan: Plan, statements: Sequence[Quad], random: Random) -> None:
        self._plan = plan
        self._random = random
        self._number = 0
        self._out: list[Quad] = []
        self._below: dict[Term, list[NamedNode]] = {}
        for quad in statements:
            if quad.predicate == SUBCLASS and isinstance(quad.subject, NamedNode):
                self._below.setdefault(quad.object, []).append(quad.subject)
        self._about: dict[Term, list[Node]] = {}
        for shape in plan.targeted:
            for target in shape.targets:
                if target.kind == "targetClass":
                    self._about.setdefault(target.term, []).append(shape.node)

    def record(self, shapes: int) -> list[Quad]:
        """Return statements about focus nodes of some shapes, drawn at random."""
        self._out = []
        for shape in self._random.sample(self._plan.targeted, min(shapes, len(self._plan.targeted))):
            self._focus(shape, self._random.choice(shape.targets))
        return self._out

    def _focus(self, shape: Shape, target: Target) -> None:
        if target.kind == "targetNode":
            node = target.term
        else:
            node = self._new()
            if target.kind == "targetClass":
                self._say(node, TYPE, self._some_kind(target.term))
            else:
                ends = (node, self._anything())
                subject, term = ends if target.kind == "targetSubjectsOf" else reversed(ends)
                assert isinstance(target.term, NamedNode)
                self._say(subject, target.term, term)
        self._describe(node, shape.node, 3)

    def _describe(self, node: Term, shape: Node, depth: int) -> None:
        """Say of a node what a shape wants, or nearly."""
        if depth < 0 or isinstance(node, Literal):
            return
        for constraint in self._plan.shapes[shape].constraints:
            match constraint:
                case Property(below):
                    self._property(node, self._plan.shapes[below], depth)
                case Conforms(below):
                    self._describe(node, below, depth - 1)
                case And(shapes) | Or(shapes) | Xone(shapes):
                    for one in shapes if isinstance(constraint, And) else shapes[:0]:
                        self._describe(node, one, depth - 1)
                    if shapes:
                        self._describe(node, self._random.choice(shapes), depth - 1)
        if self._plan.shapes[shape].path is not None:
            self._property(node, self._plan.shapes[shape], depth)

    def _property(self, node: Term, shape: Shape, depth: int) -> None:
        assert shape.path is not None
        for _ in range(self._random.choice(_HOW_OFTEN)):
            self._put(node, shape.path, self._value(shape, depth))

    def _put(self, node: Term, path: Path, value: Term) -> None:
        match path:
            case Predicate(iri):
                self._say(node, iri, value)
            case Inverse(inner):
                self._put(value, inner, node)
            case Alternative(paths):
                self._put(node, self._random.choice(paths), value)
            case Repeated(inner):
                self._put(node, inner, value)
            case Steps(paths):
                for step in paths[:-1]:
                    between = self._new()
                    self._put(node, step, between)
                    node = between
                self._put(node, paths[-1], value)

    def _value(self, shape: Shape, depth: int) -> Term:
        random = self._random
        choices = [*shape.constraints]
        random.shuffle(choices)
        for constraint in choices if random.random() > 0.12 else ():
            match constraint:
                case In(terms) if terms:
                    return random.choice(terms)
                case HasValue(term):
                    return term
                case Class(kind):
                    return self._instance(kind, depth)
                case Datatype(kind):
                    return literal(kind.value, random)
                case Bound(_, bound):
                    return random.choice((bound, literal(bound.datatype.value, random)))
                case NodeKind(kind) if kind == sh("Literal"):
                    return literal(XSD + "string", random)
                case Or(shapes) | Xone(shapes) | And(shapes) if shapes:
                    return self._value(self._plan.shapes[random.choice(shapes)], depth - 1)
                case Qualified(below) | Conforms(below) if depth > 0:
                    value = self._value(self._plan.shapes[below], depth - 1)
                    self._describe(value, below, depth - 1)
                    return value
        return self._anything()

    def _instance(self, kind: NamedNode, depth: int) -> Term:
        node = self._new()
        some = self._some_kind(kind)
        self._say(node, TYPE, some)
        for shape in self._about.get(some, ())[:2]:
            self._describe(node, shape, depth - 2)
        return node

    def _some_kind(self, kind: Term) -> Term:
        """Return a class, or one below it."""
        while (below := self._below.get(kind)) and self._random.random() < 0.5:
            kind = self._random.choice(below)
        return kind

    def _anything(self) -> Term:
        kind = self._random.choice(("string", "integer", "decimal", "dateTime", "tag", "node", "blank"))
        if kind == "node":
            return NamedNode(f"{EX}n{self._random.randrange(self._number + 1)}")
        if kind == "blank":
            return BlankNode()
        if kind == "tag":
            return Literal("a", language=self._random.choice(_LANGUAGES))
        return literal(XSD + kind, self._random)

    def _new(self) -> Term:
        self._number += 1
        return BlankNode() if self._random.random() < 0.1 else NamedNode(f"{EX}n{self._number}")

    def _say(self, subject: Term, predicate: NamedNode, term: Term) -> None:
        if not isinstance(subject, Literal):
            self._out.append(Quad(subject, predicate, term))  # type: ignore[arg-type]


def spoilt(quads: Sequence[Quad], random: Random) -> Iterator[Quad]:
    """Yield statements, of which some are gone, and some have another value or another subject."""
    subjects = [quad.subject for quad in quads]
    for quad in quads:
        chance = random.random()
        if chance < 0.05:
            continue
        if chance < 0.1:
            yield Quad(quad.subject, quad.predicate, literal(XSD + random.choice(tuple(_WRITTEN)), random))
        elif chance < 0.13:
            yield Quad(random.choice(subjects), quad.predicate, quad.object)
        elif chance < 0.2 and isinstance(quad.object, Literal) and not quad.object.language:
            yield Quad(
                quad.subject, quad.predicate, Literal(f"-{quad.object.value}", datatype=quad.object.datatype)
            )
        else:
            yield quad
