"""Queries and documents that crash, stall or swell an engine, or make it call out; by readable names.

Figures of what each does to the engine in process are in the module docstrings of guard, worker and parse.
CANARY stands for an address on loopback that must never be called.
"""

A = "<http://example.org/a>"
SPO = "?s ?p ?o"


def _many(count: int, pattern: str, between: str = " ") -> str:
    return between.join(pattern.replace("#", str(number)) for number in range(count))


def _nested(count: int, opening: str, inside: str, closing: str) -> str:
    return opening * count + inside + closing * count


# Refused by the guard for their shape or a keyword; the wall has to hold without it too.
MISSHAPEN = {
    "groups nested 2,400 deep": f"SELECT * {_nested(2_400, '{', SPO, '}')}",
    "groups nested 3,200 deep": f"SELECT * {_nested(3_200, '{', SPO, '}')}",
    "parentheses nested 6,400 deep": f"ASK {{ FILTER({_nested(6_400, '(', '1', ')')}) }}",
    "functions nested 3,000 deep": f"SELECT ({_nested(3_000, 'STR(', '1', ')')} AS ?x) {{}}",
    "20,000 negations": f"ASK {{ FILTER({'!' * 20_000}true) }}",
    "20,000 sums": f"SELECT ({_many(20_000, '1', '+')} AS ?x) {{}}",
    "10,000 products": f"SELECT ({_many(10_000, '1', '*')} AS ?x) {{}}",
    "8,000 disjunctions": f"ASK {{ FILTER({_many(8_000, '?x=1', '||')}) }}",
    "8,000 conjunctions": f"ASK {{ FILTER({_many(8_000, '?x=1', '&&')}) }}",
    "IN with 20,000 members": f"ASK {{ FILTER(1 IN ({_many(20_000, '#', ',')})) }}",
    "5,000 UNIONs": f"SELECT * {{ {_many(5_000, f'{{{SPO}}}', ' UNION ')} }}",
    "20,000 UNIONs": f"SELECT * {{ {_many(20_000, f'{{{SPO}}}', ' UNION ')} }}",
    "400 OPTIONALs": f"SELECT * {{ {SPO} {_many(400, 'OPTIONAL { ?s ?p ?o# }')} }}",
    "OPTIONALs nested 3,000 deep": f"SELECT * {{ {_nested(3_000, 'OPTIONAL {', SPO, '}')} }}",
    "star of 200 patterns": f"SELECT * {{ {_many(200, '?s <http://example.org/#> ?o# .')} }}",
    "star of 400 patterns": f"SELECT * {{ {_many(400, '?s <http://example.org/#> ?o# .')} }}",
    "400 objects of one predicate": f"SELECT * {{ ?s ?p {_many(400, '?o#', ', ')} }}",
    "400 predicates of one subject": f"SELECT * {{ ?s {_many(400, '?p# ?o#', '; ')} }}",
    "collection of 400 members": f"SELECT * {{ ?s ?p ({_many(400, '?x#')}) }}",
    "blank nodes nested 3,000 deep": f"SELECT * {{ ?s ?p {_nested(3_000, f'[{A} ', '1', ']')} }}",
    "400 joined groups": f"SELECT * {{ {_many(400, '{ ?s ?p ?o# }')} }}",
    "300 GRAPH clauses": f"SELECT * {{ {_many(300, 'GRAPH ?g# { ?s ?p ?o }')} }}",
    "FILTER EXISTS nested 3,000 deep": f"ASK {{ {_nested(3_000, 'FILTER EXISTS {', SPO, '}')} }}",
    "sub-selects nested 2,000 deep": f"SELECT * {{ {_nested(2_000, '{ SELECT * {', SPO, '}}')} }}",
    "sequence path of 800 steps": f"SELECT * {{ ?s {_many(800, A, '/')} ?o }}",
    "alternative path of 9,000 steps": f"SELECT * {{ ?s {_many(9_000, '<a:#>', '|')} ?o }}",
    "path nested 4,000 deep": f"SELECT * {{ ?s {_nested(4_000, '(', A, ')*')} ?o }}",
    "inverse path nested 6,000 deep": f"SELECT * {{ ?s {_nested(6_000, '^(', A, ')')} ?o }}",
    "triple terms nested 2,000 deep": f"SELECT * {{ ?s ?p {_nested(2_000, '<<( ?s ?p ', '1', ' )>>')} }}",
    "2,000 FROM clauses": f"SELECT * {_many(2_000, 'FROM <http://example.org/#>')} {{ {SPO} }}",
    "10,000 rows of VALUES": f"SELECT * {{ VALUES ?x {{ {_many(10_000, '#')} }} }}",
    "text of 1 MB": f"ASK {{ ?s ?p '{'x' * 1_000_000}' }}",
    "50,000 brackets never closed": "ASK " + "{" * 50_000,
    "half of a surrogate pair": "ASK { ?s ?p '\ud800' }",
}

