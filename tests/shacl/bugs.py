"""Where pySHACL and pyshacl-turbo depart from the standard, each with a minimal case and with its mark.

The mark tells in which shapes the fault can show, so that a random case without it allows no difference.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.shacl.material import ANOTHER, COMPONENTS, LARGE, OF_SHAPES, PREFIXES, SPELT
from tests.shacl.rivals import Line

PYSHACL, TURBO = "pySHACL", "pyshacl-turbo"
_BOUNDS = re.compile(r"sh:(?:min|max)(?:In|Ex)clusive|sh:lessThan")
_BOUND = re.compile(r"sh:(?:min|max)(?:In|Ex)clusive (\S+)")
_WRITTEN_NUMBER = re.compile(r'-?[0-9.]+(?:e[0-9]+)?\Z|"[^"]*"\^\^xsd:(?:integer|decimal|double|float)\Z')
_OF_BOUNDS = ("Min", "Max", "LessThan")
NUMBER = re.compile(r'"[-+0-9.e]+"\^\^<xsd:(?:integer|decimal|double|float)\Z')
_QUERY = re.compile("sh:sparql|ex:most|ex:with")
_ASK, _SELECT = COMPONENTS["ask"][0], COMPONENTS["select"][0] + PREFIXES


@dataclass(frozen=True)
class Bug:
    """A fault: who has it, the case that shows it, and how many results are right there.

    `touches` is given a result that only one side has, the text of its shape with all shapes that it asks,
    and the data with the nodes that shapes name as targets.
    """

    name: str
    rivals: tuple[str, ...]
    shapes: str
    data: str
    results: int
    touches: Callable[[Line, str, str], bool]


def _of_order(line: Line, shapes: str, data: str) -> bool:
    if not _BOUNDS.search(shapes):
        return False
    # Two numbers compare, and nobody gets that wrong.
    alone = line.component.endswith(("Inclusive", "Exclusive")) and line.component.startswith(_OF_BOUNDS)
    numbers = all(_WRITTEN_NUMBER.match(bound) for bound in _BOUND.findall(shapes))
    return not (alone and NUMBER.match(line.value) and numbers)


def _never_drawn(line: Line, shapes: str, data: str) -> bool:
    """Shapes of other fields show it; random ones do not."""
    return False


BUGS = (
    Bug(
        "values that do not compare are put into an order all the same",
        (PYSHACL,),
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:maxInclusive 5 .",
        'ex:a ex:p "2020-01-01"^^xsd:date .',
        1,
        _of_order,
    ),
    Bug(
        "a number that its datatype does not have is compared",
        (TURBO,),
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:minInclusive 5 .",
        'ex:a ex:p "300"^^xsd:byte .',
        1,
        lambda line, shapes, data: '"300"^^' in shapes + data and bool(_BOUNDS.search(shapes)),
    ),
    Bug(
        "an integer of more than 64 bits compares with nothing",
        (TURBO,),
        f"ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:maxExclusive {LARGE} .",
        "ex:a ex:p 5 .",
        0,
        lambda line, shapes, data: LARGE in shapes + data and bool(_BOUNDS.search(shapes)),
    ),
    Bug(
        "a term that has no order is less than or equal to itself",
        (PYSHACL, TURBO),
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:lessThanOrEquals ex:q .",
        "ex:a ex:p ex:b ; ex:q ex:b .",
        1,
        lambda line, shapes, data: "lessThanOrEquals" in shapes,
    ),
    Bug(
        "texts of one language are put into an order, which SPARQL has for plain texts only",
        (PYSHACL, TURBO),
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:lessThan ex:q .",
        'ex:a ex:p "a"@en ; ex:q "b"@en .',
        1,
        lambda line, shapes, data: "sh:lessThan" in shapes and "@" in data,
    ),
    Bug(
        "a literal that its datatype does not have is numeric to a query",
        (PYSHACL,),
        """ex:S sh:targetNode "aldi"^^xsd:integer ; sh:sparql [ sh:select
            "SELECT $this { FILTER(isNumeric($this)) }" ] .""",
        "ex:a ex:p ex:b .",
        0,
        lambda line, shapes, data: (
            bool(_QUERY.search(shapes)) and bool(re.search('"aldi"|"300"', shapes + data))
        ),
    ),
    Bug(
        "what is not a number is less than one to a query",
        (PYSHACL,),
        """ex:S sh:targetNode "NaN"^^xsd:double ; sh:sparql [ sh:select
            "SELECT $this { FILTER($this <= 1) }" ] .""",
        "ex:a ex:p ex:b .",
        0,
        lambda line, shapes, data: '"NaN"' in shapes + data and bool(_QUERY.search(shapes)),
    ),
    Bug(
        "a blank node is long enough where no length is asked for",
        (PYSHACL, TURBO),
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:minLength 0 .",
        "ex:a ex:p [] .",
        1,
        lambda line, shapes, data: "sh:minLength 0" in shapes and "_:" in data,
    ),
    Bug(
        "solutions of a query that are alike count once",
        (PYSHACL, TURBO),
        """ex:S sh:targetNode ex:a ; sh:sparql [ sh:select
            "SELECT $this { $this <http://example.org/p> ?x }" ] .""",
        "ex:a ex:p 1 , 2 .",
        2,
        lambda line, shapes, data: (
            line.component == "SPARQL" and bool(re.search("OPTIONAL|UNION|COALESCE", shapes))
        ),
    ),
    Bug(
        "a sequence is not turned round when it is followed backwards",
        (PYSHACL,),
        "ex:S sh:targetNode ex:a ; sh:path [ sh:inversePath ( ex:p ex:q ) ] ; sh:maxCount 0 .",
        "ex:b ex:p ex:c . ex:c ex:q ex:a .",
        1,
        lambda line, shapes, data: "inversePath (" in shapes,
    ),
    Bug(
        "a query with a path that repeats starts from anywhere if the focus node is false or empty",
        (PYSHACL,),
        """ex:S sh:targetNode false ; sh:path ( [ sh:zeroOrMorePath ex:q ] ex:p ) ; sh:sparql [ sh:select
            "SELECT $this ?value { $this $PATH ?value }" ] .""",
        "ex:a ex:p ex:b .",
        0,
        lambda line, shapes, data: (
            "ex:p+" in shapes or ("$PATH" in shapes and bool(re.search("OrMore|OrOne", shapes)))
        ),
    ),
    Bug(
        "a class is an implicit target only if its type is rdfs:Class, or just below that",
        (PYSHACL, TURBO),
        """ex:C a ex:K , sh:NodeShape ; sh:nodeKind sh:BlankNode . ex:K rdfs:subClassOf ex:L .
        ex:L rdfs:subClassOf rdfs:Class .""",
        "ex:a a ex:C .",
        1,
        _never_drawn,
    ),
    Bug(
        "a day before the year 1 is no date",
        (PYSHACL,),
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:datatype xsd:date .",
        'ex:a ex:p "-2021-06-30"^^xsd:date .',
        0,
        _never_drawn,
    ),
    Bug(
        "the text of an xsd:dateTimeStamp is not looked at",
        (PYSHACL,),
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:datatype xsd:dateTimeStamp .",
        'ex:a ex:p "1"^^xsd:dateTimeStamp .',
        1,
        _never_drawn,
    ),
    Bug(
        "the value that an ASK validator says no to is not told where the shape has a path",
        (PYSHACL, TURBO),
        f"{_ASK} ex:S sh:targetNode ex:a ; sh:path ex:p ; ex:most 1 .",
        "ex:a ex:p 5 .",
        1,
        lambda line, shapes, data: line.component.endswith("MostComponent") and bool(line.path),
    ),
    Bug(
        "a component with one parameter is asked once where the parameter has two values",
        (PYSHACL,),
        f"{_ASK} ex:S sh:targetNode 3 ; ex:most 1 , 2 .",
        "ex:a ex:p 5 .",
        2,
        lambda line, shapes, data: bool(re.search(r"ex:most \S+ ,", shapes)),
    ),
    Bug(
        "a SELECT validator of node shapes runs with ?value bound to the focus node",
        (PYSHACL,),
        f"{_SELECT} ex:S sh:targetNode ex:a ; ex:with ex:p .",
        "ex:a ex:p ex:b .",
        1,
        lambda line, shapes, data: "ex:with" in shapes,
    ),
)


def _of_spelling(line: Line, shapes: str, data: str) -> bool:
    spelt = (*SPELT, '"300"^^xsd:byte', *(ANOTHER if "STR(" in shapes else ()))
    return bool(_QUERY.search(shapes)) and any(one in shapes + data for one in spelt)


# Our own, of the store that runs queries.
OWN = (
    # It keeps numbers and times in one spelling, and takes two for one term.
    Bug(
        "a number in another spelling is the same term to a query",
        (PYSHACL, TURBO),
        """ex:S sh:targetNode "02"^^xsd:integer ; sh:sparql [ sh:select
            "SELECT $this { ?x <http://example.org/p> $this }" ] .""",
        "ex:a ex:p 2 .",
        1,
        _of_spelling,
    ),
    # It counts with 64 bits.
    Bug(
        "an integer of more than 64 bits is no number to a query",
        (PYSHACL,),
        f"""ex:S sh:targetNode {LARGE} ; sh:sparql [ sh:select
            "SELECT $this {{ FILTER(!isNumeric($this)) }}" ] .""",
        "ex:a ex:p 2 .",
        1,
        lambda line, shapes, data: LARGE in shapes + data and bool(_QUERY.search(shapes)),
    ),
)


@dataclass(frozen=True)
class Crash:
    """A case that a rival does not finish, and what its error says."""

    rival: str
    shapes: str
    data: str
    says: str


CRASHES = (
    Crash(
        PYSHACL,
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:lessThan ex:q .",
        "ex:a ex:p [] ; ex:q 5 .",
        "to compare a BlankNode",
    ),
    Crash(
        PYSHACL,
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:lessThanOrEquals ex:q .",
        'ex:a ex:p "aldi"^^xsd:integer ; ex:q 0 .',
        "not supported between instances of 'Literal' and 'Literal'",
    ),
    Crash(
        PYSHACL,
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:maxInclusive 1.5 .",
        'ex:a ex:p "NaN"^^xsd:double .',
        "decimal.InvalidOperation",
    ),
    Crash(
        PYSHACL,
        """ex:S sh:targetNode ex:a ; sh:path [ sh:zeroOrMorePath [ sh:zeroOrOnePath ex:p ] ] ; sh:sparql [
            sh:select "SELECT $this ?value { $this $PATH ?value }" ] .""",
        "ex:a ex:p ex:b .",
        "Expected SelectQuery",
    ),
    Crash(
        PYSHACL,
        """ex:S sh:targetNode ex:a ; sh:sparql [ sh:select
            "SELECT $this { $this <http://example.org/p> ?x FILTER(COALESCE(?x + 1 > 2, true)) }" ] .""",
        'ex:a ex:p "aldi"^^xsd:integer .',
        "maximum recursion depth exceeded",
    ),
    Crash(
        PYSHACL,
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:qualifiedValueShape [ sh:class ex:C ] ; sh:minCount 1 .",
        "ex:a ex:q ex:b .",
        "at lease one sh:qualifiedMinCount or sh:qualifiedMaxCount",
    ),
    Crash(
        PYSHACL,
        "ex:S sh:targetNode ex:a ; sh:or () .",
        "ex:a ex:p ex:b .",
        "well-formed RDF list with 1 or more members",
    ),
    Crash(
        PYSHACL,
        f"""ex:S sh:targetNode ex:a ; sh:targetClass ex:A ; sh:sparql [ sh:prefixes ex: ;
            sh:select \'\'\'{OF_SHAPES}\'\'\' ] . {PREFIXES}""",
        "ex:a ex:p ex:b .",
        "Shapes Graph is not currently supported",
    ),
)
