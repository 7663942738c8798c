"""`validate --all`: what is kept, found in columns and in shares, remembered, and never wrongly."""

import json
import shutil
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import RdfFormat, parse

from battpass.kg.home import Arrival, Home, Stage
from battpass.kg.home.verdicts import FILE, Verdict, Verdicts
from battpass.kg.validation.incremental.basis import Basis
from battpass.kg.validation.validator import Validator
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from battpass.services.exchange.intake_tasks import IntakeTasks
from benchmarks.campaigns import Campaign
from benchmarks.copies import copied
from tests.cli.conftest import EXAMPLES, Battpass
from tests.durability.processes import PATIENCE_SECONDS, Started, started

DAY = "2026-12-01"
LFP, LCO = "0bd91ad9-e0f0-4bcf-984e-eee4fe00a5d3", "lmt-lco-03"
FLEET = 200


def negative(payload: Any) -> None:
    payload["performance"]["rated"]["capacity"]["value"] = -180.0


def badly_said(payload: Any) -> None:
    """Say a mass that is no number, which the graph cannot hold: only the format knows."""
    payload["characteristics"]["physicalDimension"]["weight"]["value"] = "heavy"


@pytest.fixture
def kept(battpass: Battpass, home: Path, example: Any, changed: Any) -> Path:
    """A home with two that are published, a draft with a violation, and one that was said badly."""
    battpass("import", "--publish", example("ev-na-31"), example(LCO))
    battpass("import", changed("ev-lfp-60", negative))
    battpass("import", changed("lmt-nmc532-05", badly_said))
    return home


def everything(battpass: Battpass, *more: object) -> Any:
    return battpass("validate", "--all", "--on", DAY, "--json", *more).document


def one_by_one(home: Path, on: str = DAY) -> dict[tuple[str, str], Any]:
    """Return the findings of each state that stands, as publishing finds them; advice as the graph has it."""
    tasks, validator = IntakeTasks(), Validator.load(on=date.fromisoformat(on))
    found = {}
    with Home.open(home, read_only=True) as opened:
        for entry in opened.standing((Stage.PUBLISHED, Stage.DRAFT)):
            state = opened.state(entry.record, version=entry.version)
            text = tasks.check(state, date.fromisoformat(on))
            if all(one["severity"] == "info" for one in json.loads(text)["findings"]):
                text = validator.validate(state.passport()).text()
            found[entry.record, str(entry.stage)] = json.loads(text)["findings"]
    return found


def assert_like_one_by_one(document: Any, home: Path, on: str = DAY) -> None:
    told = {(one["record"], one["stage"]): one["findings"] for one in document["results"]}
    assert told == one_by_one(home, on)


def test_it_finds_what_publishing_finds_in_each(battpass: Battpass, kept: Path) -> None:
    battpass("import", *(path for path in sorted((EXAMPLES / "passports").glob("ind-l*.json"))))
    document = everything(battpass)
    assert_like_one_by_one(document, kept)
    assert document["validated"] == len(document["results"]) > 4
    assert any("heavy" in finding["found"] for one in document["results"] for finding in one["findings"])


def test_the_summary_counts_passports_and_not_findings(battpass: Battpass, kept: Path) -> None:
    done = battpass("validate", "--all", "--on", DAY, "--json")
    assert done.status == 1
    (row,) = [row for row in done.document["summary"] if row["field"] == "Rated capacity"]
    assert (row["severity"], row["code"], row["passports"]) == ("violation", "out-of-range", 1)
    assert done.document["states"]["violation"] == sum(
        any(finding["severity"] == "violation" for finding in one["findings"])
        for one in done.document["results"]
    )
    told = battpass("validate", "--all", "--on", DAY)
    assert told.status == 1
    assert f"{LFP} (draft, version 1): EV, held against {DAY}: 1 violation" in told.out
    lines = [line.split() for line in told.out.splitlines()]
    assert ["violation", "Rated", "capacity", "out-of-range", "1"] in lines
    assert told.out.endswith("0 validated now; of 4 nothing has changed since the last time.\n")


