"""How far a plan looks: from which node to which, so whose statements may have a say in a report.

It is read off the plan and never missed by it: where a shape may look anywhere, as a query may, that is said.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pyoxigraph import NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import Constraint, TermConstraint
from battpass.kg.validation.compiled.constraints.cardinality import MaxCount, MinCount
from battpass.kg.validation.compiled.constraints.logical import And, Not, Or, Xone
from battpass.kg.validation.compiled.constraints.other import Closed, HasValue
from battpass.kg.validation.compiled.constraints.pairs import Disjoint, Equals, Less
from battpass.kg.validation.compiled.constraints.shape_based import Conforms, Property, Qualified
from battpass.kg.validation.compiled.constraints.strings import UniqueLang
from battpass.kg.validation.compiled.constraints.value_type import Class
from battpass.kg.validation.compiled.paths import (
    Alternative,
    Inverse,
    Path,
    Predicate,
    Repeated,
    Steps,
    turned,
)
from battpass.kg.validation.compiled.plan import Plan
from battpass.kg.validation.compiled.vocabulary import Node

# What looks at no statements beyond the value nodes themselves, at other properties of the focus node, or at
# statements about the value nodes. Whatever is in neither may look anywhere.
_AT_VALUES = (MinCount, MaxCount, HasValue, UniqueLang, TermConstraint)
_AT_FOCUS = (Equals, Disjoint, Less)
_BEYOND = (Class, Closed, Property, Conforms, Qualified, And, Not, Or, Xone)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a plan looks.

    `onward` are the properties after whose values it looks further, `backward` those that it follows from the
    value to who has it. `depth` is how many such looks it takes one after the other, None for any number.
    `pointed` are the properties whose values are focus nodes, `named` the nodes that shapes name. `anywhere`
    says that nothing of this bounds it.
    """

    onward: frozenset[Term]
    backward: frozenset[Term]
    pointed: frozenset[Term]
    named: frozenset[Term]
    depth: int | None
    anywhere: bool


def reach_of(plan: Plan) -> Reach:
    """Return how far a plan looks."""
    looks = _Looks(plan)
    endless = False
    depth = 0
    for shape in plan.targeted:
        one = looks.of_shape(shape.node)
        endless |= one is None
        depth = max(depth, one or 0)
    targets = [target for shape in plan.targeted for target in shape.targets]
    pointed = frozenset(target.term for target in targets if target.kind == "targetObjectsOf")
    return Reach(
        # Whoever is pointed to is looked at.
        frozenset(looks.onward) | pointed,
        frozenset(looks.backward),
        pointed,
        frozenset(target.term for target in targets if target.kind == "targetNode"),
        None if endless else depth,
        bool(plan.advanced) or looks.anywhere,
    )


class _Looks:
    """Follows the shapes of a plan; how many looks one after the other, None for any number."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._known: dict[Node, int | None] = {}
        self.onward: set[NamedNode] = set()
        self.backward: set[NamedNode] = set()
        self.anywhere = False

    def of_shape(self, node: Node) -> int | None:
        if node not in self._known:
            shape = self._plan.shapes[node]
            beyond = _longest(map(self._beyond, shape.constraints))
            along = 0 if shape.path is None else self._along(shape.path, further=beyond != 0)
            # Whether it has other properties than its path, too, is asked of the focus node itself.
            self._known[node] = _longest((_sum(along, beyond), 1))
        return self._known[node]

    def _beyond(self, constraint: Constraint) -> int | None:
        """Return how many looks a constraint takes from the value nodes on."""
        if isinstance(constraint, _BEYOND):
            return _longest((*map(self.of_shape, constraint.refers), 1))
        if not isinstance(constraint, _AT_VALUES + _AT_FOCUS):
            self.anywhere = True
        return 0

    def _along(self, path: Path, *, further: bool) -> int | None:
        """Return how many looks a path takes; `further` says that its ends are looked at."""
        match path:
            case Predicate(iri):
                if further:
                    self.onward.add(iri)
                return 1
            case Inverse(Predicate(iri)):
                self.backward.add(iri)
                return 1
            case Inverse(inner):
                return self._along(turned(inner), further=further)
            case Steps(paths):
                last = len(paths) - 1
                steps = [self._along(one, further=further or place < last) for place, one in enumerate(paths)]
                return _sum(*steps)
            case Alternative(paths):
                return _longest(self._along(one, further=further) for one in paths)
            case Repeated(inner, _, endless):
                once = self._along(inner, further=further or endless)
                return None if endless else once


def _longest(looks: Iterable[int | None]) -> int | None:
    found = list(looks)
    return None if None in found else max((one for one in found if one is not None), default=0)


def _sum(*looks: int | None) -> int | None:
    return None if None in looks else sum(one for one in looks if one is not None)
