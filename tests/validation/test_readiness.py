"""Readiness looks ahead: what is missing, by when, by which clause."""

from copy import deepcopy
from datetime import date

from battpass.kg.jsontext import Json
from battpass.kg.quantities import load_quantities
from battpass.kg.validation.places import DocumentPlaces
from battpass.kg.validation.readiness import Missing, Readiness, Standing
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from tests.validation.seeded import example, validator

TODAY, DAY = date(2026, 11, 21), date(2027, 2, 18)


def readiness(document: Json, on: date = TODAY) -> Readiness:
    loaded = BATTERY_PASS_6_1.load_document(document)
    tree = BATTERY_PASS_6_1.mapping.place
    places = DocumentPlaces(loaded.places, tree, loaded.passport, load_quantities())
    return validator(on).readiness(loaded.passport, places)


def without(*steps: str) -> Json:
    document = deepcopy(example("ev-lfp-60"))
    here = document
    for step in steps[:-1]:
        here = here[step]
    del here[steps[-1]]
    return document


def missing(found: Readiness, attribute: str) -> Missing:
    return next(
        one for section in found.sections for one in section.missing if one.attribute.name == attribute
    )


def test_a_duty_ahead_is_listed_with_its_day_clause_and_place() -> None:
    one = missing(readiness(without("performance", "rated", "capacity")), "ratedCapacity")

    assert (one.standing, one.by, one.coarse) == (Standing.DUE, DAY, False)
    assert one.text() == (
        "Rated capacity (/performance/rated/capacity/value): missing, due from 2027-02-18 "
        "[Regulation (EU) 2023/1542, Annex XIII(1)(g); Annex IV Part A(1)]"
    )


def test_on_its_day_it_is_overdue_and_the_passport_is_not_ready() -> None:
    document = without("performance", "rated", "capacity")

    assert readiness(document, date(2027, 2, 17)).ready
    found = readiness(document, DAY)
    assert not found.ready
    assert missing(found, "ratedCapacity").standing is Standing.OVERDUE


def test_what_waits_for_an_act_names_it() -> None:
    one = missing(readiness(without("sustainability", "carbonFootprint")), "cfPerformanceClass")

    assert one.standing is Standing.AWAITS
    assert "due once adopted: " in one.text()


def test_what_the_format_gives_only_coarsely_is_said() -> None:
    one = missing(readiness(example("ev-lfp-60")), "separateCollectionSymbol")

    assert one.coarse and one.pointer == "/sustainability/documents/separateCollection"
    assert "given only coarsely" in one.text()


def test_sections_count_what_is_given() -> None:
    full = readiness(example("ev-lfp-60"))
    less = readiness(without("performance", "rated", "capacity", "value"))

    assert [section.submodel for section in full.sections] == [
        "general",
        "labels",
        "carbon-footprint",
        "due-diligence",
        "materials",
        "circularity",
        "performance",
    ]
    assert all(section.given + len(section.missing) == section.asked for section in full.sections)
    assert full.sections[-1].given == less.sections[-1].given + 1
    assert next(full.lines()).startswith("General product information: ")


def test_the_published_examples_for_electric_vehicles_are_ready_in_2030() -> None:
    assert readiness(example("ev-lfp-60"), date(2030, 1, 1)).ready


def test_a_category_without_duties_says_so() -> None:
    document = deepcopy(example("ev-lfp-60"))
    document["identification"]["category"] = "portable"

    assert list(readiness(document).lines()) == [
        "This category has no passport duty (Regulation (EU) 2023/1542, Art. 77(1))."
    ]
