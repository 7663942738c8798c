"""What is appended stands, once and in order, whoever else appends at the same time."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic, sleep

import pytest

from battpass.kg.errors import Archived, Conflict, DamagedHome
from battpass.kg.graphs import AccessClass
from battpass.kg.journal.clock import Clock
from battpass.kg.journal.entry import GENESIS, Action, Entry, Note, Stage
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.parts import digest
from battpass.kg.journal.prepare import MOST_CHANGES, Change
from battpass.kg.journal.schema import FILE
from battpass.kg.journal.verify import verify
from tests.journal.records import archived, change, model, parts, record

PUBLISHED = Stage.PUBLISHED


def append(journal: Journal, one: Change) -> tuple[Entry, bool]:
    return journal.append([one])[0]


def sound(journal: Journal) -> bool:
    return verify(journal.folder / FILE, journal.folder / "head").problems == ()


# --- one writer ----------------------------------------------------------------------------------------


def test_an_empty_journal_ends_at_nothing(journal: Journal) -> None:
    assert (journal.head.sequence, journal.head.hash) == (0, GENESIS)
    assert list(journal.entries()) == [] and journal.standing(record(1)) == {}
    assert sound(journal)


def test_an_entry_says_what_was_done(journal: Journal) -> None:
    note = Note("new battery", "a.json", ("id-1",))
    given = change(1, 1, actor="anna", note=note, original=b"{}", format="f", report=b'{"a": 1}')
    entry, new = append(journal, given)
    assert new
    assert (entry.sequence, entry.version, entry.action, entry.stage) == (1, 1, Action.CREATE, PUBLISHED)
    assert (entry.actor, entry.reason, entry.source, entry.identifiers) == (
        "anna",
        "new battery",
        "a.json",
        ("id-1",),
    )
    assert (entry.previous, entry.model, entry.format, entry.checked) == (GENESIS, given.model, "f", True)
    assert journal.text(entry.original) == b"{}" and journal.text(entry.report) == b'{"a": 1}'
    assert journal.state(entry) == given.parts
    assert journal.standing(record(1)) == {PUBLISHED: entry}
    assert journal.entry(1) == entry and journal.head.hash == entry.hash
    assert abs(entry.time - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_stands_already_is_not_written_again(journal: Journal) -> None:
    entry, _ = append(journal, change(1, 1))
    assert append(journal, change(1, 1)) == (entry, False)
    assert append(journal, change(1, 1, actor="ben", note=Note("again"), report=b"{}")) == (entry, False)
    assert journal.head.sequence == 1 and journal.statistics.entries == 1


@pytest.mark.parametrize("more", [{"original": b"{ }"}, {"format": "other"}, {"model": "urn:x:other"}])
def test_another_document_format_or_model_is_a_change(journal: Journal, more: dict[str, object]) -> None:
    append(journal, change(1, 1))
    entry, new = append(journal, change(1, 1, **more))
    assert new and (entry.version, entry.action, entry.added, entry.removed) == (2, Action.CHANGE, {}, {})


def test_of_a_batch_what_stands_already_is_left_out(journal: Journal) -> None:
    append(journal, change(1, 1))
    found = journal.append([change(1, 1), change(2, 1), change(3, 1)])
    assert [(entry.record, entry.sequence, new) for entry, new in found] == [
        (record(1), 1, False),
        (record(2), 2, True),
        (record(3), 3, True),
    ]


def test_only_the_lines_that_change_are_written(journal: Journal) -> None:
    append(journal, change(1, 1))
    entry, _ = append(journal, change(1, 2))
    for access in AccessClass:
        assert journal.text(entry.added[access]).count(b"\n") == 1
        assert b'"2"' in journal.text(entry.added[access])
        assert b'"1"' in journal.text(entry.removed[access])
    assert (entry.base, entry.depth) == (1, 1)


@pytest.mark.parametrize(
    ("before", "expected", "fits"),
    [(0, 0, True), (0, 1, False), (1, 0, False), (1, 1, True), (2, 1, False), (2, 2, True), (2, 3, False)],
)
def test_a_change_is_refused_unless_the_expected_version_stands(
    journal: Journal, before: int, expected: int, fits: bool
) -> None:
    for turn in range(before):
        append(journal, change(1, turn))
    given = change(1, "new", expected=expected)
    if fits:
        assert append(journal, given)[0].version == before + 1
    else:
        with pytest.raises(Conflict, match=rf"at version {before}, not {expected}\. Read it again"):
            append(journal, given)
        assert journal.head.sequence == before


def test_a_conflict_in_a_batch_leaves_no_trace_of_the_others(journal: Journal) -> None:
    append(journal, change(2, 1))
    with pytest.raises(Conflict):
        journal.append([change(1, 1), change(2, 2, expected=0), change(3, 1)])
    assert journal.head.sequence == 1 and journal.standing(record(1)) == {}


def test_a_record_that_ceased_to_exist_takes_no_change(journal: Journal) -> None:
    append(journal, change(1, 1))
    append(journal, archived(1))
    for stage in Stage:
        with pytest.raises(Archived, match="gets a new passport"):
            append(journal, change(1, 2, stage))
    assert journal.head.sequence == 2


def test_a_value_that_no_table_takes_harms_nobody_else(journal: Journal) -> None:
    lone = Note(identifiers=("\ud800",))  # half of a surrogate pair: Python has such texts, SQLite does not
    with pytest.raises(UnicodeEncodeError):
        append(journal, change(1, 1, note=lone))
    assert append(journal, change(2, 1))[0].sequence == 1
    assert journal.standing(record(1)) == {} and sound(journal)


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, durable=False)
    journal.close()
    with pytest.raises(DamagedHome, match="closed"):
        append(journal, change(1, 1))
    journal.close()


def test_a_journal_open_for_reading_takes_nothing(journal: Journal) -> None:
    append(journal, change(1, 1))
    with Journal.open(journal.folder, read_only=True) as reader:
        assert not reader.is_writable and reader.head == journal.head
        with pytest.raises(DamagedHome, match="reading only"):
            append(reader, change(1, 2))
        append(journal, change(1, 2))
        assert reader.head == journal.head


def test_a_journal_is_opened_again_with_all_it_held(tmp_path: Path) -> None:
    with Journal.open(tmp_path, durable=False) as journal:
        before = [append(journal, change(number, turn))[0] for turn in range(3) for number in range(3)]
    with Journal.open(tmp_path, durable=False) as journal:
        assert list(journal.entries()) == before
        assert append(journal, change(9, 1))[0].previous == before[-1].hash
        assert sound(journal)


# --- stages --------------------------------------------------------------------------------------------


def test_a_draft_stands_beside_what_is_published(journal: Journal) -> None:
    one, _ = append(journal, change(1, 1))
    two, _ = append(journal, change(1, 2, Stage.DRAFT))
    assert journal.standing(record(1)) == {PUBLISHED: one, Stage.DRAFT: two}
    three, _ = append(journal, change(1, 3, Stage.DRAFT))
    assert journal.standing(record(1)) == {PUBLISHED: one, Stage.DRAFT: three}
    four, _ = append(journal, change(1, 4))
    assert journal.standing(record(1)) == {PUBLISHED: four}
    assert [one.action for one in journal.history(record(1))] == ["create", "change", "change", "publish"]
    assert sound(journal)


def test_a_draft_that_says_what_is_published_is_none(journal: Journal) -> None:
    one, _ = append(journal, change(1, 1))
    assert append(journal, change(1, 1, Stage.DRAFT)) == (one, False)


def test_publishing_what_is_published_ends_its_draft(journal: Journal) -> None:
    append(journal, change(1, 1))
    append(journal, change(1, 2, Stage.DRAFT))
    entry, new = append(journal, change(1, 1))
    assert new and (entry.version, entry.action) == (3, Action.PUBLISH)
    assert journal.standing(record(1)) == {PUBLISHED: entry}
    assert journal.state(entry) == change(1, 1).parts and sound(journal)


def test_publishing_a_draft_adds_no_second_copy(journal: Journal) -> None:
    given = change(1, 1, Stage.DRAFT, original=b"document" * 1000, report=b"{}")
    append(journal, given)
    texts = verify(journal.folder / FILE).texts
    entry, _ = append(journal, replace(given, stage=PUBLISHED))
    assert (entry.added, entry.removed) == ({}, {})
    assert verify(journal.folder / FILE).texts == texts


# --- history -------------------------------------------------------------------------------------------


def test_every_version_is_readable_and_every_64th_is_written_whole(journal: Journal) -> None:
    count = 2 * MOST_CHANGES + 5
    random = Random(1)
    states, entries = [], []
    for turn in range(count):
        said = {f"p{n}": random.randrange(3) for n in range(4) if random.random() < 0.8} | {"turn": turn}
        classes = [access for access in AccessClass if random.random() < 0.7] or [AccessClass.ITEM]
        states.append(parts(record(1), said, classes))
        entries.append(append(journal, Change(record(1), PUBLISHED, states[-1], "urn:x:m"))[0])
    assert [entry.version for entry in entries] == list(range(1, count + 1))
    assert [journal.state(entry) for entry in entries] == states
    assert [entry.depth for entry in entries] == [turn % MOST_CHANGES for turn in range(count)]
    for entry in entries:
        assert (entry.base == 0) == (entry.depth == 0)
    assert sound(journal)


def test_a_state_is_cut_to_the_classes_that_are_asked_for(journal: Journal) -> None:
    append(journal, change(1, 1))
    entries = [append(journal, change(1, turn))[0] for turn in (2, 3)]
    public = frozenset({AccessClass.PUBLIC})
    for turn, entry in zip((2, 3), entries, strict=True):  # the first is replayed, the second stands
        assert journal.state(entry, public) == parts(
            record(1), {"changing": turn, "staying": "a", "also": "b"}, public
        )
        assert journal.state(entry, frozenset()) == {}


def test_the_text_of_a_state_goes_when_the_next_one_stands(journal: Journal) -> None:
    append(journal, change(1, 1))
    second, _ = append(journal, change(1, 2))
    whole = set(second.state.values()) - second.texts
    assert all(journal.text(name) is not None for name in whole)
    append(journal, change(1, 3))
    assert all(journal.text(name) is None for name in whole)
    assert journal.state(second) == change(1, 2).parts, "it is replayed from the changes"


def test_a_state_that_comes_back_stands_as_before(journal: Journal) -> None:
    entries = [append(journal, change(1, value))[0] for value in (1, 2, 1, 2, 1)]
    assert [journal.state(entry) for entry in entries] == [
        change(1, value).parts for value in (1, 2, 1, 2, 1)
    ]
    assert sound(journal)


def test_the_state_at_a_time_is_what_was_published_then(tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    with Journal.open(tmp_path, durable=False, clock=Clock(lambda: now[0], lambda: now[0])) as journal:

        def at(seconds: float, *changes: Change) -> datetime:
            now[0] += seconds
            return journal.append(changes)[0][0].time

        first = at(10, change(1, 1))
        second = at(10, change(1, 2))
        at(10, change(1, 3, Stage.DRAFT))
        fourth = at(10, archived(1))
        moment = timedelta(microseconds=1)
        assert journal.as_of(record(1), first - moment) == {}
        assert journal.as_of(record(1), first) == change(1, 1).parts
        assert journal.as_of(record(1), second - moment) == change(1, 1).parts
        assert journal.as_of(record(1), second) == change(1, 2).parts
        assert journal.as_of(record(1), fourth - moment) == change(1, 2).parts
        assert journal.as_of(record(1), fourth) == {}
        assert journal.as_of(record(2), fourth) == {}


def test_entries_are_read_in_order_and_from_any_place(journal: Journal) -> None:
    journal.append([change(number, 1) for number in range(1, 1201)])
    assert [entry.sequence for entry in journal.entries()] == list(range(1, 1201))
    assert [entry.sequence for entry in journal.entries(1195)] == list(range(1196, 1201))
    assert [entry.sequence for entry in journal.entries(3, 5)] == [4, 5]


def test_records_are_found_by_stage_name_and_model(journal: Journal) -> None:
    journal.append([model()])
    append(journal, change(1, 1, note=Note(identifiers=("one", "battery"))))
    append(journal, change(2, 1, Stage.DRAFT, note=Note(identifiers=("two", "battery")), original=b"{}"))
    append(journal, change(3, 1, model="urn:x:other"))
    append(journal, archived(3))
    assert journal.count([PUBLISHED, Stage.DRAFT]) == 2
    assert journal.records([PUBLISHED]) == [(record(1), PUBLISHED, change(1, 1).model)]
    assert [one[0] for one in journal.records([PUBLISHED, Stage.DRAFT], limit=1)] == [record(1)]
    assert [one[0] for one in journal.records([PUBLISHED, Stage.DRAFT], after=record(1))] == [record(2)]
    assert journal.items_of(change(1, 1).model, [PUBLISHED, Stage.DRAFT]) == [record(1), record(2)]
    assert journal.items_of("urn:x:other", [PUBLISHED, Stage.DRAFT]) == []
    assert journal.named("battery") == [record(1), record(2)]
    assert journal.named("two") == [record(2)] == journal.named(f"sha256:{digest(b'{}')}")
    assert journal.named("nobody") == []


# --- many writers --------------------------------------------------------------------------------------


def test_many_threads_share_commits_and_none_is_lost(journal: Journal) -> None:
    threads, turns = 16, 12
    barrier = threading.Barrier(threads)

    def write(number: int) -> list[Entry]:
        barrier.wait()
        return [append(journal, change(number, turn))[0] for turn in range(turns)]

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(write, range(threads)))
    entries = list(journal.entries())
    assert sorted((one for own in found for one in own), key=lambda one: one.sequence) == entries
    assert [entry.sequence for entry in entries] == list(range(1, threads * turns + 1))
    assert all([one.version for one in own] == list(range(1, turns + 1)) for own in found)
    assert journal.statistics.entries == len(entries)
    assert journal.statistics.commits < len(entries) / 2, "commits gather what waits"
    assert sound(journal)


def test_of_two_who_expect_the_same_version_one_is_refused(journal: Journal) -> None:
    append(journal, change(1, 0))
    threads = 8
    barrier = threading.Barrier(threads)

    def write(value: int) -> int:
        barrier.wait()
        try:
            return append(journal, change(1, f"by {value}", expected=1))[0].version
        except Conflict:
            return 0

    with ThreadPoolExecutor(threads) as pool:
        assert sorted(pool.map(write, range(threads))) == [0] * (threads - 1) + [2]


def test_who_expects_nothing_is_tried_again_until_it_fits(journal: Journal) -> None:
    threads, turns = 8, 10
    barrier = threading.Barrier(threads)

    def write(number: int) -> None:
        barrier.wait()
        for turn in range(turns):
            append(journal, change(1, f"{number}/{turn}"))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(write, range(threads)))
    assert [entry.version for entry in journal.history(record(1))] == list(range(1, threads * turns + 1))
    assert sound(journal)


class Held:
    """A journal whose writing thread can be made to wait in the middle of a commit."""

    def __init__(self, folder: Path) -> None:
        self.going = threading.Event()
        self.going.set()
        self.waits = threading.Event()
        self.journal = Journal.open(folder, durable=False, clock=Clock(self._wall, lambda: 1.0))

    def _wall(self) -> float:
        if not self.going.is_set():
            self.waits.set()
            assert self.going.wait(60)
        return 1_800_000_000.0

    def hold(self, pool: ThreadPoolExecutor, one: Change) -> "Future[tuple[Entry, bool]]":
        """Have the thread wait at a change."""
        self.going.clear()
        first = pool.submit(append, self.journal, one)
        assert self.waits.wait(60)
        return first

    def until_wait(self, count: int) -> None:
        """Wait until so many writes stand in line."""
        assert self.journal._writer is not None
        deadline = monotonic() + 60
        while self.journal._writer._jobs.qsize() < count:
            assert monotonic() < deadline
            sleep(0.001)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    made = Held(tmp_path)
    yield made
    made.going.set()
    made.journal.close()


def test_what_waits_is_committed_together_and_a_job_that_fails_leaves_no_trace(held: Held) -> None:
    journal = held.journal
    lone = Note(identifiers=("\ud800",))  # no table takes it, which only the writing thread finds
    with ThreadPoolExecutor(13) as pool:
        first = held.hold(pool, change(0, 1))
        jobs = [
            pool.submit(
                journal.append, [change(n, 1), change(100 + n, 1, note=lone if n % 3 == 0 else Note())]
            )
            for n in range(1, 13)
        ]
        held.until_wait(12)
        held.going.set()
        assert first.result(60)[1]
        for number, job in enumerate(jobs, 1):
            if number % 3 == 0:
                with pytest.raises(UnicodeEncodeError):
                    job.result(60)
            else:
                assert [one.record for one, _ in job.result(60)] == [record(number), record(100 + number)]
    assert journal.head.sequence == 1 + 2 * 8
    assert journal.statistics.commits == 2, "the one that was held, and one for all that waited"
    assert all(journal.standing(record(number)) == {} for number in (3, 6, 9, 12))
    assert sound(journal)


def test_a_job_that_comes_too_late_in_a_commit_is_tried_again(held: Held) -> None:
    with ThreadPoolExecutor(6) as pool:
        jobs = [held.hold(pool, change(1, 0))]
        jobs += [pool.submit(append, held.journal, change(1, value)) for value in range(1, 6)]
        held.until_wait(5)
        held.going.set()
        assert sorted(job.result(60)[0].version for job in jobs) == [1, 2, 3, 4, 5, 6]
    assert sound(held.journal)


def test_a_model_record_that_eight_threads_bring_is_written_once(journal: Journal) -> None:
    threads = 8
    barrier = threading.Barrier(threads)

    def write(number: int) -> list[tuple[Entry, bool]]:
        barrier.wait()
        return journal.append([model(), change(number, 1)])

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(write, range(threads)))
    assert len({one[0][0].hash for one in found}) == 1, "all are told the one entry"
    assert sorted(one[0][1] for one in found) == [False] * (threads - 1) + [True]
    assert len([entry for entry in journal.entries() if entry.is_model]) == 1
    assert journal.head.sequence == threads + 1 and sound(journal)


def test_closing_answers_everybody_who_waits(tmp_path: Path) -> None:
    threads, written = 6, 0
    for turn in range(20):
        journal = Journal.open(tmp_path, durable=False)
        barrier = threading.Barrier(threads + 1)

        def write(value: str, journal: Journal = journal, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            try:
                return append(journal, change(int(value[-1]), value))[1]
            except DamagedHome as error:
                assert "closed" in str(error)
                return False

        with ThreadPoolExecutor(threads) as pool:
            jobs = [pool.submit(write, f"{turn}/{number}") for number in range(threads)]
            barrier.wait()
            journal.close()
            written += sum(job.result(timeout=60) for job in jobs)
    with Journal.open(tmp_path, read_only=True) as reader:
        assert reader.head.sequence == written


def test_the_end_of_the_journal_is_told_only_when_it_is_on_disk(tmp_path: Path) -> None:
    """Whoever follows the journal would otherwise pass over entries that it cannot read yet."""
    seen: list[tuple[int, int]] = []
    opened: list[Journal] = []

    def wall() -> float:  # asked for each entry, in the middle of the transaction
        if opened:
            seen.append((opened[0].head.sequence, len(list(opened[0].entries(0, 10)))))
        return 1_800_000_000.0

    with Journal.open(tmp_path, durable=False, clock=Clock(wall, lambda: 1.0)) as journal:
        opened.append(journal)
        journal.append([change(number, 1) for number in range(4)])
        assert journal.head.sequence == 4
    assert len(seen) >= 4
    assert all(told == there == 0 for told, there in seen)


def test_waiting_ends_with_the_next_entry_or_with_the_time(journal: Journal) -> None:
    assert journal.wait_beyond(0, 0.01) == 0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(journal.wait_beyond, 0, 60.0)
        append(journal, change(1, 1))
        assert waiting.result(timeout=30) == 1
