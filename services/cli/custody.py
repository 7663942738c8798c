"""The journal proved, backed up, brought back: `journal verify`, `backup`, `restore`, `rebuild`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battpass.kg.errors import DamagedHome
from battpass.services.cli.console import FOUND, JsonFlag, console, count

if TYPE_CHECKING:
    from battpass.kg.journal.verify import Verified


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    journal = typer.Typer(help="Look after the journal.", rich_markup_mode=None, no_args_is_help=True)
    journal.command("verify", short_help="Prove that the journal is whole.")(journal_verify)
    # A group with one command would be that command; the callback keeps the word `verify`.
    journal.callback()(_journal)
    app.add_typer(journal, name="journal")
    app.command(short_help="Write journal and keys into one file.")(backup)
    app.command(short_help="Make a home of a back-up, up to any entry.")(restore)
    app.command(short_help="Make anew what is derived from the journal.")(rebuild)


def _journal() -> None:
    """Look after the journal."""


def journal_verify(context: typer.Context, as_json: JsonFlag = False) -> int:
    """Prove that the journal is whole: every entry, every text, every state, and what is derived from them.

    Nothing is written, and a server may go on meanwhile. Exit status 1: there is a problem; each is said.
    The head that is printed names everything before it: kept elsewhere, it shows what was changed later.
    """
    from battpass.kg.journal import schema
    from battpass.kg.journal.journal import WITNESS
    from battpass.kg.journal.verify import verify
    from battpass.services.cli import homes

    out = console(context)
    homes.check(out)
    try:
        found = verify(out.home / schema.FILE, out.home / WITNESS, out.watch("Following the chain"))
    except DamagedHome as error:  # it cannot even be opened, which is what was asked
        out.say(f"PROBLEM  {error}")
        out.document({"sound": False, "problems": [str(error)]})
        return FOUND
    for problem in found.problems:
        out.say(f"PROBLEM  {problem}")
    out.say(_told(found))
    if not found.sound:
        out.say("Bring the home back from a back-up: battpass --home DIR restore FILE")
    out.document({"sound": found.sound, **_document(found)})
    return 0 if found.sound else FOUND


def backup(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File to write, such as battpass-2026-11-21.zip.")
    ],
    as_json: JsonFlag = False,
) -> int:
    """Write the journal and the keys into one file, also beside a server; it is read back before it counts.

    The file holds all that a home cannot make anew, drafts and personal content included: keep it as safe as
    the home. Nothing is written over.
    """
    from battpass.kg.journal.backup import backup as write
    from battpass.services.cli import homes

    out = console(context)
    homes.check(out)
    found = write(out.home, file, out.watch("Checking the copy"))
    size = file.stat().st_size
    out.say(f"{file}: {count(size, 'byte')}, read back. {_told(found.verified)}")
    out.document({"file": str(file), "bytes": size, **_document(found.verified)})
    return 0


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A back-up.")],
    to_sequence: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Leave out what came after this entry.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Make a home of a back-up, in the folder that --home names, which is empty or not there.

    Everything is checked on the way; datasets are built when they are next asked for.
    """
    from battpass.kg.home import Home

    out = console(context)
    found = Home.restore(file, out.home, to_sequence, out.watch("Checking the copy"))
    out.say(f"{out.home} is restored. {_told(found)}")
    out.document({"home": str(out.home), **_document(found)})
    return 0


def rebuild(context: typer.Context, as_json: JsonFlag = False) -> int:
    """Make anew whatever is derived from the journal: the present states, and the datasets that there are."""
    from battpass.services.cli import homes

    out = console(context)
    with homes.writing(out) as home:
        names = home.rebuild(out.watch("Building"), out.watch("Following the chain"))
        number = len(home)
    built = f"the datasets {', '.join(names)}" if names else "no dataset, as there was none"
    out.say(f"{out.home} keeps {count(number, 'passport')}; built anew: the present states, and {built}.")
    out.document({"home": str(out.home), "passports": number, "datasets": names})
    return 0


def _told(found: Verified) -> str:
    erased = f", {count(found.erased, 'text')} erased" if found.erased else ""
    state = "All as it was written" if found.sound else f"{count(len(found.problems), 'problem')}"
    return (
        f"{state}: {count(found.entries, 'entry', 'entries')}, {count(found.texts, 'text')}{erased}; "
        f"head {found.head.sequence} {found.head.hash}"
    )


def _document(found: Verified) -> dict[str, Any]:
    return {**asdict(found), "problems": list(found.problems)}
