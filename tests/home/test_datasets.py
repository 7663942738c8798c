"""The datasets of a home follow its passports, and are built anew when they cannot be trusted."""

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from battpass.kg.errors import DamagedHome, Overdue
from battpass.kg.home import Home, Stage, datasets, follower
from battpass.kg.home.home import Queries
from battpass.kg.home.stamp import STAMP, Stamp
from battpass.kg.namespaces import VOCABULARY_GRAPH
from tests.home.conftest import NAMES, arrival

PASSPORTS = "SELECT (COUNT(*) AS ?n) { ?passport a bp:BatteryPassport }"
CYCLES = "SELECT ?n { ?battery bp:measuredFullCyclesCount ?n } ORDER BY ?n"
MODELS = "SELECT (COUNT(DISTINCT ?m) AS ?n) { ?battery bp:model ?m . ?m a ?kind }"
BATTERY_STATUS = "SELECT ?s { ?battery bp:batteryStatus ?s }"
STAGES = "SELECT ?s { ?passport schema:creativeWorkStatus ?s } ORDER BY ?s"
PATIENCE_SECONDS = 60.0


def rows(queries: Queries, text: str) -> list[str]:
    return queries.query(text, "csv").read().decode().split()[1:]


def wear(payload: dict[str, Any]) -> None:
    payload["performance"]["dynamic"]["fullCycles"]["value"] = 4321
    payload["performance"]["rated"]["capacity"]["value"] = 181.5


def stamped(folder: Path, **changes: Any) -> None:
    """Let the public dataset say that it was made from something else."""
    path = folder / "datasets/public" / STAMP
    before = Stamp.read(path)
    assert before is not None
    replace(before, **changes).write(path)


def filled(home: Home) -> None:
    home.put_many([arrival(name) for name in NAMES], trusted=True)
    home.dataset("public")
    home.dataset("owner")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three passports and the public and the owner's dataset."""
    folder = tmp_path_factory.mktemp("built") / "home"
    with Home.open(folder, create=True) as home:
        filled(home)
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(built, tmp_path / "home"))


@pytest.fixture(params=["memory", "folder"])
def home(request: pytest.FixtureRequest) -> Iterator[Home]:
    """A home of each kind with three passports and both datasets."""
    if request.param == "folder":
        with Home.open(request.getfixturevalue("folder")) as made:
            yield made
        return
    with Home.in_memory() as made:
        filled(made)
        yield made


def test_a_dataset_holds_the_passports_and_the_vocabulary(home: Home) -> None:
    assert rows(home.dataset("public"), PASSPORTS) == ["3"]
    labelled = f"ASK {{ GRAPH <{VOCABULARY_GRAPH}> {{ bp:ratedCapacity rdfs:label|skos:prefLabel ?label }} }}"
    assert home.dataset("public").query(labelled, "csv").read() == b"true"


def test_the_public_dataset_holds_nothing_else(home: Home) -> None:
    assert rows(home.dataset("public"), BATTERY_STATUS) == []
    assert len(rows(home.dataset("owner"), BATTERY_STATUS)) == 3
    outside = (
        "SELECT ?g { GRAPH ?g { ?s ?p ?o } FILTER (!STRENDS(STR(?g), '/public') && ?g != <%s>) } LIMIT 1"
    )
    assert rows(home.dataset("public"), outside % VOCABULARY_GRAPH) == []


def test_datasets_follow_a_change(home: Home) -> None:
    home.put(arrival(NAMES[2], wear), trusted=True)
    assert "4321" in rows(home.dataset("owner"), CYCLES)
    assert rows(home.dataset("public"), PASSPORTS) == ["3"]
    rated = "SELECT ?ah { ?m bp:ratedCapacityAh ?ah FILTER (?ah = 181.5) }"
    assert rows(home.dataset("public"), rated) == ["181.5"]


def test_a_draft_is_seen_by_its_owner_alone_and_by_all_when_it_is_published(home: Home) -> None:
    new = arrival("ev-na-31")
    home.put(new, stage=Stage.DRAFT)
    assert rows(home.dataset("public"), PASSPORTS) == ["3"]
    assert rows(home.dataset("public"), f"SELECT ?p {{ <{new.model}> ?p ?o }}") == []
    assert rows(home.dataset("owner"), PASSPORTS) == ["4"]
    assert rows(home.dataset("owner"), STAGES) == ["Draft", *["Published"] * 3]
    assert rows(home.dataset("public"), STAGES) == []
    home.put(new, trusted=True)
    assert rows(home.dataset("public"), PASSPORTS) == ["4"]
    assert rows(home.dataset("owner"), STAGES) == ["Published"] * 4


