"""A lexer in front of the engine: it refuses, with a reason, what would crash it or reach out of it.

One pass over the text, no grammar. Strings, IRIs, comments, prefixed names and variables are single tokens,
so a keyword inside one of them is not a keyword. The guard is comfort: it answers in about 0.1 ms,
with a line, a column and a next step. The wall is the sealed worker, which holds without it.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum

from battpass.kg.errors import QueryRefused

_TOKEN = re.compile(
    r"""(?:[ \t\r\n]++|\#[^\r\n]*+)*+(?:
     (?P<iri><(?:[^\x00-\x20<>"{}|^`\\]|\\[uU][0-9A-Fa-f]{4,8})*+>)
    |(?P<string>\"{3}(?:[^"\\]|\\.|"{1,2}(?!"))*+\"{3}|'{3}(?:[^'\\]|\\.|'{1,2}(?!'))*+'{3}
               |"(?:[^"\\\r\n]|\\.)*+"|'(?:[^'\\\r\n]|\\.)*+')
    |(?P<variable>[?$]\w+)
    |(?P<name>(?:[^\W\d][\w\-.]{0,64}+)?:(?:[\w:%\-]|\\.|\.+(?=[\w:%\-\\]))*+)
    |(?P<word>[^\W\d]\w*+)
    |(?P<number>\d[\d.]*+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<language>@[A-Za-z]+(?:-+[A-Za-z0-9]+)*+)
    |(?P<mark>&&|\|\||!=|<=|>=|\^\^|.)
    |\Z)""",
    re.VERBOSE | re.DOTALL,
)

_UPDATE_WORDS = frozenset(("INSERT", "DELETE", "LOAD", "CLEAR", "CREATE", "DROP", "COPY", "MOVE", "ADD"))
_FORMS = frozenset(("SELECT", "ASK", "CONSTRUCT", "DESCRIBE"))
_CLAUSES = frozenset(("FILTER", "BIND", "GRAPH", "MINUS", "OPTIONAL", "UNION", "VALUES"))
_REST = _FORMS | {"GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "FROM", "BASE", "PREFIX", "VERSION"}
_PATH_MARKS = frozenset("/|^*+?!")
_OPERATORS = frozenset(("+", "-", "*", "/", "!", "=", "<", ">", "<=", ">=", "!=", "&&", "||"))


class QueryForm(StrEnum):
    """The four forms of a SPARQL query."""

    SELECT = "select"
    ASK = "ask"
    CONSTRUCT = "construct"
    DESCRIBE = "describe"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a query may be before it is refused.

    The engine dies of a nesting of about 2,400, and plans 128 triple patterns, 128 OPTIONALs or 128 joined
    groups for 2 to 4 seconds on an empty store; at these limits it plans for less than 0.3 s.
    """

    bytes: int = 65_536
    tokens: int = 5_000
    depth: int = 100
    patterns: int = 64
    optionals: int = 32
    unions: int = 64
    path_steps: int = 64
    operators: int = 1_000
    graphs: int = 100


STANDARD = Limits()


@dataclass(slots=True)
class Outline:
    """What one pass over a query counted; `form` is None where the text has none of the four."""

    form: QueryForm | None = None
    tokens: int = 0
    depth: int = 0
    patterns: int = 0
    optionals: int = 0
    unions: int = 0
    path_steps: int = 0
    operators: int = 0
    graphs: int = 0


