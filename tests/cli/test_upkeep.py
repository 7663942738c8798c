"""`doctor` and `ontology check`: what is sound is said, what is not comes with what to do."""

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pyoxigraph import Store

from battpass.kg.home import Home
from tests.cli.conftest import Battpass, tree


def test_a_sound_installation_has_no_problem(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    battpass("query", "ASK {}")
    done = battpass("doctor", "--json")
    assert done.status == 0
    checks = {check["name"]: check for check in done.document["checks"]}
    assert {"Python", "libraries", "tables", "shapes", "query workers", "Java", "folder", "passports"} <= set(
        checks
    )
    assert checks["passports"]["detail"] == "1, all as they were written"
    assert checks["dataset owner"]["detail"] == "answers, with 1 passports"
    assert all(line.startswith("ok") for line in battpass("doctor").out.splitlines())


def test_a_folder_that_is_not_there_is_no_problem(battpass: Battpass, home: Path) -> None:
    done = battpass("doctor")
    assert done.status == 0
    assert "none yet" in done.out
    assert not home.exists()


def test_a_damaged_passport_is_a_problem(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    with closing(sqlite3.connect(home / "journal.sqlite")) as connection:
        connection.execute("UPDATE texts SET data = zeroblob(length(data))")
        connection.commit()
    done = battpass("doctor")
    assert done.status == 1
    assert re.search("PROBLEM  passports +The text [0-9a-f]{12} does not unpack", done.out), done.out
    assert "Bring the home back from a back-up: battpass --home DIR restore FILE" in done.out


def test_a_journal_that_has_lost_its_end_is_a_problem(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    early = (home / "journal.sqlite").read_bytes()
    battpass("import", example("lmt-lco-03"))
    (home / "journal.sqlite").write_bytes(early)
    done = battpass("doctor")
    assert done.status == 1
    assert re.search(r"PROBLEM  journal +It ends at entry 2, but entry 4 was acknowledged", done.out)


def test_a_dataset_that_does_not_open_is_a_problem(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    battpass("query", "ASK {}")
    for path in (home / "datasets/owner/store").glob("*.sst"):
        path.write_bytes(b"")
    done = battpass("doctor")
    assert done.status == 1
    assert "PROBLEM  dataset owner" in done.out
    assert "battpass rebuild" in done.out
    assert battpass("rebuild").status == 0
    assert battpass("doctor").status == 0


def test_a_dataset_out_of_date_is_none(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    battpass("query", "ASK {}")
    battpass("import", example("lmt-lco-03"))
    done = battpass("doctor")
    assert done.status == 0
    assert "stands at entry 2 of 4; it is brought up to date when asked" in done.out


def test_a_dataset_that_knows_more_than_the_journal_is_a_problem(
    battpass: Battpass, home: Path, example
) -> None:
    battpass("import", example("ev-lfp-60"))
    early = (home / "journal.sqlite").read_bytes()
    battpass("import", example("lmt-lco-03"))
    battpass("query", "ASK {}")
    (home / "journal.sqlite").write_bytes(early)
    (home / "head").unlink()
    done = battpass("doctor")
    assert done.status == 1
    assert "has seen entry 4, and the journal says otherwise: it has lost entries" in done.out


def test_a_deep_look_compares_each_dataset_with_the_journal(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    battpass("query", "ASK {}")
    done = battpass("doctor", "--deep")
    assert done.status == 0
    assert "2 entries and " in done.out
    assert "holds what the journal says, digest " in done.out
    store = Store(str(home / "datasets/owner/store"))
    store.update(
        "DELETE WHERE { GRAPH ?g { ?model <https://w3id.org/battpass/ontology#ratedCapacityAh> ?ah } }"
    )
    store.flush()
    del store
    assert battpass("doctor").status == 0
    done = battpass("doctor", "--deep")
    assert done.status == 1
    assert "PROBLEM  dataset owner, deep  It does not hold what the journal says" in done.out


def test_what_was_left_by_work_that_was_cut_off_is_told(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    (home / "home.json.tmp").write_text("{")
    done = battpass("doctor")
    assert done.status == 0
    assert "1 of work that was cut off: home.json.tmp" in done.out


def test_who_writes_is_said(battpass: Battpass, home: Path) -> None:
    with Home.open(home, create=True):
        assert f"process {os.getpid()} writes to it" in battpass("doctor").out


def test_looking_changes_nothing(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    battpass("query", "ASK {}")
    before = tree(home)
    battpass("doctor")
    assert tree(home) == before


def test_the_ontology_without_pinned_files_says_what_was_not_checked(
    battpass: Battpass, tmp_path: Path
) -> None:
    done = battpass("ontology", "check", "--shared", tmp_path, "--no-reasoning", "--json")
    assert done.status == 0
    assert [finding["code"] for finding in done.document["findings"]] == ["not-checked"]


@pytest.mark.slow
@pytest.mark.shared
def test_the_ontology_holds_against_the_pinned_files(battpass: Battpass, shared: Path) -> None:
    done = battpass("ontology", "check", "--shared", shared, "--no-reasoning")
    assert done.status == 0
    assert done.out == "All terms are locked and complete, contradictions were not looked for.\n"
