"""The report on any data by anybody's shapes as values: of a validation, or read back from its JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from battpass.kg.namespaces import shorten
from battpass.kg.tables import Labels
from battpass.kg.validation.compiled import Report
from battpass.kg.validation.compiled.paths import sparql
from battpass.kg.validation.compiled.results import Result
from battpass.kg.validation.compiled.vocabulary import SH
from battpass.kg.validation.reports.sheets import Entry, Section, Sheet, counted, say
from battpass.kg.validation.reports.wishes import closest_of, constraint_wish

# A table of more rows helps nobody; the counts and the graph are of all results.
MOST = 10_000
_LONGEST, _MESSAGES = 2_000, 20
_SEVERITIES = {SH + "Violation": "violation", SH + "Warning": "warning", SH + "Info": "info"}
_TEXTS = (
    *("severity", "focus", "path", "value", "component", "shape", "constraint"),
    *("wants", "wants_de", "closest", "closest_de"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One result. Terms are written as in N-Triples, paths as in SPARQL; what is not there is empty.

    `messages` are pairs of text and language. `wants` says what the constraint asks for, `closest` which
    branch of a choice comes closest; long texts are cut.
    """

    severity: str
    focus: str
    path: str
    value: str
    component: str
    shape: str
    constraint: str
    messages: tuple[tuple[str, str], ...]
    wants: str = ""
    wants_de: str = ""
    closest: str = ""
    closest_de: str = ""


@dataclass(frozen=True, slots=True)
class DataReport:
    """What shapes found in data: `shapes` is their digest, `counts` tells all results, `lines` the first."""

    conforms: bool
    shapes: str
    counts: Mapping[str, int]
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, report: Report) -> "DataReport":
        """Return what a validation found, the gravest first."""
        names = [severity_of(result.severity.value) for result in report.results]
        order = ("violation", "warning", "info", "other")
        ranked = sorted(zip(names, report.results, strict=True), key=lambda pair: order.index(pair[0]))
        found = Counter(names)
        return cls(
            report.conforms,
            report.shapes,
            {name: found[name] for name in order},
            tuple(_line(result) for _, result in islice(ranked, MOST)),
        )

    @classmethod
    def read(cls, text: bytes) -> "DataReport":
        """Return the report of a JSON text.

        Raises
        ------
        ValueError
            If it is none.
        """
        try:
            content = json.loads(text)
            counts = {str(name): int(number) for name, number in content["counts"].items()}
            lines = tuple(map(_read, content["results"]))
            return cls(content["conforms"] is True, str(content["shapes"]), counts, lines)
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"no report: {error}") from None

    @property
    def untold(self) -> int:
        """How many results have no line."""
        return sum(self.counts.values()) - len(self.lines)

    def content(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "conforms": self.conforms,
            "counts": dict(self.counts),
            "shapes": self.shapes,
            "results": [
                asdict(line) | {"messages": [{"text": text, "language": tag} for text, tag in line.messages]}
                for line in self.lines
            ],
        }

    def sheet(self, name: str, language: str) -> Sheet:
        """Return the report as people read it, by focus node in the order of their results."""
        summary = counted(self.counts, language)
        if self.untold:
            summary += f" ({self.untold:,} {say('untold', language)})"
        entries = tuple(_entry(line, language) for line in self.lines)
        return Sheet(
            name,
            say("conforms" if self.conforms else "fails", language),
            summary,
            (Section("", entries),) if entries else (),
            (f"sha256 {self.shapes[:12]}",),
        )

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Return the headings of the table."""
        return (
            *("severity", "focus", "path", "value", "component", "shape", "constraint"),
            *("messages", "wants", "closest"),
        )

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield the results as rows of a table."""
        for line in self.lines:
            yield (
                severity_of(line.severity),
                *(line.focus, line.path, line.value, line.component, line.shape, line.constraint),
                *(" | ".join(text for text, _ in line.messages), line.wants, line.closest),
            )


def severity_of(iri: str) -> str:
    """Return the name of a severity, `other` for those that are somebody's own."""
    return _SEVERITIES.get(iri, "other")


def _line(result: Result) -> Line:
    wants = constraint_wish(result)
    closest = closest_of(result.branches, result.details) if result.branches else Labels("", "")
    return Line(
        severity=_cut(result.severity.value),
        focus=_cut(str(result.focus)),
        path="" if result.path is None else _cut(sparql(result.path)),
        value="" if result.value is None else _cut(str(result.value)),
        component=_cut(result.component.value),
        shape=_cut(str(result.shape)),
        constraint="" if result.constraint is None else _cut(str(result.constraint)),
        messages=tuple((_cut(one.value), one.language or "") for one in result.messages[:_MESSAGES]),
        wants=_cut(wants.en),
        wants_de=_cut(wants.de),
        closest=_cut(closest.en),
        closest_de=_cut(closest.de),
    )


def _read(content: dict[str, Any]) -> Line:
    texts = {name: content[name] for name in _TEXTS}
    messages = tuple((one["text"], one["language"]) for one in content["messages"])
    if not all(
        isinstance(text, str) for text in (*texts.values(), *(part for one in messages for part in one))
    ):
        raise TypeError("a text is missing")
    return Line(**texts, messages=messages)


def _entry(line: Line, language: str) -> Entry:
    is_german = language == "de"
    wants = line.wants_de if is_german else line.wants
    closest = line.closest_de if is_german else line.closest
    says = [text for text, tag in line.messages if tag.partition("-")[0] in ("", language)]
    facts = (
        ("value", line.value),
        *(("says", text) for text in says or [text for text, _ in line.messages[:1]]),
        ("wants", wants),
        ("closest", closest),
        ("by", shorten(line.component)),
        ("shape", _short(line.shape)),
    )
    return Entry(
        severity_of(line.severity),
        _short(line.path) or _short(line.shape),
        line.focus,
        tuple((key, text) for key, text in facts if text),
    )


def _short(term: str) -> str:
    """Return a term of a line with a prefix, where it is an IRI that has one."""
    return shorten(term[1:-1]) if term.startswith("<") and term.count("<") == 1 else term


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
