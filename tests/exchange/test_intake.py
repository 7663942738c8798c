"""The intake: documents are read, changed and checked as they are without it, and none takes others along."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from battpass.kg.errors import (
    BadDocument,
    BattPassError,
    DocumentTooLarge,
    NotJson,
    ProcessLost,
    UnknownFormat,
)
from battpass.kg.graphs import AccessClass
from battpass.kg.home import Arrival, State
from battpass.kg.namespaces import BP
from battpass.kg.validation.findings import MOST_OF_A_KIND
from battpass.services.exchange.crew import Closed
from battpass.services.exchange.intake import Intake, IntakeLimits
from battpass.services.exchange.registry import detect, format_named, formats
from benchmarks.campaigns import ROOT
from tests.dataset.hostile import DOCUMENTS

EXAMPLES = ROOT / "examples"
NAMES = sorted(path.stem for path in (EXAMPLES / "passports").glob("*.json"))
DAY = date(2026, 12, 1)


@pytest.fixture(scope="module")
def intake() -> Iterator[Intake]:
    with Intake(workers=2, limits=IntakeLimits(seconds=60.0, memory=512 << 20), on=DAY) as made:
        yield made


def example(name: str) -> bytes:
    return (EXAMPLES / "passports" / f"{name}.json").read_bytes()


def plainly(data: bytes, source: str = "") -> Arrival:
    """Return what a document becomes when it is read in this process, without the shapes."""
    known = detect(data)
    loaded = known.load(data)
    return Arrival.of(loaded.passport, loaded.findings, data, known.name, source)


def state_of(arrival: Arrival) -> State:
    return State(arrival.record, arrival.model, arrival.item, arrival.model_parts)


@pytest.fixture(scope="module")
def kept(intake: Intake) -> State:
    return state_of(intake.read(example("ev-lfp-60"), check=False))


def works(intake: Intake) -> bool:
    return intake.read(example("sta-lfp-10"), check=False) == plainly(example("sta-lfp-10"))


def test_a_document_that_is_wrong_in_thousands_of_places_has_a_short_report(intake: Intake) -> None:
    document = json.loads(example("ev-lfp-60"))
    document["metadata"] |= {f"unknown{number}": number for number in range(5_000)}
    arrival = intake.read(json.dumps(document).encode())
    further = [one for one in arrival.findings if "more of this kind" in one.found]
    assert len(further) == 1 and len(arrival.findings) <= MOST_OF_A_KIND + 10
    listed = json.loads(arrival.report)["findings"]
    assert [one["found"] for one in listed if "more of this kind" in one["found"]] == [further[0].found]


# --- reading -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ev-lfp-60", "lmt-nmc532-05", "ind-lead-48", "sta-second-lmo-15"])
def test_a_document_becomes_what_it_becomes_without_an_intake(intake: Intake, name: str) -> None:
    arrival = intake.read(example(name), source=name, check=False)
    assert arrival == plainly(example(name), name)
    assert arrival.report == b""


@pytest.mark.parametrize("known", [one.name for one in formats() if one.name != "battinfo-cell"])
def test_each_format_is_read_by_name_and_by_look(intake: Intake, known: str) -> None:
    document = format_named(known).dump(detect(example("ev-lfp-60")).load(example("ev-lfp-60")).passport)
    by_look, by_name = intake.read(document, check=False), intake.read(document, known, check=False)
    # Of 6.0.0 nothing says that it is not 6.1.0.
    assert by_look == replace(by_name, format=known.replace("6.0.0", "6.1.0"))
    assert by_name.format == known
    assert by_look.record == plainly(example("ev-lfp-60")).record


def test_a_checked_document_comes_with_its_report_as_of_the_day(intake: Intake) -> None:
    faulty = example("ev-lfp-60").replace(b'"value": 180.0', b'"value": -180.0')
    assert faulty != example("ev-lfp-60")
    report = json.loads(intake.read(faulty).report)
    assert report["on"] == DAY.isoformat()
    (violation,) = [one for one in report["findings"] if one["severity"] == "violation"]
    assert violation["pointer"] == "/performance/rated/capacity/value"
    assert json.loads(intake.read(example("ev-lfp-60")).report)["findings"] == []


def test_many_come_back_in_their_order_whatever_becomes_of_them(intake: Intake) -> None:
    documents = [(name, example(name)) for name in NAMES[:12]]
    documents[3:3] = [("broken", b"{"), ("empty", b""), ("too deep", b"[" * 100_000)]
    documents += [("large", b" " * (intake.limits.bytes + 1)), ("again", example(NAMES[0]))]
    found = list(intake.read_many(iter(documents), check=False))
    assert [(name, data) for name, data, _ in found] == documents
    for name, data, became in found:
        if name in ("broken", "empty", "too deep", "large"):
            assert isinstance(became, BadDocument), name
        else:
            assert became == plainly(data, name)


def test_documents_are_taken_as_they_are_needed(intake: Intake) -> None:
    taken = 0

    def documents() -> Iterator[tuple[str, bytes]]:
        nonlocal taken
        for number in range(30):
            taken += 1
            yield str(number), example("sta-lfp-10")

    reading = intake.read_many(documents(), check=False)
    for number, _ in enumerate(reading, 1):
        assert taken <= number + 2 * 2 + 1
        if number == 5:
            break
    reading.close()  # type: ignore[attr-defined]
    assert taken < 15
    assert works(intake)


def test_callers_in_many_threads_get_their_own(intake: Intake) -> None:
    wanted = {name: plainly(example(name)) for name in NAMES[:6]}

    def read(number: int) -> bool:
        name = NAMES[number % 6]
        return intake.read(example(name), check=False) == wanted[name]

    with ThreadPoolExecutor(6) as threads:
        assert all(threads.map(read, range(30)))


# --- changing, checking, writing -----------------------------------------------------------------------


def test_a_patch_changes_what_it_says(intake: Intake, kept: State) -> None:
    patch = b'{"performance": {"dynamic": {"stateOfCharge": {"value": 12.5}}}}'
    arrival = intake.patch(kept, patch, "battery_pass-6.1.0")
    assert (arrival.record, arrival.model, arrival.original) == (kept.record, kept.model, b"")
    assert arrival.model_parts == kept.model_parts
    after = json.loads(intake.dump(state_of(arrival), "battery_pass-6.1.0"))
    assert after["performance"]["dynamic"]["stateOfCharge"]["value"] == 12.5
    assert json.loads(arrival.report)["findings"] == []


def test_a_patch_that_changes_nothing_gives_the_state_back_byte_for_byte(intake: Intake, kept: State) -> None:
    arrival = intake.patch(kept, b"{}", "battery_pass-6.1.0", check=False)
    assert state_of(arrival) == kept


@pytest.mark.parametrize(
    ("patch", "known", "error"),
    [
        (b"[]", "battery_pass-6.1.0", NotJson),
        (b"{", "battery_pass-6.1.0", NotJson),
        (b"{}", "turtle", UnknownFormat),
        (b"{}", "nowhere", UnknownFormat),
        (b'{"metadata": null}', "battery_pass-6.1.0", BadDocument),
        (b'{"a": ' * 50_000, "battery_pass-6.1.0", NotJson),
    ],
)
def test_a_patch_that_makes_no_passport_is_refused_by_name(
    intake: Intake, kept: State, patch: bytes, known: str, error: type[BattPassError]
) -> None:
    with pytest.raises(BattPassError) as caught:
        intake.patch(kept, patch, known)
    assert type(caught.value) is error


def test_a_supplement_adds_and_is_the_original_of_what_comes_of_it(intake: Intake) -> None:
    name = "lmt-nmc532-05"
    kept = state_of(intake.read(example(name), check=False))
    more = (EXAMPLES / "supplements" / f"{name}.ttl").read_bytes()
    arrival = intake.supplement(kept, more, "turtle")
    assert (arrival.record, arrival.original, arrival.format) == (kept.record, more, "turtle")
    before, after = (set(state.passport().quads()) for state in (kept, state_of(arrival)))
    assert len(after) > len(before)
    with pytest.raises(BadDocument):
        intake.supplement(kept, f"<urn:a:b> <{BP}x> 1 .".encode(), "turtle")
    with pytest.raises(UnknownFormat, match="describes whole passports"):
        intake.supplement(kept, example(name), "")


def test_an_item_is_moved_to_a_corrected_model_record(intake: Intake, kept: State) -> None:
    corrected = example("ev-lfp-60").replace(b'"value": 180.0', b'"value": 181.5')
    target = intake.read(corrected, check=False)
    assert target.model != kept.model
    arrival = intake.move(kept, target.model, target.model_parts)
    assert (arrival.record, arrival.model) == (kept.record, target.model)
    assert arrival.model_parts == target.model_parts
    revises = f"<{target.model}> <http://www.w3.org/ns/prov#wasRevisionOf> <{kept.model}>"
    assert revises.encode() in arrival.item[AccessClass.PUBLIC]
    document = json.loads(intake.dump(state_of(arrival), "battery_pass-6.1.0"))
    assert document["performance"]["rated"]["capacity"]["value"] == 181.5
    same = intake.move(kept, kept.model, kept.model_parts, check=False)
    assert state_of(same) == kept
    with pytest.raises(BadDocument, match="says nothing"):
        intake.move(kept, f"{kept.model}0", {})


def test_a_state_is_checked_as_its_document_was(intake: Intake) -> None:
    faulty = example("ev-lfp-60").replace(b'"value": 180.0', b'"value": -180.0')
    arrival = intake.read(faulty)
    kept, again = json.loads(arrival.report), json.loads(intake.check(state_of(arrival)))
    assert again["findings"] == kept["findings"] != []


def test_a_value_that_could_not_be_read_is_found_again_in_what_is_kept(intake: Intake) -> None:
    document = json.loads(example("ev-lfp-60"))
    document["performance"]["rated"]["capacity"]["value"] = "a lot"
    arrival = intake.read(json.dumps(document).encode())
    weighing = [one for one in json.loads(arrival.report)["findings"] if one["severity"] == "violation"]
    assert weighing
    again = json.loads(intake.check(state_of(arrival)))["findings"]
    assert [one["code"] for one in again] == [one["code"] for one in json.loads(arrival.report)["findings"]]


@pytest.mark.parametrize("known", [one.name for one in formats()])
def test_a_state_is_written_as_it_is_without_an_intake(intake: Intake, kept: State, known: str) -> None:
    assert intake.dump(kept, known) == format_named(known).dump(kept.passport())


# --- documents that would take others along ------------------------------------------------------------

FORMAT_OF = {"application/ld+json": "json-ld", "text/turtle": "turtle", "application/n-quads": "n-quads"}
HOSTILE = [name for name, (media_type, *_) in DOCUMENTS.items() if media_type in FORMAT_OF]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_with_a_reason(intake: Intake, name: str) -> None:
    media_type, body, _ = DOCUMENTS[name]
    with pytest.raises(BadDocument) as caught:
        intake.read(body, FORMAT_OF[media_type], check=False)
    assert 20 < len(str(caught.value)) < 700
    assert "Traceback" not in str(caught.value)


@pytest.mark.slow
def test_others_are_answered_while_one_is_read_that_never_ends() -> None:
    endless = many_materials(20_000)
    with Intake(workers=2, limits=IntakeLimits(seconds=3.0)) as intake:
        intake.read(example("sta-lfp-10"), check=False)
        with ThreadPoolExecutor(1) as threads:
            slow = threads.submit(intake.read, endless)
            answered = 0
            while not slow.done():
                assert works(intake)
                answered += 1
            with pytest.raises(BadDocument, match=r"It was not done after 3 s\. Simplify it"):
                slow.result()
        assert answered > 0
        assert intake.lost == 1
        assert works(intake)


def test_a_document_that_swells_is_told_so() -> None:
    swelling = b"[" + b"[]," * 1_300_000 + b"[]]"
    with Intake(workers=1, limits=IntakeLimits(memory=48 << 20)) as intake:
        with pytest.raises(BadDocument, match="more memory than one document may take"):
            intake.read(swelling, check=False)
        assert works(intake)
        assert (intake.started, intake.lost) == (2, 1)


def many_materials(number: int) -> bytes:
    """Return a document that takes long: with so many materials."""
    document = json.loads(example("ev-lfp-60"))
    (one, *_) = document["materials"]["composition"]
    document["materials"]["composition"] = [{**one, "concentration": at / number} for at in range(number)]
    return json.dumps(document).encode()


def kill_workers_until(intake: Intake, done: Callable[[], bool]) -> None:
    """Kill whatever is at work, again where it was met before it had taken its task."""
    while not done():
        for process in list(intake._crew._at_work):
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.1)


@pytest.mark.slow
def test_a_worker_that_is_killed_at_work_costs_that_document_alone() -> None:
    with Intake(workers=2) as intake:
        assert works(intake)
        with ThreadPoolExecutor(1) as threads:
            slow = threads.submit(intake.read, many_materials(2_000))
            kill_workers_until(intake, slow.done)
            with pytest.raises(BadDocument, match="The process was killed"):
                slow.result()
        assert works(intake)
        assert intake.lost >= 1


@pytest.mark.slow
def test_what_is_kept_is_not_at_fault_when_its_worker_is_killed() -> None:
    with Intake(workers=1) as intake:
        large = state_of(intake.read(many_materials(1_000), check=False))
        with ThreadPoolExecutor(1) as threads:
            slow = threads.submit(intake.check, large)
            kill_workers_until(intake, slow.done)
            with pytest.raises(ProcessLost, match=r"Nothing was changed; try again\."):
                slow.result()


def test_a_document_over_the_limit_never_reaches_a_worker() -> None:
    with Intake(workers=1, limits=IntakeLimits(bytes=1_000)) as intake:
        with pytest.raises(DocumentTooLarge, match="at most 1,000 are read"):
            intake.read(example("ev-lfp-60"))
        kept = state_of(plainly(example("ev-lfp-60")))
        for change in (intake.patch, intake.supplement):
            with pytest.raises(DocumentTooLarge):
                change(kept, b" " * 1_001, "json-ld")
        assert intake.started == 0


def test_an_intake_that_was_closed_says_so() -> None:
    intake = Intake(workers=1)
    intake.check_alive()
    assert works(intake)
    intake.close()
    with pytest.raises(Closed, match="Open another one"):
        intake.read(example("ev-lfp-60"))
    with pytest.raises(Closed):
        intake.check_alive()
    (_, _, became) = next(iter(intake.read_many([("a", example("ev-lfp-60"))])))
    assert isinstance(became, Closed)


def test_what_is_worked_on_is_never_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with Intake(workers=1) as intake:
        assert works(intake)
    assert not list(tmp_path.iterdir())
