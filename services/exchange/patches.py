"""A kept passport changed by way of its document: the format's dump, a merge patch over it, and back.

What the format has no place for stays: only the difference between what the format says before and after is
carried over to the statements of the passport. Nodes keep their names, see `alignment.py`; what hung on a
node that went goes with it.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from pyoxigraph import NamedNode, Quad, RdfFormat, Triple

from battpass.kg.errors import BadDocument, NotJson, UnknownFormat
from battpass.kg.graphs import AccessClass, Graphs
from battpass.kg.jsontext import Json, pointer_get, read_json, tokens, type_name, write_json
from battpass.kg.mapping.derive import Deriver
from battpass.kg.mapping.gate import bare, complete, rename_model, settle
from battpass.kg.mapping.residue import ORDER, VALUE
from battpass.kg.mapping.table import Place, Rule
from battpass.kg.namespaces import BASE, node
from battpass.kg.passport import POSITION, Passport, graph_name
from battpass.kg.quantity import HAS_PROPERTY
from battpass.services.exchange.alignment import Alignment
from battpass.services.exchange.battery_pass import BatteryPass
from battpass.services.exchange.rdf import Rdf
from battpass.services.exchange.registry import Format, Loaded

TYPE = node("rdf:type")
CODE = node("bp:code")
REVISION = node("prov:wasRevisionOf")

# A triple, whether it is the model record's, and its access class.
_Statement = tuple[Triple, bool, AccessClass]
_Key = tuple[str, str]


def patched(known: Format, passport: Passport, patch: bytes) -> Loaded | None:
    """Return a passport changed by a merge patch (RFC 7396) over its document; None where nothing changes.

    Findings and places are those of the new document.

    Raises
    ------
    UnknownFormat
        If the format is no JSON.
    NotJson, BadDocument
        If the patch is no JSON object, makes a document that cannot be read, or is about another passport.
    Contradiction
        If it gives a quantity two values at once.
    """
    if not isinstance(known, BatteryPass) and not (
        isinstance(known, Rdf) and known.syntax == RdfFormat.JSON_LD
    ):
        raise UnknownFormat(
            f"{known.title} is no JSON that a merge patch could change. Name a format that is, or send the "
            "whole document."
        )
    before, change = read_json(known.dump(passport)), read_json(patch)
    if not isinstance(change, dict):
        raise NotJson(
            f"A merge patch is a JSON object (RFC 7396); this one is {type_name(change)}. "
            "Send an object that holds the members to change, null for those to remove."
        )
    after = merged(before, change)
    if list(tokens(after)) == list(tokens(before)):
        return None
    document = (write_json(after) + "\n").encode()
    if isinstance(known, BatteryPass):
        return _patched_document(known, passport, before, after, document)
    return _patched_graphs(known, passport, known.load(document).passport)


def merged(target: Json, patch: Json) -> Json:
    """Return a JSON value changed by a merge patch; neither of the two is touched.

    >>> merged({"a": "1", "b": {"c": "2", "d": "3"}}, {"a": None, "b": {"c": "4"}})
    {'b': {'c': '4', 'd': '3'}}
    """
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def moved(passport: Passport, model: str, model_graphs: Graphs, deriver: Deriver) -> Passport:
    """Return a passport whose item points to another model record, and says which one that revises."""
    old = passport.model
    plain = bare(passport, deriver)

    def renamed(term: Any) -> Any:
        return NamedNode(_under(term.value, old, model)) if isinstance(term, NamedNode) else term

    item = {
        access: frozenset(
            Quad(renamed(quad.subject), quad.predicate, renamed(quad.object), quad.graph_name)
            for quad in part
            # What the old record revised is told by the history.
            if quad.predicate != REVISION
        )
        for access, part in plain.item_graphs.items()
    }
    link = Quad(NamedNode(model), REVISION, NamedNode(old), graph_name(passport.record, AccessClass.PUBLIC))
    item[AccessClass.PUBLIC] = item.get(AccessClass.PUBLIC, frozenset()) | {link}
    return complete(Passport(passport.record, model, item, model_graphs), deriver)


def _patched_graphs(known: Rdf, passport: Passport, changed: Passport) -> Loaded:
    if changed.record != passport.record:
        raise BadDocument(
            f"The patch makes {passport.record} into {changed.record}. Import that as a passport of its own."
        )
    if changed.model != passport.model:
        raise BadDocument(
            f"The patch makes {passport.record} point to {changed.model}. "
            "Move it to that model record instead."
        )
    return Loaded(_in_order(known.mapping.deriver, passport, changed), (), {})


def _patched_document(
    known: BatteryPass, passport: Passport, before: Json, after: Json, document: bytes
) -> Loaded:
    _check_identity(known, passport, before, after)
    mapping, deriver = known.mapping, known.mapping.deriver
    was, loaded = mapping.lift(before).passport, known.load(document)
    old = Alignment(mapping, was, passport)
    new = Alignment(mapping, loaded.passport, passport, by_likeness=True)
    stated = frozenset(_statements(bare(passport, deriver)))
    said = frozenset(_statements(bare(was, deriver), old))
    of_document = {triple for triple, *_ in said}
    beside = {iri for triple, *_ in stated if triple not in of_document for iri in _iris(triple)}
    if not old.displaced() and not beside & new.displaced():
        # Nobody but the document speaks of these nodes: they are named as an import would name them.
        new.by_place()
    says = frozenset(_statements(bare(loaded.passport, deriver), new))
    statements = _carried(stated, said, says, mapping.place)
    roots = (passport.record, passport.battery, passport.model)
    lost = _reached(stated, roots) - _reached(statements, roots)
    kept = {one for one in statements if _key(one[0])[0] not in lost}
    kept |= _residue(known, passport, _memory(was, old), _memory(loaded.passport, new), lost)
    changed = _in_order(deriver, passport, _passport(passport, kept))
    places = {
        (_under(new.name(subject), passport.model, changed.model), predicate): pointer
        for (subject, predicate), pointer in loaded.places.items()
    }
    return Loaded(changed, loaded.findings, places)


def _carried(
    stated: Set[_Statement], said: Set[_Statement], says: Set[_Statement], place: Place
) -> Set[_Statement]:
    """Return what is stated, with the difference between what a document said and says carried over."""
    rules = tuple(_rules(place))
    lists = {rule.predicate for rule in rules if rule.kind in ("list", "codes")}
    several = {TYPE.value, HAS_PROPERTY.value, *lists}
    before, after = ({triple for triple, *_ in one} for one in (said, says))
    gone, come = before - after, after - before
    # Of a property that the format has once, all other values go when it is said anew.
    anew = {_key(triple) for triple in gone | come if triple.predicate.value not in several}
    for rule in rules:
        if rule.kind in ("code", "codes"):
            code = rule.predicate if rule.kind == "code" else CODE.value
            anew |= {(subject, f"{code}Text") for subject, predicate in anew if predicate == code}
            anew |= {(subject, code) for subject, predicate in anew if predicate == f"{code}Text"}
    # Positions are numbers within a list: with one of its items, all of them are counted anew.
    changed = {_key(triple) for triple in gone | come if triple.predicate.value in lists}
    members = {
        (_key(triple), triple.object.value)
        for triple in after
        if triple.predicate.value in lists and isinstance(triple.object, NamedNode)
    }
    changed |= {link for link, member in members if (member, POSITION.value) in anew}
    anew |= {(member, POSITION.value) for link, member in members if link in changed}
    kept = {one for one in stated if one[0] not in gone and _key(one[0]) not in anew}
    there = {triple for triple, *_ in kept}
    return kept | {one for one in says if one[0] not in there and (one[0] in come or _key(one[0]) in anew)}


def _statements(passport: Passport, names: Alignment | None = None) -> Iterator[_Statement]:
    """Yield what is stated, without residue, nodes under the names that an alignment gives them."""
    for shared, graphs in ((False, passport.item_graphs), (True, passport.model_graphs)):
        for access, part in graphs.items():
            for quad in part:
                if not quad.predicate.value.startswith((VALUE, ORDER)):
                    yield _named(quad.triple, names), shared, access


def _memory(passport: Passport, names: Alignment | None = None) -> dict[_Key, Triple]:
    """Return the residue by subject and property."""
    found = (
        _named(quad.triple, names)
        for quad in passport.item_graphs.get(AccessClass.DOCUMENT, frozenset())
        if quad.predicate.value.startswith((VALUE, ORDER))
    )
    return {_key(triple): triple for triple in found}


def _residue(
    known: BatteryPass,
    passport: Passport,
    was: Mapping[_Key, Triple],
    now: Mapping[_Key, Triple],
    lost: Set[str],
) -> set[_Statement]:
    """Return the residue of the new document, and what is in force of that which it does not show.

    A version of the format may leave out a member that another one has. What an edit overruled long ago, in
    contrast, must not come back because a value is again what it was then.
    """
    hidden = {
        key: triple
        for key, triple in _memory(passport).items()
        if key not in was and key not in now and key[0] not in lost
    }
    if hidden:
        whole = known.mapping.lift(known.mapping.lower(passport)).passport
        in_force = _memory(whole, Alignment(known.mapping, whole, passport))
        hidden = {key: triple for key, triple in hidden.items() if in_force.get(key) == triple}
    return {(triple, False, AccessClass.DOCUMENT) for triple in (*hidden.values(), *now.values())}


def _named(triple: Triple, names: Alignment | None) -> Triple:
    if names is None:
        return triple
    subject, term = triple.subject, triple.object
    return Triple(
        NamedNode(names.name(subject.value)) if isinstance(subject, NamedNode) else subject,
        triple.predicate,
        NamedNode(names.name(term.value)) if isinstance(term, NamedNode) else term,
    )


def _key(triple: Triple) -> _Key:
    subject = triple.subject
    return subject.value if isinstance(subject, NamedNode) else str(subject), triple.predicate.value


def _iris(triple: Triple) -> Iterator[str]:
    return (term.value for term in (triple.subject, triple.object) if isinstance(term, NamedNode))


def _reached(statements: Iterable[_Statement], roots: Iterable[str]) -> set[str]:
    """Return the nodes that some statements lead to from the roots."""
    edges: dict[str, list[str]] = {}
    for triple, *_ in statements:
        if isinstance(triple.object, NamedNode):
            edges.setdefault(_key(triple)[0], []).append(triple.object.value)
    found = set(roots)
    waiting = list(found)
    while waiting:
        for target in edges.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _passport(like: Passport, statements: Iterable[_Statement]) -> Passport:
    parts: dict[bool, dict[AccessClass, set[Quad]]] = {False: {}, True: {}}
    for triple, shared, access in statements:
        graph = graph_name(like.model if shared else like.record, access)
        quad = Quad(triple.subject, triple.predicate, triple.object, graph)
        parts[shared].setdefault(access, set()).add(quad)
    item, model = (
        {access: frozenset(parts[shared][access]) for access in AccessClass if access in parts[shared]}
        for shared in (False, True)
    )
    return Passport(like.record, like.model, item, model)


def _rules(place: Place) -> Iterator[Rule]:
    if place.rule is not None:
        yield place.rule
    for inner in [*place.members.values(), *([place.items] if place.items else [])]:
        yield from _rules(inner)


def _under(iri: str, old: str, new: str) -> str:
    """Return the name of a node of a model record that was renamed."""
    return new + iri[len(old) :] if iri == old or iri.startswith((f"{old}#", f"{old}/")) else iri


def _check_identity(known: BatteryPass, passport: Passport, before: Json, after: Json) -> None:
    at = known.mapping.identifier
    names = []
    for document in (before, after):
        try:
            names.append(pointer_get(document, at))
        except KeyError:
            names.append(None)
    if names[0] != names[1] and known.mapping.record_of(after) != passport.record:
        shown = [write_json(name, indent=None) if name is not None else "none" for name in names]
        raise BadDocument(
            f"The patch changes the passport identifier at {at} from {shown[0]} to {shown[1]}. "
            "Leave it as it is, or import the document as a passport of its own."
        )


def _in_order(deriver: Deriver, before: Passport, changed: Passport) -> Passport:
    """Return a changed passport put in order, with a model record of its own name where that changed."""
    settled = settle(before, changed, deriver)
    if settled.model_graphs == before.model_graphs:
        return settled
    renamed = rename_model(settled, deriver, BASE)
    # Changed back to what was revised, a model record would revise itself.
    item = {
        access: frozenset(
            quad for quad in part if not (quad.predicate == REVISION and quad.subject == quad.object)
        )
        for access, part in renamed.item_graphs.items()
    }
    return Passport(renamed.record, renamed.model, item, renamed.model_graphs)
