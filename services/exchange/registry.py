"""The formats that BattPass reads and writes. A new one is a module and a line here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from battpass.kg.errors import BadDocument, UnknownFormat
from battpass.kg.graphs import Finding
from battpass.kg.passport import Passport

BUILT_IN = (
    "battpass.services.exchange.battery_pass:BATTERY_PASS_6_1",
    "battpass.services.exchange.battery_pass:BATTERY_PASS_6_0",
    "battpass.services.exchange.rdf:JSON_LD",
    "battpass.services.exchange.rdf:TURTLE",
    "battpass.services.exchange.rdf:N_QUADS",
    "battpass.services.exchange.battinfo:CELL",
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a document became: passports, findings, and the JSON pointer behind each (node, property)."""

    passport: Passport
    findings: tuple[Finding, ...]
    places: Mapping[tuple[str, str], str]


class Format(Protocol):
    """One wire format of a passport."""

    name: str
    title: str
    media_type: str
    suffix: str

    def takes(self, data: bytes) -> bool:
        """Return whether a document looks like this format; never raises."""
        ...

    def load(self, data: bytes) -> Loaded:
        """Return the passport that a document describes.

        Raises
        ------
        BadDocument
            If it cannot be read at all; what is merely wrong in it becomes findings.
        """
        ...

    def dump(self, passport: Passport) -> bytes:
        """Return the document of a passport, or of as much of one as its graphs still hold."""
        ...


def formats() -> tuple[Format, ...]:
    """Return all formats, the preferred of those that take the same documents first."""
    return tuple(_resolve(entry) for entry in BUILT_IN)


def format_named(name: str, among: Iterable[Format] | None = None) -> Format:
    """Return a format by its name; `UnknownFormat` lists the names."""
    choice = formats() if among is None else tuple(among)
    for known in choice:
        if known.name == name:
            return known
    raise UnknownFormat(f"There is no format {name!r}. Use one of: {_names(choice)}.")


def detect(data: bytes, among: Iterable[Format] | None = None) -> Format:
    """Return the format of a document.

    Raises
    ------
    BadDocument
        If no format takes it. The reason is that of the preferred format, which says more than a list of
        formats does: where the JSON breaks, or which version it is.
    """
    choice = formats() if among is None else tuple(among)
    if not data.strip():
        raise BadDocument("The document is empty. Export it again where it comes from.")
    for known in choice:
        if known.takes(data):
            return known
    choice[0].load(data)
    raise UnknownFormat(f"No format takes this document. BattPass reads: {_names(choice)}.")


def _names(known: Iterable[Format]) -> str:
    return ", ".join(one.name for one in known)


def _resolve(entry: str) -> Format:
    module, _, name = entry.partition(":")
    found: Format = getattr(import_module(module), name)
    return found
