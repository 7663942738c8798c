"""What an entry of the journal says, as one line of JSON, and how entries are chained.

The hash of an entry is the SHA-256 of its line, and each line holds the hash of the one before: whoever
changes, drops or reorders an entry breaks every later one. Texts (graphs, documents, reports, notes) stand in
the line by their digests, so that personal content can be erased while the chain stays whole.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from battpass.kg.graphs import AccessClass, Finding, Severity
from battpass.kg.journal.parts import digest

# What the first entry has for the hash of the one before it.
GENESIS = "0" * 64

Digests = Mapping[AccessClass, str]


class Stage(StrEnum):
    """Where a record stands: a draft is its owner's alone, and what is archived has ceased to exist."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Action(StrEnum):
    """What an entry did."""

    CREATE = "create"
    CHANGE = "change"
    PUBLISH = "publish"
    MOVE = "move"
    ARCHIVE = "archive"
    ERASE = "erase"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Note:
    """What is said about an entry beside its graphs. It can be erased, as it may name persons.

    `identifiers` are the names of passport and battery, `source` says where a document came from, `findings`
    what its format found in it.
    """

    reason: str = ""
    source: str = ""
    identifiers: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def text(self) -> bytes:
        """Return the note as JSON, or nothing where it is empty."""
        content = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode() if content else b""

    @classmethod
    def read(cls, text: bytes) -> "Note":
        """Return the note of a text."""
        content = json.loads(text) if text else {}
        found = tuple(
            Finding(**{**finding, "severity": Severity(finding["severity"])})
            for finding in content.pop("findings", ())
        )
        return cls(identifiers=tuple(content.pop("identifiers", ())), findings=found, **content)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal.

    `version` counts the entries of the record from 1. `base` is the sequence number of the entry whose state
    the change starts from, 0 for nothing, and `depth` how many entries lie between this one and such a start.
    `added` and `removed` are the digests of the lines that came and went, `state` those of the whole texts
    afterwards; `original`, `report` and `note` are digests of texts, or empty. `checked` says that the shapes
    were run over this state. `erased` lists the digests whose texts were taken away.
    """

    sequence: int
    previous: str
    time: datetime
    record: str
    version: int
    action: Action
    stage: Stage
    actor: str = ""
    model: str = ""
    base: int = 0
    depth: int = 0
    added: Digests = field(default_factory=dict)
    removed: Digests = field(default_factory=dict)
    state: Digests = field(default_factory=dict)
    original: str = ""
    format: str = ""
    report: str = ""
    checked: bool = False
    note: str = ""
    erased: tuple[str, ...] = ()
    # The content of the note, where it was read along; the line has its digest only.
    told: Note = field(default_factory=Note, compare=False)

    @property
    def is_model(self) -> bool:
        """Whether this is about a model record, which items share."""
        return self.action is Action.MODEL

    @property
    def reason(self) -> str:
        """Why this was done, as the actor put it."""
        return self.told.reason

    @property
    def source(self) -> str:
        """Where the document came from."""
        return self.told.source

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The names of passport and battery."""
        return self.told.identifiers

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the format found in the document."""
        return self.told.findings

    @property
    def texts(self) -> set[str]:
        """The digests of all texts that belong to this entry, but for those of its state."""
        found = {*self.added.values(), *self.removed.values(), self.original, self.report, self.note}
        return found - {""}

    def line(self) -> bytes:
        """Return the entry as it is hashed and kept: one line of JSON with sorted members."""
        content: dict[str, Any] = {}
        for name in _MEMBERS:
            value = getattr(self, name)
            if isinstance(value, datetime):
                value = value.astimezone(UTC).isoformat(timespec="microseconds")
            elif isinstance(value, Mapping):
                value = {str(access): one for access, one in sorted(value.items())}
            if value:
                content[name] = value
        if not self.removed and self.state == self.added:
            content.pop("state", None)  # a first version: what was added is what stands
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    @property
    def hash(self) -> str:
        """The SHA-256 of the line, in hexadecimal digits."""
        return digest(self.line())

    @classmethod
    def read(cls, line: bytes) -> "Entry":
        """Return the entry of a line, without the content of its note.

        Raises
        ------
        ValueError
            If it is not the line of an entry.
        """
        try:
            content = json.loads(line)
            content["time"] = datetime.fromisoformat(content["time"])
            content["action"] = Action(content["action"])
            content["stage"] = Stage(content["stage"])
            for name in ("added", "removed", "state"):
                content[name] = {AccessClass(one): two for one, two in content.get(name, {}).items()}
            if not content["state"] and not content["removed"]:
                content["state"] = content["added"]
            content["erased"] = tuple(content.get("erased", ()))
            return cls(**content)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no entry of a journal: {error}") from None


_MEMBERS = tuple(one.name for one in fields(Entry) if one.name != "told")
