"""Does a validation report keep a passport from being published, and for how many violations?"""

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


def violations(report: bytes) -> int:
    """Return how many violations a report, as JSON text, holds.

    Raises
    ------
    BadDocument
        If it is no report.
    """
    if not blocks(report):
        return 0
    return sum(one["severity"] == "violation" for one in json.loads(report)["findings"])
