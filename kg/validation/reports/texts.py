"""Reports as text: for a terminal, a log or a mail."""

from collections.abc import Iterable

from battpass.kg.validation.reports.sheets import SEVERITIES, Entry, Sheet, chosen, say


def lines(sheet: Sheet, language: str) -> Iterable[str]:
    """Yield the lines of the report on one document, entries in the order of the report's sections."""
    headline = f"{sheet.headline}: {sheet.summary}"
    yield f"{sheet.name}: {headline}" if sheet.name else headline
    for section in sheet.sections:
        for entry in section.entries:
            yield from _entry(entry, language)


def text(sheets: Iterable[Sheet], language: str) -> str:
    """Return reports as one text."""
    return "".join(f"{_printable(line)}\n" for sheet in sheets for line in lines(sheet, language))


def _entry(entry: Entry, language: str) -> Iterable[str]:
    name = chosen(SEVERITIES[entry.severity], language)
    yield f"  {name:<9}  {entry.title}{f'  {entry.place}' if entry.place else ''}"
    for key, told in entry.facts:
        yield f"  {'':<9}  {say(key, language):<7}  {told}"


def _printable(line: str) -> str:
    """Return a line with control characters as escapes: a document must not steer who prints it."""
    if line.isprintable():
        return line
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in line)
