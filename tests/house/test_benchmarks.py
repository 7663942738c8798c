"""Benchmarks and campaigns: fair rounds, seeds that hold, result files that say what they are."""

import importlib
import json
import re
from pathlib import Path

import pytest

from benchmarks.__main__ import scripts
from benchmarks.campaigns import RESULTS, ROOT, Campaign, commit, from_environment, machine, versions
from benchmarks.harness import Comparison, Measure, Timing, compare, script

MEMBERS = {"name", "made", "commit", "seed", "source", "machine", "versions", "figures"}
RESULT_FILES = sorted(RESULTS.glob("*.json"))


def test_short_run_draws_one_in_twenty_and_at_least_one() -> None:
    assert [Campaign().count(full) for full in (1, 20, 21, 200)] == [1, 1, 2, 10]


def test_full_run_is_asked_for_by_name() -> None:
    assert from_environment({"BATTPASS_CAMPAIGN": "full", "BATTPASS_CAMPAIGN_SEED": "7"}) == Campaign(7, True)
    assert from_environment({}) == Campaign()


def test_same_seed_draws_the_same_cases_and_each_name_its_own() -> None:
    draws = [Campaign(seed).random(name).random() for seed, name in ((1, "a"), (1, "a"), (1, "b"), (2, "a"))]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3


def test_short_run_keeps_no_figures(tmp_path) -> None:
    assert Campaign(results=tmp_path).record("claim", "examples", []) is None
    assert not list(tmp_path.iterdir())


def test_result_file_says_what_was_measured_and_on_what(tmp_path) -> None:
    path = Campaign(seed=7, full=True, results=tmp_path).record("claim", "examples", [1])
    assert path == tmp_path / "claim.json"
    page = json.loads(path.read_text())
    assert page.keys() == MEMBERS
    assert page | {"figures": [1], "seed": 7, "source": "examples", "commit": commit()} == page


def test_result_file_does_not_name_the_machine() -> None:
    assert machine().keys() == {"processor", "cores", "memory_gib", "system", "python"}
    assert versions()["pyoxigraph"].startswith("0.5.")


def test_sides_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []
    sides = ("ours", lambda: order.append("o")), ("rival", lambda: order.append("r"))
    comparison = compare("case", *sides, items=1, rounds=4)
    assert "".join(order) == "or" + "or" + "ro" + "or" + "ro"
    assert len(comparison.ours.seconds) == len(comparison.rival.seconds) == 4


def test_ratio_is_the_median_of_rounds_and_over_one_when_ours_is_faster() -> None:
    comparison = Comparison("case", Timing("ours", (1.0, 1.0, 9.0), 10), Timing("rival", (2.0, 3.0, 9.0), 10))
    assert comparison.ratio == 2.0
    assert comparison.ours.per_second == 10.0
    assert comparison.text() == "case: ours 10/s, rival 3.333/s, ratio 2.00 (1.00 to 3.00)"


def measure(campaign: Campaign) -> list[Measure]:
    return [Measure("cases", campaign.count(40), "cases")]


@pytest.mark.parametrize(("arguments", "count", "files"), [([], 2, 0), (["--full", "--seed", "3"], 40, 1)])
def test_script_prints_and_keeps_the_full_run(tmp_path, capsys, arguments, count: int, files: int) -> None:
    script("claim.py", measure, "nothing", [*arguments, "--results", str(tmp_path)])
    assert capsys.readouterr().out.startswith(f"cases: {count} cases\n")
    assert len(list(tmp_path.glob("claim.json"))) == files


@pytest.mark.parametrize("name", scripts())
def test_every_script_says_its_claim(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert module.__doc__
    assert callable(module.measure)


@pytest.mark.parametrize("path", RESULT_FILES, ids=lambda path: path.stem)
def test_every_result_file_comes_from_a_full_run_of_what_is_here(path: Path) -> None:
    page = json.loads(path.read_text(encoding="utf-8"))
    assert page.keys() == MEMBERS
    assert page["name"] == path.stem
    assert re.fullmatch(r"[0-9a-f]{12}(\+changes)?", page["commit"])
    sources = [*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "tests").rglob("test_*.py")]
    assert path.stem in scripts() or any(f'"{path.stem}"' in source.read_text() for source in sources)
