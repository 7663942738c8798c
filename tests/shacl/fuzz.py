"""Random shapes and random data, small enough that a difference between engines can be read.

Shapes are well-formed and not recursive; every shape has an IRI, so that reports can be compared by it.
"""

from collections.abc import Callable, Iterator
from random import Random

EX = "http://example.org/"
PREDICATES = ("ex:p", "ex:q", "ex:r", "ex:s")
NODES = ("ex:a", "ex:b", "ex:c", "ex:d", "ex:e", "_:x", "_:y")
CLASSES = ("ex:A", "ex:B", "ex:C")
INTEGERS = ("0", "1", "2", "5", '"02"^^xsd:integer', "-3")
NUMBERS = (*INTEGERS, "1.5", "2.0", "1.0e0", '"2"^^xsd:float')
STRINGS = ('"a"', '"b"', '"abc"', '""', '"Abc"', '"2"', '"x y"')
TAGGED = ('"a"@en', '"b"@en', '"a"@de', '"c"@en-GB', '"a"@fr')
DATES = (
    '"2020-01-01"^^xsd:date',
    '"2021-06-30"^^xsd:date',
    '"2020-01-01T00:00:00Z"^^xsd:dateTime',
    '"2020-01-01T12:00:00+01:00"^^xsd:dateTime',
)
BOOLEANS = ("true", "false")
ILL_TYPED = ('"aldi"^^xsd:integer', '"2020-13-01"^^xsd:date', '"yes"^^xsd:boolean', '"300"^^xsd:byte')
LITERALS = (*NUMBERS, *STRINGS, *TAGGED, *DATES, *BOOLEANS, *ILL_TYPED)
DATATYPES = (
    "xsd:integer",
    "xsd:decimal",
    "xsd:double",
    "xsd:string",
    "rdf:langString",
    "xsd:date",
    "xsd:dateTime",
    "xsd:boolean",
    "xsd:byte",
)
PATTERNS = ('"^a"', '"b$"', '"^[a-c]+$"', '"[0-9]"', '"^.{2,3}$"', '"^ABC$" ; sh:flags "i"', '"x y"')
KINDS = ("IRI", "BlankNode", "Literal", "BlankNodeOrIRI", "BlankNodeOrLiteral", "IRIOrLiteral")
RANGES = ('"en"', '"de" "fr"', '"en-GB"')
STEPS = ("seq", "alt", "inversePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath")
QUERIES = (
    "SELECT $this ?value { $this ex:p ?value }",
    "SELECT $this ?value { $this ex:p ?value . FILTER(isLiteral(?value)) }",
    "SELECT $this { FILTER NOT EXISTS { $this ex:q ?any } }",
    "SELECT DISTINCT $this ?value { $this ex:p ?value ; ex:q ?other . FILTER(?value = ?other) }",
    "SELECT $this { $this ex:p ?x OPTIONAL { $this ex:q ?y } FILTER(!BOUND(?y)) }",
    "SELECT $this (COUNT(?x) AS ?count) { $this ex:p ?x } GROUP BY $this HAVING (COUNT(?x) > 1)",
    "SELECT $this ?value { { $this ex:p ?value } UNION { $this ex:q ?value } FILTER(isIRI(?value)) }",
    "SELECT $this ?value { ?value ex:p $this }",
)
OF_PATHS = ("SELECT $this ?value { $this $PATH ?value . FILTER(isIRI(?value)) }",)


