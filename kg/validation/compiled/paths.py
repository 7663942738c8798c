"""Property paths: how they are written, and how they are followed over an index."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pyoxigraph import BlankNode, NamedNode, Triple

from battpass.kg.index import Term
from battpass.kg.validation.compiled.index import Index
from battpass.kg.validation.compiled.vocabulary import FIRST, NIL, REST, Node, sh

Follow = Callable[[Index, Term], Sequence[Term]]


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
            return lambda index, focus: index.by_object(iri).get(focus, ())
        case Inverse(inner):
            return follow(turned(inner))
        case Steps(paths):
            return _in_turn(tuple(follow(one) for one in paths))
        case Alternative(paths):
            return _any_of(tuple(follow(one) for one in paths))
        case Repeated(inner, least, endless):
            step = follow(inner)
            return _endless(step, least) if endless else _at_most_once(step)


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
    def forwards(index: Index, focus: Term) -> Sequence[Term]:
        members = index.table.get(iri)
        return () if members is None else members.get(focus, ())

    return forwards


def _in_turn(steps: tuple[Follow, ...]) -> Follow:
    def in_turn(index: Index, focus: Term) -> Sequence[Term]:
        here: Sequence[Term] = (focus,)
        for step in steps:
            if len(here) == 1:
                here = step(index, here[0])
            else:
                here = list(dict.fromkeys(found for one in here for found in step(index, one)))
            if not here:
                return ()
        return here

    return in_turn


def _any_of(steps: tuple[Follow, ...]) -> Follow:
    return lambda index, focus: list(dict.fromkeys(found for step in steps for found in step(index, focus)))


def _at_most_once(step: Follow) -> Follow:
    return lambda index, focus: list(dict.fromkeys((focus, *step(index, focus))))


def _endless(step: Follow, least: int) -> Follow:
    def endless(index: Index, focus: Term) -> Sequence[Term]:
        found = dict.fromkeys((focus,) if least == 0 else step(index, focus))
        open_ = list(found)
        while open_:
            for term in step(index, open_.pop()):
                if term not in found:
                    found[term] = None
                    open_.append(term)
        return list(found)

    return endless


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
