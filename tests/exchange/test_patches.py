"""A kept passport changed by a merge patch: what the patch says, and nothing else."""

import json
from typing import Any

import pytest

from battpass.kg.errors import BadDocument, Contradiction, NotJson, UnknownFormat, WrongVersion
from battpass.kg.jsontext import Json, Number, leaves, read_json
from battpass.kg.passport import Passport
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1, SECTIONS, URN
from battpass.services.exchange.patches import merged, patched
from battpass.services.exchange.rdf import JSON_LD, Rdf
from battpass.services.exchange.registry import Format, format_named
from benchmarks.campaigns import ROOT

EXAMPLES = ROOT / "examples"
OTHER = "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7"

# RFC 7396, appendix A: target, patch, result.
RFC_7396 = [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', "{}"),
    ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
    ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
    ('["a","b"]', '["c","d"]', '["c","d"]'),
    ('{"a":"b"}', '["c"]', '["c"]'),
    ('{"a":"foo"}', "null", "null"),
    ('{"a":"foo"}', '"bar"', '"bar"'),
    ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
    ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
]


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396, ids=[row[1] for row in RFC_7396])
def test_the_examples_of_the_standard(target: str, patch: str, result: str) -> None:
    before = read_json(target.encode())
    assert merged(before, read_json(patch.encode())) == read_json(result.encode())
    assert before == read_json(target.encode()), "what is patched stays as it is"


@pytest.fixture(scope="module")
def passport() -> Passport:
    return BATTERY_PASS_6_1.load((EXAMPLES / "passports/ev-nmc811-82.json").read_bytes()).passport


def change(passport: Passport, patch: Any, known: Format = BATTERY_PASS_6_1) -> Passport | None:
    data = patch if isinstance(patch, bytes) else json.dumps(patch).encode()
    loaded = patched(known, passport, data)
    return loaded.passport if loaded else None


def moved(before: Passport, after: Passport) -> dict[str, tuple[Json, Json]]:
    """Return the leaves of the document that changed, with both values."""
    one, other = (dict(leaves(read_json(BATTERY_PASS_6_1.dump(each)))) for each in (before, after))
    return {at: (one.get(at), other.get(at)) for at in {**one, **other} if one.get(at) != other.get(at)}


@pytest.mark.parametrize(
    ("patch", "wanted"),
    [
        (
            {"performance": {"dynamic": {"stateOfCharge": {"value": 12.5}}}},
            {"/performance/dynamic/stateOfCharge/value": "12.5"},
        ),
        ({"metadata": {"version": "9.9"}}, {"/metadata/version": "9.9"}),
        (
            {"performance": {"rated": {"capacity": {"value": 95.0}}}},
            {"/performance/rated/capacity/value": "95.0"},
        ),
        (
            {"metadata": {"version": None}},
            {"/metadata/version": None},
        ),
    ],
    ids=["a measured value", "a text", "a value of the model", "a member that goes"],
)
def test_a_patch_changes_what_it_says_and_nothing_else(
    passport: Passport, patch: Any, wanted: dict[str, str | None]
) -> None:
    after = change(passport, patch)
    assert after is not None
    found = {at: None if new is None else str(new) for at, (_, new) in moved(passport, after).items()}
    assert found == wanted


def test_a_list_is_replaced_as_a_whole(passport: Passport) -> None:
    composition = json.loads(BATTERY_PASS_6_1.dump(passport))["materials"]["composition"]
    assert len(composition) > 3
    shorter = [*composition[2:], composition[0]]
    after = change(passport, {"materials": {"composition": shorter}})
    assert after is not None
    assert json.loads(BATTERY_PASS_6_1.dump(after))["materials"]["composition"] == shorter


@pytest.mark.parametrize("patch", [{}, {"metadata": {}}, {"nowhere": None}])
def test_a_patch_that_changes_nothing_is_told_from_one_that_does(passport: Passport, patch: Any) -> None:
    assert change(passport, patch) is None


def test_a_patch_with_what_stands_changes_nothing(passport: Passport) -> None:
    assert change(passport, BATTERY_PASS_6_1.dump(passport)) is None


def test_changed_back_it_is_what_it_was(passport: Passport) -> None:
    there = change(passport, {"performance": {"dynamic": {"stateOfCharge": {"value": 12.5}}}})
    assert there is not None
    document = read_json(BATTERY_PASS_6_1.dump(passport))
    before = float(document["performance"]["dynamic"]["stateOfCharge"]["value"].token)
    back = change(there, {"performance": {"dynamic": {"stateOfCharge": {"value": before}}}})
    assert back is not None and back.item_graphs == passport.item_graphs
    assert back.model_graphs == passport.model_graphs