def test_a_draft_beside_what_is_published_changes_no_dataset(home: Home) -> None:
    before = [home.dataset(audience).digest() for audience in ("public", "owner")]
    home.put(arrival(NAMES[2], wear), stage=Stage.DRAFT)
    assert [home.dataset(audience).digest() for audience in ("public", "owner")] == before


def test_datasets_follow_an_arrival_and_its_end(home: Home) -> None:
    new = arrival("ev-na-31")
    home.put(new, trusted=True)
    assert rows(home.dataset("public"), PASSPORTS) == ["4"]
    assert rows(home.dataset("public"), MODELS) == ["3"]
    home.archive(new.record)
    for audience in ("public", "owner"):
        assert rows(home.dataset(audience), PASSPORTS) == ["3"]
        # The model record goes with the last battery of it.
        assert rows(home.dataset(audience), MODELS) == ["2"]
        assert rows(home.dataset(audience), f"SELECT ?p {{ <{new.model}> ?p ?o }}") == []


def test_many_changes_build_the_dataset_anew(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "MOST_CHANGES_IN_PLACE", 1)
    home.put_many([arrival(NAMES[2], wear), arrival("ev-na-31")], trusted=True)
    assert rows(home.dataset("public"), PASSPORTS) == ["4"]
    assert "4321" in rows(home.dataset("owner"), CYCLES)


def test_a_dataset_changed_in_place_equals_one_that_was_built_anew(home: Home) -> None:
    home.put_many([arrival(NAMES[2], wear), arrival("ev-na-31")], trusted=True)
    home.archive(arrival(NAMES[0]).record)
    changed = [home.dataset(audience).digest() for audience in ("owner", "public")]
    assert home.rebuild() == ["owner", "public"]
    assert [home.dataset(audience).digest() for audience in ("owner", "public")] == changed


def test_a_write_with_the_datasets_closed_reaches_them(folder: Path) -> None:
    mark = folder / "datasets/public/store/mark"
    mark.touch()
    with Home.open(folder) as home:
        home.put(arrival("ev-na-31"), trusted=True)
    with Home.open(folder, read_only=True) as reader:
        assert reader.built() == ["owner", "public"]
        assert not reader.is_built("public")
    with Home.open(folder) as home:
        assert rows(home.dataset("public"), PASSPORTS) == ["4"]
        assert home.is_built("public") and not home.is_built("owner")
    assert mark.exists(), "it was changed in place, not built anew"


def test_a_dataset_of_an_earlier_moment_catches_up(folder: Path) -> None:
    with Home.open(folder) as home:
        earlier = Path(shutil.copytree(folder / "datasets", folder.parent / "elsewhere"))
        home.put(arrival("ev-na-31"), trusted=True)
        home.dataset("public")
    shutil.rmtree(folder / "datasets")
    shutil.move(earlier, folder / "datasets")
    with Home.open(folder) as home:
        assert not home.is_built("public")
        assert rows(home.dataset("public"), PASSPORTS) == ["4"]


def test_a_dataset_that_is_ahead_of_the_journal_is_refused(folder: Path) -> None:
    stamped(folder, sequence=12)
    with Home.open(folder) as home:
        with pytest.raises(DamagedHome, match=r"seen entry 12.*ends at entry 5.*from a backup"):
            home.dataset("public")
        assert rows(home.dataset("owner"), PASSPORTS) == ["3"], "the others are not touched"


def test_a_dataset_of_another_history_is_refused(folder: Path) -> None:
    stamped(folder, hash="f" * 64)
    with Home.open(folder) as home, pytest.raises(DamagedHome):
        home.dataset("public")


def test_a_dataset_built_with_another_ontology_is_built_anew(folder: Path) -> None:
    mark = folder / "datasets/public/store/mark"
    mark.touch()
    stamped(folder, ontology="an earlier one")
    with Home.open(folder) as home:
        assert rows(home.dataset("public"), PASSPORTS) == ["3"]
    assert not mark.exists()


def test_a_lost_dataset_is_built_anew(folder: Path) -> None:
    shutil.rmtree(folder / "datasets")
    with Home.open(folder) as home:
        assert rows(home.dataset("public"), PASSPORTS) == ["3"]


