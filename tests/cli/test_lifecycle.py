"""`publish`, `archive`, `erase`, `move` and `history`, and exports of what stood once."""

import json
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from battpass.kg.errors import Archived
from battpass.kg.home import Home, Stage
from battpass.kg.journal.verify import verify
from tests.cli.conftest import Battpass

UUID = "0bd91ad9-e0f0-4bcf-984e-eee4fe00a5d3"  # of ev-lfp-60
OTHER = "5625c924-b637-4bf7-b7cc-fca2c75df77f"  # of ev-lfp-60-taxi, the same model
CAPACITIES = "SELECT DISTINCT ?ah { ?battery bp:model/bp:ratedCapacityAh ?ah }"


def capacity(value: float) -> Callable[[dict[str, Any]], None]:
    def change(payload: dict[str, Any]) -> None:
        payload["performance"]["rated"]["capacity"]["value"] = value

    return change


def test_a_draft_is_published_once_it_was_checked(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    done = battpass("publish", UUID, "--reason", "type approval")
    assert done.status == 0
    assert done.out.startswith(f"published  version 2     {UUID}  ")
    with Home.open(home, read_only=True) as kept:
        entry = kept.entry(UUID, "public")
        assert (entry.stage, entry.actor, entry.reason, entry.checked) == (
            Stage.PUBLISHED,
            "cli",
            "type approval",
            True,
        )
    again = battpass("publish", UUID)
    assert (again.status, again.out.split()[0]) == (0, "unchanged")


def test_a_draft_with_a_violation_stays_one_and_its_findings_are_shown(
    battpass: Battpass, home: Path, example, changed
) -> None:
    battpass("import", changed("ev-lfp-60", capacity(-180.0)), example("lmt-lco-03"))
    done = battpass("publish", "--all")
    assert done.status == 1
    assert sorted(line.split()[0] for line in done.out.splitlines() if "version" in line) == [
        "published",
        "refused",
    ]
    assert "/performance/rated/capacity/value" in done.out and "mend" in done.out
    with Home.open(home, read_only=True) as kept:
        assert kept.entry(UUID).stage is Stage.DRAFT
        assert sum(entry.stage is Stage.PUBLISHED for entry in kept.entries()) == 1


def test_what_the_document_said_badly_keeps_a_draft_from_being_published(battpass: Battpass, changed) -> None:
    def mistype(payload: dict[str, Any]) -> None:
        payload["performance"]["rated"]["capacity"]["value"] = "180"

    battpass("import", changed("ev-lfp-60", mistype))
    done = battpass("publish", UUID, "--json")
    assert done.status == 1
    [result] = done.document["results"]
    assert result["outcome"] == "refused"
    assert "wrong-type" in [one["code"] for one in result["findings"]]


def test_one_unknown_name_does_not_keep_the_others_back(battpass: Battpass, example) -> None:
    battpass("import", example("ev-lfp-60"))
    done = battpass("publish", "nobody", UUID, "--json")
    assert done.status == 2
    first, second = done.document["results"]
    assert "No passport here is called 'nobody'" in first["error"]
    assert second["stage"] == "published"


def test_publishing_all_of_nothing_says_so(battpass: Battpass, example) -> None:
    battpass("import", "--publish", example("ev-lfp-60"))
    done = battpass("publish", "--all")
    assert (done.status, done.out) == (0, "There are no drafts.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("publish",),
        ("publish", UUID, "--all"),
        ("move", "--to", UUID),
        ("move", "--to", UUID, OTHER, "--from", UUID),
        ("archive", UUID),
        ("export", UUID, "--at", "soon"),
        ("history", UUID, "--at", "2026-13-01"),
    ],
    ids=" ".join,
)
def test_wrong_use_changes_nothing(
    battpass: Battpass, home: Path, example, arguments: tuple[str, ...]
) -> None:
    battpass("import", example("ev-lfp-60"))
    assert battpass(*arguments).status == 2
    with Home.open(home, read_only=True) as kept:
        assert kept.sequence == 2


