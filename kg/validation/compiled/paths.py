"""Property paths: how they are written, and how they are followed over an index."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pyoxigraph import BlankNode, NamedNode, Triple

from battpass.kg.index import Term
from battpass.kg.validation.compiled.index import Index
from battpass.kg.validation.compiled.vocabulary import FIRST, NIL, REST, Node, sh


class Walk(Protocol):
    """What following a path needs: the data, a look at the clock, and what has been found so far."""

    index: Index
    walked: dict["Follow", dict[Term, Sequence[Term]]]
    room: int

    def tick(self) -> None:
        """Raise DeadlineExceeded if there is no time left."""
        ...

    def watched(self, terms: Sequence[Term]) -> Iterator[Term] | Sequence[Term]:
        """Return the terms, looking at the clock between them."""
        ...


Follow = Callable[[Walk, Term], Sequence[Term]]
# Nodes of an endless path between two looks at the clock.
_MANY = 256


@dataclass(frozen=True, slots=True)
class Predicate:
    """One property."""

    iri: NamedNode


@dataclass(frozen=True, slots=True)
class Inverse:
    """A path, backwards."""

    path: "Path"


@dataclass(frozen=True, slots=True)
class Steps:
    """Paths one after the other."""

    paths: tuple["Path", ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Any of some paths."""

    paths: tuple["Path", ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A path as often as wanted: from `least` times, 0 or 1, to once or without end."""

    path: "Path"
    least: int
    endless: bool


Path = Predicate | Inverse | Steps | Alternative | Repeated


def follow(path: Path) -> Follow:
    """Return the function from a focus node to its value nodes, each once."""
    match path:
        case Predicate(iri):
            return _forwards(iri)
        case Inverse(Predicate(iri)):
            return lambda walk, focus: walk.index.by_object(iri).get(focus, ())
        case Inverse(inner):
            return follow(turned(inner))
        case Steps(paths):
            return _in_turn(tuple(follow(one) for one in paths))
        case Alternative(paths):
            return _any_of(tuple(follow(one) for one in paths))
        case Repeated(Repeated()):
            return follow(flattened(path))
        case Repeated(inner, least, endless):
            step = follow(inner)
            if not endless:
                return _at_most_once(step)
            return _endless(_remembered(step) if _is_endless(inner) else step, least)


def flattened(path: Repeated) -> Repeated:
    """Return a path that repeats a repeated path as one that repeats once: `(p+)?` is `p*`."""
    inner = path.path
    if not isinstance(inner, Repeated):
        return path
    return flattened(Repeated(inner.path, min(path.least, inner.least), path.endless or inner.endless))


def _is_endless(path: Path) -> bool:
    """Return whether a path repeats without end, or one within it does."""
    match path:
        case Predicate():
            return False
        case Steps(paths) | Alternative(paths):
            return any(map(_is_endless, paths))
        case Inverse(inner):
            return _is_endless(inner)
        case Repeated(inner, _, endless):
            return endless or _is_endless(inner)


def turned(path: Path) -> Path:
    """Return the path that leads back."""
    match path:
        case Predicate():
            return Inverse(path)
        case Inverse(inner):
            return inner
        case Steps(paths):
            return Steps(tuple(turned(one) for one in reversed(paths)))
        case Alternative(paths):
            return Alternative(tuple(turned(one) for one in paths))
        case Repeated(inner, least, endless):
            return Repeated(turned(inner), least, endless)


def _forwards(iri: NamedNode) -> Follow:
    def forwards(walk: Walk, focus: Term) -> Sequence[Term]:
        members = walk.index.table.get(iri)
        return () if members is None else members.get(focus, ())

    return forwards


def _in_turn(steps: tuple[Follow, ...]) -> Follow:
    def in_turn(walk: Walk, focus: Term) -> Sequence[Term]:
        here: Sequence[Term] = (focus,)
        for step in steps:
            if len(here) == 1:
                here = step(walk, here[0])
            else:
                here = list(dict.fromkeys(found for one in walk.watched(here) for found in step(walk, one)))
            if not here:
                return ()
        return here

    return in_turn


def _any_of(steps: tuple[Follow, ...]) -> Follow:
    return lambda walk, focus: list(dict.fromkeys(found for step in steps for found in step(walk, focus)))


def _at_most_once(step: Follow) -> Follow:
    return lambda walk, focus: list(dict.fromkeys((focus, *step(walk, focus))))


def _endless(step: Follow, least: int) -> Follow:
    def endless(walk: Walk, focus: Term) -> Sequence[Term]:
        walk.tick()
        found = dict.fromkeys((focus,) if least == 0 else step(walk, focus))
        open_ = list(found)
        count = 0
        while open_:
            count += 1
            if not count % _MANY:
                walk.tick()
            for term in step(walk, open_.pop()):
                if term not in found:
                    found[term] = None
                    open_.append(term)
        return list(found)

    return endless


def _remembered(step: Follow) -> Follow:
    """Return the same function, which looks from each node once, as long as there is room to remember.

    An endless path within an endless one would else take a power of the nodes.
    """

    def remembered(walk: Walk, focus: Term) -> Sequence[Term]:
        known = walk.walked.setdefault(step, {})
        found = known.get(focus)
        if found is None:
            found = step(walk, focus)
            if walk.room >= len(found):
                walk.room -= len(found)
                known[focus] = found
        return found

    return remembered


def sparql(path: Path) -> str:
    """Return the path in SPARQL, fit for the place of a predicate."""
    match path:
        case Predicate(iri):
            return str(iri)
        case Inverse(inner):
            return f"(^{sparql(inner)})"
        case Steps(paths):
            return f"({'/'.join(map(sparql, paths))})"
        case Alternative(paths):
            return f"({'|'.join(map(sparql, paths))})"
        case Repeated(inner, least, endless):
            return f"({sparql(inner)}{'?' if not endless else '+' if least else '*'})"


def statements(path: Path, label: str) -> tuple[Node, Iterator[Triple]]:
    """Return the node of a path and the statements that write it, with blank nodes named from `label`.

    No two results share the blank nodes of a path: the test suite of the W3C compares them one by one.
    """
    if isinstance(path, Predicate):
        return path.iri, iter(())
    written: list[Triple] = []
    return _write(path, label, written), iter(written)


def _write(path: Path, label: str, written: list[Triple]) -> Node:
    match path:
        case Predicate(iri):
            return iri
        case Steps(paths):
            return _write_list(paths, label, written)
        case Alternative(paths):
            name, value = "alternativePath", _write_list(paths, label + "l", written)
        case Inverse(inner):
            name, value = "inversePath", _write(inner, label + "i", written)
        case Repeated(inner, least, endless):
            name = "zeroOrOnePath" if not endless else "oneOrMorePath" if least else "zeroOrMorePath"
            value = _write(inner, label + "r", written)
    node = BlankNode(label)
    written.append(Triple(node, sh(name), value))
    return node


def _write_list(paths: tuple[Path, ...], label: str, written: list[Triple]) -> Node:
    nodes = [BlankNode(f"{label}n{number}") for number in range(len(paths))]
    for number, path in enumerate(paths):
        written.append(Triple(nodes[number], FIRST, _write(path, f"{label}m{number}", written)))
        rest = nodes[number + 1] if number + 1 < len(nodes) else NIL
        written.append(Triple(nodes[number], REST, rest))
    return nodes[0]
