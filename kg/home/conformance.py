"""Which shapes a published passport was found to meet, as a statement of its public graph.

The journal keeps the report of each version, and the statement follows from it; so it is added where
passports are read, and taken out where they are written.
"""

import json

from pyoxigraph import NamedNode, Quad

from battpass.kg.graphs import AccessClass
from battpass.kg.home.blocking import blocks
from battpass.kg.journal.entry import Entry, Stage
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.parts import Parts, applied, text_of
from battpass.kg.namespaces import node
from battpass.kg.passport import graph_name
from battpass.kg.validation.shapes import MANIFEST

CONFORMS_TO = node("dcterms:conformsTo")


def with_conformance(journal: Journal, entry: Entry, parts: Parts) -> Parts:
    """Return the state after an entry with what it conforms to, where it was published without violations."""
    if entry.stage is not Stage.PUBLISHED or not entry.report:
        return parts
    report = journal.text(entry.report)
    if report is None or blocks(report):
        return parts
    name = graph_name(entry.record, AccessClass.PUBLIC)
    said = text_of(
        Quad(NamedNode(entry.record), CONFORMS_TO, NamedNode(iri), name) for iri in shapes_of(report)
    )
    return applied(parts, {AccessClass.PUBLIC: said}, {})


def without_conformance(record: str, parts: Parts) -> Parts:
    """Return a state without its own word on that, which is about another state or from somebody else."""
    said = f"<{record}> {CONFORMS_TO} <{MANIFEST}/".encode()
    return {
        access: b"".join(line for line in text.splitlines(keepends=True) if not line.startswith(said))
        if said in text
        else text
        for access, text in parts.items()
    }


def shapes_of(report: bytes) -> tuple[str, ...]:
    """Return the version IRIs of the shapes that a report, as JSON text, was made by."""
    named = (shapes["iri"] for shapes in json.loads(report).get("shapes", ()))
    return tuple(sorted({iri for iri in named if iri.startswith(f"{MANIFEST}/")}))
