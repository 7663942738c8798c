"""Entity tags, and conditions made of them: If-Match before a write, If-None-Match before a read (RFC 9110).

A tag of a passport has two parts, `"STATE.FORMAT"`. STATE is a digest over the digests of what the caller may
see, so it is known without reading or parsing any graph; FORMAT makes the tag strong, as each format has
bytes of its own. A write compares STATE alone: whoever read the passport in any format has read what stands.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

import battpass
from battpass.services.api.problems import BadRequest, PreconditionFailed, PreconditionRequired

_LONGEST_HEADER = 8_192
_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|\Z)')
_STATE_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Condition:
    """The tags of an If-Match or If-None-Match header; `any` stands for `*`."""

    any: bool = False
    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()

    @classmethod
    def read(cls, header: str) -> "Condition":
        """Return the condition of a header.

        Raises
        ------
        BadRequest
            If it is neither `*` nor a list of tags in quotes.

        >>> Condition.read('"a", W/"b"')
        Condition(any=False, strong=frozenset({'a'}), weak=frozenset({'b'}))
        """
        text = header[:_LONGEST_HEADER].strip()
        if text == "*":
            return cls(any=True)
        strong: set[str] = set()
        weak: set[str] = set()
        at = 0
        while at < len(text):
            found = _TAG.match(text, at)
            if found is None:
                raise BadRequest(
                    f'{text[:80]!r} is no list of entity tags. Write "TAG" as the ETag of an answer has it, '
                    "in its quotes; or * for whatever stands."
                )
            (weak if found[1] else strong).add(found[2])
            at = found.end()
        return cls(False, frozenset(strong), frozenset(weak))

    def holds(self, tag: str) -> bool:
        """Return whether one of the tags is this one, for reading: weak ones count (RFC 9110, 8.8.3.2)."""
        return self.any or tag in self.strong or tag in self.weak

    def holds_state(self, state: str) -> bool:
        """Return whether one of the strong tags is of this state, in whatever format."""
        return self.any or any(tag.partition(".")[0] == state for tag in self.strong)


def state_tag(audience: str, record: str, model: str, visible: Iterable[tuple[str, str]]) -> str:
    """Return the tag of what an audience sees: `visible` are access classes with the digests of their texts.

    The name of the model record holds a digest of its content. The version of BattPass counts, too, because
    another version may write the same graphs with other bytes.
    """
    lines = [battpass.__version__, audience, record, model, *(f"{one} {two}" for one, two in sorted(visible))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_STATE_LENGTH]


def entity_tag(state: str, format_name: str) -> str:
    """Return the value of an ETag header.

    >>> entity_tag("9f86d081884c7d65", "turtle")
    '"9f86d081884c7d65.turtle"'
    """
    return f'"{state}.{format_name}"'


def unchanged(header: str | None, tag: str) -> bool:
    """Return whether who reads has this representation already; `tag` is an ETag with its quotes."""
    return header is not None and Condition.read(header).holds(tag.strip('"'))


def check_match(header: str | None, state: str, hint: str = "", *, required: bool = True) -> None:
    """Let a write go on if the caller has read what stands; `hint` says where that can be read.

    Raises
    ------
    PreconditionRequired
        If there is no If-Match and one is required.
    PreconditionFailed
        If none of its tags is of this state.
    """
    if header is None:
        if required:
            raise PreconditionRequired(
                "This would overwrite what stands here, and does not say what that is. "
                f"Send If-Match with the ETag of what was read, or * for whatever stands.{hint}"
            )
        return
    if not Condition.read(header).holds_state(state):
        raise PreconditionFailed(f"What stands here is not what If-Match names: it was changed since.{hint}")
