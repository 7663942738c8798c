"""SIGKILL at a random moment of a back-up, a restoring, a rebuilding, an import, or while a dataset follows.

What is there afterwards is old or new, and never between; the same command once more brings it to its end.
"""

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Event

import pytest

from battpass.kg.errors import BattPassError, DamagedHome, NotFound
from battpass.kg.home import Home, Stage
from battpass.kg.home.datasets import Datasets
from battpass.kg.journal.backup import BadBackup, backup
from battpass.kg.journal.verify import verify
from battpass.kg.journal.witness import Head
from battpass.kg.keys import FILE as KEYS
from battpass.kg.keys import KeyRing
from battpass.services.demo.fleet import demo_payloads
from benchmarks.campaigns import Campaign
from tests.durability import material
from tests.durability.errands import CHUNK, FIRST_WRITTEN, Errands, errands
from tests.durability.processes import PATIENCE_SECONDS, started
from tests.durability.recording import JOURNAL, WITNESS

ROUNDS = 50
PASSPORTS = 40
# A home lives through so many rounds before a new one is taken.
ROUNDS_OF_A_HOME = 10
DOCUMENTS = 14
RECORDED = {"folder": "durability_killed_import_folder", "lines": "durability_killed_import_lines"}
AUDIENCE = "public"
COUNT = "SELECT (COUNT(*) AS ?n) { ?p a bp:BatteryPassport }"


@pytest.fixture
def sender() -> Iterator[Errands]:
    with errands() as process:
        yield process


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with drafts, published and archived passports, and a key."""
    folder = tmp_path_factory.mktemp("model") / "home"
    with Home.open(folder, create=True) as home:
        for number in range(PASSPORTS):
            stage = Stage.PUBLISHED if number % 2 else Stage.DRAFT
            home.put(material.arrival(number, "first", checked=True), stage=stage)
        for number in range(1, PASSPORTS, 4):
            home.put(material.arrival(number, "second", checked=True))
            home.put(material.arrival(number, "third"), stage=Stage.DRAFT)
        home.archive(material.record_name(1))
        home.erase(material.record_name(1))
        with closing(KeyRing(folder / KEYS)) as ring:
            ring.create("owner", ["read"])
    return folder


@pytest.fixture(scope="module")
def documents() -> list[bytes]:
    return [json.dumps(payload).encode() for payload in demo_payloads(DOCUMENTS, 7)]


@pytest.mark.slow
def test_a_killed_back_up_is_there_whole_or_not_at_all(
    campaign: Campaign, tmp_path: Path, model: Path, sender: Errands
) -> None:
    random, found = campaign.random("killed back-ups"), Counter[str]()
    home, told = _copy(model, tmp_path / "home"), tmp_path / "told"
    usual = sender.run("make_backup", home, tmp_path / "first.zip", told)
    for number in range(campaign.count(ROUNDS)):
        file = tmp_path / f"{number}.zip"
        if number == 0:
            begun = lambda: any(tmp_path.glob(".0.zip.*"))  # noqa: E731
            _killed_command(random, begun, usual, "--home", home, "backup", file)
        else:
            sender.run("make_backup", home, file, told, killed_after=_moment(random, usual))
        _check_acknowledged(home, told)
        for left in tmp_path.glob(f".{file.name}.*/packed"):
            found["half of it lay aside, " + _restored(left, tmp_path / "aside", home)] += 1
        whole = file.exists()
        if not whole:
            backup(home, file)
        assert _restored(file, tmp_path / "restored", home) == "whole", f"round {number}"
        found["there" if whole else "not there"] += 1
        for left in tmp_path.glob(f".{file.name}.*"):
            shutil.rmtree(left)
        file.unlink()
    _record(campaign, "durability_killed_backup", found)


@pytest.mark.slow
def test_a_killed_restoring_leaves_a_home_or_can_be_done_again(
    campaign: Campaign, tmp_path: Path, model: Path, sender: Errands
) -> None:
    random, found = campaign.random("killed restorings"), Counter[str]()
    file = tmp_path / "kept.zip"
    head = backup(model, file).head
    usual = sender.run("restore", file, tmp_path / "first")
    for number in range(campaign.count(ROUNDS)):
        home = tmp_path / f"home-{number}"
        if number == 0:
            begun = lambda: (home / ".restoring").exists()  # noqa: B023, E731
            _killed_command(random, begun, usual, "--home", home, "restore", file)
        else:
            sender.run("restore", file, home, killed_after=_moment(random, usual))
        left = sorted(path.name for path in home.iterdir()) if home.exists() else []
        try:
            Home.open(home).close()
        except NotFound:
            Home.restore(file, home)
            found["no home" if left else "nothing"] += 1
        else:
            found["a home"] += 1
        _check_same(home, head, f"round {number}, which left {left}")
        assert (home / KEYS).exists()
        shutil.rmtree(home)
    _record(campaign, "durability_killed_restore", found)


@pytest.mark.parametrize(
    "moved", [(), (KEYS,), (KEYS, JOURNAL), (KEYS, JOURNAL, ".gitignore"), (JOURNAL, "datasets")], ids=str
)
def test_a_restoring_that_was_cut_off_at_any_step_is_done_again(
    tmp_path: Path, model: Path, moved: tuple[str, ...]
) -> None:
    head = backup(model, tmp_path / "kept.zip").head
    home, aside = tmp_path / "home", tmp_path / "home/.restoring"
    Home.restore(tmp_path / "kept.zip", tmp_path / "whole")
    home.mkdir()
    (tmp_path / "whole").rename(aside)
    for name in moved:
        (aside / name).rename(home / name)
    with pytest.raises(NotFound):
        Home.open(home)
    with pytest.raises(DamagedHome):
        Home.open(home, create=True)
    Home.restore(tmp_path / "kept.zip", home)
    _check_same(home, head, str(moved))
    assert not aside.exists()


@pytest.mark.slow
def test_a_killed_rebuilding_leaves_what_can_be_read_as_before(
    campaign: Campaign, tmp_path: Path, model: Path, sender: Errands
) -> None:
    random, found = campaign.random("killed rebuildings"), Counter[str]()
    home = _copy(model, tmp_path / "home")
    with Home.open(home) as opened:
        head, wanted = opened.journal.head, opened.dataset(AUDIENCE).digest()
    usual = sender.run("rebuild", home)
    for number in range(campaign.count(ROUNDS)):
        if number == 0:
            begun = lambda: (home / "lock").read_bytes() != b""  # noqa: E731
            _killed_command(random, begun, usual, "--home", home, "rebuild")
        else:
            sender.run("rebuild", home, killed_after=_moment(random, usual))
        with Home.open(home) as opened:
            found["stamped" if opened.is_built(AUDIENCE) else "to be built"] += 1
            assert opened.dataset(AUDIENCE).digest() == wanted, f"round {number}"
        _check_same(home, head, f"round {number}")
    _record(campaign, "durability_killed_rebuild", found)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "lines"])
def test_a_killed_import_goes_on_until_each_document_is_there_once(
    campaign: Campaign, tmp_path: Path, documents: list[bytes], sender: Errands, kind: str
) -> None:
    random, found = campaign.random(f"killed imports of {kind}"), Counter[str]()
    source = _source(tmp_path, documents, kind)
    usual = sender.run("load", source, tmp_path / "first", tmp_path / "told")
    for number in range(campaign.count(ROUNDS // 2)):
        home, told = tmp_path / f"home-{number}", tmp_path / f"told-{number}"
        kills = 0
        if number == 0:
            begun = lambda: _held(home) > 0  # noqa: B023, E731
            arguments = ("--home", home, "import", "--trusted", source)
            _killed_command(random, begun, usual, *arguments)
            _check_imported(home, documents, found)
            with started("-m", "battpass", *arguments) as again:
                assert again.process.wait(PATIENCE_SECONDS) == 0, again.text()
        else:
            while kills < 3 and (kills == 0 or random.random() < 0.5):
                kills += 1
                sender.run("load", source, home, told, killed_after=_moment(random, usual))
                _check_imported(home, documents, found, told)
            sender.run("load", source, home, told)
        assert _held(home) == len(documents), f"round {number}"
        _check_imported(home, documents, found)
        shutil.rmtree(home)
    _record(campaign, RECORDED[kind], found)


@pytest.mark.slow
def test_a_killed_follower_leaves_a_dataset_that_comes_to_the_end_of_the_journal(
    campaign: Campaign, tmp_path: Path, model: Path, sender: Errands
) -> None:
    random, found = campaign.random("killed followers"), Counter[str]()
    usual = sender.run("follow", _copy(model, tmp_path / "first"), AUDIENCE, tmp_path / "first-told")
    home = told = tmp_path
    for number in range(campaign.count(ROUNDS)):
        if number % ROUNDS_OF_A_HOME == 0:
            home, told = _copy(model, tmp_path / f"home-{number}"), tmp_path / f"told-{number}"
        if number == 0:
            begun = lambda: (home / "datasets" / AUDIENCE).exists()  # noqa: B023, E731
            _killed_command(random, begun, usual, "--home", home, "query", "--audience", AUDIENCE, COUNT)
        else:
            sender.run("follow", home, AUDIENCE, told, killed_after=_moment(random, usual))
        _check_acknowledged(home, told)
        with Home.open(home) as opened, closing(Datasets(opened.journal, None)) as anew:
            found["at the end" if opened.is_built(AUDIENCE) else "behind or half built"] += 1
            wanted = anew.get(opened.audience(AUDIENCE)).digest()
            assert opened.dataset(AUDIENCE).digest() == wanted, f"round {number}"
    _record(campaign, "durability_killed_follow", found)


def _record(campaign: Campaign, name: str, found: Counter[str]) -> None:
    figures = {"rounds": campaign.count(ROUNDS), "found": dict(sorted(found.items())), "lost": 0}
    campaign.record(name, f"{PASSPORTS} passports, or {DOCUMENTS} documents", figures)


def _moment(random: Random, usual: float) -> float:
    """Return when to kill: at any moment, and often near the end, where things get their names."""
    return random.uniform(0, 1.05 * usual) if random.random() < 0.6 else random.uniform(0.8, 1.1) * usual


def _killed_command(random: Random, begun: Callable[[], bool], usual: float, *arguments: object) -> None:
    """Run the command itself, and kill it some time after it has begun, unless it has ended by then."""
    with started("-m", "battpass", *map(str, arguments)) as command:
        until = time.monotonic() + PATIENCE_SECONDS
        while not begun() and command.process.poll() is None:
            assert time.monotonic() < until, command.text()
            Event().wait(0.02)
        Event().wait(random.uniform(0, usual))
        command.kill()
        assert command.process.returncode in (0, -9), command.text()


def _copy(model: Path, home: Path) -> Path:
    return Path(shutil.copytree(model, home))


def _check_acknowledged(home: Path, told: Path) -> None:
    """Check that what was written beside, and acknowledged, is there whole; then begin a new list."""
    if not told.exists():
        return
    with Home.open(home, read_only=True) as opened:
        for number in map(int, told.read_text().split()):
            stage = Stage.DRAFT if number % 2 else Stage.PUBLISHED
            standing = opened.state(material.record_name(number), stage=stage)
            assert number >= FIRST_WRITTEN
            assert standing == material.state(number, "beside"), f"passport {number} was acknowledged"
    told.unlink()


def _restored(file: Path, folder: Path, home: Path) -> str:
    """Restore a file, and say whether it is whole or refused; whole is what the home was at some moment."""
    try:
        head = Home.restore(file, folder).head
    except BadBackup:
        assert not (folder / JOURNAL).exists()
        return "refused"
    except BattPassError as error:
        raise AssertionError(f"{file} is neither a back-up nor refused as none: {error}") from error
    with Home.open(home, read_only=True) as opened:
        entry = opened.journal.entry(head.sequence)
        assert entry is not None and entry.hash == head.hash
    _check_same(folder, head, file.name)
    assert (folder / KEYS).exists()
    shutil.rmtree(folder)
    return "whole"


def _check_same(home: Path, head: Head, told: str) -> None:
    """Check that a home is sound, opens, and ends at a head."""
    with Home.open(home) as opened:
        assert opened.journal.head == head, told
    found = verify(home / JOURNAL, home / WITNESS)
    assert found.sound and found.head == head, f"{told}: {found.problems[:3]}"


def _source(folder: Path, documents: list[bytes], kind: str) -> Path:
    if kind == "lines":
        (folder / "fleet.jsonl").write_bytes(b"\n".join(documents) + b"\n")
        return folder / "fleet.jsonl"
    (folder / "fleet").mkdir()
    for number, document in enumerate(documents):
        (folder / "fleet" / f"{number:03}.json").write_bytes(document)
    return folder / "fleet"


def _held(home: Path) -> int:
    try:
        with Home.open(home, read_only=True) as opened:
            return len(opened)
    except (NotFound, BattPassError):  # not there yet, or just being made
        return 0


def _check_imported(
    home: Path, documents: list[bytes], found: Counter[str], told: Path | None = None
) -> None:
    """Check that what is there is a part of the documents, each once and whole, and all that was told of."""
    if not (home / JOURNAL).exists():
        found["no journal yet"] += 1
        return
    with Home.open(home, create=True) as opened:
        entries = [entry for entry in opened.journal.entries() if not entry.is_model]
        originals = [opened.journal.text(entry.original) for entry in entries]
        records = {entry.record: entry for entry in entries}
    assert originals == documents[: len(originals)], "a document is missing between others, or there twice"
    assert all(entry.version == 1 for entry in entries)
    count = len(entries)
    assert told is None or count % CHUNK == 0 or count == len(documents), "a chunk is there in part"
    sound = verify(home / JOURNAL, home / WITNESS)
    assert sound.sound, sound.problems[:3]
    # The last line may be cut off: then its result was never told.
    lines = told.read_bytes().splitlines(keepends=True) if told is not None and told.exists() else []
    for line in lines:
        if line.endswith(b"\n"):
            record, version, _ = json.loads(line)
            assert records[record].version == version, f"{record} was told to be there"
    found["all of it" if count == len(documents) else "part of it" if count else "nothing"] += 1
