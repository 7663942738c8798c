"""What the law asks of each battery category, from `ontology/obligations.csv`.

A duty binds from its date, if the act it waits for is adopted and its condition holds. Before that, or
where it does not hold, a missing value is advice and no violation. The language of conditions is
described in `battpass.kg.conditions`.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from pyoxigraph import NamedNode

from battpass.kg.attributes import Attribute, Presence, Reading, load_attributes
from battpass.kg.conditions import Condition
from battpass.kg.graphs import Severity
from battpass.kg.mapping.derive import category_classes
from battpass.kg.namespaces import BP, expand
from battpass.kg.resources import ontology_path
from battpass.kg.tables import Row, read_table

_COLUMNS = (
    "attribute",
    "category",
    "obligation",
    "condition",
    "act",
    "clause",
    "applies_from",
    "awaits",
    "note",
)


class Category(StrEnum):
    """The columns of the longlist; industrial batteries split into stationary storage and the others."""

    EV = "EV"
    LMT = "LMT"
    INDUSTRIAL = "industrial"
    STATIONARY = "stationary"

    @property
    def class_iri(self) -> str:
        """The class that batteries of the category belong to."""
        return BP + _CLASSES[self]


_CLASSES = {
    Category.EV: "ElectricVehicleBattery",
    Category.LMT: "LightTransportBattery",
    Category.INDUSTRIAL: "IndustrialBattery",
    Category.STATIONARY: "StationaryBattery",
}


class Bindingness(StrEnum):
    """Whether an attribute must, may or need not be given for a category."""

    MANDATORY = "mandatory"
    VOLUNTARY = "voluntary"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Obligation:
    """One row of the table: one attribute for one category.

    `applies_from` is the first day on which it binds; where `awaits` names an act that is not adopted,
    it is the earliest day possible, and the duty binds on no day until the table is changed.
    """

    attribute: str
    category: Category
    bindingness: Bindingness
    condition: Condition
    act: str
    clause: str
    applies_from: date | None
    awaits: str
    note: str

    @property
    def iri(self) -> str:
        """The node of the obligation in the ontology."""
        return f"{BP}obligation-{self.attribute}-{self.category}"

    def in_force(self, on: date) -> bool:
        """Return whether the duty has begun on a day, for batteries that meet its condition."""
        return (
            self.bindingness is Bindingness.MANDATORY
            and not self.awaits
            and self.applies_from is not None
            and self.applies_from <= on
        )

    def binds(self, reading: Reading, on: date) -> bool:
        """Return whether this passport must give the attribute on a day."""
        return self.in_force(on) and self.condition.holds(reading.index)


@dataclass(frozen=True, slots=True)
class Gap:
    """An attribute that a passport does not give, or gives only coarsely, and how much that weighs."""

    attribute: Attribute
    obligation: Obligation
    presence: Presence
    severity: Severity


class Obligations:
    """All obligations, by attribute and category.

    >>> from datetime import date
    >>> len(Obligations.load().for_category(Category.EV))
    82
    >>> Obligations.load().for_category(Category.EV, date(2026, 11, 21))
    ()
    """

    def __init__(self, obligations: Iterable[Obligation]) -> None:
        self._all = {(obligation.attribute, obligation.category): obligation for obligation in obligations}

    @classmethod
    def load(cls, path: Path | None = None, attributes: Collection[str] | None = None) -> "Obligations":
        """Return the table that is installed, or the one at `path`.

        `attributes` are the names that it may speak of: those of the installed attribute table, if none
        are given.

        Raises
        ------
        BadTable
            If a row is ill-formed, names an unknown attribute or category, or stands twice.
        """
        known = load_attributes() if attributes is None else attributes
        rows = read_table(path or ontology_path("obligations.csv"), _COLUMNS)
        return cls(_checked(rows, known))

    def __iter__(self) -> Iterator[Obligation]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)

    def of(self, attribute: str, category: Category) -> Obligation | None:
        """Return the obligation of an attribute for a category."""
        return self._all.get((attribute, category))

    def for_category(self, category: Category, on: date | None = None) -> tuple[Obligation, ...]:
        """Return what a category must or may give; with a day, only the duties in force on it."""
        return tuple(
            obligation
            for obligation in self
            if obligation.category == category
            and (obligation.bindingness is not Bindingness.NONE if on is None else obligation.in_force(on))
        )

    def gaps(
        self, reading: Reading, category: Category, on: date, attributes: Iterable[Attribute]
    ) -> Iterator[Gap]:
        """Yield what a passport lacks on a day, in the order of the attributes.

        Missing under a duty that binds is a violation, given only coarsely a warning; all else is advice.
        """
        for attribute in attributes:
            obligation = self.of(attribute.name, category)
            if obligation is None or obligation.bindingness is Bindingness.NONE:
                continue
            presence = reading.presence(attribute)
            if presence is not Presence.GIVEN:
                yield Gap(attribute, obligation, presence, _severity(obligation, presence, reading, on))


def category_of(reading: Reading) -> Category | None:
    """Return the category of the battery's class, or that its model states; None for kinds without duty."""
    types = set(category_classes(reading.index, reading.model)) if reading.model else set()
    if reading.battery:
        classes = reading.index.objects(reading.battery, expand("rdf:type"))
        types |= {term.value for term in classes if isinstance(term, NamedNode)}
    # Stationary storage is an industrial battery too, so the narrower class is looked for first.
    order = (Category.STATIONARY, Category.EV, Category.LMT, Category.INDUSTRIAL)
    return next((category for category in order if category.class_iri in types), None)


def _severity(obligation: Obligation, presence: Presence, reading: Reading, on: date) -> Severity:
    if not obligation.binds(reading, on):
        return Severity.INFO
    # A coarse answer is an answer: the partner format had no finer place for it.
    return Severity.INFO if presence is Presence.COARSE else Severity.VIOLATION


def _checked(rows: Iterable[Row], known: Collection[str]) -> Iterator[Obligation]:
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        if row["attribute"] not in known:
            raise row.fault("attribute", "Use a name that attributes.csv lists, or add the attribute there.")
        first = seen.setdefault((row["attribute"], row["category"]), row.line)
        if first != row.line:
            raise row.fault("category", f"Line {first} holds this attribute and category already.")
        yield _obligation(row)


def _obligation(row: Row) -> Obligation:
    bindingness = Bindingness(row.one_of("obligation", [kind.value for kind in Bindingness]))
    applies_from = row.day("applies_from")
    if bindingness is Bindingness.MANDATORY and applies_from is None and not row["awaits"]:
        raise row.fault(
            "applies_from", "Give the first day of the duty, or name in `awaits` what it waits for."
        )
    return Obligation(
        attribute=row["attribute"],
        category=Category(row.one_of("category", [category.value for category in Category])),
        bindingness=bindingness,
        condition=_condition(row),
        act=row["act"] if bindingness is Bindingness.NONE else row.needed("act"),
        clause=row["clause"],
        applies_from=applies_from,
        awaits=row["awaits"],
        note=row["note"],
    )


def _condition(row: Row) -> Condition:
    try:
        return Condition.parse(row["condition"])
    except ValueError as error:
        raise row.fault("condition", f"As a condition: {error}.") from error
