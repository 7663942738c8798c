"""Units and exact conversion, from `ontology/units.csv`.

A unit belongs to one kind, and only units of one kind convert. `factor` and `offset` lead to the
coherent unit of the kind as in QUDT: `coherent = (value + offset) * factor`. They are rational
numbers, so a conversion is exact wherever the result has a finite decimal form.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from battpass.kg.errors import BadTable, UnknownUnit
from battpass.kg.namespaces import expand, shorten
from battpass.kg.resources import ontology_path
from battpass.kg.tables import Row, read_table

COLUMNS = ("curie", "label", "symbol", "qudt", "pint", "ucum", "kind", "factor", "offset", "aliases")

# Digits kept where a result has no finite decimal form (one coulomb in ampere hours): as many as
# an IEEE 754 decimal128 holds, far beyond any measurement.
SIGNIFICANT_DIGITS = 34

# "1e999999999" is short to write; as an exact fraction it would fill the memory.
LARGEST_EXPONENT = 1000


@dataclass(frozen=True, slots=True)
class Unit:
    """One row of the unit table. `label` is the EMMO prefLabel for foreign units, plain English for own."""

    curie: str
    label: str
    symbol: str
    qudt: str
    pint: str
    ucum: str
    kind: str
    factor: Fraction
    offset: Fraction
    aliases: tuple[str, ...]

    @property
    def iri(self) -> str:
        """The IRI that stands in the graph."""
        return expand(self.curie)


class UnitTable:
    """All units by prefixed name, by IRI and by the spellings that partners write.

    >>> table = UnitTable.load()
    >>> table.convert(Decimal("94000"), "emmo:MilliAmpereHour", "emmo:AmpereHour")
    Decimal('94')
    >>> table.by_alias("kg CO2 / kWh").curie
    'bp:KilogramCO2ePerKilowattHour'
    """

    def __init__(self, units: Iterable[Unit]) -> None:
        self._by_curie: dict[str, Unit] = {}
        self._by_alias: dict[str, Unit] = {}
        for unit in units:
            if unit.curie in self._by_curie:
                raise BadTable(f"units.csv holds {unit.curie} twice. Remove one of the rows.")
            self._by_curie[unit.curie] = unit
        for unit in self._by_curie.values():
            for alias in {
                _spelling(text) for text in (unit.curie, unit.iri, unit.symbol, *unit.aliases) if text
            }:
                self._claim(alias, unit)
        self._claim_qudt()

    @classmethod
    def load(cls, path: Path | None = None) -> "UnitTable":
        """Return the table that is installed, or the one at `path`.

        Raises
        ------
        BadTable
            If a row is ill-formed, or a unit or spelling stands in two rows.
        """
        return cls([_unit(row) for row in read_table(path or ontology_path("units.csv"), COLUMNS)])

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._by_curie.values())

    def __len__(self) -> int:
        return len(self._by_curie)

    def unit(self, name: str) -> Unit:
        """Return the unit of a prefixed name or IRI; `UnknownUnit` if the table has none.

        A foreign unit that names the same measure under another IRI is listed as an alias, and found too.
        """
        curie = shorten(name)
        found = self._by_curie.get(curie) or (self._by_alias.get(curie) if ":" in curie else None)
        if found is None:
            raise UnknownUnit(f"No unit {name} in units.csv. Use one of its names, or add a row.")
        return found

    def by_alias(self, text: str) -> Unit:
        """Return the unit that partners write as `text`: symbol, SAMM, QUDT, EMMO or other spelling.

        Case counts (mW is not MW); runs of white space count as one space. Never guesses: a text that
        the table does not list is an `UnknownUnit`.
        """
        found = self._by_alias.get(_spelling(text))
        if found is None:
            raise UnknownUnit(
                f"No unit is written as {text!r} in units.csv. Use a listed spelling, or add it as an alias."
            )
        return found

    def of_kind(self, kind: str) -> tuple[Unit, ...]:
        """Return the units that measure `kind`, in the order of the table."""
        return tuple(unit for unit in self if unit.kind == kind)

    def convert(self, value: Decimal, frm: str, to: str) -> Decimal:
        """Return `value`, given in unit `frm`, in unit `to`.

        Exact where the result has a finite decimal form, else rounded to 34 significant digits.

        Raises
        ------
        UnknownUnit
            If the table lacks one of the units, or they measure different kinds.
        ValueError
            If `value` is not a finite number, or over 1E+1000 or under 1E-1000.
        """
        source, target = self.unit(frm), self.unit(to)
        if source.kind != target.kind:
            raise UnknownUnit(
                f"{source.curie} measures {source.kind}, {target.curie} measures {target.kind}. "
                f"State the value in one of {', '.join(unit.curie for unit in self.of_kind(target.kind))}."
            )
        if not value.is_finite() or (value and abs(value.adjusted()) > LARGEST_EXPONENT):
            raise ValueError(f"{value} is not a number that converts: not finite, or beyond any measurement.")
        coherent = (Fraction(value) + source.offset) * source.factor
        return as_decimal(coherent / target.factor - target.offset)

    def _claim(self, alias: str, unit: Unit) -> None:
        holder = self._by_alias.setdefault(alias, unit)
        if holder is not unit:
            raise BadTable(
                f"units.csv gives the spelling {alias!r} to {holder.curie} and {unit.curie}. Keep it at one."
            )

    def _claim_qudt(self) -> None:
        """Let QUDT names stand for units too, the first row where two kinds share one (kg, kg of CO2e)."""
        for unit in self:
            if unit.qudt:
                self._by_alias.setdefault(unit.qudt, unit)
                self._by_alias.setdefault(expand(unit.qudt), unit)


def as_decimal(number: Fraction) -> Decimal:
    """Return a fraction as a decimal without trailing zeros, rounded half to even only if it must be.

    >>> as_decimal(Fraction(1, 8)), as_decimal(Fraction(1200, 1))
    (Decimal('0.125'), Decimal('1200'))
    """
    denominator, twos, fives = number.denominator, 0, 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    if denominator == 1:
        places = max(twos, fives)
        return _scaled(number.numerator * 10**places // number.denominator, places)
    places = SIGNIFICANT_DIGITS - _magnitude(abs(number))
    return _scaled(round(number * Fraction(10) ** places), places)


def _scaled(digits: int, places: int) -> Decimal:
    while digits and digits % 10 == 0 and places > 0:
        digits, places = digits // 10, places - 1
    if places < 0:
        digits, places = digits * 10**-places, 0
    sign = "-" if digits < 0 else ""
    # Built from text, because arithmetic on Decimal would round to the context's precision.
    text = str(abs(digits)).rjust(places + 1, "0")
    return Decimal(f"{sign}{text[: len(text) - places]}.{text[len(text) - places :]}".rstrip("."))


def _magnitude(number: Fraction) -> int:
    """Return how many digits stand before the decimal point (0 or less for numbers under 0.1)."""
    estimate = len(str(number.numerator)) - len(str(number.denominator))
    return estimate + 1 if number >= Fraction(10) ** estimate else estimate


def _unit(row: Row) -> Unit:
    row.term("curie")
    if row["qudt"]:
        row.term("qudt")
    return Unit(
        row["curie"],
        row.needed("label"),
        row["symbol"],
        row["qudt"],
        row["pint"],
        row["ucum"],
        row.needed("kind"),
        _exact(row, "factor"),
        _exact(row, "offset"),
        tuple(filter(None, row["aliases"].split("|"))),
    )


def _exact(row: Row, column: str) -> Fraction:
    try:
        number = Fraction(row[column])
    except (ValueError, ZeroDivisionError) as error:
        raise row.fault(column, "Write an exact number: 3600, 0.001 or 5/9.") from error
    if column == "factor" and number <= 0:
        raise row.fault(column, "Write a factor above zero.")
    return number


def _spelling(text: str) -> str:
    return re.sub(r"\s+", " ", text.strip())
