"""Category shapes: what a battery of a category must give on a day, made from the obligation table.

    duty binds                     missing value is a violation
    its day is ahead               advice, with the day and the clause
    it awaits an act               advice, with the act
    its condition does not hold    advice, with the condition

The shapes of one category, day and set of conditions that hold are plain SHACL, made once and kept.
They target passport, battery and model by their place in the record, because the class of a category is
on battery and model alike, and a duty is owed by one of the two.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from battpass.kg.attributes import Attribute, Subject
from battpass.kg.graphs import Severity
from battpass.kg.index import Term
from battpass.kg.namespaces import RDF, RDFS, XSD, expand
from battpass.kg.obligations import Bindingness, Category, Obligation, Obligations
from battpass.kg.paths import Path
from battpass.kg.tables import Labels
from battpass.kg.validation.hints import EXAMPLE, VOCABULARIES, hints_of
from battpass.kg.validation.shapes import FINDING_CODE, MEND, SH, SHAPES, SOURCE, ShapeSet

Route = tuple[str, ...]

_TARGETS: Mapping[Subject, tuple[str, str]] = {
    "passport": ("targetClass", "bp:BatteryPassport"),
    "battery": ("targetObjectsOf", "bp:describes"),
    "model": ("targetObjectsOf", "bp:model"),
}
# The sub-models as they stand in the attribute table, in the order of the pages of a passport.
SUBMODELS: Mapping[str, Labels] = {
    "general": Labels("General product information", "Allgemeine Angaben"),
    "labels": Labels("Labels and conformity", "Kennzeichen und Konformität"),
    "carbon-footprint": Labels("Carbon footprint", "CO2-Fußabdruck"),
    "due-diligence": Labels("Supply chain due diligence", "Sorgfaltspflichten in der Lieferkette"),
    "materials": Labels("Materials", "Werkstoffe"),
    "circularity": Labels("Circularity", "Kreislaufführung"),
    "performance": Labels("Performance and durability", "Leistung und Haltbarkeit"),
}


@dataclass(frozen=True, slots=True)
class Duty:
    """One obligation as it stands on a day for one battery: how it weighs, and what is asked in words."""

    attribute: Attribute
    obligation: Obligation
    severity: Severity
    code: str
    asked: tuple[str, str]

    @property
    def shape(self) -> str:
        """The IRI of its property shape."""
        return f"{SHAPES}duty-{self.attribute.name}-{self.obligation.category}"


def duties(
    attributes: Mapping[str, Attribute],
    obligations: Obligations,
    category: Category,
    on: date,
    holding: frozenset[str],
) -> tuple[Duty, ...]:
    """Return the mandatory attributes of a category on a day.

    `holding` names the attributes whose condition holds; see `holding_conditions`.
    """
    return tuple(
        Duty(
            attributes[obligation.attribute],
            obligation,
            *_weight(obligation, on, obligation.attribute in holding),
        )
        for obligation in obligations.for_category(category)
        if obligation.bindingness is Bindingness.MANDATORY
    )


def category_shapes(category: Category, owed: Iterable[Duty], fields: ShapeSet) -> ShapeSet:
    """Return the shapes that ask for what is owed; a coarser statement of the same thing will do.

    `fields` are the shapes that say what the values are like; examples and widgets are theirs.
    """
    return ShapeSet(_shapes(category, tuple(owed), fields))


def presence_routes(attribute: Attribute) -> tuple[Route, ...]:
    """Return the routes that lead to an attribute's values, the exact ones first."""
    paths: list[Path] = [attribute.path, *([attribute.nearest] if attribute.nearest else [])]
    return tuple(dict.fromkeys(route for path in paths for route in path.routes))


def _weight(obligation: Obligation, on: date, holds: bool) -> tuple[Severity, str, tuple[str, str]]:
    starts = obligation.applies_from.isoformat() if obligation.applies_from else ""
    if not holds:
        return (
            Severity.INFO,
            "advice",
            (
                "A value, though none is owed: the duty does not reach this battery.",
                "Ein Wert, obwohl keiner geschuldet ist: Die Pflicht trifft diese Batterie nicht.",
            ),
        )
    if obligation.in_force(on):
        return (
            Severity.VIOLATION,
            "missing",
            (f"A value, due since {starts}.", f"Ein Wert, fällig seit {starts}."),
        )
    if obligation.awaits:
        earliest = (f" from {starts} at the earliest,", f" frühestens ab {starts},") if starts else ("", "")
        return (
            Severity.INFO,
            "due",
            (
                f"A value, due{earliest[0]} once this is adopted: {obligation.awaits}.",
                f"Ein Wert, fällig{earliest[1]} sobald dies erlassen ist: {obligation.awaits}.",
            ),
        )
    return Severity.INFO, "due", (f"A value, due from {starts}.", f"Ein Wert, fällig ab {starts}.")


