"""An edited graph exports exactly the edit: nothing else moves, and nothing old comes back."""

from decimal import Decimal
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.errors import Contradiction
from battpass.kg.graphs import AccessClass, Graphs
from battpass.kg.jsontext import Json, leaves, read_json
from battpass.kg.literals import DECIMAL, INTEGER
from battpass.kg.mapping.gate import bare, complete, rename_model, settle
from battpass.kg.namespaces import BASE, BP, expand
from battpass.kg.passport import Passport, graph_name
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1

EXAMPLES = Path(__file__).parents[2] / "examples" / "passports"
DERIVER = BATTERY_PASS_6_1.mapping.deriver


@pytest.fixture(scope="module", params=["example", "official"])
def passport(request: pytest.FixtureRequest) -> Passport:
    """An example without residue, and the official payload, which has some of every kind."""
    if request.param == "example":
        return load((EXAMPLES / "ev-nmc811-82.json").read_bytes())
    shared: Path = request.getfixturevalue("shared")
    return load((shared / "catena-x" / "battery_pass" / "6.1.0" / "BatteryPass.json").read_bytes())


def load(data: bytes) -> Passport:
    return BATTERY_PASS_6_1.load(data).passport


def document(passport: Passport) -> Json:
    return read_json(BATTERY_PASS_6_1.dump(passport))


def model_quads(passport: Passport, remove: set[Quad], add: set[Quad]) -> Passport:
    graphs: Graphs = {access: frozenset(part - remove) for access, part in passport.model_graphs.items()}
    public = frozenset(graphs[AccessClass.PUBLIC] | add)
    return Passport(
        passport.record, passport.model, passport.item_graphs, {**graphs, AccessClass.PUBLIC: public}
    )


def about(passport: Passport, subject: str) -> set[Quad]:
    return {quad for quad in passport.quads() if quad.subject == NamedNode(subject)}


def public(passport: Passport, subject: str, predicate: str, term: NamedNode | Literal) -> Quad:
    graph = graph_name(passport.model, AccessClass.PUBLIC)
    return Quad(NamedNode(subject), NamedNode(expand(predicate)), term, graph)


def moved(before: Json, after: Json) -> dict[str, tuple[object, object]]:
    one, other = dict(leaves(before)), dict(leaves(after))
    return {at: (one.get(at), other.get(at)) for at in {**one, **other} if one.get(at) != other.get(at)}


def with_number(passport: Passport, compact: str, number: str) -> Passport:
    old = {quad for quad in passport.quads() if quad.predicate == NamedNode(BP + compact)}
    new = {Quad(q.subject, q.predicate, Literal(number, datatype=DECIMAL), q.graph_name) for q in old}
    assert len(old) == 1
    return model_quads(passport, old, new)


def test_a_changed_compact_literal_changes_its_leaf_and_its_node(passport: Passport) -> None:
    changed = settle(passport, with_number(passport, "ratedCapacityAh", "95.5"), DERIVER)
    difference = moved(document(passport), document(changed))
    assert list(difference) == ["/performance/rated/capacity/value"]
    assert repr(difference["/performance/rated/capacity/value"][1]) == "95.5"
    node = f"{passport.model}#ratedCapacity-value"
    numbers = {quad.object.value for quad in about(changed, node) if isinstance(quad.object, Literal)}
    assert numbers == {"95.5"}


def test_a_changed_node_changes_its_compact_literal(passport: Passport) -> None:
    node = f"{passport.model}#ratedCapacity-value"
    old = {quad for quad in about(passport, node) if isinstance(quad.object, Literal)}
    new = {Quad(q.subject, q.predicate, Literal("95.5", datatype=DECIMAL), q.graph_name) for q in old}
    changed = settle(passport, model_quads(passport, old, new), DERIVER)
    compact = [q.object.value for q in changed.quads() if q.predicate == NamedNode(BP + "ratedCapacityAh")]
    assert compact == ["95.5"]


def test_two_values_at_once_are_refused(passport: Passport) -> None:
    node = f"{passport.model}#ratedCapacity-value"
    old = {quad for quad in about(passport, node) if isinstance(quad.object, Literal)}
    new = {Quad(q.subject, q.predicate, Literal("95.5", datatype=DECIMAL), q.graph_name) for q in old}
    both = with_number(model_quads(passport, old, new), "ratedCapacityAh", "96.5")
    with pytest.raises(Contradiction, match=r"Rated capacity .* 95\.5 and to 96\.5"):
        settle(passport, both, DERIVER)


def test_a_value_stated_in_grams_goes_back_in_grams(shared: Path) -> None:
    official = load((shared / "catena-x" / "battery_pass" / "6.1.0" / "BatteryPass.json").read_bytes())
    changed = settle(official, with_number(official, "batteryMassKg", "0.0305"), DERIVER)
    difference = moved(document(official), document(changed))
    assert {at: repr(pair[1]) for at, pair in difference.items()} == {
        "/characteristics/physicalDimension/weight/value": "30.5"
    }


