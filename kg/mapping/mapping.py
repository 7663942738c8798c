"""The mapping of a partner format: document to passport and back, without losing a digit.

document --lift--> statements --derive--> graphs
    ^                                       |
    '------ residue <--compare-- lower <----'
"""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from pathlib import Path

from pyoxigraph import NamedNode, Quad

from battpass.kg.attributes import load_attributes
from battpass.kg.concepts import ConceptTable
from battpass.kg.graphs import AccessClass, Finding, Graphs
from battpass.kg.index import Index, Term
from battpass.kg.jsontext import Json, pointer_get, tokens
from battpass.kg.mapping.derive import Deriver
from battpass.kg.mapping.lift import Context, Lift, Origin, Vocabulary, places
from battpass.kg.mapping.lower import Lower, Object
from battpass.kg.mapping.residue import Memory, Residue, compare, statements
from battpass.kg.mapping.table import Place, read_mapping
from battpass.kg.namespaces import BASE, node
from battpass.kg.ontology.units import UnitTable
from battpass.kg.passport import (
    DESCRIBES,
    MODEL,
    PASSPORT_CLASS,
    Passport,
    battery_of,
    graph_name,
    model_digest,
)
from battpass.kg.properties import load_properties
from battpass.kg.quantities import load_quantities
from battpass.kg.tables import Labels

TYPE = node("rdf:type")
BATTERY_PACK = node("battery:battery_be3b35a7_75a3_4be0_9265_beb178ea7b00")
PACK_SPECIFICATION = node("battery:battery_c25c3fb4_14ce_4640_abcc_d4a6e641fee4")

# Stands for the model record until its content, and so its name, is known.
PENDING = "urn:battpass:model"

# Graphs of the model records met last; a fleet has thousands of items and some dozens of models.
KEPT_MODELS = 256

Statement = tuple[AccessClass, str, NamedNode, Term]


@dataclass(frozen=True, slots=True)
class Lifted:
    """What became of a document: the passport, what was found in it, and where each value came from.

    `places` leads from (node, property) to a JSON pointer, and from (node, "") for nodes themselves;
    `traces` say by which rule each understood value came in, see `origins`.
    """

    passport: Passport
    findings: tuple[Finding, ...]
    places: Dictionary[tuple[str, str], str]
    traces: tuple[Origin, ...]

    def origins(self) -> Iterator[Origin]:
        """Yield by which rule each understood value came in, model nodes under their final names."""
        for trace in self.traces:
            yield replace(trace, subject=_iri(trace.subject, self.passport.model))


