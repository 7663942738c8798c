"""Where no branch of a choice holds, the result names the one that comes closest, and what it still wants."""

import pytest
from pyoxigraph import BlankNode, RdfFormat, serialize

from battpass.kg.validation.compiled import Result
from battpass.kg.validation.compiled.results import Branches
from battpass.kg.validation.compiled.vocabulary import sh
from battpass.kg.validation.reports.wishes import closest_of, wish_of
from tests.shacl.turtle import EX, told, validate

CELLS = """
ex:Shape sh:targetNode ex:a ; sh:or ( ex:Round ex:Flat ) .
ex:Round sh:property [ sh:path ex:diameter ; sh:minCount 1 ; sh:datatype xsd:decimal ] ,
    [ sh:path ex:height ; sh:minCount 1 ] , [ sh:path ex:maker ; sh:minCount 1 ] .
ex:Flat sh:property [ sh:path ex:width ; sh:minCount 1 ; sh:datatype xsd:decimal ] ,
    [ sh:path ex:height ; sh:minCount 1 ] , [ sh:path ex:depth ; sh:minCount 1 ] .
"""


def only(shapes: str, data: str) -> Result:
    """Return the one result."""
    (result,) = validate(shapes, data).results
    return result


def test_the_branch_with_fewest_results_is_named_with_what_it_wants() -> None:
    result = only(CELLS, "ex:a ex:width 'wide' ; ex:height 1.0 ; ex:depth 2.0 .")

    assert result.branches is not None and result.branches.places == (2,)
    assert [told(detail) for detail in result.details] == [("Datatype", "<a>", '"wide"')]
    assert closest_of(result.branches, result.details) == (
        f"branch 2 of 2 ({EX}Flat) comes closest; it wants of {EX}width: a well-formed xsd:decimal",
        f"Zweig 2 von 2 ({EX}Flat) trifft am ehesten zu; er verlangt "
        f"bei {EX}width: ein wohlgeformter xsd:decimal",
    )


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ("ex:a ex:height 1 .", 1),  # of equals the first
        ("ex:a ex:diameter 1.0 .", 1),
        ("ex:a ex:depth 1.0 .", 2),
        ("ex:a ex:diameter 'x' ; ex:width 1.0 .", 2),
    ],
)
def test_of_two_branches_the_one_that_misses_less_comes_closest(data: str, place: int) -> None:
    branches = only(CELLS, data).branches
    assert branches is not None and branches.places == (place,) and not branches.hold


def test_a_warning_is_less_than_a_violation_and_results_within_results_count_as_theirs() -> None:
    result = only(
        """ex:S sh:targetNode ex:a ; sh:or ( [ sh:path ex:p ; sh:minCount 1 ] ex:Deep ex:Mild ) .
        ex:Deep sh:node [ sh:property [ sh:path ex:q ; sh:minCount 1 ] , [ sh:path ex:r ; sh:minCount 1 ] ] .
        ex:Mild sh:property [ sh:path ex:q ; sh:minCount 1 ; sh:severity sh:Warning ] ,
            [ sh:path ex:r ; sh:minCount 1 ; sh:severity sh:Info ] .""",
        "ex:a ex:t 1 .",
    )

    assert result.branches is not None and result.branches.places == (3,)
    assert {detail.severity for detail in result.details} == {sh("Warning"), sh("Info")}


def test_where_a_shape_asks_another_one_results_at_the_ends_are_counted() -> None:
    result = only(
        """ex:S sh:targetNode ex:a ; sh:or ( ex:Deep [ sh:path ex:p ; sh:minCount 1 ] ) .
        ex:Deep sh:node
            [ sh:property [ sh:path ex:q ; sh:minCount 1 ] , [ sh:path ex:r ; sh:minCount 1 ] ] .""",
        "ex:a ex:t 1 .",
    )

    assert result.branches is not None and result.branches.places == (2,)


def test_exactly_one_says_which_ones_hold() -> None:
    result = only(
        'ex:S sh:targetNode "x" ; sh:xone ( ex:Text [ sh:nodeKind sh:IRI ] [ sh:nodeKind sh:Literal ] ) .'
        "ex:Text sh:datatype xsd:string .",
        "",
    )

    assert result.details == ()
    assert result.branches is not None
    assert result.branches.places == (1, 3) and result.branches.hold
    assert (
        closest_of(result.branches, ()).en
        == f"branches 1 and 3 of 3 hold together ({EX}Text), and only one may"
    )


