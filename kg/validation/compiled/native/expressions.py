"""Reads the tokens of a query, and of them expressions."""

import re
from collections.abc import Mapping, Sequence
from functools import reduce

from pyoxigraph import Literal, NamedNode

from battpass.kg.namespaces import XSD
from battpass.kg.validation.compiled.native.functions import (
    FUNCTIONS,
    Expression,
    NotRead,
    among,
    applied,
    both,
    bound,
    cast,
    chosen,
    comparison,
    constant,
    either,
    first,
    joined,
    matching,
    negated,
    read,
    replacing,
)
from battpass.kg.validation.compiled.native.values import (
    Declined,
    add,
    divide,
    multiply,
    subtract,
    value_of,
)
from battpass.kg.validation.compiled.queries import iri_of
from battpass.kg.validation.compiled.tokens import Token

_ESCAPED = re.compile(r"\\(?:([tbnrf\"'\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_ESCAPES = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")
_CAST = NamedNode(XSD + "integer")


class Names:
    """The variables of a query and their places in a row."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, name: str) -> int:
        """Return the place of a variable."""
        return self._places.setdefault(name, len(self._places))

    def __len__(self) -> int:
        return len(self._places)


class Reader:
    """Reads tokens from the first to the last.

    `sums` collects what is added up or counted over all rows, with the place for the outcome; None where
    nothing may be.
    """

    def __init__(self, tokens: Sequence[Token], prefixes: Mapping[str, str], names: Names) -> None:
        self.tokens = tokens
        self.prefixes = prefixes
        self.names = names
        self.here = 0
        self.used: set[str] = set()
        self.sums: dict[int, tuple[str, Expression]] | None = None

    @property
    def done(self) -> bool:
        """Whether all tokens are read."""
        return self.here >= len(self.tokens)

    @property
    def token(self) -> Token:
        """The token that is read next."""
        if self.done:
            raise NotRead
        return self.tokens[self.here]

    def took(self, *signs: str) -> str:
        """Return the next token if it is one of some signs or words, and go on; else return nothing."""
        token = self.tokens[self.here] if not self.done else None
        text = "" if token is None else token.word or (token.text if token.kind == "sign" else "")
        if text and text in signs:
            self.here += 1
            return text
        return ""

    def take(self, sign: str) -> None:
        """Go on behind a sign or word that must be there."""
        if not self.took(sign):
            raise NotRead

    def variable(self) -> str:
        """Return the variable that must be there."""
        name = self.token.variable
        if not name:
            raise NotRead
        self.here += 1
        return name

    def term(self) -> NamedNode | Literal:
        """Return the IRI or literal that must be there."""
        token = self.token
        self.here += 1
        if token.kind == "text":
            return self._literal(token)
        if token.kind == "number" and _NUMBER.match(token.text):
            kind = "decimal" if "." in token.text else "integer"
            return Literal(token.text, datatype=NamedNode(XSD + kind))
        if token.word in ("TRUE", "FALSE"):
            return Literal(token.text.lower(), datatype=NamedNode(XSD + "boolean"))
        iri = iri_of(token, self.prefixes)
        if iri is None or token.text == "a" or "\\" in iri:
            raise NotRead
        return NamedNode(iri)

    def _literal(self, token: Token) -> Literal:
        quotes = 3 if token.text[:3] in ('"""', "'''") else 1
        text = _ESCAPED.sub(_unescaped, token.text[quotes:-quotes])
        if not self.done and self.token.kind == "tag":
            raise NotRead
        if self.took("^^"):
            kind = self.term()
            if not isinstance(kind, NamedNode):
                raise NotRead
            return Literal(text, datatype=kind)
        return Literal(text)

    def expression(self) -> Expression:
        """Return the expression that stands here."""
        return self._any()

    def bracketed(self) -> Expression:
        """Return the expression that stands here in parentheses."""
        self.take("(")
        found = self.expression()
        self.take(")")
        return found

    def _any(self) -> Expression:
        parts = [self._all()]
        while self.took("||"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else reduce(either, parts)

    def _all(self) -> Expression:
        parts = [self._compared()]
        while self.took("&&"):
            parts.append(self._compared())
        return parts[0] if len(parts) == 1 else reduce(both, parts)

    def _compared(self) -> Expression:
        left = self._sum()
        if sign := self.took("=", "!=", "<", ">", "<=", ">="):
            return comparison(sign, left, self._sum())
        turned = bool(self.took("NOT"))
        if self.took("IN"):
            found = among(left, self._list())
            return negated(found) if turned else found
        if turned:
            raise NotRead
        return left

    def _sum(self) -> Expression:
        left = self._product()
        while sign := self.took("+", "-"):
            left = applied(add if sign == "+" else subtract, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._single()
        while sign := self.took("*", "/"):
            left = applied(multiply if sign == "*" else divide, left, self._single())
        return left

    def _single(self) -> Expression:
        if self.took("!"):
            return negated(self._single())
        if self.took("-"):
            return applied(subtract, constant(0), self._single())
        if not self.done and self.token.is_sign("("):
            return self.bracketed()
        if name := self.token.variable:
            self.here += 1
            self.used.add(name)
            return read(self.names.place(name))
        word = self.token.word
        if word == "BOUND":
            self.here += 1
            self.take("(")
            name = self.variable()
            self.take(")")
            self.used.add(name)
            return bound(self.names.place(name))
        if word in ("SUM", "COUNT"):
            return self._aggregate(word)
        if word and word not in ("TRUE", "FALSE"):
            self.here += 1
            return self._call(word)
        term = self.term()
        if term == _CAST and not self.done and self.token.is_sign("("):
            return applied(cast, self.bracketed())
        try:
            return constant(value_of(term))
        except Declined:
            raise NotRead from None

    def _aggregate(self, word: str) -> Expression:
        if self.sums is None:
            raise NotRead
        self.here += 1
        sums, self.sums = self.sums, None
        inner = self.bracketed()
        self.sums = sums
        place = self.names.place(f" {word} {len(sums)}")
        sums[place] = (word, inner)
        return read(place)

    def _list(self) -> list[Expression]:
        self.take("(")
        found = []
        while not self.took(")"):
            found.append(self.expression())
            if not self.took(","):
                self.take(")")
                break
        return found

    def _call(self, word: str) -> Expression:
        arguments = self._list()
        if word == "IF" and len(arguments) == 3:
            return chosen(*arguments)
        if word == "COALESCE":
            return first(arguments)
        if word == "CONCAT":
            return joined(arguments)
        if word == "REGEX":
            return matching(arguments)
        if word == "REPLACE":
            return replacing(arguments)
        function, least, most = FUNCTIONS.get(word, (None, 0, 0))
        if function is None or not least <= len(arguments) <= most:
            raise NotRead
        return applied(function, *arguments)


def _unescaped(match: re.Match[str]) -> str:
    return _ESCAPES[match[1]] if match[1] else chr(int(match[2] or match[3], 16))
