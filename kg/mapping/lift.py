"""From a partner's document to statements: one walk along the table.

What the table cannot say, or the document says badly, is never guessed: it becomes a finding, and the
residue (see `residue.py`) keeps it word for word.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode

from battpass.kg.concepts import ConceptTable
from battpass.kg.errors import UnknownUnit
from battpass.kg.graphs import AccessClass, Finding, Severity
from battpass.kg.index import Term
from battpass.kg.jsontext import Json, Number, escape, type_name, write_json
from battpass.kg.literals import (
    BOOLEAN,
    DATE,
    INTEGER,
    date_text,
    date_time_text,
    decimal_of,
    is_text,
)
from battpass.kg.mapping import messages
from battpass.kg.mapping.table import Place, Rule
from battpass.kg.namespaces import RDF, expand
from battpass.kg.ontology.units import UnitTable
from battpass.kg.passport import POSITION
from battpass.kg.quantities import QuantityKind
from battpass.kg.quantity import HAS_MEASUREMENT_UNIT, VALID_AT, Quantity, child, encode, in_canonical_unit
from battpass.kg.tables import Labels

TYPE = NamedNode(RDF + "type")
MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tables that the mapping reads: kinds of quantity, concepts, units, labels of properties."""

    quantities: Mapping[str, QuantityKind]
    concepts: ConceptTable
    units: UnitTable
    labels: Mapping[str, Labels]


