"""The dataset holds what it was given: named graphs, their union, and nothing else."""

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple, parse

from battpass.kg.dataset import Dataset
from battpass.kg.errors import BadQuery, BattPassError, DeadlineExceeded, HomeInUse, QueryRefused
from battpass.kg.graphs import AccessClass, Graphs, quads
from battpass.kg.namespaces import BASE, BP, VOCABULARY_GRAPH
from battpass.kg.passport import graph_name
from benchmarks.campaigns import Campaign
from tests.dataset.conftest import RECORD, battery, graphs

OTHER = f"{BASE}p/22222222-2222-4222-8222-222222222222"
SHARED = Triple(NamedNode("http://example.org/maker"), NamedNode(BP + "label"), Literal("Maker"))


@pytest.fixture(params=["memory", "folder"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Dataset]:
    dataset = Dataset.in_memory() if request.param == "memory" else Dataset.open(tmp_path / "set")
    with dataset:
        yield dataset


def ask(dataset: Dataset, text: str) -> list[str]:
    """Return the rows of the answer as of now."""
    dataset.flush()
    return dataset.query(text, "csv").read().decode().split()[1:]


def triples_of_default_graph(dataset: Dataset) -> set[Triple]:
    dataset.flush()
    answer = dataset.query("CONSTRUCT WHERE { ?s ?p ?o }", "ntriples").read()
    return {quad.triple for quad in parse(answer, format=RdfFormat.N_TRIPLES)}


def dumped(dataset: Dataset) -> set[Quad]:
    return set(parse(b"".join(dataset.dump()), format=RdfFormat.N_QUADS))


def holding(record: str, access: AccessClass, *triples: Triple) -> Graphs:
    graph = graph_name(record, access)
    return {access: frozenset(Quad(one.subject, one.predicate, one.object, graph) for one in triples)}


def test_quads_stand_in_their_graph_and_in_the_union(empty: Dataset) -> None:
    empty.replace(RECORD, battery(RECORD))
    assert dumped(empty) == set(quads(battery(RECORD)))
    assert triples_of_default_graph(empty) == {quad.triple for quad in quads(battery(RECORD))}
    assert ask(empty, "SELECT ?g { GRAPH ?g { ?s bp:ratedCapacityAh ?o } }") == [f"{RECORD}/public"]


def test_replacing_leaves_nothing_of_before(empty: Dataset) -> None:
    empty.replace(RECORD, battery(RECORD, 94))
    empty.replace(RECORD, {AccessClass.PUBLIC: battery(RECORD, 95)[AccessClass.PUBLIC]})
    assert ask(empty, "SELECT ?c { ?b bp:ratedCapacityAh ?c }") == ["95"]
    assert ask(empty, "SELECT DISTINCT ?g { GRAPH ?g {} }") == [f"{RECORD}/public"]
    assert len(empty) == 2


def test_a_triple_that_another_graph_holds_stays(empty: Dataset) -> None:
    empty.replace(RECORD, holding(RECORD, AccessClass.PUBLIC, SHARED))
    empty.replace(OTHER, holding(OTHER, AccessClass.ITEM, SHARED))
    assert ask(empty, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }") == ["1"]
    empty.remove(RECORD)
    assert triples_of_default_graph(empty) == {SHARED}
    empty.remove(OTHER)
    assert triples_of_default_graph(empty) == set()
    assert ask(empty, "SELECT ?g { GRAPH ?g {} }") == []


def test_a_triple_may_move_between_access_classes(empty: Dataset) -> None:
    empty.replace(RECORD, holding(RECORD, AccessClass.PUBLIC, SHARED))
    empty.replace(RECORD, holding(RECORD, AccessClass.INTEREST, SHARED))
    assert triples_of_default_graph(empty) == {SHARED}
    assert ask(empty, "SELECT ?g { GRAPH ?g { ?s ?p ?o } }") == [f"{RECORD}/interest"]


def test_vocabulary_is_replaced_as_a_whole(empty: Dataset) -> None:
    empty.set_vocabulary([SHARED])
    label = Triple(NamedNode(BP + "label"), NamedNode(BP + "label"), Literal("label", language="en"))
    empty.set_vocabulary([label])
    assert triples_of_default_graph(empty) == {label}
    assert ask(empty, "SELECT ?g { GRAPH ?g {} }") == [VOCABULARY_GRAPH]


def test_many_records_are_loaded_as_one_by_one(empty: Dataset) -> None:
    records = [f"{BASE}p/{number}" for number in range(4_000)]
    empty.replace_many((record, battery(record, number)) for number, record in enumerate(records))
    empty.replace_many((record, battery(record, 7)) for record in records[:3])
    assert len(empty) == 3 * len(records)
    assert ask(empty, "SELECT (COUNT(?b) AS ?n) (SUM(?c) AS ?sum) { ?b bp:ratedCapacityAh ?c }") == [
        f"4000,{sum(range(3, 4_000)) + 21}"
    ]


# Whoever is root may raise itself again, so it becomes nobody first.
YIELDING = """
import os
from battpass.kg.dataset import Dataset
from battpass.kg.graphs import AccessClass
os.nice(19)
if os.getuid() == 0:
    os.setgroups([])
    os.setuid(65534)
record = "https://w3id.org/battpass/id/p/1"
lines = [f'<{record}#{n}> <urn:p> "{"v" * 1_000}" <{record}/public> .\\n' for n in range(4_000)]
with Dataset.in_memory() as dataset:
    dataset.replace_texts([(record, {AccessClass.PUBLIC: "".join(lines).encode()})])
    print(len(dataset))
"""


def test_a_process_that_has_yielded_as_far_as_it_goes_loads_in_bulk() -> None:
    done = subprocess.run([sys.executable, "-c", YIELDING], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("4000\n", "")


def test_a_record_named_twice_has_its_last_graphs(empty: Dataset) -> None:
    empty.replace_many([(RECORD, battery(RECORD, 1)), (OTHER, battery(OTHER)), (RECORD, battery(RECORD, 2))])
    empty.replace_many([(RECORD, battery(RECORD, 2))] * 3)
    assert dumped(empty) == {*quads(battery(RECORD, 2)), *quads(battery(OTHER))}


@pytest.mark.parametrize(
    "text",
    [
        'quote " and \' and """',
        "line\nend\r\ttab\b\f",
        "back\\slash \\u0041 \\n \\",
        "} ; DROP ALL ; INSERT DATA { <a:a> <a:b> 1 }",
        "\u0000\u0001\u007f\u0085\ufffe",
        "漢字 🔋 e\u0301",
        f"ends like a line <{RECORD}/public> .\n",
        "_: is no blank node",
    ],
    ids=["quotes", "control", "backslash", "update", "rare", "unicode", "line", "underscore"],
)
def test_any_text_survives_a_replacement(text: str, empty: Dataset) -> None:
    subject, predicate = NamedNode(f"{RECORD}#battery"), NamedNode(BP + "label")
    empty.replace(RECORD, battery(RECORD))
    for literal in (Literal(text), Literal(text, language="de"), Literal(text, datatype=NamedNode(BP + "t"))):
        given = holding(RECORD, AccessClass.PUBLIC, Triple(subject, predicate, literal))
        for _ in range(2):  # in the place of what was there, and where nothing was
            empty.replace(RECORD, given)
            assert dumped(empty) == set(quads(given))
            assert triples_of_default_graph(empty) == {quad.triple for quad in quads(given)}
            empty.remove(RECORD)


@pytest.mark.parametrize(
    "line",
    [
        f'<{RECORD}> <{BP}label> "a" <{RECORD}/interest> .',
        f'_:b <{BP}label> "a" <{RECORD}/public> .',
        f"<{RECORD}> <{BP}label> _:b <{RECORD}/public> .",
        f'<{RECORD}> <{BP}label> "a" <{RECORD}/public> ',
    ],
    ids=["another graph", "blank subject", "blank object", "cut off"],
)
@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
def test_texts_that_do_not_belong_into_a_graph_are_refused(empty: Dataset, line: str, known: bool) -> None:
    if known:
        empty.replace(RECORD, battery(RECORD))
    before = dumped(empty)
    right = f'<{RECORD}> <{BP}label> "b" <{RECORD}/public> .\n'
    with pytest.raises((BattPassError, SyntaxError)):
        empty.replace_texts([(RECORD, {AccessClass.PUBLIC: f"{right}{line}\n".encode()})])
    assert dumped(empty) == before


def test_blank_nodes_are_refused(empty: Dataset) -> None:
    with pytest.raises(BattPassError, match="no blank nodes"):
        empty.replace(
            RECORD,
            holding(RECORD, AccessClass.PUBLIC, Triple(BlankNode("b"), SHARED.predicate, SHARED.object)),
        )
    assert len(empty) == 0


def test_a_quad_of_another_graph_is_refused(empty: Dataset) -> None:
    secret = battery(RECORD)[AccessClass.ITEM]
    with pytest.raises(BattPassError, match=f"does not belong into <{RECORD}/public>"):
        empty.replace(RECORD, {AccessClass.PUBLIC: secret})
    assert len(empty) == 0


def test_dump_depends_on_content_only() -> None:
    with Dataset.in_memory() as one, Dataset.in_memory() as two:
        one.replace_many([(RECORD, battery(RECORD)), (OTHER, battery(OTHER))])
        two.replace(OTHER, battery(OTHER, 1))
        two.replace_many([(OTHER, battery(OTHER)), (RECORD, battery(RECORD))])
        assert b"".join(one.dump()) == b"".join(two.dump())


def test_random_writes_leave_the_union_of_the_named_graphs(empty: Dataset, campaign: Campaign) -> None:
    draw = campaign.random("dataset")
    records = [f"{BASE}p/{number}" for number in range(4)]
    expected: dict[str, Graphs] = {}
    for step in range(campaign.count(1_000)):
        record = draw.choice(records)
        statements = {
            access: [(f"n{draw.randrange(2)}", f"p{draw.randrange(2)}", draw.randrange(2)) for _ in range(3)]
            for access in draw.sample(list(AccessClass), draw.randrange(4))
        }
        # One node for all records, so that triples are shared between graphs.
        shared = {
            access: frozenset(
                Quad(
                    NamedNode(str(quad.subject).partition("#")[2].strip("<>").join(("http://a/", ""))),
                    quad.predicate,
                    quad.object,
                    quad.graph_name,
                )
                for quad in part
            )
            for access, part in graphs(record, statements).items()  # type: ignore[arg-type]
        }
        expected[record] = shared
        empty.replace(record, shared)
        if step % 10 == 0:
            assert dumped(empty) == {quad for given in expected.values() for quad in quads(given)}
    held = {quad.triple for given in expected.values() for quad in quads(given)}
    assert triples_of_default_graph(empty) == held


def test_queries_see_what_stood_there_at_the_last_flush(dataset: Dataset) -> None:
    count = "SELECT ?c { ?b bp:ratedCapacityAh ?c }"
    dataset.replace(RECORD, battery(RECORD, 95))
    assert dataset.query(count, "csv").read() == b"c\r\n94\r\n"
    dataset.flush()
    assert dataset.query(count, "csv").read() == b"c\r\n95\r\n"


def test_a_folder_keeps_what_was_written(tmp_path: Path) -> None:
    with Dataset.open(tmp_path) as first:
        first.replace(RECORD, battery(RECORD))
    with Dataset.open(str(tmp_path)) as second:
        assert dumped(second) == set(quads(battery(RECORD)))
        assert second.query("ASK { ?b bp:ratedCapacityAh 94 }", "csv").read() == b"true"


def test_second_writer_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(HomeInUse, match=r"Another process writes to .*public"):
        Dataset.open(tmp_path / "public")
    program = f"from battpass.kg.dataset import Dataset; Dataset.open({str(tmp_path / 'public')!r})"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "HomeInUse" in ended.stderr
    assert ask(dataset, "SELECT ?c { ?b bp:ratedCapacityAh ?c }") == ["94"]


def test_a_broken_folder_is_reported(tmp_path: Path) -> None:
    with Dataset.open(tmp_path) as dataset:
        dataset.replace(RECORD, battery(RECORD))
    (tmp_path / "store" / "CURRENT").write_text("nonsense")
    with pytest.raises(BattPassError, match="does not open"):
        Dataset.open(tmp_path)


def test_no_write_of_many_threads_is_lost(tmp_path: Path) -> None:
    """Oxigraph on disk loses concurrent updates without an error, so writes go one at a time."""
    with Dataset.open(tmp_path) as dataset:

        def write(number: int) -> None:
            draw = random.Random(number)
            for step in range(40):
                dataset.replace(RECORD, battery(RECORD, draw.randrange(10**6)))
                own = f"{BASE}p/{number}"
                dataset.replace(own, battery(own, step))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ask(dataset, f"SELECT ?c {{ <{RECORD}#battery> bp:ratedCapacityAh ?c }}")) == 1
        assert ask(dataset, "SELECT ?c { ?b bp:ratedCapacityAh ?c }").count("39") == 4
        assert triples_of_default_graph(dataset) == {quad.triple for quad in dumped(dataset)}


def test_closed_dataset_says_so(empty: Dataset) -> None:
    empty.close()
    for act in (lambda: empty.query("ASK {}"), lambda: empty.replace(RECORD, {}), empty.flush):
        with pytest.raises(BattPassError, match="closed"):
            act()
    empty.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT * {\n ?s ?p foo }", r"^line 2, column 11: not understood near '\?s \?p foo }'"),
        ("SELECT * {\n ?s ex:p ?o }", "^line 2, column 5: the prefix ex: is not declared. Add PREFIX ex:"),
        ("ASK {", "^line 1, column 6: not understood at the end, after 'ASK {'"),
        ("SELECT ?x { ?s ?p ?o } GROUP BY ?s", "contains a variable that is unbound"),
        ("", "^line 1, column 1: "),
    ],
)
def test_syntax_error_names_its_place(text: str, message: str, empty: Dataset) -> None:
    with pytest.raises(BadQuery, match=message):
        empty.query(text)


