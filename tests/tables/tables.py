"""Small tables and passports for the tests of the tables."""

import csv
from collections.abc import Callable
from pathlib import Path

from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.attributes import Reading
from battpass.kg.namespaces import expand, node
from battpass.kg.resources import ontology_path

RECORD = "https://example.org/p/1"
BATTERY = f"{RECORD}#battery"
MODEL = "https://example.org/model/1"

Rows = list[dict[str, str]]


def rows(name: str) -> Rows:
    """Return the rows of an installed table."""
    with ontology_path(name).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def changed(folder: Path, name: str, change: Callable[[Rows], None]) -> Path:
    """Write a changed copy of an installed table into a folder and return its path."""
    table = rows(name)
    change(table)
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, table[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    return path


def reading(*statements: tuple[str, str, object]) -> Reading:
    """Return the reading of a passport with a few statements beyond its frame.

    A subject is an IRI; a predicate a prefixed name; an object a prefixed name, an IRI with `//`, a number or
    a text in double quotes.
    """
    frame = [(RECORD, "bp:describes", BATTERY), (BATTERY, "bp:model", MODEL)]
    return Reading(
        Quad(NamedNode(subject), node(predicate), _object(value))
        for subject, predicate, value in [*frame, *statements]
    )


def _object(value: object) -> NamedNode | Literal:
    if isinstance(value, bool):
        return Literal(value)
    if isinstance(value, str) and not value.startswith('"'):
        return NamedNode(value if "//" in value else expand(value))
    if isinstance(value, str):
        return Literal(value.strip('"'))
    return Literal(str(value), datatype=node("xsd:decimal"))
