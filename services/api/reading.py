"""The rules of reading: which state of a passport a caller gets, under which tag, and its bytes in a format.

What is not there and what a caller may not see are one and the same answer. A passport that was published and
archived is gone for everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from battpass.kg.access import Audience
from battpass.kg.errors import NotFound
from battpass.kg.home import Home
from battpass.kg.journal.entry import Entry, Stage
from battpass.services.api.preconditions import state_tag
from battpass.services.api.remembered import Remembered
from battpass.services.exchange.registry import format_named

OWNER = "owner"

_MOST_FOUND = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which state of a passport is asked for; none named: what is published, for its owner else the draft."""

    stage: Stage | None = None
    version: int | None = None
    at: datetime | None = None


LATEST = Wanted()


class Reading:
    """Reads passports of a home for audiences; keeps what it made for the next reader."""

    def __init__(self, home: Home, audiences: Mapping[str, Audience], remembered: Remembered) -> None:
        self._home = home
        self._audiences = audiences
        self._remembered = remembered
        self._found: dict[tuple[str, str], tuple[int, Entry]] = {}

    def known(self, name: str, audience: str) -> Entry | None:
        """Return the latest entry if it was found before and nothing was written since; never waits."""
        at, entry = self._found.get((name, audience), (-1, None))
        return entry if at == self._home.sequence else None

    def entry(self, name: str, audience: str, wanted: Wanted = LATEST) -> Entry:
        """Return the entry whose state a caller gets.

        Raises
        ------
        NotFound
            If there is none, or none that this audience may see: nobody can tell which.
        Archived
            If the passport has ceased to exist.
        """
        if audience != OWNER and wanted.stage not in (None, Stage.PUBLISHED):
            # Asked all the same: a passport that is gone is gone whatever was asked for.
            self._entry(name, audience, LATEST)
            raise nothing_here(name)
        at = self._home.sequence
        found = self._entry(name, audience, wanted)
        if wanted == LATEST:
            if len(self._found) >= _MOST_FOUND:
                self._found.clear()
            self._found[name, audience] = (at, found)
        if wanted.version is not None and audience != OWNER and found not in self.versions(name, audience):
            raise nothing_here(name)
        return found

    def newest(self, name: str) -> Entry:
        """Return the entry that a change starts from: the draft if there is one, else what is published."""
        try:
            return self._home.entry(name, OWNER, stage=Stage.DRAFT)
        except NotFound:
            return self._entry(name, OWNER, LATEST)

    def versions(self, name: str, audience: str) -> list[Entry]:
        """Return the versions that an audience may know of, the oldest first.

        One that changed nothing of what the audience sees would only tell that something else has changed.
        """
        try:
            entries = self._home.versions(name, audience)
        except NotFound:
            raise nothing_here(name) from None
        if audience == OWNER:
            return entries
        tags = [self.state_tag(entry, audience) for entry in entries]
        return [
            entry for entry, tag, before in zip(entries, tags, ["", *tags], strict=False) if tag != before
        ]

    def state_tag(self, entry: Entry, audience: str) -> str:
        """Return the tag of what an audience sees of a state; nothing is read for it."""
        reader = self._audiences[audience]
        visible = [(str(access), name) for access, name in entry.state.items() if reader.reads(access)]
        return state_tag(audience, entry.record, entry.model, visible)

    def remembered(self, entry: Entry, audience: str, format_name: str) -> bytes | None:
        """Return the document of a state where it was made before."""
        return self._remembered.get((self.state_tag(entry, audience), format_name))

    def document(self, entry: Entry, audience: str, format_name: str) -> bytes:
        """Return as much of a state as an audience may see, in a format. This takes some milliseconds."""

        def make() -> bytes:
            state = self._home.state(entry.record, audience, version=entry.version)
            return format_named(format_name).dump(state.passport())

        return self._remembered.made((self.state_tag(entry, audience), format_name), make)

    def _entry(self, name: str, audience: str, wanted: Wanted) -> Entry:
        try:
            return self._home.entry(name, audience, stage=wanted.stage, version=wanted.version, at=wanted.at)
        except NotFound:
            raise nothing_here(name) from None


def nothing_here(name: str) -> NotFound:
    """Return the one answer for what is not there and for what a caller may not see.

    >>> print(nothing_here("x"))
    There is nothing here under 'x' that you may see.
    """
    return NotFound(f"There is nothing here under {name[:120]!r} that you may see.")


def short(record: str) -> str:
    """Return the last part of a record's IRI, by which it is addressed.

    >>> short("https://w3id.org/battpass/id/p/0bd91ad9")
    '0bd91ad9'
    """
    return record.rpartition("/")[2]
