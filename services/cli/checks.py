"""Is a passport right, and what is still missing: `validate`, `readiness`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battpass.kg.errors import BattPassError
from battpass.services.cli.console import FOUND, MISUSED, Console, JsonFlag, console
from battpass.services.cli.documents import FormatName, naming

if TYPE_CHECKING:
    from battpass.kg.graphs import Finding
    from battpass.kg.passport import Passport
    from battpass.kg.validation.readiness import Missing, Readiness
    from battpass.kg.validation.reports.forms import Told

OnDay = Annotated[
    datetime | None,
    typer.Option(
        "--on", formats=["%Y-%m-%d"], help="Day that duties and dates are held against; today if left out."
    ),
]


class StageChosen(StrEnum):
    """The stages that may be chosen by themselves."""

    DRAFT = "draft"
    PUBLISHED = "published"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(short_help="Check documents against format, shapes and duties.")(validate)
    app.command(short_help="Say what a passport lacks, by when and by which clause.")(readiness)


def validate(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Documents; - reads one from standard input.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Validate all passports that are kept, drafts too.")
    ] = False,
    on: OnDay = None,
    shapes: Annotated[
        Path | None,
        typer.Option(help="Shapes to check any RDF by: Turtle, N-Triples, N-Quads, TriG, JSON-LD, RDF/XML."),
    ] = None,
    report_form: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="Form of the report: text, json, html, csv, turtle, n-triples, json-ld."
        ),
    ] = "text",
    format_name: Annotated[
        str, typer.Option("--from", help="Format that the documents are in; else it is found out.")
    ] = "",
    deadline: Annotated[
        float,
        typer.Option(min=0.1, max=86_400, help="Seconds that shapes of others may take for one document."),
    ] = 60.0,
    stage: Annotated[
        StageChosen | None, typer.Option(help="With --all: drafts, or what is published, alone.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="With --all: validate also what has not changed since it was.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="With --all: processes; else as many as processors.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Check documents against their format, the shapes and the duties of their category.

    Folders are searched for documents. With --shapes it is any RDF, checked by these shapes instead, in a
    sealed process. Of documents nothing is kept. With --all it is what stands in the home, on several
    processes; what is found is remembered there, so that one that was cut off goes on, and the next time only
    what has changed is validated. Exit status 1: something breaks law, exchange or an intended use, or it was
    stopped before the end; advice alone gives 0.
    """
    from battpass.kg.validation.reports.forms import Told, written
    from battpass.services.cli.validating import (
        ByShapes,
        Passports,
        checking,
        documents_of,
        form_named,
        shapes_of,
    )

    out = console(context)
    form = "json" if as_json else form_named(report_form)
    out.as_json = form == "json"
    if everything:
        _check_alone(files, shapes, format_name)
        return _validate_kept(out, on, form, stage, again, workers)
    if not files:
        raise typer.BadParameter("There is neither FILE nor --all. Give one of them.")
    if stage or again or workers:
        raise typer.BadParameter("These go with --all only.", param_hint="'--stage', '--again', '--workers'")
    if shapes is not None and (on or format_name):
        raise typer.BadParameter(
            "Shapes of others know no days, and take any RDF. Leave --on and --from out.",
            param_hint="'--shapes'",
        )
    chosen = None if shapes is None else shapes_of(shapes)
    status = 0
    told: list[Told] = []
    with checking(deadline) as checker:
        validation = (
            Passports(checker, _day(on), format_name) if chosen is None else ByShapes(checker, *chosen)
        )
        for document in out.watch("Validating")(documents_of(files), len(files)):
            try:
                if document.error is not None:
                    raise document.error
                one = validation.told(document, graph=form in ("turtle", "n-triples", "json-ld"))
            except BattPassError as error:
                out.note(f"battpass: {document.name}: {error}")
                one, status = Told(document.name, None, error=str(error)), MISUSED
            if one.report is not None:
                status = status or (FOUND if weighs_in(one.report.counts) else 0)
            if form == "text" and one.report is not None:
                typer.echo(written("text", [one]), nl=False)
            else:
                told.append(one)
    if form == "json":
        out.document({"results": [_report_document(one) for one in told]})
    elif form != "text":
        typer.echo(written(form, told), nl=False)
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


def _check_alone(files: list[Path] | None, shapes: Path | None, format_name: str) -> None:
    if files:
        raise typer.BadParameter("There are both FILE and --all. Give one of them.")
    if shapes is not None or format_name:
        raise typer.BadParameter(
            "What is kept is held against the installed shapes. Leave --shapes and --from out; "
            "`battpass shapes diff` holds it against others.",
            param_hint="'--all'",
        )


def _validate_kept(
    out: Console,
    on: datetime | None,
    form: str,
    stage: StageChosen | None,
    again: bool,
    workers: int | None,
) -> int:
    from battpass.kg.journal.entry import Stage
    from battpass.services.cli.kept import Wanted, validate_kept

    stages = (Stage(stage.value),) if stage else (Stage.PUBLISHED, Stage.DRAFT)
    day = _day(on) or date.today()
    return validate_kept(out, Wanted(stages, day, form, again, workers or os.cpu_count() or 1))


def _named(out: Console, name: str, format_name: str) -> tuple[Passport, Mapping[tuple[str, str], str]]:
    """Return the passport of a file, or the one that is kept under a name, with its places."""
    from battpass.services.cli import homes
    from battpass.services.cli.sources import format_of, is_file, read_source

    if is_file(name):
        with naming(Path(name)):
            passport, places, _ = opened(read_source(Path(name)), format_name)
        return passport, places
    with homes.reading(out) as home:
        kept = home.entry(name)
        passport = home.passport(name, version=kept.version)
        data = home.journal.text(kept.original) if kept.original else None
        if data is None:
            return passport, {}
        known = format_of(data, kept.format)
        return passport, _places(known, passport, known.load(data).places)


def weighs_in(counts: Mapping[str, int]) -> bool:
    """Return whether there is more than advice among results."""
    return any(number for severity, number in counts.items() if severity != "info")


def opened(
    data: bytes, format_name: str
) -> tuple[Passport, Mapping[tuple[str, str], str], tuple[Finding, ...]]:
    """Return the passport of a document, with where its values stand and what its format found.

    Raises
    ------
    BadDocument
        If it cannot be read.
    """
    from battpass.services.cli.sources import format_of

    known = format_of(data, format_name)
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


def _report_document(told: Told) -> dict[str, Any]:
    content = told.content()
    if told.report is not None and "findings" in content:
        # Of passports this has always meant that nothing but advice was found.
        content["conforms"] = not weighs_in(told.report.counts)
    return content


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
