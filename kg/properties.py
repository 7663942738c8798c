"""The own properties that are no quantities, from `ontology/properties.csv`.

An attribute of the passport that is a property itself has its label and definition in the attribute
table; the row here says only what kind of property it is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from battpass.kg.attributes import load_attributes
from battpass.kg.namespaces import BP
from battpass.kg.resources import ontology_path
from battpass.kg.tables import Labels, Row, read_table, unique

Kind = Literal["object", "datatype", "annotation"]

_TEXTS = ("label_en", "label_de", "definition_en", "definition_de")
_COLUMNS = ("name", "kind", "domain", "range", "sub_property_of", *_TEXTS)


@dataclass(frozen=True, slots=True)
class Property:
    """One row of the table. An IRI is empty where the property is left open; attributes have no texts."""

    name: str
    kind: Kind
    domain: str
    range: str
    sub_property_of: str
    labels: Labels | None
    definitions: Labels | None

    @property
    def iri(self) -> str:
        """The IRI of the property."""
        return BP + self.name


def load_properties(
    path: Path | None = None, attributes: Collection[str] | None = None
) -> Mapping[str, Property]:
    """Return the properties by name, in the order of the table that is installed or lies at `path`.

    `attributes` are the names whose texts stand in the attribute table: the installed one, if none are
    given.

    Raises
    ------
    BadTable
        If a row is ill-formed, repeats a name, or has no texts and is no attribute.
    """
    known = load_attributes() if attributes is None else attributes
    rows = read_table(path or ontology_path("properties.csv"), _COLUMNS)
    unique(rows, "name")
    return {row["name"]: _property(row, known) for row in rows}


def _property(row: Row, attributes: Collection[str]) -> Property:
    name = row.local_name("name")
    if name in attributes and row["label_en"]:
        raise row.fault("label_en", "The attribute table has the texts of this one: leave the cells empty.")
    return Property(
        name=name,
        kind=cast(Kind, row.one_of("kind", ("object", "datatype", "annotation"))),
        domain=row.term("domain") if row["domain"] else "",
        range=row.term("range") if row["range"] else "",
        sub_property_of=row.term("sub_property_of") if row["sub_property_of"] else "",
        labels=None if name in attributes else row.labels(),
        definitions=None if name in attributes else row.labels("definition"),
    )
