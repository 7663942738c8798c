"""The kinds of quantity that a passport holds, from `ontology/quantities.csv`.

A row gives a quantity its two forms in the graph: the link property `bp:<key>` to the EMMO node, and
the compact literal `bp:<compact>`, which carries nature and unit in its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from battpass.kg.errors import UnknownUnit
from battpass.kg.namespaces import BP, expand
from battpass.kg.ontology.units import UnitTable
from battpass.kg.resources import ontology_path
from battpass.kg.tables import Labels, Row, read_table, unique

Nature = Literal["declared", "measured"]
Subject = Literal["model", "battery", "node"]
Wire = Literal["double", "integer"]

_COLUMNS = (
    "key",
    "compact",
    "class",
    "unit",
    "open",
    "nature",
    "subject",
    "wire",
    "attribute",
    "label_en",
    "label_de",
)


@dataclass(frozen=True, slots=True)
class QuantityKind:
    """One row of the table.

    `unit` is the prefixed name of the canonical unit. Where `open` is true, a value in a unit of
    another kind is kept as stated, without the compact literal. `subject` says where it hangs: at the
    model, at the battery, or at a node of a list. `wire` is how JSON writes the number. `attribute`
    names the row of the attribute table that it serves, empty where it serves none.
    """

    key: str
    compact: str
    class_iri: str
    unit: str
    open: bool
    nature: Nature
    subject: Subject
    wire: Wire
    attribute: str
    labels: Labels

    @property
    def link_iri(self) -> str:
        """The property that leads to the quantity's node."""
        return BP + self.key

    @property
    def compact_iri(self) -> str:
        """The property that holds the bare number in the canonical unit."""
        return BP + self.compact

    @property
    def unit_iri(self) -> str:
        """The IRI of the canonical unit."""
        return expand(self.unit)


def load_quantities(path: Path | None = None) -> Mapping[str, QuantityKind]:
    """Return the kinds by key, in the order of the table that is installed or lies at `path`.

    Raises
    ------
    BadTable
        If a row is ill-formed, names an unknown unit, or repeats a key or a compact name.

    >>> load_quantities()["ratedCapacity"].compact
    'ratedCapacityAh'
    """
    rows = read_table(path or ontology_path("quantities.csv"), _COLUMNS)
    unique(rows, "key")
    unique(rows, "compact")
    units = UnitTable.load()
    return {row["key"]: _kind(row, units) for row in rows}


def _kind(row: Row, units: UnitTable) -> QuantityKind:
    row.term("unit")
    try:
        units.by_alias(row["unit"])
    except UnknownUnit as error:
        raise row.fault("unit", "Use a prefixed name that units.csv lists, or add it there.") from error
    return QuantityKind(
        key=row.local_name("key"),
        compact=row.local_name("compact"),
        class_iri=row.term("class"),
        unit=row["unit"],
        open=row.yes("open"),
        nature=cast(Nature, row.one_of("nature", ("declared", "measured"))),
        subject=cast(Subject, row.one_of("subject", ("model", "battery", "node"))),
        wire=cast(Wire, row.one_of("wire", ("double", "integer"))),
        attribute=row["attribute"],
        labels=row.labels(),
    )
