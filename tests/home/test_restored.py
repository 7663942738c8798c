"""A home that is restored to an entry stands as it stood then, whatever later entries named."""

from pathlib import Path

from battpass.kg.graphs import AccessClass
from battpass.kg.home import Home
from battpass.kg.journal.backup import backup
from tests.home import small


def test_a_state_that_a_later_entry_took_away_whole_is_restored(tmp_path: Path) -> None:
    states = [
        small.said(small.record(1), {**values, "stays": "a"}, (AccessClass.PUBLIC,))
        | small.said(small.record(1), values, (AccessClass.ITEM,))
        for values in ({"a": 1}, {"a": 1, "b": 2}, {})
    ]
    with Home.open(tmp_path / "home", create=True) as home:
        for state in states:
            home.put(small.arrival(1, state=state))
        ends = [entry.sequence for entry in home.versions(small.record(1))]
    backup(tmp_path / "home", tmp_path / "kept.zip")
    for sequence, state in zip(ends, states, strict=True):
        Home.restore(tmp_path / "kept.zip", tmp_path / f"to {sequence}", sequence)
        with Home.open(tmp_path / f"to {sequence}") as restored:
            assert small.lines(restored.state(small.record(1)).item) == small.lines(small.text(state))
