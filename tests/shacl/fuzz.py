"""Random shapes and random data, small enough that a difference between engines can be read.

Shapes are well-formed and not recursive. Most have an IRI, so that reports can be compared by it; each is
one line.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from tests.shacl.material import (
    BOUNDS,
    CLASSES,
    COMPONENTS,
    DATATYPES,
    IRIS,
    KINDS,
    LITERALS,
    MESSAGES,
    NODES,
    NOISE,
    NUMBERS,
    OF_PATHS,
    OF_SHAPES,
    PATTERNS,
    PREDICATES,
    PREFIXES,
    QUERIES,
    RANGES,
    RARE,
    SEVERITIES,
    SUBCLASSES,
    TAGGED,
)


class Drawn:
    """A random shapes graph and a random data graph, as Turtle without heads."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._number = 0
        self._written: list[str] = []
        self._reusable: dict[bool, list[str]] = {True: [], False: []}
        self._components: set[str] = set()
        self._classes = list(CLASSES)
        for _ in range(random.randint(1, 3)):
            self._targeted()
        declared = (COMPONENTS[name][0].replace("\n", " ") for name in sorted(self._components))
        self.shapes = "\n".join((*self._written, *declared, PREFIXES))
        self.data = "\n".join(self._statements())

    def _targeted(self) -> None:
        random = self._random
        make = self._node_shape if random.random() < 0.7 else self._property_shape
        name = make(3, named=True)
        if self._classes and random.random() < 0.1:
            kind = self._classes.pop(random.randrange(len(self._classes)))
            self._written.append(f"{kind} a rdfs:Class , sh:NodeShape ; sh:node {self._node_shape(1)} .")
        count = 1 if random.random() < 0.85 else 2
        self._written.append(f"{name} {' ; '.join(self._target() for _ in range(count))} .")

    def _target(self) -> str:
        one = self._one
        kind = self._random.randrange(4)
        if kind == 0:
            return f"sh:targetNode {one((*IRIS, *self._literals()))}"
        if kind == 1:
            return f"sh:targetClass {one(CLASSES)}"
        return f"sh:target{'SubjectsOf' if kind == 2 else 'ObjectsOf'} {one(PREDICATES)}"

    def _node_shape(self, depth: int, named: bool = False) -> str:
        kinds = self._random.choices(_NODE_WEIGHED, k=self._random.randint(1, 3))
        return self._shape("a sh:NodeShape", depth, kinds, named, of_path=False)

    def _property_shape(self, depth: int, named: bool = False) -> str:
        kinds = self._random.choices(_PROPERTY_WEIGHED, k=self._random.randint(1, 3))
        head = f"a sh:PropertyShape ; sh:path {self._path(2)}"
        return self._shape(head, depth, kinds, named, of_path=True)

    def _shape(self, head: str, depth: int, kinds: list[str], named: bool, of_path: bool) -> str:
        random = self._random
        reusable = self._reusable[of_path]
        if reusable and not named and random.random() < 0.08:
            return random.choice(reusable)
        self._number += 1
        name = f"ex:s{self._number}"
        parts = [head]
        for kind in dict.fromkeys(kinds):
            if depth > 0 or kind not in _NESTED:
                parts.append(_MAKERS[kind](self, depth - 1))
        for likely, terms in ((0.2, SEVERITIES), (0.12, MESSAGES)):
            if random.random() < likely:
                parts.append(f"sh:{'severity' if terms is SEVERITIES else 'message'} {self._one(terms)}")
        if random.random() < 0.04:
            parts.append("sh:deactivated true")
        elif random.random() < 0.1:
            parts.append(self._one(NOISE))
        text = " ; ".join(parts)
        if not named and random.random() < 0.1:
            return f"[ {text} ]"
        self._written.append(f"{name} {text} .")
        reusable.append(name)
        return name

    def _any_shape(self, depth: int) -> str:
        return self._node_shape(depth) if self._random.random() < 0.6 else self._property_shape(depth)

    def _path(self, depth: int) -> str:
        random = self._random
        if depth == 0 or random.random() < 0.65:
            return "rdf:type" if random.random() < 0.04 else random.choice(PREDICATES)
        kind = random.choice(
            ("seq", "alt", "inversePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath")
        )
        if kind in ("seq", "alt"):
            members = " ".join(self._path(depth - 1) for _ in range(random.choice((2, 2, 2, 3))))
            return f"( {members} )" if kind == "seq" else f"[ sh:alternativePath ( {members} ) ]"
        return f"[ sh:{kind} {self._path(depth - 1)} ]"

    def _statements(self) -> Iterator[str]:
        random = self._random
        for _ in range(random.randint(3, 14)):
            terms = NODES if random.random() < 0.5 else self._literals()
            yield f"{random.choice(NODES)} {random.choice(PREDICATES)} {random.choice(terms)} ."
        if random.random() < 0.5:
            predicate, terms = random.choice(PREDICATES), random.choice((TAGGED, TAGGED, NUMBERS, NODES))
            for node in random.sample(NODES, 3):
                yield f"{node} {predicate} {' , '.join(random.sample(terms, 3))} ."
        for _ in range(random.randint(0, 5)):
            yield f"{random.choice(NODES)} a {random.choice(CLASSES)} ."
        if random.random() < 0.4:
            yield from random.sample(SUBCLASSES, random.choice((1, 1, 2, 3)))

    def _literals(self) -> Sequence[str]:
        return RARE if self._random.random() < 0.1 else LITERALS

    def _terms(self) -> str:
        count = self._random.choice((0, 1, 2, 3, 3, 4))
        return " ".join(self._one((*IRIS, *self._literals())) for _ in range(count))

    def _one(self, terms: Sequence[str]) -> str:
        return self._random.choice(terms)

    def _two(self, terms: Sequence[str]) -> str:
        """Return one term, or at times two."""
        return " , ".join(self._random.sample(terms, 1 if self._random.random() < 0.9 else 2))

    def _several(self, depth: int) -> str:
        count = self._random.choice((0, *(1, 2, 2, 3, 3) * 6))
        return " ".join(self._any_shape(depth) for _ in range(count))

    def _qualified(self, depth: int) -> str:
        sides = ("qualifiedMinCount 1", "qualifiedMaxCount 0", "qualifiedMaxCount 1", "qualifiedMinCount 2")
        side = self._one((*sides, "qualifiedMinCount 1 ; sh:qualifiedMaxCount 1"))
        disjoint = self._one(("", " ; sh:qualifiedValueShapesDisjoint true"))
        return f"sh:qualifiedValueShape {self._any_shape(depth)} ; sh:{side}{disjoint}"

    def _closed(self) -> str:
        ignored = ("", " ; sh:ignoredProperties ( rdf:type )", " ; sh:ignoredProperties ( ex:p rdf:type )")
        return f"sh:closed {self._one(('true', 'true', 'true', 'false'))}{self._one(ignored)}"

    def _query(self, texts: Sequence[str]) -> str:
        query = self._one(texts).replace("\n", " ")
        more = self._one(
            ("", "", "", "", "", ' ; sh:message "of {$this}: {?value}"', " ; sh:deactivated true")
        )
        return f'sh:sparql [ a sh:SPARQLConstraint ; sh:prefixes ex: ; sh:select "{query}"{more} ]'

    def _component(self, name: str) -> str:
        self._components.add(name)
        return self._one(COMPONENTS[name][1])


