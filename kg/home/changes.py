"""What is asked of a home, as a change of its journal, and what became of it."""

from battpass.kg.home.arrival import Arrival, Outcome, Written
from battpass.kg.home.conformance import without_conformance
from battpass.kg.journal.entry import Action, Entry, Note, Stage
from battpass.kg.journal.prepare import Change


def change_of(arrival: Arrival, stage: Stage, actor: str, reason: str, expected: int | None) -> Change:
    """Return the change of an item that an arrival asks for."""
    return Change(
        arrival.record,
        stage,
        without_conformance(arrival.record, arrival.item),
        model=arrival.model,
        expected=expected,
        actor=actor,
        note=Note(reason, arrival.source, arrival.identifiers, arrival.findings),
        original=arrival.original,
        format=arrival.format,
        report=arrival.report,
    )


def model_of(arrival: Arrival, actor: str) -> Change:
    """Return the change that brings the model record of an arrival."""
    return Change(arrival.model, Stage.PUBLISHED, arrival.model_parts, action=Action.MODEL, actor=actor)


def written(entry: Entry, new: bool) -> Written:
    """Return what became of a write: the entry that stands, and whether it is new."""
    outcome: Outcome = "unchanged" if not new else "added" if entry.version == 1 else "replaced"
    return Written(entry.record, entry.version, entry.sequence, entry.stage, outcome)
