"""Passports mapped per second, against validating the same payloads by their JSON schema.

Mapping does more (it reads, checks, converts, derives and compares the way back), so a ratio near 1
means that a graph costs no more than a schema check. Two rivals: `jsonschema`, which reports every
finding, and `fastjsonschema`, which compiles the schema and stops at the first.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import fastjsonschema
from jsonschema import Draft4Validator

from battpass.kg.graphs import AccessClass
from battpass.services.demo.fleet import demo_payloads
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from benchmarks.campaigns import ROOT, Campaign
from benchmarks.harness import Comparison, Measure, compare, script

SCHEMA = Path("catena-x") / "battery_pass" / "6.1.0" / "BatteryPass-schema.json"


def measure(campaign: Campaign) -> Sequence[Comparison | Measure]:
    """Return both comparisons, and the sizes of the graphs that mapping makes."""
    shared = Path(os.environ.get("BATTPASS_SHARED") or ROOT.parent / "shared")
    if not (shared / SCHEMA).exists():
        raise SystemExit(
            f"needs the schema of battery_pass: {shared / SCHEMA} is absent; set BATTPASS_SHARED"
        )
    schema = json.loads((shared / SCHEMA).read_text(encoding="utf-8"))
    # Text on both sides: each reads the JSON itself, with the reader that it needs.
    texts = [json.dumps(payload).encode() for payload in demo_payloads(campaign.count(400), campaign.seed)]
    validator, compiled = Draft4Validator(schema), fastjsonschema.compile(schema)

    def mapped() -> None:
        for text in texts:
            BATTERY_PASS_6_1.load(text)

    def validated() -> None:
        for text in texts:
            assert not list(validator.iter_errors(json.loads(text)))

    def validated_compiled() -> None:
        for text in texts:
            compiled(json.loads(text))

    ours = ("battpass load", mapped)
    return [
        compare("map a payload", ours, ("jsonschema", validated), items=len(texts), rounds=5),
        compare("map a payload", ours, ("fastjsonschema", validated_compiled), items=len(texts), rounds=5),
        *_sizes(texts),
    ]


def _sizes(texts: list[bytes]) -> list[Measure]:
    passports = [BATTERY_PASS_6_1.load(text).passport for text in texts]
    models = {passport.model: passport.model_graphs for passport in passports}

    def mean(counts: list[int]) -> float:
        return sum(counts) / len(counts)

    items = [sum(map(len, passport.item_graphs.values())) for passport in passports]
    shared = [sum(map(len, graphs.values())) for graphs in models.values()]
    residue = [len(passport.item_graphs.get(AccessClass.DOCUMENT, ())) for passport in passports]
    return [
        Measure("quads per item", mean(items), "quads", {"items": len(items)}),
        Measure("quads per model record", mean(shared), "quads", {"models": len(shared)}),
        Measure("residue per item", mean(residue), "quads"),
    ]


if __name__ == "__main__":
    script(__file__, measure, source="examples and demo fleet, battery_pass 6.1.0 payloads")