def check(text: str, limits: Limits) -> Outline:
    """Return what the query consists of.

    Raises
    ------
    QueryRefused
        If the text is over one of the limits, calls another server, or is an update.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise QueryRefused(
            f"{place(text, error.start)}: the query holds half of a surrogate pair, which is no character. "
            "Send it as UTF-8."
        ) from None
    if size > limits.bytes:
        raise QueryRefused(
            f"line 1, column 1: the query has {size:,} bytes; {limits.bytes:,} are read here. "
            "Ask in several queries, or fetch the data and choose from it at home."
        )
    return _Reader(text, limits).read()


def form_of(text: str) -> QueryForm | None:
    """Return the form that the first keyword after the prologue names, without any check."""
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "word" and (word := match["word"].upper()) in _FORMS:
            return QueryForm(word.lower())
    return None


def undeclared(text: str, prefixes: Container[str]) -> tuple[str, str] | None:
    """Return place and name of the first prefix that neither the query nor `prefixes` declares."""
    declared: set[str] = set()
    declares = False
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "name":
            prefix = match["name"].partition(":")[0]
            if declares:
                declared.add(prefix)
            elif prefix != "_" and prefix not in declared and prefix not in prefixes:
                return place(text, match.start("name")), prefix
        declares = match.lastgroup == "word" and match["word"].upper() == "PREFIX"
    return None


def place(text: str, offset: int) -> str:
    """Return `line L, column C`, both counted from 1 in characters.

    >>> place("ASK {\\n  ?s", 8)
    'line 2, column 3'
    """
    line_start = text.rfind("\n", 0, offset) + 1
    return f"line {text.count(chr(10), 0, offset) + 1}, column {offset - line_start + 1}"


# What a bracket opened, and what the reader expects next inside it. A triple pattern is counted at the
# first token of its predicate; a further object (`,`) counts one, a member of a collection two.
_GROUP, _EXPRESSION, _PATH, _LIST, _NODE, _DATA, _TEMPLATE = range(7)
_SUBJECT, _VERB, _OBJECT, _CLAUSE, _MODIFIERS = range(5)

_ADVICE = {
    "tokens": ("more than {} tokens", "Shorten the VALUES lists, or ask in several queries"),
    "depth": ("brackets nested deeper than {}", "Flatten the groups and expressions"),
    "patterns": ("more than {} triple patterns", "Ask in several queries, or read whole nodes with DESCRIBE"),
    "optionals": ("more than {} OPTIONALs", "Ask for the properties as rows: ?s ?p ?o with VALUES ?p"),
    "unions": ("more than {} UNIONs", "Use VALUES for the alternatives"),
    "path_steps": ("more than {} steps in property paths", "Split the path, or use + or *"),
    "operators": ("more than {} operators in expressions", "Use IN or VALUES instead of a long chain"),
    "graphs": ("more than {} FROM clauses", "Leave them out: the default graph is the union of all graphs"),
}


class _Reader:
    """One pass over one text; a small stack says what each open bracket means."""

    def __init__(self, text: str, limits: Limits) -> None:
        self._text = text
        self._limits = limits
        self._seen = Outline()
        self._kind = _GROUP
        self._state = _MODIFIERS
        self._stack: list[tuple[int, int]] = []
        self._values = False
        self._previous = ""

    def read(self) -> Outline:
        seen, limit = self._seen, self._limits.tokens
        for match in _TOKEN.finditer(self._text):
            group = match.lastgroup
            if group is None:
                continue
            token = match[group]
            seen.tokens += 1
            if seen.tokens > limit:
                self._over("tokens", match.start(group))
            if group == "mark":
                self._mark(token, match.start(group))
            elif group == "word":
                self._word(token, match.start(group))
                token = token.upper()
            elif group != "language":
                self._term(match.start(group))
            self._previous = token
        return seen

    def _over(self, name: str, offset: int) -> None:
        found, advice = _ADVICE[name]
        what = found.format(f"{getattr(self._limits, name):,}")
        raise QueryRefused(f"{place(self._text, offset)}: {what}. {advice}.")

    def _count(self, name: str, offset: int, step: int = 1) -> None:
        number = getattr(self._seen, name) + step
        setattr(self._seen, name, number)
        if number > getattr(self._limits, name):
            self._over(name, offset)

    def _term(self, offset: int) -> None:
        if self._kind == _LIST:
            self._count("patterns", offset, 0 if self._previous == "^^" else 2)
        elif self._kind in (_GROUP, _NODE):
            if self._state == _SUBJECT:
                self._state = _VERB
            elif self._state == _VERB:
                self._state = _OBJECT
                self._count("patterns", offset)

    def _word(self, token: str, offset: int) -> None:
        word = token.upper()
        if word in _UPDATE_WORDS:
            raise QueryRefused(
                f"{place(self._text, offset)}: {word} changes data, and this is the way for queries. "
                "Begin with SELECT, ASK, CONSTRUCT or DESCRIBE."
            )
        if word == "SERVICE":
            raise QueryRefused(
                f"{place(self._text, offset)}: SERVICE is not followed, because it would call another server "
                "from here. Query that server yourself and pass its answer on in VALUES."
            )
        if word in _REST:
            self._state = _MODIFIERS
            if word in _FORMS and self._seen.form is None:
                self._seen.form = QueryForm(word.lower())
            elif word == "FROM":
                self._count("graphs", offset)
        elif word in _CLAUSES:
            self._state = _CLAUSE
            if word == "OPTIONAL":
                self._count("optionals", offset)
            elif word == "UNION":
                self._count("unions", offset)
            self._values = word == "VALUES"
        elif token in ("a", "true", "false", "True", "False", "TRUE", "FALSE"):
            self._term(offset)
        elif word == "IN":
            self._count("operators", offset)

    def _mark(self, token: str, offset: int) -> None:
        if token in "{([":
            self._open(token, offset)
        elif token in "})]":
            self._close(token, offset)
        elif self._kind == _PATH or (self._kind in (_GROUP, _NODE) and self._state in (_VERB, _OBJECT)):
            self._in_pattern(token, offset)
        elif token in _OPERATORS:
            self._count("operators", offset)

    def _in_pattern(self, token: str, offset: int) -> None:
        if token in _PATH_MARKS:
            self._count("path_steps", offset)
        elif self._kind == _PATH:
            return
        elif token == ".":
            self._state = _SUBJECT
        elif token == ";":
            self._state = _VERB
        elif token == "," and self._state == _OBJECT:
            self._count("patterns", offset)

    def _open(self, token: str, offset: int) -> None:
        if token == "{":
            inside = (
                _DATA if self._values else _TEMPLATE if self._previous == "CONSTRUCT" else _GROUP,
                _SUBJECT,
            )
            self._values = False
        elif token == "[":
            inside = (_NODE, _VERB)
        elif self._kind == _PATH or (self._kind in (_GROUP, _NODE) and self._state == _VERB):
            inside = (_PATH, _OBJECT)
            if self._kind != _PATH:
                self._term(offset)
        elif self._kind in (_GROUP, _NODE, _LIST) and self._state in (_SUBJECT, _OBJECT):
            is_path = self._previous in _PATH_MARKS
            inside = (_PATH, _OBJECT) if is_path else (_LIST, _SUBJECT)
        else:
            inside = (_EXPRESSION, _CLAUSE)
        self._stack.append((self._kind, self._state))
        self._kind, self._state = inside
        if len(self._stack) > self._seen.depth:
            self._count("depth", offset)

    def _close(self, token: str, offset: int) -> None:
        if not self._stack:
            return  # unbalanced: the engine says so, with its place
        closed = self._kind
        self._kind, self._state = self._stack.pop()
        if token == "}":
            if self._state != _MODIFIERS:
                self._state = _SUBJECT
        elif closed == _EXPRESSION:
            if self._state == _CLAUSE:
                self._state = _SUBJECT
        elif closed in (_LIST, _NODE):
            self._term(offset)
