"""Queries run in sealed processes that are shared, replaced and ended as they should be."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, parse, parse_query_results

from battpass.kg.dataset import Dataset, QueryForm, Walls, offers, pool
from battpass.kg.dataset.sealed import SealedProcess
from battpass.kg.errors import DeadlineExceeded, PoolBusy, QueryFailed
from battpass.kg.namespaces import BASE
from tests.dataset.conftest import NODES, RECORD, battery, web

CROSS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
ENDLESS = "SELECT * { ?a ?b ?c . ?d ?e ?f }"
CAPACITY = "SELECT ?c { ?b bp:ratedCapacityAh ?c }"


@pytest.fixture
def woven(dataset: Dataset) -> Dataset:
    dataset.replace(f"{RECORD}-web", web(f"{RECORD}-web"))
    dataset.flush()
    return dataset


def workers(parent: int | None = None) -> set[int]:
    """Return the process numbers of the workers that a process has started."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        state, ppid = status.rpartition(")")[2].split()[:2]
        if int(ppid) == (parent or os.getpid()) and b"worker.py" in command and state != "Z":
            found.add(int(folder.name))
    return found


def policies() -> set[int]:
    """Return by which policies the processor is given to the workers."""
    return {os.sched_getscheduler(worker) for worker in workers()}


