"""Documents out of a home and back: `export`, `roundtrip`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battpass.kg.errors import BattPassError
from battpass.kg.policy import Policy
from battpass.services.cli.console import FOUND, MISUSED, Console, JsonFlag, console, count

if TYPE_CHECKING:
    from battpass.kg.graphs import Finding
    from battpass.kg.home import Entry, Home
    from battpass.services.exchange.registry import Format
    from battpass.services.exchange.roundtrip import RoundTrip

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Documents; - reads one from standard input.")
]
FormatName = Annotated[
    str,
    typer.Option(
        "--format", "-f", help="Format, such as battery_pass-6.1.0; a wrong name lists all of them."
    ),
]

PolicyChosen = Annotated[
    Policy | None,
    typer.Option(
        envvar="BATTPASS_POLICY",
        help="What becomes of violations: nothing is kept (reject), it is a draft (quarantine, unless said "
        "otherwise), or it is published and its history says so (record).",
    ),
]
At = Annotated[
    str,
    typer.Option(
        metavar="DATE",
        help="What stood at the end of this day (UTC), or at a time such as 2026-11-21T12:00Z.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(short_help="Print a passport in a format.")(export)
    app.command(short_help="Load documents, write them out again and compare.")(roundtrip)


def export(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help="UUID or IRI of a passport, or its battery.")],
    format_name: FormatName = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; else it is printed.")
    ] = None,
    audience: Annotated[str, typer.Option(help="Leave out what this audience may not read.")] = "owner",
    version: Annotated[
        int | None, typer.Option(min=1, help="Version, as `battpass history` lists them.")
    ] = None,
    at: At = "",
    as_json: JsonFlag = False,
) -> int:
    """Print a passport in a format; without --format in the one that it came in.

    A passport that was not changed comes out with the tokens that came in, numbers by their digits. What is
    published goes before a draft.
    """
    from battpass.services.cli import homes
    from battpass.services.exchange.registry import format_named, formats

    out = console(context)
    with homes.reading(out) as home:
        entry = _chosen(home, name, audience, version, moment(at))
        chosen = format_named(format_name or entry.format or formats()[0].name)
        data = chosen.dump(home.passport(entry.record, audience, version=entry.version))
    about: dict[str, Any] = {
        "record": entry.record,
        "version": entry.version,
        "stage": entry.stage,
        "format": chosen.name,
        "bytes": len(data),
    }
    if output is not None:
        _write(output, data)
        out.say(f"{output}: {count(len(data), 'byte')} of {chosen.title}")
        out.document({**about, "file": str(output)})
    elif out.as_json:
        out.document({**about, "document": data.decode("utf-8", "surrogatepass")})
    else:
        typer.echo(data, nl=False)
    return 0


def roundtrip(
    context: typer.Context, files: Files, format_name: FormatName = "", as_json: JsonFlag = False
) -> int:
    """Load documents, write them out again and compare; say how much of them is understood.

    Equal means: the same tokens in the same order, numbers by their digits. A leaf is understood if changing
    its triple in the graph changes exactly that leaf. Exit status 1: a document came back different.
    """
    from battpass.services.exchange.roundtrip import roundtrip as compare

    out = console(context)
    status = 0
    documents: list[dict[str, Any]] = []
    for file in out.watch("Comparing")(files, len(files)):
        try:
            data, known = read_document(file, format_name)
            found = compare(data, known)
        except BattPassError as error:
            out.note(f"battpass: {file}: {error}")
            documents.append({"file": str(file), "error": str(error)})
            status = MISUSED
            continue
        _say_roundtrip(out, file, found)
        share = found.understanding.share if found.understanding else None
        documents.append({"file": str(file), **asdict(found), "share": share})
        status = status or (0 if found.equal else FOUND)
    out.document({"results": documents})
    return status


def moment(text: str) -> datetime | None:
    """Return the point in time that a person names: a day is over at its end, in UTC; nothing is None.

    >>> moment("2026-11-21")
    datetime.datetime(2026, 11, 21, 23, 59, 59, 999999, tzinfo=datetime.timezone.utc)
    >>> moment("2026-11-21T12:00+01:00")
    datetime.datetime(2026, 11, 21, 11, 0, tzinfo=datetime.timezone.utc)
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no point in time. Write a day as 2026-11-21, or a time as 2026-11-21T12:00Z.",
            param_hint="'--at'",
        ) from None
    if len(text) <= len("2026-11-21"):
        found += timedelta(days=1) - timedelta.resolution
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def read_document(file: Path, format_name: str) -> tuple[bytes, Format]:
    """Return the bytes of a document and its format: the one named, else the one that takes it."""
    from battpass.services.cli.sources import format_of, read_source

    data = read_source(file)
    return data, format_of(data, format_name)


@contextmanager
def naming(file: Path, after: str = "") -> Iterator[None]:
    """Put the name of the file in front of an error that is raised about it."""
    try:
        yield
    except BattPassError as error:
        raise type(error)(f"{file}: {error}{after}") from None


def weighs(finding: Finding) -> bool:
    """Return whether a finding is more than advice."""
    return finding.severity.value != "info"


def summary(findings: tuple[Finding, ...]) -> str:
    """Return how many findings there are of each weight, as words."""
    words = {"violation": "violation", "warning": "warning", "info": "piece of advice"}
    counted = {weight: sum(finding.severity.value == weight for finding in findings) for weight in words}
    parts = [
        count(number, words[weight], "pieces of advice" if weight == "info" else "")
        for weight, number in counted.items()
        if number
    ]
    return ", ".join(parts) or "nothing found"


def say_finding(out: Console, finding: Finding) -> None:
    """Print a finding: where, what was found, what is allowed, how to mend it, by which clause."""
    place = finding.pointer or finding.path
    out.say(f"  {finding.severity.value:<9}  {finding.field}{f'  {place}' if place else ''}")
    parts = (
        ("found", finding.found),
        ("allowed", finding.allowed),
        ("mend", finding.mend),
        ("clause", finding.clause),
    )
    for name, text in parts:
        if text:
            out.say(f"  {'':<9}  {name:<7}  {text}")


def _chosen(home: Home, name: str, audience: str, version: int | None, at: datetime | None) -> Entry:
    """Return the entry to export: the one that is named, or that stands; for the owner at last a draft."""
    from battpass.kg.errors import NotFound
    from battpass.kg.home import Stage

    try:
        return home.entry(name, audience, version=version, at=at)
    except NotFound:
        if at is None or not home.audience(audience).own:
            raise
    try:
        return home.entry(name, audience, stage=Stage.DRAFT, at=at)
    except NotFound:
        record = home.find(name, audience)
        raise NotFound(
            f"{record} did not stand at {at:%Y-%m-%d %H:%M:%S} UTC. See `battpass history {name}`."
        ) from None


def _say_roundtrip(out: Console, file: Path, found: RoundTrip) -> None:
    out.say(f"{file}: {found.format}, {'equal' if found.equal else 'DIFFERENT'}, {summary(found.findings)}")
    if not found.equal:
        out.say(f"  first difference: {found.first_difference}")
    if (grasp := found.understanding) is not None:
        out.say(f"  {grasp.understood} of {grasp.leaves} leaves understood ({grasp.share:.1%})")
        if grasp.rest:
            out.say("  not understood, kept and given back as they came:")
        for pointer, reason in grasp.rest:
            out.say(f"    {pointer}  ({reason})")


def _write(path: Path, data: bytes) -> None:
    aside = path.with_name(f"{path.name}.tmp")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        raise BattPassError(f"{path} cannot be written: {error.strerror}. Name another file.") from None
