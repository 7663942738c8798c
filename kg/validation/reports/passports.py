"""The report on a passport as values: made from a validation, or read back from its JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from battpass.kg.graphs import Finding, Severity
from battpass.kg.validation.reports.sheets import (
    MENDERS,
    Entry,
    Sheet,
    chosen,
    counted,
    say,
    sections,
)

_TEXTS = tuple(field.name for field in fields(Finding) if field.name != "severity")
_TABLE = (
    *("code", "submodel", "field", "field_de", "pointer", "words", "path", "node", "found", "allowed"),
    *("allowed_de", "closest", "mend", "mend_de", "clause", "mender", "shape"),
)


@dataclass(frozen=True, slots=True)
class PassportReport:
    """What was found in a passport, on which day, by which shapes (version IRI and digest)."""

    on: str
    category: str | None
    conforms: bool
    blocking: bool
    shapes: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]

    @classmethod
    def read(cls, text: bytes) -> "PassportReport":
        """Return the report of a JSON text as `Report.text()` writes it, now or in an earlier version.

        Raises
        ------
        ValueError
            If it is none.
        """
        try:
            content = json.loads(text)
            category = content["category"]
            return cls(
                on=_text(content["on"]),
                category=None if category is None else _text(category),
                conforms=content["conforms"] is True,
                blocking=content["blocking"] is True,
                shapes=tuple((_text(one["iri"]), _text(one["digest"])) for one in content["shapes"]),
                findings=tuple(_finding(one) for one in content["findings"]),
            )
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"no report: {error}") from None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many findings there are of each severity."""
        found = Counter(finding.severity.value for finding in self.findings)
        return {severity.value: found[severity.value] for severity in Severity}

    def content(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "on": self.on,
            "category": self.category,
            "conforms": self.conforms,
            "blocking": self.blocking,
            "counts": self.counts,
            "shapes": [{"iri": iri, "digest": digest} for iri, digest in self.shapes],
            "findings": [asdict(finding) for finding in self.findings],
        }

    def sheet(self, name: str, language: str) -> Sheet:
        """Return the report as people read it, by sub-model."""
        category = self.category or say("no category", language)
        return Sheet(
            name,
            f"{category}, {say('held', language)} {self.on}",
            counted(self.counts, language),
            sections(((one.submodel, _entry(one, language)) for one in self.findings), language),
            tuple(f"{iri or 'duties'} (sha256 {digest[:12]})" for iri, digest in self.shapes),
        )

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Return the headings of the table."""
        return ("severity", *_TABLE)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield the findings as rows of a table."""
        for one in self.findings:
            yield one.severity.value, *(getattr(one, name) for name in _TABLE)


def _entry(finding: Finding, language: str) -> Entry:
    def told(name: str) -> str:
        english: str = getattr(finding, name)
        german: str = getattr(finding, f"{name}_de") if language == "de" else ""
        return german or english

    mender = MENDERS.get(finding.mender)
    facts = (
        ("found", told("found")),
        ("allowed", told("allowed")),
        ("closest", told("closest")),
        ("mend", told("mend")),
        ("clause", finding.clause),
        ("who", chosen(mender, language) if mender else ""),
    )
    return Entry(
        finding.severity.value,
        told("field"),
        finding.pointer or finding.path,
        tuple((key, text) for key, text in facts if text),
    )


def _finding(content: dict[str, Any]) -> Finding:
    told = {name: _text(content[name]) for name in _TEXTS if name in content}
    return Finding(severity=Severity(content["severity"]), **told)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is missing")
    return value
