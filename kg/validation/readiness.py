"""How far a passport is from what its category owes: per sub-model what is missing, by when, by which clause.

Unlike a report, which asks whether a passport may be published today, this looks ahead: it lists every
duty that will come, and what the passport says only coarsely.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from battpass.kg.attributes import Attribute, Presence, Reading
from battpass.kg.obligations import Bindingness, Category, Obligation, Obligations, category_of
from battpass.kg.passport import Passport
from battpass.kg.validation.data import Data
from battpass.kg.validation.obligations import SUBMODELS, presence_routes
from battpass.kg.validation.places import Places, pointer_of


class Standing(StrEnum):
    """How a missing or coarse attribute stands on the day that was asked about."""

    OVERDUE = "overdue"
    DUE = "due"
    AWAITS = "awaits an act"
    VOLUNTARY = "voluntary"


@dataclass(frozen=True, slots=True)
class Missing:
    """One attribute that a passport does not give, or gives only coarsely.

    `by` is the first day of the duty, where it has one; `awaits` the act that it waits for. `pointer`
    says where in the document the value would stand, empty where the format has no place for it.
    """

    attribute: Attribute
    standing: Standing
    coarse: bool
    by: date | None
    awaits: str
    clause: str
    pointer: str

    def text(self) -> str:
        """Return it as one line."""
        when = {
            Standing.OVERDUE: f"due since {self.by}",
            Standing.DUE: f"due from {self.by}",
            Standing.AWAITS: f"due once adopted: {self.awaits}",
            Standing.VOLUNTARY: "voluntary",
        }[self.standing]
        how = "given only coarsely" if self.coarse else "missing"
        clause = f" [{self.clause}]" if self.clause else ""
        return (
            f"{self.attribute.labels.en} ({self.pointer or self.attribute.path.text}): {how}, {when}{clause}"
        )


@dataclass(frozen=True, slots=True)
class Section:
    """One sub-model: how many of its attributes are owed or may be given, how many are, and which are not."""

    submodel: str
    title: str
    asked: int
    given: int
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Where a passport stands on a day. Without a category that has duties there are no sections."""

    on: date
    category: Category | None
    sections: tuple[Section, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing is overdue on the day, be it coarsely given."""
        return not any(
            one.standing is Standing.OVERDUE and not one.coarse
            for section in self.sections
            for one in section.missing
        )

    def lines(self) -> Iterator[str]:
        """Yield the whole as text, gravest and soonest first within each sub-model."""
        if self.category is None:
            yield "This category has no passport duty (Regulation (EU) 2023/1542, Art. 77(1))."
        for section in self.sections:
            yield f"{section.title}: {section.given} of {section.asked} given"
            yield from (f"  {one.text()}" for one in section.missing)


def readiness(
    passport: Passport,
    on: date,
    attributes: Mapping[str, Attribute],
    obligations: Obligations,
    places: Places | None = None,
) -> Readiness:
    """Return where a passport stands on a day; duties whose condition does not hold are not asked for."""
    data = Data(passport.quads())
    reading = Reading(data.index)
    category = category_of(reading)
    if category is None:
        return Readiness(on, None, ())
    asked: dict[str, list[tuple[Obligation, Missing | None]]] = {}
    for obligation in obligations.for_category(category):
        if obligation.condition.holds(reading.index):
            attribute = attributes[obligation.attribute]
            found = _missing(attribute, obligation, reading, on, data, places or {})
            asked.setdefault(attribute.submodel, []).append((obligation, found))
    return Readiness(on, category, tuple(_section(name, asked[name]) for name in SUBMODELS if name in asked))


def _section(name: str, asked: list[tuple[Obligation, Missing | None]]) -> Section:
    missing = [found for _, found in asked if found is not None]
    order = list(Standing)
    missing.sort(key=lambda one: (order.index(one.standing), one.coarse, one.by or date.max))
    return Section(name, SUBMODELS[name].en, len(asked), len(asked) - len(missing), tuple(missing))


def _missing(
    attribute: Attribute, obligation: Obligation, reading: Reading, on: date, data: Data, places: Places
) -> Missing | None:
    presence = reading.presence(attribute)
    if presence is Presence.GIVEN:
        return None
    subject = reading.subject(attribute.subject)
    # A coarse statement has places of its own; what is pointed at is the list or section it stands in.
    heads = dict.fromkeys((route[0],) for route in presence_routes(attribute))
    return Missing(
        attribute,
        _standing(obligation, on),
        presence is Presence.COARSE,
        obligation.applies_from,
        obligation.awaits,
        ", ".join(filter(None, (obligation.act, obligation.clause))),
        pointer_of(places, data, subject, heads) if subject else "",
    )


def _standing(obligation: Obligation, on: date) -> Standing:
    if obligation.bindingness is Bindingness.VOLUNTARY:
        return Standing.VOLUNTARY
    if obligation.in_force(on):
        return Standing.OVERDUE
    return Standing.AWAITS if obligation.awaits else Standing.DUE
