"""Make `ontology/alignment.sssom.tsv`: our terms beside those of others, as an SSSOM mapping set.

    python -m battpass.kg.ontology.alignment SHARED

The matches stand in the Turtle files and tables and are only gathered here; what the payload paths of
`battery_pass` 6.1.0 mean is looked up in its SAMM model. Form: https://mapping-commons.github.io/sssom/.
"""

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from battpass.kg.namespaces import BP, PREFIXES, RDFS, shorten
from battpass.kg.ontology.lock import TermLock
from battpass.kg.ontology.samm import property_paths
from battpass.kg.ontology.units import UnitTable
from battpass.kg.resources import ontology_path
from battpass.kg.tables import read_table

VERSION = "6.1.0"
_ASPECT = f"urn:samm:io.catenax.battery.battery_pass:{VERSION}#BatteryPass"
_MODELS = (
    f"catena-x/battery_pass/{VERSION}/BatteryPass.ttl",
    "catena-x/digital_product_passport/5.0.0/DigitalProductPassport.ttl",
)
_FILES = ("battpass.ttl", "properties.ttl", "attributes.ttl", "concepts.ttl")
_JUSTIFIED = "semapv:ManualMappingCuration"

# How far a reader may lean on each kind of match.
_CONFIDENCE = {
    "rdfs:subClassOf": "1.0",
    "rdfs:subPropertyOf": "1.0",
    "skos:exactMatch": "1.0",
    "skos:closeMatch": "0.9",
    "skos:broadMatch": "0.9",
    "skos:narrowMatch": "0.9",
    "skos:relatedMatch": "0.7",
}
_DATA_MODEL = {
    "CarbonFootprint": "1.2.0",
    "Circularity": "1.2.0",
    "GeneralProductInformation": "1.2.0",
    "Labels": "1.2.0",
    "MaterialComposition": "1.2.0",
    "Performance": "1.2.1",
    "SupplyChainDueDiligence": "1.2.0",
}
_PREFIXES = PREFIXES | {
    "semapv": "https://w3id.org/semapv/vocab/",
    "bdf": "https://w3id.org/battery-data-alliance/ontology/battery-data-format#",
    "battery_pass": f"urn:samm:io.catenax.battery.battery_pass:{VERSION}#",
    "part_type_information": "urn:samm:io.catenax.part_type_information:1.0.0#",
    "part_classification": "urn:samm:io.catenax.shared.part_classification:1.0.0#",
    "dpp": "urn:samm:io.catenax.generic.digital_product_passport:5.0.0#",
    **{aspect: f"urn:samm:io.BatteryPass.{aspect}:{version}#" for aspect, version in _DATA_MODEL.items()},
}


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """One row of the mapping set, in the words of SSSOM."""

    subject_id: str
    subject_label: str
    predicate_id: str
    object_id: str
    object_label: str
    mapping_justification: str
    confidence: str
    comment: str


def alignment(shared: Path) -> list[Match]:
    """Return all matches, sorted. `shared` is the folder that holds the SAMM models under `catena-x/`."""
    labels = _labels()
    paths = property_paths([shared / model for model in _MODELS], _ASPECT)
    return sorted({*_stated(labels), *_units(labels), *_payload(labels, paths)})


def as_tsv(matches: Iterable[Match]) -> str:
    """Return the mapping set as text: metadata as comments, then one row for each match."""
    rows = list(matches)
    names = (
        name
        for row in rows
        for name in (row.subject_id, row.predicate_id, row.object_id, row.mapping_justification)
    )
    text = io.StringIO()
    text.write("#mapping_set_id: https://w3id.org/battpass/ontology/alignment.sssom.tsv\n")
    text.write(
        '#mapping_set_title: "BattPass terms beside EMMO, BattINFO, BVCO, GPO, QUDT, SAMM and others"\n'
    )
    text.write("#license: https://www.apache.org/licenses/LICENSE-2.0\n")
    text.write("#subject_source: https://w3id.org/battpass/ontology\n#curie_map:\n")
    for prefix in sorted({name.partition(":")[0] for name in names}):
        text.write(f"#  {prefix}: {_PREFIXES[prefix]}\n")
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(field.name for field in fields(Match))
    writer.writerows(astuple(row) for row in rows)
    return text.getvalue()


def _stated(labels: Mapping[str, str]) -> Iterator[Match]:
    for name in _FILES:
        for quad in parse(ontology_path(name).read_bytes(), RdfFormat.TURTLE):
            if not isinstance(quad.subject, NamedNode) or not quad.subject.value.startswith(BP):
                continue
            predicate, end = shorten(quad.predicate.value), quad.object
            if predicate == "bp:sammProperty" and isinstance(end, Literal):
                note = "attribute of the Battery Pass data model"
                yield _match(quad.subject.value, "skos:closeMatch", end.value, labels, note)
            elif predicate in _CONFIDENCE and isinstance(end, NamedNode) and not end.value.startswith(BP):
                yield _match(quad.subject.value, predicate, end.value, labels)


def _units(labels: Mapping[str, str]) -> Iterator[Match]:
    for unit in UnitTable.load():
        if unit.qudt:
            # QUDT counts emissions in plain kilograms.
            predicate = "skos:closeMatch" if unit.kind == "CO2Equivalent" else "skos:exactMatch"
            yield _match(unit.iri, predicate, PREFIXES["unit"] + unit.qudt.partition(":")[2], labels)


def _payload(labels: Mapping[str, str], paths: Mapping[str, str]) -> Iterator[Match]:
    table = ontology_path().parent / "services" / "exchange" / "battery_pass.csv"
    for row in read_table(table, ("path", "kind", "property")):
        urn = paths.get(row["path"])
        if urn and row["property"].startswith("bp:") and row["kind"] not in ("unit", "time"):
            subject = BP + row["property"].removeprefix("bp:")
            yield _match(subject, "skos:closeMatch", urn, labels, f"payload path {row['path']}")


def _match(subject: str, predicate: str, end: str, labels: Mapping[str, str], comment: str = "") -> Match:
    return Match(
        _short(subject),
        labels.get(subject, ""),
        predicate,
        _short(end),
        labels.get(end, ""),
        _JUSTIFIED,
        _CONFIDENCE[predicate],
        comment,
    )


def _short(iri: str) -> str:
    prefix = next(prefix for prefix, space in _PREFIXES.items() if iri.startswith(space))
    return f"{prefix}:{iri.removeprefix(_PREFIXES[prefix])}"


def _labels() -> dict[str, str]:
    labels = {term.iri: term.label for term in TermLock.load()}
    for name in _FILES:
        for quad in parse(ontology_path(name).read_bytes(), RdfFormat.TURTLE):
            subject, text = quad.subject, quad.object
            if quad.predicate.value != RDFS + "label" or not isinstance(text, Literal):
                continue
            if text.language == "en" and isinstance(subject, NamedNode):
                labels[subject.value] = text.value
    return labels


if __name__ == "__main__":
    ontology_path("alignment.sssom.tsv").write_text(as_tsv(alignment(Path(sys.argv[1]))), encoding="utf-8")
