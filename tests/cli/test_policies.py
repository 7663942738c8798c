"""`--policy` of import, publish and move: what becomes of violations."""

from pathlib import Path
from typing import Any

import pytest

from battpass.kg.home import Home, Stage
from tests.cli.conftest import Battpass

LFP = "0bd91ad9-e0f0-4bcf-984e-eee4fe00a5d3"


@pytest.fixture
def bad(changed: Any) -> Path:
    def negative(payload: Any) -> None:
        payload["performance"]["rated"]["capacity"]["value"] = -180.0

    return changed("ev-lfp-60", negative)


def test_with_reject_nothing_is_kept_and_the_findings_are_shown(
    battpass: Battpass, home: Path, bad: Path, example: Any
) -> None:
    done = battpass("import", "--policy", "reject", bad, example("ev-na-31"))
    assert done.status == 2
    assert "the policy is to reject it" in done.err
    assert "violation  Rated capacity  /performance/rated/capacity/value" in done.out
    with Home.open(home, read_only=True) as opened:
        assert len(opened) == 1 and not opened.holds(bad.read_bytes())
    told = battpass("import", "--publish", "--policy", "reject", bad, "--json")
    (result,) = told.document["results"]
    assert (told.status, result["outcome"], result["stage"]) == (2, "refused", "")
    assert [one["field"] for one in result["findings"] if one["severity"] == "violation"] == [
        "Rated capacity"
    ]


def test_with_reject_one_bad_document_undoes_an_import_that_stops(
    battpass: Battpass, home: Path, bad: Path, example: Any
) -> None:
    done = battpass("import", "--policy", "reject", "--on-error", "stop", example("ev-na-31"), bad)
    assert done.status == 2
    assert str(bad) in done.err and "Nothing of this import was kept" in done.err
    assert not home.exists()


@pytest.mark.parametrize("arguments", [(), ("--policy", "quarantine")], ids=["by default", "said"])
def test_quarantine_keeps_a_draft(battpass: Battpass, home: Path, bad: Path, arguments: Any) -> None:
    done = battpass("import", "--publish", *arguments, bad)
    assert done.status == 1 and "1 is a draft" in done.out
    with Home.open(home, read_only=True) as opened:
        assert opened.entry(LFP).stage is Stage.DRAFT


def test_record_publishes_and_the_history_says_so(battpass: Battpass, bad: Path) -> None:
    done = battpass("import", "--publish", "--policy", "record", bad)
    assert done.status == 1 and "published" in done.out
    (version,) = battpass("history", LFP, "--json").document["versions"]
    assert (version["stage"], version["checked"], version["violations"]) == ("published", True, 1)
    assert "1 violation" in battpass("history", LFP).out
    assert battpass("export", "--audience", "public", LFP).status == 0
    again = battpass("import", "--publish", "--policy", "record", bad)
    assert "unchanged" in again.out


def test_a_draft_is_published_with_violations_by_record_alone(battpass: Battpass, bad: Path) -> None:
    battpass("import", bad)
    refused = battpass("publish", LFP)
    assert refused.status == 1 and "refused" in refused.out
    done = battpass("publish", LFP, "--policy", "record")
    assert done.status == 1 and done.out.startswith("published")


def test_a_published_passport_that_is_moved_follows_the_policy(
    battpass: Battpass, home: Path, bad: Path, example: Any
) -> None:
    battpass("import", "--publish", example("ev-lfp-60-taxi"), example("ev-lfp-60"))
    battpass("import", bad)
    taxi = "5625c924-b637-4bf7-b7cc-fca2c75df77f"
    with Home.open(home, read_only=True) as opened:
        model = opened.entry(LFP, stage=Stage.DRAFT).model
        before = opened.entry(taxi).model
    assert before != model
    assert "refused" in battpass("move", "--to", model, taxi).out
    done = battpass("move", "--to", model, "--policy", "quarantine", taxi, "--json").document["results"][0]
    assert (done["stage"], done["outcome"]) == ("draft", "replaced")
    with Home.open(home, read_only=True) as opened:
        assert opened.entry(taxi, "public").model == before


def test_what_is_trusted_is_not_checked_so_it_cannot_be_rejected(battpass: Battpass, example: Any) -> None:
    done = battpass("import", "--trusted", "--policy", "reject", example("ev-na-31"))
    assert done.status == 2 and "all is checked" in " ".join(done.err.replace("│", " ").split())


def test_the_policy_comes_from_the_environment(
    battpass: Battpass, bad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATTPASS_POLICY", "reject")
    assert "the policy is to reject it" in battpass("import", bad).err
