"""Opens the home that a command is about, and says how to come by one."""

from battpass.kg.errors import NotFound
from battpass.kg.home import Home, folder
from battpass.services.cli.console import Console


def reading(console: Console) -> Home:
    """Return the home for reading, which goes beside a process that writes.

    Raises
    ------
    NotFound
        If there is none; the message says how to make one.
    """
    return _open(console, read_only=True)


def writing(console: Console, *, create: bool = False) -> Home:
    """Return the home for writing, a new one where there is none and `create` is set."""
    return _open(console, read_only=False, create=create)


def is_there(console: Console) -> bool:
    """Return whether there is a home."""
    return folder.is_home(console.home)


def check(console: Console) -> None:
    """Raise `NotFound` if there is no home, `DamagedHome` if it has no journal yet; each says what to do."""
    if not is_there(console):
        raise _missing(f"There is no home of passports in {console.home}.")
    folder.check_has_journal(console.home)


def _open(console: Console, *, read_only: bool, create: bool = False) -> Home:
    try:
        return Home.open(console.home, create=create, read_only=read_only)
    except NotFound as error:
        raise _missing(str(error)) from None


def _missing(said: str) -> NotFound:
    return NotFound(
        f"{said} Load passports with `battpass import FILE...`, look at the example fleet with "
        "`battpass demo`, or name another folder with --home or BATTPASS_HOME."
    )
