"""Every state that a crash can leave on the disk opens with all that was acknowledged, or is refused."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from battpass.kg.errors import DamagedHome
from battpass.kg.home import Home, Stage
from battpass.kg.home.stamp import STAMP, Stamp
from battpass.kg.journal.verify import verify
from benchmarks.campaigns import Campaign
from tests.durability import material
from tests.durability.crash_states import BROKEN_PROMISES, LEGAL, CrashState, cut_at
from tests.durability.recording import INDEX, JOURNAL, LOG, WITNESS, Moment, Recording, record

STATES = 10_000
CUTS_OF_A_SHORT_RUN = 1_000
SERIES = {
    "a log that was never folded": (
        "draft 1", "put 1", "draft 2", "publish 2", "draft 1", "put 4", "archive 2", "draft 9", "archive 4",
    ),
    "a log that began anew over an old one": (
        "draft 1", "put 2", "put 3", "draft 5", "draft 2", "draft 5", "put 5", "fold",
        "publish 2", "archive 3", "draft 1", "draft 5", "archive 5",
    ),
    "a log that was emptied when texts were erased": (
        "put 1", "draft 2", "fold", "draft 1", "archive 2", "erase 2",
        "draft 1", "publish 1", "draft 6", "fold", "put 6", "archive 6", "draft 8",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    return {
        name: record(tmp_path_factory.mktemp("recorded") / "home", steps) for name, steps in SERIES.items()
    }


@pytest.mark.slow
def test_crash_states_open_with_what_was_acknowledged_or_not_at_all(
    campaign: Campaign, quick: Path, recordings: dict[str, Recording]
) -> None:
    random = campaign.random("crash states")
    restored: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    kinds = [*LEGAL, *BROKEN_PROMISES]
    for number in range(campaign.count(STATES)):
        kind, name = kinds[number % len(kinds)], random.choice(list(recordings))
        if kind.__name__ in ("folding_under_way", "log_begun_anew") and name == next(iter(SERIES)):
            name = list(SERIES)[1]
        state = kind(random, recordings[name])
        opened = _opens(quick, state, recordings[name])
        assert opened == state.opens_at, (
            f"seed {campaign.seed}, state {number}, {kind.__name__} of {name}: {state.told}; "
            f"opened at {opened}, wanted {state.opens_at}"
        )
        (refused if opened is None else restored)[kind.__name__] += 1
    for legal in LEGAL:
        assert not refused[legal.__name__], "what a power cut can leave must always open"
    figures = {
        "states": campaign.count(STATES),
        "restored": restored.total(),
        "refused": refused.total(),
        "silently short": 0,
        "by kind": {
            kind.__name__: {
                "can follow a power cut": kind in LEGAL,
                "restored": restored[kind.__name__],
                "refused": refused[kind.__name__],
            }
            for kind in kinds
        },
    }
    campaign.record("durability_crash_states", "three recorded series of commits", figures)


@pytest.mark.slow
def test_a_log_cut_at_any_byte_of_its_last_commits_opens_with_the_whole_ones(
    campaign: Campaign, quick: Path, recordings: dict[str, Recording]
) -> None:
    name = next(iter(recordings))
    found, random = recordings[name], campaign.random("cuts of the log")
    ends = found.last.ends[-4:]
    places = range(ends[0], ends[-1] + 1)
    # Every byte at full count; else some, and always those around the end of a commit.
    some = {at for end in ends for at in (end - 1, end, end + 1) if at in places}
    chosen = sorted(places if campaign.full else some | set(random.sample(places, CUTS_OF_A_SHORT_RUN)))
    refused = 0
    for at in chosen:
        state = cut_at(found, at, _witness_for(random, found, at))
        opened = _opens(quick, state, found, thorough=random.random() < 0.02)
        assert opened == state.opens_at, (
            f"seed {campaign.seed}, {name}: {state.told}; opened at {opened}, wanted {state.opens_at}"
        )
        refused += opened is None
    figures = {
        "bytes": len(places),
        "cut at": len(chosen),
        "restored": len(chosen) - refused,
        "refused": refused,
        "silently short": 0,
    }
    campaign.record("durability_cuts", f"the last three commits of {name}", figures)


def _witness_for(random: Random, found: Recording, at: int) -> Moment:
    """Return mostly a witness that a power cut can leave beside a log that ends there, sometimes a newer."""
    stands = cut_at(found, at, found.moments[0]).opens_at
    assert stands is not None
    newer = random.random() < 0.2
    return random.choice(
        [one for one in found.moments if (one.head.sequence > stands) == newer] or [found.last]
    )


def _opens(folder: Path, state: CrashState, recording: Recording, *, thorough: bool = True) -> int | None:
    """Lay out a state, open it as a home, and return the entry that it ends at, None where it is refused."""
    _lay_out(folder, state)
    try:
        with Home.open(folder) as home:
            if state.stamped is not None and state.opens_at is None:
                home.dataset("public")
            head = home.journal.head
            assert head.hash == recording.hashes[head.sequence], f"{state.told}: another history"
            if thorough:
                home.put(material.arrival(700, "after the crash"), stage=Stage.DRAFT)
    except DamagedHome:
        return None
    if thorough:
        found = verify(folder / JOURNAL, folder / WITNESS)
        assert found.sound, f"{state.told}: {found.problems[:3]}"
    return head.sequence


def _lay_out(folder: Path, state: CrashState) -> None:
    (folder / "home.json").write_text('{"layout": 1}\n')
    files = {JOURNAL: state.journal, LOG: state.log, INDEX: state.index, WITNESS: state.witness}
    for name, data in files.items():
        if data is None:
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_bytes(data)
    stamp = folder / "datasets/public" / STAMP
    stamp.unlink(missing_ok=True)
    if state.stamped is not None:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(Stamp(state.stamped.sequence, state.stamped.hash, "of some ontology").text())
