"""The forms that reports are given out in, by name and media type."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from battpass.kg.validation.reports.data import DataReport
from battpass.kg.validation.reports.graphs import SYNTAXES, graph
from battpass.kg.validation.reports.pages import page
from battpass.kg.validation.reports.passports import PassportReport
from battpass.kg.validation.reports.sheets import Sheet, say
from battpass.kg.validation.reports.tables import table
from battpass.kg.validation.reports.texts import text

# By name, as `--format` and `?format=` take it; the first is what programs get.
MEDIA_TYPES: Mapping[str, str] = {
    "json": "application/json",
    "text": "text/plain",
    "html": "text/html",
    "csv": "text/csv",
    "turtle": "text/turtle",
    "n-triples": "application/n-triples",
    "json-ld": "application/ld+json",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one document: its report with the graph of the W3C as N-Triples, or an error."""

    name: str
    report: PassportReport | DataReport | None
    graph: bytes = b""
    error: str = ""

    def content(self) -> dict[str, object]:
        """Return it as JSON has it."""
        named: dict[str, object] = {"file": self.name} if self.name else {}
        return named | ({"error": self.error} if self.report is None else self.report.content())

    def sheet(self, language: str) -> Sheet:
        """Return it as people read it."""
        if self.report is None:
            return Sheet(self.name, say("unread", language), self.error, wrong=True)
        return self.report.sheet(self.name, language)


def written(form: str, told: Sequence[Told], language: str = "en") -> bytes:
    """Return what is told of documents in a form, as one text; in CSV and graphs errors are left out."""
    reports = [(one.name, one.report) for one in told if one.report is not None]
    if form in SYNTAXES:
        return graph(((one.name, one.graph) for one in told if one.report is not None), form)
    if form == "csv":
        columns = (reports[0][1] if reports else PassportReport).columns()
        return _encoded(table(columns, ((name, row) for name, report in reports for row in report.rows())))
    if form == "json":
        return json.dumps([one.content() for one in told], ensure_ascii=True, indent=2).encode()
    sheets = [one.sheet(language) for one in told]
    return _encoded(page(sheets, language) if form == "html" else text(sheets, language))


def _encoded(told: str) -> bytes:
    # A member name that a finding repeats may hold half a surrogate pair.
    return told.encode("utf-8", "backslashreplace")
