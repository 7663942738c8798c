"""Documents in and out: `import`, `export`, `roundtrip`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battpass.kg.errors import BattPassError
from battpass.services.cli.console import FOUND, MISUSED, Console, JsonFlag, console, count

if TYPE_CHECKING:
    from battpass.kg.graphs import Finding
    from battpass.kg.home import Arrival
    from battpass.services.exchange.registry import Format
    from battpass.services.exchange.roundtrip import RoundTrip

Files = Annotated[list[Path], typer.Argument(help="Documents; - reads one from standard input.")]
FormatName = Annotated[
    str,
    typer.Option(
        "--format", "-f", help="Format, such as battery_pass-6.1.0; a wrong name lists all of them."
    ),
]


class OnError(StrEnum):
    """What becomes of the other files when one cannot be read."""

    SKIP = "skip"
    STOP = "stop"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("import")(import_)
    app.command()(export)
    app.command()(roundtrip)


def import_(
    context: typer.Context,
    files: Files,
    on_error: Annotated[
        OnError,
        typer.Option(help="When a file cannot be read: skip it, or stop and keep nothing of this import."),
    ] = OnError.SKIP,
    into: Annotated[
        str, typer.Option(metavar="ID", help="Add what the documents say to this passport, which is kept.")
    ] = "",
    format_name: FormatName = "",
    as_json: JsonFlag = False,
) -> int:
    """Keep the passports of documents, with what was found in them.

    Whatever can be read is kept, wrong values included: they are findings, and the document comes back as it
    came. Importing a document again replaces its passport. Exit status 1: something was found; 2: a file
    could not be read.
    """
    from battpass.services.cli import homes

    out = console(context)
    if into:
        from battpass.services.cli.supplements import add_to

        return add_to(out, files, into)
    reader = Reader(out, on_error, format_name)
    arrivals = reader.arrivals(files)
    first = next(arrivals, None)
    if first is not None:
        # The home is opened once something can be kept: a wrong file alone leaves no trace.
        with homes.writing(out, create=True) as home:
            outcomes = home.put_many(chain([first], arrivals))
            kept = len(home)
        for result, outcome in zip(reader.good, outcomes, strict=True):
            result.outcome = outcome
    for result in reader.results:
        _say_result(out, result)
    if first is not None:
        out.say(f"{out.home} keeps {count(kept, 'passport')}.")
    out.document({"home": str(out.home), "results": [asdict(result) for result in reader.results]})
    return max((result.status for result in reader.results), default=0)


def export(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ID", help="UUID or IRI of a passport, or its battery.")],
    format_name: FormatName = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; else it is printed.")
    ] = None,
    audience: Annotated[str, typer.Option(help="Leave out what this audience may not read.")] = "owner",
    as_json: JsonFlag = False,
) -> int:
    """Print a passport in a format; without --format in the one that it came in.

    A passport that was not changed comes out with the tokens that came in, numbers by their digits.
    """
    from battpass.services.cli import homes
    from battpass.services.exchange.registry import format_named, formats

    out = console(context)
    with homes.reading(out) as home:
        kept = home.kept(name)
        chosen = format_named(format_name or kept.format or formats()[0].name)
        data = chosen.dump(home.passport(kept.record, audience))
    about: dict[str, Any] = {"record": kept.record, "format": chosen.name, "bytes": len(data)}
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


@dataclass
class Result:
    """What became of one file."""

    file: str
    outcome: str = ""
    record: str = ""
    format: str = ""
    findings: tuple[Finding, ...] = ()
    error: str = ""

    @property
    def status(self) -> int:
        """The exit status that this file asks for."""
        return MISUSED if self.error else FOUND if any(map(weighs, self.findings)) else 0


class Reader:
    """Reads files one after the other, and keeps what became of each."""

    def __init__(self, out: Console, on_error: OnError, format_name: str) -> None:
        self.results: list[Result] = []
        self._out = out
        self._on_error = on_error
        self._format_name = format_name

    @property
    def good(self) -> list[Result]:
        """What became of the files that could be read."""
        return [result for result in self.results if not result.error]

    def arrivals(self, files: list[Path]) -> Iterator[Arrival]:
        """Yield the passports of those files that can be read; with `stop`, the first other one raises."""
        from battpass.kg.home import Arrival

        for file in self._out.watch("Importing")(files, len(files)):
            try:
                data, known = read_document(file, self._format_name)
                loaded = known.load(data)
            except BattPassError as error:
                if self._on_error is OnError.STOP:
                    with naming(file, " Nothing of this import was kept."):
                        raise
                self.results.append(Result(str(file), "refused", error=str(error)))
                continue
            record = loaded.passport.record
            self.results.append(Result(str(file), "", record, known.name, loaded.findings))
            yield Arrival(loaded.passport, loaded.findings, data, known.name, str(file))


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


def _say_result(out: Console, result: Result) -> None:
    if result.error:
        out.note(f"battpass: {result.file}: {result.error}")
    else:
        name = result.record.rpartition("/")[2]
        out.say(f"{result.outcome:<9}  {result.file}  {name}  {summary(result.findings)}")


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