class Mapping:
    """One partner format's mapping table, with the vocabulary that it speaks."""

    def __init__(
        self, place: Place, identifier: str, vocabulary: Vocabulary, deriver: Deriver, base: str = BASE
    ) -> None:
        self.place = place
        self.deriver = deriver
        self.identifier = identifier
        self.vocabulary = vocabulary
        self.base = base
        self._models: dict[str, Graphs] = {}

    @classmethod
    def load(cls, table: Path, identifier: str, base: str = BASE) -> "Mapping":
        """Return the mapping of a table; `identifier` is the JSON pointer of the passport's own id."""
        vocabulary = Vocabulary(load_quantities(), ConceptTable.load(), UnitTable.load(), _labels())
        return cls(read_mapping(table), identifier, vocabulary, Deriver.load(), base)

    def record_of(self, document: Json) -> str:
        """Return the IRI of the passport record that a document is about.

        The last part is the passport's UUID; a document without a usable one gets the digest of its
        content, so that the same document meets its own record again.
        """
        try:
            name = pointer_get(document, self.identifier)
        except KeyError:
            name = None
        name = name.removeprefix("urn:uuid:").lower() if isinstance(name, str) else ""
        if not name or not name.isascii() or not name.replace("-", "").isalnum():
            name = sha256("\n".join(tokens(document)).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return f"{self.base}p/{name}"

    def lift(self, document: Json) -> Lifted:
        """Return the passport that a document describes; nothing of the document is lost."""
        record = self.record_of(document)
        roots = {"passport": record, "battery": battery_of(record), "model": PENDING}
        lift = Lift(roots, self.base, self.vocabulary)
        lift.members(self.place, document, Context(record, AccessClass.PUBLIC, ""))
        skeleton: list[Statement] = [
            (AccessClass.PUBLIC, record, TYPE, PASSPORT_CLASS),
            (AccessClass.PUBLIC, record, DESCRIBES, NamedNode(battery_of(record))),
            (AccessClass.PUBLIC, battery_of(record), TYPE, BATTERY_PACK),
            (AccessClass.PUBLIC, battery_of(record), MODEL, NamedNode(PENDING)),
            (AccessClass.PUBLIC, PENDING, TYPE, PACK_SPECIFICATION),
        ]
        found = [*skeleton, *lift.statements]
        of_model = (statement for statement in found if statement[1].startswith(PENDING))
        model = f"{self.base}model/{model_digest(of_model, PENDING, self.base)}"
        index = Index()
        for _, subject, predicate, term in found:
            index.add(subject, predicate.value, term)
        residue: Iterable[Residue] = ()
        if isinstance(document, dict):
            residue = compare(document, self._lower(index, record, PENDING))
        item_graphs = _graphs(
            record,
            model,
            (statement for statement in found if not statement[1].startswith(PENDING)),
            self.deriver.item(index, battery_of(record)),
            ((AccessClass.DOCUMENT, *statement) for statement in statements(residue)),
        )
        passport = Passport(record, model, item_graphs, self._model_graphs(model, found, index))
        where = {(_iri(subject, model), predicate): pointer for (subject, predicate), pointer in places(lift)}
        return Lifted(passport, tuple(lift.findings), where, tuple(lift.origins))

    def _model_graphs(self, model: str, found: list[Statement], index: Index) -> Graphs:
        """Return the graphs of a model record, the same object for every item that shares it.

        The name holds the digest of the content, so equal names mean equal graphs.
        """
        known = self._models.get(model)
        if known is None:
            own = (statement for statement in found if statement[1].startswith(PENDING))
            known = self._models[model] = _graphs(model, model, own, self.deriver.model(index, PENDING))
            if len(self._models) > KEPT_MODELS:
                self._models.pop(next(iter(self._models)))
        return known

    def lower(self, passport: Passport) -> Json:
        """Return the partner's document for a passport, or for as much of one as its graphs still hold."""
        return self.lower_index(Index(passport.quads()), passport)

    def lower_index(self, index: Index, passport: Passport) -> Json:
        """Return the document for what an index holds of a passport, with the passport's residue."""
        memory = Memory(passport.item_graphs.get(AccessClass.DOCUMENT, ()))
        return memory.restore(self._lower(index, passport.record, passport.model))

    def _lower(self, index: Index, record: str, model: str) -> Object:
        roots = {"passport": record, "battery": battery_of(record), "model": model}
        return Lower(index, roots, self.vocabulary).document(self.place, record)


def _labels() -> dict[str, Labels]:
    """Return the labels of each own property, by its IRI."""
    attributes = load_attributes()
    labels = {one.iri: one.labels for one in load_properties(attributes=attributes).values() if one.labels}
    return {**labels, **{attribute.iri: attribute.labels for attribute in attributes.values()}}


def _iri(iri: str, model: str) -> str:
    return model + iri[len(PENDING) :] if iri.startswith(PENDING) else iri


def _graphs(record: str, model: str, *parts: Iterable[Statement]) -> Graphs:
    """Return statements as quads, each in the graph of the record and its access class."""
    graphs: dict[AccessClass, set[Quad]] = {}
    names = {access: graph_name(record, access) for access in AccessClass}
    nodes: dict[str, NamedNode] = {}
    for access, subject, predicate, term in chain.from_iterable(parts):
        known = nodes.get(subject)
        if known is None:
            known = nodes[subject] = NamedNode(_iri(subject, model))
        if isinstance(term, NamedNode) and term.value.startswith(PENDING):
            term = NamedNode(_iri(term.value, model))
        graphs.setdefault(access, set()).add(Quad(known, predicate, term, names[access]))
    return {access: frozenset(graphs[access]) for access in AccessClass if access in graphs}