def test_an_archived_passport_is_gone_but_for_its_history(battpass: Battpass, home: Path, example) -> None:
    battpass("import", "--publish", example("ev-lfp-60"))
    done = battpass("archive", UUID, "--reason", "recycled in Freiberg")
    assert done.status == 0
    assert "is archived, version 2, entry 3." in done.out
    for command in (("export", UUID), ("readiness", UUID), ("archive", UUID, "--reason", "x")):
        refused = battpass(*command)
        assert (refused.status, refused.out) == (2, "")
        assert "has ceased to exist" in refused.err
    told = battpass("history", UUID, "--json").document["versions"]
    assert [(one["version"], one["action"], one["reason"]) for one in told] == [
        (1, "create", ""),
        (2, "archive", "recycled in Freiberg"),
    ]
    assert battpass("query", CAPACITIES).out.split() == ["ah"]


def test_only_what_was_archived_is_erased_and_then_its_texts_are_gone(
    battpass: Battpass, home: Path, example
) -> None:
    battpass("import", "--publish", example("ev-lfp-60"))
    early = battpass("erase", UUID)
    assert early.status == 2
    assert "Archive it first" in early.err
    battpass("archive", UUID, "--reason", "recycled")
    serial = json.loads(example("ev-lfp-60").read_bytes())["identification"]["idDmc"].encode()
    done = battpass("erase", UUID)
    assert done.status == 0
    assert "texts taken away, entry 4." in done.out
    with closing(sqlite3.connect(home / "journal.sqlite")) as connection:
        texts = [row[0] for row in connection.execute("SELECT data FROM texts")]
    assert not any(serial in zlib.decompress(text) for text in texts)
    assert verify(home / "journal.sqlite", home / "head").problems == ()
    with Home.open(home, read_only=True) as kept, pytest.raises(Archived):
        kept.entry(UUID)
    again = battpass("erase", UUID)
    assert again.status == 0
    assert again.out.endswith("was erased before, entry 4.\n")


def test_passports_are_moved_to_a_corrected_model(battpass: Battpass, home: Path, example, changed) -> None:
    battpass("import", "--publish", example("ev-lfp-60"), example("ev-lfp-60-taxi"))
    with Home.open(home, read_only=True) as kept:
        old = kept.entry(OTHER).model
        assert kept.entry(UUID).model == old
    battpass("import", "--publish", changed("ev-lfp-60", capacity(181.5)))
    assert battpass("query", CAPACITIES + " ORDER BY ?ah").out.split() == ["ah", "180", "181.5"]
    done = battpass("move", "--to", UUID, "--from", old, "--reason", "test report of 2026-11")
    assert done.status == 0
    assert done.out.startswith(f"published  version 2     {OTHER}  ")
    assert battpass("query", CAPACITIES).out.split() == ["ah", "181.5"]
    with Home.open(home, read_only=True) as kept:
        assert kept.entry(OTHER).model == kept.entry(UUID).model != old
        assert kept.entry(OTHER).reason == "test report of 2026-11"
    moved = json.loads(battpass("export", OTHER).data)
    assert moved["performance"]["rated"]["capacity"]["value"] == 181.5
    again = battpass("move", "--to", UUID, OTHER)
    assert (again.status, again.out.split()[0]) == (0, "unchanged")


def test_what_weighs_after_a_move_is_shown_of_those_that_were_named(
    battpass: Battpass, example, changed
) -> None:
    battpass("import", "--publish", example("ev-lfp-60-taxi"), changed("ev-lfp-60", capacity(114.0)))
    named = battpass("move", "--to", UUID, OTHER)
    assert named.status == 1
    assert "/performance/dynamic/capacity/capacity/value" in named.out
    assert "at most 110 percent of the rated capacity" in named.out
    battpass("import", "--publish", example("ev-lfp-60"))
    counted = battpass("move", "--to", UUID, "--from", OTHER)
    assert counted.out.count("\n") == 1


