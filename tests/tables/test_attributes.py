"""The attribute table follows the longlist, and its paths lead to the values."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from pyoxigraph import Literal

from battpass.kg.attributes import Attribute, Presence, load_attributes
from battpass.kg.errors import BadTable
from battpass.kg.graphs import AccessClass
from battpass.kg.namespaces import BP, node
from battpass.kg.ontology.units import UnitTable
from battpass.kg.properties import load_properties
from battpass.kg.quantities import load_quantities
from battpass.kg.tables import read_table
from tests.tables.tables import BATTERY, MODEL, RECORD, changed, reading

ATTRIBUTES = load_attributes()

# The list calls them of the model and static; their own definition is of one battery at a time.
OF_THE_BATTERY_WITH_US = {
    "capacityFade",
    "powerFade",
    "roundTripEfficiencyFade",
    "internalResistanceIncrease",
}

every_attribute = pytest.mark.parametrize(
    "attribute", ATTRIBUTES.values(), ids=lambda attribute: attribute.name
)


def longlist(shared: Path) -> list[dict[str, str]]:
    path = shared / "batterypass-data-model" / "attributes.csv"
    with path.open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def test_the_attributes_are_those_of_the_longlist(shared: Path) -> None:
    theirs = [(int(row["no"]), row["slug"], row["level"], row["din_spec_99100"]) for row in longlist(shared)]
    ours = [(each.number, each.name, each.level_longlist, each.chapter) for each in ATTRIBUTES.values()]
    assert len(ours) == 93
    assert ours == theirs


def test_the_access_classes_are_those_of_the_longlist(shared: Path) -> None:
    for row in longlist(shared):
        ours = ATTRIBUTES[row["slug"]]
        expected = {
            "PUB": AccessClass.PUBLIC,
            "AUT": AccessClass.AUTHORITY,
            "LEG": AccessClass.INTEREST if ours.level == "model" else AccessClass.ITEM,
        }
        assert ours.access == expected[row["access"]], ours.name


def test_level_and_behaviour_differ_from_the_longlist_in_four_named_rows(shared: Path) -> None:
    differing = {
        row["slug"]
        for row in longlist(shared)
        if ATTRIBUTES[row["slug"]].level != row["level"]
        or ATTRIBUTES[row["slug"]].behaviour != {"S": "static", "D": "dynamic"}[row["behaviour"]]
    }
    assert differing == OF_THE_BATTERY_WITH_US


def test_sixty_attributes_are_public_and_one_is_for_authorities() -> None:
    counts = Counter(attribute.access for attribute in ATTRIBUTES.values())
    assert counts[AccessClass.PUBLIC] == 60
    assert counts[AccessClass.INTEREST] + counts[AccessClass.ITEM] == 32
    assert counts[AccessClass.AUTHORITY] == 1


@every_attribute
def test_an_attribute_of_the_model_hangs_at_the_model(attribute: Attribute) -> None:
    assert (attribute.level == "model") == (attribute.subject == "model")


@every_attribute
def test_an_attribute_is_labelled_and_defined_in_english_and_german(attribute: Attribute) -> None:
    assert attribute.labels.en and attribute.labels.de
    for text in attribute.definitions:
        assert text[0].isupper() and text.endswith("."), text
        assert len(text.split()) >= 5, text
    assert attribute.definitions.en != attribute.definitions.de


@every_attribute
def test_the_paths_of_an_attribute_use_known_properties(attribute: Attribute) -> None:
    known = {property_.iri for property_ in load_properties().values()}
    for kind in load_quantities().values():
        known |= {kind.link_iri, kind.compact_iri}
    paths = [attribute.path] + ([attribute.nearest] if attribute.nearest else [])
    ours = {step for path in paths for step in path.properties if step.startswith(BP)}
    assert ours <= known, f"{attribute.name} uses {ours - known}"


@every_attribute
def test_a_scalar_needs_one_predicate(attribute: Attribute) -> None:
    if attribute.shape in ("scalar", "entity"):
        assert len(attribute.path.properties) == 1
    if attribute.shape == "documents":
        assert all(route[-1] == "https://schema.org/url" for route in attribute.path.routes)


@every_attribute
def test_the_unit_is_that_of_the_quantities_on_the_path(attribute: Attribute) -> None:
    units = UnitTable.load()
    compact = {kind.compact_iri: kind for kind in load_quantities().values()}
    on_path = {
        units.by_alias(compact[step].unit).curie for step in attribute.path.properties if step in compact
    }
    assert on_path == ({attribute.unit} if attribute.unit else set())


def test_a_quantity_names_an_attribute_of_its_subject_or_of_a_list() -> None:
    for kind in load_quantities().values():
        if kind.attribute:
            assert kind.attribute in ATTRIBUTES, kind.key
            assert kind.subject in (ATTRIBUTES[kind.attribute].subject, "node"), kind.key


def test_partner_values_go_where_the_attribute_is_kept(root: Path) -> None:
    # The composition is for experts, although it bears on two public rows; of a further active material the
    # recycled share is public, and what it is made of is not.
    wider = {"renewableContent", "criticalRawMaterials", "materialsComposition"}
    for rule in read_table(root / "services/exchange/battery_pass.csv", ("subject", "access", "attribute")):
        for name in rule["attribute"].split():
            attribute = ATTRIBUTES[name]
            if rule["access"] and name not in wider:
                assert rule["access"] == attribute.access, (rule["path"], name)
            if rule["subject"]:
                assert rule["subject"] == attribute.subject, (rule["path"], name)


def test_an_added_row_loads(tmp_path: Path) -> None:
    def add(table: list[dict[str, str]]) -> None:
        new = {"number": "94", "name": "swellingForce", "path": "bp:swellingForceN", "unit": "", "samm": ""}
        table.append({**table[51], **new})

    attributes = load_attributes(changed(tmp_path, "attributes.csv", add))
    assert len(attributes) == 94
    assert attributes["swellingForce"].iri == BP + "swellingForce"


@pytest.mark.parametrize(
    ("column", "text", "mend"),
    [
        ("unit", "emmo:Voltt", "units.csv"),
        ("name", "batteryMass", "Line 11 holds it already"),
        ("number", "fifty", "number of the attribute"),
        ("access", "secret", "'authority', 'document'"),
        ("submodel", "misc", "'carbon-footprint'"),
        ("cardinality", "many", "1..n"),
        ("path", "bp:a//bp:b", "a step is missing"),
        ("path", "", "property path"),
        ("path", "xyz:a", "no known prefix"),
        ("nearest", "(bp:a", "not closed"),
        ("alignment", "owl:sameAs emmo:Volt", "skos:closeMatch"),
        ("alignment", "skos:closeMatch nix:Volt", "prefixes"),
        ("label_de", "", "Fill the cell"),
    ],
)
def test_a_bad_cell_is_named_with_its_mend(tmp_path: Path, column: str, text: str, mend: str) -> None:
    path = changed(tmp_path, "attributes.csv", lambda table: table[51].update({column: text}))
    with pytest.raises(BadTable, match=rf"attributes\.csv, line 53, column {column}: .*{re.escape(mend)}"):
        load_attributes(path)


def test_a_scalar_is_given() -> None:
    passport = reading((MODEL, "bp:ratedCapacityAh", 94))
    assert passport.values(ATTRIBUTES["ratedCapacity"]) == (Literal("94", datatype=node("xsd:decimal")),)
    assert passport.presence(ATTRIBUTES["ratedCapacity"]) is Presence.GIVEN


def test_documents_are_reached_through_their_nodes() -> None:
    sheet = f"{MODEL}#dismantlingInformation-1"
    passport = reading((MODEL, "bp:removalFromAppliance", sheet), (sheet, "schema:url", '"removal.pdf"'))
    assert passport.values(ATTRIBUTES["dismantlingInformation"]) == (Literal("removal.pdf"),)


def test_a_coarser_statement_is_told_from_a_missing_one() -> None:
    passport = reading(
        (MODEL, "bp:nickelContent", f"{MODEL}#nickel"), (f"{MODEL}#nickel", "bp:recycledSharePercent", 12)
    )
    assert passport.presence(ATTRIBUTES["preConsumerNickel"]) is Presence.COARSE
    assert passport.presence(ATTRIBUTES["preConsumerCobalt"]) is Presence.MISSING


def test_each_subject_holds_its_own() -> None:
    passport = reading((BATTERY, "bp:ratedCapacityAh", 94), (RECORD, "bp:passportIdentifier", '"P1"'))
    assert passport.presence(ATTRIBUTES["ratedCapacity"]) is Presence.MISSING
    assert passport.presence(ATTRIBUTES["passportIdentifier"]) is Presence.GIVEN
