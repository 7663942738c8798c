"""Native twins of queries find what the queries find: over random queries, and over ours with any values."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from random import Random

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store

from battpass.kg.concepts import ConceptTable
from battpass.kg.errors import BadShapes
from battpass.kg.index import Term
from battpass.kg.namespaces import RDF, XSD, expand
from battpass.kg.validation.compiled import Compiled, Result, compile_shapes
from battpass.kg.validation.compiled.index import Index
from battpass.kg.validation.compiled.native.joins import Searched
from battpass.kg.validation.compiled.native.values import (
    Declined,
    Failed,
    add,
    divide,
    equal,
    less,
    multiply,
    subtract,
    text_of,
    value_of,
)
from battpass.kg.validation.compiled.sparql import SPARQL_CONSTRAINT, Queries, Selects
from battpass.kg.validation.compiled.tokens import tokens_of
from battpass.kg.validation.compiled.vocabulary import sh
from battpass.kg.validation.data import data_of, reference_individuals
from battpass.kg.validation.shapes import SHAPES, VALIDATED_ON, ShapeSet
from benchmarks.campaigns import Campaign
from tests.shacl.columns.test_queries_in_columns import drawn, shape
from tests.shacl.fuzz import LITERALS, NODES, PREDICATES
from tests.shacl.rivals import ours, with_pyshacl
from tests.shacl.test_installed import EARLY, TODAY
from tests.shacl.turtle import quads
from tests.validation.test_examples import NAMES, supplemented

TARGETS = "sh:targetSubjectsOf ex:p , ex:q ; sh:targetObjectsOf ex:p"
ORDINARY = ("1", "2", "3", "-4", "1.5", "0.25", '"a"', '"b"', '"2020-01-01"^^xsd:date', "true")
PLACES = [NamedNode(f"http://example.org/{name}") for name in "abcd"]


def typed(kind: str, *texts: str) -> list[Literal]:
    return [Literal(text, datatype=NamedNode(XSD + kind)) for text in texts]


DAYS = typed("date", "2020-01-01", "2026-11-21", "2027-01-01")
PLAIN: dict[str, list[Term]] = {
    "decimal": [
        *typed(
            "decimal", "0", "0.3", "1", "2.5", "40", "60.5", "99", "120", "1000", "9999999", "0.123456789012"
        )
    ],
    "integer": [*typed("integer", "0", "1", "2", "12", "100")],
    "date": [*typed("date", "2020-01-01", "2026-11-21", "2027-01-01")],
    "dateTime": [
        *typed("dateTime", "2026-11-21T10:00:00Z", "2020-01-01T00:00:00", "2027-03-01T23:59:59+01:00")
    ],
    "boolean": [*typed("boolean", "true", "false")],
    "string": [
        Literal(text)
        for text in ("URL", "7439-93-2", "7439-93-3", "231-102-5", "231-102-6", "https://a.example/b", "a b")
    ],
}
HOSTILE = [
    *typed("decimal", "-5", "9" * 30, "0.0000001", "1.50", "+7", ".5", "abc", "999999999.999999", "-0"),
    *typed("integer", "007", "9223372036854775807", "1.5", " 7 "),
    *typed("double", "1e3", "NaN", "INF", "0.1"),
    *typed("float", "2.5"),
    *typed("date", "2020-01-01Z", "2026-11-21+14:00", "2026-02-30", "-0001-01-01"),
    *typed("dateTime", "2026-11-21T24:00:00Z", "2026-11-21T10:00:00.500Z", "2026-11-21T10:00:00+00:00"),
    *typed("boolean", "1", "yes"),
    *typed("anyURI", "https://a.example/b"),
    *typed("byte", "5", "300"),
    *(Literal(text) for text in ("", "٣", "7439-93-2\n", "urn:uuid:a", "URN:UUID:A", "ſ:x", "x" * 300)),
    Literal("x", language="en"),
    Literal("x", datatype=NamedNode("urn:own")),
    BlankNode("x"),
]


SIGNS = {"+": add, "-": subtract, "*": multiply, "/": divide, "<": less, "=": equal}
# What several nodes must say together to break; planted faults do.
NOT_BY_CHANCE = {"cfStagesSum", "footprintOnce", "lifeCycleStageStated"}


@cache
def shapes() -> ShapeSet:
    return ShapeSet.load()


def selects(validator: Compiled) -> list[Selects]:
    """Return all queries of a plan."""
    every = (one for part in validator.plan.shapes.values() for one in part.constraints)
    return [one for one in every if isinstance(one, Selects)]


OURS = sorted(
    str(one.shape).removeprefix(f"<{SHAPES}").strip(">") for one in selects(compile_shapes(shapes().quads))
)


OF_COMPONENTS = sorted(
    str(one.shape).removeprefix(f"<{SHAPES}").strip(">")
    for one in selects(compile_shapes(shapes().quads))
    if one.component != SPARQL_CONSTRAINT
)


def alone(name: str) -> list[Quad]:
    """Return a property shape of ours with nothing but its path and its query, targeted at some nodes."""
    node = NamedNode(SHAPES + name)
    kept = [
        quad
        for quad in shapes().quads
        if (quad.subject == node and quad.predicate in (sh("path"), sh("sparql"), sh("severity")))
        or (quad.subject == node and quad.predicate.value.startswith(SHAPES))
        or quad.subject == NamedNode(f"{SHAPES}{name}-query")
        or quad.subject == NamedNode(f"{SHAPES}prefixes")
        or isinstance(quad.subject, BlankNode)
        or quad.subject.value.endswith(("ConstraintComponent", "-validator", "-parameter"))
    ]
    return [*kept, *(Quad(node, sh("targetNode"), place) for place in PLACES)]


@cache
def kinds() -> dict[str, str]:
    """Return of which datatype the values of properties are, where the shapes say so."""
    return {VALIDATED_ON: "date"} | {
        route[0]: kind.value.removeprefix(XSD)
        for iri, one in shapes().property_shapes.items()
        for route in one.routes
        for kind in shapes().objects(iri, "datatype")
        if len(route) == 1 and isinstance(kind, NamedNode)
    }


def statements(random: Random, named: list[str], rate: float) -> Iterator[Quad]:
    """Yield what some nodes say by some properties, once mostly; at a rate it is not what belongs there."""
    words: list[Term] = [NamedNode(iri) for iri in named]
    times = {name: random.choice(((0, 1, 1, 1, 1, 1, 1, 2), (0, 0, 1), (1, 2, 3))) for name in named}
    for place in PLACES[: random.randint(2, 4)]:
        for name in named:
            for _ in range(random.choice(times[name])):
                belonging = PLAIN.get(kinds().get(name, ""), [*PLACES, *random.choices(words, k=12)])
                values = HOSTILE if random.random() < rate else belonging
                yield Quad(place, NamedNode(name), random.choice(values))


def found(validator: Compiled, data: list[Quad]) -> Counter[Result]:
    return Counter(validator.validate(data).results)


def in_columns(validator: Compiled, data: list[Quad]) -> Counter[Result]:
    ((_, report),) = validator.validate_all([("only", data)])
    return Counter(report.results)


def test_every_query_of_ours_has_a_twin() -> None:
    queries = selects(compile_shapes(shapes().quads))

    assert len(queries) > 40
    assert [one.shape for one in queries if one.twin is None] == []


def test_no_query_of_ours_is_run_for_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are, and as of a day before they were made, when much is wrong with them."""
    reference = reference_individuals(ConceptTable.load())
    validator = compile_shapes(shapes().quads)

    def refuse(*_: object) -> None:
        raise AssertionError("a query is run")

    monkeypatch.setattr(Queries, "_store_for", refuse)
    counts = [
        found(validator, list(data_of(supplemented(name), reference, day).quads)).total()
        for name in NAMES[:8]
        for day in (TODAY, EARLY)
    ]

    assert all(count > 10 for count in counts[1::2])