def test_a_published_passport_is_not_moved_into_a_violation(
    battpass: Battpass, home: Path, example, changed
) -> None:
    battpass("import", "--publish", example("ev-lfp-60-taxi"))
    battpass("import", changed("ev-lfp-60", capacity(-180.0)))
    done = battpass("move", "--to", UUID, OTHER)
    assert done.status == 1
    assert done.out.startswith(f"refused    version 1     {OTHER}  ")
    assert "/performance/rated/capacity/value" in done.out
    with Home.open(home, read_only=True) as kept:
        assert kept.entry(OTHER).version == 1


def test_a_model_record_that_is_not_there_is_told_how_to_come_by(battpass: Battpass, example) -> None:
    battpass("import", example("ev-lfp-60"))
    done = battpass("move", "--to", "0123456789abcdef0123456789abcdef", UUID)
    assert done.status == 2
    assert "neither a model record nor a passport here" in done.err
    assert "import that, and name its ID" in done.err


def test_every_version_and_every_moment_can_be_exported(
    battpass: Battpass, home: Path, example, changed
) -> None:
    first = example("ev-lfp-60").read_bytes()
    second = changed("ev-lfp-60", capacity(181.5)).read_bytes()
    battpass("import", "--publish", example("ev-lfp-60"))
    with Home.open(home, read_only=True) as kept:
        moment = kept.entry(UUID).time
    battpass("import", "--publish", changed("ev-lfp-60", capacity(181.5)))
    battpass("import", changed("ev-lfp-60", capacity(182.0)))
    assert battpass("export", UUID).data == second
    assert battpass("export", UUID, "--version", 1).data == first
    assert battpass("export", UUID, "--version", 2).data == second
    assert json.loads(battpass("export", UUID, "--version", 3).data)["performance"]["rated"]["capacity"] == {
        **json.loads(second)["performance"]["rated"]["capacity"],
        "value": 182.0,
    }
    assert battpass("export", UUID, "--at", moment.isoformat()).data == first
    assert battpass("export", UUID, "--at", f"{datetime.now(UTC):%Y-%m-%d}").data == second
    for wrong in (("--version", 4), ("--at", "2020-01-01")):
        done = battpass("export", UUID, *wrong)
        assert (done.status, done.data) == (2, b"")
    assert f"did not stand at 2020-01-01 23:59:59 UTC. See `battpass history {UUID}`." in done.err
    public = battpass("export", UUID, "--version", 3, "--audience", "public")
    assert public.status == 2, "a draft is its owner's alone, by its version too"


def test_a_draft_can_be_exported_as_it_was_at_a_time(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"))
    today = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    assert battpass("export", UUID, "--at", today).data == example("ev-lfp-60").read_bytes()


def test_history_lists_who_did_what_when_and_why(battpass: Battpass, home: Path, example) -> None:
    battpass("import", example("ev-lfp-60"), "--reason", "first delivery")
    battpass("publish", UUID, "--reason", "approved")
    done = battpass("history", UUID)
    assert done.status == 0
    heading, _, first, second = (line.strip() for line in done.out.splitlines())
    assert heading.split() == [
        "version",
        "entry",
        "time",
        "(UTC)",
        "stage",
        "action",
        "checked",
        "actor",
        "reason",
    ]
    assert first.endswith("first delivery") and second.endswith("approved")
    assert second.split()[:2] == ["2", "3"]
    assert second.split()[4:] == ["published", "publish", "yes", "cli", "approved"]
    told = battpass("history", UUID, "--json").document["versions"]
    assert [one["sequence"] for one in told] == [2, 3]
    assert all(datetime.fromisoformat(one["time"]).tzinfo for one in told)
    cut = battpass("history", UUID, "--at", told[0]["time"], "--json").document["versions"]
    assert cut == told[:1]
    early = battpass("history", UUID, "--at", "2020-01-01")
    assert early.status == 2
    assert "was not kept yet at 2020-01-01" in early.err
