"""The vocabulary graph that every dataset carries: own terms, tables as terms, and what lies above them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyoxigraph import NamedNode, RdfFormat, Triple, parse

from battpass.kg.errors import BadTable
from battpass.kg.namespaces import RDFS
from battpass.kg.resources import ontology_path

FILES = ("battpass.ttl", "properties.ttl", "attributes.ttl", "concepts.ttl", "vocabulary.ttl")

_UPWARDS = (NamedNode(RDFS + "subClassOf"), NamedNode(RDFS + "subPropertyOf"))


def vocabulary_triples(folder: Path | None = None) -> list[Triple]:
    """Return labels, definitions, facts of attributes, and all superclasses of the terms in use.

    Superclasses and superproperties are materialised: each term points to all that lie above it, so one
    step is enough, and `rdfs:subClassOf*` gives the same. Reads files; the caller keeps the result.

    Raises
    ------
    BadTable
        If a file of `folder` (the installed `ontology/` by default) is missing or is no Turtle.
    """
    triples = dict.fromkeys(triple for name in FILES for triple in _read((folder or ontology_path()) / name))
    for upwards in _UPWARDS:
        triples |= dict.fromkeys(_closure(triples, upwards))
    return list(triples)


def _read(path: Path) -> list[Triple]:
    try:
        return [quad.triple for quad in parse(path.read_bytes(), RdfFormat.TURTLE)]
    except (OSError, SyntaxError) as error:
        raise BadTable(f"{path.name} cannot be read: {error}. Restore the file, or reinstall.") from error


def _closure(triples: Iterable[Triple], upwards: NamedNode) -> Iterator[Triple]:
    above: dict[NamedNode, list[NamedNode]] = defaultdict(list)
    for triple in triples:
        subject, end = triple.subject, triple.object
        if triple.predicate == upwards and isinstance(subject, NamedNode) and isinstance(end, NamedNode):
            above[subject].append(end)
    for start, parents in above.items():
        found: set[NamedNode] = set()
        open_ends = list(parents)
        while open_ends:
            end = open_ends.pop()
            if end not in found:
                found.add(end)
                open_ends += above.get(end, ())
        yield from (Triple(start, upwards, end) for end in found if end != start)