def test_the_second_time_only_what_changed_is_validated(battpass: Battpass, kept: Path, example: Any) -> None:
    first = everything(battpass)
    again = everything(battpass)
    assert (again["validated"], again["known"]) == (0, 4)
    assert again["results"] == first["results"]

    battpass("import", "--publish", example("ev-lfp-60"))
    after = everything(battpass)
    assert (after["validated"], after["known"]) == (1, 3)
    assert_like_one_by_one(after, kept)

    assert everything(battpass, "--again")["validated"] == 4
    other = battpass("validate", "--all", "--on", "2020-01-01", "--json").document
    assert other["validated"] == 4
    assert_like_one_by_one(other, kept, "2020-01-01")


def test_a_draft_beside_what_is_published_is_validated_too(
    battpass: Battpass, home: Path, example: Any, changed: Any
) -> None:
    battpass("import", "--publish", example("ev-lfp-60"))
    battpass("import", changed("ev-lfp-60", negative))
    stages = {
        stage: everything(battpass, "--stage", stage)["states"]["violation"]
        for stage in ("draft", "published")
    }
    assert stages == {"draft": 1, "published": 0}
    both = everything(battpass)
    assert sorted(one["stage"] for one in both["results"]) == ["draft", "published"]
    assert both["known"] == 2, "choosing one stage forgets nothing of the other"


@pytest.mark.parametrize("form", ["html", "csv", "turtle", "n-triples", "json-ld"])
def test_the_reports_come_in_every_form(battpass: Battpass, kept: Path, form: str) -> None:
    everything(battpass)
    done = battpass("validate", "--all", "--on", DAY, "--format", form)
    assert done.status == 1
    assert "4 passports held against" in done.err
    kinds = {"turtle": RdfFormat.TURTLE, "n-triples": RdfFormat.N_TRIPLES, "json-ld": RdfFormat.JSON_LD}
    if form in kinds:
        quads = list(parse(done.data, format=kinds[form]))
        assert sum(quad.predicate.value.endswith("#conforms") for quad in quads) == 4
    else:
        assert "-180 Ah" in done.out


def test_a_verdict_that_is_not_as_it_was_written_is_not_used(battpass: Battpass, kept: Path) -> None:
    first = everything(battpass)
    with closing(sqlite3.connect(kept / FILE)) as connection, connection:
        (name, report), (other, _) = connection.execute(
            "SELECT name, report FROM verdicts ORDER BY length(report) LIMIT 2"
        ).fetchall()
        connection.execute("UPDATE verdicts SET report = ? WHERE name = ?", (report, other))
        assert name != other
    after = everything(battpass)
    assert (after["validated"], after["known"]) == (1, 3)
    assert_like_one_by_one(after, kept)

    (kept / FILE).write_bytes(b"SQLite format 3\0 and no more" * 100)
    again = everything(battpass)
    assert again["validated"] == 4 and again["states"] == first["states"]


def test_verdicts_count_for_what_they_were_made_of_alone(tmp_path: Path) -> None:
    basis = Basis("data", "shapes", "reference", date(2026, 12, 1))
    others = (
        Basis("other", "shapes", "reference", date(2026, 12, 1)),
        Basis("data", "other", "reference", date(2026, 12, 1)),
        Basis("data", "shapes", "other", date(2026, 12, 1)),
        Basis("data", "shapes", "reference", date(2026, 12, 2)),
    )
    with Verdicts(tmp_path) as verdicts:
        verdicts.keep([("a draft", basis, Verdict(b"{}"))])
        assert verdicts.known("a draft", basis) == Verdict(b"{}")
        assert [verdicts.known("a draft", other) for other in others] == [None] * 4
        assert verdicts.known("a published", basis) is None
    with Verdicts(tmp_path, with_graph=True) as verdicts:
        assert verdicts.known("a draft", basis) is None


def test_what_is_erased_is_gone_from_the_verdicts_too(battpass: Battpass, kept: Path) -> None:
    everything(battpass)
    battpass("archive", LFP, "--reason", "recycled")
    battpass("erase", LFP)
    assert b"-180" not in (kept / FILE).read_bytes()
    with Verdicts(kept) as verdicts:
        assert len(verdicts.names()) == 3 and not any(LFP in name for name in verdicts.names())
    assert everything(battpass)["known"] == 3