_MAKERS: dict[str, Callable[[Drawn, int], str]] = {
    "class": lambda drawn, _: f"sh:class {drawn._two(CLASSES)}",
    "datatype": lambda drawn, _: f"sh:datatype {drawn._one(DATATYPES)}",
    "nodeKind": lambda drawn, _: f"sh:nodeKind sh:{drawn._one(KINDS)}",
    "minInclusive": lambda drawn, _: f"sh:minInclusive {drawn._one(BOUNDS)}",
    "maxExclusive": lambda drawn, _: f"sh:maxExclusive {drawn._one(BOUNDS)}",
    "minExclusive": lambda drawn, _: f"sh:minExclusive {drawn._one(BOUNDS)}",
    "maxInclusive": lambda drawn, _: f"sh:maxInclusive {drawn._one(BOUNDS)}",
    "minLength": lambda drawn, _: f"sh:minLength {drawn._one(('0', '1', '3'))}",
    "maxLength": lambda drawn, _: f"sh:maxLength {drawn._one(('0', '1', '3', '21'))}",
    "pattern": lambda drawn, _: f"sh:pattern {drawn._one(PATTERNS)}",
    "languageIn": lambda drawn, _: f"sh:languageIn ( {drawn._one(RANGES)} )",
    "equals": lambda drawn, _: f"sh:equals {drawn._two(PREDICATES)}",
    "disjoint": lambda drawn, _: f"sh:disjoint {drawn._two(PREDICATES)}",
    "not": lambda drawn, depth: f"sh:not {drawn._any_shape(depth)}",
    "and": lambda drawn, depth: f"sh:and ( {drawn._several(depth)} )",
    "or": lambda drawn, depth: f"sh:or ( {drawn._several(depth)} )",
    "xone": lambda drawn, depth: f"sh:xone ( {drawn._several(depth)} )",
    "node": lambda drawn, depth: f"sh:node {drawn._node_shape(depth)}",
    "property": lambda drawn, depth: f"sh:property {drawn._property_shape(depth)}",
    "properties": lambda drawn, depth: (
        f"sh:property {drawn._property_shape(depth)} , {drawn._property_shape(depth)}"
    ),
    "closed": lambda drawn, _: drawn._closed(),
    "hasValue": lambda drawn, _: f"sh:hasValue {drawn._two((*IRIS, *LITERALS))}",
    "in": lambda drawn, _: f"sh:in ( {drawn._terms()} )",
    "sparql": lambda drawn, _: drawn._query(QUERIES),
    "sparqlShapes": lambda drawn, _: drawn._query((*QUERIES, OF_SHAPES)),
    "ask": lambda drawn, _: drawn._component("ask"),
    "select": lambda drawn, _: drawn._component("select"),
    "minCount": lambda drawn, _: f"sh:minCount {drawn._one(('0', '1', '2'))}",
    "maxCount": lambda drawn, _: f"sh:maxCount {drawn._one(('0', '1', '2'))}",
    "uniqueLang": lambda drawn, _: f"sh:uniqueLang {drawn._one(('true', 'true', 'true', 'false'))}",
    "lessThan": lambda drawn, _: f"sh:lessThan {drawn._two(PREDICATES)}",
    "lessThanOrEquals": lambda drawn, _: f"sh:lessThanOrEquals {drawn._two(PREDICATES)}",
    "qualified": lambda drawn, depth: drawn._qualified(depth),
    "sparqlPath": lambda drawn, _: drawn._query(OF_PATHS),
}
_NESTED = frozenset({"not", "and", "or", "xone", "node", "property", "properties", "qualified"})
_OF_PATHS = ("minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals", "qualified", "sparqlPath")
_NODE_WEIGHED = [kind for kind in _MAKERS if kind not in _OF_PATHS] + ["property", "properties"] * 6
_PROPERTY_WEIGHED = [kind for kind in _MAKERS if kind != "closed"] + ["uniqueLang"] * 2
