"""The digest of a graph with blank nodes: equal for equal graphs, whatever their blank nodes are called."""

from collections.abc import Iterable
from hashlib import sha256

from pyoxigraph import BlankNode, Quad, Triple

from battpass.kg.index import Term

_Statement = tuple[Term, Term, Term]
# Shapes are trees of blank nodes, which their content tells apart. Only where equal blank nodes stand at
# several places does the place count, and that near ones differ is enough: they are equal shapes.
_ROUNDS = 3


def digest_of(statements: Iterable[Quad] | Iterable[Triple]) -> str:
    """Return the SHA-256 of a graph; takes time linear in its size, unlike a canonical form.

    A blank node is known by what is said of it, with that of the blank nodes which it leads to, and then by
    where it stands. A loop of blank nodes is cut where it is met first.
    """
    told: list[_Statement] = [(one.subject, one.predicate, one.object) for one in statements]
    names = _by_content(told)
    for _ in range(_ROUNDS if names else 0):
        seen: dict[Term, list[str]] = {node: [name] for node, name in names.items()}
        for subject, predicate, term in told:
            if isinstance(term, BlankNode):
                seen[term].append(f"{_named(subject, names)} {predicate}")
        names = {node: _hash(sorted(parts)) for node, parts in seen.items()}
    return _hash(sorted(" ".join(_named(term, names) for term in one) for one in dict.fromkeys(told)))


def _by_content(told: list[_Statement]) -> dict[Term, str]:
    content: dict[Term, list[tuple[Term, Term]]] = {}
    for subject, predicate, term in told:
        if isinstance(subject, BlankNode):
            content.setdefault(subject, []).append((predicate, term))
        if isinstance(term, BlankNode):
            content.setdefault(term, [])
    names: dict[Term, str] = {}
    begun: set[Term] = set()
    for start in content:
        open_ = [start]
        while open_:
            node = open_[-1]
            if node in begun:
                open_.pop()
                if node not in names:
                    names[node] = _hash(
                        sorted(f"{predicate} {_named(term, names)}" for predicate, term in content[node])
                    )
                continue
            begun.add(node)
            open_ += [term for _, term in content[node] if isinstance(term, BlankNode) and term not in begun]
    return names


def _named(term: Term, names: dict[Term, str]) -> str:
    return f"_:{names.get(term, '')}" if isinstance(term, BlankNode) else str(term)


def _hash(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()
