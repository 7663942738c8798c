"""Data that are large or wrong: the result that the standard asks for, in bounded time."""

from functools import cache
from time import monotonic

import pytest

from battpass.kg.errors import DeadlineExceeded, EngineFailed
from battpass.kg.validation.compiled import Index
from battpass.kg.validation.compiled.regex import Pattern
from tests.shacl.turtle import compiled, quads, told, validate

MANY = 100_000
LONG = 1_000_000


@cache
def many_values() -> Index:
    """Return a node with the same many values of two properties, and two larger ones of a third."""
    values = ", ".join(map(str, range(MANY)))
    return Index(quads(f"ex:a ex:p {values} ; ex:q {values} ; ex:r {MANY} , {MANY + 1} ."))


@pytest.mark.parametrize(
    ("constraint", "count"),
    [
        ("sh:maxCount 99999", 1),
        ("sh:datatype xsd:integer", 0),
        ("sh:maxExclusive 99999", 1),
        ('sh:pattern "^[0-9]+$"', 0),
        ("sh:equals ex:q", 0),
        ("sh:disjoint ex:r", 0),
        ("sh:lessThan ex:r", 0),
        ("sh:uniqueLang true", 0),
        ("sh:hasValue 5", 0),
        ("sh:not [ sh:datatype xsd:string ]", 0),
        ("sh:qualifiedValueShape [ sh:minInclusive 50000 ] ; sh:qualifiedMaxCount 49999", 1),
    ],
)
def test_a_hundred_thousand_values_of_one_property(constraint: str, count: int) -> None:
    validator = compiled(f"ex:S sh:targetNode ex:a ; sh:path ex:p ; {constraint} .")

    report = validator.validate(many_values(), deadline=60)

    assert len(report.results) == count


def test_comparing_many_values_with_many_that_are_not_more_ends_at_the_deadline() -> None:
    values = ", ".join(map(str, range(20_000)))
    validator = compiled("ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:lessThan ex:p .")

    with pytest.raises(DeadlineExceeded, match=r"stopped after 0\.2 s"):
        validator.validate(quads(f"ex:a ex:p {values} ."), deadline=0.2)


def test_shapes_that_multiply_end_at_the_deadline() -> None:
    doubling = " ".join(
        f"ex:S{n} sh:property [ sh:path ex:p ; sh:node ex:X ; sh:property ex:P{n} ] , ex:P{n} . "
        f"ex:P{n} sh:path ex:p ; sh:property ex:P{n + 1} , [ sh:path ex:p ; sh:property ex:P{n + 1} ] ."
        for n in range(25)
    )
    last = "ex:P25 sh:path ex:p ; sh:class ex:C . ex:X sh:nodeKind sh:IRI . ex:S0 sh:targetNode ex:a ."
    shapes = f"{doubling} {last}"

    with pytest.raises(DeadlineExceeded):
        validate(shapes, "ex:a ex:p ex:a .", deadline=0.5)


def mixed(depth: int) -> str:
    """Return a path that repeats within itself, with a step in between each time."""
    path = "ex:p"
    for _ in range(depth):
        path = f"[ sh:oneOrMorePath ( {path} [ sh:zeroOrOnePath ex:p ] ) ]"
    return path


@pytest.mark.parametrize(
    "path", [f"{'[ sh:zeroOrMorePath ' * 40}ex:p{' ]' * 40}", mixed(5)], ids=["stars", "mixed"]
)
def test_paths_that_repeat_within_themselves_are_walked_once(path: str) -> None:
    """As they are written, they take as many steps as there are nodes, to the power of their depth."""
    ring = " ".join(f"ex:n{number} ex:p ex:n{(number + 1) % 100} ." for number in range(100))
    shapes = f"ex:S sh:targetNode ex:n0 ; sh:path {path} ; sh:maxCount 99 ."

    (result,) = validate(shapes, ring, deadline=60).results

    assert told(result) == ("MaxCount", "<n0>", "")
    assert result.path is not None


@pytest.mark.parametrize(("endless", "length"), [(True, 0), (True, 1), (False, 0)])
def test_a_repeated_path_within_a_repeated_one_reaches_what_it_says(endless: bool, length: int) -> None:
    """By hand: `a` is 0 steps away, `b` 1, `c` 2; all nine ways to repeat a repetition."""
    outer = {(True, 0): "zeroOrMorePath", (True, 1): "oneOrMorePath", (False, 0): "zeroOrOnePath"}[
        endless, length
    ]
    reach = {}
    for inner in ("zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath"):
        shapes = f"ex:S sh:targetNode ex:a ; sh:path [ sh:{outer} [ sh:{inner} ex:p ] ] ; sh:in () ."
        found = validate(shapes, "ex:a ex:p ex:b . ex:b ex:p ex:c .").results
        reach[inner] = "".join(sorted(told(one)[2].strip("<>") for one in found))

    assert reach == {
        "zeroOrMorePath": "abc",
        "oneOrMorePath": "bc" if length else "abc",
        "zeroOrOnePath": "abc" if endless else "ab",
    }


