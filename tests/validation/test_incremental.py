"""What a write touched, validated alone, leaves the reports that validating everything gives: always."""

from collections.abc import Iterable
from datetime import date
from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode, RdfFormat, Triple, parse

from battpass.kg.concepts import ConceptTable
from battpass.kg.errors import BadShapes, DeadlineExceeded, NotFound
from battpass.kg.validation.compiled import Compiled, Report, Result, compile_shapes
from battpass.kg.validation.data import data_of, reference_individuals
from battpass.kg.validation.incremental import Incremental, Stored
from battpass.kg.validation.incremental.incremental import WHOLE
from battpass.kg.validation.shapes import ShapeSet
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from benchmarks.campaigns import ROOT, Campaign
from tests.shacl.turtle import HEADS

# Each looks out of the record in another way.
SHAPES = {
    "backwards": "sh:targetSubjectsOf ex:p ; sh:property [ sh:path [ sh:inversePath ex:p ] ; sh:maxCount 1 ]",
    "value shared": """sh:targetSubjectsOf ex:id ;
        sh:property [ sh:path ( ex:id [ sh:inversePath ex:id ] ) ; sh:maxCount 1 ]""",
    "chain": "sh:targetSubjectsOf ex:p ; sh:property [ sh:path ( ex:p ex:p ex:q ) ; sh:minCount 1 ]",
    "chain without end": """sh:targetSubjectsOf ex:p ;
        sh:property [ sh:path [ sh:oneOrMorePath ex:p ] ; sh:maxCount 3 ]""",
    "class of a value": "sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:class ex:C ]",
    "node of a value": """sh:targetSubjectsOf ex:p ;
        sh:property [ sh:path ex:p ; sh:node [ sh:property [ sh:path ex:q ; sh:minCount 1 ] ] ]""",
    "whatever is pointed to": "sh:targetObjectsOf ex:p ; sh:property [ sh:path ex:q ; sh:maxCount 1 ]",
    "a node by name": """sh:targetNode ex:n1 , ex:nowhere ;
        sh:property [ sh:path [ sh:inversePath ex:p ] ; sh:maxCount 1 ]""",
    "a class": "sh:targetClass ex:C ; sh:property [ sh:path ex:q ; sh:minCount 1 ]",
    "closed": "sh:targetSubjectsOf ex:p ; sh:closed true ; sh:property [ sh:path ex:p ]",
    "pairs": "sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:disjoint ex:q ]",
    "counted": """sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:qualifiedMinCount 1 ;
        sh:qualifiedValueShape [ sh:property [ sh:path ex:id ; sh:minCount 1 ] ] ]""",
    "one of two": """sh:targetSubjectsOf ex:p ; sh:xone (
        [ sh:path ( ex:p ex:id ) ; sh:minCount 1 ] [ sh:path [ sh:inversePath ex:q ] ; sh:minCount 1 ] )""",
    "a query": """sh:targetSubjectsOf ex:id ; sh:sparql [ sh:select '''SELECT $this WHERE {
        $this <http://example.org/id> ?id . ?it <http://example.org/id> ?id FILTER(?it != $this) }''' ]""",
}
REFERENCE = "ex:r1 a ex:C . ex:r1 ex:p ex:n2 . ex:D rdfs:subClassOf ex:C ."

_NODES = [f"ex:n{number}" for number in range(5)] + ["ex:r1"]
_RECORDS = [f"record {number}" for number in range(5)]
statement = st.one_of(
    st.tuples(st.sampled_from(_NODES), st.sampled_from(["ex:p", "ex:q"]), st.sampled_from(_NODES)),
    st.tuples(st.sampled_from(_NODES), st.just("ex:id"), st.sampled_from(['"a"', '"b"'])),
    st.tuples(st.sampled_from(_NODES), st.just("a"), st.sampled_from(["ex:C", "ex:D", "ex:E"])),
    st.just(("ex:E", "rdfs:subClassOf", "ex:C")),
)
graph = st.lists(statement, max_size=5)
edits = st.lists(
    st.dictionaries(st.sampled_from(_RECORDS), st.one_of(st.none(), graph), min_size=1, max_size=2),
    min_size=1,
    max_size=8,
)


def read(text: str) -> list[Triple]:
    return [quad.triple for quad in parse(HEADS + text, RdfFormat.TURTLE)]


def shapes_of(text: str) -> Compiled:
    return compile_shapes(read(f"ex:S {text} ."))


def told(results: Iterable[Result]) -> set[tuple[str, ...]]:
    """Return results as they are compared; one about a node of two records is of both, and counts once."""
    return {
        tuple(map(str, (one.focus, one.path, one.value, one.component, one.severity, len(one.details))))
        for one in results
    }


def of_all(reports: Iterable[Report]) -> set[tuple[str, ...]]:
    return told(result for report in reports for result in report.results)


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES.keys())
@given(steps=edits)
@settings(deadline=None)
def test_the_reports_together_are_those_of_the_whole_store(shapes: str, steps) -> None:
    compiled, reference = shapes_of(shapes), read(REFERENCE)
    store: dict[str, Stored] = {}
    fleet = Incremental(compiled, store.get, reference)
    for step in steps:
        write(store, step)
        fleet.update(step)
        union = [*reference, *(one for record in store.values() for one in record.statements)]
        assert fleet.reports.keys() == {*store, WHOLE}
        assert of_all(fleet.reports.values()) == told(compiled.validate(union).results)


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES.keys())
@given(steps=edits)
@settings(deadline=None)
def test_records_that_stand_apart_have_the_report_that_they_have_alone(shapes: str, steps) -> None:
    compiled, reference = shapes_of(shapes), read(REFERENCE)
    store: dict[str, Stored] = {}
    fleet = Incremental(compiled, store.get, reference, apart=True)
    for step in steps:
        write(store, step)
        done = fleet.update(step)
        assert set(done.validated) <= step.keys()
        assert dict(fleet.reports) == {
            name: compiled.validate([*one.statements, *reference]) for name, one in store.items()
        }


