"""What is asked of terms alone: asked once for each distinct term of a chunk."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from pyoxigraph import BlankNode, Literal, NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.columns.encode import Chunk, Flags, Numbers
from battpass.kg.validation.compiled.constraints.base import TermConstraint, TermTest
from battpass.kg.validation.compiled.constraints.value_type import NodeKind
from battpass.kg.validation.compiled.literals import Value, value_of

_UNKNOWN, _NO, _YES = 0, 1, 2
# One term of each type in the order of `encode.KINDS`, but for triples.
_SAMPLES = (NamedNode("urn:x"), BlankNode("x"), Literal(""))
# How many terms are looked at between two looks at the clock.
_MANY = 1024


class Terms:
    """The answers for the terms of a chunk."""

    def __init__(self, chunk: Chunk[Any], tick: Callable[[], None]) -> None:
        self._chunk = chunk
        self._tick = tick
        self._known: dict[TermConstraint, npt.NDArray[np.uint8]] = {}
        self._tags: npt.NDArray[np.int32] | None = None
        self._values: dict[int, Value | None] = {}

    def satisfy(self, constraint: TermConstraint, nodes: Numbers) -> Flags:
        """Return which nodes satisfy a constraint."""
        known = self._known.get(constraint)
        if known is None:
            known = self._known[constraint] = self._begun(constraint)
        terms = self._chunk.terms_of[nodes]
        answers = known[terms]
        new = terms[answers == _UNKNOWN]
        if len(new):
            self._ask(constraint.test(), np.unique(new).tolist(), known)
            answers = known[terms]
        return np.equal(answers, _YES)

    def _begun(self, constraint: TermConstraint) -> npt.NDArray[np.uint8]:
        if isinstance(constraint, NodeKind):
            holds = constraint.test()
            answers = [_YES if holds(term) else _NO for term in _SAMPLES]
            return np.array([*answers, _NO], dtype=np.uint8)[self._chunk.kinds]
        return np.zeros(len(self._chunk.terms), dtype=np.uint8)

    def _ask(self, holds: TermTest, terms: list[int], known: npt.NDArray[np.uint8]) -> None:
        every = self._chunk.terms
        for start in range(0, len(terms), _MANY):
            self._tick()
            some = terms[start : start + _MANY]
            known[some] = [_YES if holds(every[term]) else _NO for term in some]

    def number(self, term: Term) -> int:
        """Return the number of a term, -1 if no record speaks of it."""
        return self._chunk.numbers.get(term, -1)

    def tags(self, nodes: Numbers) -> npt.NDArray[np.int32]:
        """Return numbers for the language tags of nodes, -1 where there is none."""
        if self._tags is None:
            numbers: dict[str, int] = {}
            self._tags = np.full(len(self._chunk.terms), -1, dtype=np.int32)
            for place in np.flatnonzero(self._chunk.kinds == 2).tolist():
                term = self._chunk.terms[place]
                if isinstance(term, Literal) and (tag := term.language):
                    self._tags[place] = numbers.setdefault(tag.lower(), len(numbers))
        return self._tags[self._chunk.terms_of[nodes]]

    def value(self, number: int) -> Value | None:
        """Return the value of a term, as far as it compares."""
        if number not in self._values:
            term = self._chunk.terms[number]
            self._values[number] = value_of(term) if isinstance(term, Literal) else None
        return self._values[number]
