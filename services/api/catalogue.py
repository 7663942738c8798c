"""The list of passports: found by identifier, a page at a time; knows only what the public may read."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from battpass.kg.home import Home, Kept
from battpass.services.api.lexicon import Speech
from battpass.services.api.page import Summary, summary_of

PER_PAGE = 25
_MOST_REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some of the passports that were found; `page` counts from 1."""

    summaries: tuple[Summary, ...]
    count: int
    page: int
    pages: int


class Catalogue:
    """Lists the passports of a home. Summaries are remembered by the digest of what they were made from."""

    def __init__(self, home: Home, audience: str) -> None:
        self._home = home
        self._audience = audience
        self._guard = threading.Lock()
        self._entries: tuple[object, tuple[Kept, ...]] = (None, ())
        self._summaries: OrderedDict[tuple[str, str, str, str], Summary] = OrderedDict()

    def find(self, text: str, page: int, speech: Speech) -> Excerpt:
        """Return a page of those passports whose own or whose battery's identifier contains a text."""
        wanted = text.strip().lower()
        found = [
            kept
            for kept in self._all()
            if not wanted or any(wanted in name.lower() for name in (kept.record, *kept.identifiers))
        ]
        pages = max(1, -(-len(found) // PER_PAGE))
        page = min(max(1, page), pages)
        some = found[(page - 1) * PER_PAGE : page * PER_PAGE]
        return Excerpt(tuple(self._summary(kept, speech) for kept in some), len(found), page, pages)

    def _all(self) -> tuple[Kept, ...]:
        state = self._state()
        with self._guard:
            if state is None or self._entries[0] != state:
                self._entries = (state, tuple(self._home.entries()))
            return self._entries[1]

    def _state(self) -> object:
        """Return what is another after every write to the home, None where that cannot be told."""
        if self._home.folder is None:
            return None
        about = (self._home.folder / "home.json").stat()
        return about.st_mtime_ns, about.st_ino

    def _summary(self, kept: Kept, speech: Speech) -> Summary:
        key = (kept.record, kept.graphs, kept.model, speech.language)
        with self._guard:
            known = self._summaries.get(key)
        if known is not None:
            return known
        summary = summary_of(self._home.passport(kept.record, self._audience), speech)
        with self._guard:
            self._summaries[key] = summary
            if len(self._summaries) > _MOST_REMEMBERED:
                self._summaries.popitem(last=False)
        return summary
