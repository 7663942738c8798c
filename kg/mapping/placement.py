"""Which access class a statement belongs to, when it comes without a named graph.

Turtle has no graphs, and a supplement names only what it adds. A statement about the passport, the
battery or the model goes where the mapping table puts its property; a statement about a node goes
with the node, unless the table says otherwise for that property. What nobody knows is kept for the
owner alone.
"""

from collections.abc import Iterable, Iterator, Mapping

from pyoxigraph import NamedNode, Quad, Triple

from battpass.kg.graphs import AccessClass
from battpass.kg.index import Index
from battpass.kg.mapping.residue import ORDER, VALUE
from battpass.kg.mapping.table import Place, Rule
from battpass.kg.namespaces import expand
from battpass.kg.passport import Passport, graph_name
from battpass.kg.quantities import QuantityKind
from battpass.kg.quantity import HAS_PROPERTY, child

TYPE = expand("rdf:type")


class Placement:
    """Access classes by property, made from a mapping table and the kinds of quantity.

    `extra` gives the class of properties that the partner format has no place for.
    """

    def __init__(
        self, place: Place, quantities: Mapping[str, QuantityKind], extra: Mapping[str, AccessClass]
    ) -> None:
        self._of_root: dict[str, AccessClass] = {
            TYPE: AccessClass.PUBLIC,
            expand("bp:describes"): AccessClass.PUBLIC,
            expand("bp:model"): AccessClass.PUBLIC,
        }
        self._of_root.update(extra)
        self._override: dict[tuple[str, str], AccessClass] = {}
        for enclosing, rule in _rules(place):
            if rule.access is not None and rule.subject:
                self._of_root[rule.predicate] = rule.access
            elif rule.access is not None:
                self._override[expand(enclosing), rule.predicate] = rule.access
        for kind in quantities.values():
            # The table names a quantity by its link, the attributes by its compact literal.
            known = self._of_root.get(kind.link_iri) or self._of_root.get(kind.compact_iri)
            if known is not None:
                self._of_root[kind.link_iri] = self._of_root[kind.compact_iri] = known
        self._kinds = {kind.compact_iri: kind for kind in quantities.values()}

    def place(self, statements: Iterable[Triple], record: str, model: str) -> Passport:
        """Return a passport of statements about `record`, its battery, its model and their parts."""
        # The gate writes emmo:hasProperty anew beside each quantity's own link.
        statements = [one for one in statements if one.predicate != HAS_PROPERTY]
        index = Index(Quad(one.subject, one.predicate, one.object) for one in statements)
        classes = self._classes(index, record, model)
        parts: dict[str, dict[AccessClass, set[Quad]]] = {record: {}, model: {}}
        for one in statements:
            subject = one.subject.value if isinstance(one.subject, NamedNode) else ""
            access = classes.get((subject, one.predicate.value), AccessClass.DOCUMENT)
            shared = access is not AccessClass.DOCUMENT and (
                subject == model or subject.startswith(f"{model}#")
            )
            of = model if shared else record
            quad = Quad(one.subject, one.predicate, one.object, graph_name(of, access))
            parts[of].setdefault(access, set()).add(quad)
        frozen = {
            of: {access: frozenset(found) for access, found in graphs.items()} for of, graphs in parts.items()
        }
        return Passport(record, model, frozen[record], frozen[model])

    def _classes(self, index: Index, record: str, model: str) -> dict[tuple[str, str], AccessClass]:
        found: dict[tuple[str, str], AccessClass] = {}
        pending: list[tuple[str, AccessClass | None]] = [
            (record, None),
            (f"{record}#battery", None),
            (model, None),
        ]
        seen: set[str] = set()
        while pending:
            subject, inherited = pending.pop()
            if subject in seen:
                continue
            seen.add(subject)
            for predicate in index.predicates(subject):
                access = self._class(index, subject, predicate, inherited)
                found[subject, predicate] = access
                if predicate in self._kinds:
                    # A supplement may date a quantity whose node is yet to be made.
                    pending.append((child(subject, self._kinds[predicate].key), access))
                for term in index.objects(subject, predicate):
                    if isinstance(term, NamedNode) and term.value in index:
                        pending.append((term.value, access))
        return found

    def _class(
        self, index: Index, subject: str, predicate: str, inherited: AccessClass | None
    ) -> AccessClass:
        if predicate.startswith((VALUE, ORDER)):
            return AccessClass.DOCUMENT
        if inherited is None:
            return self._of_root.get(predicate, AccessClass.DOCUMENT)
        for kind in index.objects(subject, TYPE):
            if isinstance(kind, NamedNode) and (kind.value, predicate) in self._override:
                return self._override[kind.value, predicate]
        return inherited


def _rules(place: Place, enclosing: str = "") -> Iterator[tuple[str, Rule]]:
    """Yield each rule with the class of the node that encloses it."""
    if place.rule is not None:
        yield enclosing, place.rule
        if place.rule.kind in ("list", "node"):
            enclosing = place.rule.range
    for inner in [*place.members.values(), *([place.items] if place.items else [])]:
        yield from _rules(inner, enclosing)
