"""The gate that every change of a passport passes: both forms of a quantity agree, derived
statements follow from the rest, and a changed model becomes a model record of its own.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.errors import BadDocument, Contradiction, UnknownUnit
from battpass.kg.graphs import AccessClass, Graphs
from battpass.kg.index import Index
from battpass.kg.literals import decimal_of
from battpass.kg.mapping.derive import Derived, Deriver
from battpass.kg.ontology.units import UnitTable
from battpass.kg.passport import Passport, graph_name, model_digest
from battpass.kg.quantities import QuantityKind
from battpass.kg.quantity import (
    HAS_MEASUREMENT_UNIT,
    HAS_NUMBER_VALUE,
    HAS_NUMERICAL_PART,
    HAS_PROPERTY,
    NATURES,
    REAL_DATA,
    STATED_UNIT,
    TYPE,
    VALID_AT,
    Quantity,
    decode,
    encode,
    in_canonical_unit,
)


def complete(base: Passport, deriver: Deriver) -> Passport:
    """Return a passport with all that follows from its statements."""
    index = Index(base.quads())
    model = _with(base.model, base.model_graphs, deriver.model(index, base.model))
    item = _with(base.record, base.item_graphs, deriver.item(index, base.battery))
    return Passport(base.record, base.model, item, model)


def bare(passport: Passport, deriver: Deriver) -> Passport:
    """Return a passport without what follows from its statements."""
    index = Index(passport.quads())
    model = _without(passport.model, passport.model_graphs, deriver.model(index, passport.model))
    item = _without(passport.record, passport.item_graphs, deriver.item(index, passport.battery))
    return Passport(passport.record, passport.model, item, model)


def settle(before: Passport, after: Passport, deriver: Deriver) -> Passport:
    """Return a changed passport put in order.

    A quantity of which one form was changed gets the other form rewritten; what was derived from the
    old statements goes, and what follows from the new ones comes. Nodes keep their names; see
    `rename_model` for what a changed model is called.

    Raises
    ------
    Contradiction
        If both forms of a quantity were changed, to different values.
    """
    index_before = Index(before.quads())
    model_graphs = _reconciled(index_before, after.model, after.model_graphs, deriver)
    item_graphs = _reconciled(index_before, after.record, after.item_graphs, deriver)
    derived = frozenset(before.quads()) - frozenset(bare(before, deriver).quads())
    base = Passport(after.record, after.model, _minus(item_graphs, derived), _minus(model_graphs, derived))
    return complete(base, deriver)


def rename_model(passport: Passport, deriver: Deriver, base: str) -> Passport:
    """Return a passport whose model record is named by the digest of what it now says."""
    plain = bare(passport, deriver)
    content = (
        (access, quad.subject.value, quad.predicate, quad.object)
        for access, part in plain.model_graphs.items()
        for quad in part
        if isinstance(quad.subject, NamedNode)
    )
    model = f"{base}model/{model_digest(content, passport.model, base)}"
    if model == passport.model:
        return passport

    def renamed(iri: str) -> str:
        old = passport.model
        return model + iri[len(old) :] if iri == old or iri.startswith((f"{old}#", f"{old}/")) else iri

    return Passport(
        passport.record,
        model,
        _renamed(passport.item_graphs, renamed),
        _renamed(passport.model_graphs, renamed),
    )


def _reconciled(before: Index, record: str, after: Graphs, deriver: Deriver) -> Graphs:
    """Return a record's graphs in which the two forms of each quantity say the same."""
    by_compact = {kind.compact_iri: kind for kind in deriver.quantities.values()}
    by_link = {kind.link_iri: kind for kind in deriver.quantities.values()}
    result: dict[AccessClass, frozenset[Quad]] = {}
    for access, part in after.items():
        index = Index(part)
        pairs = {
            (quad.subject.value, by_compact.get(quad.predicate.value) or by_link[quad.predicate.value])
            for quad in part
            if isinstance(quad.subject, NamedNode)
            and (quad.predicate.value in by_compact or quad.predicate.value in by_link)
        }
        changed = part
        for subject, kind in sorted(pairs, key=lambda pair: (pair[0], pair[1].key)):
            changed = _one_value(
                before, index, changed, subject, kind, graph_name(record, access), deriver.units
            )
        result[access] = changed
    return result


def _one_value(
    before: Index,
    after: Index,
    part: frozenset[Quad],
    subject: str,
    kind: QuantityKind,
    graph: NamedNode,
    units: UnitTable,
) -> frozenset[Quad]:
    """Return `part` with the two forms of one quantity of one subject made equal."""
    here = after.text(subject, kind.link_iri)
    whole, was = _in_known_unit(decode(after, subject, kind), subject, units), decode(before, subject, kind)
    compact = _compact(after, subject, kind)
    if whole is None and compact is None:
        return part
    gone = was is not None and (whole is None or compact is None) and was.unit == kind.unit
    if was is not None and gone and (whole or was) == was and (compact is None or compact == was.value):
        # One form was taken away and the other left as it was: the quantity goes.
        return _drop(part, after, subject, kind, here or before.text(subject, kind.link_iri))
    if whole is None:
        assert compact is not None
        whole = Quantity(kind, compact, kind.unit, was.stated_unit if was else None)
    elif compact is not None and whole.unit == kind.unit and whole.value != compact:
        if was is not None and was.value == whole.value:
            whole = replace(whole, value=compact)
        elif was is None or was.value != compact:
            raise Contradiction(_both(subject, kind, whole.value, compact))
    fresh = {Quad(NamedNode(one), two, three, graph) for one, two, three in encode(subject, whole, here)}
    return _drop(part, after, subject, kind, here) | fresh


