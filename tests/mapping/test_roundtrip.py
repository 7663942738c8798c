"""What goes in comes out equal: same tokens in the same order, numbers by their digits."""

import json
from pathlib import Path

import pytest

from battpass.kg.jsontext import Number, read_json, tokens, write_json
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_0, BATTERY_PASS_6_1, BatteryPass
from battpass.services.exchange.registry import detect
from battpass.services.exchange.roundtrip import roundtrip
from benchmarks.campaigns import Campaign
from tests.mapping.payloads import Payloads

VERSIONS = [pytest.param(BATTERY_PASS_6_0, id="6.0.0"), pytest.param(BATTERY_PASS_6_1, id="6.1.0")]
RESULT_FILES = {"6.0.0": "roundtrip-6.0.0", "6.1.0": "roundtrip-6.1.0"}
EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "passports").glob("*.json"))


def assert_equal_round_trip(known: BatteryPass, data: bytes) -> None:
    returned = known.dump(known.load(data).passport)
    assert list(tokens(read_json(returned))) == list(tokens(read_json(data)))


@pytest.mark.parametrize("known", VERSIONS)
def test_the_official_payload_comes_back_equal(known: BatteryPass, shared: Path) -> None:
    data = (shared / "catena-x" / "battery_pass" / known.version / "BatteryPass.json").read_bytes()
    result = roundtrip(data, known)
    assert result.equal, result.first_difference


@pytest.mark.parametrize("known", VERSIONS)
def test_at_least_95_percent_of_the_official_leaves_are_understood(known: BatteryPass, shared: Path) -> None:
    data = (shared / "catena-x" / "battery_pass" / known.version / "BatteryPass.json").read_bytes()
    grasp = roundtrip(data, known).understanding
    assert grasp is not None
    assert grasp.leaves in (287, 288)
    assert grasp.share >= 0.95
    reasons = dict(grasp.rest)
    # A day of the 75th month is no date: it is kept word for word, and nothing is made of it.
    assert reasons["/operation/intoServiceDate"] == "no triple: kept as residue"


def test_the_official_payload_has_its_ill_formed_date_found(shared: Path) -> None:
    data = (shared / "catena-x" / "battery_pass" / "6.1.0" / "BatteryPass.json").read_bytes()
    found = {finding.pointer: finding for finding in detect(data).load(data).findings}
    assert found["/operation/intoServiceDate"].code == "bad-date"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_comes_back_equal_and_without_residue(path: Path) -> None:
    data = path.read_bytes()
    known = detect(data)
    loaded = known.load(data)
    assert known.dump(loaded.passport) == data
    assert set(loaded.passport.item_graphs) <= {"public", "item"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_payload_in_another_encoding_is_read_as_if_in_utf_8(encoding: str) -> None:
    data = EXAMPLES[0].read_bytes()
    again = detect(data.decode().encode(encoding)).load(data.decode().encode(encoding))
    assert again.passport == detect(data).load(data).passport


@pytest.mark.parametrize("known", VERSIONS)
def test_random_payloads_of_the_schema_come_back_equal(
    known: BatteryPass, shared: Path, campaign: Campaign
) -> None:
    schema = shared / "catena-x" / "battery_pass" / known.version / "BatteryPass-schema.json"
    payloads = Payloads(schema, campaign.random(f"roundtrip-{known.version}"))
    for _ in range(campaign.count(200)):
        assert_equal_round_trip(known, write_json(payloads.document()).encode("utf-8", "surrogatepass"))
    campaign.record(
        RESULT_FILES[known.version],
        f"random payloads of the JSON schema of battery_pass {known.version}",
        [{"case": "random payloads that came back equal", "value": campaign.count(200), "unit": "payloads"}],
    )


def edited(**changes: object) -> bytes:
    document = read_json(EXAMPLES[0].read_bytes())
    for pointer, value in changes.items():
        *parents, last = pointer.split("__")
        here = document
        for step in parents:
            here = here[int(step) if step.isdigit() else step]
        here[int(last) if last.isdigit() else last] = value
    return write_json(document).encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(edited(handling=Number("7")), id="a number for an object"),
        pytest.param(edited(sources={}), id="an object for an array"),
        pytest.param(edited(sources=[]), id="an empty array"),
        pytest.param(edited(sources=[None, 1 == 1, {}, []]), id="items of every type"),
        pytest.param(
            edited(commercial__purpose=["x", "x", None, Number("1")]), id="repeated and odd purposes"
        ),
        pytest.param(edited(metadata={}), id="an empty section"),
        pytest.param(edited(metadata={"none": {"deep": [{}]}}), id="only unknown members"),
        pytest.param(edited(extra={"b": Number("1.10"), "a": None}), id="an unknown section"),
        pytest.param(edited(performance__rated__capacity__value="94"), id="a number as text"),
        pytest.param(edited(performance__rated__capacity__value=Number("1e400")), id="a number out of range"),
        pytest.param(edited(performance__rated__capacity__value=Number("-0.0")), id="minus zero"),
        pytest.param(edited(performance__rated__capacity__value=Number("9" * 40)), id="forty digits"),
        pytest.param(
            edited(characteristics__physicalDimension__weight__unit="unit:stone"), id="unknown unit"
        ),
        pytest.param(edited(identification__category="ev"), id="a code in another case"),
        pytest.param(edited(identification__chemistry="Unobtainium"), id="an unknown chemistry"),
        pytest.param(edited(identification__idDmc="a\x00b"), id="a NUL in a text"),
        pytest.param(edited(identification__idDmc="a\udc00b"), id="half a surrogate pair"),
        pytest.param(edited(operation__manufacturer__manufacturer="not a BPN!"), id="an ill-formed BPN"),
        pytest.param(edited(metadata__passportIdentifier=None), id="no passport identifier"),
        pytest.param(edited(metadata__issueDate="2023-02-30"), id="the thirtieth of February"),
    ],
)
def test_whatever_is_wrong_in_a_payload_is_kept_and_given_back(data: bytes) -> None:
    assert_equal_round_trip(BATTERY_PASS_6_1, data)


def test_schema_valid_examples_stay_schema_valid_after_the_round_trip(shared: Path) -> None:
    from jsonschema import Draft4Validator

    schema = shared / "catena-x" / "battery_pass" / "6.1.0" / "BatteryPass-schema.json"
    validator = Draft4Validator(json.loads(schema.read_text(encoding="utf-8")))
    data = EXAMPLES[0].read_bytes()
    assert not list(
        validator.iter_errors(json.loads(BATTERY_PASS_6_1.dump(detect(data).load(data).passport)))
    )
