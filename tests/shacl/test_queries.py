"""Queries with bound variables: the focus node counts in every group, and one run for all says the same."""

import pytest

from battpass.kg.validation.compiled.queries import prepare
from tests.shacl.turtle import EX, told, validate

DATA = "ex:a ex:p 1 , 2 ; ex:q ex:b . ex:b ex:p 3 . ex:c ex:p 4 ."
# Each query with the focus nodes of its results, among ex:a, ex:b and ex:c.
QUERIES = {
    "SELECT $this { FILTER(bound($this)) }": "abc",
    "SELECT $this { { FILTER($this = ex:a) } UNION { FILTER(false) } }": "a",
    "SELECT $this { BIND($this AS ?that) { FILTER(bound($this)) } FILTER(?that = ex:b) }": "b",
    "SELECT $this { { SELECT $this ?x { $this ex:p ?x } LIMIT 1 } }": "abc",
    "SELECT $this { { SELECT $this (COUNT(?x) AS ?n) { $this ex:p ?x } GROUP BY $this } FILTER(?n=2) }": "a",
    "SELECT $this { { SELECT $this (COUNT(?x) AS ?n) { ?z ex:p ?x } GROUP BY $this } FILTER(?n > 3) }": "abc",
    "SELECT * { ?x ex:p 4 FILTER NOT EXISTS { $this ex:q ?y } }": "bc",
    "SELECT $this { $this ex:p ?x { FILTER NOT EXISTS { $this ex:q ?y } } }": "bc",
    "SELECT $this { $this ex:p ?x OPTIONAL { FILTER(bound($this)) BIND(1 AS ?o) } FILTER(?o = 1) }": "abc",
    "SELECT $this { $this ex:p ?x } ORDER BY ?x LIMIT 1": "abc",
    "SELECT $this (SUM(?x) AS ?value) { $this ex:p ?x } GROUP BY $this": "abc",
    "SELECT $this (SUM(?x) AS ?value) { $this ex:p ?x } GROUP BY $this HAVING (SUM(?x) = 3)": "ab",
    "SELECT $this { OPTIONAL { $this ex:q ?o } FILTER(!bound(?o)) }": "bc",
    "SELECT $this { ?o ex:q $this }": "b",
    "SELECT $this { $this ex:q* ex:b }": "ab",
    "SELECT $this { $this !ex:p ?o }": "a",
    "SELECT $this { $this ?property ex:b }": "a",
    "SELECT $this { FILTER(EXISTS { $this ex:q ?o . ?o ex:p 3 }) }": "a",
}


@pytest.mark.parametrize("query", QUERIES)
def test_the_focus_node_is_bound_in_every_group(query: str) -> None:
    report = validate(
        f"""ex:S sh:targetSubjectsOf ex:p ; sh:sparql [ sh:prefixes ex: ; sh:select '''{query}''' ] .
        ex: sh:declare [ sh:prefix "ex" ; sh:namespace "{EX}"^^xsd:anyURI ] .""",
        DATA,
    )

    found = [told(result)[1].strip("<>") for result in report.results]
    if "GROUP" not in query and "LIMIT" not in query and "DISTINCT" not in query:
        found = sorted(set(found))
    assert "".join(found) == QUERIES[query]


@pytest.mark.parametrize(
    ("query", "predicates"),
    [
        ("SELECT $this { $this <a:p> ?v . FILTER(?v > 1 || !bound(?v)) }", {"a:p"}),
        ("SELECT $this ?v (STR(?v) AS ?words) { $this <a:p>/<a:q> ?v FILTER(?v * 2 > 1) }", {"a:p", "a:q"}),
        ("SELECT $this { $this ?p ?v }", None),
        ("SELECT $this { [ ?p $this ] <a:q> 1 }", None),
        ("SELECT $this { $this <a:p> 1 ; ?p 2 }", None),
        ("SELECT $this { $this !<a:p> ?v }", None),
        ("SELECT $this { $this (<a:p>|!(<a:q>)) ?v }", None),
        ("SELECT $this { $this <a:p>* ?v }", None),
        ("SELECT $this { $this (<a:p>/<a:q>)? ?v }", None),
        ("SELECT $this { GRAPH ?g { $this <a:p> ?v } }", None),
    ],
)
def test_what_a_query_cannot_look_at_is_left_out_of_the_store(
    query: str, predicates: set[str] | None
) -> None:
    assert prepare(query, {}, ("this",), None).predicates == predicates


@pytest.mark.parametrize(
    ("query", "at_once"),
    [
        ("SELECT $this ?v { $this <a:p> ?v . FILTER(?v > 1) }", True),
        ("SELECT $this ?v { $this <a:p> ?v . FILTER NOT EXISTS { $this <a:q> ?v } }", True),
        ("SELECT $this { $this <a:p> ?v . } GROUP BY $this", True),
        ("SELECT $this { $this <a:p> ?v . } GROUP BY ?v", False),
        ("SELECT $this { $this <a:p> ?v . } LIMIT 1", False),
        ("SELECT $this (COUNT(*) AS ?n) { $this <a:p> ?v . }", False),
        ("SELECT $this { $this <a:p> ?v . OPTIONAL { FILTER(bound($this)) } }", False),
        ("SELECT $this { $this <a:p> ?v . { FILTER NOT EXISTS { $this <a:q> ?v } } }", False),
        ("SELECT $this { OPTIONAL { $this <a:p> ?v } }", False),
    ],
)
def test_queries_run_for_all_nodes_at_once_only_where_that_says_the_same(query: str, at_once: bool) -> None:
    try:
        prepared = prepare(query, {}, ("this",), None)
    except ValueError:  # what the engine does not take, it need not run
        assert not at_once
        return
    assert (prepared.free is not None) is at_once
