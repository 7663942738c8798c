"""Documents into a home: `import`."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from battpass.kg.errors import BattPassError
from battpass.kg.policy import Policy
from battpass.services.cli.console import FOUND, Console, JsonFlag, console, count
from battpass.services.cli.documents import FormatName, PolicyChosen, say_finding, summary, weighs

if TYPE_CHECKING:
    from battpass.kg.home import Home
    from battpass.services.cli.loading import Result, Way
    from battpass.services.exchange.bulk import Document

STANDARD_INPUT = "-"
OUTCOMES = ("added", "replaced", "unchanged", "refused")


class OnError(StrEnum):
    """What becomes of the other documents when one cannot be read."""

    SKIP = "skip"
    STOP = "stop"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("import", short_help="Keep the passports of documents, as drafts or published.")(import_)


def import_(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|DIR",
            help="Documents, folders of them, .jsonl with one a line, .zip; - reads one from standard input.",
        ),
    ],
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish what has no violation; the rest stays a draft.")
    ] = False,
    trusted: Annotated[
        bool,
        typer.Option(
            "--trusted",
            help="Publish without running the shapes, which the journal says; for fleets of your own.",
        ),
    ] = False,
    policy: PolicyChosen = None,
    reason: Annotated[str, typer.Option(help="Why, for the history of each passport.")] = "",
    on_error: Annotated[
        OnError,
        typer.Option(
            help="When a document cannot be read: skip it, or stop and keep nothing of this import."
        ),
    ] = OnError.SKIP,
    results: Annotated[
        Path | None, typer.Option(help="File for the results too, one JSON object a line, as they come.")
    ] = None,
    into: Annotated[
        str, typer.Option(metavar="ID", help="Add what the documents say to this passport, which is kept.")
    ] = "",
    format_name: FormatName = "",
    as_json: JsonFlag = False,
) -> int:
    """Keep the passports of documents as drafts, with what was found in them, or publish them.

    Whatever can be read is kept, wrong values included: they are findings, and the document comes back as it
    came. With violations it is a draft, unless the policy is to reject it, or to publish it all the same,
    which its history then says. A document that stands already is passed over, so an import that was cut off
    goes on when it is started again; another document of the same passport replaces it. Exit status 1:
    something was found, or it was stopped before the end; 2: a document was refused.
    """
    from battpass.kg.home import Stage
    from battpass.services.cli.loading import Way

    out = console(context)
    stage = Stage.PUBLISHED if publish or trusted else Stage.DRAFT
    if trusted and policy is Policy.REJECT:
        raise typer.BadParameter(
            "The policy is to reject what has violations, so all is checked. Leave --trusted out, or choose "
            "another --policy.",
            param_hint="'--trusted'",
        )
    if into:
        from battpass.services.cli.supplements import add_to

        if trusted or on_error is OnError.STOP or results is not None or format_name:
            raise typer.BadParameter(
                "It goes with --publish, --policy and --reason only.", param_hint="'--into'"
            )
        return add_to(out, files, into, stage, reason, policy)
    chosen = policy or Policy.QUARANTINE
    whole = on_error is OnError.STOP
    way = Way(stage, trusted, format_name, reason, whole=whole, policy=chosen)
    with ExitStack() as stack:
        lines = stack.enter_context(_opened(results)) if results is not None else None
        return _Import(out, way, lines).run(files)


class _Import:
    """One import, and what it says as it goes on."""

    def __init__(self, out: Console, way: Way, lines: TextIO | None) -> None:
        self._out = out
        self._way = way
        self._lines = lines
        self._found: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()
        self._drafts: list[str] = []
        self._status = 0

    def run(self, files: list[Path]) -> int:
        from battpass.services.cli import homes
        from battpass.services.cli.loading import Loader, Refused
        from battpass.services.cli.readers import reading_documents
        from battpass.services.cli.stopping import on_wish
        from battpass.services.exchange.bulk import count as count_documents

        out = self._out
        began = time.monotonic()
        with ExitStack() as stack:
            # A home is made once something can be kept: a wrong document alone leaves no trace.
            open_home: Callable[[], Home] = lambda: stack.enter_context(homes.writing(out, create=True))  # noqa: E731
            home = open_home() if homes.is_there(out) else None
            intake = stack.enter_context(reading_documents(out))
            wish = stack.enter_context(on_wish())
            loader = Loader(intake, home, open_home, self._way, stopping=wish)
            progress = out.watch("Importing")
            total = sum(map(count_documents, files)) if progress.is_seen else 0
            try:
                for result in progress(loader.load(_documents(files)), total):
                    self._tell(result)
            except Refused as refused:
                raise type(refused.error)(
                    f"{refused.name}: {refused.error} Nothing of this import was kept."
                ) from None
            seconds = time.monotonic() - began
            if loader.home is not None and len(self._found) > self._counts["refused"]:
                self._say_end(loader.home, seconds)
            if wish():
                out.note(
                    f"Stopped after {count(len(self._found), 'document')}. Run the same command again to go "
                    "on: what is kept already is passed over."
                )
        out.document(
            {
                "home": str(out.home),
                "results": self._found,
                "counts": {outcome: self._counts[outcome] for outcome in OUTCOMES},
                "seconds": round(seconds, 3),
                "stopped": wish(),
            }
        )
        return max(self._status, FOUND if wish() else 0)

    def _tell(self, result: Result) -> None:
        self._counts[result.outcome] += 1
        self._status = max(self._status, result.status)
        content = asdict(result)
        self._found.append(content if self._out.as_json else {})
        if self._lines is not None:
            self._lines.write(json.dumps(content) + "\n")
            self._lines.flush()
        if result.error:
            self._out.note(f"battpass: {result.file}: {result.error}")
            for finding in filter(weighs, result.findings):
                say_finding(self._out, finding)
            return
        if result.stage == "draft":
            self._drafts.append(result.record)
        name = result.record.rpartition("/")[2]
        found = summary(result.findings)
        self._out.say(f"{result.outcome:<9}  {result.stage:<9}  {result.file}  {name}  {found}")

    def _say_end(self, home: Home, seconds: float) -> None:
        number = len(self._found)
        if number > 1:
            parts = ", ".join(f"{self._counts[one]:,} {one}" for one in OUTCOMES if self._counts[one])
            rate = number / max(seconds, 1e-3)
            self._out.say(f"{count(number, 'document')} in {seconds:,.1f} s ({rate:,.1f} a second): {parts}.")
        self._out.say(f"{self._out.home} keeps {count(len(home), 'passport')}.")
        if self._drafts:
            one = len(self._drafts) == 1
            which = self._drafts[0].rpartition("/")[2] if one else "--all"
            drafts = "1 is a draft" if one else f"{len(self._drafts):,} of these are drafts"
            self._out.say(f"{drafts}, which only you see. To publish: battpass publish {which}")


def _documents(files: Iterable[Path]) -> Iterator[Document]:
    from battpass.services.cli.sources import read_source
    from battpass.services.exchange.bulk import Document, documents

    for file in files:
        if str(file) != STANDARD_INPUT:
            yield from documents(file)
            continue
        try:
            yield Document(str(file), read_source(file))
        except BattPassError as error:
            yield Document(str(file), error=error)


def _opened(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise BattPassError(f"{path} cannot be written: {error.strerror}. Name another file.") from None