def test_guard_stands_before_a_dataset_in_memory_too() -> None:
    with Dataset.in_memory() as dataset, pytest.raises(QueryRefused, match="SERVICE"):
        dataset.query("ASK { SERVICE <http://127.0.0.1/> {} }")


def test_deadline_in_memory_counts_between_pieces() -> None:
    with Dataset.in_memory() as dataset:
        dataset.replace(RECORD, battery(RECORD))
        endless = " ".join(f"VALUES ?x{n} {{ 0 1 2 3 4 5 6 7 8 9 }}" for n in range(4))
        with pytest.raises(DeadlineExceeded):
            dataset.query(f"SELECT * {{ {endless} }}", deadline=0.0)


def test_protocol_graphs_are_the_whole_dataset(empty: Dataset) -> None:
    empty.replace(RECORD, battery(RECORD))
    empty.flush()
    public, item = f"{RECORD}/public", f"{RECORD}/item"
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    named = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"

    def counted(text: str, default: tuple[str, ...], graphs_named: tuple[str, ...]) -> int:
        answer = empty.query(text, "csv", default_graphs=default, named_graphs=graphs_named).read()
        return int(answer.split()[1])

    assert counted(count, (), ()) == 3
    assert counted(count, (public,), ()) == 2
    assert counted(count, (public, item), ()) == 3
    assert counted(count, (), (item,)) == 0
    assert counted(named, (public,), (item,)) == 1
    assert counted(named, (public,), ()) == 0
    with pytest.raises(QueryRefused, match="is no IRI"):
        empty.query(count, default_graphs=["not an IRI"])
    with pytest.raises(QueryRefused, match="More than 100 graphs"):
        empty.query(count, named_graphs=["http://a/"] * 101)
