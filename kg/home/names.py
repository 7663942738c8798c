"""The names of passports, and who may know that there is one behind a name."""

from battpass.kg.access import Audience
from battpass.kg.errors import NotFound
from battpass.kg.journal.entry import Stage
from battpass.kg.journal.journal import Journal
from battpass.kg.namespaces import BASE


def find(journal: Journal, name: str, reader: Audience) -> str:
    """Return the record IRI behind a name of a passport, archived ones included.

    Raises
    ------
    NotFound
        If nothing has that name for the audience, or several batteries have it.
    """
    short = name.removeprefix("urn:uuid:").partition("#")[0]
    for record in (name, short, f"{BASE}p/{short.lower()}", BASE + short):
        if knows(journal, record, reader):
            return record
    found = [record for record in journal.named(name) if _is_called(journal, record, name, reader)]
    if not found:
        raise NotFound(
            f"No passport here is called {name!r}. "
            "Name it by its UUID, its IRI or the identifier of the battery."
        )
    if len(found) > 1:
        raise NotFound(f"More than one passport here is called {name!r}. Name the one by its UUID or IRI.")
    return found[0]


def knows(journal: Journal, record: str, reader: Audience) -> bool:
    """Return whether an audience may know that a record is, or was, here."""
    found = journal.standing(record)
    if not found or any(entry.is_model for entry in found.values()):
        return False
    if reader.own or Stage.PUBLISHED in found:
        return True
    return Stage.ARCHIVED in found and any(
        entry.stage is Stage.PUBLISHED for entry in journal.history(record)
    )


def _is_called(journal: Journal, record: str, name: str, reader: Audience) -> bool:
    """Return whether an audience may know a record by an identifier: not by one of a draft."""
    if not knows(journal, record, reader):
        return False
    return reader.own or any(
        entry.stage is Stage.PUBLISHED and name in entry.identifiers for entry in journal.history(record)
    )
