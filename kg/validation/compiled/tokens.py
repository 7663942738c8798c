"""The tokens of a SPARQL query: enough to know its groups, variables and keywords from what is quoted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|\#[^\n\r]*)
  | (?P<text>\"\"\"(?:(?:\"|\"\")?(?:[^\"\\]|\\.))*+\"\"\"|'''(?:(?:'|'')?(?:[^'\\]|\\.))*+'''
        |"(?:[^"\\\n\r]|\\.)*+"|'(?:[^'\\\n\r]|\\.)*+')
  | (?P<iri><[^<>"{}|^`\\\x00-\x20]*>)
  | (?P<variable>[?$][^\W]\w*)
  | (?P<blank>_:[\w.\-]*[\w\-]|\[\s*\])
  | (?P<name>(?:[^\W\d_](?:[\w.\-]*[\w\-])?)?:(?:[\w:]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%])
        (?:(?:[\w.\-:]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%])*
        (?:[\w\-:]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%]))?|(?:[^\W\d_](?:[\w.\-]*[\w\-])?)?:)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<tag>@[a-zA-Z]+(?:-[a-zA-Z0-9]+)*)
  | (?P<word>\w+)
  | (?P<sign>\{\||\|\}|<<\(?|\)?>>|\^\^|&&|\|\||!=|<=|>=|.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its kind (`text`, `iri`, `variable`, `blank`, `name`, `number`, `word`, `sign`) and place."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """A keyword in capitals; empty for what is none."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def variable(self) -> str:
        """The name of a variable; empty for what is none."""
        return self.text[1:] if self.kind == "variable" else ""

    def is_sign(self, *signs: str) -> bool:
        """Return whether the token is one of some signs."""
        return self.kind == "sign" and self.text in signs


def tokens_of(query: str) -> Iterator[Token]:
    """Yield the tokens of a query, without blanks and comments. What is no SPARQL yields something, too."""
    for match in _TOKEN.finditer(query):
        kind = match.lastgroup or "sign"
        if kind != "space":
            yield Token(kind, match[0], match.start(), match.end())
