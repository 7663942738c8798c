"""The attributes of a passport, from `ontology/attributes.csv`, and how they are read from a record.

The table follows the longlist of DIN DKE SPEC 99100. Each row says where the attribute lives in the
graph: whose it is, who may read it, and the property path that leads to its values.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Literal, cast

from pyoxigraph import NamedNode, Quad

from battpass.kg.errors import UnknownUnit
from battpass.kg.graphs import AccessClass, Graphs, quads
from battpass.kg.index import Index, Term
from battpass.kg.namespaces import BP, expand
from battpass.kg.ontology.units import UnitTable
from battpass.kg.paths import Path
from battpass.kg.resources import ontology_path
from battpass.kg.tables import Labels, Row, read_table, unique

Subject = Literal["passport", "battery", "model"]
Level = Literal["model", "item"]

SUBMODELS = (
    "general",
    "labels",
    "carbon-footprint",
    "due-diligence",
    "materials",
    "circularity",
    "performance",
)

# How a value looks: one literal, one concept, one organisation or plant, papers with an address, some
# quantities of one subject side by side, or a list of entries.
SHAPES = ("scalar", "concept", "entity", "documents", "quantities", "list")

RELATIONS = (
    "rdfs:subPropertyOf",
    "skos:exactMatch",
    "skos:closeMatch",
    "skos:broadMatch",
    "skos:narrowMatch",
    "skos:relatedMatch",
)

_COLUMNS = (
    "number",
    "name",
    "label_en",
    "label_de",
    "definition_en",
    "definition_de",
    "datatype",
    "unit",
    "cardinality",
    "behaviour",
    "level",
    "level_longlist",
    "access",
    "submodel",
    "subject",
    "path",
    "nearest",
    "shape",
    "alignment",
    "samm",
    "clause",
    "chapter",
)


@dataclass(frozen=True, slots=True)
class Alignment:
    """How an attribute relates to a term of another vocabulary; both are IRIs."""

    relation: str
    term: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of the attribute table.

    `level` is where the attribute lives here, `level_longlist` what the published list says: the three
    fades and the growth of resistance are of the single battery, although the list calls them static.
    `unit` is a prefixed name, empty where there is none. `nearest` leads to a coarser statement of the
    same thing, for partner formats that have no finer place. `samm` is the property of the public SAMM
    model, `clause` the place in Regulation (EU) 2023/1542, `chapter` the section of the specification.
    """

    number: int
    name: str
    labels: Labels
    definitions: Labels
    datatype: str
    unit: str
    cardinality: str
    behaviour: Literal["static", "dynamic"]
    level: Level
    level_longlist: Level
    access: AccessClass
    submodel: str
    subject: Subject
    path: Path
    nearest: Path | None
    shape: str
    alignment: tuple[Alignment, ...]
    samm: str
    clause: str
    chapter: str

    @property
    def iri(self) -> str:
        """The property that the attribute is in the ontology."""
        return BP + self.name


class Presence(StrEnum):
    """Whether a passport answers an attribute: as asked, only coarsely, or not at all."""

    GIVEN = "given"
    COARSE = "coarse"
    MISSING = "missing"


class Reading:
    """One passport opened for reading attributes: its index and its three root subjects.

    A subject that the quads do not hold is None; so a model record alone can be read too.
    """

    def __init__(self, parts: Index | Iterable[Quad]) -> None:
        self.index = parts if isinstance(parts, Index) else Index(parts)
        self.passport = _first(self.index.subjects(expand("bp:describes")))
        self.battery = (
            self.index.text(self.passport, expand("bp:describes"))
            if self.passport
            else _first(self.index.subjects(expand("bp:model")))
        )
        self.model = (
            self.index.text(self.battery, expand("bp:model")) if self.battery else _model_alone(self.index)
        )

    @classmethod
    def of(cls, *graphs: Graphs) -> "Reading":
        """Return the reading of a record's graphs, or of an item's and its model's together."""
        return cls(quad for part in graphs for quad in quads(part))

    def subject(self, kind: Subject) -> str | None:
        """Return the root subject of a kind."""
        return {"passport": self.passport, "battery": self.battery, "model": self.model}[kind]

    def values(self, attribute: Attribute) -> tuple[Term, ...]:
        """Return the values of an attribute, none where the passport does not give it."""
        return self._reach(attribute.path, attribute.subject)

    def presence(self, attribute: Attribute) -> Presence:
        """Return whether the passport answers an attribute."""
        if self.values(attribute):
            return Presence.GIVEN
        if attribute.nearest is not None and self._reach(attribute.nearest, attribute.subject):
            return Presence.COARSE
        return Presence.MISSING

    def _reach(self, path: Path, kind: Subject) -> tuple[Term, ...]:
        start = self.subject(kind)
        return path.reach(self.index, start) if start else ()


