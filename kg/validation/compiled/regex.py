"""Regular expressions of `sh:pattern`, as the REGEX of SPARQL matches them, in bounded time.

The engine of record is Oxigraph, whose matcher takes time linear in the text whatever the pattern. It is
asked through a query, which costs some tens of microseconds. Python's own matcher is quicker and can take for
ever, so it is used where its steps can be counted beforehand: patterns without nested repetition, over
texts that are short enough for the pattern and all ASCII, where both matchers mean the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyoxigraph import Literal, QuerySolutions, Store, Variable

from battpass.kg.validation.compiled.literals import NAME_CHARACTERS, NAME_START

_FLAGS = frozenset("smixq")
_TEXT = Variable("text")
# Steps of Python's matcher that one match may take at most: some milliseconds.
_MOST_STEPS = 200_000
_REPEATED = re.compile(r"\?|\*|\+|\{([0-9]{1,4})(,)?([0-9]{1,4})?\}")
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t\\n\\x0b\\x0c\\r"}
_CONTROLS = {"n": "\\n", "r": "\\r", "t": "\\t"}
# What only the regular expressions of XML know, in the words of the engine.
_NAMES = {
    "i": f"[{NAME_START}]",
    "I": f"[^{NAME_START}]",
    "c": f"[{NAME_CHARACTERS}]",
    "C": f"[^{NAME_CHARACTERS}]",
}


class Pattern:
    """A regular expression with its flags.

    Raises
    ------
    ValueError
        If it does not compile; the message says why.
    """

    def __init__(self, pattern: str, flags: str = "") -> None:
        self.pattern, self.flags = pattern, flags
        if unknown := set(flags) - _FLAGS:
            raise ValueError(f"there is no flag {''.join(sorted(unknown))!r}; use some of s, m, i, x and q")
        written = pattern if "q" in flags else _for_engine(pattern)
        shown = Literal(written), Literal(flags)
        self._query = f"SELECT ?text (REGEX(?text, {shown[0]}, {shown[1]}) AS ?found) {{}}"
        self._store = Store()
        if self._asked("") is None:
            raise ValueError(
                "it does not compile, or takes too much room; look for open brackets, counts over a "
                "thousand, and what only other dialects know"
            )
        self._quick = _quick(pattern, flags)

    def matches(self, text: str) -> bool:
        """Return whether the expression matches somewhere in the text.

        >>> Pattern("^[0-9]+$").matches("12")
        True
        """
        quick = self._quick
        if quick is not None and len(text) <= quick.longest and text.isascii():
            return quick.compiled.search(text) is not None
        return self.matches_in_engine(text)

    def matches_in_engine(self, text: str) -> bool:
        """Return the same, with the engine asked whatever the text."""
        return self._asked(text) is True

    @property
    def is_quick(self) -> bool:
        """Whether Python matches it, where the text is not too long and all ASCII."""
        return self._quick is not None

    def _asked(self, text: str) -> bool | None:
        rows = self._store.query(self._query, substitutions={_TEXT: Literal(text)})
        assert isinstance(rows, QuerySolutions)
        found = next(rows)["found"]
        return None if found is None else found.value == "true"


def _for_engine(pattern: str) -> str:
    """Return the pattern as the engine writes it: subtraction, names of XML, brackets in classes."""
    written: list[str] = []
    depth = 0
    characters = iter(range(len(pattern)))
    for here in characters:
        character = pattern[here]
        after = pattern[here + 1 : here + 2]
        if character == "\\":
            if after.isdigit():
                raise ValueError("back references are not matched here, as they can take for ever")
            next(characters, None)
            name = _NAMES.get(after)
            written.append((name[1:-1] if depth and name[1] != "^" else name) if name else character + after)
        elif not depth:
            depth = int(character == "[")
            written.append(character)
        elif character == "[":
            if written[-1] == "-":  # [a-z-[aeiou]]
                written.append("-[")
                depth += 1
            else:
                written.append("[" if after == ":" else "\\[")
                depth += after == ":"
        elif character == "]" and not _opens(pattern, here):
            depth -= 1
            written.append(character)
        else:
            written.append("\\" + character if character in "&~" else character)
    return "".join(written)


def _opens(pattern: str, here: int) -> bool:
    """Return whether a closing bracket stands first in its class, where many dialects take it for itself."""
    return pattern[:here].endswith(("[", "[^")) and not pattern[:here].endswith(("\\[", "\\[^"))


@dataclass(frozen=True, slots=True)
class _Quick:
    """An expression that Python may match, in texts up to a length."""

    compiled: re.Pattern[str]
    longest: int


@dataclass(slots=True)
class _Reader:
    """Reads a simple pattern, writes it for Python, and counts what its matching can cost."""

    text: str
    dot: str
    here: int = 0
    endless: int = 0
    ways: int = 1
    written: list[str] = field(default_factory=list)

    def expression(self, depth: int) -> None:
        """Read alternatives up to a closing parenthesis or the end."""
        while self.here < len(self.text):
            character = self.text[self.here]
            if character == ")" and depth:
                return
            self.here += 1
            if character == "|":
                self.ways *= 2
                self.written.append("|")
            elif character in "^$":
                self.written.append("^" if character == "^" else "\\Z")
            else:
                self._item(character, depth)
        if depth:
            raise _NotSimple

    def _item(self, character: str, depth: int) -> None:
        before = self.endless, self.ways
        start = len(self.written)
        if character == "(":
            if self.text.startswith("?:", self.here):
                self.here += 2
            self.written.append("(?:")
            self.expression(depth + 1)
            self.here += 1
            self.written.append(")")
        else:
            self.written.append(self._atom(character))
        self._repetition(character == "(" and (self.endless, self.ways) != before, start)

    def _atom(self, character: str) -> str:
        if character == ".":
            return self.dot
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape(inside=False)
        if character in "*+?{}])" or not character.isascii():
            raise _NotSimple
        return re.escape(character)

    def _escape(self, inside: bool) -> str:
        character = self.text[self.here : self.here + 1]
        self.here += 1
        if character in _CLASSES and character:
            return _CLASSES[character] if inside else f"[{_CLASSES[character]}]"
        if character in _CONTROLS and character:
            return _CONTROLS[character]
        if character and character in r"\|.?*+(){}[]-^$":
            return re.escape(character)
        raise _NotSimple

    def _class(self) -> str:
        parts = ["["]
        if self.text.startswith("^", self.here):
            parts.append("^")
            self.here += 1
        while True:
            character = self.text[self.here : self.here + 1]
            self.here += 1
            if character == "]":
                if parts[-1] in ("[", "^"):
                    raise _NotSimple
                return "".join((*parts, "]"))
            if character == "\\":
                parts.append(self._escape(inside=True))
            elif not character or character in "[&~^" or not character.isascii():
                raise _NotSimple
            elif character == "-":
                if self.text.startswith("[", self.here) or self.text.startswith("-", self.here):
                    raise _NotSimple
                at_edge = parts[-1] in ("[", "^") or self.text.startswith("]", self.here)
                parts.append("\\-" if at_edge else "-")
            else:
                parts.append(re.escape(character))

    def _repetition(self, costly: bool, start: int) -> None:
        match = _REPEATED.match(self.text, self.here)
        if match is None:
            return
        self.here = match.end()
        if self.text[self.here : self.here + 1] in ("?", "+", "*", "{"):
            raise _NotSimple
        sign = match[0]
        most = 1 if sign == "?" else None if sign in "*+" else int(match[3] or match[1])
        if sign[0] == "{" and match[2] and not match[3]:
            most = None
        if costly and most != 1:
            raise _NotSimple
        if most is None:
            self.endless += 1
        else:
            least = 0 if sign == "?" else int(match[1])
            if most < least:
                raise _NotSimple
            self.ways *= most - least + 1
        self.written.append(sign)


class _NotSimple(Exception):
    """The pattern is left to the engine."""


def _quick(pattern: str, flags: str) -> _Quick | None:
    if set(flags) - {"i", "s"}:
        return None
    reader = _Reader(pattern, "[\\x00-\\x7f]" if "s" in flags else "[^\\n]")
    try:
        reader.expression(0)
        compiled = re.compile("".join(reader.written), re.ASCII | (re.IGNORECASE if "i" in flags else 0))
    except (_NotSimple, re.error, RecursionError):
        return None
    anchored = pattern.startswith("^") and not any(_top_level_bars(pattern))
    powers = reader.endless + (not anchored)
    longest = 1000 if not powers else int((_MOST_STEPS / reader.ways) ** (1 / powers))
    return _Quick(compiled, min(longest, 1000)) if longest >= 8 and reader.ways <= 1000 else None


def _top_level_bars(pattern: str) -> Iterator[bool]:
    depth = 0
    for here, character in enumerate(pattern):
        if here and pattern[here - 1] == "\\":
            continue
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            yield True