def write(store: dict[str, Stored], step) -> None:
    for name, statements in step.items():
        if statements is None:
            store.pop(name, None)
        else:
            store[name] = Stored(read(" ".join(f"{s} {p} {o} ." for s, p, o in statements)))


def test_only_who_is_concerned_is_validated() -> None:
    store = {f"{number}": Stored(read(f"ex:n{number} ex:p ex:n{number + 1} .")) for number in range(20)}
    fleet = Incremental(shapes_of(SHAPES["chain"]), store.get)
    assert len(fleet.update(store).validated) == 20
    store["10"] = Stored(read('ex:n10 ex:p ex:n11 ; ex:q "x" .'))
    changed = fleet.update(["10"])
    # Three looks: 10 is asked by those that lead to it in as many steps, and asks nobody for more.
    assert set(changed.validated) == {"7", "8", "9", "10"}
    assert fleet.update(["10"]).validated == ()
    with pytest.raises(NotFound, match="Say that it is new"):
        fleet.report("21")


def test_a_record_that_is_gone_is_no_more_asked() -> None:
    store = {
        "a": Stored(read('ex:a ex:p ex:b .')),
        "b": Stored(read('ex:b a ex:C .')),
    }  # fmt: skip
    fleet = Incremental(shapes_of(SHAPES["class of a value"]), store.get)
    fleet.update(store)
    assert fleet.report("a").conforms
    del store["b"]
    done = fleet.update(["b"])
    assert (done.gone, done.validated) == (("b",), ("a",))
    assert not fleet.report("a").conforms


def test_what_time_was_up_for_is_validated_the_next_time() -> None:
    store = {"a": Stored(read("ex:a ex:p ex:b .")), "b": Stored(read("ex:b a ex:C ."))}
    fleet = Incremental(shapes_of(SHAPES["class of a value"]), store.get)
    fleet.update(store)
    store["b"] = Stored(read("ex:other a ex:C ."))
    with pytest.raises(DeadlineExceeded):
        fleet.update(["b"], deadline=0)
    assert fleet.update([]).validated == ("a", "b")
    assert not fleet.report("a").conforms


def test_shapes_that_make_statements_judge_records_apart_only() -> None:
    rule = """sh:targetSubjectsOf ex:p ;
        sh:rule [ a sh:TripleRule ; sh:subject sh:this ; sh:predicate ex:q ; sh:object sh:this ]"""
    compiled = shapes_of(rule)
    with pytest.raises(BadShapes, match="apart=True"):
        Incremental(compiled, {}.get)
    assert Incremental(compiled, {}.get, apart=True).update([]).validated == ()


# --- passports ----------------------------------------------------------------------------------------


def test_random_edits_of_passports_leave_the_reports_of_validating_each(campaign: Campaign) -> None:
    random = campaign.random("incremental passports")
    shapes = compile_shapes(ShapeSet.load().quads)
    reference = reference_individuals(ConceptTable.load())
    passports = [
        BATTERY_PASS_6_1.load(path.read_bytes()).passport
        for path in sorted((ROOT / "examples" / "passports").glob("lmt-*.json"))[:4]
    ]
    items = {one.record: _statements(one, of_model=False) for one in passports}
    models = {one.record: one.model for one in passports}
    parts = {one.model: _statements(one, of_model=True) for one in passports}

    def stored(name: str) -> Stored | None:
        if name not in items:
            return None
        return Stored([*items[name], *parts[models[name]]], (models[name],))

    fleet = Incremental(shapes, stored, reference, apart=True)
    fleet.update(items)
    validated = 0
    for _ in range(campaign.count(200)):
        touched = _edited(random, items, models, parts)
        done = fleet.update(touched)
        validated += len(done.validated)
        expected = {name for name in items if {name, models[name]} & set(touched)}
        assert set(done.validated) <= expected
        full = shapes.validate_all(((name, stored(name).statements) for name in items), reference)
        assert dict(full) == dict(fleet.reports)
    assert validated


def _statements(passport, *, of_model: bool) -> list[Triple]:
    own = {quad.subject for part in passport.model_graphs.values() for quad in part}
    data = data_of(passport, (), date(2026, 12, 1))
    return [quad.triple for quad in data.statements if (quad.subject in own) is of_model]


def _edited(random: Random, items, models, parts) -> list[str]:
    """Change something, and return the names of what changed: a battery, or what several share."""
    kind = random.choice(("item", "model", "share"))
    name = random.choice(sorted(items))
    if kind == "share":
        models[name] = random.choice(sorted(parts))
        return [name]
    group, changed = (items, name) if kind == "item" else (parts, models[name])
    statements = list(group[changed])
    place = random.randrange(len(statements))
    one, other = statements[place], random.choice(statements)
    statements[place] = random.choice(
        (
            Triple(one.subject, one.predicate, other.object),
            Triple(one.subject, NamedNode(f"https://example.org/p{next(_NUMBERS)}"), one.object),
        )
    )
    group[changed] = statements
    return [changed]


_NUMBERS = count()
