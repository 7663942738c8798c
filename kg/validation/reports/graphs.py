"""Reports as the graph of the W3C, in the syntaxes that it is asked for."""

from collections.abc import Iterable, Iterator, Mapping

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse, serialize

from battpass.kg.namespaces import PREFIXES
from battpass.kg.validation.compiled.vocabulary import TYPE, sh

SYNTAXES: Mapping[str, RdfFormat] = {
    "turtle": RdfFormat.TURTLE,
    "n-triples": RdfFormat.N_TRIPLES,
    "json-ld": RdfFormat.JSON_LD,
}
_PREFIXES = {name: PREFIXES[name] for name in ("bp", "dcterms", "rdf", "rdfs", "sh", "xsd")}
_PREFIXES["bps"] = "https://w3id.org/battpass/shapes#"
_TITLE = NamedNode(PREFIXES["dcterms"] + "title")


def n_triples(triples: Iterable[Triple]) -> bytes:
    """Return a report as N-Triples: what workers send, and all other syntaxes are made from."""
    return serialize(triples, format=RdfFormat.N_TRIPLES) or b""


def graph(reports: Iterable[tuple[str, bytes]], syntax: str) -> bytes:
    """Return reports, given as N-Triples, as one graph; each bears the name of its document, if it has one.

    Reports share no blank nodes. `syntax` is a key of `SYNTAXES`.
    """
    chosen = SYNTAXES[syntax]
    prefixes = None if chosen is RdfFormat.N_TRIPLES else _PREFIXES
    text = serialize(_triples(tuple(reports)), format=chosen, prefixes=prefixes) or b""
    return text if text.endswith(b"\n") else text + b"\n"


def _triples(reports: tuple[tuple[str, bytes], ...]) -> Iterator[Triple]:
    for number, (name, text) in enumerate(reports):
        # A number and a sign that no number has, so that no label of one report is that of another.
        prefix = f"d{number}_" if len(reports) > 1 else ""
        for quad in parse(text, format=RdfFormat.N_TRIPLES):
            triple = _renamed(quad.triple, prefix)
            yield triple
            if name and triple.predicate == TYPE and triple.object == sh("ValidationReport"):
                yield Triple(triple.subject, _TITLE, Literal(name))


def _renamed(triple: Triple, prefix: str) -> Triple:
    """Return a triple with a prefix before the labels of its blank nodes."""
    subject, term = triple.subject, triple.object
    if isinstance(subject, BlankNode):
        subject = BlankNode(prefix + subject.value)
    if isinstance(term, BlankNode):
        term = BlankNode(prefix + term.value)
    return Triple(subject, triple.predicate, term)
