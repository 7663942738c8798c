"""Shapes that are not SHACL are refused in words: which shape, what is wrong, what to write."""

import pytest

from battpass.kg.errors import BadShapes
from tests.shacl.turtle import compiled

# What is wrong: the Turtle, and words that the message must have.
NOT_SHACL = {
    "a list that leads back into itself": (
        "ex:S a sh:NodeShape ; sh:in _:l . _:l rdf:first 1 ; rdf:rest _:l .",
        "sh:in is a list that leads back into itself",
    ),
    "a list without an end": (
        "ex:S a sh:NodeShape ; sh:in [ rdf:first 1 ] .",
        "1 rdf:first and 0 rdf:rest",
    ),
    "a list with two members at one place": (
        "ex:S a sh:NodeShape ; sh:or [ rdf:first [] , ex:T ; rdf:rest () ] .",
        "2 rdf:first and 1 rdf:rest",
    ),
    "a literal for a list": ("ex:S a sh:NodeShape ; sh:in 5 .", "sh:in is no list"),
    "a literal for a shape": ('ex:S sh:node "x" .', "where a shape belongs"),
    "a literal for a class": ('ex:S sh:class "x" .', "where an IRI belongs"),
    "a blank node for a class to target": ("ex:S sh:targetClass [] .", "sh:targetClass is _:"),
    "a blank node for a node to target": ("ex:S sh:targetNode [] .", "sh:targetNode is _:"),
    "a property shape without a path": ("ex:S sh:property [ sh:minCount 1 ] .", "which has no sh:path"),
    "a named property shape without a path": ("ex:S a sh:PropertyShape .", "without sh:path"),
    "a node shape with a path": ("ex:S a sh:NodeShape ; sh:path ex:p .", "a sh:NodeShape with sh:path"),
    "two paths": ("ex:S a sh:PropertyShape ; sh:path ex:p , ex:q .", "sh:path has 2 values"),
    "a count at a node shape": ("ex:S a sh:NodeShape ; sh:minCount 1 .", "stands at a node shape"),
    "a count in words": ('ex:S sh:path ex:p ; sh:minCount "one" .', "where an xsd:integer belongs"),
    "a count that is a decimal": ("ex:S sh:path ex:p ; sh:maxCount 1.5 .", "where an xsd:integer belongs"),
    "two counts": ("ex:S sh:path ex:p ; sh:minCount 1 , 2 .", "sh:minCount has 2 values"),
    "two datatypes": ("ex:S sh:datatype xsd:int , xsd:string .", "sh:datatype has 2 values"),
    "an unknown kind of node": ("ex:S sh:nodeKind sh:Iri .", "Write one of sh:IRI"),
    "a bound that is an IRI": ("ex:S sh:minInclusive ex:x .", "where a literal belongs"),
    "a pattern that does not compile": ('ex:S sh:pattern "a(" .', "does not compile"),
    "a pattern of another dialect": ('ex:S sh:pattern "(a)\\\\1" .', "back references"),
    "a pattern with no room for its counts": (
        'ex:S sh:pattern "((a{1,1000}){1,1000}){1,1000}" .',
        "takes too much room",
    ),
    "a pattern that goes too deep": (
        f'ex:S sh:pattern "{"(" * 50_000}a{")" * 50_000}" .',
        "does not compile",
    ),
    "a pattern without end": (f'ex:S sh:pattern "{"a?" * 20_000}{"a" * 2_000}" .', "takes too much room"),
    "an unknown flag": ('ex:S sh:pattern "a" ; sh:flags "g" .', "there is no flag 'g'"),
    "a language that is an IRI": ("ex:S sh:languageIn ( ex:en ) .", "sh:languageIn holds http"),
    "an ignored property that is a literal": (
        'ex:S sh:closed true ; sh:ignoredProperties ( "p" ) .',
        "sh:ignoredProperties holds",
    ),
    "a truth value in words": ('ex:S sh:closed "yes" .', "where true or false belongs"),
    "a message that is an IRI": ("ex:S a sh:NodeShape ; sh:message ex:m .", "where words belong"),
    "a severity that is a literal": ('ex:S a sh:NodeShape ; sh:severity "x" .', "where an IRI belongs"),
    "a misspelt parameter": ("ex:S sh:path ex:p ; sh:minCnt 1 ; sh:maxCount 2 .", "no property of SHACL 1.0"),
    "a parameter of a later SHACL": ("ex:S a sh:NodeShape ; sh:reifierShape ex:T .", "sh:reifierShape"),
    "a path that is a literal": ('ex:S sh:path "p" ; sh:minCount 1 .', "which is no path"),
    "a path of one step": ("ex:S sh:path ( ex:p ) ; sh:minCount 1 .", "a list of 1 paths"),
    "a path of nothing": ("ex:S sh:path [] ; sh:minCount 1 .", "a node with 0 kinds of path"),
    "a path of two kinds": (
        "ex:S sh:path [ sh:inversePath ex:p ; sh:zeroOrMorePath ex:q ] ; sh:minCount 1 .",
        "a node with 2 kinds of path",
    ),
    "a path that leads back into itself": (
        "ex:S sh:path _:p ; sh:minCount 1 . _:p sh:inversePath _:p .",
        "leads back into itself",
    ),
    "a shape that asks itself": ("ex:S a sh:NodeShape ; sh:node ex:S .", "the shape asks itself: http"),
    "shapes that ask each other": (
        "ex:S sh:property [ sh:path ex:p ; sh:node ex:T ] . ex:T sh:not ex:S .",
        "The shapes cannot be used. In http://example.org/S: the shape asks itself",
    ),
    "an entailment": ("ex:G sh:entailment ex:RDFS . ex:S a sh:NodeShape .", "nothing is inferred here"),
    "a script": ("ex:S a sh:NodeShape ; sh:js [] .", "asks for JavaScript"),
}

