"""Make `term-lock.csv` and `vocabulary.ttl` from the pinned ontology files. Run by hand when terms change.

    python -m battpass.kg.ontology.extract ONTOLOGIES

adds a row to the lock for every foreign term that the product has begun to name, and writes the
vocabulary extract anew. Only facts are taken: IRI, kind, label, named superclasses. What a person has
to settle (which parent stands for a context-only term) is left open in the lock, which then does not
load until it is settled.
"""

import csv
import io
import sys
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from battpass.kg.namespaces import BP, PREFIXES, RDF, RDFS, shorten
from battpass.kg.ontology.lock import COLUMNS, Status, Term, TermLock
from battpass.kg.ontology.pinned import BDF, OWL, Pinned
from battpass.kg.ontology.usage import used_terms
from battpass.kg.resources import ontology_path

# Source and version of a term by the prefix of its name.
SOURCES: Mapping[str, tuple[str, str]] = {
    "emmo": ("EMMO", "1.0.2"),
    "battery": ("domain-battery", "0.20.1"),
    "echem": ("domain-electrochemistry", "0.37.2"),
    "chemsub": ("domain-chemical-substance", "0.14.2"),
    "chameo": ("CHAMEO", "1.0.2"),
    "bvco": ("BVCO", "0.4.3"),
    "gpo": ("GPO", "ffa7778"),
    "unit": ("QUDT units", "3.5.0"),
    "rdf": ("RDF", "1.1"),
    "rdfs": ("RDF Schema", "1.1"),
    "owl": ("OWL", "2"),
    "xsd": ("XML Schema datatypes", "1.1"),
    "sh": ("SHACL", "1.0"),
    "dash": ("DASH", ""),
    "shui": ("SHACL 1.2 User Interfaces", "2026-05-26"),
    "skos": ("SKOS", "2009-08-18"),
    "dcterms": ("DCMI Metadata Terms", "2020-01-20"),
    "dcat": ("DCAT", "3"),
    "foaf": ("FOAF", "0.99"),
    "prov": ("PROV-O", "2013-04-30"),
    "schema": ("schema.org", ""),
    "qudt": ("QUDT schema", "3.5.0"),
    "csvw": ("CSV on the Web", "2016"),
    "odrl": ("ODRL", "2.2"),
    "mls": ("ML Schema", "2016"),
    "sosa": ("SOSA", "2017-10-19"),
}
# What the files themselves are written in needs no label in a dataset.
_LANGUAGES = ("rdf", "rdfs", "owl", "xsd", "sh", "dash", "shui")
_EMMO_LIKE = ("emmo", "battery", "echem", "chemsub", "chameo", "bvco", "gpo")
_BDF_SOURCE = ("Battery Data Format", "1.3.0")
_NEXT_VERSION = {"battery": "0.20.2", "echem": "0.37.2", "chemsub": "0.15.0"}

_HEADER = """\
# Extract of facts (IRI, kind, label, named superclasses) of the foreign terms in use and of all that lies
# above them, so that labels and rdfs:subClassOf* work with no ontology file at run time.
# Made by battpass.kg.ontology.extract; do not edit. Sources, all CC-BY-4.0:
# EMMO 1.0.2, domain-battery 0.20.1, domain-electrochemistry 0.37.2, domain-chemical-substance 0.14.2 and
# CHAMEO 1.0.2 of the EMMO association (https://github.com/emmo-repo); BVCO 0.4.3
# (https://github.com/Battery-Value-Chain-Ontology) and GPO (https://github.com/General-Process-Ontology).
"""


def complete(lock: Iterable[Term], names: Iterable[str], pinned: Pinned) -> list[Term]:
    """Return the lock with a row for every foreign IRI of `names`, sorted by prefix and label."""
    rows = {term.iri: term for term in lock}
    for iri in names:
        if iri not in rows and not iri.startswith(BP):
            rows[iri] = _row(iri, pinned)
    order = [*SOURCES, ""]
    return sorted(
        rows.values(), key=lambda term: (order.index(_prefix(term.iri)), term.label.casefold(), term.iri)
    )


def extract(lock: Iterable[Term], pinned: Pinned) -> list[Triple]:
    """Return the facts of the locked terms and of everything above them, superclasses in full.

    Superclasses are materialised: a term points to each of its ancestors, not only to the next one.
    """
    terms = {term.iri: term for term in lock if _prefix(term.iri) not in _LANGUAGES}
    above: dict[str, frozenset[str]] = {}
    for term in terms.values():
        above[term.iri] = pinned.ancestors(term.iri)
        if term.parent:
            above[term.iri] |= {term.parent} | pinned.ancestors(term.parent)
    for iri in frozenset().union(*above.values()) - above.keys():
        above[iri] = pinned.ancestors(iri)
    return [triple for iri in sorted(above) for triple in _facts(iri, above[iri], terms.get(iri), pinned)]


def as_csv(terms: Iterable[Term]) -> str:
    """Return the text of the lock."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for term in terms:
        cells = {column: str(cell) for column, cell in zip(COLUMNS, astuple(term), strict=True)}
        writer.writerow((cells | {"parent": shorten(term.parent)}).values())
    return text.getvalue()


def as_turtle(triples: Iterable[Triple]) -> str:
    """Return the text of the vocabulary extract."""
    prefixes = {prefix: PREFIXES[prefix] for prefix in (*_EMMO_LIKE, "owl", "rdfs")}
    return _HEADER + (serialize(triples, format=RdfFormat.TURTLE, prefixes=prefixes) or b"").decode()


def _row(iri: str, pinned: Pinned) -> Term:
    prefix = _prefix(iri)
    source, version = SOURCES.get(prefix, _BDF_SOURCE if iri.startswith(BDF) else ("", ""))
    declared = pinned.declaration(iri)
    if declared is None:
        # Where no file is pinned, the local name stands for the label.
        return Term(
            iri, shorten(iri), iri[len(PREFIXES.get(prefix, "")) :], source, version, Status.EXTERNAL, ""
        )
    if declared.status == Status.CONTEXT_ONLY:
        version = _NEXT_VERSION[prefix]
    label = min(declared.labels, key=lambda text: (len(text), text))
    return Term(iri, shorten(iri), label, source, version, Status(declared.status), "")


def _prefix(iri: str) -> str:
    prefix, colon, _ = shorten(iri).partition(":")
    return prefix if colon and prefix in SOURCES else ""


def _facts(iri: str, above: frozenset[str], term: Term | None, pinned: Pinned) -> Iterable[Triple]:
    declared = pinned.declaration(iri)
    subject = NamedNode(iri)
    if declared is not None:
        yield Triple(subject, NamedNode(RDF + "type"), NamedNode(declared.kind))
    labels = [term.label] if term else sorted(declared.labels if declared else [])
    for label in labels:
        yield Triple(subject, NamedNode(RDFS + "label"), Literal(label, language="en"))
    is_class = declared is None or declared.kind == OWL + "Class"
    upwards = NamedNode(RDFS + ("subClassOf" if is_class else "subPropertyOf"))
    for ancestor in sorted(above):
        yield Triple(subject, upwards, NamedNode(ancestor))


def main(arguments: list[str]) -> None:
    """Complete the lock and write the extract, from the folder named as the only argument."""
    (folder,) = arguments
    pinned = Pinned.load(Path(folder))
    path = ontology_path("term-lock.csv")
    terms = complete(TermLock.load() if path.exists() else [], used_terms(), pinned)
    path.write_text(as_csv(terms), encoding="utf-8")
    ontology_path("vocabulary.ttl").write_text(as_turtle(extract(terms, pinned)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
