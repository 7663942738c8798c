"""What a document says and the graph cannot: kept per node and member, and put back on the way out.

After a document was lifted, it is lowered again and compared. Each difference becomes one statement
about the node it belongs to: under which path from that node, what the graph said there at that time,
and what the document said. On the way out the document's words are used only while the graph still
says what it said then, so an edit always wins over the memory. Array indices never occur: an item is a
node, and its residue goes when the node goes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.jsontext import Json, escape, read_json, tokens, unescape, write_json
from battpass.kg.mapping.lower import Array, Item, Object, Value
from battpass.kg.namespaces import node

VALUE = "https://w3id.org/battpass/residue/value#"
ORDER = "https://w3id.org/battpass/residue/order#"
JSON = node("rdf:JSON")


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Entry:
    """One difference at `path` below `node`: the graph said `was`, the document says `says`."""

    node: str
    path: str
    was: Json
    says: Json


@dataclass(frozen=True, slots=True)
class Order:
    """The order of an object's members, where it is not the table's."""

    node: str
    path: str
    names: tuple[str, ...]


Residue = Entry | Order


def plain(value: Value) -> Json:
    """Return a value under construction as plain JSON."""
    if isinstance(value, Object):
        return {name: plain(member) for name, member in value.members.items()}
    if isinstance(value, Array):
        return [plain(item) for _, item in value.items]
    return value.scalar if isinstance(value, Item) else value


def compare(document: Json, lowered: Object) -> Iterator[Residue]:
    """Yield what `lowered` would have to be told to equal `document`."""
    yield from _object(document, lowered)


def _object(document: dict[str, Json], lowered: Object) -> Iterator[Residue]:
    for name in [*document, *(name for name in lowered.members if name not in document)]:
        path = f"{lowered.path}/{escape(name)}"
        says = document.get(name, ABSENT)
        now = lowered.members.get(name, ABSENT)
        if isinstance(says, dict) and says and now is ABSENT:
            # Structure that the graph has nothing to say about: remember the leaves, not the block, so
            # that something which appears there later joins them instead of replacing them.
            now = Object(lowered.node, path)
        yield from _value(lowered.node, path, says, now)
    order = tuple(document)
    known = [name for name in lowered.members if name in document]
    extra = [name for name in document if name not in lowered.members]
    # Members that only the residue knows come back in no order, so two of them need one.
    if order != (*known, *extra) or len(extra) > 1:
        yield Order(lowered.node, lowered.path, order)


def _value(at: str, path: str, says: Json, now: Value) -> Iterator[Residue]:
    if isinstance(now, Object) and isinstance(says, dict):
        yield from _object(says, now)
    elif isinstance(now, Array) and isinstance(says, list) and len(says) == len(now.items):
        for (item, inner), said in zip(now.items, says, strict=True):
            if isinstance(inner, Object) and isinstance(said, dict):
                yield from _object(said, inner)
            elif not _same(said, plain(inner)):
                yield Entry(item, "", plain(inner), said)
    elif says is ABSENT or now is ABSENT or not _same(says, plain(now)):
        yield Entry(at, path, now if now is ABSENT else plain(now), says)


def _same(one: Json, other: Json) -> bool:
    if type(one) is not type(other):
        return False
    return list(tokens(one)) == list(tokens(other)) if isinstance(one, dict | list) else bool(one == other)


def statements(residue: Iterable[Residue]) -> Iterator[tuple[str, NamedNode, Literal]]:
    """Yield the statements that keep residue in the document graph."""
    for part in residue:
        content: list[Json]
        if isinstance(part, Order):
            name, content = ORDER, list(part.names)
        else:
            name, content = VALUE, [_boxed(part.was), _boxed(part.says)]
        text = write_json(content, indent=None)
        yield part.node, NamedNode(name + quote(part.path, safe="/~")), Literal(text, datatype=JSON)


def _boxed(value: Json) -> list[Json]:
    return [] if value is ABSENT else [value]


class Memory:
    """The residue of a passport, read from its document graph, ready to be put back."""

    def __init__(self, quads: Iterable[Quad]) -> None:
        self._entries: dict[str, list[Entry]] = {}
        self._orders: dict[tuple[str, str], tuple[str, ...]] = {}
        for quad in quads:
            if not isinstance(quad.subject, NamedNode) or not isinstance(quad.object, Literal):
                continue
            subject, predicate = quad.subject.value, quad.predicate.value
            if not predicate.startswith((ORDER, VALUE)):
                continue
            content = read_json(quad.object.value.encode())
            if predicate.startswith(ORDER):
                self._orders[subject, unquote(predicate[len(ORDER) :])] = tuple(content)
            else:
                path = unquote(predicate[len(VALUE) :])
                was, says = (part[0] if part else ABSENT for part in content)
                self._entries.setdefault(subject, []).append(Entry(subject, path, was, says))

    def restore(self, whole: Object) -> Json:
        """Return the document: what the graph says, and the partner's own words where they still hold."""
        return self._object(whole)

    def _object(self, part: Object) -> Json:
        if not part.path:
            for entry in self._entries.get(part.node, []):
                _put_back(part, entry)
        names = list(part.members)
        order = self._orders.get((part.node, part.path))
        if order is not None:
            names = _in_order(names, order)
        return {name: self._restored(part.members[name]) for name in names}

    def _restored(self, value: Value) -> Json:
        if isinstance(value, Object):
            return self._object(value)
        if isinstance(value, Array):
            return [self._array_item(item, inner) for item, inner in value.items]
        return value.scalar if isinstance(value, Item) else value

    def _array_item(self, item: str, value: Value) -> Json:
        for entry in self._entries.get(item, []):
            if not entry.path and _same(entry.was, plain(value)):
                return entry.says
        return self._restored(value)


def _put_back(part: Object, entry: Entry) -> None:
    """Apply one entry below the object that its node is, unless the graph says something else by now."""
    steps = [unescape(step) for step in entry.path.split("/")[1:]]
    if not steps:
        return
    for step in steps[:-1]:
        inner = part.members.get(step)
        if inner is None and entry.was is ABSENT:
            inner = part.members[step] = Object(part.node, f"{part.path}/{escape(step)}")
        if not isinstance(inner, Object):
            return
        part = inner
    now = part.members.get(steps[-1], ABSENT)
    if entry.was is ABSENT:
        if now is ABSENT:
            part.members[steps[-1]] = entry.says
    elif now is not ABSENT and _same(entry.was, plain(now)):
        if entry.says is ABSENT:
            del part.members[steps[-1]]
        else:
            part.members[steps[-1]] = entry.says


def _in_order(names: list[str], order: tuple[str, ...]) -> list[str]:
    """Return names in a remembered order; new ones stay behind the member they follow in the table."""
    result = [name for name in order if name in names]
    for number, name in enumerate(names):
        if name not in order:
            before = [result.index(other) for other in names[:number] if other in result]
            result.insert(max(before) + 1 if before else 0, name)
    return result