def test_without_twins_all_queries_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    run = []
    original = Queries._store_for
    monkeypatch.setattr(
        Queries, "_store_for", lambda queries, query: (run.append(query), original(queries, query))[1]
    )
    graph = quads(shape("SELECT $this { $this ex:p ?x FILTER(?x > 1) }"))
    data = quads("ex:a ex:p 2 .")

    assert found(compile_shapes(graph, native=False), data) == found(compile_shapes(graph), data)
    assert len(run) == 1


@pytest.mark.parametrize("name", OURS)
def test_a_twin_of_ours_finds_what_its_query_finds(name: str, campaign: Campaign) -> None:
    random = campaign.random(f"twins {name}")
    graph = alone(name)
    native, queried = compile_shapes(graph), compile_shapes(graph, native=False)
    (select,) = selects(native)
    assert select.twin is not None
    named = [*iris(select)]
    judged, results = 0, 0
    for number in range(1_200):
        # It goes on until something is found.
        if number >= campaign.count(1_200) and (results or name in NOT_BY_CHANCE):
            break
        data = list(statements(random, named, (0.0, 0.02, 0.3)[number % 3]))
        expected = found(queried, data)

        assert found(native, data) == expected, f"{number}: {[*map(str, data)]}"
        assert in_columns(native, data) == expected
        results += expected.total()
        judged += number % 3 == 0 and is_judged(select, data)
    assert judged and (results or name in NOT_BY_CHANCE)


