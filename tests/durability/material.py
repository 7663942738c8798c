"""Passports that cost little to write: the first lines of an example, with a record and a marker each.

Whoever knows the number of a record and the marker of a write knows every byte that the write must leave.
"""

from dataclasses import dataclass
from functools import cache

from battpass.kg.graphs import AccessClass
from battpass.kg.home import Arrival, State
from battpass.kg.journal.parts import Parts, digest
from battpass.services.exchange.registry import detect
from benchmarks.campaigns import ROOT

EXAMPLE = "ev-lfp-60"
# A maker's fleet: that many passports share a model record.
PASSPORTS_PER_MODEL = 4
REPORT = (
    b'{"on":"2026-11-21","category":null,"conforms":true,"blocking":false,"shapes":[],"findings":[],'
    b'"of":"%s"}'
)

_LINES = 40
_MARKER = b'<%s#marker> <https://schema.org/description> "%s" <%s/%s> .\n'


@dataclass(frozen=True, slots=True)
class _Example:
    """The first lines of each graph of the example, and the names that are replaced in them."""

    record: bytes
    model: bytes
    item: Parts
    model_parts: Parts


def record_name(number: int) -> str:
    """Return the IRI of a record by its number."""
    base, _, uuid = _example().record.decode().rpartition("/")
    return f"{base}/{number:08x}{uuid[8:]}"


def model_name(number: int) -> str:
    """Return the IRI of the model record that a record points to."""
    base = _example().model.decode().rpartition("/")[0]
    return f"{base}/{number // PASSPORTS_PER_MODEL:032x}"


def arrival(number: int, marker: str, *, checked: bool = False) -> Arrival:
    """Return a passport on its way in; `checked` gives it a report that does not block."""
    item, model_parts = item_parts(number, marker), _model_parts(number)
    return Arrival(
        record_name(number),
        model_name(number),
        item,
        model_parts,
        (f"battery {number}",),
        original=document(number, marker),
        format="battery_pass-6.1.0",
        source="material",
        report=report(marker) if checked else b"",
    )


def document(number: int, marker: str) -> bytes:
    """Return the document that such a passport came from."""
    return b'{"record": "%s", "marker": "%s"}' % (record_name(number).encode(), marker.encode())


def report(marker: str) -> bytes:
    """Return a validation report that does not block, another one for each marker."""
    return REPORT % marker.encode()


def state(number: int, marker: str) -> State:
    """Return how such a passport must stand."""
    return State(record_name(number), model_name(number), item_parts(number, marker), _model_parts(number))


def state_digests(number: int, marker: str) -> dict[AccessClass, str]:
    """Return the digests that its entry must name."""
    return {access: digest(text) for access, text in item_parts(number, marker).items()}


def item_parts(number: int, marker: str) -> Parts:
    """Return the texts of the item's record."""
    name = record_name(number).encode()
    found = {}
    for access, text in _example().item.items():
        line = _MARKER % (name, marker.encode(), name, access.value.encode())
        lines = {*text.replace(_example().record, name).splitlines(keepends=True), line}
        found[access] = b"".join(sorted(lines))
    return found


@cache
def _model_parts(number: int) -> Parts:
    name = model_name(number).encode()
    return {
        access: b"".join(sorted(text.replace(_example().model, name).splitlines(keepends=True)))
        for access, text in _example().model_parts.items()
    }


@cache
def _example() -> _Example:
    data = (ROOT / "examples/passports" / f"{EXAMPLE}.json").read_bytes()
    whole = Arrival.of(detect(data).load(data).passport)
    return _Example(
        whole.record.encode(), whole.model.encode(), _first(whole.item), _first(whole.model_parts)
    )


def _first(parts: Parts) -> Parts:
    return {access: b"".join(text.splitlines(keepends=True)[:_LINES]) for access, text in parts.items()}
