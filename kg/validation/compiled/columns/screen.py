"""Which focus nodes fail, asked of all focus nodes of a chunk together.

The answer about a node is one of three numbers: it conforms, it fails, or only the row executor can tell. So
the logic is that of Kleene: all of several shapes is the largest answer, one of several the smallest.

What only the row executor can tell is a rule, not a matter of luck: queries, about the nodes for which
`search` does not rule out that they find something; comparisons of a node's many values with many others; and
paths that lead to more pairs than are held at once.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pyoxigraph import NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.columns.encode import Chunk, Numbers
from battpass.kg.validation.compiled.columns.relations import (
    NONE,
    Pairs,
    Relations,
    TooManyPairs,
    among,
    distinct,
)
from battpass.kg.validation.compiled.columns.search import Search
from battpass.kg.validation.compiled.columns.sets import CHECKS, FAILS, HOLDS, OPEN, Answers, Group
from battpass.kg.validation.compiled.columns.terms import Terms
from battpass.kg.validation.compiled.constraints.base import Constraint, TermConstraint
from battpass.kg.validation.compiled.constraints.logical import And, Not, Or, Xone
from battpass.kg.validation.compiled.constraints.shape_based import Conforms, Property, Qualified
from battpass.kg.validation.compiled.constraints.value_type import Class
from battpass.kg.validation.compiled.plan import Plan, Shape, Target
from battpass.kg.validation.compiled.vocabulary import SUBCLASS, TYPE, Node


class Screen:
    """A plan over one chunk. `tick` looks at the clock."""

    def __init__(self, plan: Plan, chunk: Chunk[Any], tick: Callable[[], None]) -> None:
        self._plan = plan
        self._chunk = chunk
        self._tick = tick
        self._relations = Relations(chunk, tick)
        self._terms = Terms(chunk, tick)
        self._search = Search(chunk, self._relations, tick)
        self._instances: dict[Term, Numbers] = {}
        # What shapes are asked for from several sides is kept, or shapes that multiply would be asked again.
        asked = Counter(
            node for shape in plan.shapes.values() for one in shape.constraints for node in one.refers
        )
        asked.update(shape.node for shape in plan.targeted)
        self._kept: dict[Node, Answers | None] = {
            node: None for node, times in asked.items() if times > 1 and plan.shapes[node].refers
        }

    def suspects(self) -> Iterator[tuple[Shape, Numbers, Answers]]:
        """Yield for each shape with targets the focus nodes that do not conform for sure, and the answers."""
        for shape in self._plan.targeted:
            self._tick()
            nodes = self._focuses(shape.targets)
            answers = self._ask(shape.node, nodes)
            found = np.flatnonzero(answers)
            yield shape, nodes[found], answers[found]

    def _focuses(self, targets: Sequence[Target]) -> Numbers:
        found = [self._of_target(target) for target in targets]
        return found[0] if len(found) == 1 else distinct(np.concatenate(found))

    def _of_target(self, target: Target) -> Numbers:
        term = target.term
        if target.kind == "targetNode":
            return self._chunk.bases[:-1] + self._terms.number(term)
        if target.kind == "targetClass":
            return self.instances(term)
        assert isinstance(term, NamedNode)
        if target.kind == "targetSubjectsOf":
            return self._relations.forwards(term).nodes
        return self._relations.backwards(term).nodes

    def instances(self, kind: Term) -> Numbers:
        """Return the nodes that are instances of a class, in the record to which they belong."""
        found = self._instances.get(kind)
        if found is None:
            classes = self._classes(kind)
            found = distinct(self._relations.backwards(TYPE).of(classes).values) if len(classes) else NONE
            self._instances[kind] = found
        return found

    def _classes(self, kind: Term) -> Numbers:
        """Return the nodes of a class and of those below it, in all records."""
        number = self._terms.number(kind)
        if number < 0:
            return NONE
        here = np.flatnonzero(self._chunk.terms_of == number)
        below = self._relations.backwards(SUBCLASS)
        if not len(below.nodes):
            return here
        met = np.zeros(self._chunk.nodes, dtype=np.bool_)
        met[here] = True
        rounds = 0
        while len(here):
            following = below.of(here).values
            here = distinct(following[~met[following]])
            met[here] = True
            rounds += 1
            if not rounds % 256:
                self._tick()
        return np.flatnonzero(met)

    def _ask(self, node: Node, nodes: Numbers) -> Answers:
        """Return the answers of a shape about nodes, which rise and stand there once."""
        if not len(nodes):
            return np.empty(0, dtype=np.uint8)
        if node not in self._kept:
            return self._judge(self._plan.shapes[node], nodes)
        kept = self._kept[node]
        if kept is None:
            kept = self._kept[node] = np.full(self._chunk.nodes, _UNASKED, dtype=np.uint8)
        new = nodes[kept[nodes] == _UNASKED]
        if len(new):
            kept[new] = self._judge(self._plan.shapes[node], new)
        return kept[nodes]

    def _ask_any(self, node: Node, nodes: Numbers) -> Answers:
        """Return the answers of a shape about nodes in whatever order."""
        if len(nodes) < 2 or (nodes[1:] > nodes[:-1]).all():
            return self._ask(node, nodes)
        once = distinct(nodes)
        return self._ask(node, once)[np.searchsorted(once, nodes)]

    def _judge(self, shape: Shape, nodes: Numbers) -> Answers:
        try:
            return self._judged(shape, nodes)
        except TooManyPairs:
            return np.full(len(nodes), OPEN)

    def _judged(self, shape: Shape, nodes: Numbers) -> Answers:
        out = np.zeros(len(nodes), dtype=np.uint8)
        if shape.deactivated or not shape.constraints:
            return out
        self._tick()
        if shape.path is None:
            pairs = Pairs(np.arange(len(nodes)), nodes)
        else:
            pairs = self._relations.follow(shape.path, nodes)
        group = Group(nodes, pairs, self._chunk, self._relations, self._terms, self._search)
        for constraint in shape.constraints:
            check = CHECKS.get(type(constraint))
            if check is not None:
                np.maximum(out, check(constraint, group), out=out)
            elif isinstance(constraint, Qualified):
                np.maximum(out, self._qualified(constraint, group), out=out)
            elif len(pairs.values):
                spread(out, pairs.rows, self._of_values(constraint, pairs.values))
        return out

    def _of_values(self, constraint: Constraint, values: Numbers) -> Answers:
        """Return for each value node what a constraint over single values says."""
        match constraint:
            case TermConstraint():
                return np.where(self._terms.satisfy(constraint, values), HOLDS, FAILS)
            case Class(kind):
                return np.where(among(self.instances(kind), values), HOLDS, FAILS)
            case Conforms(node) | Property(node):
                return self._ask_any(node, values)
            case Not(node):
                return FAILS - self._ask_any(node, values)
            case And(nodes):
                out = np.full(len(values), HOLDS)
                for node in nodes:
                    np.maximum(out, self._ask_any(node, values), out=out)
                return out
            case Or(nodes):
                out = np.full(len(values), FAILS)
                for node in nodes:
                    np.minimum(out, self._ask_any(node, values), out=out)
                return out
            case Xone(nodes):
                sure, most = np.zeros((2, len(values)), dtype=np.int64)
                for node in nodes:
                    answers = self._ask_any(node, values)
                    sure += answers == HOLDS
                    most += answers != FAILS
                return _counted(sure, most, 1, 1)
        raise TypeError(f"{type(constraint).__name__} has no form in columns")

    def _qualified(self, constraint: Qualified, group: Group) -> Answers:
        values = group.pairs.values
        answers = self._ask_any(constraint.shape, values)
        for node in constraint.siblings:
            answers = np.maximum(answers, FAILS - self._ask_any(node, values))
        sure = np.bincount(group.pairs.rows[answers == HOLDS], minlength=len(group.nodes))
        most = np.bincount(group.pairs.rows[answers != FAILS], minlength=len(group.nodes))
        if constraint.side == "Min":
            return _counted(sure, most, constraint.count, None)
        return _counted(sure, most, 0, constraint.count)


_UNASKED = 255


def spread(out: Answers, rows: Numbers, answers: Answers) -> None:
    """Put what is said of value nodes to the account of their focus nodes."""
    bad = np.flatnonzero(answers)
    if len(bad):
        np.maximum.at(out, rows[bad], answers[bad])


def _counted(
    sure: npt.NDArray[np.int64], most: npt.NDArray[np.int64], least: int, limit: int | None
) -> Answers:
    """Return whether a number between two bounds is what it should be."""
    never = most < least
    always = sure >= least
    if limit is not None:
        never |= sure > limit
        always &= most <= limit
    return np.where(never, FAILS, np.where(always, HOLDS, OPEN))
