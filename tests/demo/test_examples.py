"""The published examples: as the builder makes them, valid, understood to the last leaf, complete."""

import csv
import json
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from battpass.kg.attributes import Attribute, Presence, Reading, load_attributes
from battpass.kg.graphs import AccessClass, Severity
from battpass.kg.mapping.table import Place, read_mapping
from battpass.kg.namespaces import BASE, BP, PREFIXES
from battpass.kg.passport import Passport
from battpass.kg.validation.validator import Validator
from battpass.services.demo.examples import demo_supplements, example_texts, main
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1, TABLE
from battpass.services.exchange.rdf import TURTLE
from benchmarks.campaigns import ROOT
from tests.demo.plausible import NIL, assert_plausible
from tests.demo.test_fleet import partner_schema

PASSPORTS = sorted((ROOT / "examples/passports").glob("*.json"))
SUPPLEMENTS = sorted((ROOT / "examples/supplements").glob("*.ttl"))

# Written by hand; the other supplements are made from the table.
FULL = [path for path in SUPPLEMENTS if "#model" in path.read_text(encoding="utf-8")]
# Today, the day from which the passport is owed, and a day when more is.
DAYS = (date(2026, 11, 21), date(2027, 2, 18), date(2030, 1, 1))

every_passport = pytest.mark.parametrize("path", PASSPORTS, ids=lambda path: path.stem)
every_supplement = pytest.mark.parametrize("path", SUPPLEMENTS, ids=lambda path: path.stem)
every_full_supplement = pytest.mark.parametrize("path", FULL, ids=lambda path: path.stem)

LEAD = {"preConsumerLead", "postConsumerLead", "cadmiumLeadSymbols"}
LITHIUM_ION = {
    f"{origin}Consumer{metal}" for origin in ("pre", "post") for metal in ("Nickel", "Cobalt", "Lithium")
}
# What a chemistry does not contain has no recycled share, and an accident report needs an accident.
NOT_APPLICABLE = {
    "NMC811": LEAD | {"accidents"},
    "NMC622": LEAD | {"accidents"},
    "NMC532": LEAD | {"accidents"},
    "LFP": LEAD | {"accidents"} | LITHIUM_ION - {"preConsumerLithium", "postConsumerLithium"},
    "lead-acid": LITHIUM_ION | {"accidents"},
}


