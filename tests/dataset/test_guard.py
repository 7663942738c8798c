"""The guard counts what a query consists of, and takes a word for a keyword only where it is one."""

import contextlib
import time
from pathlib import Path

import pytest

from battpass.kg.dataset.guard import STANDARD, Limits, QueryForm, check, form_of, place, undeclared
from battpass.kg.errors import QueryRefused

WHOLE = """
PREFIX ex: <http://example.org/>
SELECT ?maker (AVG(?v) AS ?mean) FROM <http://example.org/g>
WHERE {
  ?b ex:maker ?maker ; ex:chemistry ?c , ex:LFP ; ex:health ?v .   # 4
  OPTIONAL { ?b a ?type }                                          # 5
  { ?b ex:x 1 } UNION { ?b ex:y "two"@en }                         # 7
  ?b (ex:part/ex:part)*|^ex:of "3"^^ex:d .                         # 8
  [ ex:x 1 ; ex:y 2 ] ex:z ( 1 2 ) .                               # 15
  VALUES (?b ?c) { (ex:a ex:b) (UNDEF 1) }
  BIND(?v + 1 AS ?w)
  FILTER(?v < 80 && NOT EXISTS { ?b ex:recalled true })            # 16
  GRAPH ?g { ?b ex:q ?q }                                          # 17
}
GROUP BY ?maker HAVING (COUNT(*) > 1) ORDER BY DESC(?mean) ?maker LIMIT 10
"""

WORDS = ("SERVICE", "service", "LOAD", "INSERT", "delete", "DROP", "CLEAR", "CREATE", "ADD", "MOVE", "COPY")
HIDING_PLACES = {
    "string": 'ASK {{ ?s ?p "{} <http://a/>" }}',
    "single-quoted string": "ASK {{ ?s ?p 'a \\' {} b' }}",
    "long string": 'ASK {{ ?s ?p """a " "" \\""" {} \n b""" }}',
    "long single-quoted string": "ASK {{ ?s ?p '''a ' '' {} \n b''' }}",
    "IRI": "ASK {{ ?s ?p <http://a/{}> }}",
    "comment": "ASK {{ ?s ?p ?o # {} <http://a/>\n }}",
    "last comment": "ASK {{ ?s ?p ?o }} # {}",
    "local name": "PREFIX x: <http://a/> ASK {{ ?s ?p x:{} }}",
    "local name behind a dot": "PREFIX x: <http://a/> ASK {{ ?s ?p x:a.{} }}",
    "local name behind an escape": "PREFIX x: <http://a/> ASK {{ ?s ?p x:a\\,{} }}",
    "prefix": "PREFIX {0}: <http://a/> ASK {{ ?s ?p {0}:x }}",
    "variable": "ASK {{ ?{} ?p ${} }}",
    "blank node": "ASK {{ _:{} ?p ?o }}",
    "part of a word": "PREFIX x: <http://a/> ASK {{ ?s ?p x:a-{}-b }}",
    "language tag": 'ASK {{ ?s ?p "x"@{} }}',
}


def test_all_parts_of_a_query_are_counted() -> None:
    seen = check(WHOLE, STANDARD)
    assert seen.form == QueryForm.SELECT
    assert (seen.patterns, seen.optionals, seen.unions, seen.graphs) == (17, 1, 1, 1)
    assert seen.path_steps == 4
    assert seen.depth == 3
    assert seen.operators == 5


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("where", HIDING_PLACES)
def test_keyword_is_none_inside_a(where: str, word: str) -> None:
    assert check(HIDING_PLACES[where].replace("{}", "{0}").format(word), STANDARD).form == QueryForm.ASK


@pytest.mark.parametrize(
    "text",
    [
        "ASK { FILTER(1<2)SERVICE<http://a>{} }",
        "ASK { FILTER(?a<?b)SERVICE ?c{} }",
        "ASK{SERVICE<http://a>{}}",
        "ASK { ?s ?p 'it\\'s' SERVICE <http://a> {} }",
        'ASK { ?s ?p """a""""" SERVICE <http://a> {} }',
        "ASK { ?s ?p 'a' # 'b\nSERVICE <http://a> {} }",
        "ASK { ?s ?p <a#b> SERVICE <http://a> {} }",
        "ASK { ?s ?p 'x'@en SERVICE <http://a> {} }",
        "ASK { ?s ?p 1.SERVICE <http://a> {} }",
        "ASK { ?s ?p 1e3 SERVICE SILENT <http://a> {} }",
        "ASK { ?s ?p ?o.SERVICE ?x {} }",
        "PREFIX a: <http://a/> ASK { ?s ?p a:b.sErViCe ?x {} }".replace("b.s", "b .s"),
        "ASK { ?s ?p ''SERVICE <http://a> {} }",
        "ASK { ?s ?p '''''' SERVICE <http://a> {} }",
        "ASK { ?s ?p 'unclosed \nSERVICE <http://a> {} }",
    ],
)
def test_keyword_is_found_in(text: str) -> None:
    with pytest.raises(QueryRefused, match="SERVICE is not followed"):
        check(text, STANDARD)