def test_exactly_one_of_which_none_holds_names_the_closest() -> None:
    result = only(CELLS.replace("sh:or", "sh:xone"), "ex:a ex:depth 1.0 .")

    assert result.branches is not None and not result.branches.hold
    assert result.branches.places == (2,) and len(result.details) == 2


def test_a_branch_that_stands_there_twice_holds_twice() -> None:
    result = only(
        'ex:S sh:targetNode "x" ; sh:xone ( ex:Text ex:Text ) . ex:Text sh:datatype xsd:string .', ""
    )
    assert result.branches == Branches((1, 2), (result.branches.shapes[0],) * 2, 2, hold=True)  # type: ignore[union-attr]


def test_the_words_of_a_branch_are_those_of_its_shapes_where_they_have_some() -> None:
    result = only(
        """ex:S sh:targetNode ex:a ; sh:or ( [ sh:path ex:p ; sh:minCount 1 ;
            sh:message "Say how heavy it is."@en , "Gewicht angeben."@de ] ) .""",
        "ex:a ex:t 1 .",
    )

    assert result.branches is not None
    words = closest_of(result.branches, result.details)
    assert words.en.endswith(f"it wants of {EX}p: Say how heavy it is.")
    assert words.de.endswith(f"er verlangt bei {EX}p: Gewicht angeben.")


@pytest.mark.parametrize(
    ("constraint", "wish"),
    [
        ("sh:minCount 2", "at least 2 values"),
        ("sh:maxCount 0", "at most 0 values"),
        ("sh:datatype xsd:date", "a well-formed xsd:date"),
        ("sh:class ex:C", f"an instance of {EX}C"),
        ("sh:nodeKind sh:IRI", "an IRI"),
        ("sh:minExclusive 7", "more than 7"),
        ("sh:maxInclusive 3", "at most 3"),
        ("sh:minLength 4", "at least 4 characters"),
        ("sh:maxLength 0", "at most 0 characters"),
        ('sh:pattern "^x"', "a text that matches ^x"),
        ('sh:languageIn ( "de" "en" )', "a text in one of: de, en"),
        ("sh:equals ex:q", f"the same values as {EX}q"),
        ("sh:disjoint ex:t", f"no value of {EX}t"),
        ("sh:lessThan ex:t", f"less than the value of {EX}t"),
        ('sh:in ( "a" 2 )', 'one of: "a", 2'),
        ('sh:hasValue "a"', 'the value "a"'),
        ("sh:not [ sh:nodeKind sh:Literal ]", "nothing that is as its shape says"),
        ("sh:and ( [ sh:nodeKind sh:IRI ] )", "all of 1 shapes"),
        ("sh:node ex:N", f"a node as {EX}N"),
        ("sh:qualifiedValueShape ex:N ; sh:qualifiedMinCount 1", f"at least 1 value as {EX}N"),
    ],
)
def test_what_a_constraint_wants_is_said_in_words(constraint: str, wish: str) -> None:
    shapes = f"ex:S sh:targetNode ex:a ; sh:path ex:p ; {constraint} . ex:N sh:nodeKind sh:IRI ."
    results = validate(shapes, "ex:a ex:p 5 ; ex:t 5 .").results

    assert wish in {wish_of(result).en for result in results}
    assert all(wish_of(result).de not in ("", wish) for result in results)


def test_each_result_within_a_result_is_one_blank_node_of_the_graph() -> None:
    report = validate(CELLS, "ex:a ex:depth 1.0 .")
    details = [triple.object for triple in report.graph if triple.predicate == sh("detail")]

    assert len(details) == len(set(details)) == 2
    assert all(isinstance(node, BlankNode) for node in details)
    for node in details:
        told_of = [triple.predicate for triple in report.graph if triple.subject == node]
        assert sh("resultPath") in told_of and sh("sourceConstraintComponent") in told_of
    results = [triple.object for triple in report.graph if triple.predicate == sh("result")]
    assert len(results) == 1 and not set(results) & set(details)
    assert serialize(report.graph, format=RdfFormat.TURTLE)