QUERIES = {
    "MINUS": ("SELECT $this { $this ?p ?o MINUS { $this ?p 1 } }", "uses MINUS"),
    "VALUES": ("SELECT $this { VALUES ?x { 1 } }", "uses VALUES"),
    "SERVICE": ("SELECT $this { SERVICE <http://example.org/> { ?s ?p ?o } }", "uses SERVICE"),
    "AS $this": ("SELECT $this { BIND(1 AS $this) }", "assigns to $this"),
    "AS ?this": ("SELECT (1 AS ?this) { }", "assigns to ?this"),
    "AS $currentShape": ("SELECT $this { BIND(1 AS ?currentShape) }", "assigns to ?currentShape"),
    "a query within that hides $this": (
        "SELECT $this { { SELECT ?x { ?x ?p ?o } } }",
        "does not return $this",
    ),
    "a star that hides $this": (
        "SELECT $this { { SELECT * { FILTER($this = 1) } } }",
        "does not return $this",
    ),
    "nothing returned": ("SELECT ?x { ?x ?p ?o }", "the query does not return $this"),
    "an ASK": ("ASK { $this ?p ?o }", "begins with ASK"),
    "an update": ("DELETE WHERE { ?s ?p ?o }", "begins with nothing known"),
    "no SPARQL": ("SELECT $this { $this", "is no SPARQL query"),
    "a prefix that nobody declares": (
        "SELECT $this { $this foo:bar 1 }",
        "is no SPARQL query: at line 1, column 22, nobody declares the prefix foo:",
    ),
    "brackets that go too deep": (f"SELECT $this {'{' * 6_000}{'}' * 6_000}", "brackets nested deeper"),
    "an expression that goes too deep": (
        f"SELECT $this {{ FILTER({'(' * 6_000}1{')' * 6_000}) }}",
        "brackets nested deeper than 100",
    ),
    "signs without end": (f"SELECT $this {{ FILTER({'!' * 6_000}true) }}", "more than 1,000 operators"),
    "a chain of alternatives": (
        f"SELECT $this {{ {' UNION '.join(['{ FILTER(true) }'] * 100)} }}",
        "more than 64 UNIONs",
    ),
    "more text than anybody reads": (
        f"SELECT $this {{ FILTER($this IN (1{', 1' * 30_000})) }}",
        "is too much for the engine",
    ),
    "$PATH for a value": ("SELECT $this { $this ?p ?o FILTER($PATH = ?o) }", "elsewhere than in the place"),
}


