"""Faults planted in example passports: `faults.csv`, and how a run of them is played.

Rows of one run go into one document together; they are chosen so that none hides another. `expected`
is the place of the finding where it is not that of the fault, `says` what the finding must say in so many
words, and `also` what else follows from the fault, as `code place severity` with semicolons between.
"""

import csv
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path

from battpass.kg.graphs import Finding
from battpass.kg.jsontext import Json, read_json, unescape
from battpass.kg.quantities import load_quantities
from battpass.kg.validation.places import DocumentPlaces
from battpass.kg.validation.validator import Report, Validator
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from benchmarks.campaigns import ROOT

PASSPORTS = ROOT / "examples" / "passports"

# What a finding is known by when two reports are compared.
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table."""

    example: str
    run: str
    on: date
    fault: str
    place: str
    change: str
    value: str
    code: str
    severity: str
    expected: str
    says: str
    also: str

    @property
    def key(self) -> Key:
        """The finding that must be there."""
        return self.code, self.expected or self.place, self.severity

    @property
    def follows(self) -> Iterator[Key]:
        """What else may be found because of the fault."""
        for part in filter(None, (part.strip() for part in self.also.split(";"))):
            code, place, severity = part.split()
            yield code, place, severity

    def plant(self, document: Json) -> None:
        """Put the fault into a document."""
        steps = [unescape(step) for step in self.place.split("/")[1:]]
        parent = document
        for step in steps[:-1]:
            parent = parent[int(step)] if isinstance(parent, list) else parent[step]
        name = int(steps[-1]) if isinstance(parent, list) else steps[-1]
        match self.change:
            case "set":
                parent[name] = read_json(self.value.encode())
            case "remove":
                del parent[name]
            case "repeat":
                parent.append(deepcopy(parent[name]))


def faults() -> tuple[Fault, ...]:
    """Return the table."""
    with Path(__file__).with_name("faults.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            Fault(**{**row, "on": date.fromisoformat(row["on"])})  # type: ignore[arg-type]
            for row in csv.DictReader(lines)
        )


def runs() -> list[tuple[Fault, ...]]:
    """Return the runs, each with its faults."""
    return [tuple(run) for _, run in groupby(faults(), key=lambda fault: (fault.example, fault.run))]


@cache
def validator(on: date) -> Validator:
    """Return the validator of a day."""
    return Validator.load(on)


@cache
def example(name: str) -> Json:
    """Return the document of a published example."""
    return read_json((PASSPORTS / f"{name}.json").read_bytes())


def report_on(document: Json, on: date) -> Report:
    """Return the report on a document, with what the format found."""
    loaded = BATTERY_PASS_6_1.load_document(document)
    tree = BATTERY_PASS_6_1.mapping.place
    places = DocumentPlaces(loaded.places, tree, loaded.passport, load_quantities())
    return validator(on).validate(loaded.passport, places).with_findings(loaded.findings)


@cache
def played(run: tuple[Fault, ...]) -> Report:
    """Return the report on a document with the faults of a run."""
    document = deepcopy(example(run[0].example))
    for fault in run:
        fault.plant(document)
    return report_on(document, run[0].on)


def play(run: tuple[Fault, ...]) -> tuple[Finding, ...]:
    """Return what a document with the faults of a run has to answer for."""
    return played(run).findings


@cache
def unfaulted(name: str, on: date) -> frozenset[Key]:
    """Return what is found in an example as published."""
    return frozenset(map(key_of, report_on(example(name), on).findings))


def key_of(finding: Finding) -> Key:
    """Return what a finding is known by."""
    return finding.code, finding.pointer, finding.severity.value
