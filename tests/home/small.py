"""Small passports: five lines to an access class, in place of five hundred."""

import json
from collections.abc import Iterable, Mapping

from battpass.kg.graphs import AccessClass
from battpass.kg.home import Arrival
from battpass.kg.journal.parts import Parts
from battpass.kg.namespaces import BASE

# What a state says: the lines of each access class.
Said = Mapping[AccessClass, frozenset[bytes]]

PASSES = json.dumps({"blocking": False, "findings": []}).encode()
BLOCKS = json.dumps({"blocking": True, "findings": [{"code": "x"}]}).encode()


def record(number: int) -> str:
    return f"{BASE}p/00000000-0000-4000-8000-{number:012d}"


def model(number: int) -> str:
    return f"{BASE}m/{number:032d}"


def battery(number: int) -> str:
    return f"BAT-{number}"


def said(of: str, values: Mapping[str, object], classes: Iterable[AccessClass] = AccessClass) -> Said:
    """Return a state that says the same in each of some access classes."""
    return {
        access: frozenset(
            f'<{of}#battery> <https://example.org/{name}> "{value}" <{of}/{access}> .\n'.encode()
            for name, value in values.items()
        )
        for access in classes
        if values
    }


def text(state: Said) -> Parts:
    return {access: b"".join(sorted(state[access])) for access in AccessClass if state.get(access)}


def lines(parts: Parts) -> Said:
    return {access: frozenset(part.splitlines(keepends=True)) for access, part in parts.items()}


def model_said(number: int) -> Said:
    return said(model(number), {"model": number}, (AccessClass.PUBLIC, AccessClass.INTEREST))


def arrival(
    number: int,
    value: object = 1,
    *,
    of: int = 1,
    report: bytes = PASSES,
    original: bytes = b"",
    state: Said | None = None,
    identifiers: tuple[str, ...] | None = None,
) -> Arrival:
    """Return a small passport on its way in, of model `of`; `value` is what it says."""
    return Arrival(
        record(number),
        model(of),
        text(said(record(number), {"value": value, "stays": "a"}) if state is None else state),
        text(model_said(of)),
        (battery(number),) if identifiers is None else identifiers,
        original=original,
        format="small" if original else "",
        report=report,
    )