@pytest.mark.parametrize(
    ("limits", "text", "message"),
    [
        (Limits(depth=3), "ASK {\n { { {} } } }", "line 2, column 6: brackets nested deeper than 3"),
        (Limits(patterns=1), "ASK { ?s ?p 1 , 2 }", "line 1, column 15: more than 1 triple patterns"),
        (Limits(optionals=0), "ASK {\n OPTIONAL {} }", "line 2, column 2: more than 0 OPTIONALs"),
        (Limits(unions=1), "ASK { {} UNION {} UNION {} }", "line 1, column 19: more than 1 UNIONs"),
        (Limits(path_steps=1), "ASK { ?s <a:a>/<a:b>/<a:c> 1 }", "column 21: more than 1 steps in property"),
        (Limits(operators=2), "ASK { FILTER(1+1+1+1) }", "column 19: more than 2 operators"),
        (Limits(tokens=4), "ASK { ?s ?p ?o }", "line 1, column 13: more than 4 tokens"),
        (Limits(graphs=1), "ASK FROM <a:a> FROM NAMED <a:b> {}", "column 16: more than 1 FROM"),
        (Limits(bytes=10), "ASK { ?s ?p ?o }", "line 1, column 1: the query has 16 bytes"),
        (Limits(bytes=10), "ASK{'äöüß'}", "the query has 15 bytes"),
    ],
)
def test_refusal_names_place_limit_and_next_step(limits: Limits, text: str, message: str) -> None:
    with pytest.raises(QueryRefused, match=message) as caught:
        check(text, limits)
    assert str(caught.value).count(". ") == 1


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("SELECT * {}", QueryForm.SELECT),
        ("# ask\nPREFIX select: <http://a/> BASE <http://ask/> construct {} {}", QueryForm.CONSTRUCT),
        ("describe <http://a/>", QueryForm.DESCRIBE),
        ("ASK { { SELECT * {} } }", QueryForm.ASK),
        ("PREFIX a: <b>", None),
    ],
)
def test_form_is_the_first_keyword(text: str, form: QueryForm | None) -> None:
    assert form_of(text) == form
    assert check(text, STANDARD).form == form


def test_construct_template_is_no_pattern() -> None:
    template = " . ".join(f"?s <a:{number}> ?o" for number in range(200))
    assert check(f"CONSTRUCT {{ {template} }} WHERE {{ ?s ?p ?o }}", STANDARD).patterns == 1


def test_undeclared_prefix_is_named_with_its_place() -> None:
    text = 'PREFIX a: <http://a/>\nASK { a:b _:c "x:y" . bp:d x:e 1 }'
    assert undeclared(text, {"bp"}) == ("line 2, column 28", "x")
    assert undeclared(text, {"bp", "x"}) is None


def test_place_counts_characters_not_bytes() -> None:
    assert place("äö\nü x", 5) == "line 2, column 3"


@pytest.mark.parametrize(
    "unit",
    [
        "a.",
        '"',
        "'''",
        '"""a',
        "<a",
        "<",
        "#",
        "\\",
        ":",
        ": ",
        "?",
        "@a-",
        "1.",
        "a:.",
        "\\u",
        "\n",
        "(",
        "}",
    ],
)
def test_guard_is_linear_in_what_it_reads(unit: str) -> None:
    """Sixty kilobytes of anything take milliseconds, where an earlier spelling of the lexer took seconds."""
    began = time.process_time()
    with contextlib.suppress(QueryRefused):
        check(unit * (60_000 // len(unit)), STANDARD)
    assert time.process_time() - began < 0.5


@pytest.mark.shared
def test_no_published_query_is_refused_but_those_that_call_other_servers(shared: Path) -> None:
    refused = []
    queries = list((shared / "w3c-sparql-tests").rglob("*.rq"))
    for path in queries:
        try:
            check(path.read_text(encoding="utf-8", errors="replace"), STANDARD)
        except QueryRefused as error:
            assert "SERVICE" in str(error)
            refused.append(path.stem)
    assert len(queries) > 1_000
    assert len(refused) == 10
    assert all("service" in name for name in refused)