@pytest.mark.parametrize("wrong", NOT_SHACL)
def test_what_is_not_shacl_is_refused(wrong: str) -> None:
    shapes, words = NOT_SHACL[wrong]

    with pytest.raises(BadShapes) as refused:
        compiled(shapes)

    message = str(refused.value)
    assert words in message
    assert message.startswith("The shapes cannot be used. In ")
    assert message.endswith(".")


@pytest.mark.parametrize("wrong", QUERIES)
def test_queries_that_the_standard_forbids_are_refused(wrong: str) -> None:
    query, words = QUERIES[wrong]

    with pytest.raises(BadShapes) as refused:
        compiled(f'ex:S sh:path ex:p ; sh:sparql [ sh:select """{query}""" ] .')

    assert words in str(refused.value)


def test_the_words_of_forbidden_forms_may_stand_in_strings_names_and_comments() -> None:
    query = 'SELECT $this ?value { $this ex:MINUS ?value . # SERVICE\n FILTER(?value = "VALUES AS $this") }'

    compiled(
        f"""ex:S a sh:NodeShape ; sh:sparql [ sh:prefixes ex: ; sh:select '''{query}''' ] .
        ex: sh:declare [ sh:prefix "ex" ; sh:namespace "http://example.org/"^^xsd:anyURI ] ."""
    )


@pytest.mark.parametrize("kind", ["( {} )", "[ sh:alternativePath ( {} ) ]"])
def test_a_path_too_wide_for_the_engine_is_refused_where_a_query_follows_it(kind: str) -> None:
    """The engine dies of it; without a query the path is followed here."""
    path = kind.format(" ".join(f"ex:p{number}" for number in range(10_000)))
    query = 'sh:sparql [ sh:select "SELECT $this ?value { $this $PATH ?value }" ]'

    assert compiled(f"ex:S sh:path {path} ; sh:minCount 1 .").plan.shapes
    with pytest.raises(BadShapes, match="too much for the engine"):
        compiled(f"ex:S sh:path {path} ; {query} .")


def test_a_component_must_have_a_validator_for_the_shape() -> None:
    with pytest.raises(BadShapes, match="no validator for this kind of shape"):
        compiled(
            """ex:C a sh:ConstraintComponent ; sh:parameter [ sh:path ex:most ] ;
                sh:propertyValidator [ sh:select "SELECT $this { $this $PATH ?value }" ] .
            ex:S a sh:NodeShape ; ex:most 5 ."""
        )


def test_a_prefix_cannot_stand_for_two_namespaces() -> None:
    with pytest.raises(BadShapes, match="prefix ex stands for two namespaces"):
        compiled(
            """ex:S a sh:NodeShape ; sh:sparql [ sh:prefixes ex: ; sh:select "SELECT $this { }" ] .
            ex: sh:declare [ sh:prefix "ex" ; sh:namespace "http://a/" ] ,
                [ sh:prefix "ex" ; sh:namespace "http://b/" ] ."""
        )


def test_shapes_nested_without_end_are_refused_and_do_not_exhaust_the_stack() -> None:
    chain = " ".join(f"ex:S{number} sh:node ex:S{number + 1} ." for number in range(5_000))

    with pytest.raises(BadShapes, match="go deeper than 60 levels"):
        compiled(f"{chain} ex:S5000 sh:nodeKind sh:IRI .")


def test_a_long_loop_of_shapes_is_found() -> None:
    chain = " ".join(f"ex:S{number} sh:not ex:S{(number + 1) % 5_000} ." for number in range(5_000))

    with pytest.raises(BadShapes, match="the shape asks itself"):
        compiled(chain)


def test_a_path_nested_without_end_is_refused() -> None:
    path = "[ sh:inversePath " * 3_000 + "ex:p" + " ]" * 3_000

    with pytest.raises(BadShapes, match="nested deeper than 50 levels"):
        compiled(f"ex:S sh:path {path} ; sh:minCount 1 .")