def test_a_removed_quantity_leaves_the_document(passport: Passport) -> None:
    kind = BATTERY_PASS_6_1.mapping.vocabulary.quantities["ratedCapacityReferenceTemperature"]
    gone = {quad for quad in passport.quads() if quad.predicate.value == kind.compact_iri}
    changed = settle(passport, model_quads(passport, gone, set()), DERIVER)
    assert list(moved(document(passport), document(changed))) == ["/performance/rated/capacity/temperature"]
    assert not about(changed, f"{passport.model}#ratedCapacityReferenceTemperature")


def with_codes(passport: Passport, *names: str) -> Passport:
    """Return the passport with product codes of these names added behind its own."""
    added: set[Quad] = set()
    for number, name in enumerate(names):
        node = f"{passport.model}#productCode-new-{name}"
        added |= {
            public(passport, passport.model, "bp:productCode", NamedNode(node)),
            public(passport, node, "rdf:type", NamedNode(expand("schema:PropertyValue"))),
            public(passport, node, "bp:position", Literal(str(10 + number), datatype=INTEGER)),
            public(passport, node, "schema:propertyID", Literal(name)),
            public(passport, node, "schema:value", Literal(f"value of {name}")),
        }
    return settle(passport, model_quads(passport, set(), added), DERIVER)


def codes(passport: Passport) -> list[str]:
    return [code["key"] for code in document(passport)["identification"]["identification"]["codes"]]


def test_items_are_inserted_deleted_and_reordered_without_touching_others(passport: Passport) -> None:
    original = codes(passport)
    grown = with_codes(passport, "A", "B", "C")
    assert codes(grown) == [*original, "A", "B", "C"]

    gone = about(grown, f"{passport.model}#productCode-new-B") | {
        quad for quad in grown.quads() if quad.object == NamedNode(f"{passport.model}#productCode-new-B")
    }
    shrunk = settle(grown, model_quads(grown, gone, set()), DERIVER)
    assert codes(shrunk) == [*original, "A", "C"]

    position = NamedNode(expand("bp:position"))
    old = {q for q in about(shrunk, f"{passport.model}#productCode-new-C") if q.predicate == position}
    first = {Quad(q.subject, position, Literal("0", datatype=INTEGER), q.graph_name) for q in old}
    sorted_anew = settle(shrunk, model_quads(shrunk, old, first), DERIVER)
    assert codes(sorted_anew) == ["C", *original, "A"]
    before, after = document(passport), document(sorted_anew)
    del before["identification"]["identification"]["codes"]
    del after["identification"]["identification"]["codes"]
    assert before == after


def test_the_residue_of_an_item_goes_when_the_item_goes(shared: Path) -> None:
    path = shared / "catena-x" / "battery_pass" / "6.1.0" / "BatteryPass.json"
    whole = read_json(path.read_bytes())
    whole["identification"]["identification"]["codes"][0]["private"] = "kept with its item"
    from battpass.kg.jsontext import write_json

    passport = load(write_json(whole).encode())
    node = f"{passport.model}#productCode-1"
    gone = about(passport, node) | {q for q in passport.quads() if q.object == NamedNode(node)}
    item = {a: frozenset(part - gone) for a, part in passport.item_graphs.items()}
    model = {a: frozenset(part - gone) for a, part in passport.model_graphs.items()}
    left = settle(passport, Passport(passport.record, passport.model, item, model), DERIVER)
    assert document(left)["identification"]["identification"]["codes"] == []
    assert "private" not in BATTERY_PASS_6_1.dump(left).decode()


def test_deriving_twice_changes_nothing_and_bare_undoes_it(passport: Passport) -> None:
    plain = bare(passport, DERIVER)
    assert plain != passport
    assert complete(plain, DERIVER) == passport == complete(passport, DERIVER)
    assert settle(passport, passport, DERIVER) == passport


def test_an_untouched_model_keeps_its_name_and_a_changed_one_gets_another(passport: Passport) -> None:
    assert rename_model(passport, DERIVER, BASE) == passport
    changed = settle(passport, with_number(passport, "ratedCapacityAh", "95.5"), DERIVER)
    renamed = rename_model(changed, DERIVER, BASE)
    assert renamed.model != passport.model
    assert document(renamed) == document(changed)
    assert not any(passport.model in str(quad) for quad in renamed.quads())


def test_equal_models_share_one_record_whatever_the_spelling() -> None:
    data = (EXAMPLES / "ev-nmc811-82.json").read_text(encoding="utf-8")
    one = load(data.encode())
    other = load(data.replace('"ratedCapacity"', '"ratedCapacity"').replace("82.0", "8.20e1").encode())
    assert one.model == other.model


def test_numbers_are_exact_decimals() -> None:
    data = (EXAMPLES / "ev-nmc811-82.json").read_bytes()
    document = read_json(data)
    stated = Decimal(document["performance"]["rated"]["capacity"]["value"].token)
    compact = [q.object for q in load(data).quads() if q.predicate == NamedNode(BP + "ratedCapacityAh")]
    assert [Decimal(term.value) for term in compact if isinstance(term, Literal)] == [stated]
    assert {term.datatype for term in compact if isinstance(term, Literal)} == {DECIMAL}
