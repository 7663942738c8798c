"""The term lock: every foreign term in use, pinned by IRI with label, version and status.

Upstream moves: labels repeat, IRIs change, terms are deprecated and come back. So code never resolves
a label; it names an IRI, and the lock says what that IRI was when it was chosen. A search by text is
for people and gives every hit.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from battpass.kg.errors import UnknownTerm
from battpass.kg.namespaces import expand, shorten
from battpass.kg.resources import ontology_path
from battpass.kg.tables import Row, read_table, unique

T = TypeVar("T")

COLUMNS = ("iri", "curie", "label", "source", "version", "status", "parent")


class Status(StrEnum):
    """How a foreign term stands in the pinned files."""

    DECLARED = "declared"
    """Declared and not deprecated."""
    LIVE_AGAIN = "deprecated-then-live"
    """Deprecated in the pinned file, defined anew in the next version."""
    CONTEXT_ONLY = "context-only"
    """Named by the JSON-LD context of the next version only; used beside its nearest declared parent."""
    EXTERNAL = "external"
    """Of a vocabulary that is not pinned as a file (W3C, schema.org, ...)."""


@dataclass(frozen=True, slots=True)
class Term:
    """One foreign term. `parent` is the IRI of the nearest declared parent, empty unless context-only."""

    iri: str
    curie: str
    label: str
    source: str
    version: str
    status: Status
    parent: str


class TermLock:
    """All foreign terms in use, by IRI or prefixed name.

    >>> lock = TermLock.load()
    >>> lock.term("emmo:AmpereHour").status
    <Status.DECLARED: 'declared'>
    >>> [term.source for term in lock.search("state of charge")]
    ['domain-electrochemistry']
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self._terms = {term.iri: term for term in terms}

    @classmethod
    def load(cls, path: Path | None = None) -> "TermLock":
        """Return the lock that is installed, or the one at `path`.

        Raises
        ------
        BadTable
            If a row is ill-formed, a term stands twice, or a context-only term has no parent.
        """
        rows = read_table(path or ontology_path("term-lock.csv"), COLUMNS)
        unique(rows, "iri")
        return cls([_term(row) for row in rows])

    def __iter__(self) -> Iterator[Term]:
        return iter(self._terms.values())

    def __len__(self) -> int:
        return len(self._terms)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str) -> Term | None:
        """Return the term of an IRI or prefixed name, None where it is not locked."""
        return self._terms.get(name) or self._terms.get(_full(name))

    def term(self, name: str) -> Term:
        """Return the term of an IRI or prefixed name; `UnknownTerm` where it is not locked."""
        found = self.get(name)
        if found is None:
            raise UnknownTerm(f"{name} is not in term-lock.csv. Look it up upstream, then add a row for it.")
        return found

    def search(self, text: str) -> tuple[Term, ...]:
        """Return all terms whose label holds every word of `text`, the closest first.

        Case, blanks and hyphens do not count: "state of charge" finds StateOfCharge.
        """
        return tuple(best(text, ((term, (term.label, term.curie)) for term in self)))


def best(text: str, candidates: Iterable[tuple[T, tuple[str, ...]]]) -> list[T]:
    """Return the candidates of which a name fits `text`: equal names first, then by start, then by part."""
    wanted, words = _plain(text), [_plain(word) for word in text.split()]
    ranked = []
    for place, (candidate, names) in enumerate(candidates):
        plain = [_plain(name) for name in names]
        rank = min((_rank(name, wanted, words) for name in plain), default=_NO_HIT)
        if words and rank < _NO_HIT:
            ranked.append((rank, min(map(len, plain)), place, candidate))
    return [candidate for *_, candidate in sorted(ranked, key=lambda hit: hit[:3])]


_NO_HIT = 4


def _rank(name: str, wanted: str, words: list[str]) -> int:
    if name == wanted:
        return 0
    if name.startswith(wanted):
        return 1
    if wanted in name:
        return 2
    return 3 if all(word in name for word in words) else _NO_HIT


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _full(name: str) -> str:
    try:
        return expand(name)
    except KeyError:
        return name


def _term(row: Row) -> Term:
    if shorten(row.needed("iri")) != row["curie"]:
        raise row.fault("curie", f"Write {shorten(row['iri'])}.")
    status = Status(row.one_of("status", [status.value for status in Status]))
    if bool(row["parent"]) != (status is Status.CONTEXT_ONLY):
        raise row.fault("parent", "Name the nearest declared parent of a context-only term, and of no other.")
    return Term(
        row["iri"],
        row["curie"],
        row.needed("label"),
        row.needed("source"),
        row["version"],
        status,
        row.term("parent") if row["parent"] else "",
    )
