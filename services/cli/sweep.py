"""Holds all passports of a home against shapes, in several processes beside whatever else uses the home."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from battpass.kg.errors import Archived, BattPassError, NotFound
from battpass.kg.graphs import Finding, Severity
from battpass.services.cli.shares import in_shares

if TYPE_CHECKING:
    from battpass.kg.passport import Passport
    from battpass.kg.validation.validator import Validator

# So many passports to a share: loading the shapes for each costs a twentieth of what checking it takes.
SHARE = 100


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is held against what: the folder of a home, the day, and sets of shapes.

    A set is the folder of its manifest; None stands for the installed one.
    """

    home: Path
    on: date
    shapes: tuple[Path | None, ...] = (None,)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one set of shapes finds in a passport."""

    category: str
    findings: tuple[Finding, ...]

    @property
    def state(self) -> str:
        """The gravest that was found: `violation`, `warning`, `info`, or `conforms`."""
        found = {finding.severity for finding in self.findings}
        return next((one.value for one in Severity if one in found), "conforms")


@dataclass(frozen=True, slots=True)
class Judged:
    """A passport as it stands for its owner, with a verdict of each set; `error` where it cannot be read."""

    record: str
    stage: str = ""
    version: int = 0
    verdicts: tuple[Verdict, ...] = ()
    error: str = ""


def judged(sweep: Sweep, records: Iterable[str], workers: int) -> Iterator[Judged]:
    """Yield what was found of each passport, in their order; those that are gone meanwhile are left out."""
    for share in in_shares(partial(judge, sweep), records, workers, SHARE):
        yield from share


def judge(sweep: Sweep, records: Iterable[str]) -> list[Judged]:
    """Return what is found of some passports, in this process."""
    from battpass.kg.attributes import load_attributes
    from battpass.kg.concepts import ConceptTable
    from battpass.kg.home import Home
    from battpass.kg.obligations import Obligations
    from battpass.kg.validation.shapes import ShapeSet
    from battpass.kg.validation.validator import Validator

    attributes = load_attributes()
    obligations, concepts = Obligations.load(attributes=attributes), ConceptTable.load()
    validators = [
        Validator(ShapeSet.load(folder), attributes, obligations, concepts, on=sweep.on)
        for folder in sweep.shapes
    ]
    found = []
    with Home.open(sweep.home, read_only=True) as home:
        for record in records:
            try:
                entry = home.entry(record)
                passport = home.passport(record, version=entry.version)
            except (NotFound, Archived):
                continue
            except BattPassError as error:
                found.append(Judged(record, error=str(error)))
                continue
            verdicts = tuple(_verdict(validator, passport) for validator in validators)
            found.append(Judged(record, entry.stage.value, entry.version, verdicts))
    return found


def _verdict(validator: Validator, passport: Passport) -> Verdict:
    report = validator.validate(passport)
    return Verdict(report.category or "", report.findings)
