"""What is restored or built again is what it was, to the last triple: datasets compared by their digests."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from battpass.kg.home import Home, Stage
from battpass.kg.home.datasets import Datasets
from battpass.kg.journal.backup import backup
from benchmarks.campaigns import Campaign
from tests.durability import material

STEPS = 120
RECORDS = 30
# Sequence numbers that a home is brought back to.
MOMENTS = 20


@dataclass
class Lived:
    """A home with a history, a back-up of it, and the digests of all its datasets at some moments."""

    folder: Path
    file: Path
    moments: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The end of the journal."""
        return max(self.moments)


@pytest.fixture(scope="module")
def lived(campaign: Campaign, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A home in which all that can be done was done, in random order."""
    random = campaign.random("digests")
    folder = tmp_path_factory.mktemp("lived")
    found = Lived(folder / "home", folder / "kept.zip")
    chosen = set(random.sample(range(STEPS // 2, STEPS), max(2, campaign.count(MOMENTS)))) | {STEPS - 1}
    with Home.open(found.folder, create=True) as home:
        # A journal is brought back to no moment before texts were erased, so that is done before all of them.
        for step in range(STEPS):
            _step(home, random, f"step {step}", may_erase=step < min(chosen))
            while step in chosen and home.sequence in found.moments:  # some steps change nothing
                _step(home, random, f"step {step} again", may_erase=False)
            if step in chosen:
                found.moments[home.sequence] = digests(home)
    backup(found.folder, found.file)
    return found


def digests(home: Home) -> dict[str, str]:
    """Return the digest of each audience's dataset, brought up to date on disk."""
    return {name: home.dataset(name).digest() for name in home.audiences}


def _step(home: Home, random: Random, marker: str, *, may_erase: bool) -> None:
    number = random.randrange(RECORDS)
    name = material.record_name(number)
    standing = home.journal.standing(name)
    if Stage.ARCHIVED in standing:
        if may_erase:
            home.erase(name)
        return
    put: Callable[[], object] = lambda: home.put(  # noqa: E731
        material.arrival(number, marker, checked=True)
    )
    draft: Callable[[], object] = lambda: home.put(  # noqa: E731
        material.arrival(number, marker), stage=Stage.DRAFT
    )
    publish: Callable[[], object] = lambda: home.publish(  # noqa: E731
        name, report=material.report(marker)
    )
    doings = [put, draft, draft]
    if standing:
        doings += [publish, publish]
    if len(standing) == 1 and random.random() < 0.3:
        doings = [lambda: home.archive(name, reason="Recycled")]
    random.choice(doings)()


@pytest.mark.slow
def test_a_restored_home_has_the_datasets_of_the_original(lived: Lived, tmp_path: Path) -> None:
    Home.restore(lived.file, tmp_path / "home")
    with Home.open(tmp_path / "home") as home:
        assert digests(home) == lived.moments[lived.last]


@pytest.mark.slow
def test_a_home_restored_to_an_entry_has_the_datasets_of_that_moment(
    campaign: Campaign, lived: Lived, tmp_path: Path
) -> None:
    earlier = sorted(lived.moments)[:-1]
    for sequence in earlier:
        folder = tmp_path / str(sequence)
        Home.restore(lived.file, folder, sequence)
        # Built in memory, as nothing but their content is looked at.
        with Home.open(folder) as home, closing(Datasets(home.journal, None)) as built:
            found = {name: built.get(reader).digest() for name, reader in home.audiences.items()}
        assert found == lived.moments[sequence], f"seed {campaign.seed}, entry {sequence}"
        shutil.rmtree(folder)
    figures = {"entries": lived.last, "restored to": earlier, "audiences": 4, "digests that differ": 0}
    campaign.record("durability_digests", f"{RECORDS} passports in {STEPS} steps", figures)


@pytest.mark.slow
def test_what_is_built_again_is_what_was_there(lived: Lived, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    shutil.copytree(lived.folder, folder)
    with Home.open(folder) as home:
        assert set(home.rebuild()) == set(home.audiences)
        assert digests(home) == lived.moments[lived.last]


@pytest.mark.slow
def test_the_journal_alone_gives_all_datasets_again(lived: Lived, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    shutil.copytree(lived.folder, folder, ignore=shutil.ignore_patterns("datasets"))
    with Home.open(folder) as home:
        assert not home.built()
        assert digests(home) == lived.moments[lived.last]
        assert len(set(lived.moments[lived.last].values())) == len(home.audiences), "each sees its own"
