"""The Catena-X aspect `battery_pass`, versions 6.0.0 and 6.1.0, as value-only JSON.

Source: eclipse-tractusx/sldt-semantic-models, `io.catenax.battery.battery_pass`. 6.1.0 adds the optional
member `specVersion` and nothing else, so one table serves both.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from battpass.kg.errors import BadDocument, NotJson, WrongVersion
from battpass.kg.graphs import Finding, Severity
from battpass.kg.jsontext import Json, read_json, type_name, write_json
from battpass.kg.mapping.mapping import Mapping
from battpass.kg.passport import Passport
from battpass.services.exchange.registry import Loaded

TABLE = Path(__file__).with_name("battery_pass.csv")
URN = "urn:io.catenax.battery.battery_pass:"
# `urn:io.catenax.battery.battery_pass:6.1.0`, with or without `samm:`, an element or a bare version.
STATED_VERSION = re.compile(r"(?:^|battery_pass:)v?(\d+\.\d+\.\d+)(?:#.*)?$")
SECTIONS = (
    "identification",
    "operation",
    "characteristics",
    "sustainability",
    "materials",
    "performance",
    "conformity",
    "safety",
    "metadata",
    "commercial",
    "handling",
)
# A document with this many of the sections is meant as a battery_pass 6.x, however faulty.
RECOGNISED = 6


@dataclass
class BatteryPass:
    """`battery_pass` of one version; the mapping loads when it is first used."""

    version: str
    media_type: str = "application/json"
    suffix: str = ".json"
    name: str = field(init=False)
    title: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"battery_pass-{self.version}"
        self.title = f"Catena-X battery_pass {self.version}"

    @cached_property
    def mapping(self) -> Mapping:
        """The mapping table, read once per format."""
        return Mapping.load(TABLE, "/metadata/passportIdentifier")

    def takes(self, data: bytes) -> bool:
        """Return whether a document has the sections of battery_pass and names this version or none."""
        try:
            document = read_json(data)
        except BadDocument:
            return False
        return looks_like_battery_pass(document) and stated_version(document) in (self.version, None)

    def load(self, data: bytes) -> Loaded:
        """Return the passport of a payload; see `Mapping.lift` for what becomes of the rest."""
        return self.load_document(read_json(data))

    def load_document(self, document: Json) -> Loaded:
        """Return the passport of a payload that was parsed already."""
        if not isinstance(document, dict):
            raise NotJson(f"A battery_pass is a JSON object; this document is {type_name(document)}.")
        stated = stated_version(document)
        if stated not in (self.version, None):
            raise WrongVersion(
                f"specVersion says battery_pass {stated}; read here as {self.version}. "
                "BattPass reads 6.0.0 and 6.1.0: ask the sender for one of these."
            )
        if not looks_like_battery_pass(document):
            missing = ", ".join(name for name in SECTIONS if name not in document)
            raise WrongVersion(
                f"This is no battery_pass 6.x: the sections {missing} are missing. "
                "Earlier versions have another layout; ask the sender for 6.0.0 or 6.1.0."
            )
        lifted = self.mapping.lift(document)
        return Loaded(
            lifted.passport,
            (*lifted.findings, *_unclear_version(document), *_missing(document)),
            lifted.places,
        )

    def dump(self, passport: Passport) -> bytes:
        """Return the payload of a passport as indented UTF-8, under the name of this version."""
        document = self.mapping.lower(passport)
        if stated_version(document) not in (self.version, None):
            if self.version == "6.0.0":
                del document["specVersion"]  # a member that 6.0.0 does not have
            else:
                document["specVersion"] = URN + self.version
        return (write_json(document) + "\n").encode("utf-8")


def looks_like_battery_pass(document: Json) -> bool:
    """Return whether a document has most sections of battery_pass 6.x."""
    return isinstance(document, dict) and sum(name in document for name in SECTIONS) >= RECOGNISED


def stated_version(document: Json) -> str | None:
    """Return the version of battery_pass that a payload states of itself, None where it states none."""
    stated = document.get("specVersion") if isinstance(document, dict) else None
    match = STATED_VERSION.search(stated) if isinstance(stated, str) else None
    return match[1] if match else None


def _unclear_version(document: dict[str, Json]) -> list[Finding]:
    stated = document.get("specVersion")
    if not isinstance(stated, str) or stated_version(document):
        return []
    return [
        Finding(
            "unclear-version",
            Severity.WARNING,
            "specVersion",
            "/specVersion",
            write_json(stated, indent=None),
            "urn:io.catenax.battery.battery_pass:6.1.0",
            "Name the version of the aspect model; the payload was read as 6.x.",
            field_de="specVersion",
            found_de=write_json(stated, indent=None),
            allowed_de="urn:io.catenax.battery.battery_pass:6.1.0",
            mend_de="Nennen Sie die Version des Aspektmodells; gelesen wurde das Dokument als 6.x.",
        )
    ]


def _missing(document: dict[str, Json]) -> list[Finding]:
    return [
        Finding(
            "missing-section",
            Severity.VIOLATION,
            name,
            f"/{name}",
            "nothing",
            "an object",
            f"Add the section {name}; battery_pass demands it.",
            field_de=name,
            found_de="nichts",
            allowed_de="ein Objekt",
            mend_de=f"Ergänzen Sie den Abschnitt {name}; battery_pass verlangt ihn.",
        )
        for name in SECTIONS
        if name not in document
    ]


BATTERY_PASS_6_1 = BatteryPass("6.1.0")
BATTERY_PASS_6_0 = BatteryPass("6.0.0")
