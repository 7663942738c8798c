"""`shapes diff`: which kept passports change state under other shapes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from battpass.kg.resources import shapes_path
from tests.cli.conftest import Battpass, tree

STRICT = "0bd91ad9-e0f0-4bcf-984e-eee4fe00a5d3"  # of ev-lfp-60


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, str], Path]:
    """Copy the installed shapes with one text replaced by another."""

    def edit(old: str, new: str) -> Path:
        folder = shutil.copytree(shapes_path(), tmp_path / "edited", dirs_exist_ok=True)
        texts = {path: path.read_text(encoding="utf-8") for path in folder.glob("*.ttl")}
        changed = [path for path, text in texts.items() if old in text]
        assert changed
        for path in changed:
            path.write_text(texts[path].replace(old, new), encoding="utf-8")
        return folder

    return edit


@pytest.fixture
def kept(battpass: Battpass, home: Path, example: Callable[[str], Path]) -> Path:
    battpass("import", "--publish", example("ev-lfp-60"), example("lmt-lco-03"))
    return home


def test_shapes_that_are_stricter_change_the_passports_that_they_hit(
    battpass: Battpass, kept: Path, edited: Callable[[str, str], Path]
) -> None:
    before = tree(kept)
    folder = edited("?value > 0 && (?value < 0.3 ||", "?value > 0 && (?value > 100 ||")
    done = battpass("shapes", "diff", "installed", folder, "--workers", 2)
    assert done.status == 1, done.err
    assert done.out.startswith("changed  massPlausible-query\n")
    assert f"{STRICT}  published 1: conforms -> warning" in done.out
    assert done.out.endswith("2 passports held against both: 1 changes state.\n")
    told = battpass("shapes", "diff", folder, "--json").document
    assert (told["passports"], told["errors"]) == (2, [])
    assert told["shapes"] == {"added": [], "removed": [], "changed": ["massPlausible-query"]}
    (change,) = told["changes"]
    assert change["record"].endswith(STRICT)
    assert (change["old"], change["new"], change["come"]) == ("warning", "conforms", [])
    assert [one.partition(":")[0] for one in change["gone"]] == ["warning"]
    assert tree(kept) == before, "nothing is written"


def test_shapes_that_state_the_same_change_nothing(battpass: Battpass, kept: Path) -> None:
    done = battpass("shapes", "diff", "installed")
    assert (done.status, done.out) == (
        0,
        "The two sets state the same.\n2 passports held against both: none changes state.\n",
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("a owl:Ontology", "a owl:Ontology ;;;; [", "cannot be read"),
        ("sh:minCount 1", 'sh:minCount "one"', "sh:minCount"),
    ],
    ids=["no Turtle", "no SHACL"],
)
def test_shapes_that_cannot_be_used_are_refused(
    battpass: Battpass, kept: Path, edited: Callable[[str, str], Path], old: str, new: str, said: str
) -> None:
    done = battpass("shapes", "diff", "installed", edited(old, new))
    assert done.status == 2
    assert said in done.err


def test_a_folder_without_shapes_is_refused(battpass: Battpass, kept: Path, tmp_path: Path) -> None:
    done = battpass("shapes", "diff", tmp_path)
    assert done.status == 2
    assert "manifest.ttl cannot be read" in done.err
