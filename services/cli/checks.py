"""Is a passport right, and what is still missing: `validate`, `readiness`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battpass.kg.errors import BattPassError
from battpass.services.cli.console import FOUND, MISUSED, Console, JsonFlag, console
from battpass.services.cli.documents import (
    Files,
    FormatName,
    naming,
    read_document,
    say_finding,
    summary,
    weighs,
)

if TYPE_CHECKING:
    from battpass.kg.graphs import Finding
    from battpass.kg.passport import Passport
    from battpass.kg.validation.readiness import Missing, Readiness
    from battpass.kg.validation.validator import Report

OnDay = Annotated[
    datetime | None,
    typer.Option(
        "--on", formats=["%Y-%m-%d"], help="Day that duties and dates are held against; today if left out."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(short_help="Check documents against format, shapes and duties.")(validate)
    app.command(short_help="Say what a passport lacks, by when and by which clause.")(readiness)


def validate(
    context: typer.Context,
    files: Files,
    on: OnDay = None,
    format_name: FormatName = "",
    as_json: JsonFlag = False,
) -> int:
    """Check documents against their format, the shapes and the duties of their category.

    Nothing is kept. Exit status 1: something breaks law, exchange or an intended use; advice alone gives 0.
    """
    from battpass.kg.validation.validator import Validator

    out = console(context)
    validator = Validator.load(on=_day(on))
    status = 0
    documents: list[dict[str, Any]] = []
    for file in out.watch("Validating")(files, len(files)):
        try:
            passport, places, findings = _opened(file, format_name)
        except BattPassError as error:
            out.note(f"battpass: {file}: {error}")
            documents.append({"file": str(file), "error": str(error)})
            status = MISUSED
            continue
        report = validator.validate(passport, places).with_findings(findings)
        _say_report(out, file, report)
        documents.append(_report_document(file, report))
        status = status or (FOUND if any(map(weighs, report.findings)) else 0)
    out.document({"results": documents})
    return status


def readiness(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="FILE|ID", help="A document, or a passport that is kept.")],
    on: OnDay = None,
    format_name: FormatName = "",
    as_json: JsonFlag = False,
) -> int:
    """Say what a passport lacks: by when it is owed and by which clause, for each sub-model.

    Exit status 1: something is owed on the day and missing; what is owed later, or voluntary, gives 0.
    """
    from battpass.kg.attributes import load_attributes
    from battpass.kg.obligations import Obligations
    from battpass.kg.validation.readiness import readiness as look_ahead

    out = console(context)
    day = _day(on) or date.today()
    passport, places = _named(out, name, format_name)
    attributes = load_attributes()
    found = look_ahead(passport, day, attributes, Obligations.load(attributes=attributes), places)
    _say_readiness(out, name, found)
    out.document(_readiness_document(passport.record, found))
    return 0 if found.ready else FOUND


def _named(out: Console, name: str, format_name: str) -> tuple[Passport, Mapping[tuple[str, str], str]]:
    """Return the passport of a file, or the one that is kept under a name, with its places."""
    from battpass.services.cli import homes
    from battpass.services.cli.sources import format_of, is_file

    if is_file(name):
        with naming(Path(name)):
            passport, places, _ = _opened(Path(name), format_name)
        return passport, places
    with homes.reading(out) as home:
        kept = home.entry(name)
        passport = home.passport(name, version=kept.version)
        data = home.journal.text(kept.original) if kept.original else None
        if data is None:
            return passport, {}
        known = format_of(data, kept.format)
        return passport, _places(known, passport, known.load(data).places)


def _opened(
    file: Path, format_name: str
) -> tuple[Passport, Mapping[tuple[str, str], str], tuple[Finding, ...]]:
    data, known = read_document(file, format_name)
    loaded = known.load(data)
    return loaded.passport, _places(known, loaded.passport, loaded.places), loaded.findings


def _places(
    known: Any, passport: Passport, places: Mapping[tuple[str, str], str]
) -> Mapping[tuple[str, str], str]:
    """Return where values stand in the document, and for formats with a table, where missing ones would."""
    from battpass.kg.quantities import load_quantities
    from battpass.kg.validation.places import DocumentPlaces

    if not places:
        return {}
    return DocumentPlaces(places, known.mapping.place, passport, load_quantities())


def _day(on: datetime | None) -> date | None:
    return on.date() if on else None


def _say_report(out: Console, file: Path, report: Report) -> None:
    category = report.category or "no category with duties"
    out.say(f"{file}: {category}, held against {report.on}: {summary(report.findings)}")
    for finding in report.findings:
        say_finding(out, finding)


def _report_document(file: Path, report: Report) -> dict[str, Any]:
    return {
        "file": str(file),
        "on": report.on.isoformat(),
        "category": report.category,
        "conforms": not any(map(weighs, report.findings)),
        "findings": [asdict(finding) for finding in report.findings],
    }


def _say_readiness(out: Console, name: str, found: Readiness) -> None:
    if found.category is None:
        for line in found.lines():
            out.say(line)
        return
    given, asked = (sum(getattr(one, part) for one in found.sections) for part in ("given", "asked"))
    out.say(f"{name}: {found.category}, held against {found.on}: {given} of {asked} attributes given")
    for section in found.sections:
        out.say()
        out.say(f"{section.title}: {section.given} of {section.asked}")
        for one in section.missing:
            coarsely = ", given only coarsely" if one.coarse else ""
            out.say(f"  {_owed(one):<18}  {one.attribute.labels.en}{coarsely}")
            awaited = f"{one.awaits}{f', {one.by} at the earliest' if one.by else ''}" if one.awaits else ""
            for detail in (awaited, one.pointer, one.clause):
                if detail:
                    out.say(f"  {'':<18}  {detail}")


def _owed(one: Missing) -> str:
    return f"{one.standing} {one.by}" if one.by and not one.awaits else str(one.standing)


def _readiness_document(record: str, found: Readiness) -> dict[str, Any]:
    return {
        "record": record,
        "on": found.on.isoformat(),
        "category": found.category,
        "ready": found.ready,
        "sections": [
            {
                "submodel": section.submodel,
                "title": section.title,
                "asked": section.asked,
                "given": section.given,
                "missing": [
                    {
                        "attribute": one.attribute.name,
                        "label": one.attribute.labels.en,
                        "standing": one.standing,
                        "coarse": one.coarse,
                        "by": one.by.isoformat() if one.by else None,
                        "awaits": one.awaits,
                        "clause": one.clause,
                        "pointer": one.pointer,
                    }
                    for one in section.missing
                ],
            }
            for section in found.sections
        ],
    }
