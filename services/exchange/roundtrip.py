"""Does a document come back equal, and how much of it is understood?"""

from dataclasses import dataclass
from itertools import zip_longest

from battpass.kg.graphs import Finding
from battpass.kg.jsontext import Json, leaves, read_json, tokens
from battpass.kg.mapping.understanding import Understanding, understanding
from battpass.services.exchange.battery_pass import BatteryPass
from battpass.services.exchange.registry import Format, detect


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What became of a document on its way in and out again.

    `first_difference` names the first leaf that came back otherwise, with both values; `understanding`
    is None for formats that are RDF themselves.
    """

    format: str
    equal: bool
    first_difference: str
    findings: tuple[Finding, ...]
    understanding: Understanding | None


def roundtrip(data: bytes, known: Format | None = None) -> RoundTrip:
    """Load a document, dump it again and compare the token sequences, numbers by their digits.

    Raises
    ------
    BadDocument
        If the document cannot be read at all.
    """
    known = known or detect(data)
    loaded = known.load(data)
    returned = known.dump(loaded.passport)
    if not isinstance(known, BatteryPass):
        equal = returned == known.dump(known.load(returned).passport)
        return RoundTrip(known.name, equal, "" if equal else "the second pass", loaded.findings, None)
    document, again = read_json(data), read_json(returned)
    equal = list(tokens(document)) == list(tokens(again))
    grasp = understanding(known.mapping, document, known.mapping.lift(document))
    return RoundTrip(
        known.name, equal, "" if equal else _first_difference(document, again), loaded.findings, grasp
    )


def _first_difference(sent: Json, returned: Json) -> str:
    for one, other in zip_longest(leaves(sent), leaves(returned), fillvalue=("nothing", "nothing")):
        if one != other:
            return f"sent {one[1]!r} at {one[0]}, returned {other[1]!r} at {other[0]}"
    return "the order of members"
