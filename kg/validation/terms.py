"""Between the terms of pyoxigraph and those of rdflib, by hand: no text is written and parsed again.

Lexical forms stay as they are: rdflib would turn "01" into "1", and a report must show what was there.
rdflib also reads the value of each typed literal, and logs, warns or fails where it cannot. So what is
ill-typed, or of a datatype that no shape asks for, goes in under a datatype that it does not know.
"""

from collections.abc import Callable, Iterable, Mapping

from pyoxigraph import BlankNode, Literal, NamedNode, Quad
from rdflib import BNode, Graph, URIRef
from rdflib import Literal as RdflibLiteral
from rdflib.term import Node

from battpass.kg.index import Term
from battpass.kg.literals import date_text, date_time_text, decimal_of, is_text
from battpass.kg.namespaces import XSD

_STRING = XSD + "string"
_OPAQUE = "urn:battpass:opaque:"


def _is_decimal(text: str) -> bool:
    return "e" not in text.lower() and decimal_of(text) is not None


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").removeprefix("+").isdecimal() and text.isascii()


# The datatypes that rdflib may read, each with the test that it will be able to.
_READABLE: Mapping[str, Callable[[str], bool]] = {
    XSD + "decimal": _is_decimal,
    XSD + "integer": _is_integer,
    XSD + "boolean": lambda text: text in ("true", "false", "1", "0"),
    XSD + "date": lambda text: date_text(text) is not None,
    XSD + "dateTime": lambda text: date_time_text(text) is not None,
    XSD + "anyURI": is_text,
}


def to_rdflib(term: Term) -> Node:
    """Return the rdflib term; a plain string has no datatype there, as pySHACL expects."""
    if isinstance(term, NamedNode):
        return URIRef(term.value)
    if isinstance(term, BlankNode):
        return BNode(term.value)
    if isinstance(term, Literal):
        if term.language:
            return RdflibLiteral(term.value, lang=term.language, normalize=False)
        datatype = term.datatype.value
        if datatype == _STRING:
            return RdflibLiteral(term.value, normalize=False)
        readable = _READABLE.get(datatype)
        if readable is None or not readable(term.value):
            datatype = _OPAQUE + datatype
        return RdflibLiteral(term.value, datatype=URIRef(datatype), normalize=False)
    raise TypeError(f"{term} has no place in an rdflib graph")


def from_rdflib(node: Node) -> Term:
    """Return the pyoxigraph term."""
    if isinstance(node, URIRef):
        return NamedNode(str(node))
    if isinstance(node, BNode):
        return BlankNode(str(node))
    if isinstance(node, RdflibLiteral):
        if node.language:
            return Literal(str(node), language=node.language)
        datatype = str(node.datatype or _STRING).removeprefix(_OPAQUE)
        return Literal(str(node), datatype=NamedNode(datatype))
    raise TypeError(f"{node!r} is no RDF term")


def to_rdflib_graph(quads: Iterable[Quad]) -> Graph:
    """Return the statements as one rdflib graph; graph names are folded."""
    graph = Graph(bind_namespaces="none")
    known: dict[Term, Node] = {}

    def one(term: Term) -> Node:
        found = known.get(term)
        if found is None:
            found = known[term] = to_rdflib(term)
        return found

    for quad in quads:
        graph.add((one(quad.subject), one(quad.predicate), one(quad.object)))
    return graph
