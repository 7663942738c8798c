"""From statements to arrays: terms become numbers, and each record keeps its nodes to itself.

What is validated is each record alone, with the reference statements. So a node is a pair of record and term:
two records that speak of one IRI, or call a blank node by one label, have two nodes. The terms behind the
nodes are kept once for all records of a chunk, as what is asked of a term alone has one answer for all.

The first nodes of every record are those of the reference, and the terms that the caller names.
"""

import gc
from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple

from battpass.kg.index import Term
from battpass.kg.validation.compiled.index import Index

Numbers = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

# A chunk is closed when it has as many statements, with those of the reference for each record, or records.
STATEMENTS = 2_000_000
RECORDS = 2_000

KINDS = (NamedNode, BlankNode, Literal, Triple)

_SUBJECT, _PREDICATE, _OBJECT = attrgetter("subject"), attrgetter("predicate"), attrgetter("object")
Statements = Iterable[Quad] | Iterable[Triple]
Record = TypeVar("Record", bound=Hashable)
_Key = TypeVar("_Key")


class _Ids(dict[_Key, int]):
    """Numbers for keys, in the order in which they are asked for."""

    __slots__ = ()

    def __missing__(self, key: _Key) -> int:
        number = self[key] = len(self)
        return number


@dataclass(frozen=True)
class Chunk(Generic[Record]):
    """Some records as arrays.

    `bases` are the first nodes of the records, with the end; `terms_of` has the term of each node. The
    statements of record `r` are `starts[r]:starts[r + 1]` of `subjects`, `predicates` (numbers of their own)
    and `objects`, in the order in which they were given; those of the reference are kept once, in nodes of
    the first record.
    """

    records: tuple[Record, ...]
    bases: Numbers
    starts: Numbers
    terms_of: Small
    subjects: Small
    predicates: Small
    objects: Small
    reference: tuple[Small, Small, Small]
    terms: Sequence[Term] = field(repr=False)
    numbers: Mapping[Term, int] = field(repr=False)
    properties: Mapping[NamedNode, int] = field(repr=False)

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return int(self.bases[-1])

    @property
    def nbytes(self) -> int:
        """The size of the arrays in bytes, without the terms."""
        own = (self.bases, self.starts, self.terms_of, self.subjects, self.predicates, self.objects)
        return sum(column.nbytes for column in own)

    @cached_property
    def kinds(self) -> npt.NDArray[np.uint8]:
        """For each term the place of its type in `KINDS`."""
        places = {kind: place for place, kind in enumerate(KINDS)}
        return np.fromiter(
            map(places.__getitem__, map(type, self.terms)), dtype=np.uint8, count=len(self.terms)
        )

    @cached_property
    def grouped(self) -> tuple[Small, Small, Numbers]:
        """Subjects and objects of all records by predicate, and where each predicate begins."""
        predicates = self.predicates
        if len(self.properties) < 2**16:
            predicates = predicates.astype(np.uint16)  # which numpy sorts by counting
        order = np.argsort(predicates, kind="stable")
        counts = np.bincount(self.predicates, minlength=len(self.properties))
        return self.subjects[order], self.objects[order], np.concatenate(([0], np.cumsum(counts)))

    def pairs(self, predicate: int) -> tuple[Numbers, Numbers]:
        """Return subjects and objects of a predicate, those of the reference for each record."""
        subjects, objects, starts = self.grouped
        begin, end = starts[predicate : predicate + 2]
        mine, theirs = subjects[begin:end].astype(np.int64), objects[begin:end].astype(np.int64)
        shared = np.flatnonzero(self.reference[1] == predicate)
        if len(shared):
            bases = self.bases[:-1, None]
            mine = np.concatenate((mine, (bases + self.reference[0][shared]).ravel()))
            theirs = np.concatenate((theirs, (bases + self.reference[2][shared]).ravel()))
        return mine, theirs

    def records_of(self, nodes: Numbers) -> Numbers:
        """Return for each node the number of its record."""
        return np.searchsorted(self.bases, nodes, side="right") - 1

    def statements(self, record: int) -> Iterator[Triple]:
        """Yield the statements under validation of a record: its own, and then those of the reference."""
        begin, end = self.starts[record : record + 2]
        names, base = self._names, self.bases[record]
        parts = (
            (self.subjects[begin:end], self.predicates[begin:end], self.objects[begin:end]),
            (self.reference[0] + base, self.reference[1], self.reference[2] + base),
        )
        terms = self.terms
        for subjects, predicates, objects in parts:
            rows = zip(
                self.terms_of[subjects].tolist(),
                predicates.tolist(),
                self.terms_of[objects].tolist(),
                strict=True,
            )
            for subject, predicate, term in rows:
                yield Triple(terms[subject], names[predicate], terms[term])

    def index(self, record: int) -> Index:
        """Return the statements under validation of a record as the row executor takes them."""
        return Index(self.statements(record))

    @cached_property
    def _names(self) -> list[NamedNode]:
        return list(self.properties)


