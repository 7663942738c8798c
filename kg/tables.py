"""How the CSV tables of the ontology are read: every row knows its place, every fault names it.

The tables are data that somebody may change without touching code, so a fault in one of them is
answered with file, line, column, what was found and how to mend it.
"""

import csv
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from battpass.kg.errors import BadTable
from battpass.kg.namespaces import PREFIXES, expand


class Labels(NamedTuple):
    """A text in the languages that every term has."""

    en: str
    de: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, with the file and line it came from."""

    file: str
    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def fault(self, column: str, mend: str) -> BadTable:
        """Return the error for a cell of this row."""
        return BadTable(
            f"{self.file}, line {self.line}, column {column}: found {self.cells[column]!r}. {mend}"
        )

    def needed(self, column: str) -> str:
        """Return a cell that must not be empty."""
        if not self.cells[column]:
            raise self.fault(column, "Fill the cell.")
        return self.cells[column]

    def one_of(self, column: str, allowed: Collection[str]) -> str:
        """Return a cell that must hold one of `allowed`."""
        if self.cells[column] not in allowed:
            raise self.fault(column, f"Use one of: {', '.join(repr(text) for text in sorted(allowed))}.")
        return self.cells[column]

    def yes(self, column: str) -> bool:
        """Return whether a cell says yes; an empty one says no."""
        return self.one_of(column, ("yes", "")) == "yes"

    def term(self, column: str) -> str:
        """Return the IRI of a cell that holds one prefixed name."""
        return self.iri(column, self.needed(column))

    def terms(self, column: str) -> tuple[str, ...]:
        """Return the IRIs of a cell that holds prefixed names with blanks between them."""
        return tuple(self.iri(column, curie) for curie in self.cells[column].split())

    def local_name(self, column: str) -> str:
        """Return a cell that must hold a name fit for a term of the own ontology."""
        name = self.cells[column]
        if not (name.isascii() and name.isalnum() and name[0].isalpha()):
            raise self.fault(column, "Use letters and digits only, a letter first.")
        return name

    def labels(self, stem: str = "label") -> Labels:
        """Return the English and the German text of `<stem>_en` and `<stem>_de`."""
        return Labels(self.needed(f"{stem}_en"), self.needed(f"{stem}_de"))

    def day(self, column: str) -> date | None:
        """Return the ISO date of a cell, None where it is empty."""
        if not self.cells[column]:
            return None
        try:
            return date.fromisoformat(self.cells[column])
        except ValueError as error:
            raise self.fault(column, "Write a date as 2027-02-18, or leave the cell empty.") from error

    def iri(self, column: str, curie: str) -> str:
        """Return the IRI of a prefixed name that stands in a cell, alone or among others."""
        if curie.partition(":")[0] not in PREFIXES or ":" not in curie:
            raise self.fault(column, f"Write {curie!r} with one of the prefixes: {', '.join(PREFIXES)}.")
        return expand(curie)


def read_table(path: Path, columns: Iterable[str]) -> tuple[Row, ...]:
    """Return the rows of a CSV table (UTF-8, one header line); columns beyond `columns` are kept.

    Cells are stripped of white space at both ends; empty lines are passed over.

    Raises
    ------
    BadTable
        If the file is missing, not UTF-8, ill-quoted or empty, lacks a column, or a row has cells
        too many or too few.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadTable(
            f"{path.name}: cannot be read ({error}). Restore the file as UTF-8 text, or reinstall."
        ) from error
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    rows: list[Row] = []
    try:
        header = next(reader, [])
        if missing := [column for column in columns if column not in header]:
            raise BadTable(f"{path.name}, line 1: no column {', '.join(missing)}. Add it to the header line.")
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                rows.append(_row(path.name, line, header, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadTable(f"{path.name}, line {reader.line_num}: {error}. Mend the quoting.") from error
    if not rows:
        raise BadTable(f"{path.name}: holds no rows. Restore the file, or reinstall.")
    return tuple(rows)


def unique(rows: Iterable[Row], column: str) -> None:
    """Refuse a table in which two rows hold the same text in `column`.

    Raises
    ------
    BadTable
        At the second of two such rows.
    """
    seen: dict[str, int] = {}
    for row in rows:
        first = seen.setdefault(row[column], row.line)
        if first != row.line:
            raise row.fault(column, f"Line {first} holds it already: remove one, or name it otherwise.")


def _row(file: str, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise BadTable(
            f"{file}, line {line}: {len(cells)} cells under {len(header)} columns. "
            f"Compare the row with the header line; a text with a comma needs quotes."
        )
    return Row(file, line, {column: cell.strip() for column, cell in zip(header, cells, strict=True)})