def test_ways_that_would_take_for_ever_end_at_the_deadline() -> None:
    chain = " ".join(f"ex:n{number} ex:p ex:n{number + 1} ." for number in range(20_000))
    shapes = "ex:S sh:targetSubjectsOf ex:p ; sh:path [ sh:zeroOrMorePath ex:p ] ; sh:maxCount 1 ."

    with pytest.raises(DeadlineExceeded):
        validate(shapes, chain, deadline=0.5)


@pytest.mark.parametrize(
    ("shape", "data", "count"),
    [
        (f"sh:path ex:p ; sh:in ( {' '.join(map(str, range(MANY)))} )", "ex:a ex:p 5 , -1 .", 1),
        (
            f"sh:path ex:p ; sh:or ( {' '.join(f'[ sh:hasValue {n} ]' for n in range(5_000))} )",
            "ex:a ex:p 5 , -1 .",
            1,
        ),
        ("sh:closed true", " ".join(f"ex:a ex:p{number} 1 ." for number in range(20_000)), 20_000),
        (
            "sh:property "
            + " , ".join(
                f"[ sh:path ex:p ; sh:qualifiedValueShape [ sh:hasValue {n} ] ; sh:qualifiedMinCount 1 ;"
                " sh:qualifiedValueShapesDisjoint true ]"
                for n in range(200)
            ),
            f"ex:a ex:p {' , '.join(map(str, range(199)))} .",
            1,
        ),
        (
            "sh:path [ sh:oneOrMorePath ex:p ] ; sh:maxCount 500 ; sh:nodeKind sh:BlankNode",
            "ex:a ex:p _:b0 ." + " ".join(f"_:b{n} ex:p _:b{(n + 1) % 1_000} ." for n in range(1_000)),
            1,
        ),
        ("sh:path ex:p ; sh:minInclusive 5.0", f'ex:a ex:p "1e999999999"^^xsd:double , {"9" * 5_000} .', 0),
        ("sh:path ex:p ; sh:maxInclusive 5.0", 'ex:a ex:p "1e-999999999"^^xsd:float .', 0),
        (
            'sh:path ex:p ; sh:minInclusive "P1D"^^xsd:duration',
            f'ex:a ex:p "P{"9" * MANY}Y"^^xsd:duration .',
            1,
        ),
    ],
    ids=["in", "or", "closed", "qualified", "ring of blank nodes", "large", "small", "duration"],
)
def test_shapes_and_values_without_measure_have_their_results(shape: str, data: str, count: int) -> None:
    report = validate(f"ex:S sh:targetNode ex:a ; {shape} .", data, deadline=60)

    assert len(report.results) == count


@pytest.mark.parametrize(
    ("constraint", "literal", "conforms"),
    [
        ("sh:maxLength 999999", '"{x}"', False),
        ("sh:maxLength 1000000", '"{x}"', True),
        ("sh:datatype xsd:integer", '"{1}"^^xsd:integer', True),
        ("sh:minInclusive 5", '"{1}"^^xsd:integer', True),
        ("sh:minInclusive 5.5", '"-{1}.5"^^xsd:decimal', False),
        ("sh:datatype xsd:integer", '"{x}"^^xsd:integer', False),
        ("sh:datatype xsd:double", '"{1}"^^xsd:double', True),
        ("sh:datatype xsd:dateTime", '"{1}-01-01T00:00:00"^^xsd:dateTime', False),
        ('sh:pattern "(x+x+)+y"', '"{x}"', False),
        ('sh:pattern "^(x|xx)*$"', '"{x}"', True),
        ('sh:pattern "x*x*x*x*y"', '"{x}"', False),
        ('sh:pattern "^(([a-z])+.)+[A-Z]([a-z])+$"', '"{x}"', False),
        ('sh:pattern "(.*)*(.*)*(.*)*$" ; sh:flags "s"', '"{x}"', True),
        ('sh:languageIn ( "en" )', '"{x}"@en', True),
        ("sh:in ( 5 )", '"{1}"^^xsd:integer', False),
        ("sh:hasValue 5", '"{1}"^^xsd:integer', False),
    ],
)
def test_a_literal_of_a_million_characters(constraint: str, literal: str, conforms: bool) -> None:
    text = literal.replace("{x}", "x" * LONG).replace("{1}", "1" * LONG)
    started = monotonic()

    report = validate(f"ex:S sh:targetNode ex:a ; sh:path ex:p ; {constraint} .", f"ex:a ex:p {text} .")

    assert report.conforms is conforms
    assert monotonic() - started < 60