@pytest.mark.parametrize("stamp", [None, b"", b"{", b"[]", b'{"sequence": "5"}', b"\xff"])
def test_a_dataset_without_a_sound_stamp_is_built_anew(folder: Path, stamp: bytes | None) -> None:
    (folder / "datasets/public/store/CURRENT").write_text("nonsense\n")
    path = folder / "datasets/public" / STAMP
    path.unlink() if stamp is None else path.write_bytes(stamp)
    with Home.open(folder) as home:
        assert rows(home.dataset("public"), PASSPORTS) == ["3"]


def test_readers_ask_beside_a_writer(folder: Path) -> None:
    with Home.open(folder) as writer, Home.open(folder, read_only=True) as reader:
        writer.dataset("public")
        queries = reader.queries("public")
        try:
            assert rows(queries, PASSPORTS) == ["3"]
            writer.put(arrival("ev-na-31"), trusted=True)
            writer.dataset("public")
            assert rows(queries, PASSPORTS) == ["3"], "a reader keeps the moment at which it came"
        finally:
            queries.close()
        later = reader.queries("public")
        try:
            assert rows(later, PASSPORTS) == ["4"]
        finally:
            later.close()


def test_a_reader_builds_a_dataset_that_nobody_has_asked_for(folder: Path) -> None:
    with Home.open(folder), Home.open(folder, read_only=True) as reader:
        queries = reader.queries("interest")
        try:
            assert rows(queries, PASSPORTS) == ["3"]
        finally:
            queries.close()
        assert reader.is_built("interest")


def test_readers_leave_nothing_behind(folder: Path) -> None:
    before = {path.relative_to(folder) for path in folder.rglob("*") if path.is_dir()}
    with Home.open(folder, read_only=True) as reader:
        queries = reader.queries("public")
        assert rows(queries, PASSPORTS) == ["3"]
        queries.close()
    left = {path.relative_to(folder) for path in folder.rglob("*") if path.is_dir()} - before
    assert not [path for path in left if any((folder / path).iterdir())]


def test_building_is_watched(folder: Path) -> None:
    seen: list[str] = []

    def watch(records: Iterable[str], total: int) -> Iterator[str]:
        assert total == 3
        for record in records:
            seen.append(record)
            yield record

    with Home.open(folder) as home:
        home.dataset("authority", watch)
        assert seen == list(home.records())


# --- following -----------------------------------------------------------------------------------------


def test_queries_see_a_write_once_its_sequence_is_shown(folder: Path) -> None:
    with Home.open(folder) as home:
        queries = home.queries("public")
        home.follow()
        written = home.put(arrival("ev-na-31"), trusted=True)
        assert home.wait("public", written.sequence, PATIENCE_SECONDS) >= written.sequence
        assert rows(queries, PASSPORTS) == ["4"]
        assert home.trouble == ""


def test_waiting_for_what_was_never_written_is_given_up_in_time(folder: Path) -> None:
    with Home.open(folder) as home:
        home.queries("public")
        home.follow()
        with pytest.raises(Overdue, match=r"shows entry 5 after 0.1 s, not yet 6"):
            home.wait("public", home.sequence + 1, 0.1)


def test_writes_are_shown_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "GATHERED_SECONDS", 3600.0)
    with Home.open(folder) as home:
        home.queries("public")
        home.follow()
        first = home.put(arrival("ev-na-31"), trusted=True)
        home.wait("public", first.sequence, PATIENCE_SECONDS)
        second = home.put(arrival(NAMES[2], wear), trusted=True)
        with pytest.raises(Overdue):
            home.wait("public", second.sequence, 0.3)
        assert home.shown("public") < second.sequence, "the next is shown an hour after the first"


def test_a_dataset_that_could_not_follow_does_so_when_it_can(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "AFTER_TROUBLE_SECONDS", 0.05)
    monkeypatch.setattr(follower, "GATHERED_SECONDS", 0.0)
    with Home.open(folder) as home:
        queries = home.queries("public")
        # A file in the way of the stamp: what is shown cannot be stamped, so it is not shown.
        stamp = folder / "datasets/public" / STAMP
        stamp.unlink()
        (stamp / "in the way").mkdir(parents=True)
        home.follow()
        written = home.put(arrival("ev-na-31"), trusted=True)
        until = time.monotonic() + PATIENCE_SECONDS
        while not home.trouble and time.monotonic() < until:
            time.sleep(0.01)
        assert "public dataset does not follow" in home.trouble
        assert home.shown("public") < written.sequence
        shutil.rmtree(stamp)
        home.wait("public", written.sequence, PATIENCE_SECONDS)
        assert rows(queries, PASSPORTS) == ["4"]