@pytest.mark.parametrize("name", OF_COMPONENTS)
def test_a_component_of_ours_finds_what_pyshacl_finds(name: str, campaign: Campaign) -> None:
    """pySHACL runs a query for each value node, so how often it finds the same is left aside."""
    random = campaign.random(f"components {name}")
    graph = alone(name)
    (select,) = selects(compile_shapes(graph))
    results = 0
    for _ in range(campaign.count(40)):
        data = list(statements(random, [*iris(select)], 0.0))
        expected = with_pyshacl(graph, data)

        assert ours(graph, data).keys() == expected.keys()
        results += expected.total()
    assert results or campaign.count(40) < 40


def test_a_component_that_bears_our_name_is_run_by_its_own_query() -> None:
    name = f"{SHAPES}NotAheadConstraintComponent"
    graph = quads(
        f"""<{name}> a sh:ConstraintComponent ;
            sh:parameter [ sh:path <{SHAPES}notAheadOf> ] ; sh:propertyValidator [ sh:select '''
                SELECT $this ?value {{ $this $PATH ?value ; $notAheadOf ?day FILTER(?value < ?day) }} ''' ] .
        ex:S sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; <{SHAPES}notAheadOf> ex:q ] ."""
    )
    data = quads("ex:a ex:p 1 ; ex:q 2 . ex:b ex:p 2 ; ex:q 1 .")

    for native in (True, False):
        (result,) = compile_shapes(graph, native).validate(data).results
        assert (str(result.focus), result.component.value) == ("<http://example.org/a>", name)


def iris(select: Selects) -> Iterator[str]:
    """Yield what a query names by IRIs: properties, and values that it looks for."""
    assert select.query.whole is not None
    for token in tokens_of(select.query.whole.partition("SELECT")[2]):
        if token.kind == "iri":
            yield token.text[1:-1]
        elif token.kind == "name":
            yield expand(token.text)
    yield RDF + "type"
    yield SHAPES + "list"


def is_judged(select: Selects, data: list[Quad]) -> bool:
    """Return whether a twin answers for some node."""
    assert select.twin is not None
    for place in PLACES:
        try:
            select.twin.solutions(Searched(Index(data)), place)
        except Declined:
            continue
        return True
    return False


@pytest.mark.parametrize("sign", SIGNS)
def test_numbers_are_reckoned_with_as_the_engine_does(sign: str, campaign: Campaign) -> None:
    random = campaign.random(f"numbers {sign}")
    asked = 0
    for _ in range(campaign.count(4_000)):
        left, right = (number(random) for _ in range(2))
        (row,) = Store().query(f"SELECT (STR({left} {sign} {right}) AS ?text) {{}}")
        try:
            mine = text_of(SIGNS[sign](value_of(left), value_of(right)))
        except Failed:
            mine = None
        except Declined:
            continue
        asked += 1
        assert mine == (row["text"] and row["text"].value), f"{left} {sign} {right}"
    assert asked > campaign.count(4_000) / 5


def number(random: Random) -> Literal:
    """Return a number that is not always ordinary."""
    digits = random.choice((0, 0, 0, 1, 2, 2, 3, 6, 9, 12, 13))
    whole = random.choice((0, 1000, random.randint(0, 200), random.randint(0, 10**9), 10**12))
    text = f"{random.choice(('', '', '-'))}{whole}"
    if not digits:
        return Literal(text, datatype=NamedNode(XSD + random.choice(("integer", "decimal"))))
    fraction = f"{random.randint(0, 10**digits - 1):0{digits}d}"
    return Literal(f"{text}.{fraction}", datatype=NamedNode(XSD + "decimal"))


def test_random_queries_find_natively_what_they_find_as_queries(campaign: Campaign) -> None:
    random = campaign.random("twins")
    count = campaign.count(10_000)
    run, twins, results = 0, 0, 0
    while run < count:
        seed = random.getrandbits(64)
        query = drawn(Random(seed))
        try:
            graph = quads(shape(query, TARGETS))
            native, queried = compile_shapes(graph), compile_shapes(graph, native=False)
        except BadShapes:
            continue
        run += 1
        if selects(native)[0].twin is None:
            continue
        twins += 1
        for number in range(3):
            data = quads("\n".join(drawn_data(Random(seed + number))))
            expected = found(queried, data)
            assert found(native, data) == expected, f"seed {seed}: {query}"
            results += expected.total()

    assert twins > count / 4 and results > count / 4
    campaign.record(
        "shacl-twins",
        "random queries over three random graphs each",
        {"queries": run, "with a twin": twins, "results": results, "differences": 0},
    )


def drawn_data(random: Random) -> Iterator[str]:
    for _ in range(random.randint(3, 14)):
        kind = random.random()
        terms = NODES if kind < 0.45 else ORDINARY if kind < 0.95 else LITERALS
        yield f"{random.choice(NODES)} {random.choice(PREDICATES)} {random.choice(terms)} ."