class Encoder(Generic[Record]):
    """Takes records one by one and gives them back as chunks.

    Parameters
    ----------
    reference
        Statements that belong to each record, such as the individuals that all of them point to.
    named
        Terms that are to be nodes of every record, whether it speaks of them or not.
    most
        Records of a chunk, which has fewer where they are large.
    """

    def __init__(
        self,
        reference: Statements = (),
        named: Iterable[Term] = (),
        most: int = RECORDS,
    ) -> None:
        shared, properties = _Ids[Term](), _Ids[NamedNode]()
        self._reference = _encoded(reference, shared, properties)
        for term in named:
            shared[term]
        self._shared, self._first_properties = dict(shared), dict(properties)
        self._most = most
        self._begin()

    def _begin(self) -> None:
        self._terms = _Ids(self._shared)
        self._properties = _Ids(self._first_properties)
        self._records: list[Record] = []
        self._bases, self._starts = array("q", [0]), array("q", [0])
        self._nodes: list[Small] = []
        self._parts: list[tuple[Small, Small, Small]] = []

    @property
    def full(self) -> bool:
        """Whether it is time to take the chunk."""
        repeated = len(self._records) * len(self._reference[0])
        return len(self._records) >= self._most or self._starts[-1] + repeated >= STATEMENTS

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: Record, statements: Statements) -> None:
        """Take in a record: what its report is to be called by, and its statements, graph names folded."""
        local = _Ids(self._shared)
        subjects, predicates, objects = _encoded(statements, local, self._properties)
        first, count = len(self._shared), len(local)
        new = list(local)[first:]
        nodes = np.empty(count, dtype=np.int32)
        nodes[:first] = np.arange(first)
        nodes[first:] = np.fromiter(map(self._terms.__getitem__, new), dtype=np.int32, count=len(new))
        base = self._bases[-1]
        self._parts.append((subjects + np.int32(base), predicates, objects + np.int32(base)))
        self._nodes.append(nodes)
        self._records.append(record)
        self._bases.append(base + count)
        self._starts.append(self._starts[-1] + len(subjects))

    def take(self) -> Chunk[Record]:
        """Return what was taken in since the last time."""
        columns = [_joined([part[place] for part in self._parts]) for place in range(3)]
        chunk = Chunk(
            records=tuple(self._records),
            bases=np.array(self._bases, dtype=np.int64),
            starts=np.array(self._starts, dtype=np.int64),
            terms_of=_joined(self._nodes),
            subjects=columns[0],
            predicates=columns[1],
            objects=columns[2],
            reference=self._reference,
            terms=list(self._terms),
            numbers=self._terms,
            properties=self._properties,
        )
        self._begin()
        return chunk


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking through all terms again and again while they are made."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _encoded(
    statements: Statements, terms: _Ids[Term], properties: _Ids[NamedNode]
) -> tuple[Small, Small, Small]:
    listed = list[Quad | Triple](statements)
    count = len(listed)
    return (
        np.fromiter(map(terms.__getitem__, map(_SUBJECT, listed)), dtype=np.int32, count=count),
        np.fromiter(map(properties.__getitem__, map(_PREDICATE, listed)), dtype=np.int32, count=count),
        np.fromiter(map(terms.__getitem__, map(_OBJECT, listed)), dtype=np.int32, count=count),
    )


def _joined(parts: list[Small]) -> Small:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)