def _shapes(category: Category, owed: tuple[Duty, ...], fields: ShapeSet) -> Iterator[Quad]:
    for number, (name, labels) in enumerate(SUBMODELS.items()):
        group = NamedNode(f"{SHAPES}group-duties-{name}")
        yield _quad(group, RDF + "type", _sh("PropertyGroup"))
        for text, language in zip(labels, ("en", "de"), strict=True):
            yield _quad(group, RDFS + "label", Literal(text, language=language))
        yield _quad(group, SH + "order", _number(1000 + 10 * number))
    for subject, (target, name) in _TARGETS.items():
        shape = NamedNode(f"{SHAPES}duties-{subject}-{category}")
        yield _quad(shape, RDF + "type", _sh("NodeShape"))
        yield _quad(shape, SH + target, NamedNode(expand(name)))
        for duty in owed:
            if duty.attribute.subject == subject:
                yield _quad(shape, SH + "property", NamedNode(duty.shape))
                yield from _property_shape(duty)
                yield from _as_the_field(duty, fields)


def _as_the_field(duty: Duty, fields: ShapeSet) -> Iterator[Quad]:
    """Yield an example and the widgets of what a duty asks for, where its field is among the shapes."""
    here, field = NamedNode(duty.shape), fields.with_path(presence_routes(duty.attribute)[0][-1])
    if field is None:
        return
    for example in fields.index.objects(field.iri, EXAMPLE):
        yield _quad(here, EXAMPLE, example)
    hints = hints_of(fields, field.iri)
    for vocabulary in VOCABULARIES:
        yield _quad(here, vocabulary + "editor", NamedNode(vocabulary + hints.editor))
        yield _quad(here, vocabulary + "viewer", NamedNode(vocabulary + hints.viewer))


def _property_shape(duty: Duty) -> Iterator[Quad]:
    attribute, here = duty.attribute, NamedNode(duty.shape)
    first = ("Add it if you have it.", "Ergänzen Sie es, wenn Sie es haben.")
    if duty.code != "advice":
        first = ("Add it to the passport.", "Ergänzen Sie den Pass.")
    mend = (
        f"{first[0]} What is meant: {attribute.definitions.en}",
        f"{first[1]} Gemeint ist: {attribute.definitions.de}",
    )
    yield _quad(here, RDF + "type", _sh("PropertyShape"))
    yield from _path(here, presence_routes(attribute))
    yield _quad(here, SH + "minCount", _number(1))
    for predicate, texts in (
        (SH + "name", attribute.labels),
        (SH + "description", attribute.definitions),
        (SH + "message", duty.asked),
        (MEND, mend),
    ):
        for text, language in zip(texts, ("en", "de"), strict=True):
            yield _quad(here, predicate, Literal(text, language=language))
    source = ", ".join(filter(None, (duty.obligation.act, duty.obligation.clause)))
    yield _quad(here, SOURCE, Literal(source))
    yield _quad(here, FINDING_CODE, Literal(duty.code))
    yield _quad(here, SH + "severity", _sh(duty.severity.value.capitalize()))
    yield _quad(here, SH + "group", NamedNode(f"{SHAPES}group-duties-{attribute.submodel}"))
    yield _quad(here, SH + "order", _number(10 * attribute.number))


def _path(here: NamedNode, routes: tuple[Route, ...]) -> Iterator[Quad]:
    name = here.value.rpartition("#")[2].replace("-", "")
    ends: list[Term] = []
    for number, route in enumerate(routes):
        if len(route) == 1:
            ends.append(NamedNode(route[0]))
        else:
            head, statements = _list([NamedNode(step) for step in route], f"{name}r{number}")
            yield from statements
            ends.append(head)
    if len(ends) == 1:
        yield _quad(here, SH + "path", ends[0])
        return
    choice = BlankNode(f"{name}choice")
    head, statements = _list(ends, f"{name}c")
    yield from statements
    yield _quad(choice, SH + "alternativePath", head)
    yield _quad(here, SH + "path", choice)


def _list(members: list[Term], name: str) -> tuple[BlankNode, list[Quad]]:
    nodes = [BlankNode(f"{name}x{number}") for number in range(len(members))]
    rests: list[Term] = [*nodes[1:], NamedNode(RDF + "nil")]
    return nodes[0], [
        quad
        for node, member, rest in zip(nodes, members, rests, strict=True)
        for quad in (_quad(node, RDF + "first", member), _quad(node, RDF + "rest", rest))
    ]


def _quad(subject: NamedNode | BlankNode, predicate: str, target: Term) -> Quad:
    return Quad(subject, NamedNode(predicate), target)


def _sh(local: str) -> NamedNode:
    return NamedNode(SH + local)


def _number(number: int) -> Literal:
    return Literal(str(number), datatype=NamedNode(XSD + "integer"))
