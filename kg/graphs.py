"""The value types that travel between layers: access classes, quads by access class, findings.

`Graphs` is the currency of the whole product: a record's quads, sorted by the access class of
Annex XIII that decides who may read them. Whoever holds a `Graphs` has already been cut to an
audience; no layer below filters again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pyoxigraph import Quad


class AccessClass(StrEnum):
    """Who may read a graph: points 1 to 4 of Annex XIII, and what only the operator holds.

    The value is the last segment of the named graph's IRI.
    """

    PUBLIC = "public"
    INTEREST = "interest"
    AUTHORITY = "authority"
    ITEM = "item"
    DOCUMENT = "document"


Graphs = Mapping[AccessClass, frozenset[Quad]]


def quads(graphs: Graphs) -> Iterable[Quad]:
    """Return all quads of all access classes, in no order."""
    return (quad for part in graphs.values() for quad in part)


class Severity(StrEnum):
    """How much a finding weighs: a violation breaks law or exchange, a warning a use, info advises."""

    VIOLATION = "violation"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, in words that a person can act on.

    `pointer` is a JSON pointer (RFC 6901) into the document that came in, or empty where the finding
    is about the document as a whole; `node` and `path` name the same place in the graph, and `words` in
    words, from passport, battery or model on. What ends in `_de` says the same in German, and is empty
    where it is no different or not known.

    `submodel` is a sub-model of the attribute table, `shape` the IRI of the shape that spoke. `mender` says
    in which record the value lives, and so who can mend it: `model`, whose maker can, or `item`, whose
    keeper can. `closest` says which branch of a choice comes closest, and what it still wants.
    """

    code: str
    severity: Severity
    field: str
    pointer: str
    found: str
    allowed: str
    mend: str
    clause: str = ""
    node: str = ""
    path: str = ""
    words: str = ""
    submodel: str = ""
    mender: str = ""
    shape: str = ""
    closest: str = ""
    field_de: str = ""
    found_de: str = ""
    allowed_de: str = ""
    mend_de: str = ""
    words_de: str = ""
    closest_de: str = ""

    def text(self) -> str:
        """Return the finding as one line: where, what was found, what is allowed, how to mend it."""
        place = self.pointer or self.path or "document"
        clause = f" [{self.clause}]" if self.clause else ""
        return (
            f"{self.severity.value}: {self.field} ({place}): found {self.found}; "
            f"allowed: {self.allowed}. {self.mend}{clause}"
        )
