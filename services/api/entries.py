"""Which entries of a passport become tables on its page: data for `page.py`, one row per table and column."""

from dataclasses import dataclass

from battpass.kg.namespaces import expand
from battpass.kg.paths import Path


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the path from an entry to its values, and the property whose label is its head."""

    head: str
    path: Path


@dataclass(frozen=True, slots=True)
class Entries:
    """One table: where its entries hang, by which properties, and what is shown of each."""

    submodel: str
    title: str
    subject: str
    roots: tuple[str, ...]
    columns: tuple[Column, ...]


def _entries(submodel: str, title: str, subject: str, roots: str, *columns: str) -> Entries:
    """A column is a path, headed by the label of its last property, or of the one named after `=`."""
    return Entries(
        submodel,
        title,
        subject,
        tuple(expand(root) for root in roots.split()),
        tuple(_column(text) for text in columns),
    )


def _column(text: str) -> Column:
    steps, _, head = text.partition("=")
    path = Path.parse(steps)
    return Column(expand(head) if head else path.routes[0][-1], path)


_NUMBER = ("schema:propertyID", "schema:value")
_CONTENT = (
    "bp:material|bp:materialIdentifier/schema:name|bp:materialIdentifier/bp:identifierCode=bp:material",
    "bp:concentration",
    "bp:recycledShare",
    "bp:renewableShare",
    "bp:critical",
    "bp:location",
    "bp:impactOfSubstances",
    "bp:documentation",
)

TABLES = (
    _entries("general", "table.serials", "battery", "bp:serialIdentifier bp:batchIdentifier", *_NUMBER),
    _entries("general", "table.codes", "model", "bp:productCode", *_NUMBER),
    _entries(
        "general",
        "table.classification",
        "model",
        "bp:classification",
        "bp:classificationStandard",
        "schema:termCode",
        "schema:description",
    ),
    _entries(
        "labels",
        "table.extinguishing",
        "battery",
        "bp:extinguishingAgent",
        "bp:extinguishingMedium",
        "bp:fireClass",
        "bp:documentation",
    ),
    _entries(
        "carbon-footprint",
        "table.footprint",
        "model",
        "bp:carbonFootprint",
        "bp:lifeCycleStage|bp:lifeCycleStageText",
        "bp:footprint",
        "bp:impactCategory",
        "bp:carbonFootprintPerformanceClass=bp:cfPerformanceClass",
        "bp:coversPlant/bp:facility=bp:coversPlant",
        "bp:carbonFootprintStudy",
        "bp:carbonFootprintLabel",
    ),
    _entries("due-diligence", "table.indices", "model", "bp:supplyChainIndex", "schema:name", "schema:value"),
    _entries(
        "materials",
        "table.active",
        "model",
        "bp:nickelContent bp:lithiumContent bp:cobaltContent bp:leadContent bp:otherActiveMaterial "
        "bp:materialContent",
        *_CONTENT,
    ),
    _entries(
        "materials",
        "table.hazardous",
        "model",
        "bp:cadmiumContent bp:mercuryContent bp:hazardousLeadContent bp:hazardousSubstance",
        *_CONTENT,
    ),
)
ROOTS = frozenset(root for entries in TABLES for root in entries.roots)

# What is no attribute of the longlist and is said all the same, as subject and path.
ABOUT = (
    ("passport", Path.parse("bp:passportStatus")),
    ("passport", Path.parse("dcterms:issued")),
    ("passport", Path.parse("dcterms:modified")),
    ("passport", Path.parse("schema:expires")),
    ("passport", Path.parse("schema:version")),
    ("passport", Path.parse("bp:registrationIdentifier")),
    ("passport", Path.parse("bp:predecessorIdentifier")),
    ("passport", Path.parse("bp:backupReference")),
)
GENERAL = (
    ("battery", Path.parse("bp:placedOnMarket")),
    ("model", Path.parse("bp:purpose/(bp:code|bp:codeText)")),
    ("model", Path.parse("schema:mpn")),
    ("battery", Path.parse("bp:dataCarrierType")),
    ("battery", Path.parse("bp:dataCarrierLayout")),
)

HEAD = (
    ("manufacturer", "passport.maker"),
    ("batteryCategory", "passport.category"),
    ("batteryChemistry", "passport.chemistry"),
    ("manufacturingDate", "passport.made"),
)
GLANCE = ("ratedCapacity", "ratedEnergy", "nominalVoltage", "batteryMass", "expectedCycles", "warrantyPeriod")
