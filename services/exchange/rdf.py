"""A passport as RDF itself: N-Quads and JSON-LD with its named graphs, Turtle without.

Foreign text is parsed in a sealed worker, or in place where the process is sealed itself. Statements without
a named graph go where the tables put their property; blank nodes get names from the canonical form of the
document (RDFC-1.0).
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    Triple,
    serialize,
)

from battpass.kg.attributes import load_attributes
from battpass.kg.dataset.parse import parse_foreign, parse_in_place
from battpass.kg.errors import BadDocument
from battpass.kg.graphs import AccessClass
from battpass.kg.index import Index
from battpass.kg.mapping.gate import bare, complete, rename_model, settle
from battpass.kg.mapping.mapping import Mapping
from battpass.kg.mapping.placement import Placement
from battpass.kg.namespaces import BASE, PREFIXES, shorten
from battpass.kg.passport import DESCRIBES, MODEL, PASSPORT_CLASS, Passport, battery_of, group
from battpass.services.exchange.battery_pass import TABLE
from battpass.services.exchange.registry import Loaded

TYPE = NamedNode(PREFIXES["rdf"] + "type")

# What reads a document: its bytes, media type and base.
Parse = Callable[[bytes, str, str], list[Quad]]

# In a supplement, `<record#model>` stands for the model record, whose name is a digest nobody can know.
MODEL_ALIAS = "#model"


@dataclass
class Rdf:
    """One RDF syntax as a format of passports."""

    name: str
    title: str
    media_type: str
    suffix: str
    syntax: RdfFormat
    base: str = field(default=BASE)
    parse: Parse = field(default=parse_foreign, repr=False)

    def in_place(self) -> "Rdf":
        """Return this syntax for use in a sealed process, where documents are parsed without another one."""
        return replace(self, parse=parse_in_place)

    @cached_property
    def mapping(self) -> Mapping:
        """The mapping whose table places statements in access classes, and its derivation."""
        return Mapping.load(TABLE, "/metadata/passportIdentifier", self.base)

    def takes(self, data: bytes) -> bool:
        """Return whether a document looks like this syntax."""
        head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
        if self.syntax == RdfFormat.JSON_LD:
            return head.startswith((b"{", b"[")) and (b'"@id"' in head or b'"@context"' in head)
        is_turtle = head.startswith((b"@prefix", b"PREFIX", b"@base", b"BASE", b"#"))
        if self.syntax == RdfFormat.TURTLE:
            return is_turtle
        return head.startswith((b"<", b"_:")) and not is_turtle

    def load(self, data: bytes) -> Loaded:
        """Return the one passport that an RDF document describes."""
        found = _named(self.parse(data, self.media_type, self.base))
        records = sorted(
            {
                quad.subject.value
                for quad in found
                if quad.predicate == TYPE
                and quad.object == PASSPORT_CLASS
                and isinstance(quad.subject, NamedNode)
            }
        )
        if len(records) != 1:
            raise BadDocument(
                f"The document describes {len(records)} passports; one at a time is read here. "
                "Type exactly one node as bp:BatteryPassport."
            )
        passport = self._passport(found, records[0])
        return Loaded(passport, (), {})

    def supplement(self, data: bytes, passport: Passport) -> Passport:
        """Return a passport with what a document adds to it.

        The document names the passport's record, its battery, and `<record#model>` for its model record.

        Raises
        ------
        BadDocument
            If the document says nothing of this passport, or contradicts it.
        """
        alias = passport.record + MODEL_ALIAS
        found = _named(self.parse(data, self.media_type, passport.record))
        statements = [_renamed(quad, alias, passport.model) for quad in found]
        if not any(
            str(one.subject).startswith((f"<{passport.record}", f"<{passport.model}")) for one in statements
        ):
            raise BadDocument(
                f"The document says nothing of {passport.record}. Use that IRI, its #battery and its #model."
            )
        added = self._placement.place(statements, passport.record, passport.model)
        whole = Passport(
            passport.record,
            passport.model,
            {
                access: passport.item_graphs.get(access, frozenset())
                | added.item_graphs.get(access, frozenset())
                for access in AccessClass
            },
            {
                access: passport.model_graphs.get(access, frozenset())
                | added.model_graphs.get(access, frozenset())
                for access in AccessClass
            },
        )
        settled = settle(passport, whole, self.mapping.deriver)
        return rename_model(settled, self.mapping.deriver, self.base)

    def dump(self, passport: Passport) -> bytes:
        """Return the passport in this syntax, statements in a fixed order."""
        found = sorted(passport.quads(), key=str)
        if self.syntax == RdfFormat.JSON_LD:
            return _json_ld(found)
        if self.syntax == RdfFormat.TURTLE:
            triples = sorted({quad.triple for quad in found}, key=str)
            return serialize(triples, format=self.syntax, prefixes=PREFIXES) or b""
        return serialize(found, format=self.syntax) or b""

    def _passport(self, found: list[Quad], record: str) -> Passport:
        deriver = self.mapping.deriver
        index = Index(found)
        model = index.text(battery_of(record), MODEL.value)
        if model is None or index.text(record, DESCRIBES.value) != battery_of(record):
            raise BadDocument(
                f"{record} names no battery with a model. Say <record> bp:describes <record#battery> and "
                "<record#battery> bp:model <model>."
            )
        if all(isinstance(quad.graph_name, DefaultGraph) for quad in found):
            derived = {(s, p.value, o) for _, s, p, o in deriver.model(index, model)}
            derived |= {(s, p.value, o) for _, s, p, o in deriver.item(index, battery_of(record))}
            statements = [
                quad.triple
                for quad in found
                if (_value(quad.subject), quad.predicate.value, quad.object) not in derived
            ]
            placed = self._placement.place(statements, record, model)
            return settle(Passport(record, model, {}, {}), placed, deriver)
        try:
            names = {record: [], model: []}  # type: dict[str, list[Quad]]
            for quad in found:
                of = model if _value(quad.graph_name).startswith(f"{model}/") else record
                names[of].append(quad)
            stated = Passport(record, model, group(record, names[record]), group(model, names[model]))
        except ValueError as error:
            raise BadDocument(
                f"{error}. Name the graphs <record>/public, /interest, /authority, /item or /document, "
                "or send the statements without named graphs."
            ) from None
        return complete(bare(stated, deriver), deriver)

    @cached_property
    def _placement(self) -> Placement:
        extra: dict[str, AccessClass] = {}
        for attribute in load_attributes().values():
            for route in attribute.path.routes:
                extra.setdefault(route[0], attribute.access)
        return Placement(self.mapping.place, self.mapping.vocabulary.quantities, extra)


def _value(term: object) -> str:
    return term.value if isinstance(term, NamedNode) else str(term)


def _named(found: Iterable[Quad]) -> list[Quad]:
    """Return quads with blank nodes named by the canonical form of the document.

    Literals are spelled as the engine spells them (94.0 as 94), so that a digest taken now still holds
    once they were stored.
    """
    store = Store()
    store.extend(found)
    found = list(store)
    if not any(isinstance(term, BlankNode) for quad in found for term in (quad.subject, quad.object)):
        return found
    dataset = Dataset(found)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return [
        Quad(_skolem(quad.subject), quad.predicate, _skolem(quad.object), quad.graph_name)  # type: ignore[arg-type]
        for quad in dataset
    ]


def _skolem(term: object) -> object:
    return NamedNode(f"{BASE}node/{term.value}") if isinstance(term, BlankNode) else term


def _renamed(quad: Quad, alias: str, model: str) -> Triple:
    def one(term: Any) -> Any:
        if isinstance(term, NamedNode) and (term.value == alias or term.value.startswith(f"{alias}-")):
            part = term.value[len(alias) :].removeprefix("-")
            return NamedNode(f"{model}#{part}" if part else model)
        return term

    return Triple(one(quad.subject), quad.predicate, one(quad.object))


def _json_ld(found: list[Quad]) -> bytes:
    """Return quads as JSON-LD 1.1 with one object per named graph and node, names shortened by prefix."""
    graphs: dict[str, dict[str, dict[str, Any]]] = {}
    for quad in found:
        node = graphs.setdefault(_value(quad.graph_name), {}).setdefault(
            _value(quad.subject), {"@id": _value(quad.subject)}
        )
        if quad.predicate == TYPE and isinstance(quad.object, NamedNode):
            node.setdefault("@type", []).append(shorten(quad.object.value))
        else:
            node.setdefault(shorten(quad.predicate.value), []).append(_json_ld_value(quad.object))
    document = {
        "@context": PREFIXES,
        "@graph": [{"@id": name, "@graph": list(nodes.values())} for name, nodes in graphs.items()],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _json_ld_value(term: object) -> object:
    if not isinstance(term, Literal):
        return {"@id": _value(term)}
    if term.language:
        return {"@value": term.value, "@language": term.language}
    datatype = shorten(term.datatype.value)
    return term.value if datatype == "xsd:string" else {"@value": term.value, "@type": datatype}


JSON_LD = Rdf("json-ld", "JSON-LD 1.1", "application/ld+json", ".jsonld", RdfFormat.JSON_LD)
TURTLE = Rdf("turtle", "Turtle", "text/turtle", ".ttl", RdfFormat.TURTLE)
N_QUADS = Rdf("n-quads", "N-Quads", "application/n-quads", ".nq", RdfFormat.N_QUADS)
