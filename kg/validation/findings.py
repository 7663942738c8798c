"""From results to findings: the words that a person needs to act.

Field, value, what is allowed, how to mend it and the clause come from the shape that spoke; the place
in the document comes from the format.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode

from battpass.kg.concepts import ConceptTable
from battpass.kg.errors import UnknownUnit
from battpass.kg.graphs import Finding, Severity
from battpass.kg.index import Term
from battpass.kg.literals import decimal_of
from battpass.kg.namespaces import XSD, shorten
from battpass.kg.ontology.units import UnitTable
from battpass.kg.quantities import QuantityKind
from battpass.kg.quantity import HAS_NUMBER_VALUE, HAS_NUMERICAL_PART
from battpass.kg.tables import Labels
from battpass.kg.validation.conversions import conversion
from battpass.kg.validation.data import Data
from battpass.kg.validation.phrases import amount, in_german, unit_in_words
from battpass.kg.validation.places import Places, Route, pointer_of
from battpass.kg.validation.reports.wishes import closest_of
from battpass.kg.validation.results import Result
from battpass.kg.validation.shapes import SCHEME, PropertyShape, ShapeSet
from battpass.kg.validation.ways import Ways

SHOWN = 80
# A report lists so many findings of one severity and code, and says how many more there are.
MOST_OF_A_KIND = 500
_FEW = 12

# What is wrong, by the kind of constraint, where the shape has no code of its own.
CODES: Mapping[str, str] = {
    "MinCountConstraintComponent": "missing",
    "QualifiedMinCountConstraintComponent": "missing",
    "MaxCountConstraintComponent": "too-many",
    "NotConstraintComponent": "wrong-type",
    "DatatypeConstraintComponent": "wrong-type",
    "NodeKindConstraintComponent": "wrong-type",
    "ClassConstraintComponent": "wrong-type",
    "HasValueConstraintComponent": "wrong-type",
    "MinInclusiveConstraintComponent": "out-of-range",
    "MinExclusiveConstraintComponent": "out-of-range",
    "MaxInclusiveConstraintComponent": "out-of-range",
    "MaxExclusiveConstraintComponent": "out-of-range",
    "MinLengthConstraintComponent": "ill-formed",
    "MaxLengthConstraintComponent": "ill-formed",
    "PatternConstraintComponent": "ill-formed",
    "InConstraintComponent": "unknown-code",
    "NodeConstraintComponent": "unknown-code",
    "LessThanConstraintComponent": "order",
    "LessThanOrEqualsConstraintComponent": "order",
}
UNRECOGNISED = "unrecognised-text"
WRONG_UNIT = "wrong-unit"
_OF_TYPE = frozenset({"out-of-range", "ill-formed", "order", "future", "implausible"})
_ABSENT = frozenset({"missing", "due", "advice"})
_NOTHING = Labels("", "")
# By whether the order is strict, and whether it is one of days.
_LESS = {
    (True, False): Labels("less than", "weniger als"),
    (False, False): Labels("at most", "höchstens"),
    (True, True): Labels("earlier than", "früher als"),
    (False, True): Labels("no later than", "nicht später als"),
}
_RANK = {Severity.VIOLATION: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Knows the tables by which terms are put into words."""

    concepts: ConceptTable
    quantities: Mapping[str, QuantityKind]
    units: UnitTable
    ways: Ways

    def finding(
        self, result: Result, shape: PropertyShape, shapes: ShapeSet, data: Data, places: Places
    ) -> Finding:
        """Return the finding of one result."""
        routes = self._routes(result, shape, data)
        heads = tuple(dict.fromkeys(route[0] for route in routes))
        code = shape.code or CODES.get(result.component, "wrong")
        # A rule is about a field, but bears a name of its own.
        named = shapes.with_path(heads[0]) if shape.code and len(heads) == 1 else None
        name = (named or shape).name
        found, allowed = self._found(result, heads, data), self._allowed(result, shape, shapes, data)
        way = self.ways.to(_text(result.focus), routes[0] if routes else (), data, name)
        mend = self._mend(result, shape, shapes, data)
        closest = closest_of(result.branches, result.details) if result.branches else _NOTHING
        return Finding(
            code=code,
            severity=shape.severity,
            field=name.en,
            pointer=self._pointer(result, routes, data, places),
            found=found.en,
            allowed=allowed.en,
            mend=mend.en,
            clause="; ".join(shape.clauses),
            node=_text(result.focus),
            path=" / ".join(shorten(step) for step in routes[0]) if routes else "",
            words=way.words.en,
            submodel=way.submodel,
            mender=way.mender,
            shape=shape.iri,
            closest=closest.en,
            field_de=name.de,
            found_de=found.de,
            allowed_de=allowed.de,
            mend_de=mend.de,
            words_de=way.words.de,
            closest_de=closest.de,
        )

    def value(self, term: Term, predicate: str = "") -> Labels:
        """Return a term as words, a number of a quantity with its unit."""
        if isinstance(term, Literal):
            kind = self._kind(predicate)
            if kind is not None and term.datatype.value == XSD + "decimal":
                return amount(term.value, self.units.unit(kind.unit))
            if term.datatype.value == XSD + "string" or term.language:
                return _alike(_shortened(f'"{term.value}"'))
            shown, datatype = _shortened(term.value), shorten(term.datatype.value)
            return (
                _alike(shown)
                if kind is None
                else Labels(f"{shown} (as {datatype})", f"{shown} (als {datatype})")
            )
        if isinstance(term, NamedNode):
            return self._name(term.value)
        return _alike(_shortened(str(term)))

    def _name(self, iri: str) -> Labels:
        try:
            return unit_in_words(self.units.unit(iri))
        except UnknownUnit:
            short = shorten(iri)
            # Of a node the name that it has within its record; of a term its prefixed name.
            local = short.rpartition("#")[2].rpartition("/")[2] if short == iri else short
            return _alike(self.concepts.notation(iri) or _shortened(local or iri))

    def _kind(self, predicate: str) -> QuantityKind | None:
        return next((kind for kind in self.quantities.values() if kind.compact_iri == predicate), None)

    def _routes(self, result: Result, shape: PropertyShape, data: Data) -> tuple[Route, ...]:
        """Return the routes of the shape's path, of alternatives those that led to the value."""
        if len(shape.routes) < 2 or result.value is None:
            return shape.routes
        return (
            tuple(
                route
                for route in shape.routes
                if len(route) == 1 and result.value in data.index.objects(_text(result.focus), route[0])
            )
            or shape.routes
        )

    def _mend(self, result: Result, shape: PropertyShape, shapes: ShapeSet, data: Data) -> Labels:
        """Return what a shape advises; of a unit that is not the field's own, how to convert it."""
        listed = next(iter(shapes.objects(shape.iri, "in")), None)
        if shape.code != WRONG_UNIT or listed is None or not isinstance(result.value, NamedNode):
            return shape.mend
        wanted = next(shapes.list_of(listed))
        part = data.index.text(_text(result.focus), HAS_NUMERICAL_PART.value) or ""
        number = decimal_of(data.index.text(part, HAS_NUMBER_VALUE.value) or "")
        how = conversion(result.value.value, _text(wanted), number, self.units)
        return Labels(*(f"{first} {then}".strip() for first, then in zip(how, shape.mend, strict=True)))

    def _pointer(self, result: Result, routes: tuple[Route, ...], data: Data, places: Places) -> str:
        if isinstance(result.value, NamedNode) and (own := places.get((result.value.value, ""))) is not None:
            return own
        return pointer_of(places, data, _text(result.focus), routes)

    def _found(self, result: Result, heads: tuple[str, ...], data: Data) -> Labels:
        if result.found:
            found = _shortened(result.found, 2 * SHOWN)
            return Labels(found, in_german(found))
        predicate = heads[0] if heads else ""
        if result.component == "MaxCountConstraintComponent":
            values = data.index.objects(_text(result.focus), predicate)
            listed = [self.value(value, predicate) for value in values[:3]]
            more = ", …" if len(values) > 3 else ""
            shown = Labels(*(", ".join(texts) + more for texts in zip(*listed, strict=True)))
            if len(values) == 1:
                return shown
            return Labels(f"{len(values)} values: {shown.en}", f"{len(values)} Werte: {shown.de}")
        if result.value is None:
            return Labels("nothing", "nichts")
        return self.value(result.value, predicate)

    def _allowed(self, result: Result, shape: PropertyShape, shapes: ShapeSet, data: Data) -> Labels:
        if result.component.startswith("LessThan"):
            return self._below_which(result, shape, shapes, data)
        schemes = [
            scheme
            for node in shapes.objects(shape.iri, "node")
            if isinstance(node, NamedNode)
            for scheme in shapes.index.objects(node.value, SCHEME)
        ]
        if result.component == "NodeConstraintComponent" and schemes:
            name = getattr(schemes[0], "value", "").rpartition("#")[2]
            codes = [concept.notation for concept in self.concepts.in_scheme(name)]
            listed = ", ".join(codes[:_FEW]) + (", …" if len(codes) > _FEW else "")
            return Labels(f"one of: {listed}", f"eines von: {listed}")
        return _message(shape)

    def _below_which(self, result: Result, shape: PropertyShape, shapes: ShapeSet, data: Data) -> Labels:
        """Say which other value a value should lie below; a result does not tell which one it missed."""
        strict = result.component == "LessThanConstraintComponent"
        mine = getattr(result.value, "value", "")
        for other in shapes.objects(shape.iri, "lessThan" if strict else "lessThanOrEquals"):
            predicate = getattr(other, "value", "")
            for bound in data.index.objects(_text(result.focus), predicate):
                if isinstance(bound, Literal) and not _below(mine, bound.value, strict):
                    named = shapes.with_path(predicate)
                    names = named.name if named else Labels(shorten(predicate), shorten(predicate))
                    is_date = bound.datatype.value.endswith(("date", "dateTime"))
                    word, german = _LESS[strict, is_date]
                    shown = self.value(bound, predicate)
                    return Labels(
                        f"{word} the {_phrase(names.en)} ({shown.en})", f"{german} „{names.de}“ ({shown.de})"
                    )
        return _message(shape)


