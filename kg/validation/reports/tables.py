"""Reports as a table in CSV (RFC 4180), one row to a result."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

# Spreadsheets take a cell that begins so for a formula; a number with its unit may begin with a minus.
_FORMULA = re.compile(r"[=+@\t\r]|-(?!\d)")


def table(columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Return rows, each with the name of its document, as a table with a line of headings.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\r\n")
    writer.writerow(("document", *columns))
    for name, cells in rows:
        writer.writerow([_harmless(cell) for cell in (name, *cells)])
    return output.getvalue()


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet runs.

    >>> _harmless("=HYPERLINK(1)"), _harmless("-180 Ah"), _harmless("-cmd")
    ("'=HYPERLINK(1)", '-180 Ah', "'-cmd")
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell
