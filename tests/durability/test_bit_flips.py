"""One flipped bit anywhere in a home is detected, or changes nothing of what is read from it."""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyoxigraph import RdfFormat

from battpass.kg.dataset.dataset import Dataset
from battpass.kg.errors import BattPassError, DamagedHome
from battpass.kg.home import Home, Stage
from battpass.kg.journal.verify import verify
from battpass.kg.keys import KeyRing
from benchmarks.campaigns import Campaign
from tests.durability.dying import AUDIENCE
from tests.durability.processes import PATIENCE_SECONDS, started
from tests.durability.recording import INDEX, JOURNAL, LOG, WITNESS

FLIPS = 5_000
# A store is tables of triples, and records of which tables count, and of what is not in a table yet.
TABLES, RECORDS = "tables of the store", "records of the store"
# Where the bits are flipped, in how many of a hundred trials. Bytes of a dataset would outnumber all others.
PLACES = {
    JOURNAL: 46,
    LOG: 28,
    WITNESS: 6,
    "keys.sqlite": 11,
    "home.json": 3,
    "stamp.json": 1,
    TABLES: 3,
    RECORDS: 2,
}
OF_DATASETS = (TABLES, RECORDS, "stamp.json")
_LEFT_OUT = (INDEX, "lock", "snapshots", "readers", "LOCK")  # written anew before they are read


@dataclass(frozen=True, slots=True)
class Sound:
    """A home as a killed process leaves it, its files by place, and all that is read from it."""

    folder: Path
    places: dict[str, list[Path]]
    token: str
    journal: dict[str, Any]
    dataset: str


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """A home as a killed process leaves it, and all that is read from it."""
    folder = tmp_path_factory.mktemp("flips") / "home"
    with started("-m", "tests.durability.dying", folder) as dying:
        last_words = dying.wait_for("token ")
        assert last_words is not None, dying.text()
        assert dying.process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    token = last_words.split()[1]
    places = {name: [folder / name] for name in (JOURNAL, LOG, WITNESS, "keys.sqlite", "home.json")}
    places["stamp.json"] = [folder / "datasets" / AUDIENCE / "stamp.json"]
    store = list((folder / "datasets" / AUDIENCE / "store").iterdir())
    places[TABLES] = [path for path in store if path.suffix == ".sst"]
    places[RECORDS] = [path for path in store if path.suffix != ".sst"]
    assert set(places) == set(PLACES)
    copy = tmp_path_factory.mktemp("sound") / "home"
    _copy(folder, copy)
    found = verify(copy / JOURNAL, copy / WITNESS)
    assert found.sound, found.problems
    read = _all_of_the_journal(copy, token)
    with Home.open(copy) as home:
        return Sound(folder, places, token, read, _all_of_the_dataset(home.dataset(AUDIENCE)))


@pytest.mark.slow
def test_a_flipped_bit_of_the_journal_is_detected_or_changes_nothing(
    campaign: Campaign, quick: Path, sound: Sound
) -> None:
    shares = {place: share for place, share in PLACES.items() if place not in OF_DATASETS}
    figures = _flips(campaign, quick, sound, "bit flips", shares)
    campaign.record("durability_bit_flips", "a home of 9 passports after SIGKILL", figures)


@pytest.mark.slow
def test_a_flipped_bit_of_a_dataset_is_detected_or_changes_nothing(
    campaign: Campaign, quick: Path, sound: Sound
) -> None:
    shares = {place: share for place, share in PLACES.items() if place in OF_DATASETS}
    figures = _flips(campaign, quick, sound, "bit flips of a dataset", shares)
    campaign.record("durability_bit_flips_of_datasets", "the public dataset of 9 passports", figures)


def _flips(
    campaign: Campaign, quick: Path, sound: Sound, name: str, shares: dict[str, int]
) -> dict[str, object]:
    """Flip bits in some places, and return what came of them."""
    random, count = campaign.random(name), campaign.count(FLIPS * sum(shares.values()) // 100)
    found: dict[str, Counter[str]] = {place: Counter() for place in shares}
    problems = []
    for number in range(count):
        place = random.choices(list(shares), list(shares.values()))[0]
        folder = quick / str(number)
        _copy(sound.folder, folder, *(() if place in OF_DATASETS else ("datasets",)))
        path, byte, bit = _flip(random, sound, place, folder)
        try:
            found[place][_outcome(folder, place, sound)] += 1
        except Exception as error:
            told = f"flip {number}: bit {bit} of byte {byte} of {path.relative_to(folder)}"
            problems.append(f"{told}: {type(error).__name__}: {error}")
        shutil.rmtree(folder)
    assert not problems, f"seed {campaign.seed}, {len(problems)} of {count}: {problems[:10]}"
    return {
        "flips": count,
        "detected": sum(one.total() - one[HARMLESS] for one in found.values()),
        "harmless, all reads the same": sum(one[HARMLESS] for one in found.values()),
        "silent differences": 0,
        "by place": {place: dict(one.most_common()) for place, one in found.items()},
    }


class DifferentError(Exception):
    """Something else was read than was written, and nobody said so."""


HARMLESS = "harmless"


def _outcome(folder: Path, place: str, sound: Sound) -> str:
    """Say how a flip came to light, or that all that is read is the same."""
    verified = True
    try:
        if place in OF_DATASETS:
            with Home.open(folder) as home:
                same = _all_of_the_dataset(home.dataset(AUDIENCE)) == sound.dataset
        else:
            verified = _verified(folder)  # first, as opening a home writes to it
            same = _all_of_the_journal(folder, sound.token) == sound.journal
    except DamagedHome:
        return "refused"
    except BattPassError as error:
        return f"refused as {type(error).__name__}"
    except (OSError, RuntimeError) as error:
        if place not in OF_DATASETS:
            raise
        return f"raw {type(error).__name__}"
    if same:
        return HARMLESS if verified else "found by verify alone, reads the same"
    if verified:
        raise DifferentError("what is read differs, and nothing was said")
    return "found by verify alone, reads differ"


def _verified(folder: Path) -> bool:
    try:
        return verify(folder / JOURNAL, folder / WITNESS).sound
    except BattPassError:
        return False


def _all_of_the_journal(folder: Path, token: str) -> dict[str, Any]:
    """Return all that can be read from a home but for its datasets."""
    ring = KeyRing(folder / "keys.sqlite")
    with Home.open(folder) as home, closing(ring):
        ring.check()
        journal = home.journal
        entries = [journal.told(entry) for entry in journal.entries()]
        names = {name for entry in entries for name in entry.identifiers}
        digests = {name for entry in entries for name in (*entry.texts, *entry.state.values())}
        records = sorted({entry.record for entry in entries})
        return {
            "entries": [(entry.line(), entry.told) for entry in entries],
            "texts": {name: journal.text(name) for name in sorted(digests)},
            "standing": {record: journal.standing(record) for record in records},
            "items": journal.records(Stage),
            "states": {record: dict(_states(home, record)) for record in home.records()},
            "original": {record: home.original(record) for record in home.records()},
            "names": {name: journal.named(name) for name in sorted(names)},
            "sharing": {entry.model: journal.items_of(entry.model, Stage) for entry in entries},
            "keys": (ring.keys(), ring.find(token)),
        }


def _states(home: Home, record: str) -> Iterator[tuple[int, Any]]:
    for entry in home.versions(record):
        yield entry.version, home.state(record, version=entry.version)


def _all_of_the_dataset(dataset: Dataset) -> str:
    """Return a digest over the named graphs and the default graph, which no other digest holds."""
    lines = dataset._open_store().dump(format=RdfFormat.N_QUADS)
    assert lines is not None
    return sha256(b"\n".join(sorted(lines.splitlines()))).hexdigest()


def _copy(source: Path, target: Path, *without: str) -> None:
    """Copy a home; tables of a dataset are never written to again, so links do for them."""
    left_out = shutil.ignore_patterns(*_LEFT_OUT, *without)
    shutil.copytree(source, target, copy_function=_link_tables, ignore=left_out)


def _link_tables(source: str, target: str) -> None:
    if source.endswith(".sst"):
        try:
            os.link(source, target)
            return
        except OSError:
            pass
    shutil.copyfile(source, target)


def _flip(random: Random, sound: Sound, place: str, folder: Path) -> tuple[Path, int, int]:
    files = [path for path in sound.places[place] if path.stat().st_size]
    sizes = [1 if place == RECORDS else path.stat().st_size for path in files]
    chosen = random.choices(files, sizes)[0]
    path = folder / chosen.relative_to(sound.folder)
    data = bytearray(chosen.read_bytes())
    byte, bit = random.randrange(len(data)), random.randrange(8)
    data[byte] ^= 1 << bit
    path.unlink()
    path.write_bytes(data)
    return path, byte, bit
