"""Two sets of shapes side by side, over what is kept: `shapes diff`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battpass.services.cli.console import FOUND, Console, JsonFlag, console, count

if TYPE_CHECKING:
    from battpass.kg.validation.difference import Difference
    from battpass.services.cli.sweep import Judged, Verdict

_FEW = 12


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Look after the shapes.", rich_markup_mode=None, no_args_is_help=True)
    group.command("diff", short_help="Say which kept passports change state under other shapes.")(shapes_diff)
    # A group with one command would be that command; the callback keeps the word `diff`.
    group.callback()(_shapes)
    app.add_typer(group, name="shapes")


def _shapes() -> None:
    """Look after the shapes."""


def shapes_diff(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="Folder with manifest.ttl, or `installed`.")],
    new: Annotated[
        str, typer.Argument(metavar="NEW", help="The same; left out, the installed shapes.")
    ] = "installed",
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="Day that both are held against; today if left out."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; as many as processors if left out.")
    ] = os.cpu_count() or 1,
    as_json: JsonFlag = False,
) -> int:
    """Say which shapes came, went or changed, and which kept passports change state under them.

    A state is the gravest that is found: violation, warning, info, or conforms. Nothing is written, and a
    server may go on meanwhile. Exit status 1: a passport changes state, or cannot be read.
    """
    from battpass.kg.validation.difference import difference
    from battpass.kg.validation.shapes import ShapeSet
    from battpass.services.cli import homes
    from battpass.services.cli.sweep import Sweep, judged

    out = console(context)
    folders = tuple(None if name == "installed" else Path(name) for name in (old, new))
    found = difference(*map(ShapeSet.load, folders))
    _say_difference(out, found)
    with homes.reading(out) as home:
        records = list(home.records())
    sweep = Sweep(out.home, on.date() if on else date.today(), folders)
    results = out.watch("Checking")(judged(sweep, records, workers), len(records))
    told = _Told(out)
    changes = list(told.over(results))
    out.say(
        f"{count(told.checked, 'passport')} held against both: "
        f"{len(changes) or 'none'} {'changes' if len(changes) <= 1 else 'change'} state."
    )
    out.document(
        {"shapes": asdict(found), "passports": told.checked, "changes": changes, "errors": told.errors}
    )
    return FOUND if changes or told.errors else 0


class _Told:
    """Counts passports, and says what becomes of each that changes."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self.checked = 0
        self.errors: list[dict[str, str]] = []

    def over(self, results: Iterator[Judged]) -> Iterator[dict[str, Any]]:
        """Yield what is to be told of those that change state."""
        for one in results:
            if one.error:
                self._out.note(f"battpass: {one.record}: {one.error}")
                self.errors.append({"record": one.record, "error": one.error})
                continue
            self.checked += 1
            old, new = one.verdicts
            if old.state != new.state:
                yield self._change(one, old, new)

    def _change(self, one: Judged, old: Verdict, new: Verdict) -> dict[str, Any]:
        gone, come = _fields(old, new), _fields(new, old)
        self._out.say(f"{one.record}  {one.stage} {one.version}: {old.state} -> {new.state}")
        for word, fields in (("no more", gone), ("now", come)):
            if fields:
                self._out.say(f"  {word:<7}  {_few(fields)}")
        return {
            "record": one.record,
            "stage": one.stage,
            "version": one.version,
            "category": new.category,
            "old": old.state,
            "new": new.state,
            "gone": gone,
            "come": come,
        }


def _fields(of: Verdict, beside: Verdict) -> list[str]:
    """Return what one verdict says and the other does not, as severity and field."""
    left = Counter((one.severity.value, one.field, one.code) for one in of.findings)
    left -= Counter((one.severity.value, one.field, one.code) for one in beside.findings)
    return [f"{severity}: {field} ({code})" for severity, field, code in sorted(left)]


def _say_difference(out: Console, found: Difference) -> None:
    for word, names in (("added", found.added), ("removed", found.removed), ("changed", found.changed)):
        if names:
            out.say(f"{word:<8} {_few(names)}")
    if not found:
        out.say("The two sets state the same.")


def _few(names: tuple[str, ...] | list[str]) -> str:
    rest = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {rest} more" if rest > 0 else "")
