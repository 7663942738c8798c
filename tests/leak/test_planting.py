"""The home of the leak tests holds a canary in each place that it should, and in no other."""

import pytest

from battpass.kg.access import audiences
from battpass.kg.graphs import AccessClass
from tests.leak.canaries import DATE_NUMBER, found_in
from tests.leak.places import ATTRIBUTES, DATED, FURTHER, IN_DOCUMENT, IN_GRAPH, IN_SUPPLEMENT
from tests.leak.planting import READERS, Planted


def test_each_attribute_that_is_not_public_has_one_way_in() -> None:
    ways = [*IN_DOCUMENT, *IN_SUPPLEMENT, *DATED, *IN_GRAPH]
    assert sorted(ways) == sorted(ATTRIBUTES)
    assert len(ATTRIBUTES) > 30


def test_who_reads_what_is_what_the_access_table_says() -> None:
    table = audiences()
    for access in AccessClass:
        assert {name for name, reader in table.items() if reader.reads(access)} == set(READERS[access])


@pytest.mark.parametrize("label", ["published, changed", "with a draft", "draft"])
def test_each_canary_stands_in_the_graph_of_its_class_and_in_no_other(planted: Planted, label: str) -> None:
    sown = planted.sown[label]
    state = planted.home.state(sown.arrival.record)
    found: dict[AccessClass, set[int]] = {access: set() for access in AccessClass}
    for parts in (state.item, state.model_parts):
        for access, text in parts.items():
            found[access] |= found_in(text.decode())
    for access in AccessClass:
        expected = {one.number for place, one in sown.canaries.items() if sown.classes[place] == access}
        assert planted.cage.names(found[access] - {DATE_NUMBER}) == planted.cage.names(expected)


def test_date_is_of_the_battery_alone(planted: Planted) -> None:
    record = planted.record("published")
    entry = planted.home.versions(record)[1]
    state = planted.home.state(record, version=entry.version)
    found = {access for access, text in state.item.items() if DATE_NUMBER in found_in(text.decode())}
    assert found == {AccessClass.ITEM}
    assert len(FURTHER) > 10