@cache
def payload(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def test_examples_are_as_the_builder_makes_them() -> None:
    made = dict(example_texts())
    there = {
        f"{path.parent.name}/{path.name}": path for path in (*PASSPORTS, *SUPPLEMENTS) if path not in FULL
    }
    assert set(there) == set(made)
    for name, path in there.items():
        assert path.read_text(encoding="utf-8") == made[name], (
            f"{name} drifted: python -m battpass.services.demo.examples examples"
        )


def test_the_builder_writes_below_the_folder_that_it_is_given(tmp_path: Path) -> None:
    main(tmp_path)
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert written == {name for name, _ in example_texts()}


def test_examples_cover_categories_chemistries_and_statuses() -> None:
    payloads = [payload(path) for path in PASSPORTS]
    assert len(payloads) >= 24
    kinds = {(one["identification"]["category"], tuple(one["commercial"]["purpose"])) for one in payloads}
    assert ("industrial", ("stationary energy storage",)) in kinds
    assert {category for category, _ in kinds} == {"EV", "LMT", "industrial"}
    assert len({one["identification"]["chemistry"] for one in payloads}) == 11
    statuses = {one["sustainability"]["status"] for one in payloads}
    assert statuses == {"original", "repurposed", "re-used", "remanufactured", "waste"}


@every_passport
@pytest.mark.shared
def test_an_example_is_valid(path: Path, shared: Path) -> None:
    partner_schema_of(shared)(payload(path))


@cache
def partner_schema_of(shared: Path) -> Any:
    return partner_schema(shared)


@every_passport
def test_figures_of_an_example_agree(path: Path) -> None:
    assert_plausible(payload(path))


@every_passport
def test_an_example_comes_back_equal_without_findings_or_residue(path: Path) -> None:
    loaded = BATTERY_PASS_6_1.load(path.read_bytes())
    assert BATTERY_PASS_6_1.dump(loaded.passport) == path.read_bytes()
    assert not loaded.findings, [finding.text() for finding in loaded.findings]
    assert AccessClass.DOCUMENT not in loaded.passport.item_graphs


@every_passport
def test_members_stand_in_the_order_of_the_mapping_table(path: Path) -> None:
    def check(value: Any, place: Place, where: str) -> None:
        if isinstance(value, list) and place.items is not None:
            for item in value:
                check(item, place.items, f"{where}[]")
        elif isinstance(value, dict):
            assert list(value) == [name for name in place.members if name in value], where
            for name, member in value.items():
                check(member, place.members[name], f"{where}/{name}")

    check(payload(path), read_mapping(TABLE), "")


def test_links_lead_to_reserved_domains_only() -> None:
    for path in (*PASSPORTS, *SUPPLEMENTS):
        text = re.sub(r"@prefix.*|@base.*", "", path.read_text(encoding="utf-8"))
        hosts = set(re.findall(r"https?://([^/\"]+)", text))
        assert all(host.endswith(".example") for host in hosts), path.name
        assert hosts or path.suffix == ".ttl"


def test_a_second_passport_names_the_first() -> None:
    passports = {payload(path)["metadata"]["passportIdentifier"]: payload(path) for path in PASSPORTS}
    pairs = [
        (passports[predecessor], one)
        for one in passports.values()
        if (predecessor := one["metadata"]["predecessor"]) != NIL and predecessor in passports
    ]
    assert len(pairs) >= 2
    for first, second in pairs:
        assert first["metadata"]["expirationDate"] <= second["metadata"]["issueDate"]
        left = first["performance"]["dynamic"]["capacity"]["capacity"]["value"]
        assert second["performance"]["rated"]["capacity"]["value"] <= left


def supplement(path: Path) -> list[Triple]:
    return list(parse(path=path, format=RdfFormat.TURTLE))


def placed(path: Path, model: str, record: str) -> list[Triple]:
    """Return the statements of a supplement with the model's own name in place of `#model`."""
    alias = f"{record}#model"

    def real(term: Any) -> Any:
        if not isinstance(term, NamedNode) or not term.value.startswith(alias):
            return term
        rest = term.value[len(alias) :]
        return NamedNode(f"{model}#{rest[1:]}" if rest else model)

    return [Triple(real(one.subject), one.predicate, real(one.object)) for one in supplement(path)]


def test_every_category_has_a_full_supplement() -> None:
    kinds = {
        (one["identification"]["category"], one["commercial"]["purpose"][0])
        for one in (payload(ROOT / f"examples/passports/{path.stem}.json") for path in FULL)
    }
    assert {category for category, _ in kinds} == {"EV", "LMT", "industrial"}
    assert ("industrial", "stationary energy storage") in kinds and (
        "industrial",
        "industrial traction",
    ) in kinds


@every_supplement
def test_a_supplement_names_its_own_passport_only(path: Path) -> None:
    record = record_of(path)
    for one in supplement(path):
        assert isinstance(one.subject, NamedNode) and one.subject.value.startswith(
            (f"{record}#model", f"{record}#battery")
        )


@every_supplement
def test_counters_of_a_supplement_agree_with_its_payload(path: Path) -> None:
    one, values = payload(ROOT / f"examples/passports/{path.stem}.json"), values_of(path)
    rated, dynamic = one["performance"]["rated"], one["performance"]["dynamic"]
    told = [event["header"] for event in dynamic.get("negativeEvents", [])]
    deep = values["measuredDeepDischargeEventsCount"]
    assert deep == int(deep) >= sum("Deep discharge" in header for header in told)
    if "measuredEvolutionOfSelfDischargePercent" in values:
        growth = 100 * (dynamic["selfDischargingRate"] / rated["selfDischargingRate"] - 1)
        assert values["measuredEvolutionOfSelfDischargePercent"] == pytest.approx(growth, abs=0.06)
    read = {
        str(triple.object.value)
        for triple in supplement(path)
        if triple.predicate.value == f"{BP}validAt" and isinstance(triple.object, Literal)
    }
    assert read <= {dynamic["stateOfCharge"]["time"], dynamic["capacity"]["fade"]["time"]}


def test_the_law_asks_for_counters_of_just_these_batteries() -> None:
    for path in PASSPORTS:
        one = payload(path)
        stationary = one["commercial"]["purpose"] == ["stationary energy storage"]
        made = ROOT / f"examples/supplements/{path.stem}.ttl"
        if stationary or one["identification"]["category"] == "LMT":
            assert ("measuredEvolutionOfSelfDischargePercent" in values_of(made)) >= stationary
        else:
            assert not made.exists() or made in FULL


@every_full_supplement
def test_a_full_supplement_agrees_with_its_payload(path: Path) -> None:
    """Shares of stages follow the footprints, split recycled content the total, the rest the ratings."""
    one, values = payload(ROOT / f"examples/passports/{path.stem}.json"), values_of(path)
    footprint = {row["lifecycle"]: row["value"] for row in one["sustainability"]["carbonFootprint"]}
    whole = footprint["whole life cycle"]
    shares = [values[f"cf{stage}Percent"] for stage in ("RawMaterial", "MainProduction", "Distribution")]
    shares.append(values["cfEndOfLifePercent"])
    assert sum(shares) == pytest.approx(100, abs=0.01)
    for share, value in zip(shares, footprint.values(), strict=False):
        assert share == pytest.approx(100 * value / whole, abs=0.11)
    for element in ("Nickel", "Cobalt", "Lithium", "Lead"):
        if f"preConsumer{element}Percent" in values:
            split = values[f"preConsumer{element}Percent"] + values[f"postConsumer{element}Percent"]
            assert split == pytest.approx(one["materials"]["active"][element.lower()]["recycled"])
    rated, dynamic = one["performance"]["rated"], one["performance"]["dynamic"]
    assert values["powerEnergyRatioWPerWh"] == pytest.approx(
        rated["power"]["value"] / rated["energy"]["value"] / 1000, abs=0.006
    )
    if "certifiedUsableEnergyKWh" in values:
        soce = 100 * dynamic["energy"]["remaining"]["value"] / values["certifiedUsableEnergyKWh"]
        assert dynamic["energy"]["soce"]["value"] == pytest.approx(soce, abs=0.06)
    lowest, highest = (values[f"measuredOperatingTemperature{end}imumCelsius"] for end in ("Min", "Max"))
    assert (values["measuredTimeAboveRangeMinutes"] > 0) is (highest > rated["temperature"]["upper"])
    assert (values["measuredTimeBelowRangeMinutes"] > 0) is (lowest < rated["temperature"]["lower"])
    assert values["measuredTimeChargingAboveRangeMinutes"] <= values["measuredTimeAboveRangeMinutes"]
    assert values["measuredTimeChargingBelowRangeMinutes"] <= values["measuredTimeBelowRangeMinutes"]


def values_of(path: Path) -> dict[str, float]:
    """Return the numbers of a supplement by the local name of their property."""
    return {
        triple.predicate.value.removeprefix(BP): float(triple.object.value)
        for triple in supplement(path)
        if triple.predicate.value.startswith(BP)
        and not isinstance(triple.object, NamedNode)
        and re.fullmatch(r"-?[\d.]+", str(triple.object.value))
    }


def record_of(path: Path) -> str:
    identifier = payload(ROOT / f"examples/passports/{path.stem}.json")["metadata"]["passportIdentifier"]
    return f"{BASE}p/{identifier.removeprefix('urn:uuid:')}"


@cache
def all_examples() -> Store:
    store = Store()
    models: dict[str, str] = {}
    for path in PASSPORTS:
        passport = BATTERY_PASS_6_1.load(path.read_bytes()).passport
        models[passport.record] = passport.model
        store.extend(Quad(*quad.triple, DefaultGraph()) for quad in passport.quads())
    for path in SUPPLEMENTS:
        record = record_of(path)
        store.extend(Quad(*one, DefaultGraph()) for one in placed(path, models[record], record))
    return store


@pytest.mark.parametrize("attribute", load_attributes().values(), ids=lambda attribute: attribute.name)
def test_every_attribute_is_in_an_example(attribute: Attribute) -> None:
    prefixes = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items())
    assert all_examples().query(f"{prefixes}ASK {{ ?subject {attribute.path.text} ?value }}")