# Refused by the guard because they would reach out of the engine or change data.
REACHING_OUT = {
    "SERVICE": "SELECT * { SERVICE <CANARY> { ?s ?p ?o } }",
    "SERVICE in lower case behind a comment": "SELECT * { service # to?\n <CANARY> { ?s ?p ?o } }",
    "SERVICE SILENT": "SELECT * { SERVICE SILENT <CANARY> { ?s ?p ?o } }",
    "SERVICE named by a variable": "SELECT * { VALUES ?g { <CANARY> } SERVICE ?g { ?s ?p ?o } }",
    "SERVICE named by a bound variable": "SELECT * { BIND(IRI('CANARY') AS ?g) SERVICE ?g { ?s ?p ?o } }",
    "SERVICE by a prefixed name": "PREFIX c: <CANARY> SELECT * { SERVICE c: { ?s ?p ?o } }",
    "SERVICE in a sub-select": "SELECT * { { SELECT ?s { SERVICE <CANARY> { ?s ?p ?o } } } }",
    "SERVICE in EXISTS": "SELECT * { BIND(1 AS ?x) FILTER EXISTS { SERVICE <CANARY> { ?s ?p ?o } } }",
    "SERVICE in OPTIONAL": "SELECT * { OPTIONAL { SERVICE <CANARY> { ?s ?p ?o } } }",
    "SERVICE in CONSTRUCT": "CONSTRUCT { ?s ?p ?o } { SERVICE <CANARY> { ?s ?p ?o } }",
    "SERVICE that hands data on": "SELECT * { ?s ?p ?o SERVICE <CANARY> { ?s ?q ?o } }",
    "LOAD over http": "LOAD <CANARY>",
    "LOAD SILENT into a graph": "LOAD SILENT <CANARY> INTO GRAPH <http://example.org/g>",
    "LOAD of a file": "LOAD <file:///etc/passwd>",
    "LOAD behind a query": "ASK {} ; LOAD <CANARY>",
    "INSERT DATA": "INSERT DATA { <http://example.org/a> <http://example.org/b> 1 }",
    "INSERT WHERE": "INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }",
    "DELETE WHERE": "DELETE WHERE { ?s ?p ?o }",
    "DELETE DATA behind a prologue": "PREFIX a: <http://a/> DELETE DATA { a:b a:c 1 }",
    "DROP ALL": "DROP ALL",
    "CLEAR DEFAULT": "CLEAR DEFAULT",
    "CREATE GRAPH": "CREATE GRAPH <http://example.org/g>",
    "COPY": "COPY DEFAULT TO <http://example.org/g>",
    "MOVE": "MOVE DEFAULT TO <http://example.org/g>",
    "ADD": "ADD DEFAULT TO <http://example.org/g>",
}

_CROSS = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i ."