def _in_known_unit(whole: Quantity | None, subject: str, units: UnitTable) -> Quantity | None:
    """Return a quantity in its canonical unit, with the unit that was stated.

    Raises
    ------
    BadDocument
        If its unit stands in no table, or measures something else and the kind allows no other.
    """
    if whole is None or whole.unit == whole.kind.unit:
        return whole
    try:
        unit = units.unit(whole.unit).curie
        converted = in_canonical_unit(whole.kind, whole.value, unit, units)
        value = converted.value if converted else units.convert(whole.value, unit, whole.kind.unit)
    except UnknownUnit as error:
        raise BadDocument(f"{whole.kind.labels.en} of {subject}: {error}") from None
    if converted is None or decimal_of(str(value)) is None:
        raise BadDocument(
            f"{whole.kind.labels.en} of {subject}: {whole.value} {whole.unit} does not fit into "
            f"{whole.kind.unit} with 18 decimal places. State it with fewer digits."
        )
    return replace(converted, valid_at=whole.valid_at, stated_unit=converted.stated_unit or whole.stated_unit)


def _compact(index: Index, subject: str, kind: QuantityKind) -> Decimal | None:
    found = [
        number
        for term in index.objects(subject, kind.compact_iri)
        if isinstance(term, Literal) and (number := decimal_of(term.value)) is not None
    ]
    if len(found) > 1:
        raise Contradiction(_both(subject, kind, found[0], found[1]))
    return found[0] if found else None


def _both(subject: str, kind: QuantityKind, one: Decimal, two: Decimal) -> str:
    return (
        f"{kind.labels.en} of {subject} is set to {one} and to {two} at once. "
        f"Change bp:{kind.compact} or the number of its node, not both."
    )


def _drop(
    part: frozenset[Quad], index: Index, subject: str, kind: QuantityKind, here: str | None
) -> frozenset[Quad]:
    """Return `part` without what the codec writes about a quantity; what others said of its node stays."""
    value_node = index.text(here, HAS_NUMERICAL_PART.value) if here else None
    written = {subject: {kind.compact_iri, kind.link_iri}}
    if here is not None:
        written[here] = {
            one.value for one in (HAS_NUMERICAL_PART, HAS_MEASUREMENT_UNIT, STATED_UNIT, VALID_AT)
        }
        written[value_node or f"{here}-value"] = {HAS_NUMBER_VALUE.value}
    types = {kind.class_iri, NATURES[kind.nature].value, REAL_DATA.value}

    def codec_wrote(quad: Quad) -> bool:
        if not isinstance(quad.subject, NamedNode) or quad.subject.value not in written:
            return False
        if quad.predicate in (HAS_PROPERTY, TYPE):
            target = quad.object.value if isinstance(quad.object, NamedNode) else ""
            return target == here if quad.predicate == HAS_PROPERTY else target in types
        return quad.predicate.value in written[quad.subject.value]

    return frozenset(quad for quad in part if not codec_wrote(quad))


def _with(record: str, graphs: Graphs, derived: Iterable[Derived]) -> Graphs:
    result = {access: set(part) for access, part in graphs.items()}
    for quad, access in _quads(record, derived):
        result.setdefault(access, set()).add(quad)
    return {access: frozenset(result[access]) for access in AccessClass if result.get(access)}


def _without(record: str, graphs: Graphs, derived: Iterable[Derived]) -> Graphs:
    return _minus(graphs, frozenset(quad for quad, _ in _quads(record, derived)))


def _minus(graphs: Graphs, gone: frozenset[Quad]) -> Graphs:
    return {access: left for access, part in graphs.items() if (left := part - gone)}


def _quads(record: str, derived: Iterable[Derived]) -> Iterator[tuple[Quad, AccessClass]]:
    for access, subject, predicate, term in derived:
        yield Quad(NamedNode(subject), predicate, term, graph_name(record, access)), access


def _renamed(graphs: Graphs, renamed: Callable[[str], str]) -> Graphs:
    def one(quad: Quad) -> Quad:
        subject, target, graph = quad.subject, quad.object, quad.graph_name
        return Quad(
            NamedNode(renamed(subject.value)) if isinstance(subject, NamedNode) else subject,
            quad.predicate,
            NamedNode(renamed(target.value)) if isinstance(target, NamedNode) else target,
            NamedNode(renamed(graph.value)) if isinstance(graph, NamedNode) else graph,
        )

    return {access: frozenset(one(quad) for quad in part) for access, part in graphs.items()}
