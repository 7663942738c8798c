"""A generated fleet is the same for the same seed, lifelike, and in the partner's form."""

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import fastjsonschema
import pytest

from battpass.services.demo.examples import examples
from battpass.services.demo.fleet import demo_payloads, fleet
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from benchmarks.campaigns import Campaign
from tests.demo.plausible import assert_plausible


@pytest.fixture(scope="module")
def some() -> list[dict[str, Any]]:
    return list(fleet(400, seed=3))


def test_the_same_seed_gives_the_same_fleet() -> None:
    assert list(fleet(20, seed=7)) == list(fleet(20, seed=7))
    assert list(fleet(20, seed=7)) != list(fleet(20, seed=8))


def test_a_battery_does_not_depend_on_the_size_of_its_fleet() -> None:
    assert list(fleet(5, seed=7)) == list(islice(fleet(10_000, seed=7), 5))


def test_figures_of_every_battery_agree(some: list[dict[str, Any]]) -> None:
    for payload in some:
        assert_plausible(payload)


@pytest.mark.campaign
def test_figures_agree_for_any_seed(campaign: Campaign) -> None:
    for payload in fleet(campaign.count(4000), seed=campaign.random("fleet").randrange(10**6)):
        assert_plausible(payload)


@pytest.mark.shared
def test_every_payload_is_valid(some: list[dict[str, Any]], shared: Path) -> None:
    validate = partner_schema(shared)
    for payload in some:
        validate(payload)


def test_identifiers_are_unique(some: list[dict[str, Any]]) -> None:
    for path in (("metadata", "passportIdentifier"), ("identification", "idDmc")):
        assert len({payload[path[0]][path[1]] for payload in some}) == len(some)


def test_a_battery_meets_what_can_happen_to_its_kind() -> None:
    for payload in fleet(800, seed=1):
        told = [event["header"] for event in payload["performance"]["dynamic"].get("negativeEvents", [])]
        category, rated = payload["identification"]["category"], payload["performance"]["rated"]
        assert category == "EV" or not any("crash" in header or "Impact" in header for header in told)
        assert "module" in rated["resistance"] or not any("Module" in header for header in told)


def test_all_kinds_of_lives_occur() -> None:
    fates = Counter(payload["sustainability"]["status"] for payload in fleet(800, seed=1))
    assert set(fates) == {"original", "repurposed", "re-used", "remanufactured", "waste"}
    assert fates["original"] > 600


def test_wear_spreads_from_new_to_worn_out(some: list[dict[str, Any]]) -> None:
    fades = sorted(payload["performance"]["dynamic"]["capacity"]["fade"]["value"] for payload in some)
    assert fades[0] < 0.5 and 3 < fades[len(fades) // 2] < 12 and fades[-1] > 25


def test_older_batteries_have_lost_more(some: list[dict[str, Any]]) -> None:
    def mean(low: str, high: str) -> float:
        fades = [
            payload["performance"]["dynamic"]["capacity"]["fade"]["value"]
            for payload in some
            if low <= payload["operation"]["manufacturer"]["manufacturingDate"] < high
        ]
        return sum(fades) / len(fades)

    assert mean("2017", "2021") > mean("2021", "2024") > mean("2024", "2027")


def test_numbers_are_short_and_have_no_exponent(some: list[dict[str, Any]]) -> None:
    numbers: list[str] = []
    for payload in some:
        json.loads(json.dumps(payload), parse_float=numbers.append, parse_int=numbers.append)
    assert len(numbers) > 10_000
    assert not [number for number in numbers if "e" in number or len(number) > 12]


def test_what_the_caller_changes_stays_his() -> None:
    first, second = fleet(2, seed=5), fleet(2, seed=5)
    for payload in first:
        payload["performance"]["rated"]["voltage"]["min"] = -1.0
        payload["materials"]["composition"].clear()
    assert all(payload["materials"]["composition"] for payload in second)


def test_batteries_of_one_model_share_its_record() -> None:
    records: dict[str, set[str]] = {}
    for payload in fleet(60, seed=2):
        name = payload["identification"]["identification"]["type"]["nameAtManufacturer"]
        passport = BATTERY_PASS_6_1.load(json.dumps(payload).encode()).passport
        records.setdefault(name, set()).add(passport.model)
    assert all(len(models) == 1 for models in records.values())
    assert len(set.union(*records.values())) == len(records) < 60


def test_the_demo_starts_with_the_examples() -> None:
    published = [f"urn:uuid:{example.passport}" for example in examples()]
    demo = [
        payload["metadata"]["passportIdentifier"] for payload in demo_payloads(len(published) + 3, seed=9)
    ]
    generated = [payload["metadata"]["passportIdentifier"] for payload in fleet(3, seed=9)]
    assert demo == published + generated
    assert len(list(demo_payloads(2, seed=9))) == 2


def partner_schema(shared: Path) -> Any:
    """Return a validator for the partner's JSON schema, which is draft 4 and says draft 4."""
    path = shared / "catena-x/battery_pass/6.1.0/BatteryPass-schema.json"
    return fastjsonschema.compile(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.slow
def test_ten_thousand_batteries_take_well_under_a_minute() -> None:
    start = perf_counter()
    assert sum(1 for _ in fleet(10_000, seed=1)) == 10_000
    assert perf_counter() - start < 40  # about 6 s where nothing else runs