def test_patterns_that_python_would_not_finish_are_matched_by_the_engine() -> None:
    assert Pattern("^(a+)+$").matches("a" * 5_000 + "b") is False
    assert Pattern("(.*)(.*)(.*)(.*)x").matches("a" * 5_000) is False


def test_ill_typed_literals_stay_as_they_are_and_satisfy_nothing_that_compares() -> None:
    report = validate(
        "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:datatype xsd:integer ; sh:minInclusive 0 ; "
        "sh:lessThan ex:q .",
        'ex:a ex:p "aldi"^^xsd:integer ; ex:q 5 .',
    )

    value = '"aldi"^^<http://www.w3.org/2001/XMLSchema#integer>'
    assert {told(result) for result in report.results} == {
        ("Datatype", "<a>", value),
        ("MinInclusive", "<a>", value),
        ("LessThan", "<a>", value),
    }


def test_lexical_forms_of_the_data_stand_in_the_report() -> None:
    report = validate(
        'ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:in ( 1 ) ; sh:sparql [ sh:select """'
        'SELECT $this ?value { $this $PATH ?value }""" ] .',
        'ex:a ex:p "01"^^xsd:integer , "1.50"^^xsd:decimal , "7"^^xsd:byte .',
    )

    xsd = "http://www.w3.org/2001/XMLSchema#"
    values = [f'"01"^^<{xsd}integer>', f'"1.50"^^<{xsd}decimal>', f'"7"^^<{xsd}byte>']
    assert sorted(told(result) for result in report.results) == sorted(
        (component, "<a>", value) for component in ("In", "SPARQL") for value in values
    )


def test_loops_in_the_data_end() -> None:
    shapes = """
    ex:S sh:targetNode ex:a ; sh:class ex:C ; sh:maxCount 2 ;
        sh:path [ sh:zeroOrMorePath [ sh:alternativePath ( ex:p [ sh:inversePath ex:p ] ) ] ] .
    """
    data = (
        "ex:a ex:p ex:b . ex:b ex:p ex:a ; a ex:C . ex:C rdfs:subClassOf ex:D . ex:D rdfs:subClassOf ex:C ."
    )

    assert [told(result) for result in validate(shapes, data).results] == [("Class", "<a>", "<a>")]


def test_a_query_that_reports_a_failure_ends_the_validation() -> None:
    with pytest.raises(EngineFailed, match="reports a failure"):
        validate(
            'ex:S sh:targetNode ex:a ; sh:sparql [ sh:select "SELECT $this (true AS ?failure) {}" ] .',
            "ex:a ex:p 1 .",
        )


def test_literals_and_blank_nodes_are_focus_nodes_of_queries() -> None:
    shapes = """
    ex:S sh:targetNode "x" , ex:a ; sh:targetObjectsOf ex:p ; sh:sparql [ sh:select '''
        SELECT $this ?value { BIND(isBlank($this) AS ?value) FILTER(bound($this)) }''' ] .
    """
    found = sorted(told(result)[1:] for result in validate(shapes, "ex:a ex:p [] .").results)

    true, false = (f'"{word}"^^<http://www.w3.org/2001/XMLSchema#boolean>' for word in ("true", "false"))
    assert [value for _, value in found] == [false, false, true]
    assert [focus for focus, _ in found[:2]] == ['"x"', "<a>"]


def test_messages_of_queries_name_what_was_found() -> None:
    report = validate(
        """ex:C a sh:ConstraintComponent ; sh:parameter [ sh:path ex:most ] ;
            sh:validator [ sh:ask "ASK { FILTER($value <= $most) }" ; sh:message "{$value} > {?most}"@en ] .
        ex:S sh:targetNode ex:a ; sh:path ex:p ; ex:most 5 .""",
        "ex:a ex:p 4 , 7 .",
    )

    assert [str(message) for result in report.results for message in result.messages] == ['"7 > 5"@en']


def test_details_say_what_the_closest_branch_finds() -> None:
    report = validate(
        """ex:S sh:targetNode ex:a ; sh:or ( [ sh:path ex:p ; sh:minCount 1 ] ex:T ) ; sh:node ex:T .
        ex:T sh:property [ sh:path ex:q ; sh:datatype xsd:string ] .""",
        "ex:a ex:q 5 .",
    )

    found = {told(result)[0]: [told(detail)[0] for detail in result.details] for result in report.results}
    assert found == {"Or": ["MinCount"], "Node": ["Datatype"]}
    assert sum("ns/shacl#detail" in str(triple.predicate) for triple in report.graph) == 2
    assert sum("ns/shacl#result>" in str(triple.predicate) for triple in report.graph) == 2