# Well shaped: they pass the guard, and only the deadline or the memory limit of the worker ends them.
HEAVY = {
    "cross product of three, counted": f"SELECT (COUNT(*) AS ?n) {{ {_CROSS} }}",
    "cross product of three, ordered": f"SELECT * {{ {_CROSS} }} ORDER BY ?c ?f ?i",
    "cross product of three, distinct": f"SELECT DISTINCT ?a ?d ?g {{ {_CROSS} }}",
    "cross product of three, grouped": f"SELECT ?a ?d ?g (COUNT(*) AS ?n) {{ {_CROSS} }} GROUP BY ?a ?d ?g",
    "cross product of three, concatenated": f"SELECT (GROUP_CONCAT(?i) AS ?x) {{ {_CROSS} }}",
    "cross product of three, filtered": f"SELECT * {{ {_CROSS} FILTER(STRENDS(STR(?h), STR(?a))) }}",
    "cross product of three, constructed": f"CONSTRUCT {{ ?a ?e ?i }} {{ {_CROSS} }}",
    "cross product of three, asked": f"ASK {{ {_CROSS} FILTER(STR(?a) = CONCAT(STR(?d), STR(?h))) }}",
    "cross product of three, subtracted": f"SELECT * {{ {_CROSS} MINUS {{ ?a ?b ?c }} }} ORDER BY ?a",
    "string doubled 40 times": "SELECT (STRLEN(?x40) AS ?n) { BIND('0123456789' AS ?x0) "
    + " ".join(f"BIND(CONCAT(?x{i}, ?x{i}) AS ?x{i + 1})" for i in range(40))
    + " }",
    "string replaced by itself": "SELECT (STRLEN(?x9) AS ?n) { BIND('aaaaaaaaaa' AS ?x0) "
    + " ".join(f"BIND(REPLACE(?x{i}, 'a', 'aaaaaaaaaa') AS ?x{i + 1})" for i in range(9))
    + " }",
    "nine lists of ten": "SELECT (COUNT(*) AS ?n) { "
    + " ".join(f"VALUES ?x{i} {{ 0 1 2 3 4 5 6 7 8 9 }}" for i in range(9))
    + " }",
    "closure over all nodes": "SELECT (COUNT(*) AS ?n) { ?a bp:next* ?b . ?b bp:next* ?c }",
    "closure both ways": "SELECT (COUNT(*) AS ?n) { ?a (bp:next|^bp:next)* ?b . ?b (bp:next/bp:next)* ?c }",
    "cross product in EXISTS": "SELECT * { ?s ?p ?o FILTER NOT EXISTS { "
    f"{_CROSS} FILTER(?a = ?s && STR(?c) = 'no') }} }}",
}

_TURTLE, _JSON_LD, _TRIG = "text/turtle", "application/ld+json", "application/trig"
_TRIPLES, _QUADS = "application/n-triples", "application/n-quads"
_LEVELS = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 9))
_BOMB = f'<!DOCTYPE r [<!ENTITY e0 "0123456789">{_LEVELS}]><r xmlns="http://a/">&e8;</r>'.encode()
_EXTERNAL = b'<!DOCTYPE r [<!ENTITY x SYSTEM "CANARY">]><r xmlns="http://a/">&x;</r>'


def _json(count: int, opening: str, closing: str) -> bytes:
    return _nested(count, opening, "1", closing).encode()


