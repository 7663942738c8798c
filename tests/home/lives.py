"""Passports at each stage of their life, and tables of what is to be expected there.

Version n of a passport says n and came from document n, so what is read tells which version it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from battpass.kg.errors import Archived, BattPassError, Conflict, NotFound, Unpublishable
from battpass.kg.home import Arrival, Home, Stage
from tests.home.small import PASSES, arrival, battery, record

# How a passport comes to a stage of its life.
LIVES = {
    "none": (),
    "draft": ("draft",),
    "published": ("published",),
    "both": ("published", "draft"),
    "archived draft": ("draft", "archive"),
    "archived": ("published", "archive"),
    "archived both": ("published", "draft", "archive"),
    "erased draft": ("draft", "archive", "erase"),
    "erased": ("published", "archive", "erase"),
    "erased both": ("published", "draft", "archive", "erase"),
}
ERRORS: dict[str, tuple[type[BattPassError], str]] = {
    "-": (NotFound, "No passport here is called"),
    "no": (
        NotFound,
        r"has no (version \d|state of 20|\w+ state).*, or none to be shown here. Ask for its versions",
    ),
    "gone": (Archived, "has ceased to exist"),
    "stale": (Conflict, r"is at version \d+, not -?\d+\. (Read|Check) it again"),
    "in use": (Conflict, "is in use. Archive it first"),
    "unchecked": (Unpublishable, "was not checked against the shapes.* Check it, or keep a draft"),
    "violates": (Unpublishable, "has violations.* Mend them, or keep it as a draft"),
}


@dataclass
class Life:
    """A passport at a stage of its life: its entries so far, and what the newest of its states says."""

    number: int
    last: int = 0
    says: int = 0

    @property
    def name(self) -> str:
        return record(self.number)


def given(number: int, says: int, report: bytes = PASSES) -> Arrival:
    document = b"document %d" % says
    names = (battery(number), f"NAME-{number}-{says}")
    return arrival(number, says, original=document, report=report, identifiers=names)


def live(home: Home, number: int, stage: str) -> Life:
    life = Life(number)
    for step in LIVES[stage]:
        life.last += 1
        if step == "archive":
            home.archive(life.name)
        elif step == "erase":
            home.erase(life.name)
        else:
            life.says = life.last
            home.put(given(number, life.says), stage=Stage(step))
    return life


def rows(table: str) -> Iterator[tuple[str, str, str]]:
    """Yield the cells of a table: name of the row, name of the column, content."""
    head, *rest = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    for name, *cells in rest:
        assert len(cells) == len(head) - 1, name
        yield from ((name, column, cell) for column, cell in zip(head[1:], cells, strict=True))


def cases(*tables: str) -> list[object]:
    found = [row for table in tables for row in rows(table)]
    return [pytest.param(*row, id=f"{row[0]}, {row[1]}") for row in found]
