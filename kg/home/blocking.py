"""Does a validation report keep a passport from being published?"""

import json

from battpass.kg.errors import BadDocument


def blocks(report: bytes) -> bool:
    """Return whether a report, as JSON text, holds a violation.

    Raises
    ------
    BadDocument
        If it is no report.
    """
    try:
        found = json.loads(report)["blocking"]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, bool):
        raise BadDocument("This is no validation report: it does not say whether it blocks.")
    return found
