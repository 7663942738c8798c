"""Paths over the nodes of a chunk: from focus nodes to pairs of their place and a value node."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from pyoxigraph import NamedNode

from battpass.kg.validation.compiled.columns.encode import Chunk, Flags, Numbers
from battpass.kg.validation.compiled.paths import (
    Alternative,
    Inverse,
    Path,
    Predicate,
    Repeated,
    Steps,
    flattened,
    turned,
)

# Pairs of one path that are held at once, some hundred megabytes. They are records times nodes times nodes.
MOST_PAIRS = 10_000_000
_LOW = np.int64(2**32 - 1)
NONE = np.empty(0, dtype=np.int64)


class TooManyPairs(Exception):
    """A path has more pairs than memory is meant for: it is followed for each focus node by itself."""


class Pairs(NamedTuple):
    """Places of focus nodes, rising, and value nodes, rising and each once for a place."""

    rows: Numbers
    values: Numbers


class Relation:
    """The pairs of one property, each once: `values[starts[i]:starts[i + 1]]` belong to `nodes[i]`."""

    def __init__(self, subjects: Numbers, objects: Numbers) -> None:
        keys = distinct(joined(subjects, objects))
        whose, self.values = keys >> 32, keys & _LOW
        first = np.flatnonzero(np.diff(whose, prepend=-1))
        self.nodes = whose[first]
        self.starts = np.append(first, len(whose))

    def has(self, nodes: Numbers) -> Flags:
        """Return which nodes have the property."""
        return _among(self.nodes, nodes)[1]

    def of(self, nodes: Numbers, most: int | None = None) -> Pairs:
        """Return the values of nodes.

        Raises
        ------
        TooManyPairs
            If there are more than `most`: nodes that a path has reached often have their values as often.
        """
        places, found = _among(self.nodes, nodes)
        rows = np.flatnonzero(found)
        begins = self.starts[places[rows]]
        counts = self.starts[places[rows] + 1] - begins
        if len(counts) and counts.max() > 1:
            total = np.cumsum(counts)
            _check_room(int(total[-1]), most)
            places = np.arange(total[-1]) + np.repeat(begins - total + counts, counts)
            return Pairs(np.repeat(rows, counts), self.values[places])
        return Pairs(rows, self.values[begins])

    def size(self, nodes: Numbers) -> int:
        """Return how many values nodes have together."""
        places, found = _among(self.nodes, nodes)
        places = places[found]
        return int((self.starts[places + 1] - self.starts[places]).sum())

    def pairs(self) -> tuple[Numbers, Numbers]:
        """Return all subjects and objects."""
        return np.repeat(self.nodes, np.diff(self.starts)), self.values


class Relations:
    """All relations of a chunk, made when they are asked for. `tick` looks at the clock."""

    def __init__(self, chunk: Chunk[Any], tick: Callable[[], None]) -> None:
        self._chunk = chunk
        self._tick = tick
        self._forwards: dict[NamedNode, Relation] = {}
        self._backwards: dict[NamedNode, Relation] = {}
        self._steps: dict[Path, tuple[list[int], list[int]]] = {}

    def forwards(self, predicate: NamedNode) -> Relation:
        """Return the relation from subjects to objects."""
        found = self._forwards.get(predicate)
        if found is None:
            number = self._chunk.properties.get(predicate)
            pairs = (NONE, NONE) if number is None else self._chunk.pairs(number)
            found = self._forwards[predicate] = Relation(*pairs)
        return found

    def backwards(self, predicate: NamedNode) -> Relation:
        """Return the relation from objects to subjects."""
        found = self._backwards.get(predicate)
        if found is None:
            subjects, objects = self.forwards(predicate).pairs()
            found = self._backwards[predicate] = Relation(objects, subjects)
        return found

    def follow(self, path: Path, nodes: Numbers) -> Pairs:
        """Return the value nodes of a path."""
        match path:
            case Predicate(iri):
                return self.forwards(iri).of(nodes, MOST_PAIRS)
            case Inverse(Predicate(iri)):
                return self.backwards(iri).of(nodes, MOST_PAIRS)
            case Inverse(inner):
                return self.follow(turned(inner), nodes)
            case Steps(paths):
                here = Pairs(np.arange(len(nodes)), nodes)
                for step in paths:
                    rows, values = self.follow(step, here.values)
                    here = _tidy(here.rows[rows], values)
                return here
            case Alternative(paths):
                found = [self.follow(one, nodes) for one in paths]
                return _tidy(*(np.concatenate(column) for column in zip(*found, strict=True)))
            case Repeated(Repeated()):
                return self.follow(flattened(path), nodes)
            case Repeated(inner, least, endless):
                return self._endless(inner, least, nodes) if endless else self._once(inner, nodes)

    def _once(self, path: Path, nodes: Numbers) -> Pairs:
        rows, values = self.follow(path, nodes)
        return _tidy(np.append(rows, np.arange(len(nodes))), np.append(values, nodes))

    def _endless(self, path: Path, least: int, nodes: Numbers) -> Pairs:
        """Follow a path for each focus node by itself: how many rounds there are depends on the data."""
        starts, steps = self._steps_of(path)
        rows: list[int] = []
        values: list[int] = []
        for row, node in enumerate(nodes.tolist()):
            found = dict.fromkeys((node,) if least == 0 else steps[starts[node] : starts[node + 1]])
            open_ = list(found)
            count = 0
            while open_:
                here = open_.pop()
                count += 1
                if not count % 1024:
                    self._tick()
                for value in steps[starts[here] : starts[here + 1]]:
                    if value not in found:
                        found[value] = None
                        open_.append(value)
            if not row % 1024:
                self._tick()
            rows += [row] * len(found)
            values += found
            _check_room(len(rows), MOST_PAIRS)
        return _tidy(np.array(rows, dtype=np.int64), np.array(values, dtype=np.int64))

    def _steps_of(self, path: Path) -> tuple[list[int], list[int]]:
        """Return where a path leads from each node of the chunk, as lists, which are walked faster."""
        found = self._steps.get(path)
        if found is None:
            count = self._chunk.nodes
            rows, values = self.follow(path, np.arange(count))
            starts = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=count))))
            found = self._steps[path] = (starts.tolist(), values.tolist())
        return found


def _check_room(pairs: int, most: int | None) -> None:
    if most is not None and pairs > most:
        raise TooManyPairs


def joined(high: Numbers, low: Numbers) -> Numbers:
    """Return pairs as one number each, which rise as the pairs do."""
    return (high << 32) | low


def distinct(numbers: Numbers) -> Numbers:
    """Return numbers rising and each once."""
    numbers = np.sort(numbers)
    if len(numbers) < 2:
        return numbers
    new = np.empty(len(numbers), dtype=np.bool_)
    new[0] = True
    np.not_equal(numbers[1:], numbers[:-1], out=new[1:])
    return numbers if new.all() else numbers[new]


def _tidy(rows: Numbers, values: Numbers) -> Pairs:
    keys = distinct(joined(rows, values))
    return Pairs(keys >> 32, keys & _LOW)


def _among(rising: Numbers, wanted: Numbers) -> tuple[Numbers, Flags]:
    """Return for each number its place in a rising array, and whether it stands there."""
    if not len(rising):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=np.bool_)
    places = np.searchsorted(rising, wanted)
    places[places == len(rising)] = 0
    return places, rising[places] == wanted


def among(rising: Numbers, wanted: Numbers) -> Flags:
    """Return which numbers stand in a rising array."""
    return _among(rising, wanted)[1]