@every_full_supplement
@pytest.mark.shared
def test_a_fully_supplemented_passport_gives_all_that_is_mandatory(path: Path, shared: Path) -> None:
    passport = BATTERY_PASS_6_1.load((ROOT / f"examples/passports/{path.stem}.json").read_bytes()).passport
    more = [Quad(*one, DefaultGraph()) for one in placed(path, passport.model, passport.record)]
    reading = Reading([*passport.quads(), *more])
    category = payload(ROOT / f"examples/passports/{path.stem}.json")["identification"]["category"]
    column = {"EV": "EV", "LMT": "LMT", "industrial": "industrial_gt_2kWh"}[category]
    if path.stem.startswith("sta-"):
        column = "stationary_gt_2kWh"
    with (shared / "batterypass-data-model/attributes.csv").open(encoding="utf-8", newline="") as table:
        mandatory = {row["slug"] for row in csv.DictReader(table) if row[column] == "M"}
    missing = {
        attribute.name
        for attribute in load_attributes().values()
        if attribute.name in mandatory and reading.presence(attribute) is not Presence.GIVEN
    }
    assert len(mandatory) >= 70 and missing <= NOT_APPLICABLE[passport_chemistry(path)]


def passport_chemistry(path: Path) -> str:
    chemistry: str = payload(ROOT / f"examples/passports/{path.stem}.json")["identification"]["chemistry"]
    return chemistry


@pytest.mark.slow
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_example_with_its_supplement_conforms(day: date) -> None:
    """No violation and no warning; advice may remain."""
    validator = Validator.load(on=day)
    found = [
        f"{path.stem}: {finding.text()}"
        for path in PASSPORTS
        for finding in validator.validate(supplemented(path)).findings
        if finding.severity is not Severity.INFO
    ]
    assert not found


def test_the_demo_hands_out_the_supplements() -> None:
    given = demo_supplements()
    assert set(given) == {record_of(path).rpartition("/")[2] for path in SUPPLEMENTS}
    assert all(given[record_of(path).rpartition("/")[2]] == path.read_bytes() for path in SUPPLEMENTS)


def supplemented(path: Path) -> Passport:
    """Return the passport of an example as the demo loads it."""
    passport = BATTERY_PASS_6_1.load(path.read_bytes()).passport
    more = demo_supplements().get(passport.record.rpartition("/")[2])
    return passport if more is None else TURTLE.supplement(more, passport)


def test_no_attribute_of_the_partner_list_is_forgotten(shared: Path) -> None:
    with (shared / "batterypass-data-model/attributes.csv").open(encoding="utf-8", newline="") as table:
        slugs = {row["slug"] for row in csv.DictReader(table)}
    assert len(slugs) == 93 and slugs <= set(load_attributes())
