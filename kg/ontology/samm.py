"""Which SAMM property stands behind each payload path of an aspect model."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Store

from battpass.kg.namespaces import RDF

_SAMM = "urn:samm:org.eclipse.esmf.samm:meta-model:2.1.0#"
_LISTS = frozenset(f"urn:samm:org.eclipse.esmf.samm:characteristic:2.1.0#{name}" for name in ("List", "Set"))
# No aspect is nested deeper; a model that names itself ends here.
_DEEPEST = 12

Node = NamedNode | BlankNode


def property_paths(models: Iterable[Path], aspect: str) -> Mapping[str, str]:
    """Return the URN of the property behind each path, as `materials.active.other[].location`.

    Parameters
    ----------
    models
        The Turtle files of the aspect model and of the models that it borrows from. What lies in a model
        that is not among them is left out.
    aspect
        URN of the aspect.
    """
    store = Store()
    for model in models:
        store.load(model.read_bytes(), RdfFormat.TURTLE)
    return dict(_walk(store, NamedNode(aspect), "", 0))


def _walk(store: Store, owner: Node, above: str, depth: int) -> Iterator[tuple[str, str]]:
    for listed in _members(store, _node(store, owner, "samm:properties")):
        named = _node(store, listed, "samm:property") or listed
        if not isinstance(named, NamedNode):
            continue
        path = above + (_text(store, listed, "samm:payloadName") or named.value.rpartition("#")[2])
        yield path, named.value
        characteristic = _node(store, named, "samm:characteristic")
        if characteristic is None or depth == _DEEPEST:
            continue
        many = any(kind.value in _LISTS for kind in _nodes(store, characteristic, RDF + "type"))
        entity = _node(store, characteristic, "samm:dataType")
        if entity is not None:
            yield from _walk(store, entity, f"{path}[]." if many else f"{path}.", depth + 1)


def _members(store: Store, cell: Node | None) -> Iterator[Node]:
    while cell is not None and cell != NamedNode(RDF + "nil"):
        yield from _nodes(store, cell, RDF + "first")
        cell = _node(store, cell, RDF + "rest")


def _nodes(store: Store, subject: Node, predicate: str) -> list[Node]:
    iri = predicate.replace("samm:", _SAMM, 1) if predicate.startswith("samm:") else predicate
    quads = store.quads_for_pattern(subject, NamedNode(iri), None)
    return [quad.object for quad in quads if isinstance(quad.object, NamedNode | BlankNode)]


def _node(store: Store, subject: Node, predicate: str) -> Node | None:
    return next(iter(_nodes(store, subject, predicate)), None)


def _text(store: Store, subject: Node, predicate: str) -> str:
    quads = store.quads_for_pattern(subject, NamedNode(predicate.replace("samm:", _SAMM, 1)), None)
    return next((quad.object.value for quad in quads if isinstance(quad.object, Literal)), "")