def merge(of_format: Iterable[Finding], of_shapes: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings of a format and of the shapes as one list, the gravest first.

    What a format could not understand is absent from the graph; the shapes then miss it, which says
    nothing new and is left out. Of equal findings at one place the graver stays.
    """
    first = tuple(of_format)
    spoken = {finding.pointer for finding in first if finding.pointer}
    # Without its unit a value is not used, so it is missed at the place beside.
    unitless = {_parent(finding.pointer) for finding in first if "unit" in finding.code}
    kept = (
        finding
        for finding in of_shapes
        if not (
            finding.code in _ABSENT and (finding.pointer in spoken or _parent(finding.pointer) in unitless)
        )
    )
    return ordered([*first, *kept])


def shortened(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the first findings of each kind, and in the place of all further ones how many there are.

    A document of a few hundred kilobytes can be wrong in tens of thousands of places.
    """
    given = tuple(findings)
    counted = Counter((one.severity, one.code) for one in given)
    if all(count <= MOST_OF_A_KIND for count in counted.values()):
        return given
    seen: Counter[tuple[Severity, str]] = Counter()
    kept = []
    for one in given:
        kind = (one.severity, one.code)
        seen[kind] += 1
        if seen[kind] <= MOST_OF_A_KIND:
            kept.append(one)
        elif seen[kind] == MOST_OF_A_KIND + 1:
            kept.append(_further(one, counted[kind] - MOST_OF_A_KIND))
    return tuple(kept)


def _further(first: Finding, count: int) -> Finding:
    return Finding(
        code=first.code,
        severity=first.severity,
        field="Further findings",
        pointer="",
        found=f"{count:,} more of this kind",
        allowed=first.allowed,
        mend="Mend those that are listed, and check the document again.",
        field_de="Weitere Befunde",
        found_de=f"{count:,} weitere dieser Art".replace(",", "."),
        allowed_de=first.allowed_de,
        mend_de="Beheben Sie die aufgeführten und prüfen Sie das Dokument erneut.",
    )


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by weight and place, the same thing at the same place once."""
    ranked = sorted(findings, key=lambda one: (_RANK[one.severity], one.pointer, one.path, one.code))
    # What is of the wrong type is out of every range too; once is enough.
    mistyped = {(finding.node, finding.path) for finding in ranked if finding.code == "wrong-type"}
    once: dict[tuple[str, ...], Finding] = {}
    for finding in ranked:
        if finding.code in _OF_TYPE and (finding.node, finding.path) in mistyped:
            continue
        once.setdefault(_about(finding), finding)
    return tuple(once.values())


def _about(finding: Finding) -> tuple[str, ...]:
    """Return what a finding is about: a value asked for by law and by exchange is missing only once."""
    if finding.code in _ABSENT:
        return "missing", finding.pointer or finding.node + finding.path
    if finding.code == UNRECOGNISED:
        return finding.code, finding.pointer or finding.node
    return finding.code, finding.pointer, finding.node, finding.path, finding.field


def _text(term: Term) -> str:
    return term.value if isinstance(term, NamedNode | Literal) else str(term)


def _alike(text: str) -> Labels:
    """Return a text that is the same in both languages."""
    return Labels(text, text)


def _message(shape: PropertyShape) -> Labels:
    """Return what a shape allows, as phrases; German keeps its capitals, as nouns come first there."""
    return Labels(_phrase(shape.message.en), shape.message.de.removesuffix("."))


def _parent(pointer: str) -> str:
    return pointer.rpartition("/")[0] or "none"


def _below(mine: str, bound: str, strict: bool) -> bool:
    try:
        return float(mine) < float(bound) if strict else float(mine) <= float(bound)
    except ValueError:
        return mine < bound if strict else mine <= bound


def _phrase(sentence: str) -> str:
    """Return a sentence as a phrase within another: no full stop, a small letter first."""
    text = sentence.removesuffix(".")
    small = len(text) > 1 and text[0].isupper() and (text[1].islower() or text[1] == " ")
    proper = text.split(" ")[0].rstrip(":;,") in ("BPNL", "BPNA", "QR", "Cd", "Pb")
    return text[0].lower() + text[1:] if small and not proper else text


def _shortened(text: str, limit: int = SHOWN) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
