"""The plan: what a shapes graph asks for, as values that never change.

Nothing of it refers to any data, so that one plan serves every executor: one record at a time, or the columns
of a fleet. Shapes refer to each other by their nodes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.errors import BadShapes
from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import Constraint
from battpass.kg.validation.compiled.paths import Path
from battpass.kg.validation.compiled.queries import Query
from battpass.kg.validation.compiled.sparql import Asks, Selects
from battpass.kg.validation.compiled.syntax import bad, shown
from battpass.kg.validation.compiled.vocabulary import Node

# Each level takes some frames of Python's stack.
DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Target:
    """Says which nodes of the data a shape is about: `kind` is the local name of the target's property."""

    kind: str
    term: Term


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape. With a path it is a property shape, without one a node shape."""

    node: Node
    path: Path | None
    targets: tuple[Target, ...]
    constraints: tuple[Constraint, ...]
    severity: NamedNode
    messages: tuple[Literal, ...]
    deactivated: bool

    @property
    def refers(self) -> tuple[Node, ...]:
        """The shapes that its constraints ask."""
        return tuple(dict.fromkeys(node for one in self.constraints for node in one.refers))


@dataclass(frozen=True, slots=True)
class Plan:
    """All shapes of a shapes graph, by node; `digest` is the SHA-256 of the graph.

    `advanced` names what the graph uses of SHACL Advanced Features. Where it uses any, the plan has no
    shapes, and pySHACL runs the graph.
    """

    digest: str
    shapes: Mapping[Node, Shape] = field(hash=False)
    quads: tuple[Quad, ...] = field(hash=False, repr=False)
    advanced: tuple[str, ...] = ()

    @property
    def targeted(self) -> tuple[Shape, ...]:
        """The shapes with which a validation begins."""
        return tuple(shape for shape in self.shapes.values() if shape.targets and not shape.deactivated)

    @property
    def queries(self) -> tuple[Query, ...]:
        """The queries of all constraints."""
        return tuple(
            constraint.query
            for shape in self.shapes.values()
            for constraint in shape.constraints
            if isinstance(constraint, Selects | Asks)
        )


def check_references(shapes: Mapping[Node, Shape]) -> None:
    """Refuse shapes that ask themselves, on whatever way, and such as are nested too deep.

    Raises
    ------
    BadShapes
        The standard leaves open what recursive shapes mean.
    """
    depths: dict[Node, int] = {}
    for start in shapes:
        _measure(start, shapes, depths)


def _measure(start: Node, shapes: Mapping[Node, Shape], depths: dict[Node, int]) -> None:
    # By hand, as a chain of shapes may be longer than Python's stack.
    trail: dict[Node, list[Node]] = {start: list(shapes[start].refers)}
    while trail:
        node, waiting = next(reversed(trail.items()))
        if node in depths or not waiting:
            below = [depths[one] for one in shapes[node].refers]
            depths.setdefault(node, 1 + max(below, default=0))
            if depths[node] > DEEPEST:
                raise bad(node, f"shapes within shapes go deeper than {DEEPEST} levels", "Make them flatter")
            del trail[node]
            continue
        following = waiting.pop()
        if following in trail:
            raise _recursive([*trail][[*trail].index(following) :])
        if following not in depths:
            trail[following] = list(shapes[following].refers)


def _recursive(loop: list[Node]) -> BadShapes:
    way = " to ".join(shown(node) for node in (*loop[:8], *(() if len(loop) > 8 else loop[:1])))
    return bad(
        loop[0],
        f"the shape asks itself: {way}. What that means the standard leaves open",
        "Break the loop, for example with sh:class in the place of sh:node",
    )