# Each is refused with a reason. `True` marks those that the depth check meets first, so that they are tried
# without it as well.
DOCUMENTS: dict[str, tuple[str, bytes, bool]] = {
    "JSON-LD objects nested 1,000 deep": (_JSON_LD, _json(1_000, '{"http://a/p":', "}"), True),
    "JSON-LD objects nested 4,000 deep": (_JSON_LD, _json(4_000, '{"http://a/p":', "}"), True),
    "JSON-LD objects nested 100,000 deep": (_JSON_LD, _json(100_000, '{"http://a/p":', "}"), True),
    "JSON-LD arrays nested 100,000 deep": (_JSON_LD, _json(100_000, "[", "]"), True),
    "JSON-LD brackets never closed": (_JSON_LD, b"[" * 200_000, True),
    "JSON-LD contexts nested 20,000 deep": (_JSON_LD, _json(20_000, '{"@context":', "}"), True),
    "JSON-LD lists nested 10,000 deep": (
        _JSON_LD,
        b'{"http://a/p":' + _json(10_000, '{"@list":[', "]}") + b"}",
        True,
    ),
    "JSON-LD remote context": (_JSON_LD, b'{"@context": "CANARY", "name": "x"}', False),
    "JSON-LD remote context in a list": (_JSON_LD, b'{"@context": [{}, "CANARY"], "name": "x"}', False),
    "JSON-LD @import": (_JSON_LD, b'{"@context": {"@import": "CANARY"}, "name": "x"}', False),
    "JSON-LD remote context inside a term": (
        _JSON_LD,
        b'{"@context": {"p": {"@id": "http://a/p", "@context": "CANARY"}}, "p": {"q": 1}}',
        False,
    ),
    "JSON-LD terms that define each other": (
        _JSON_LD,
        b'{"@context": {"a": "b:x", "b": "c:x", "c": "a:x"}, "a": 1}',
        False,
    ),
    "JSON-LD cut short": (_JSON_LD, b'{"@id": "http://a/b", "http://a/p": [', False),
    "JSON-LD that is not JSON": (_JSON_LD, b"<html>no</html>", False),
    "RDF/XML entity bomb": ("application/rdf+xml", _BOMB, False),
    "RDF/XML external entity": ("application/rdf+xml", _EXTERNAL, False),
    "entity bomb sent as Turtle": (_TURTLE, _BOMB, False),
    "Turtle triple terms nested 50,000 deep": (
        _TURTLE,
        b"<a:a> <a:b> " + _nested(50_000, "<<( <a:a> <a:b> ", "1", " )>>").encode() + b" .",
        False,
    ),
    "N-Quads triple terms nested 50,000 deep": (
        _QUADS,
        b"<a:a> <a:b> " + _nested(50_000, "<<( <a:a> <a:b> ", '"1"', " )>>").encode() + b" .",
        False,
    ),
    "Turtle anonymous nodes nested 100,000 deep, unclosed": (
        _TURTLE,
        b"<a:a> <a:b> " + b"[<a:p> " * 100_000,
        False,
    ),
    "Turtle base that swells each name": (
        _TURTLE,
        b"@base <http://a/" + b"x" * 500_000 + b"/> ." + b"<a> <b> <c> ." * 100_000,
        False,
    ),
    "Turtle prefix that swells each name": (
        _TURTLE,
        b"@prefix x: <http://a/" + b"x" * 500_000 + b"> ." + b"x:a x:b x:c ." * 100_000,
        False,
    ),
    "Turtle literal never closed": (_TURTLE, b'<a:a> <a:b> """' + b"x" * 2_000_000, False),
    "Turtle IRI never closed": (_TURTLE, b"<a:a> <a:b> <" + b"x" * 2_000_000, False),
    "Turtle that is not UTF-8": (_TURTLE, b'<a:a> <a:b> "\xff\xfe\xfd" .', False),
    "Turtle of zero bytes": (_TURTLE, b"\x00" * 100_000, False),
    "Turtle with an IRI that is none": (_TURTLE, b"<a:a> <a:b>\n <http://a b> .", False),
    "N-Triples with Turtle inside": (_TRIPLES, b"<a:a> <a:b> [] .", False),
    "TriG graph inside a graph": (_TRIG, b"<a:g> { <a:h> { <a:a> <a:b> 1 } }", False),
    "UTF-16 that breaks off": (_TURTLE, b"\xff\xfe<\x00a\x00:", False),
    "more than 16 MB": (_TURTLE, b"#" * (16 * 1024 * 1024 + 1), False),
    "a type that is no RDF": ("application/x-python-pickle", b"cos\nsystem\n(S'id'\ntR.", False),
}
