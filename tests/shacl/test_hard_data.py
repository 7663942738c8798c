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
