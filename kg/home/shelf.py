"""What is kept of a passport, and the shelf that keeps it: in memory here, in a folder in `folder.py`."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat

from battpass.kg.errors import NotFound
from battpass.kg.graphs import AccessClass, Finding, Graphs, quads
from battpass.kg.namespaces import node
from battpass.kg.passport import Passport

Outcome = Literal["added", "replaced", "unchanged"]

IDENTIFIERS = (node("bp:batteryIdentifier"), node("bp:passportIdentifier"))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A passport on its way in, with the document that it came from, byte for byte.

    `format` is the name of the document's format, `source` says where it came from, such as a file name.
    """

    passport: Passport
    findings: tuple[Finding, ...] = ()
    original: bytes = b""
    format: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a kept passport without reading its graphs.

    `graphs` and `original` are the digests of its item graphs and of its document, the latter empty where
    there was none; `identifiers` are the names of passport and battery as their maker wrote them.
    """

    record: str
    model: str
    identifiers: tuple[str, ...]
    format: str
    source: str
    graphs: str
    original: str
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, arrival: Arrival, graphs: bytes) -> "Kept":
        """Return what is kept of an arrival; `graphs` are its item graphs as text."""
        return cls(
            arrival.passport.record,
            arrival.passport.model,
            tuple(_identifiers(arrival.passport)),
            arrival.format,
            arrival.source,
            digest(graphs),
            digest(arrival.original) if arrival.original else "",
            arrival.findings,
        )

    def same(self, other: "Kept") -> bool:
        """Return whether both say the same, wherever it came from."""
        return self.record == other.record and self._content() == other._content()

    def _content(self) -> tuple[object, ...]:
        return self.model, self.format, self.graphs, self.original, self.findings


@dataclass(slots=True)
class Changes:
    """What a write changed: records and models that are new or other now, and those that have gone."""

    written: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    def add(self, more: "Changes") -> None:
        """Take further changes in."""
        self.written |= more.written
        self.gone |= more.gone


class Batch(Protocol):
    """Passports that come in together: all of them, or, if anything fails before `commit`, none."""

    def add(self, arrival: Arrival) -> Outcome:
        """Make an arrival ready; a later one of the same record takes its place."""
        ...

    def commit(self) -> Changes:
        """Keep all that was added."""
        ...

    def abandon(self) -> None:
        """Leave everything as it was."""
        ...


class Shelf(Protocol):
    """Keeps passports and their model records."""

    @property
    def state(self) -> str:
        """What changes with every write."""
        ...

    def entry(self, record: str) -> Kept | None:
        """Return what is known of one passport, or None where it is not kept."""
        ...

    def entries(self) -> Iterator[Kept]:
        """Yield what is known of each passport, by record."""
        ...

    def item_graphs(self, kept: Kept) -> Graphs:
        """Return the item graphs of a passport."""
        ...

    def model_graphs(self, model: str) -> Graphs:
        """Return the graphs of a model record."""
        ...

    def original(self, kept: Kept) -> bytes:
        """Return the document that a passport came from."""
        ...

    def batch(self) -> Batch:
        """Begin a write."""
        ...

    def remove(self, records: Iterable[str]) -> Changes:
        """Remove passports, and model records that no other passport points to."""
        ...

    def __len__(self) -> int:
        """Return how many passports there are."""
        ...


class MemoryShelf:
    """Passports in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Kept, Arrival]] = {}
        self._writes = 0

    @property
    def state(self) -> str:
        return str(self._writes)

    def take(self, added: dict[str, tuple[Kept, Arrival]], gone: Iterable[str] = ()) -> Changes:
        """Add passports and remove others."""
        before = _models(self)
        removed = {record for record in gone if self._kept.pop(record, None) is not None}
        self._kept.update(added)
        self._writes += 1
        written = {iri for kept, _ in added.values() for iri in (kept.record, kept.model)}
        return Changes(written, removed | (before - _models(self)))

    def entry(self, record: str) -> Kept | None:
        found = self._kept.get(record)
        return found[0] if found else None

    def entries(self) -> Iterator[Kept]:
        return (self._kept[record][0] for record in sorted(self._kept))

    def item_graphs(self, kept: Kept) -> Graphs:
        return self._kept[kept.record][1].passport.item_graphs

    def model_graphs(self, model: str) -> Graphs:
        for kept, arrival in self._kept.values():
            if kept.model == model:
                return arrival.passport.model_graphs
        raise NotFound(f"No passport here has the model record {model}.")

    def original(self, kept: Kept) -> bytes:
        return self._kept[kept.record][1].original

    def batch(self) -> "MemoryBatch":
        return MemoryBatch(self)

    def remove(self, records: Iterable[str]) -> Changes:
        return self.take({}, records)

    def __len__(self) -> int:
        return len(self._kept)


class MemoryBatch:
    """A write to a memory shelf."""

    def __init__(self, shelf: MemoryShelf) -> None:
        self._shelf = shelf
        self._added: dict[str, tuple[Kept, Arrival]] = {}

    def add(self, arrival: Arrival) -> Outcome:
        kept = Kept.of(arrival, text_of(arrival.passport.item_graphs))
        earlier = self._added.get(kept.record)
        before = earlier[0] if earlier else self._shelf.entry(kept.record)
        if before is not None and before.same(kept):
            return "unchanged"
        self._added[kept.record] = (kept, arrival)
        return "replaced" if before else "added"

    def commit(self) -> Changes:
        return self._shelf.take(self._added)

    def abandon(self) -> None:
        self._added = {}


def text_of(graphs: Graphs) -> bytes:
    """Return graphs as sorted N-Quads: equal graphs have one text.

    >>> text_of({})
    b''
    """
    text = pyoxigraph.serialize(quads(graphs), format=RdfFormat.N_QUADS)
    assert text is not None
    return b"".join(sorted(text.splitlines(keepends=True)))


def graphs_of(text: bytes) -> dict[AccessClass, frozenset[Quad]]:
    """Return graphs from their N-Quads, by the last segment of the graph names.

    Raises
    ------
    ValueError
        If the text is no N-Quads, or a graph name does not end in an access class.
    """
    graphs: dict[str, set[Quad]] = {}
    for quad in pyoxigraph.parse(text, format=RdfFormat.N_QUADS):
        name = quad.graph_name
        access = name.value.rpartition("/")[2] if isinstance(name, NamedNode) else ""
        graphs.setdefault(access, set()).add(quad)
    return {AccessClass(access): frozenset(part) for access, part in sorted(graphs.items())}


def digest(data: bytes) -> str:
    """Return the digest by which a file is named and checked when it is read."""
    return hashlib.sha256(data).hexdigest()[:32]


def _identifiers(passport: Passport) -> Iterator[str]:
    subjects = (NamedNode(passport.battery), NamedNode(passport.record))
    found = {
        quad.object.value
        for quad in passport.item_graphs.get(AccessClass.PUBLIC, frozenset())
        if quad.subject in subjects
        and quad.predicate in IDENTIFIERS
        and isinstance(quad.object, pyoxigraph.Literal)
    }
    return iter(sorted(found))


def _models(shelf: Shelf) -> set[str]:
    return {kept.model for kept in shelf.entries()}