def test_where_nothing_can_be_kept_it_says_so_and_validates(battpass: Battpass, kept: Path) -> None:
    (kept / FILE).mkdir()
    done = battpass("validate", "--all", "--on", DAY, "--json")
    assert done.status == 1 and done.document["validated"] == 4
    assert "cannot be kept for the next time" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--all", "a.json"), "both FILE and --all"),
        ((), "neither FILE nor --all"),
        (("--all", "--shapes", "s.ttl"), "installed shapes"),
        (("a.json", "--again"), "go with --all only"),
    ],
    ids=["files and all", "neither", "other shapes", "without all"],
)
def test_what_does_not_go_together_is_refused(
    battpass: Battpass, arguments: tuple[str, ...], said: str
) -> None:
    done = battpass("validate", *arguments)
    assert done.status == 2
    assert said in " ".join(done.err.replace("│", " ").split())


def test_a_home_that_is_empty_or_not_there_is_told(battpass: Battpass, home: Path) -> None:
    assert battpass("validate", "--all").status == 2
    with Home.open(home, create=True):
        pass
    done = battpass("validate", "--all", "--on", DAY)
    assert (done.status, done.out.splitlines()[-1]) == (0, f"0 passports held against {DAY}: none.")


# --- cut off ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with passports for some shares."""
    folder = tmp_path_factory.mktemp("fleet") / "home"
    data = (EXAMPLES / "passports" / f"{LCO}.json").read_bytes()
    loaded = BATTERY_PASS_6_1.load(data)
    pattern = Arrival.of(loaded.passport, loaded.findings, data, BATTERY_PASS_6_1.name)
    with Home.open(folder, create=True) as home:
        names = (uuid.uuid5(uuid.NAMESPACE_OID, str(number)) for number in range(FLEET))
        home.put_many([copied(pattern, name) for name in names], trusted=True)
    return folder


def remembered(home: Path) -> int:
    """Return how many verdicts are there; a file that is just made has none."""
    if not (home / FILE).exists():
        return 0
    with closing(sqlite3.connect(home / FILE, timeout=PATIENCE_SECONDS)) as connection:
        tables = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
        return connection.execute("SELECT COUNT(*) FROM verdicts").fetchone()[0] if tables else 0


def cut_off(home: Path, end: Callable[[Started], None]) -> None:
    """Begin to validate, and end it once something is remembered."""
    arguments = ("-m", "battpass", "--home", home, "validate", "--all", "--on", DAY, "--workers", "1")
    with started(*arguments) as process:
        patience = time.monotonic() + PATIENCE_SECONDS
        while not remembered(home) and process.process.poll() is None and time.monotonic() < patience:
            time.sleep(0.005)
        end(process)


def assert_goes_on(battpass: Battpass, home: Path) -> int:
    """Go on, and return how many were remembered from before."""
    before = remembered(home)
    document = battpass("--home", home, "validate", "--all", "--on", DAY, "--json").document
    assert (document["known"], document["validated"]) == (before, FLEET - before)
    anew = battpass("--home", home, "validate", "--all", "--on", DAY, "--json", "--again").document
    told = {one["record"]: one for one in document["results"]}
    assert told == {one["record"]: one for one in anew["results"]}
    assert len(told) == FLEET
    return before


@pytest.mark.slow
def test_one_that_was_killed_goes_on_where_it_was(
    battpass: Battpass, fleet: Path, tmp_path: Path, campaign: Campaign
) -> None:
    random = campaign.random("killed validation")
    met = []
    for number in range(campaign.count(20)):
        home = shutil.copytree(fleet, tmp_path / str(number))

        def kill(process: Started) -> None:
            time.sleep(random.random() / 2)
            process.kill()

        cut_off(home, kill)
        met.append(assert_goes_on(battpass, home))
    assert all(met)
    campaign.record(
        "durability_killed_validation",
        f"{FLEET} passports",
        [{"rounds": len(met), "remembered": met, "wrong": 0}],
    )


@pytest.mark.slow
def test_ctrl_c_brings_the_share_to_its_end(battpass: Battpass, fleet: Path, tmp_path: Path) -> None:
    home = shutil.copytree(fleet, tmp_path / "home")
    ended = []

    def interrupt(process: Started) -> None:
        process.process.send_signal(signal.SIGINT)
        ended.append((process.process.wait(PATIENCE_SECONDS), process))

    cut_off(home, interrupt)
    ((status, process),) = ended
    process.wait_for("Stopped after")
    assert status == 1 and "Run the same command again" in process.text()
    assert assert_goes_on(battpass, home) < FLEET
