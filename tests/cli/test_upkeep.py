"""`doctor` and `ontology check`: what is sound is said, what is not comes with what to do."""

from pathlib import Path

import pytest

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
    path = next((home / "passports").glob("*.nq"))
    path.write_bytes(path.read_bytes().replace(b"180", b"181"))
    done = battpass("doctor")
    assert done.status == 1
    assert f"PROBLEM  passports           {path} is not what was written there" in done.out
    assert "Import the document again" in done.out


def test_a_dataset_that_does_not_open_is_a_problem(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    battpass("query", "ASK {}")
    for path in (home / "datasets/owner/store").glob("*.sst"):
        path.write_bytes(b"")
    done = battpass("doctor")
    assert done.status == 1
    assert "PROBLEM  dataset owner" in done.out


def test_a_dataset_out_of_date_is_none(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    battpass("query", "ASK {}")
    (home / "datasets/owner/built").write_text("earlier")
    done = battpass("doctor")
    assert done.status == 0
    assert "out of date; it is built anew" in done.out


def test_who_writes_is_said(battpass: Battpass, home: Path) -> None:
    import os

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
