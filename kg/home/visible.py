"""What of a record an audience may see: which of its states stands for it, cut to its access classes."""

from datetime import datetime

from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.access import Audience
from battpass.kg.errors import Archived, NotFound
from battpass.kg.graphs import AccessClass
from battpass.kg.home.arrival import State
from battpass.kg.home.conformance import with_conformance
from battpass.kg.journal.entry import Entry, Stage
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.parts import Parts
from battpass.kg.namespaces import node
from battpass.kg.passport import graph_name

STATUS = node("schema:creativeWorkStatus")


def stages(reader: Audience) -> tuple[Stage, ...]:
    """Return the stages that an audience sees; drafts are their owner's alone."""
    return (Stage.PUBLISHED, Stage.DRAFT) if reader.own else (Stage.PUBLISHED,)


def standing(journal: Journal, record: str, reader: Audience) -> Entry | None:
    """Return the entry whose state stands for an audience, None where there is none for it.

    That is what is published; for the owner the draft where nothing is published yet.
    """
    found = journal.standing(record)
    return next((found[stage] for stage in stages(reader) if stage in found), None)


def entry_for(
    journal: Journal,
    record: str,
    reader: Audience,
    *,
    stage: Stage | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Entry:
    """Return one entry of a passport, as far as an audience may know of it.

    Raises
    ------
    NotFound
        If there is none, or none for this audience: the two are not told apart.
    Archived
        If the passport has ceased to exist, and the audience could see it before.
    """
    found = journal.standing(record)
    if not found or any(entry.is_model for entry in found.values()):
        raise _missing()
    if Stage.ARCHIVED in found:
        if reader.own or any(entry.stage is Stage.PUBLISHED for entry in journal.history(record)):
            raise Archived("This passport has ceased to exist: its battery was recycled.")
        raise _missing()
    seen = stages(reader) if stage is None else tuple({stage} & set(stages(reader)))
    if version is None and at is None:
        entry = next((found[one] for one in seen if one in found), None)
    else:
        entry = next(
            (
                one
                for one in reversed(journal.history(record))
                if one.stage in (seen if stage or version else (Stage.PUBLISHED,))
                and (version is None or one.version == version)
                and (at is None or one.time <= at)
            ),
            None,
        )
    if entry is None:
        if not set(stages(reader)) & set(found):
            raise _missing()
        asked = f"version {version}" if version is not None else f"state of {at}" if at else f"{stage} state"
        raise NotFound(f"{record} has no {asked}, or none to be shown here. Ask for its versions.")
    return entry


def state_for(journal: Journal, entry: Entry, reader: Audience) -> State:
    """Return the state after an entry of an item, with its model record, cut to an audience."""
    return State(
        entry.record,
        entry.model,
        with_conformance(journal, entry, journal.state(entry, reader.classes)),
        model_parts(journal, entry.model, reader.classes),
    )


def model_parts(journal: Journal, model: str, classes: frozenset[AccessClass]) -> dict[AccessClass, bytes]:
    """Return the texts of a model record."""
    entry = journal.model(model)
    return dict(journal.state(entry, classes)) if entry else {}


def item_parts(journal: Journal, entry: Entry, reader: Audience) -> Parts:
    """Return what a dataset holds of an item; one that shows drafts says which passports are drafts."""
    parts = dict(with_conformance(journal, entry, journal.state(entry, reader.classes)))
    if reader.own:
        name = graph_name(entry.record, AccessClass.DOCUMENT)
        status = Quad(NamedNode(entry.record), STATUS, Literal(entry.stage.value.capitalize()), name)
        parts[AccessClass.DOCUMENT] = parts.get(AccessClass.DOCUMENT, b"") + f"{status} .\n".encode()
    return parts


def _missing() -> NotFound:
    return NotFound(
        "No passport here is called so. Name it by its UUID, its IRI or the identifier of the battery."
    )
