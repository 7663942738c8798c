"""`import --into ID`: documents that add to a passport which is kept already."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from battpass.services.cli.console import FOUND, Console

if TYPE_CHECKING:
    from battpass.kg.home import Arrival, Entry, Home, Policy, Stage
    from battpass.services.exchange.intake import Intake


def add_to(
    out: Console, files: list[Path], name: str, stage: Stage, reason: str, policy: Policy | None = None
) -> int:
    """Add what RDF documents say of a passport to it, as a draft or published: all of them, or nothing.

    The partner's own document stays as it came, and goes out again as it came.
    """
    from battpass.services.cli import homes
    from battpass.services.cli.documents import say_finding, summary, weighs
    from battpass.services.cli.loading import ACTOR, Result, findings_of
    from battpass.services.cli.readers import reading_documents

    with homes.writing(out) as home, reading_documents(out) as intake:
        base = newest(home, name)
        arrival = _grown(home, intake, base, files)
        done = home.put(
            arrival, stage=stage, actor=ACTOR, reason=reason, expected=base.version, policy=policy
        )
    findings = findings_of(arrival)
    results: list[Result] = []
    for file in files:
        results.append(
            Result(
                str(file),
                done.outcome,
                done.record,
                str(done.stage),
                done.version,
                done.sequence,
                "",
                findings,
            )
        )
        name = done.record.rpartition("/")[2]
        out.say(f"{done.outcome:<9}  {done.stage:<9}  {file}  {name}  {summary(findings)}")
    for finding in filter(weighs, findings):
        say_finding(out, finding)
    out.document({"home": str(out.home), "results": [asdict(result) for result in results]})
    return FOUND if any(map(weighs, findings)) else 0


def newest(home: Home, name: str) -> Entry:
    """Return the entry of a passport that its owner works on: the draft, else what is published."""
    from battpass.kg.errors import NotFound
    from battpass.kg.home import Stage

    try:
        return home.entry(name, stage=Stage.DRAFT)
    except NotFound:
        return home.entry(name)


def _grown(home: Home, intake: Intake, base: Entry, files: list[Path]) -> Arrival:
    from battpass.kg.home import State
    from battpass.services.cli.documents import naming
    from battpass.services.cli.sources import read_source

    state = home.state(base.record, version=base.version)
    for file in files:
        with naming(file, " Nothing was added."):
            arrival = intake.supplement(state, read_source(file), "", check=file is files[-1])
        state = State(arrival.record, arrival.model, arrival.item, arrival.model_parts)
    original = home.journal.text(base.original) if base.original else None
    return replace(
        arrival,
        original=original or b"",
        format=base.format,
        source=base.source,
        identifiers=base.identifiers or arrival.identifiers,
    )
