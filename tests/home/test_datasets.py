"""The datasets of a home follow its passports, and are built anew when they cannot be trusted."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from battpass.kg.home import Home, datasets
from battpass.kg.home.home import Queries
from battpass.kg.namespaces import VOCABULARY_GRAPH
from tests.home.conftest import NAMES, arrival

PASSPORTS = "SELECT (COUNT(*) AS ?n) { ?passport a bp:BatteryPassport }"
CYCLES = "SELECT ?n { ?battery bp:measuredFullCyclesCount ?n } ORDER BY ?n"
MODELS = "SELECT (COUNT(DISTINCT ?m) AS ?n) { ?battery bp:model ?m . ?m a ?kind }"
STATUS = "SELECT ?s { ?battery bp:batteryStatus ?s }"


def rows(queries: Queries, text: str) -> list[str]:
    return queries.query(text, "csv").read().decode().split()[1:]


def wear(payload) -> None:
    payload["performance"]["dynamic"]["fullCycles"]["value"] = 4321
    payload["performance"]["rated"]["capacity"]["value"] = 181.5


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three passports and the public and the owner's dataset."""
    folder = tmp_path_factory.mktemp("built") / "home"
    with Home.open(folder, create=True) as home:
        home.put_many(arrival(name) for name in NAMES)
        home.dataset("public")
        home.dataset("owner")
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
        made.put_many(arrival(name) for name in NAMES)
        made.dataset("public")
        made.dataset("owner")
        yield made


def test_a_dataset_holds_the_passports_and_the_vocabulary(home: Home) -> None:
    assert rows(home.dataset("public"), PASSPORTS) == ["3"]
    labelled = f"ASK {{ GRAPH <{VOCABULARY_GRAPH}> {{ bp:ratedCapacity rdfs:label|skos:prefLabel ?label }} }}"
    assert home.dataset("public").query(labelled, "csv").read() == b"true"


def test_the_public_dataset_holds_nothing_else(home: Home) -> None:
    assert rows(home.dataset("public"), STATUS) == []
    assert len(rows(home.dataset("owner"), STATUS)) == 3
    outside = (
        "SELECT ?g { GRAPH ?g { ?s ?p ?o } FILTER (!STRENDS(STR(?g), '/public') && ?g != <%s>) } LIMIT 1"
    )
    assert rows(home.dataset("public"), outside % VOCABULARY_GRAPH) == []


def test_datasets_follow_a_change(home: Home) -> None:
    assert home.put_many([arrival(NAMES[2], wear)]) == ["replaced"]
    assert "4321" in rows(home.dataset("owner"), CYCLES)
    assert rows(home.dataset("public"), PASSPORTS) == ["3"]
    assert rows(home.dataset("public"), "SELECT ?ah { ?m bp:ratedCapacityAh ?ah FILTER (?ah = 181.5) }") == [
        "181.5"
    ]


def test_datasets_follow_an_arrival_and_a_removal(home: Home) -> None:
    new = arrival("ev-na-31")
    home.put_many([new])
    assert rows(home.dataset("public"), PASSPORTS) == ["4"]
    assert rows(home.dataset("public"), MODELS) == ["3"]
    home.remove(new.passport.record)
    assert rows(home.dataset("public"), PASSPORTS) == ["3"]
    # The model record goes with the last battery of it.
    assert rows(home.dataset("public"), MODELS) == ["2"]
    assert rows(home.dataset("public"), f"SELECT ?p {{ <{new.passport.model}> ?p ?o }}") == []


def test_many_changes_build_the_dataset_anew(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "MOST_CHANGES_IN_PLACE", 1)
    home.put_many([arrival(NAMES[2], wear), arrival("ev-na-31")])
    assert rows(home.dataset("public"), PASSPORTS) == ["4"]
    assert "4321" in rows(home.dataset("owner"), CYCLES)


def test_a_write_with_the_datasets_closed_reaches_them(folder: Path) -> None:
    mark = folder / "datasets/public/store/mark"
    mark.touch()
    with Home.open(folder) as home:
        home.put_many([arrival("ev-na-31")])
    with Home.open(folder, read_only=True) as reader:
        assert reader.built() == ["owner", "public"]
        assert reader.is_built("public") and reader.is_built("owner")
    with Home.open(folder) as home:
        assert rows(home.dataset("public"), PASSPORTS) == ["4"]
    assert mark.exists(), "it was changed in place, not built anew"


def test_a_dataset_that_missed_a_write_is_built_anew(folder: Path) -> None:
    with Home.open(folder) as home:
        shutil.move(folder / "datasets", folder / "elsewhere")
        (folder / "datasets").mkdir()
        home.put_many([arrival("ev-na-31")])
        (folder / "datasets").rmdir()
        shutil.move(folder / "elsewhere", folder / "datasets")
        assert not home.is_built("public")
        assert rows(home.dataset("public"), PASSPORTS) == ["4"]


def test_a_lost_dataset_is_built_anew(folder: Path) -> None:
    shutil.rmtree(folder / "datasets")
    with Home.open(folder) as home:
        assert rows(home.dataset("public"), PASSPORTS) == ["3"]


def test_a_dataset_that_does_not_open_is_built_anew(folder: Path) -> None:
    (folder / "datasets/public/store/CURRENT").write_text("nonsense\n")
    (folder / "datasets/public/built").unlink()
    with Home.open(folder) as home:
        assert rows(home.dataset("public"), PASSPORTS) == ["3"]


def test_rebuilding_gives_the_same_dataset(folder: Path) -> None:
    with Home.open(folder) as home:
        before = b"".join(home.dataset("public").dump())
        assert home.rebuild() == ["owner", "public"]
        assert b"".join(home.dataset("public").dump()) == before


def test_readers_ask_beside_a_writer(folder: Path) -> None:
    with Home.open(folder) as writer, Home.open(folder, read_only=True) as reader:
        writer.dataset("public")
        queries = reader.queries("public")
        try:
            assert rows(queries, PASSPORTS) == ["3"]
            writer.put_many([arrival("ev-na-31")])
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
    readers = folder / "datasets/public/readers"
    (readers / "999999999-left").mkdir(parents=True)
    with Home.open(folder, read_only=True) as reader:
        queries = reader.queries("public")
        assert rows(queries, PASSPORTS) == ["3"]
        queries.close()
    assert list(readers.iterdir()) == []


def test_building_is_watched(folder: Path) -> None:
    seen: list[str] = []

    def watch(records, total):
        assert total == 3
        for record in records:
            seen.append(record)
            yield record

    with Home.open(folder) as home:
        home.dataset("authority", watch)
        assert seen == list(home.records())