@dataclass(frozen=True, slots=True)
class Context:
    """Where the walk stands: the node in the graph, its access class, and the place in the document."""

    subject: str
    access: AccessClass
    pointer: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a statement came from: the rule and the JSON pointer of its value."""

    subject: str
    rule: Rule
    pointer: str


class Lift:
    """One walk over one document. Collects statements by root, findings, and the origin of each value."""

    def __init__(self, roots: dict[str, str], base: str, vocabulary: Vocabulary) -> None:
        self.roots = roots
        self.base = base
        self.vocabulary = vocabulary
        self.statements: list[tuple[AccessClass, str, NamedNode, Term]] = []
        self.findings: list[Finding] = []
        self.origins: list[Origin] = []
        self.nodes: list[tuple[str, str]] = []
        self._names: dict[str, NamedNode] = {}

    def members(self, place: Place, value: Json, here: Context) -> None:
        """Walk the members of an object."""
        if not isinstance(value, dict):
            self._misfit(value, here.pointer, messages.AN_OBJECT)
            return
        for name, member in value.items():
            pointer = f"{here.pointer}/{escape(name)}"
            inner = place.members.get(name)
            if inner is None:
                self._find(
                    "unknown-member",
                    Severity.INFO,
                    pointer,
                    messages.alike(name),
                    _shown(member),
                    messages.KNOWN_MEMBERS,
                    messages.KEPT,
                )
            elif inner.rule is None:
                self.members(inner, member, Context(here.subject, here.access, pointer))
            else:
                self._rule(inner, inner.rule, member, value, self._context(inner.rule, here, pointer))

    def _context(self, rule: Rule, here: Context, pointer: str) -> Context:
        subject = self.roots[rule.subject] if rule.subject else here.subject
        return Context(subject, rule.access or here.access, pointer)

    def _rule(self, place: Place, rule: Rule, value: Json, siblings: dict[str, Json], here: Context) -> None:
        match rule.kind:
            case "list":
                self._list(place, rule, value, here)
            case "codes":
                self._codes(rule, value, here)
            case "node":
                self._node(place, rule, value, here)
            case "quantity":
                self._quantity(rule, value, siblings, here)
            case "unit" | "time":
                self._companion(rule, value, here)
            case _:
                term = self._term(rule, value, here)
                if term is not None:
                    predicate, found = term
                    self._say(here, predicate, found)
                    self.origins.append(Origin(here.subject, rule, here.pointer))

    def _term(self, rule: Rule, value: Json, here: Context) -> tuple[str, Term] | None:
        if rule.kind == "literal":
            literal = self._literal(rule, value, here)
            return None if literal is None else (rule.predicate, literal)
        if not isinstance(value, str) or not is_text(value):
            self._misfit(value, here.pointer, messages.A_TEXT)
            return None
        if rule.kind == "entity":
            # BPNs are ASCII letters and digits; anything else would not make an IRI that reads back.
            if value.isascii() and value.isalnum():
                return rule.predicate, NamedNode(f"{self.base}{rule.range}/{value}")
            self._misfit(value, here.pointer, messages.AN_IDENTIFIER)
            return None
        concepts = self.vocabulary.concepts
        if rule.kind == "concept":
            concept = concepts.by_notation(rule.range, value)
            if concept is None:
                allowed = ", ".join(found.notation for found in concepts.in_scheme(rule.range))
                self._find(
                    "unknown-code",
                    Severity.VIOLATION,
                    here.pointer,
                    self._label(rule),
                    _shown(value),
                    messages.alike(allowed),
                    messages.USE_A_CODE,
                )
                return None
            return rule.predicate, NamedNode(concept.iri)
        concept = concepts.by_text(rule.range, value)
        if concept is not None:
            return rule.predicate, NamedNode(concept.iri)
        self._find(
            "unrecognised-text",
            Severity.INFO,
            here.pointer,
            self._label(rule),
            _shown(value),
            Labels(
                f"the names and aliases of the scheme {rule.range}",
                f"die Namen und Nebennamen des Schemas {rule.range}",
            ),
            messages.TEXT_KEPT,
        )
        return f"{rule.predicate}Text", Literal(value)

    def _literal(self, rule: Rule, value: Json, here: Context) -> Literal | None:
        if rule.range == "boolean":
            if isinstance(value, bool):
                return Literal("true" if value else "false", datatype=BOOLEAN)
            self._misfit(value, here.pointer, messages.A_TRUTH)
            return None
        if not isinstance(value, str):
            self._misfit(value, here.pointer, messages.A_TEXT)
            return None
        if rule.range == "date":
            text = date_text(value)
            if text is None:
                self._find(
                    "bad-date",
                    Severity.VIOLATION,
                    here.pointer,
                    self._label(rule),
                    _shown(value),
                    messages.A_DATE,
                    messages.WRITE_A_DATE,
                )
                return None
            return Literal(text, datatype=DATE)
        if not is_text(value):
            self._misfit(value, here.pointer, messages.PLAIN_TEXT)
            return None
        return Literal(value)

    def _list(self, place: Place, rule: Rule, value: Json, here: Context) -> None:
        if not isinstance(value, list):
            self._misfit(value, here.pointer, messages.AN_ARRAY)
            return
        assert place.items is not None
        for number, item in enumerate(value, start=1):
            inner = self._item(rule, number, here)
            self._say(inner, TYPE.value, NamedNode(expand(rule.range)))
            self.members(place.items, item, inner)

    def _codes(self, rule: Rule, value: Json, here: Context) -> None:
        if not isinstance(value, list):
            self._misfit(value, here.pointer, messages.AN_ARRAY)
            return
        code = Rule(rule.path + "[]", "code", "", None, expand("bp:code"), rule.range, (), "", ())
        for number, item in enumerate(value, start=1):
            self._rule(Place(code), code, item, {}, self._item(rule, number, here))

    def _item(self, rule: Rule, number: int, here: Context) -> Context:
        subject = child(here.subject, f"{rule.key}-{number}")
        self._say(here, rule.predicate, self._name(subject))
        inner = Context(subject, here.access, f"{here.pointer}/{number - 1}")
        self._say(inner, POSITION.value, Literal(str(number), datatype=INTEGER))
        self.nodes.append((subject, inner.pointer))
        return inner

    def _node(self, place: Place, rule: Rule, value: Json, here: Context) -> None:
        if not isinstance(value, dict):
            self._misfit(value, here.pointer, messages.AN_OBJECT)
            return
        subject = child(here.subject, rule.key)
        inner = Context(subject, here.access, here.pointer)
        self._say(here, rule.predicate, self._name(subject))
        self._say(inner, TYPE.value, NamedNode(expand(rule.range)))
        for predicate, target in rule.fixed:
            self._say(inner, predicate, NamedNode(target))
        self.nodes.append((subject, here.pointer))
        self.members(place, value, inner)

    def _quantity(self, rule: Rule, value: Json, siblings: dict[str, Json], here: Context) -> None:
        kind = self.vocabulary.quantities[rule.key]
        if not isinstance(value, Number):
            self._misfit(value, here.pointer, messages.A_NUMBER)
            return
        number = decimal_of(value.token)
        if number is None:
            self._find(
                "number-out-of-range",
                Severity.VIOLATION,
                here.pointer,
                kind.labels,
                _shown(value),
                messages.SOME_NUMBERS,
                messages.CHECK_NUMBER,
            )
            return
        stated = self._stated_unit(rule, siblings, here)
        if stated is None:
            return
        units = self.vocabulary.units
        quantity = in_canonical_unit(kind, number, stated, units)
        if quantity is None:
            kinds = ", ".join(unit.label for unit in units.of_kind(units.unit(kind.unit).kind))
            self._find(
                "wrong-unit",
                Severity.VIOLATION,
                _unit_pointer(rule, here),
                kind.labels,
                units.unit(stated).label,
                messages.alike(kinds),
                messages.USE_A_UNIT,
            )
            return
        if decimal_of(str(quantity.value)) is None:
            # Twenty-seven places of an inch: the value stays as stated, in the stated unit's own digits.
            quantity = Quantity(kind, number, stated) if kind.open else None
            if quantity is None:
                fits = units.unit(kind.unit).label
                self._find(
                    "number-out-of-range",
                    Severity.VIOLATION,
                    here.pointer,
                    kind.labels,
                    _shown(value),
                    Labels(f"a number that fits in {fits}", f"eine Zahl, die in {fits} passt"),
                    messages.FEWER_PLACES,
                )
                return
        time = siblings.get(rule.time)
        valid_at = date_time_text(time) if isinstance(time, str) else None
        whole = Quantity(kind, quantity.value, quantity.unit, quantity.stated_unit, valid_at)
        for subject, predicate, term in encode(here.subject, whole):
            self.statements.append((here.access, subject, predicate, term))
        self.origins.append(Origin(here.subject, rule, here.pointer))

    def _stated_unit(self, rule: Rule, siblings: dict[str, Json], here: Context) -> str | None:
        if not rule.unit.startswith("@"):
            return rule.unit
        text = siblings.get(rule.unit[1:])
        pointer = _unit_pointer(rule, here)
        try:
            if isinstance(text, str):
                return self.vocabulary.units.by_alias(text).curie
        except UnknownUnit:
            pass
        kind = self.vocabulary.quantities[rule.key]
        known = self.vocabulary.units.unit(kind.unit).aliases[0]
        self._find(
            "unknown-unit",
            Severity.VIOLATION,
            pointer,
            kind.labels,
            messages.NO_UNIT if text is None else _shown(text),
            Labels(f"a unit such as {known}", f"eine Einheit wie {known}"),
            messages.SPELL_THE_UNIT,
        )
        return None

    def _companion(self, rule: Rule, value: Json, here: Context) -> None:
        if rule.kind == "time":
            if not isinstance(value, str) or date_time_text(value) is None:
                self._find(
                    "bad-time",
                    Severity.VIOLATION,
                    here.pointer,
                    self._label(rule),
                    _shown(value),
                    messages.A_TIME,
                    messages.WRITE_A_TIME,
                )
                return
        elif not isinstance(value, str):
            self._misfit(value, here.pointer, messages.A_UNIT)
            return
        self.origins.append(Origin(here.subject, rule, here.pointer))

    def _say(self, here: Context, predicate: str, term: Term) -> None:
        self.statements.append((here.access, here.subject, self._name(predicate), term))

    def _name(self, iri: str) -> NamedNode:
        found = self._names.get(iri)
        if found is None:
            found = self._names[iri] = NamedNode(iri)
        return found

    def _label(self, rule: Rule) -> Labels:
        kind = self.vocabulary.quantities.get(rule.key)
        if kind is None:
            return self.vocabulary.labels.get(rule.predicate) or messages.alike(rule.key)
        if rule.kind != "time":
            return kind.labels
        return Labels(f"Time of {kind.labels.en}", f"Zeit von: {kind.labels.de}")

    def _misfit(self, value: Json, pointer: str, wanted: Labels) -> None:
        self._find(
            "wrong-type",
            Severity.VIOLATION,
            pointer,
            messages.alike(pointer.rpartition("/")[2]),
            _shown(value),
            wanted,
            messages.send(wanted),
        )

    def _find(
        self,
        code: str,
        severity: Severity,
        pointer: str,
        field: Labels,
        found: Labels | str,
        allowed: Labels,
        mend: Labels,
    ) -> None:
        self.findings.append(messages.finding(code, severity, pointer, field, found, allowed, mend))


def places(lift: Lift) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield `((subject, predicate), pointer)` for each value, and `((node, ""), pointer)` for each node."""
    for subject, pointer in lift.nodes:
        yield (subject, ""), pointer
    for origin in lift.origins:
        rule = origin.rule
        if rule.kind in ("unit", "time"):
            told = HAS_MEASUREMENT_UNIT if rule.kind == "unit" else VALID_AT
            yield (child(origin.subject, rule.key), told.value), origin.pointer
            continue
        yield (origin.subject, rule.predicate), origin.pointer
        if rule.kind == "quantity":
            kind = lift.vocabulary.quantities[rule.key]
            yield (origin.subject, kind.compact_iri), origin.pointer
            yield (child(origin.subject, kind.key), ""), origin.pointer
        elif rule.kind == "code":
            yield (origin.subject, f"{rule.predicate}Text"), origin.pointer


def _unit_pointer(rule: Rule, here: Context) -> str:
    """Return where the unit of a quantity stands: in a sibling of its number, or nowhere but the number."""
    if not rule.unit.startswith("@"):
        return here.pointer
    return f"{here.pointer.rpartition('/')[0]}/{rule.unit[1:]}"


def _shown(value: Json) -> str:
    text = write_json(value, indent=None) if not isinstance(value, dict | list) else type_name(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text)} characters)"