def test_a_changed_model_is_named_as_if_it_had_come_so(passport: Passport) -> None:
    patch = {"performance": {"rated": {"capacity": {"value": 95.0}}}}
    after = change(passport, patch)
    assert after is not None
    assert after.model != passport.model
    document = merged(json.loads(BATTERY_PASS_6_1.dump(passport)), patch)
    again = BATTERY_PASS_6_1.load(json.dumps(document).encode()).passport
    assert (after.record, after.model) == (again.record, again.model)
    assert after.model_graphs == again.model_graphs


def test_what_the_format_has_no_place_for_stays() -> None:
    name = "lmt-nmc532-05"
    kept = BATTERY_PASS_6_1.load((EXAMPLES / f"passports/{name}.json").read_bytes()).passport
    turtle = format_named("turtle")
    assert isinstance(turtle, Rdf)
    more = turtle.supplement((EXAMPLES / f"supplements/{name}.ttl").read_bytes(), kept)
    beside = set(more.quads()) - set(kept.quads())
    assert beside
    after = change(more, {"performance": {"dynamic": {"stateOfCharge": {"value": 12.5}}}})
    assert after is not None
    assert beside <= set(after.quads())


def with_values(passport: Passport, values: dict[str, str]) -> dict[str, Any]:
    """Return the JSON-LD of a passport with other numbers, by the end of a node's name and a property."""
    document: dict[str, Any] = json.loads(JSON_LD.dump(passport))
    nodes = [node for graph in document["@graph"] for node in graph.get("@graph", [])]
    for place, value in values.items():
        name, _, member = place.partition(" ")
        (node,) = [
            node for node in nodes if node["@id"].endswith(name) and any(member in one for one in node)
        ]
        (key,) = [one for one in node if member in one]
        node[key] = [{"@value": value, "@type": "xsd:decimal"}]
    return document


def places(passport: Passport) -> tuple[str, str]:
    """Return where the two forms of the rated capacity stand."""
    model = passport.model.rpartition("/")[2]
    return f"{model} bp:ratedCapacityAh", "#ratedCapacity-value emmo:EMMO_faf79f53"


@pytest.mark.parametrize("form", [0, 1], ids=["compact", "whole"])
def test_json_ld_can_be_patched_in_either_form_of_a_quantity(passport: Passport, form: int) -> None:
    after = change(passport, with_values(passport, {places(passport)[form]: "208"}), JSON_LD)
    assert after is not None
    assert moved(passport, after) == {"/performance/rated/capacity/value": (Number("207.0"), Number("208.0"))}


def test_two_values_of_one_quantity_are_a_contradiction(passport: Passport) -> None:
    compact, whole = places(passport)
    with pytest.raises(Contradiction, match=r"208.*209|209.*208"):
        change(passport, with_values(passport, {compact: "208", whole: "209"}), JSON_LD)


def test_what_json_ld_says_already_changes_nothing(passport: Passport) -> None:
    assert change(passport, JSON_LD.dump(passport), JSON_LD) is None


@pytest.mark.parametrize(
    ("patch", "error", "words"),
    [
        (b"[]", NotJson, "A merge patch is a JSON object"),
        (b"null", NotJson, "A merge patch is a JSON object"),
        (b"{", NotJson, "Line 1, column 2"),
        (b'{"a": 1, "a": 2}', NotJson, "more than once"),
        (b"[" * 100_000, NotJson, "nest"),
        ({"metadata": {"passportIdentifier": OTHER}}, BadDocument, "changes the passport identifier"),
        ({"metadata": None}, BadDocument, "changes the passport identifier"),
        (dict.fromkeys(SECTIONS[:7]), WrongVersion, "are missing"),
        ({"specVersion": f"{URN}3.0.0"}, WrongVersion, "reads 6.0.0 and 6.1.0"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, bytes | dict) else "",
)
def test_a_patch_that_makes_no_passport_is_refused(
    passport: Passport, patch: Any, error: type[BadDocument], words: str
) -> None:
    with pytest.raises(error, match=words):
        change(passport, patch)


@pytest.mark.parametrize("name", ["turtle", "n-quads", "battinfo-cell"])
def test_a_format_that_is_no_json_of_a_passport_cannot_be_patched(passport: Passport, name: str) -> None:
    with pytest.raises(UnknownFormat, match="is no JSON that a merge patch could change"):
        change(passport, {}, format_named(name))
