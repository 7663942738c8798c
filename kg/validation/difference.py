"""How one set of shapes differs from another: which shapes came, went or say something else.

A shape is compared by all that is stated of it, with the blank nodes below it written out in place; so shapes
are alike however their blank nodes are called and whatever file they stand in.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pyoxigraph import BlankNode, NamedNode

from battpass.kg.index import Index, Term
from battpass.kg.namespaces import RDF
from battpass.kg.validation.shapes import SHAPES, ShapeSet

_FIRST, _REST, _NIL = RDF + "first", RDF + "rest", RDF + "nil"


@dataclass(frozen=True, slots=True)
class Difference:
    """The names of what came, went and changed among the terms of the shapes, each sorted.

    Names are those after `bps:`, or whole IRIs where a set has shapes of another namespace.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def difference(old: ShapeSet, new: ShapeSet) -> Difference:
    """Return how a set of shapes differs from the one before it."""
    before, after = _stated(old), _stated(new)
    return Difference(
        added=_sorted(after.keys() - before.keys()),
        removed=_sorted(before.keys() - after.keys()),
        changed=_sorted({name for name in before.keys() & after.keys() if before[name] != after[name]}),
    )


def _sorted(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(name.removeprefix(SHAPES) for name in names))


def _stated(shapes: ShapeSet) -> Mapping[str, tuple[str, ...]]:
    """Return what is stated of each IRI."""
    names = {quad.subject.value for quad in shapes.quads if isinstance(quad.subject, NamedNode)}
    return {name: _statements(shapes.index, name) for name in names}


def _statements(index: Index, subject: str, within: frozenset[str] = frozenset()) -> tuple[str, ...]:
    return tuple(
        sorted(
            f"<{predicate}> {_written(index, term, within | {subject})}"
            for predicate in index.predicates(subject)
            for term in index.objects(subject, predicate)
        )
    )


def _written(index: Index, term: Term, within: frozenset[str]) -> str:
    """Return a term as text; blank nodes as what is stated of them, lists as their members."""
    here = str(term)
    if not isinstance(term, BlankNode) or here in within:
        return here
    if index.one(here, _FIRST) is None:
        return f"[ {' ; '.join(_statements(index, here, within))} ]"
    members: list[str] = []
    passed = set(within)
    while here != _NIL and here not in passed:
        passed.add(here)
        members += (_written(index, one, frozenset(passed)) for one in index.objects(here, _FIRST))
        rest = index.one(here, _REST)
        here = str(rest) if isinstance(rest, BlankNode) else _NIL
    return f"( {' '.join(members)} )"
