"""`import` of many documents: drafts or published, each with its result, cut off and gone on with."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from battpass.kg.home import Home, Stage
from battpass.kg.journal.parts import digest
from battpass.kg.journal.verify import verify
from battpass.services.cli.main import app
from battpass.services.demo.fleet import demo_payloads
from battpass.services.exchange.intake import Intake
from tests.cli.conftest import Battpass

UUID = "0bd91ad9-e0f0-4bcf-984e-eee4fe00a5d3"  # of ev-lfp-60
COUNT = "SELECT (COUNT(*) AS ?n) { ?p a bp:BatteryPassport }"
GENEROUS_SECONDS = 120.0


def negative(payload: dict[str, Any]) -> None:
    payload["performance"]["rated"]["capacity"]["value"] = -180.0


def worn(cycles: int) -> Callable[[dict[str, Any]], None]:
    def change(payload: dict[str, Any]) -> None:
        payload["performance"]["dynamic"]["fullCycles"]["value"] = cycles

    return change


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """The documents of a fleet, one a line."""
    return [json.dumps(payload).encode() for payload in demo_payloads(400, 5)]


@pytest.fixture
def fleet(tmp_path: Path, lines: list[bytes]) -> Path:
    """Twelve documents, one a line."""
    file = tmp_path / "fleet.jsonl"
    file.write_bytes(b"\n".join(lines[:12]) + b"\n")
    return file


def stages(home: Home) -> dict[str, str]:
    return {entry.record.rpartition("/")[2]: str(entry.stage) for entry in home.entries()}


def test_documents_are_kept_as_drafts_that_only_the_owner_sees(battpass: Battpass, example) -> None:
    done = battpass("import", example("ev-lfp-60"))
    assert done.status == 0
    assert done.out.splitlines()[-1] == (
        f"1 is a draft, which only you see. To publish: battpass publish {UUID}"
    )
    assert battpass("query", COUNT).out.split() == ["n", "1"]
    assert battpass("query", "--audience", "public", COUNT).out.split() == ["n", "0"]


def test_publishing_leaves_what_has_violations_as_a_draft(
    battpass: Battpass, home: Path, example, changed
) -> None:
    done = battpass(
        "import", "--publish", "--reason", "first", example("lmt-lco-03"), changed("ev-lfp-60", negative)
    )
    assert done.status == 1
    assert [line.split()[1] for line in done.out.splitlines()[:2]] == ["published", "draft"]
    assert "1 violation" in done.out
    assert f"1 is a draft, which only you see. To publish: battpass publish {UUID}" in done.out
    with Home.open(home, read_only=True) as kept:
        assert kept.entry(UUID).stage is Stage.DRAFT
        assert sorted(stages(kept).values()) == ["draft", "published"]
        assert {(entry.actor, entry.reason, entry.checked) for entry in kept.entries()} == {
            ("cli", "first", True)
        }


def test_the_trusted_are_published_unchecked_and_the_journal_says_so(
    battpass: Battpass, home: Path, fleet: Path
) -> None:
    done = battpass("import", "--trusted", fleet, "--json")
    assert done.status == 0
    assert {result["stage"] for result in done.document["results"]} == {"published"}
    with Home.open(home, read_only=True) as kept:
        assert len(kept) == 12
        assert not any(entry.checked for entry in kept.entries())


def test_findings_of_the_format_are_told_of_the_trusted_too(battpass: Battpass, changed) -> None:
    def mistype(payload: dict[str, Any]) -> None:
        payload["performance"]["rated"]["capacity"]["value"] = "180"

    done = battpass("import", "--trusted", changed("ev-lfp-60", mistype), "--json")
    assert done.status == 1
    assert [one["code"] for one in done.document["results"][0]["findings"]] == ["wrong-type"]


def test_folders_lines_and_archives_are_read_alike(
    battpass: Battpass, home: Path, tmp_path: Path, lines: list[bytes]
) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.json").write_bytes(lines[0])
    (folder / "deep/b.jsonl").write_bytes(lines[1] + b"\n" + lines[2])
    with zipfile.ZipFile(folder / "c.zip", "w") as archive:
        archive.writestr("x/d.json", lines[3])
    done = battpass("import", "--trusted", folder, "--json")
    names = [result["file"].removeprefix(f"{folder}/") for result in done.document["results"]]
    assert names == ["a.json", "c.zip/x/d.json", "deep/b.jsonl:1", "deep/b.jsonl:2"]
    assert done.document["counts"] == {"added": 4, "replaced": 0, "unchanged": 0, "refused": 0}
    with Home.open(home, read_only=True) as kept:
        assert {entry.source.removeprefix(f"{folder}/") for entry in kept.entries()} == set(names)


def test_bad_documents_are_one_result_each_and_never_the_end(
    battpass: Battpass, home: Path, tmp_path: Path, lines: list[bytes]
) -> None:
    file = tmp_path / "fleet.jsonl"
    bad = [b"{", b'{"a": 1, "a": 2}', b'{"deep": ' + b"[" * 5000 + b"]" * 5000 + b"}", b"\xff\xfe", b"[]"]
    file.write_bytes(b"\n".join(one for pair in zip(lines, bad, strict=False) for one in pair))
    results = tmp_path / "results.jsonl"
    done = battpass("import", "--trusted", file, "--results", results)
    assert done.status == 2
    assert done.err.count("battpass: ") == len(bad)
    assert "10 documents in " in done.out and "5 added, 5 refused." in done.out
    told = [json.loads(line) for line in results.read_text().splitlines()]
    assert [one["file"] for one in told] == [f"{file}:{number}" for number in range(1, 11)]
    assert [one["outcome"] for one in told] == ["added", "refused"] * 5
    assert all(one["error"] for one in told if one["outcome"] == "refused")
    assert [one["sequence"] > 0 for one in told] == [True, False] * 5
    with Home.open(home, read_only=True) as kept:
        assert len(kept) == 5


def test_the_same_again_changes_nothing_and_reads_nothing(
    battpass: Battpass, home: Path, fleet: Path
) -> None:
    battpass("import", "--trusted", fleet)
    with Home.open(home, read_only=True) as kept:
        before = kept.journal.head
    gone = Intake()
    gone.close()  # it could read no document any more
    runner = CliRunner(env={"BATTPASS_HOME": str(home)})
    done = runner.invoke(app, ["import", "--trusted", "--json", str(fleet)], obj=gone)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["counts"]["unchanged"] == 12
    with Home.open(home, read_only=True) as kept:
        assert kept.journal.head == before


def test_findings_are_told_again_of_what_stands_already(battpass: Battpass, changed) -> None:
    file = changed("ev-lfp-60", negative)
    first, again = battpass("import", file, "--json"), battpass("import", file, "--json")
    assert first.status == again.status == 1
    assert first.document["results"][0]["findings"] == again.document["results"][0]["findings"]


def test_a_draft_is_published_by_importing_its_document_to_be_published(
    battpass: Battpass, home: Path, example
) -> None:
    battpass("import", example("ev-lfp-60"))
    done = battpass("import", "--publish", example("ev-lfp-60"), "--json")
    assert (done.status, done.document["results"][0]["stage"]) == (0, "published")
    with Home.open(home, read_only=True) as kept:
        assert [entry.stage for entry in kept.versions(UUID)] == [Stage.DRAFT, Stage.PUBLISHED]


def test_two_versions_in_one_import_stay_two_however_often_it_is_run(
    battpass: Battpass, home: Path, tmp_path: Path, example, changed
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    older = example("ev-lfp-60").read_bytes()
    newer = changed("ev-lfp-60", worn(1234)).read_bytes()
    (folder / "2026-01.json").write_bytes(older)
    (folder / "2026-02.json").write_bytes(newer)
    assert battpass("import", "--trusted", folder).status == 0
    done = battpass("import", "--trusted", folder, "--json")
    assert [one["outcome"] for one in done.document["results"]] == ["unchanged"] * 2
    with Home.open(home, read_only=True) as kept:
        assert [entry.original for entry in kept.versions(UUID)] == [digest(older), digest(newer)]
    # By itself, the older one is a new version: somebody takes a change back.
    done = battpass("import", "--trusted", folder / "2026-01.json", "--json")
    assert [one["outcome"] for one in done.document["results"]] == ["replaced"]
    assert battpass("export", UUID).data == older
    # And all of them once more end with the last.
    assert battpass("import", "--trusted", folder).status == 0
    assert battpass("export", UUID).data == newer


def test_with_stop_the_last_of_several_versions_counts(
    battpass: Battpass, home: Path, example, changed
) -> None:
    newer = changed("ev-lfp-60", worn(1234))
    done = battpass("import", "--on-error", "stop", example("ev-lfp-60"), newer, "--json")
    assert done.status == 0
    assert battpass("export", UUID).data == newer.read_bytes()


def test_what_has_ceased_to_exist_is_refused_by_itself(
    battpass: Battpass, fleet: Path, lines: list[bytes]
) -> None:
    done = battpass("import", "--trusted", fleet, "--json")
    gone = done.document["results"][3]["record"]
    battpass("archive", gone, "--reason", "recycled")
    with fleet.open("ab") as file:
        file.write(lines[12])
    done = battpass("import", "--trusted", fleet, "--json")
    assert done.status == 2
    refused = [one for one in done.document["results"] if one["outcome"] == "refused"]
    assert [one["file"] for one in refused] == [f"{fleet}:4"]
    assert "has ceased to exist" in refused[0]["error"]
    assert done.document["counts"] == {"added": 1, "replaced": 0, "unchanged": 11, "refused": 1}


@pytest.mark.parametrize("option", ["--trusted", "--format=turtle", "--on-error=stop"])
def test_what_does_not_go_together_is_wrong_use(battpass: Battpass, example, option: str) -> None:
    assert battpass("import", "--into", UUID, option, example("ev-lfp-60")).status == 2


# --- cut off in the middle ----------------------------------------------------------------------------


@dataclass
class Fed:
    """An import that reads a pipe, into which somebody writes one document after the other."""

    process: subprocess.Popen[str]
    results: Path
    ending: threading.Event = field(default_factory=threading.Event)

    def committed(self) -> int:
        """Return how many results there are."""
        return self.results.read_text().count("\n") if self.results.exists() else 0

    def feed(self, pipe: Path, lines: list[bytes]) -> None:
        """Write documents, slowly enough that there are always some to come, until nobody reads."""
        try:
            with pipe.open("wb", buffering=0) as file:
                for line in lines:
                    file.write(line + b"\n")
                    if self.ending.wait(0.05):
                        return
        except BrokenPipeError:
            pass


@contextmanager
def being_fed(home: Path, pipe: Path, lines: list[bytes]) -> Iterator[Fed]:
    """Start an import in a process of its own, and wait until its first chunk is committed."""
    os.mkfifo(pipe)
    results = home.parent / "results.jsonl"
    command = [sys.executable, "-m", "battpass", "--home", str(home), "import", "--trusted", str(pipe)]
    with subprocess.Popen(
        [*command, "--results", str(results)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        fed = Fed(process, results)
        feeding = threading.Thread(target=fed.feed, args=(pipe, lines))
        feeding.start()
        try:
            wait_for(lambda: fed.committed() > 0)
            assert process.poll() is None
            yield fed
        finally:
            fed.ending.set()
            process.kill()
            process.communicate()
            feeding.join()
    wait_for(lambda: not is_there(process.pid))


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + GENEROUS_SECONDS
    while not condition():
        assert time.monotonic() < until, "waited for long enough"
        time.sleep(0.05)


def is_there(session: int) -> bool:
    """Return whether any process of a session is left."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


