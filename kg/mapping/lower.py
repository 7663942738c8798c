"""From statements back to the partner's document, in the order of the table.

Only what the graph says is written here; `residue.py` then puts back what the graph cannot say.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from pyoxigraph import NamedNode

from battpass.kg.index import Index
from battpass.kg.jsontext import Json, Number, escape
from battpass.kg.literals import decimal_text
from battpass.kg.mapping.lift import Vocabulary
from battpass.kg.mapping.table import Place, Rule
from battpass.kg.namespaces import expand
from battpass.kg.passport import POSITION
from battpass.kg.quantity import decode, in_stated_unit


@dataclass(slots=True)
class Object:
    """An object of the document under construction: the node it belongs to, and the path from there."""

    node: str
    path: str
    members: "dict[str, Value]" = field(default_factory=dict)


@dataclass(slots=True)
class Array:
    """An array whose items are nodes of their own."""

    items: "list[tuple[str, Value]]"


@dataclass(slots=True)
class Item:
    """An item of an array that is no object: its scalar, or None where the graph holds none."""

    scalar: Json


Value = Object | Array | Item | Json


class Lower:
    """One walk over the table, reading the graphs of one passport."""

    def __init__(self, index: Index, roots: dict[str, str], vocabulary: Vocabulary) -> None:
        self.index = index
        self.roots = roots
        self.vocabulary = vocabulary

    def document(self, place: Place, record: str) -> Object:
        """Return the whole document, structure without content left out."""
        whole = Object(record, "")
        self._members(place, whole, record)
        return whole

    def _members(self, place: Place, target: Object, subject: str) -> None:
        empty: list[str] = []
        for name, inner in place.members.items():
            if inner.rule is None:
                part = Object(target.node, f"{target.path}/{escape(name)}")
                self._members(inner, part, subject)
                if part.members:
                    target.members[name] = part
                continue
            here = self.roots[inner.rule.subject] if inner.rule.subject else subject
            value = self._value(inner, inner.rule, here)
            if value is None and inner.rule.required and inner.rule.kind in ("list", "codes"):
                empty.append(name)
                value = Array([])
            if value is not None:
                target.members[name] = value
        if target.path and len(empty) == len(target.members):
            # An object that would hold nothing but empty arrays says nothing: it is left out.
            target.members.clear()

    def _value(self, place: Place, rule: Rule, subject: str) -> Value:
        match rule.kind:
            case "list" | "codes":
                nodes = self._items(subject, rule.predicate)
                return Array([(node, self._item(place, rule, node)) for node in nodes]) if nodes else None
            case "node":
                found = self.index.text(subject, rule.predicate)
                if found is None:
                    return None
                part = Object(found, "")
                self._members(place, part, found)
                return part
            case "quantity" | "unit" | "time":
                return self._quantity(rule, subject)
            case _:
                return self._scalar(rule, subject)

    def _items(self, subject: str, predicate: str) -> list[str]:
        nodes = [term.value for term in self.index.objects(subject, predicate) if isinstance(term, NamedNode)]
        return sorted(nodes, key=lambda node: (self._position(node), node))

    def _position(self, node: str) -> float:
        text = self.index.text(node, POSITION.value)
        try:
            return int(text) if text is not None else float("inf")
        except ValueError:
            return float("inf")

    def _item(self, place: Place, rule: Rule, node: str) -> Value:
        if rule.kind == "codes":
            return Item(self._code(expand("bp:code"), node))
        assert place.items is not None
        part = Object(node, "")
        self._members(place.items, part, node)
        return part

    def _scalar(self, rule: Rule, subject: str) -> Json:
        if rule.kind == "code":
            return self._code(rule.predicate, subject)
        text = self.index.text(subject, rule.predicate)
        if text is None:
            return None
        match rule.kind:
            case "entity":
                return text.rpartition("/")[2]
            case "concept":
                return self.vocabulary.concepts.notation(text)
            case _ if rule.range == "boolean":
                return text == "true"
            case _:
                return text

    def _code(self, predicate: str, subject: str) -> Json:
        concept = self.index.text(subject, predicate)
        if concept is not None:
            notation = self.vocabulary.concepts.notation(concept)
            if notation is not None:
                return notation
        return self.index.text(subject, f"{predicate}Text")

    def _quantity(self, rule: Rule, subject: str) -> Json:
        units = self.vocabulary.units
        quantity = decode(self.index, subject, self.vocabulary.quantities[rule.key])
        if quantity is None:
            return None
        if rule.kind == "time":
            return quantity.valid_at
        value, unit = in_stated_unit(quantity, units)
        if rule.kind == "unit":
            return units.unit(unit).aliases[0] if units.unit(unit).aliases else units.unit(unit).symbol
        if not rule.unit.startswith("@") and unit != rule.unit:
            value = units.convert(value, unit, rule.unit)
        return Number(number_token(value, quantity.kind.wire))


def number_token(number: Decimal, wire: str) -> str:
    """Return how JSON writes a number: doubles with a decimal point, integers without.

    >>> number_token(Decimal("94"), "double"), number_token(Decimal("94"), "integer")
    ('94.0', '94')
    """
    text = decimal_text(number)
    return f"{text}.0" if wire == "double" and "." not in text else text
