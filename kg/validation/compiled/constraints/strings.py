"""Strings: `sh:minLength`, `sh:maxLength`, `sh:pattern`, `sh:languageIn`, `sh:uniqueLang`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import (
    Constraint,
    Judges,
    SetConstraint,
    SetTest,
    TermConstraint,
    TermTest,
)
from battpass.kg.validation.compiled.regex import Pattern
from battpass.kg.validation.compiled.results import Found
from battpass.kg.validation.compiled.syntax import Description, shown
from battpass.kg.validation.compiled.vocabulary import STRING, sh

if TYPE_CHECKING:
    from battpass.kg.validation.compiled.row import Run


def read(description: Description) -> Iterator[Constraint]:
    """Yield the constraints of a shape on strings."""
    if (least := description.integer("minLength")) is not None:
        yield MinLength(least)
    if (most := description.integer("maxLength")) is not None:
        yield MaxLength(most)
    pattern, flags = description.string("pattern"), description.string("flags")
    if pattern is not None:
        try:
            Pattern(pattern, flags or "")
        except ValueError as error:
            raise description.said("pattern").bad(
                f"is {pattern[:200]!r}, and {error}", "Write a regular expression of XPath"
            ) from None
        yield Matches(pattern, flags or "")
    if (languages := description.list_of("languageIn")) is not None:
        for term in languages:
            if not isinstance(term, Literal) or term.datatype != STRING:
                raise description.said("languageIn").bad(f"holds {shown(term)}", 'Write tags as "en"')
        yield LanguageIn(tuple(term.value for term in languages if isinstance(term, Literal)))
    if description.boolean("uniqueLang"):
        yield UniqueLang()


@dataclass(frozen=True)
class MinLength(TermConstraint):
    """The text of each value node has at least so many characters; a blank node has no text."""

    least: int
    component = sh("MinLengthConstraintComponent")

    def test(self) -> TermTest:
        least = self.least
        return lambda value: isinstance(value, Literal | NamedNode) and len(value.value) >= least


@dataclass(frozen=True)
class MaxLength(TermConstraint):
    """The text of each value node has at most so many characters; a blank node has no text."""

    most: int
    component = sh("MaxLengthConstraintComponent")

    def test(self) -> TermTest:
        most = self.most
        return lambda value: isinstance(value, Literal | NamedNode) and len(value.value) <= most


@dataclass(frozen=True)
class Matches(TermConstraint):
    """The regular expression matches somewhere in the text of each value node."""

    pattern: str
    flags: str
    component = sh("PatternConstraintComponent")

    def test(self) -> TermTest:
        matches = Pattern(self.pattern, self.flags).matches
        return lambda value: isinstance(value, Literal | NamedNode) and matches(value.value)


@dataclass(frozen=True)
class LanguageIn(TermConstraint):
    """Each value node has a language tag that one of the ranges covers, as langMatches has it."""

    ranges: tuple[str, ...]
    component = sh("LanguageInConstraintComponent")

    def test(self) -> TermTest:
        ranges = tuple(range_.lower() for range_ in self.ranges)

        def holds(value: Term) -> bool:
            tag = value.language if isinstance(value, Literal) else None
            return bool(tag) and any(_covers(range_, str(tag).lower()) for range_ in ranges)

        return holds


def _covers(range_: str, tag: str) -> bool:
    return range_ == "*" or tag == range_ or tag.startswith(f"{range_}-")


@dataclass(frozen=True)
class UniqueLang(SetConstraint):
    """No two value nodes have the same language tag; one result for each tag that comes again."""

    component = sh("UniqueLangConstraintComponent")
    silent = True

    def test(self, judges: Judges) -> SetTest:
        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterable[Found]:
            if len(values) < 2:
                return ()
            tags = Counter(
                value.language.lower() for value in values if isinstance(value, Literal) and value.language
            )
            return [Found() for count in tags.values() if count > 1]

        return found