def states(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Return what a home holds of each passport, but for times and numbers of the journal."""
    with Home.open(folder) as home:
        return {
            entry.record: (entry.version, entry.stage, dict(entry.state), entry.original, entry.model)
            for entry in home.entries()
        }


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: str(number.name)
)
def test_an_import_that_was_cut_off_goes_on_where_it_was(
    battpass: Battpass, home: Path, tmp_path: Path, lines: list[bytes], number: signal.Signals
) -> None:
    pipe = tmp_path / "fleet.jsonl"
    with being_fed(home, pipe, lines) as fed:
        fed.process.send_signal(number)
        told = fed.process.communicate(timeout=GENEROUS_SECONDS)[0]
        status = fed.process.returncode
    if number is signal.SIGKILL:
        assert status == -signal.SIGKILL
    else:
        assert status == 1
        assert f"Stopped after {fed.committed()} documents. Run the same command again to go on" in told
    before = fed.committed()
    pipe.unlink()
    with Home.open(home, read_only=True) as kept:
        # Nothing that was told is lost; of a killed one, a chunk may be there that was not told any more.
        held = len(kept)
    assert 0 < before <= held < len(lines)
    upto = held + 20
    pipe.write_bytes(b"\n".join(lines[:upto]) + b"\n")
    done = battpass("import", "--trusted", pipe, "--json")
    assert done.status == 0
    assert done.document["counts"] == {"added": 20, "replaced": 0, "unchanged": held, "refused": 0}
    found = verify(home / "journal.sqlite", home / "head")
    assert found.problems == ()
    other = tmp_path / "other"
    assert battpass("--home", other, "import", "--trusted", pipe).status == 0
    assert states(home) == states(other)
