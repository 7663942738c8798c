"""The example fleet on its way into a home."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from battpass.kg.errors import BattPassError
from battpass.kg.home import Arrival, Home
from battpass.services.demo.examples import demo_supplements
from battpass.services.demo.fleet import demo_payloads
from battpass.services.exchange.rdf import TURTLE
from battpass.services.exchange.registry import format_named

SOURCE = "demo"
FORMAT = "battery_pass-6.1.0"

Watch = Callable[[Iterable[dict[str, Any]], int], Iterable[dict[str, Any]]]


class OtherPassports(BattPassError):
    """The home holds passports that are not of the example fleet."""


def load_fleet(home: Home, size: int, seed: int, watch: Watch) -> bool:
    """Make a home hold the example fleet of this size and seed; return whether there was anything to do.

    Raises
    ------
    OtherPassports
        If the home holds others: an example beside real passports would be mistaken for one.
    """
    source = f"{SOURCE} --size {size} --seed {seed}"
    before = {kept.record: kept.source for kept in home.entries()}
    others = sum(not was.startswith(f"{SOURCE} ") for was in before.values())
    if others:
        raise OtherPassports(
            f"{home.folder} holds {others:,} passports that are not of the example fleet. Give the fleet a "
            "folder of its own: battpass --home demo demo"
        )
    if len(before) == size and set(before.values()) == {source}:
        return False
    if before:
        home.remove(*before)
    home.put_many(_arrivals(watch(demo_payloads(size, seed), size), source))
    return True


def _arrivals(payloads: Iterable[dict[str, Any]], source: str) -> Iterator[Arrival]:
    known = format_named(FORMAT)
    supplements = demo_supplements()
    for payload in payloads:
        data = (json.dumps(payload, indent=2, ensure_ascii=False) + "\n").encode()
        loaded = known.load(data)
        passport = loaded.passport
        if (more := supplements.get(passport.record.rpartition("/")[2])) is not None:
            passport = TURTLE.supplement(more, passport)
        yield Arrival(passport, loaded.findings, data, known.name, source)
