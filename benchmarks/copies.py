"""Fleets of any size for benchmarks of storing: passports that were mapped once, copied under new names.

A copy differs from its pattern in the UUID of its record, wherever that stands, and shares its model record,
as the items of one type do. Everything else is as large and as wide as in a passport that came from a
document.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from battpass.kg.home import Arrival
from battpass.services.demo.fleet import demo_payloads
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1

PATTERNS = 100


def arrivals(size: int, seed: int) -> Iterator[Arrival]:
    """Yield as many passports, the first hundred of the demo fleet and copies of them."""
    patterns = _patterns(seed)
    for number in range(size):
        pattern = patterns[number % len(patterns)]
        yield (
            pattern
            if number < len(patterns)
            else copied(pattern, uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/{number}"))
        )


def copied(pattern: Arrival, name: uuid.UUID) -> Arrival:
    """Return a passport like another one, under a UUID of its own."""
    old, new = pattern.record.rpartition("/")[2], str(name)

    def renamed(text: bytes) -> bytes:
        return text.replace(old.encode(), new.encode())

    item = {
        access: b"".join(sorted(renamed(text).splitlines(keepends=True)))
        for access, text in pattern.item.items()
    }
    return replace(
        pattern,
        record=pattern.record.replace(old, new),
        item=item,
        identifiers=tuple(one.replace(old, new) for one in pattern.identifiers),
        original=renamed(pattern.original),
    )


@cache
def _patterns(seed: int) -> tuple[Arrival, ...]:
    found = []
    for payload in demo_payloads(PATTERNS, seed):
        data = json.dumps(payload, indent=2).encode()
        loaded = BATTERY_PASS_6_1.load(data)
        found.append(Arrival.of(loaded.passport, loaded.findings, data, BATTERY_PASS_6_1.name, "benchmark"))
    return tuple(found)