class Drawn:
    """A random shapes graph and a random data graph, as Turtle without heads."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._number = 0
        self._written: list[str] = []
        for _ in range(random.randint(1, 3)):
            self._targeted()
        self.shapes = "\n".join(self._written) + _PREFIXES
        self.data = "\n".join(self._statements())

    def _targeted(self) -> None:
        random = self._random
        target = random.choice(
            (
                lambda: f"sh:targetNode {random.choice((*NODES[:5], *LITERALS))}",
                lambda: f"sh:targetClass {random.choice(CLASSES)}",
                lambda: f"sh:targetSubjectsOf {random.choice(PREDICATES)}",
                lambda: f"sh:targetObjectsOf {random.choice(PREDICATES)}",
            )
        )()
        make = self._node_shape if random.random() < 0.7 else self._property_shape
        self._written.append(f"{make(3)} {target} .")

    def _new(self) -> str:
        self._number += 1
        return f"ex:s{self._number}"

    def _node_shape(self, depth: int) -> str:
        return self._shape(
            "a sh:NodeShape", depth, self._random.choices(_NODE_WEIGHED, k=self._random.randint(1, 3))
        )

    def _property_shape(self, depth: int) -> str:
        kinds = self._random.choices(_PROPERTY_WEIGHED, k=self._random.randint(1, 3))
        return self._shape(f"a sh:PropertyShape ; sh:path {self._path(2)}", depth, kinds)

    def _shape(self, head: str, depth: int, kinds: list[str]) -> str:
        name = self._new()
        parts = [head]
        for kind in dict.fromkeys(kinds):
            if depth > 0 or kind not in _NESTED:
                parts.append(_MAKERS[kind](self, depth - 1))
        if self._random.random() < 0.2:
            parts.append(f"sh:severity {self._random.choice(('sh:Warning', 'sh:Info', 'ex:Own'))}")
        if self._random.random() < 0.04:
            parts.append("sh:deactivated true")
        self._written.append(f"{name} {' ; '.join(parts)} .")
        return name

    def _any_shape(self, depth: int) -> str:
        return self._node_shape(depth) if self._random.random() < 0.6 else self._property_shape(depth)

    def _path(self, depth: int) -> str:
        random = self._random
        if depth == 0 or random.random() < 0.65:
            return random.choice(PREDICATES)
        kind = random.choice(
            ("seq", "alt", "inversePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath")
        )
        if kind in ("seq", "alt"):
            members = f"( {self._path(depth - 1)} {self._path(depth - 1)} )"
            return members if kind == "seq" else f"[ sh:alternativePath {members} ]"
        return f"[ sh:{kind} {self._path(depth - 1)} ]"

    def _statements(self) -> Iterator[str]:
        random = self._random
        for _ in range(random.randint(3, 14)):
            terms = NODES if random.random() < 0.5 else LITERALS
            yield f"{random.choice(NODES)} {random.choice(PREDICATES)} {random.choice(terms)} ."
        for _ in range(random.randint(0, 5)):
            yield f"{random.choice(NODES)} a {random.choice(CLASSES)} ."
        if random.random() < 0.4:
            yield "ex:B rdfs:subClassOf ex:A ."

    def _terms(self, least: int = 1) -> str:
        count = self._random.randint(least, 4)
        return " ".join(self._random.choices((*NODES[:5], *LITERALS), k=count))

    def _one(self, terms: tuple[str, ...]) -> str:
        return self._random.choice(terms)

    def _several(self, depth: int) -> str:
        return " ".join(self._any_shape(depth) for _ in range(self._random.randint(1, 3)))

    def _qualified(self, depth: int) -> str:
        side = self._random.choice(("qualifiedMinCount 1", "qualifiedMaxCount 0", "qualifiedMaxCount 1"))
        disjoint = self._random.choice(("", " ; sh:qualifiedValueShapesDisjoint true"))
        return f"sh:qualifiedValueShape {self._any_shape(depth)} ; sh:{side}{disjoint}"

    def _closed(self, depth: int) -> str:
        ignored = self._random.choice(("", " ; sh:ignoredProperties ( rdf:type )"))
        return f"sh:closed true{ignored}"

    def _query(self, texts: tuple[str, ...]) -> str:
        return f'sh:sparql [ sh:prefixes ex: ; sh:select "{self._random.choice(texts)}" ]'


_PREFIXES = (
    f'\nex: sh:declare [ sh:prefix "ex" ; sh:namespace "{EX}"^^<http://www.w3.org/2001/XMLSchema#anyURI> ] .'
)
_MAKERS: dict[str, Callable[[Drawn, int], str]] = {
    "class": lambda drawn, _: f"sh:class {drawn._one(CLASSES)}",
    "datatype": lambda drawn, _: f"sh:datatype {drawn._one(DATATYPES)}",
    "nodeKind": lambda drawn, _: f"sh:nodeKind sh:{drawn._one(KINDS)}",
    "minInclusive": lambda drawn, _: f"sh:minInclusive {drawn._one((*NUMBERS[:8], *DATES))}",
    "maxExclusive": lambda drawn, _: f"sh:maxExclusive {drawn._one((*NUMBERS[:8], *DATES))}",
    "minExclusive": lambda drawn, _: f"sh:minExclusive {drawn._one((*NUMBERS[:8], *DATES))}",
    "maxInclusive": lambda drawn, _: f"sh:maxInclusive {drawn._one((*NUMBERS[:8], *DATES))}",
    "minLength": lambda drawn, _: f"sh:minLength {drawn._one(('0', '1', '3'))}",
    "maxLength": lambda drawn, _: f"sh:maxLength {drawn._one(('0', '1', '3', '21'))}",
    "pattern": lambda drawn, _: f"sh:pattern {drawn._one(PATTERNS)}",
    "languageIn": lambda drawn, _: f"sh:languageIn ( {drawn._one(RANGES)} )",
    "equals": lambda drawn, _: f"sh:equals {drawn._one(PREDICATES)}",
    "disjoint": lambda drawn, _: f"sh:disjoint {drawn._one(PREDICATES)}",
    "not": lambda drawn, depth: f"sh:not {drawn._any_shape(depth)}",
    "and": lambda drawn, depth: f"sh:and ( {drawn._several(depth)} )",
    "or": lambda drawn, depth: f"sh:or ( {drawn._several(depth)} )",
    "xone": lambda drawn, depth: f"sh:xone ( {drawn._several(depth)} )",
    "node": lambda drawn, depth: f"sh:node {drawn._node_shape(depth)}",
    "property": lambda drawn, depth: f"sh:property {drawn._property_shape(depth)}",
    "properties": lambda drawn, depth: (
        f"sh:property {drawn._property_shape(depth)} , {drawn._property_shape(depth)}"
    ),
    "closed": lambda drawn, depth: drawn._closed(depth),
    "hasValue": lambda drawn, _: f"sh:hasValue {drawn._one((*NODES[:5], *LITERALS))}",
    "in": lambda drawn, _: f"sh:in ( {drawn._terms()} )",
    "sparql": lambda drawn, _: drawn._query(QUERIES),
    "minCount": lambda drawn, _: f"sh:minCount {drawn._one(('0', '1', '2'))}",
    "maxCount": lambda drawn, _: f"sh:maxCount {drawn._one(('0', '1', '2'))}",
    "uniqueLang": lambda drawn, _: "sh:uniqueLang true",
    "lessThan": lambda drawn, _: f"sh:lessThan {drawn._one(PREDICATES)}",
    "lessThanOrEquals": lambda drawn, _: f"sh:lessThanOrEquals {drawn._one(PREDICATES)}",
    "qualified": lambda drawn, depth: drawn._qualified(depth),
    "sparqlPath": lambda drawn, _: drawn._query(OF_PATHS),
}
_NESTED = frozenset({"not", "and", "or", "xone", "node", "property", "properties", "qualified"})
_OF_PATHS = ("minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals", "qualified", "sparqlPath")
_NODE_WEIGHED = [kind for kind in _MAKERS if kind not in _OF_PATHS] + ["property", "properties"] * 6
_PROPERTY_WEIGHED = [kind for kind in _MAKERS if kind != "closed"]