def within(seconds: float) -> Iterator[None]:
    """Yield again and again until the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield
        time.sleep(0.02)


def test_answers_come_in_each_format_on_offer(woven: Dataset) -> None:
    for offered in offers(QueryForm.SELECT):
        with woven.query("SELECT ?s ?o { ?s bp:next ?o }", offered.media_type) as answer:
            assert answer.media_type == offered.media_type
            body = answer.read()
        if offered.name == "csv":  # the engine writes CSV and does not read it
            assert body.count(b"\r\n") == 3 * NODES + 1
            continue
        results_format = {"json": "json", "xml": "srx", "tsv": "tsv"}[offered.name]
        results = parse_query_results(body, format=QueryResultsFormat.from_extension(results_format))
        assert isinstance(results, QuerySolutions)
        assert len(list(results)) == 3 * NODES
    for offered in offers(QueryForm.CONSTRUCT):
        body = woven.query("CONSTRUCT WHERE { ?s bp:next ?o }", offered.media_type).read()
        extension = {"turtle": "ttl", "ntriples": "nt", "nquads": "nq", "jsonld": "jsonld", "rdfxml": "rdf"}
        rdf_format = RdfFormat.from_extension(extension[offered.name])
        assert len({quad.triple for quad in parse(body, format=rdf_format)}) == 3 * NODES


@pytest.mark.parametrize("name", ["json", "xml", "csv", "tsv"])
def test_ask_is_answered_in_each_format(name: str, dataset: Dataset) -> None:
    assert b"true" in dataset.query("ASK { ?b bp:ratedCapacityAh 94 }", name).read()


def test_turtle_uses_the_known_prefixes(dataset: Dataset) -> None:
    body = dataset.query("DESCRIBE ?b { ?b bp:ratedCapacityAh 94 }").read().decode()
    assert "@prefix bp: <https://w3id.org/battpass/ontology#> ." in body
    assert "bp:ratedCapacityAh 94" in body


def test_processes_are_used_again(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_SHORT_SECONDS", 60)  # how busy the machine is must not matter
    dataset.query(CAPACITY).read()
    first = workers()
    for _ in range(20):
        dataset.query(CAPACITY).read()
    assert workers() == first
    assert len(first) == 1


def test_processes_are_replaced_after_a_flush_and_snapshots_removed(dataset: Dataset, tmp_path: Path) -> None:
    dataset.query(CAPACITY).read()
    before = workers()
    for capacity in (95, 96):
        dataset.replace(RECORD, battery(RECORD, capacity))
        dataset.flush()
        assert dataset.query(CAPACITY, "csv").read() == f"c\r\n{capacity}\r\n".encode()
    assert not before & workers()
    assert len(workers()) == 1
    assert len(list((tmp_path / "public" / "snapshots").iterdir())) == 1


def test_answer_under_way_finishes_on_its_snapshot(woven: Dataset, tmp_path: Path) -> None:
    reading = woven.query(f"{ENDLESS} LIMIT 20000", "tsv")
    first = next(reading)
    woven.remove(f"{RECORD}-web")
    woven.flush()
    assert woven.query("ASK { ?s bp:next ?o }", "csv").read() == b"false"
    assert (first + reading.read()).count(b"\n") == 20_001
    assert len(list((tmp_path / "public" / "snapshots").iterdir())) == 1


def test_a_process_that_is_killed_while_it_waits_is_replaced_without_a_word(dataset: Dataset) -> None:
    for _ in range(10):
        dataset.query(CAPACITY).read()
        for worker in workers():
            os.kill(worker, signal.SIGKILL)
        assert dataset.query(CAPACITY, "csv").read() == b"c\r\n94\r\n"


def test_a_long_query_gets_the_time_that_short_ones_leave(woven: Dataset) -> None:
    woven.query(CAPACITY).read()
    usual = policies()
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(lambda: woven.query(CROSS, "csv", deadline=10.0).read())
        for _ in within(9.0):
            if os.SCHED_IDLE in policies():
                break
        assert woven.query(CAPACITY, "csv").read() == b"c\r\n94\r\n"
        assert policies() == usual | {os.SCHED_IDLE}
        with pytest.raises(DeadlineExceeded):
            asked.result()
    woven.query(CAPACITY).read()
    assert policies() == usual


def test_an_answer_left_unread_gives_its_place_back(woven: Dataset) -> None:
    answers = [woven.query(ENDLESS) for _ in range(2)]
    for answer in answers:
        answer.close()
    assert woven.query(CAPACITY, "csv").read() == b"c\r\n94\r\n"
    del answers
    woven.query(ENDLESS)  # and so does one that nobody keeps
    assert woven.query(CAPACITY, "csv").read() == b"c\r\n94\r\n"


def test_slow_readers_hold_places_only_until_their_deadline(woven: Dataset) -> None:
    slow = [woven.query(ENDLESS, deadline=0.5) for _ in range(2)]
    with pytest.raises(PoolBusy, match="All 2 workers were busy"):
        woven.query(CAPACITY, deadline=0.1)
    began = time.monotonic()
    assert woven.query(CAPACITY, "csv", 5.0).read() == b"c\r\n94\r\n"
    assert time.monotonic() - began < 1.5
    for answer in slow:
        with pytest.raises(DeadlineExceeded):
            answer.read()
    assert len(workers()) <= 2


def test_many_threads_share_the_processes(woven: Dataset) -> None:
    wrong: list[object] = []

    def ask(number: int) -> None:
        for step in range(15):
            text = f"SELECT ({number * 100 + step} AS ?x) {{ ?b bp:ratedCapacityAh ?c }}"
            try:
                answer = woven.query(text, "csv", 10.0).read()
                if answer != f"x\r\n{number * 100 + step}\r\n".encode():
                    wrong.append(answer)
            except QueryFailed as error:
                wrong.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(workers()) <= 2


def test_closing_ends_all_processes_even_at_work(woven: Dataset) -> None:
    failed: list[Exception] = []

    def ask() -> None:
        try:
            woven.query(CROSS, deadline=20.0)
        except QueryFailed as error:
            failed.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in within(5.0):
        if workers():
            break
    woven.close()
    asking.join(timeout=2.0)
    assert len(failed) == 1
    assert not workers()


def test_a_dataset_forgotten_ends_its_processes(tmp_path: Path) -> None:
    dataset = Dataset.open(tmp_path)
    dataset.query("ASK {}").read()
    assert workers()
    del dataset
    assert not workers()


def test_processes_end_when_the_writer_dies(tmp_path: Path) -> None:
    program = (
        "import sys, threading, time\n"
        "from battpass.kg.dataset import Dataset\n"
        "from tests.dataset.conftest import web\n"
        f"dataset = Dataset.open({str(tmp_path)!r})\n"
        "dataset.replace('http://example.org/w', web('http://example.org/w'))\n"
        "dataset.flush()\n"
        f"threading.Thread(target=dataset.query, args=({CROSS!r},), kwargs=dict(deadline=0.3)).start()\n"
        "dataset.query('ASK {}').read()\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        orphans = workers(writer.pid)
        assert len(orphans) == 2
        writer.kill()
    for _ in within(4.0):
        if not any(Path(f"/proc/{orphan}").exists() for orphan in orphans):
            return
    pytest.fail("a worker outlived its writer")


def test_a_store_of_many_tables_is_answered_from_within_the_seal(tmp_path: Path) -> None:
    """The engine opens 16 tables at first; the descriptors of the others are left free, and nothing else."""
    with Dataset.open(tmp_path) as dataset:
        for number in range(3):
            records = [f"{BASE}p/{number}-{index}" for index in range(6_000)]
            dataset.replace_many((record, battery(record, number)) for record in records)
        dataset.flush()
        (snapshot,) = (tmp_path / "snapshots").iterdir()
        tables = len(list(snapshot.glob("*.sst")))
        process = SealedProcess(Walls(), snapshot)
        holds = process.ready()
        process.close()
        assert tables > 16
        assert holds == {"filtered": True, "spare_descriptors": tables - 16}
        count = "SELECT ?c (COUNT(?b) AS ?n) { ?b ?p ?c . ?b bp:label ?l } GROUP BY ?c ORDER BY ?c"
        assert dataset.query(count, "csv").read().split()[1:4] == [b"0,6000", b"1,6000", b"2,6000"]
        assert (
            dataset.query("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?b ?p 80 } }", "csv").read().split()[1]
            == b"18000"
        )


def test_without_any_wall_no_process_starts(tmp_path: Path) -> None:
    walls = Walls(filter_calls=False, take_descriptors=False)
    with Dataset.open(tmp_path, walls=walls) as dataset, pytest.raises(QueryFailed, match="did not start"):
        dataset.query("ASK {}")
