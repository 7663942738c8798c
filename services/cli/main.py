"""The `battpass` command.

Exit status: 0 done, 1 findings, 2 wrong use. Findings are about a document that could be read; a document
that cannot, an unknown name or a folder in use are wrong use, and one message says what to do next.
"""

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from battpass import __version__
from battpass.kg.errors import BattPassError
from battpass.services.cli import (
    arrivals,
    checks,
    custody,
    documents,
    keys,
    lifecycle,
    questions,
    server,
    shapes,
    upkeep,
)
from battpass.services.cli.console import DEFAULT_HOME, MISUSED, Console


class Commands(TyperGroup):
    """Runs one command: what it returns is the exit status, and an error becomes one message."""

    def invoke(self, ctx: Any) -> Any:
        try:
            status = super().invoke(ctx)
        except BattPassError as error:
            console = ctx.find_object(Console) or Console()
            console.document({"error": {"kind": type(error).__name__, "message": str(error)}})
            console.note(f"battpass: {error}")
            status = MISUSED
        except BrokenPipeError:
            # Whoever read our output has enough, as `battpass query ... | head` does.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 0
        raise typer.Exit(status or 0)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"battpass {__version__}")
        raise typer.Exit()


app = typer.Typer(
    cls=Commands,
    name="battpass",
    help="Battery passports as a knowledge graph: import, check, ask, export, serve.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback()
def battpass(
    context: typer.Context,
    home: Annotated[
        Path,
        typer.Option(
            envvar="BATTPASS_HOME", help="Folder that keeps the passports and what is derived from them."
        ),
    ] = DEFAULT_HOME,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Choose where passports are kept."""
    # Whoever runs commands in their own process may lend them an intake, which takes a second to start.
    context.obj = Console(home, intake=context.obj)


for module in (server, arrivals, lifecycle, documents, checks, questions, custody, keys, shapes, upkeep):
    module.register(app)


def main() -> None:
    """Run the command that the arguments name."""
    for stream in (sys.stdout, sys.stderr):
        # A document may hold half of a surrogate pair, and a terminal may know fewer characters than Unicode.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
