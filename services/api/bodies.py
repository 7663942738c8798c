"""The JSON bodies of `/v1`, as they are sent and as OpenAPI describes them."""

from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from battpass.kg.graphs import Finding, Severity
from battpass.kg.journal.entry import Stage
from battpass.services.api.problems import MEDIA_TYPE, PROBLEMS

_ID = "0bd91ad9-e0f0-4bcf-984e-eee4fe00a5d3"
_RECORD = f"https://w3id.org/battpass/id/p/{_ID}"
_TIME = "2026-11-21T10:15:00.000000+00:00"


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class FindingBody(_Body):
    """One thing that is not as it should be, and how to mend it."""

    code: str = Field(examples=["missing-attribute"])
    severity: Severity
    field: str = Field(description="the attribute or member", examples=["ratedCapacity"])
    pointer: str = Field(description="JSON pointer into the document, where there is one")
    found: str
    allowed: str
    mend: str
    clause: str = ""
    node: str = Field("", description="IRI in the graph, where there is one")
    path: str = Field("", description="property path from there")
    words: str = Field("", description="the way to the value, in words")
    submodel: str = Field("", examples=["performance"])
    mender: Literal["model", "item", ""] = Field(
        "", description="in which record the value lives: that of the model's maker, or the item's keeper"
    )
    shape: str = Field("", description="IRI of the shape that spoke")
    closest: str = Field("", description="of a choice, the branch that comes closest, and what it wants")
    field_de: str = Field("", description="what ends in _de says the same in German")
    found_de: str = ""
    allowed_de: str = ""
    mend_de: str = ""
    words_de: str = ""
    closest_de: str = ""

    @classmethod
    def of(cls, finding: Finding) -> "FindingBody":
        """Return a finding as it is sent."""
        return cls(**asdict(finding))


class ShapesBody(_Body):
    """A set of shapes: its version, and the digest of what it said."""

    iri: str = Field(examples=["https://w3id.org/battpass/shapes/0.1.0"])
    digest: str


class CountsBody(_Body):
    """How many results there are of each severity."""

    violation: int
    warning: int
    info: int
    other: int = Field(0, description="of severities that are the author's own")


class ReportBody(_Body):
    """What was found in a passport."""

    on: str = Field(description="day that it was held against", examples=["2027-02-18"])
    category: str | None = Field(examples=["EV"])
    conforms: bool = Field(description="no shape found anything, be it advice")
    blocking: bool = Field(description="a violation keeps it from being published")
    counts: CountsBody
    shapes: list[ShapesBody]
    findings: list[FindingBody]


class MessageBody(_Body):
    """A message of a shape, and its language, empty where it has none."""

    text: str
    language: str


class ResultBody(_Body):
    """One result of other shapes: terms as in N-Triples, paths as in SPARQL; empty what is not there."""

    severity: str = Field(examples=["http://www.w3.org/ns/shacl#Violation"])
    focus: str
    path: str
    value: str
    component: str
    shape: str
    constraint: str
    messages: list[MessageBody]
    wants: str = Field(description="what the constraint asks for, in words")
    wants_de: str
    closest: str = Field(description="of a choice, the branch that comes closest, and what it wants")
    closest_de: str


class DataReportBody(_Body):
    """What other shapes found; `counts` is of all results, `results` has the first 10,000."""

    conforms: bool
    counts: CountsBody
    shapes: str = Field(description="SHA-256 of the shapes graph")
    results: list[ResultBody]


class WrittenBody(_Body):
    """What became of a write."""

    id: str = Field(description="identifier of the passport, for the addresses of /v1", examples=[_ID])
    record: str = Field(description="IRI of the passport", examples=[_RECORD])
    version: int = Field(description="counts the versions of this passport from 1", examples=[1])
    sequence: int = Field(description="number in the journal; see Min-Sequence of /sparql", examples=[17])
    stage: Stage
    outcome: Literal["added", "replaced", "unchanged"] = Field(
        description="unchanged: the same stood there already, and nothing was written"
    )
    checked: bool = Field(description="whether the shapes were run over it")
    findings: list[FindingBody]


class PassportBody(_Body):
    """A passport in a list."""

    id: str = Field(examples=[_ID])
    record: str = Field(examples=[_RECORD])
    href: str = Field(description="address of its data", examples=[f"/v1/dpps/{_ID}"])
    stage: Stage
    identifiers: list[str] = Field(description="of passport and battery, as their maker wrote them")


class PassportsBody(_Body):
    """A part of the list of passports; `next` is the cursor of the part after it, null at the end."""

    items: list[PassportBody]
    next: str | None = Field(examples=[_ID])


class VersionBody(_Body):
    """One version. What only its owner may know is null for everybody else."""

    version: int
    stage: Stage
    time: str = Field(examples=[_TIME])
    href: str = Field(examples=[f"/v1/dpps/{_ID}?version=1"])
    sequence: int | None = Field(None, examples=[17])
    action: str | None = Field(None, examples=["publish"])
    actor: str | None = Field(None, examples=["key:5f0c12ab"])
    reason: str | None = None
    format: str | None = Field(None, examples=["battery_pass-6.1.0"])
    checked: bool | None = None
    violations: int | None = Field(None, description="that were found when it was written, if it was checked")
    document: bool | None = Field(None, description="whether the document that came in is kept")


class VersionsBody(_Body):
    """The versions of a passport, the oldest first."""

    id: str = Field(examples=[_ID])
    items: list[VersionBody]


class ReasonBody(_Body):
    """Why something is done; it stands in the journal."""

    reason: str = Field("", max_length=1_000, examples=["battery was recycled"])


class MoveBody(_Body):
    """Where items are to be moved, and which."""

    to: str = Field(max_length=200, description="digest or IRI of the corrected model record")
    items: list[str] | Literal["all"] = Field(description="passports, or all that point to this model record")
    reason: str = Field("", max_length=1_000)


class MovedItemBody(_Body):
    """An item that was moved."""

    id: str = Field(examples=[_ID])
    record: str = Field(examples=[_RECORD])
    version: int = Field(examples=[2])
    sequence: int = Field(examples=[18])
    stage: Stage
    outcome: Literal["added", "replaced", "unchanged"]


class MovedBody(_Body):
    """What became of a move: all items, or none."""

    model: str = Field(description="IRI of the model record that the items point to now")
    items: list[MovedItemBody]


class ProblemBody(_Body):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="what went wrong, and where")
    next: str = Field(description="what to do next")
    request: str = Field(description="number of the request, which is also in the log of the server")
    line: int | None = Field(None, description="where the error has a place")
    column: int | None = None
    findings: list[FindingBody] | None = Field(
        None, description="where violations keep it from being published"
    )


def problems(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI is told of the problems that a route answers with, by their slugs."""
    rows = {row.slug: row for row in PROBLEMS.values()}
    found: dict[int | str, dict[str, Any]] = {}
    for row in (rows[slug] for slug in slugs):
        answer = found.setdefault(
            row.status, {"description": row.title, "content": {MEDIA_TYPE: {"examples": {}}}}
        )
        if row.title not in answer["description"]:
            answer["description"] += f"; {row.title[:1].lower()}{row.title[1:]}"
        answer["content"][MEDIA_TYPE]["examples"][row.slug] = {
            "value": {
                "type": row.type,
                "title": row.title,
                "status": row.status,
                "detail": "...",
                "next": row.next,
                "request": "5f0c9d3e",
            }
        }
    return found
