"""Is the installation sound, and do its terms hold together: `doctor`, `ontology check`."""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from battpass.services.cli.console import FOUND, Console, JsonFlag, console

if TYPE_CHECKING:
    from battpass.kg.graphs import Finding


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    ontology = typer.Typer(help="Look after the terms.", rich_markup_mode=None, no_args_is_help=True)
    ontology.command("check", short_help="Check the terms and their lock.")(ontology_check)
    # A group with one command would be that command; the callback keeps the word `check`.
    ontology.callback()(_ontology)
    app.add_typer(ontology, name="ontology")
    app.command(short_help="Look whether everything here works.")(doctor)


def _ontology() -> None:
    """Look after the ontology."""


def ontology_check(
    context: typer.Context,
    shared: Annotated[
        Path | None,
        typer.Option(
            envvar="BATTPASS_SHARED", help="Folder with the pinned ontologies; found beside a checkout."
        ),
    ] = None,
    reasoning: Annotated[bool, typer.Option(help="Run HermiT too, which takes some minutes.")] = True,
    as_json: JsonFlag = False,
) -> int:
    """Check the terms: all foreign ones locked, own ones complete, nothing drifted, no contradiction.

    Exit status 1: something is wrong. What could not be checked for want of files is said, and gives 0.
    """
    from battpass.kg.ontology.check import check

    out = console(context)
    findings = check(shared or _beside_checkout(), reasoning)
    _say_findings(out, findings, reasoning)
    out.document({"findings": [asdict(finding) for finding in findings]})
    return FOUND if any(finding.severity.value != "info" for finding in findings) else 0


def doctor(
    context: typer.Context,
    deep: Annotated[
        bool, typer.Option("--deep", help="Verify the journal too, and compare the datasets with it.")
    ] = False,
    as_json: JsonFlag = False,
) -> int:
    """Look at Python, libraries, tables, the folder of passports, its journal and datasets, Java and workers.

    Exit status 1: there is a problem; its line says what to do.
    """
    from battpass.services.cli.diagnosis import examine, examine_deeply

    out = console(context)
    found = []
    more = examine_deeply(out.home, out.watch("Following the chain")) if deep else ()
    for check in chain(examine(out.home, out.watch("Reading passports")), more):
        found.append(check)
        out.say(f"{'ok     ' if check.ok else 'PROBLEM'}  {check.name:<18}  {check.detail}")
        if check.advice:
            out.say(f"{'':<29}{check.advice}")
    out.document({"checks": [asdict(check) for check in found]})
    return 0 if all(check.ok for check in found) else FOUND


def _say_findings(out: Console, findings: list[Finding], reasoning: bool) -> None:
    if not findings:
        contradictions = "without contradiction" if reasoning else "contradictions were not looked for"
        out.say(f"All terms are locked and complete, {contradictions}.")
    for finding in findings:
        out.say(finding.text())


def _beside_checkout() -> Path | None:
    from battpass.kg.resources import ontology_path

    folder = ontology_path().parent.parent / "shared"
    return folder if (folder / "ontologies").is_dir() else None
