"""Canaries: values that can be told from all others wherever they turn up, and who may read each.

Each holds the digits of CORE and three more, its number: as a text, as a number with a fraction, as an
integer, as part of a name. So one search finds all of them, also where a writer groups the digits of a
number, escapes characters or encodes the whole.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

CORE = "27182818"
# The one date among the attributes, on a day that no other date here has.
DATE = "1789-07-14"
DATE_NUMBER = -1
ENCODED_NUMBER = -2
ROUNDED_NUMBER = -3

_SEPARATOR = "[.,'\u2019 \u00a0\u2009\u202f]?"
_CORE = re.compile(_SEPARATOR.join(CORE) + "".join(f"{_SEPARATOR}([0-9])" for _ in range(3)))
_YEAR = DATE[:4]
_DATE = re.compile(r"1789-?07|07[./-]1789|Jul[iy]?\.?[ \u00a0]1789")
# The beginning of a number that lost its last digits on the way.
_ROUNDED = re.compile(r"(?<![0-9])(?:61[.,]|6[.,]1)(?:271(?!82818[0-9]{3})|272(?![0-9]))")
# A digit, and what may stand between digits, as URLs, HTML and JSON escape it.
_PERCENT = re.compile(r"%(?:3[0-9]|2[0-9A-Fa-f]|C2|E2)")
_CHARACTER = re.compile(r"&(?:#|nbsp|thinsp)")
_UNICODE = re.compile(r"\\u00([0-9A-Fa-f]{2})")


def _in_base64() -> tuple[str, ...]:
    """Return what CORE looks like inside base64, wherever it begins."""
    found = []
    for before in range(3):
        text = base64.b64encode(b"\0" * before + CORE.encode()).decode().rstrip("=")
        # What the bytes before and after have a part in is left out.
        found.append(text[-(-before * 4 // 3) : (before + len(CORE)) * 4 // 3])
    return tuple(found)


ENCODED = (
    *_in_base64(),
    binascii.hexlify(CORE.encode()).decode(),
    "".join(f"\\x{ord(one):x}" for one in CORE),
    CORE[::-1],
)


@dataclass(frozen=True)
class Canary:
    """One canary: its number, what it is called in messages, and the audiences that may read it.

    `told` is False where no route hands it out, not even to its owner.
    """

    number: int
    name: str
    readers: frozenset[str]
    told: bool = True

    @property
    def text(self) -> str:
        """The canary in a text with what the formats escape."""
        return f'Canary {self.code} "\u00e4<&>/%'

    @property
    def code(self) -> str:
        """The canary as digits, for codes and names."""
        return f"{CORE}{self.number:03d}"

    @property
    def decimal(self) -> float:
        """The canary as a number between 61 and 62; its last digit is no 0, which writers leave out."""
        return float(f"61.{self.code}5")

    @property
    def address(self) -> str:
        """The canary in the address of a document."""
        return f"https://docs.example/{self.code}/file.pdf"


@dataclass
class Cage:
    """All canaries that were made, by number."""

    all: dict[int, Canary] = field(default_factory=dict)

    def make(self, name: str, readers: Iterable[str], *, told: bool = True) -> Canary:
        """Return a new canary."""
        made = Canary(len(self.all), name, frozenset(readers), told)
        assert made.number < 1_000
        self.all[made.number] = made
        return made

    def date(self, name: str, readers: Iterable[str]) -> str:
        """Return the one canary that is a date."""
        assert DATE_NUMBER not in self.all
        self.all[DATE_NUMBER] = Canary(DATE_NUMBER, name, frozenset(readers))
        return DATE

    def kept_from(self, audience: str) -> frozenset[int]:
        """Return the numbers of what an audience may not read."""
        return frozenset(one.number for one in self.all.values() if audience not in one.readers)

    def told_to(self, audience: str) -> frozenset[int]:
        """Return the numbers of what an audience is to find somewhere."""
        return frozenset(one.number for one in self.all.values() if one.told and audience in one.readers)

    def leaks_in(self, text: str, audience: str) -> list[str]:
        """Return the names of what a text tells, and may not tell this audience."""
        readable = frozenset(one.number for one in self.all.values() if audience in one.readers)
        return self.names(found_in(text) - readable)

    def names(self, numbers: Iterable[int]) -> list[str]:
        """Return what canaries are called, for messages."""
        return sorted(self.all[one].name if one in self.all else f"unknown {one}" for one in numbers)


def found_in(text: str) -> frozenset[int]:
    """Return the numbers of all canaries in a text, plain or encoded.

    One that is encoded as a whole or rounded is told as such, as its own number cannot be read off.
    """
    seen: set[int] = set()
    for form in _forms(text):
        seen |= {int("".join(digits)) for digits in _CORE.findall(form)}
        if _YEAR in form and _DATE.search(form):
            seen.add(DATE_NUMBER)
        if any(one in form for one in ENCODED):
            seen.add(ENCODED_NUMBER)
        if "27" in form and _ROUNDED.search(form):
            seen.add(ROUNDED_NUMBER)
    return frozenset(seen)


def _forms(text: str) -> Iterable[str]:
    """Yield a text as it is, and with what was escaped in it taken back."""
    yield text
    if _PERCENT.search(text):
        yield unquote_plus(text)
    if _CHARACTER.search(text):
        yield html.unescape(text)
    if "\\u00" in text:
        yield _UNICODE.sub(lambda found: chr(int(found[1], 16)), text)
