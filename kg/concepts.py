"""The codes that partners write, as concepts: `ontology/concepts.csv`, `schemes.csv`, `chemistries.csv`.

A scheme is named by its local name (`BatteryCategory`). The notation is the code of `battery_pass`;
aliases are other spellings that are understood but never written.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from battpass.kg.errors import BadTable
from battpass.kg.namespaces import BP
from battpass.kg.resources import ontology_path
from battpass.kg.tables import Labels, Row, read_table, unique

_CONCEPT_COLUMNS = ("scheme", "concept", "label_en", "label_de", "notation", "aliases", "match")
_SCHEME_COLUMNS = ("scheme", "label_en", "label_de", "definition_en", "definition_de")
_CHEMISTRY_COLUMNS = (
    "concept",
    "cell",
    "positive_electrode",
    "positive_material",
    "negative_electrode",
    "negative_material",
    "bvco_cell",
    "bvco_positive_electrode",
    "bvco_negative_electrode",
)


@dataclass(frozen=True, slots=True)
class Concept:
    """One row of the concept table. `match` is the IRI of the same thing elsewhere, or empty."""

    scheme: str
    iri: str
    labels: Labels
    notation: str
    aliases: tuple[str, ...]
    match: str

    @property
    def scheme_iri(self) -> str:
        """The IRI of the concept scheme."""
        return BP + self.scheme


class ConceptTable:
    """All concepts, by IRI, by notation and by any spelling of their scheme.

    >>> table = ConceptTable.load()
    >>> table.by_text("Chemistry", " lithium iron phosphate ").notation
    'LFP'
    """

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self._by_iri = {concept.iri: concept for concept in concepts}
        self._by_notation = {(concept.scheme, concept.notation): concept for concept in self}
        self._by_text: dict[tuple[str, str], Concept] = {}
        for concept in self:
            for text in {_spelling(text) for text in (concept.notation, *concept.aliases)}:
                holder = self._by_text.setdefault((concept.scheme, text), concept)
                if holder is not concept:
                    raise BadTable(
                        f"concepts.csv: the spelling {text!r} of scheme {concept.scheme} stands at "
                        f"{holder.iri} and {concept.iri}. Keep it at one of them."
                    )

    @classmethod
    def load(cls, path: Path | None = None) -> "ConceptTable":
        """Return the table that is installed, or the one at `path`.

        Raises
        ------
        BadTable
            If a row is ill-formed, or a concept, or a spelling within a scheme, stands twice.
        """
        rows = read_table(path or ontology_path("concepts.csv"), _CONCEPT_COLUMNS)
        unique(rows, "concept")
        return cls([_concept(row) for row in rows])

    def __iter__(self) -> Iterator[Concept]:
        return iter(self._by_iri.values())

    def __len__(self) -> int:
        return len(self._by_iri)

    @property
    def schemes(self) -> tuple[str, ...]:
        """The names of the schemes, in the order of the table."""
        return tuple(dict.fromkeys(concept.scheme for concept in self))

    def in_scheme(self, scheme: str) -> tuple[Concept, ...]:
        """Return the concepts of a scheme, in the order of the table."""
        return tuple(concept for concept in self if concept.scheme == scheme)

    def by_notation(self, scheme: str, text: str) -> Concept | None:
        """Return the concept whose notation is exactly `text`."""
        return self._by_notation.get((scheme, text))

    def by_text(self, scheme: str, text: str) -> Concept | None:
        """Return the concept that has `text` as notation or alias, whatever its case and outer blanks."""
        return self._by_text.get((scheme, _spelling(text)))

    def concept(self, iri: str) -> Concept | None:
        """Return the concept of an IRI."""
        return self._by_iri.get(iri)

    def notation(self, iri: str) -> str | None:
        """Return the code that `battery_pass` writes for a concept."""
        found = self._by_iri.get(iri)
        return found.notation if found else None


@dataclass(frozen=True, slots=True)
class Scheme:
    """One row of the scheme table: what the concepts of a scheme have in common."""

    name: str
    labels: Labels
    definitions: Labels

    @property
    def iri(self) -> str:
        """The IRI of the concept scheme."""
        return BP + self.name


def load_schemes(path: Path | None = None) -> Mapping[str, Scheme]:
    """Return the schemes by name.

    Raises
    ------
    BadTable
        If a row is ill-formed or a scheme stands in two rows.
    """
    rows = read_table(path or ontology_path("schemes.csv"), _SCHEME_COLUMNS)
    unique(rows, "scheme")
    schemes = [Scheme(row.local_name("scheme"), row.labels(), row.labels("definition")) for row in rows]
    return {scheme.name: scheme for scheme in schemes}


@dataclass(frozen=True, slots=True)
class Chemistry:
    """What a chemistry implies: classes of the cell and its electrodes, and the active materials.

    All are IRIs; an electrode or material that the chemistry leaves open is an empty tuple.
    """

    concept: str
    cell: tuple[str, ...]
    positive_electrode: tuple[str, ...]
    positive_material: tuple[str, ...]
    negative_electrode: tuple[str, ...]
    negative_material: tuple[str, ...]
    bvco_cell: tuple[str, ...]
    bvco_positive_electrode: tuple[str, ...]
    bvco_negative_electrode: tuple[str, ...]


def load_chemistries(path: Path | None = None) -> Mapping[str, Chemistry]:
    """Return the chemistries by the IRI of their concept.

    Raises
    ------
    BadTable
        If a row is ill-formed or a concept stands in two rows.
    """
    rows = read_table(path or ontology_path("chemistries.csv"), _CHEMISTRY_COLUMNS)
    unique(rows, "concept")
    chemistries = [
        Chemistry(BP + row.local_name("concept"), *(row.terms(column) for column in _CHEMISTRY_COLUMNS[1:]))
        for row in rows
    ]
    return {chemistry.concept: chemistry for chemistry in chemistries}


def _concept(row: Row) -> Concept:
    return Concept(
        scheme=row.local_name("scheme"),
        iri=BP + row.local_name("concept"),
        labels=row.labels(),
        notation=row.needed("notation"),
        aliases=tuple(alias.strip() for alias in row["aliases"].split("|") if alias.strip()),
        match=row.term("match") if row["match"] else "",
    )


def _spelling(text: str) -> str:
    return text.strip().casefold()
