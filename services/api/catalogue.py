"""The lists of passports: of what is published for pages, of what a caller may see for programs."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from battpass.kg.errors import Archived, NotFound
from battpass.kg.home import Home
from battpass.kg.journal.entry import Entry
from battpass.services.api.lexicon import Speech
from battpass.services.api.page import Summary, summary_of
from battpass.services.api.reading import Reading

PER_PAGE = 25
PUBLIC = "public"
_MOST_REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some of the passports that were found; `page` counts from 1."""

    summaries: tuple[Summary, ...]
    count: int
    page: int
    pages: int


class Catalogue:
    """Lists the passports of a home.

    The names of what is published are held in memory and follow the journal entry by entry. Summaries are
    remembered by the tag of what they were made from.
    """

    def __init__(self, home: Home, reading: Reading) -> None:
        self._home = home
        self._reading = reading
        self._following = threading.Lock()
        self._at = 0
        self._names: dict[str, str] = {}
        self._records: tuple[str, ...] = ()
        self._guard = threading.Lock()
        self._summaries: OrderedDict[tuple[str, str], Summary] = OrderedDict()

    def find(self, text: str, page: int, speech: Speech) -> Excerpt:
        """Return a page of what is published and has a text in its own or its battery's identifier."""
        records, names = self._published()
        wanted = text.strip().lower()
        found = [record for record in records if wanted in names[record]] if wanted else records
        pages = max(1, -(-len(found) // PER_PAGE))
        page = min(max(1, page), pages)
        some = found[(page - 1) * PER_PAGE : page * PER_PAGE]
        return Excerpt(tuple(self._shown(some, speech)), len(found), page, pages)

    def part(self, audience: str, after: str, most: int) -> tuple[list[Entry], bool]:
        """Return the passports that an audience may see, after `after`, and whether there are more."""
        # A passport may have two states that stand, its draft and what is published.
        records = list(islice(self._home.records(audience, after, 2 * most + 2), most + 1))
        entries = []
        for record in records[:most]:
            try:
                entries.append(self._reading.entry(record, audience))
            except (NotFound, Archived):
                continue  # it went while this was read
        return entries, len(records) > most and bool(entries)

    def _published(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the records that are published, in order, and the names of each in small letters."""
        with self._following:
            head = self._home.sequence
            if self._at != head:
                names = dict(self._names)
                for entry in self._changed(head):
                    names.pop(entry.record, None)
                    try:
                        found = self._home.entry(entry.record, PUBLIC)
                    except (NotFound, Archived):
                        continue
                    names[found.record] = " ".join((found.record, *found.told.identifiers)).lower()
                self._at, self._names, self._records = head, names, tuple(sorted(names))
            return self._records, self._names

    def _changed(self, head: int) -> Iterator[Entry]:
        """Yield an entry of each record that changed since this was last asked."""
        if self._at == 0:
            return self._home.entries(PUBLIC)
        latest = {entry.record: entry for entry in self._home.journal.entries(self._at, head)}
        return (entry for entry in latest.values() if not entry.is_model)

    def _shown(self, records: tuple[str, ...] | list[str], speech: Speech) -> Iterator[Summary]:
        for record in records:
            try:
                yield self._summary(self._home.entry(record, PUBLIC), speech)
            except (NotFound, Archived):
                continue  # it went while this was read

    def _summary(self, entry: Entry, speech: Speech) -> Summary:
        key = (self._reading.state_tag(entry, PUBLIC), speech.language)
        with self._guard:
            known = self._summaries.get(key)
        if known is not None:
            return known
        summary = summary_of(self._home.passport(entry.record, PUBLIC, version=entry.version), speech)
        with self._guard:
            self._summaries[key] = summary
            if len(self._summaries) > _MOST_REMEMBERED:
                self._summaries.popitem(last=False)
        return summary
