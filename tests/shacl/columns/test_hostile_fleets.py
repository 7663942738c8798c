"""Fleets that are large, tangled or wrong: the results of each record alone, in bounded time."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

import pytest
from pyoxigraph import Quad

from battpass.kg.errors import DeadlineExceeded, EngineFailed
from battpass.kg.validation.compiled import Result
from battpass.kg.validation.compiled.columns.fleet import Clock, Fleet
from tests.shacl.test_hard_data import LONG, MANY, mixed
from tests.shacl.turtle import compiled, quads, told

MINUTE = 60.0


@cache
def many_values() -> list[Quad]:
    """Return a node with the same many values of two properties, and two larger ones of a third."""
    values = ", ".join(map(str, range(MANY)))
    return quads(f"ex:a ex:p {values} ; ex:q {values} ; ex:r {MANY} , {MANY + 1} .")


def found(
    shapes: str, records: Iterable[str], reference: str = "", deadline: float | None = MINUTE
) -> list[list[tuple[str, str, str]]]:
    """Return component, focus node and value of the results of each record, in columns and alone."""
    validator = compiled(shapes)
    texts, shared = [quads(one) for one in records], quads(reference)
    reports = [report for _, report in validator.validate_all(enumerate(texts), shared, deadline)]
    for text, report in zip(texts, reports, strict=True):
        assert Counter(report.results) == Counter(validator.validate([*text, *shared]).results)
    return [[told(result) for result in report.results] for report in reports]


def test_blank_nodes_with_one_label_in_two_records_are_two_nodes() -> None:
    shapes = "ex:S sh:targetClass ex:C ; sh:property [ sh:path ex:p ; sh:minCount 1 ; sh:maxCount 1 ] ."

    first, second, third = found(shapes, ["_:x a ex:C ; ex:p 1 .", "_:x a ex:C ; ex:p 2 .", "_:x a ex:C ."])

    assert (first, second) == ([], [])
    assert third == [("MinCount", "_:x", "")]


def test_a_focus_node_of_two_records_is_judged_in_each_by_what_that_one_says() -> None:
    shapes = "ex:S sh:targetNode ex:a ; sh:property [ sh:path ex:p ; sh:maxCount 1 ; sh:class ex:C ] ."

    first, second, empty = found(
        shapes, ["ex:a ex:p ex:b . ex:b a ex:C .", "ex:a ex:p ex:b , ex:c . ex:c a ex:C .", ""]
    )

    assert (first, empty) == ([], [])
    assert second == [("Class", "<a>", "<b>"), ("MaxCount", "<a>", "")]


@pytest.mark.parametrize(
    "shape",
    [
        "sh:targetNode ex:a ; sh:path [ sh:inversePath ex:p ] ; sh:maxCount 0",
        "sh:targetObjectsOf ex:p ; sh:nodeKind sh:BlankNode",
        "sh:targetSubjectsOf ex:q ; sh:nodeKind sh:BlankNode",
        "sh:targetClass ex:C ; sh:nodeKind sh:BlankNode",
        "sh:targetNode ex:b ; sh:path [ sh:zeroOrMorePath ex:p ] ; sh:maxCount 1",
        "sh:targetNode ex:b ; sh:path ( ex:p ex:q ) ; sh:maxCount 0",
        "sh:targetNode ex:b ; sh:closed true",
        'sh:targetNode ex:b ; sh:sparql [ sh:select "SELECT $this { $this <http://example.org/p> ?x }" ]',
    ],
)
def test_no_record_sees_the_statements_of_another_one(shape: str) -> None:
    apart = ["ex:b ex:p ex:a .", "ex:a ex:q 5 .", "ex:a a ex:D .", "ex:D rdfs:subClassOf ex:C ."]

    assert sum(map(len, found(f"ex:S {shape} .", apart))) <= 2
    assert sum(map(len, found(f"ex:S {shape} .", ["\n".join(apart)]))) == 1


def test_reference_statements_belong_to_each_record_with_their_own_results() -> None:
    shapes = "ex:S sh:targetClass ex:C ; sh:property [ sh:path ex:p ; sh:minCount 1 ] ."

    results = found(
        shapes, ["ex:r ex:p 1 .", "", "ex:s a ex:C ."], "ex:r a ex:D . ex:D rdfs:subClassOf ex:C ."
    )

    missing = ("MinCount", "<r>", "")
    assert results == [[], [missing], [missing, ("MinCount", "<s>", "")]]


def test_statements_that_a_record_repeats_count_once() -> None:
    shapes = "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:maxCount 1 ."

    assert found(shapes, ["ex:a ex:p 1 , 1 ."], "ex:a ex:p 1 .") == [[]]


@pytest.mark.parametrize(
    ("constraint", "count"),
    [
        ("sh:maxCount 99999", 1),
        ("sh:datatype xsd:integer", 0),
        ("sh:maxExclusive 99999", 1),
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

    ((_, report),) = validator.validate_all([("one", many_values())], deadline=MINUTE)

    assert len(report.results) == count


def test_a_literal_of_a_million_characters_in_each_record() -> None:
    shapes = "ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:maxLength 1000000 ; sh:datatype xsd:string ."
    records = [f'ex:a ex:p "{"x" * (LONG + number)}" .' for number in range(3)]

    assert [len(results) for results in found(shapes, records)] == [0, 1, 1]


def test_a_long_chain_of_classes_and_a_loop_of_them_end() -> None:
    chain = " ".join(f"ex:C{n} rdfs:subClassOf ex:C{n + 1} ." for n in range(20_000))
    loop = "ex:C20000 rdfs:subClassOf ex:C0 ."
    shapes = "ex:S sh:targetClass ex:C20000 ; sh:class ex:C10000 ; sh:nodeKind sh:BlankNode ."

    straight, bent, none = found(
        shapes, [f"ex:a a ex:C5 . {chain}", f"ex:a a ex:C19999 . {chain} {loop}", ""]
    )

    assert straight == bent == [("NodeKind", "<a>", "<a>")]
    assert none == []


def test_a_long_way_is_followed_to_its_end() -> None:
    chain = " ".join(f"ex:n{n} ex:p ex:n{n + 1} ." for n in range(20_000))
    shapes = "ex:S sh:targetNode ex:n0 ; sh:path [ sh:zeroOrMorePath ex:p ] ; sh:maxCount 20000 ."

    assert found(shapes, [chain, "ex:n0 ex:p ex:n0 ."]) == [[("MaxCount", "<n0>", "")], []]


def test_more_ends_of_ways_than_are_held_at_once_are_left_to_the_row_executor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = " ".join(f"ex:n{n} ex:p ex:n{n + 1} ." for n in range(100))
    fan = " ".join(f"ex:m ex:q ex:n{n} . ex:n{n} ex:r ex:n{n // 2} , ex:n{n // 3} ." for n in range(2, 100))
    shapes = """ex:S sh:targetSubjectsOf ex:p ; sh:path [ sh:zeroOrMorePath ex:p ] ; sh:maxCount 50 .
    ex:T sh:targetNode ex:m ; sh:path ( ex:q ex:r ) ; sh:maxCount 3 ."""
    whole = found(shapes, [f"{chain} {fan}"])
    assert len(whole[0]) == 52

    monkeypatch.setattr("battpass.kg.validation.compiled.columns.relations.MOST_PAIRS", 90)

    assert found(shapes, [f"{chain} {fan}"]) == whole
    fleet = Fleet(compiled(shapes).plan)
    (chunk,) = fleet.chunks([("one", quads(f"{chain} {fan}"))])
    assert all(suspect.open for suspect in fleet.suspects(chunk, Clock(None)))


def test_paths_that_repeat_within_themselves_are_walked_once() -> None:
    ring = " ".join(f"ex:n{n} ex:p ex:n{(n + 1) % 100} ." for n in range(100))
    shapes = f"ex:S sh:targetNode ex:n0 ; sh:path {mixed(5)} ; sh:maxCount 99 ."

    assert found(shapes, [ring, "ex:n0 ex:p ex:n0 ."]) == [[("MaxCount", "<n0>", "")], []]


def test_shapes_that_multiply_are_asked_once_for_each_node() -> None:
    """The row executor returns each result as often as shapes lead to it, so that here there is none."""
    doubling = " ".join(
        f"ex:S{n} sh:node ex:S{n + 1} ; sh:and ( ex:S{n + 1} ex:S{n + 1} ) ; sh:property ex:P{n} , ex:Q{n} . "
        f"ex:P{n} sh:path ex:p ; sh:node ex:S{n + 1} . ex:Q{n} sh:path ex:p ; sh:node ex:S{n + 1} ."
        for n in range(25)
    )

    results = found(
        f"{doubling} ex:S25 sh:class ex:C . ex:S0 sh:targetNode ex:a .", ["ex:a ex:p ex:a ; a ex:C ."]
    )

    assert results == [[]]


def test_a_fleet_ends_at_its_deadline() -> None:
    validator = compiled("ex:S sh:targetClass ex:C ; sh:nodeKind sh:IRI .")

    def endless() -> Iterator[tuple[int, list[Quad]]]:
        record = quads("ex:a a ex:C .")
        number = 0
        while True:
            yield (number := number + 1), record

    with pytest.raises(DeadlineExceeded, match=r"fleet was stopped after 0\.3 s"):
        for _ in validator.validate_all(endless(), deadline=0.3):
            pass


def test_what_is_explained_ends_at_the_deadline_too() -> None:
    values = ", ".join(map(str, range(20_000)))
    validator = compiled("ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:lessThan ex:p .")

    with pytest.raises(DeadlineExceeded, match=r"fleet was stopped after 0\.5 s"):
        list(validator.validate_all([("one", quads(f"ex:a ex:p {values} ."))], deadline=0.5))


def test_a_query_that_reports_a_failure_ends_the_validation() -> None:
    validator = compiled(
        'ex:S sh:targetNode ex:a ; sh:sparql [ sh:select "SELECT $this (true AS ?failure) {}" ] .'
    )

    with pytest.raises(EngineFailed, match="reports a failure"):
        list(validator.validate_all([("one", quads("ex:a ex:p 1 ."))]))


def test_advanced_features_are_run_by_pyshacl_record_by_record() -> None:
    shapes = """ex:S sh:targetClass ex:C ; sh:property [ sh:path ex:q ; sh:minCount 1 ] ;
        sh:rule [ a sh:TripleRule ; sh:subject sh:this ; sh:predicate ex:r ; sh:object 1 ] ."""

    first, second = found(shapes, ["ex:a a ex:C .", "ex:a ex:q 1 ."], "ex:a a ex:C .")

    assert [component for component, *_ in first] == ["MinCount"]
    assert second == []


@pytest.mark.parametrize("most", [1, 2, 3, 9, 10])
def test_records_come_in_their_order_whatever_the_size_of_the_chunks(most: int) -> None:
    plan = compiled("ex:S sh:targetNode ex:a ; sh:path ex:p ; sh:minCount 1 .").plan
    records = [(f"r{number}", quads("ex:a ex:p 1 ." if number % 3 else "")) for number in range(9)]
    fleet, clock = Fleet(plan, most=most), Clock(None)

    chunks = list(fleet.chunks(records))
    reported = [(name, len(found)) for chunk in chunks for name, found in fleet.results(chunk, clock)]

    assert len(chunks) == -(-9 // most)
    assert reported == [(f"r{number}", 0 if number % 3 else 1) for number in range(9)]


def test_what_fails_and_what_the_rows_must_judge_are_told_apart() -> None:
    shapes = """
    ex:S sh:targetClass ex:C ; sh:property [ sh:path ex:p ; sh:minCount 1 ] .
    ex:T sh:targetClass ex:D ; sh:sparql [ sh:select "SELECT $this { $this <http://example.org/p> ?x . }" ] .
    """
    fleet, clock = Fleet(compiled(shapes).plan), Clock(None)
    records = [
        ("one", quads("ex:a a ex:C . ex:b a ex:C ; ex:p 5 .")),
        ("two", quads("ex:c a ex:D ; ex:p 6 .")),
    ]

    (chunk,) = fleet.chunks([*records, ("three", quads("ex:c a ex:D ; ex:q 5 ."))])

    found = {(one.record, str(one.focus), one.open) for one in fleet.suspects(chunk, clock)}
    assert found == {("one", "<http://example.org/a>", False), ("two", "<http://example.org/c>", True)}


def test_no_record_is_no_report() -> None:
    assert list(compiled("ex:S sh:targetNode ex:a ; sh:class ex:C .").validate_all([])) == []


def test_results_of_columns_are_results_of_rows() -> None:
    ((_, report),) = compiled("ex:S sh:targetNode ex:a ; sh:class ex:C .").validate_all([("one", quads(""))])

    (result,) = report.results
    assert isinstance(result, Result)
    assert sum("ns/shacl#result>" in str(triple.predicate) for triple in report.graph) == 1