def load_attributes(path: FilePath | None = None) -> Mapping[str, Attribute]:
    """Return the attributes by name, in the order of the table that is installed or lies at `path`.

    Raises
    ------
    BadTable
        If a row is ill-formed, names an unknown unit, or repeats a number or a name.

    >>> load_attributes()["ratedCapacity"].path.text
    'bp:ratedCapacityAh'
    """
    rows = read_table(path or ontology_path("attributes.csv"), _COLUMNS)
    unique(rows, "number")
    unique(rows, "name")
    units = UnitTable.load()
    return {row["name"]: _attribute(row, units) for row in rows}


def _attribute(row: Row, units: UnitTable) -> Attribute:
    if not row["number"].isdecimal():
        raise row.fault("number", "Write the number of the attribute in the specification.")
    _check_unit(row, units)
    if not re.fullmatch(r"[0-9]+(\.\.([0-9]+|n))?", row["cardinality"]):
        raise row.fault("cardinality", "Write it as 1, 0..1 or 1..n.")
    path = _path(row, "path")
    if path is None:
        raise row.fault("path", "Say where the values lie, as a property path from the subject.")
    return Attribute(
        number=int(row["number"]),
        name=row.local_name("name"),
        labels=row.labels(),
        definitions=row.labels("definition"),
        datatype=row.needed("datatype"),
        unit=row["unit"],
        cardinality=row["cardinality"],
        behaviour=cast(Literal["static", "dynamic"], row.one_of("behaviour", ("static", "dynamic"))),
        level=cast(Level, row.one_of("level", ("model", "item"))),
        level_longlist=cast(Level, row.one_of("level_longlist", ("model", "item"))),
        access=AccessClass(row.one_of("access", [access.value for access in AccessClass])),
        submodel=row.one_of("submodel", SUBMODELS),
        subject=cast(Subject, row.one_of("subject", ("passport", "battery", "model"))),
        path=path,
        nearest=_path(row, "nearest"),
        shape=row.one_of("shape", SHAPES),
        alignment=tuple(_alignments(row)),
        samm=row["samm"],
        clause=row["clause"],
        chapter=row["chapter"],
    )


def _check_unit(row: Row, units: UnitTable) -> None:
    if row["unit"]:
        try:
            units.unit(row["unit"])
        except UnknownUnit as error:
            raise row.fault("unit", "Use a prefixed name that units.csv lists, or add it there.") from error


def _path(row: Row, column: str) -> Path | None:
    """Return the property path of a cell, None where it is empty."""
    if not row[column]:
        return None
    try:
        return Path.parse(row[column])
    except ValueError as error:
        raise row.fault(column, f"As a property path: {error}.") from error


def _alignments(row: Row) -> Iterable[Alignment]:
    for text in filter(None, (part.strip() for part in row["alignment"].split("|"))):
        relation, _, term = text.partition(" ")
        if relation not in RELATIONS:
            raise row.fault("alignment", f"Start each part with one of: {', '.join(RELATIONS)}.")
        yield Alignment(expand(relation), row.iri("alignment", term.strip()))


def _first(names: list[str]) -> str | None:
    return names[0] if names else None


def _model_alone(index: Index) -> str | None:
    specification = NamedNode(expand("battery:battery_c25c3fb4_14ce_4640_abcc_d4a6e641fee4"))
    kind = expand("rdf:type")
    return _first([name for name in index.subjects(kind) if specification in index.objects(name, kind)])
