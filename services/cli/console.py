"""What a command says: text for a person, or one JSON document for a program; progress on a terminal only."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from battpass.services.exchange.intake import Intake

T = TypeVar("T")


DEFAULT_HOME = Path(".battpass")

WIDE = 1000

# Exit statuses besides 0.
FOUND, MISUSED = 1, 2


@dataclass
class Console:
    """Where the output of one command goes, and the folder of passports that it is about.

    Text from documents may hold anything, so control characters are shown, not sent to the terminal. Where an
    `intake` is given, it reads the documents; else a command that needs one starts its own.
    """

    home: Path = DEFAULT_HOME
    as_json: bool = False
    intake: "Intake | None" = None

    def say(self, text: str = "") -> None:
        """Print a line for a person; nothing where JSON was asked for."""
        if not self.as_json:
            typer.echo(plain(text))

    def document(self, value: Any) -> None:
        """Print the one JSON document, where it was asked for."""
        if self.as_json:
            typer.echo(json.dumps(value, ensure_ascii=False, indent=2))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table for a person, as wide as the terminal."""
        if self.as_json:
            return
        from rich.box import SIMPLE_HEAD
        from rich.console import Console as Rich
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(Text(plain(cell)) for cell in row))
        # Without a terminal nothing is broken into lines, unless COLUMNS says how wide a line is.
        width = None if sys.stdout.isatty() else get_terminal_size((WIDE, 0)).columns
        Rich(file=sys.stdout, highlight=False, width=width).print(table)

    def note(self, text: str) -> None:
        """Print a line for a person beside the output, on standard error."""
        typer.echo(plain(text), err=True)

    def watch(self, what: str) -> "Progress":
        """Return something that shows how far a loop has come, where somebody looks."""
        return Progress(what)


@dataclass(frozen=True)
class Progress:
    """A bar on standard error while a loop runs; silent where that is no terminal."""

    what: str

    @property
    def is_seen(self) -> bool:
        """Whether somebody looks."""
        return sys.stderr.isatty()

    def __call__(self, items: Iterable[T], total: int) -> Iterator[T]:
        """Yield the items; `total` says how many there are."""
        if not self.is_seen:
            yield from items
            return
        from rich.console import Console as Rich
        from rich.progress import track

        yield from track(items, self.what, total, console=Rich(stderr=True), transient=True)


def plain(text: str) -> str:
    """Return text with control characters as escapes, so that a document cannot steer the terminal.

    >>> plain("red: \\x1b[31m")
    'red: \\\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in "\n\t" else one.encode("unicode_escape").decode() for one in text
    )


def console(context: typer.Context) -> Console:
    """Return the console of the command that runs."""
    found = context.find_object(Console)
    assert found is not None
    return found


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "passport"), count(1200, "passport")
    ('1 passport', '1,200 passports')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _choose_json(context: typer.Context, value: bool) -> bool:
    if value:
        console(context).as_json = True
    return value


JsonFlag = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document instead of text.", callback=_choose_json),
]
