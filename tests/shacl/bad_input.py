"""Bad input, item by item, with what is to come of it on every way: library, columns, command and HTTP."""

from dataclasses import dataclass

from tests.shacl.turtle import HEADS

_QUERY = "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:sparql [ sh:prefixes ex: ; sh:select '''{}''' ] ."
_PREFIX = "ex: sh:declare [ sh:prefix 'ex' ; sh:namespace 'http://example.org/'^^xsd:anyURI ] ."
_HERE = "ex:S sh:targetNode ex:a ; sh:path ex:p ; {} ."
_MANY = 100_000
_LONG = 1_000_000


@dataclass(frozen=True)
class BadInput:
    """Shapes and data as Turtle: they are refused in words, have so many results, or are stopped in time."""

    shapes: str
    data: str = "ex:a ex:p 5 ."
    refused: str = ""
    results: int = 0
    stopped: bool = False

    @property
    def texts(self) -> tuple[bytes, bytes]:
        """Data and shapes as documents."""
        return (HEADS + self.data).encode(), (HEADS + self.shapes).encode()


def _many(count: int, before: str = "") -> str:
    return f"ex:a ex:p {' , '.join(f'{before}{number}' for number in range(count))} ."


_NESTED = "ex:p"
for _ in range(5):
    _NESTED = f"[ sh:oneOrMorePath ( {_NESTED} [ sh:zeroOrOnePath ex:p ] ) ]"
_RING = " ".join(f"ex:n{n} ex:p ex:n{(n + 1) % 100} ." for n in range(100))

BAD_INPUT = {
    "a property that is no SHACL": BadInput(_HERE.format("sh:minCout 1"), refused="no property of SHACL 1.0"),
    "a shape that is none": BadInput("ex:S a sh:PropertyShape .", refused="without sh:path"),
    "recursive shapes": BadInput(
        "ex:S sh:targetNode ex:a ; sh:node ex:T . ex:T sh:not ex:S .", refused="the shape asks itself"
    ),
    "a forbidden form of SPARQL": BadInput(
        _QUERY.format("SELECT $this { $this ?p ?o MINUS { $this ?p 1 } }"), refused="uses MINUS"
    ),
    "SPARQL that calls another server": BadInput(
        _QUERY.format("SELECT $this { SERVICE <http://example.org/> { ?s ?p ?o } }"), refused="uses SERVICE"
    ),
    "SPARQL that kills the engine": BadInput(
        _QUERY.format(f"SELECT $this {'{' * 6_000}{'}' * 6_000}"), refused="too much for the engine"
    ),
    "a path that kills the engine": BadInput(
        _QUERY.format("SELECT $this ?value { $this $PATH ?value }").replace(
            "sh:path ex:p", f"sh:path ( {' '.join(['ex:p'] * 10_000)} )"
        ),
        refused="too much for the engine",
    ),
    "a regular expression that does not compile": BadInput(
        _HERE.format('sh:pattern "a("'), refused="does not compile"
    ),
    "a regular expression without measure": BadInput(
        _HERE.format('sh:pattern "((a{1,1000}){1,1000}){1,1000}"'), refused="takes too much room"
    ),
    "a list that leads back into itself": BadInput(
        "ex:S sh:targetNode ex:a ; sh:in _:l . _:l rdf:first 1 ; rdf:rest _:l .",
        refused="leads back into itself",
    ),
    "a path that leads back into itself": BadInput(
        "ex:S sh:targetNode ex:a ; sh:path _:p ; sh:minCount 1 . _:p sh:inversePath _:p .",
        refused="leads back into itself",
    ),
    "shapes nested without end": BadInput(
        " ".join(f"ex:S{n} sh:node ex:S{n + 1} ." for n in range(5_000)) + "ex:S5000 sh:nodeKind sh:IRI .",
        refused="deeper than 60 levels",
    ),
    "a literal of a million characters": BadInput(
        _HERE.format('sh:maxLength 999999 ; sh:pattern "(x+x+)+y" ; sh:datatype xsd:integer'),
        f'ex:a ex:p "{"x" * _LONG}" .',
        results=3,
    ),
    "a hundred thousand values": BadInput(_HERE.format("sh:maxCount 99999"), _many(_MANY), results=1),
    "ill-typed literals": BadInput(
        _HERE.format("sh:datatype xsd:integer ; sh:minInclusive 0 ; sh:lessThan ex:q"),
        'ex:a ex:p "aldi"^^xsd:integer ; ex:q 5 .',
        results=3,
    ),
    "a regular expression that others never finish": BadInput(
        _HERE.format('sh:pattern "^(([a-z])+.)+[A-Z]([a-z])+$"'), f'ex:a ex:p "{"a" * 50_000}" .', results=1
    ),
    "the same in a query": BadInput(
        _QUERY.format("SELECT $this ?value { $this $PATH ?value FILTER(!REGEX(?value, '^(a+)+$')) }"),
        f'ex:a ex:p "{"a" * 50_000}b" .',
        results=1,
    ),
    "paths within paths": BadInput(
        f"ex:S sh:targetNode ex:n0 ; sh:path {_NESTED} ; sh:maxCount 99 .", _RING, results=1
    ),
    "a list of twenty thousand": BadInput(
        _HERE.format(f"sh:in ( {' '.join(map(str, range(20_000)))} )"), "ex:a ex:p 5 , -1 .", results=1
    ),
    "a choice of thousands": BadInput(
        _HERE.format(f"sh:or ( {' '.join(f'[ sh:hasValue {n} ]' for n in range(5_000))} )"),
        "ex:a ex:p 5 , -1 .",
        results=1,
    ),
    "many qualified shapes beside each other": BadInput(
        "ex:S sh:targetNode ex:a ; sh:property "
        + " , ".join(
            f"[ sh:path ex:p ; sh:qualifiedValueShape [ sh:hasValue {n} ] ; sh:qualifiedMinCount 1 ;"
            " sh:qualifiedValueShapesDisjoint true ]"
            for n in range(200)
        )
        + " .",
        _many(199),
        results=1,
    ),
    "loops of blank nodes": BadInput(
        "ex:S sh:targetObjectsOf ex:q ; sh:path [ sh:oneOrMorePath ex:p ] ; sh:maxCount 999 .",
        "ex:a ex:q _:b0 . " + " ".join(f"_:b{n} ex:p _:b{(n + 1) % 1_000} ." for n in range(1_000)),
        results=1,
    ),
    "shapes that multiply": BadInput(
        " ".join(
            f"ex:L{n} sh:or ( [ sh:path ex:p ; sh:node {below} ] [ sh:path ex:q ; sh:node {below} ] ) ."
            for n, below in ((n, f"ex:L{n + 1}") for n in range(24))
        )
        + " ex:L0 sh:targetNode ex:a . ex:L24 sh:path ex:r ; sh:minCount 1 .",
        "ex:a ex:p ex:a ; ex:q ex:a .",
        stopped=True,
    ),
    "billions of solutions": BadInput(
        _QUERY.format(
            "SELECT $this ?value { $this ?p ?o . ?a ex:p ?b . ?c ex:p ?d . ?e ex:p ?f . ?g ex:p ?h }"
        )
        + _PREFIX,
        _many(1_000),
        stopped=True,
    ),
}
