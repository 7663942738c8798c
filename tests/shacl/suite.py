"""The test suite of the W3C for SHACL 1.0: its tests, and the comparison of reports that it asks for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    NamedNode,
    Quad,
    RdfFormat,
    Triple,
    parse,
)

from battpass.kg.index import Term
from battpass.kg.validation.compiled.index import Index
from battpass.kg.validation.compiled.vocabulary import FIRST, NIL, REST, sh

MANIFEST = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
SUITE = "http://www.w3.org/ns/shacl-test#"
_KEPT = (
    "focusNode",
    "resultPath",
    "resultSeverity",
    "sourceConstraint",
    "sourceConstraintComponent",
    "sourceShape",
    "value",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One test: what is validated against what, and the node of what is to come out."""

    name: str
    data: Path
    shapes: Path
    file: Path
    result: Term


@cache
def quads_of(path: Path) -> tuple[Quad, ...]:
    """Return the statements of a file, with its own IRI as base."""
    return tuple(parse(path.read_bytes(), RdfFormat.TURTLE, base_iri=path.as_uri()))


def cases(folder: Path) -> Iterator[Case]:
    """Yield the tests of a folder: of all files, as one test is in no manifest of manifests."""
    for file in sorted(folder.rglob("*.ttl")):
        index = Index(quads_of(file))
        for test in sorted(index.instances(NamedNode(f"{SUITE}Validate")), key=str):
            action = index.objects(test, NamedNode(f"{MANIFEST}action"))[0]
            data, shapes = (
                index.objects(action, NamedNode(SUITE + local))[0] for local in ("dataGraph", "shapesGraph")
            )
            result = index.objects(test, NamedNode(f"{MANIFEST}result"))[0]
            name = "/".join((*file.parts[-3:-1], str(test).rpartition("/")[2].strip("<>")))
            yield Case(name, _path(data), _path(shapes), file, result)


def _path(term: Term) -> Path:
    assert isinstance(term, NamedNode)
    return Path(term.value.removeprefix("file://"))


def must_fail(case: Case) -> bool:
    """Return whether the shapes are to be refused."""
    return case.result == NamedNode(f"{SUITE}Failure")


def expected(case: Case) -> Dataset:
    """Return the expected report in the form in which reports are compared."""
    return reduced(quads_of(case.file), messages=has_messages(case), report=case.result)


def has_messages(case: Case) -> bool:
    """Return whether the expected report has messages, so that they are compared."""
    index = Index(quads_of(case.file))
    results = index.objects(case.result, sh("result"))
    return any(index.objects(result, sh("resultMessage")) for result in results)


def reduced(
    statements: Iterable[Quad] | Iterable[Triple], *, messages: bool, report: Term | None = None
) -> Dataset:
    """Return of a report what the suite compares, with canonical names for its blank nodes."""
    index = Index(statements)
    if report is None:
        (report,) = index.instances(sh("ValidationReport"))
    kept = [*_KEPT, *(("resultMessage",) if messages else ())]
    found = list(_of(index, report, ["conforms", "result"]))
    for number, result in enumerate(index.objects(report, sh("result"))):
        for quad in _of(index, result, kept):
            if quad.predicate == sh("resultPath"):
                path, written = _copied(index, quad.object, f"r{number}")
                found += [Quad(quad.subject, quad.predicate, path), *written]  # type: ignore[arg-type]
            else:
                found.append(quad)
    dataset = Dataset(found)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def _of(index: Index, node: Term, kept: list[str]) -> Iterator[Quad]:
    for local in kept:
        for term in index.objects(node, sh(local)):
            yield Quad(node, sh(local), term)  # type: ignore[arg-type]


def _copied(index: Index, node: Term, label: str) -> tuple[Term, list[Quad]]:
    """Return a copy of a path, so that no two results share its blank nodes."""
    if not isinstance(node, BlankNode):
        return node, []
    own = BlankNode(f"{label}x")
    found = []
    for number, (predicate, terms) in enumerate(index.properties(node)):
        # Of a node that is a list and more, only the list counts.
        if index.objects(node, FIRST) and predicate not in (FIRST, REST):
            continue
        below, written = _copied(index, terms[0], f"{label}x{number}") if terms[0] != NIL else (NIL, [])
        found += [Quad(own, predicate, below), *written]  # type: ignore[arg-type]
    return own, found
