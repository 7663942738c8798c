"""The alignment: a proper SSSOM set in which every name leads somewhere."""

import csv
import re
from pathlib import Path

import pytest

from battpass.kg.namespaces import PREFIXES
from battpass.kg.ontology.alignment import alignment, as_tsv
from battpass.kg.ontology.lock import TermLock
from battpass.kg.ontology.samm import property_paths
from battpass.kg.resources import ontology_path

TEXT = ontology_path("alignment.sssom.tsv").read_text(encoding="utf-8")
HEAD = [line for line in TEXT.splitlines() if line.startswith("#")]
PREFIX_LINES = [line[3:].split(": ", 1) for line in HEAD if line.startswith("#  ")]
CURIE_MAP = dict(map(tuple, PREFIX_LINES))
ROWS = list(csv.DictReader((line for line in TEXT.splitlines() if not line.startswith("#")), delimiter="\t"))


def test_the_header_says_what_sssom_asks_for() -> None:
    keys = {line[1:].partition(":")[0] for line in HEAD if not line.startswith("#  ")}
    assert {"mapping_set_id", "license", "curie_map", "mapping_set_title"} <= keys


def test_every_row_has_the_slots_that_sssom_requires() -> None:
    for row in ROWS:
        for slot in ("subject_id", "predicate_id", "object_id", "mapping_justification"):
            prefix, colon, local = row[slot].partition(":")
            assert colon and local and prefix in CURIE_MAP, row
        assert 0 < float(row["confidence"]) <= 1
        assert row["subject_label"]


def test_no_match_stands_twice() -> None:
    keys = [(row["subject_id"], row["predicate_id"], row["object_id"], row["comment"]) for row in ROWS]
    assert len(keys) == len(set(keys)) > 600


def test_every_foreign_term_of_a_vocabulary_is_locked() -> None:
    lock = TermLock.load()
    spaces = {*PREFIXES.values(), CURIE_MAP["bdf"]}
    for row in ROWS:
        for slot in ("subject_id", "object_id"):
            prefix, _, local = row[slot].partition(":")
            if CURIE_MAP[prefix] in spaces and prefix != "bp":
                assert CURIE_MAP[prefix] + local in lock, row


@pytest.mark.parametrize(
    ("subject", "predicate", "end"),
    [
        ("bp:StateOfCertifiedEnergy", "rdfs:subClassOf", "StateOfHealth"),
        ("bp:ratedCapacity", "skos:closeMatch", "RatedCapacity"),
        ("bp:MaterialCobalt", "skos:exactMatch", "Cobalt"),
        ("emmo:AmpereHour", "skos:exactMatch", "Ampere Hour"),
        ("bp:EnergyThroughput", "skos:closeMatch", "Cumulative Energy / Wh"),
    ],
)
def test_a_known_match_is_there(subject: str, predicate: str, end: str) -> None:
    found = {(row["predicate_id"], row["object_label"]) for row in ROWS if row["subject_id"] == subject}
    assert (predicate, end) in found


def test_the_set_is_what_tables_and_models_give(shared: Path) -> None:
    assert as_tsv(alignment(shared)) == TEXT


def test_every_samm_name_is_a_property_of_its_model(shared: Path) -> None:
    folders = (shared / "catena-x", shared / "batterypass-data-model")
    models = "".join(
        path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.rglob("*.ttl"))
    )
    named = set(re.findall(r"(?:^|[\s(])[\w-]*:(\w+)", models))
    samm = [
        row["object_id"]
        for row in ROWS
        if CURIE_MAP[row["object_id"].partition(":")[0]].startswith("urn:samm")
    ]
    assert len(samm) > 200
    assert [name for name in samm if name.partition(":")[2] not in named] == []


def test_a_payload_path_leads_to_its_property(shared: Path) -> None:
    models = [
        shared / "catena-x/battery_pass/6.1.0/BatteryPass.ttl",
        shared / "catena-x/digital_product_passport/5.0.0/DigitalProductPassport.ttl",
    ]
    paths = property_paths(models, "urn:samm:io.catenax.battery.battery_pass:6.1.0#BatteryPass")
    here = "urn:samm:io.catenax.battery.battery_pass:6.1.0#"
    assert paths["performance.rated.capacity.value"].startswith(here)
    assert paths["identification.category"] == here + "batteryCategory"
    assert "materials.active.other[].location" in paths
