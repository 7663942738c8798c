"""A passport on its way into a home, and as it stands there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pyoxigraph
from pyoxigraph import NamedNode

from battpass.kg.graphs import AccessClass, Finding
from battpass.kg.journal.entry import Stage
from battpass.kg.journal.parts import Parts, graphs_of, parts_of
from battpass.kg.namespaces import node
from battpass.kg.passport import Passport

Outcome = Literal["added", "replaced", "unchanged"]

IDENTIFIERS = (node("bp:batteryIdentifier"), node("bp:passportIdentifier"))


@dataclass(frozen=True, slots=True)
class State:
    """A passport as it stands, or as much of it as an audience may read."""

    record: str
    model: str
    item: Parts
    model_parts: Parts

    @classmethod
    def of(cls, passport: Passport) -> "State":
        """Return the state that a passport is."""
        item, model = parts_of(passport.item_graphs), parts_of(passport.model_graphs)
        return cls(passport.record, passport.model, item, model)

    def passport(self) -> Passport:
        """Return the passport with its graphs, parsed."""
        return Passport(self.record, self.model, graphs_of(self.item), graphs_of(self.model_parts))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A passport that was read and mapped, with the document that it came from, byte for byte.

    `item` and `model_parts` are the texts of its two records, `identifiers` the names of passport and battery
    as their maker wrote them. `format` is the name of the document's format, `source` says where it came
    from, such as a file name. `report` is the validation report as JSON, empty where the shapes were not run.
    """

    record: str
    model: str
    item: Parts
    model_parts: Parts
    identifiers: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    original: bytes = b""
    format: str = ""
    source: str = ""
    report: bytes = b""

    @classmethod
    def of(
        cls,
        passport: Passport,
        findings: tuple[Finding, ...] = (),
        original: bytes = b"",
        format: str = "",
        source: str = "",
        report: bytes = b"",
    ) -> "Arrival":
        """Return a passport as an arrival."""
        return cls(
            passport.record,
            passport.model,
            parts_of(passport.item_graphs),
            parts_of(passport.model_graphs),
            tuple(_identifiers(passport)),
            findings,
            original,
            format,
            source,
            report,
        )


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write: the version of the record and the sequence number in the journal.

    Nothing is written where the same stood there already; then both are those of the entry that stands.
    """

    record: str
    version: int
    sequence: int
    stage: Stage
    outcome: Outcome


def _identifiers(passport: Passport) -> Iterator[str]:
    subjects = (NamedNode(passport.battery), NamedNode(passport.record))
    found = {
        quad.object.value
        for quad in passport.item_graphs.get(AccessClass.PUBLIC, frozenset())
        if quad.subject in subjects
        and quad.predicate in IDENTIFIERS
        and isinstance(quad.object, pyoxigraph.Literal)
    }
    return iter(sorted(found))
