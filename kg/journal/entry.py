"""What an entry of the journal says, as one line of JSON, and how entries are chained.

The hash of an entry is the SHA-256 of its line, and each line holds the hash of the one before: whoever changes,
drops or reorders an entry breaks every later one. Texts (graphs, documents, reports) stand in the line by their
digests, so that personal content can be erased while the chain stays whole.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from battpass.kg.graphs import AccessClass
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
class Entry:
    """One entry of the journal.

    `version` counts the entries of the record from 1. `base` is the sequence number of the entry whose state the
    change starts from, 0 for nothing; `added` and `removed` are the digests of the lines that came and went, and
    `state` those of the whole texts afterwards. `original` and `report` are digests of texts, or empty. `checked`
    says that the shapes were run over this state. `erased` lists the digests whose texts were taken away.
    """

    sequence: int
    previous: str
    time: datetime
    record: str
    version: int
    action: Action
    stage: Stage
    actor: str = ""
    reason: str = ""
    model: str = ""
    base: int = 0
    depth: int = 0
    added: Digests = field(default_factory=dict)
    removed: Digests = field(default_factory=dict)
    state: Digests = field(default_factory=dict)
    original: str = ""
    format: str = ""
    source: str = ""
    report: str = ""
    checked: bool = False
    identifiers: tuple[str, ...] = ()
    erased: tuple[str, ...] = ()

    @property
    def is_model(self) -> bool:
        """Whether this is about a model record, which items share."""
        return self.action is Action.MODEL

    @property
    def texts(self) -> set[str]:
        """The digests of all texts that belong to this entry, but for those of its state."""
        found = {*self.added.values(), *self.removed.values(), self.original, self.report}
        return found - {""}

    def line(self) -> bytes:
        """Return the entry as it is hashed and kept: one line of JSON with sorted members."""
        content: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, datetime):
                value = value.astimezone(UTC).isoformat(timespec="microseconds")
            elif isinstance(value, Mapping):
                value = {str(access): one for access, one in sorted(value.items())}
            if value or name == "base":
                content[name] = value
        if content.get("state") == content.get("added"):
            content.pop("state", None)  # a first version: what was added is what stands
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    @property
    def hash(self) -> str:
        """The SHA-256 of the line, in hexadecimal digits."""
        return digest(self.line())

    @classmethod
    def read(cls, line: bytes) -> "Entry":
        """Return the entry of a line.

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
            if not content["state"] and content["stage"] is not Stage.ARCHIVED and not content["removed"]:
                content["state"] = content["added"]
            for name in ("identifiers", "erased"):
                content[name] = tuple(content.get(name, ()))
            return cls(**content)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no entry of a journal: {error}") from None
