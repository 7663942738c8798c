"""What goes into a home comes out of it again, whether it is kept in memory or in a folder."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from battpass.kg.errors import BadDocument, NotFound
from battpass.kg.graphs import AccessClass
from battpass.kg.home import Arrival, Home, Stage, Written
from battpass.services.exchange.registry import format_named
from tests.home.conftest import NAMES, arrival, document


def worn(payload: dict[str, Any]) -> None:
    payload["performance"]["dynamic"]["fullCycles"]["value"] = 1234


def keep(home: Home, arrivals: tuple[Arrival, ...]) -> list[Written]:
    return home.put_many(arrivals, trusted=True, actor="somebody", reason="A delivery")


def outcomes(written: list[Written]) -> list[str]:
    return [one.outcome for one in written]


def test_passports_come_out_as_they_went_in(home: Home, arrivals: tuple[Arrival, ...]) -> None:
    assert outcomes(keep(home, arrivals)) == ["added"] * 3
    for one, name in zip(arrivals, NAMES, strict=True):
        loaded = format_named(one.format).load(document(name))
        assert home.passport(one.record) == loaded.passport
        assert home.original(one.record) == document(name)


def test_export_of_a_kept_passport_has_the_bytes_of_its_document(home: Home, arrivals) -> None:
    keep(home, arrivals)
    for one in arrivals:
        assert format_named(one.format).dump(home.passport(one.record)) == one.original


def test_an_entry_tells_who_brought_what_from_where_and_why(home: Home, arrivals) -> None:
    (written, *_) = keep(home, arrivals)
    entry = home.entry(arrivals[0].record)
    assert (entry.version, entry.sequence) == (written.version, written.sequence) == (1, 3)
    assert (entry.actor, entry.told.reason) == ("somebody", "A delivery")
    assert (entry.format, entry.told.source) == (arrivals[0].format, f"{NAMES[0]}.json")
    assert entry.told.identifiers == arrivals[0].identifiers
    assert entry.checked is False


def test_findings_are_kept_with_the_passport(home: Home) -> None:
    def mistype(payload: dict[str, Any]) -> None:
        payload["operation"]["manufacturer"]["manufacturingDate"] = "soon"

    one = arrival(NAMES[0], mistype)
    assert one.findings
    home.put(one, trusted=True)
    assert home.entry(one.record).told.findings == one.findings


def test_the_same_documents_again_change_nothing(home: Home, arrivals) -> None:
    before = keep(home, arrivals)
    sequence = home.sequence
    again = keep(home, arrivals)
    assert outcomes(again) == ["unchanged"] * 3
    assert [one.sequence for one in again] == [one.sequence for one in before]
    assert (len(home), home.sequence) == (3, sequence)


def test_a_changed_document_makes_a_new_version_and_the_old_one_stays(home: Home, arrivals) -> None:
    keep(home, arrivals)
    changed = arrival(NAMES[0], worn)
    written = home.put(changed, trusted=True)
    assert (written.outcome, written.version) == ("replaced", 2)
    assert len(home) == 3
    assert home.original(changed.record) == changed.original
    assert home.original(changed.record, 1) == arrivals[0].original
    assert home.state(changed.record).item == changed.item
    assert home.state(changed.record, version=1).item == arrivals[0].item
    assert [entry.version for entry in home.versions(changed.record)] == [1, 2]


def test_a_state_is_found_by_the_time_at_which_it_stood(home: Home, arrivals) -> None:
    keep(home, arrivals)
    first = home.entry(arrivals[0].record)
    changed = arrival(NAMES[0], worn)
    home.put(changed, trusted=True)
    second = home.entry(changed.record)
    assert home.state(changed.record, at=first.time).item == arrivals[0].item
    assert home.state(changed.record, at=second.time).item == changed.item
    with pytest.raises(NotFound):
        home.state(changed.record, at=first.time.replace(year=2020))


def test_of_two_documents_of_one_passport_the_later_counts(home: Home, arrivals) -> None:
    changed = arrival(NAMES[0], worn)
    written = home.put_many([arrivals[0], changed], trusted=True)
    assert [one.sequence for one in written] == [home.sequence] * 2
    assert [entry.version for entry in home.versions(changed.record)] == [1]
    assert home.original(changed.record) == changed.original


@pytest.mark.parametrize(
    "name",
    [
        "{record}",
        "{uuid}",
        "{UUID}",
        "urn:uuid:{uuid}",
        "p/{uuid}",
        "{record}#battery",
        "p/{uuid}#battery",
        "{battery}",
    ],
)
def test_a_passport_is_found_by_each_of_its_names(home: Home, arrivals, name: str) -> None:
    keep(home, arrivals)
    record = arrivals[0].record
    uuid = record.rpartition("/")[2]
    battery = next(one for one in arrivals[0].identifiers if not one.startswith("urn:uuid:"))
    asked = name.format(record=record, uuid=uuid, UUID=uuid.upper(), battery=battery)
    assert home.find(asked) == record
    assert home.find(asked, "public") == record


def test_an_unknown_name_says_how_to_name_a_passport(home: Home) -> None:
    with pytest.raises(NotFound, match="UUID, its IRI or the identifier"):
        home.passport("nobody")


def test_a_model_record_is_no_passport(home: Home, arrivals) -> None:
    keep(home, arrivals)
    with pytest.raises(NotFound):
        home.state(arrivals[0].model)
    assert arrivals[0].model not in set(home.records())


def test_a_name_of_two_batteries_is_refused(home: Home, arrivals) -> None:
    def twin(payload: dict[str, Any]) -> None:
        payload["metadata"]["passportIdentifier"] = "urn:uuid:00000000-0000-4000-8000-000000000001"

    home.put_many([arrivals[0], arrival(NAMES[0], twin)], trusted=True)
    shared = next(one for one in arrivals[0].identifiers if "urn:" not in one)
    with pytest.raises(NotFound, match="More than one"):
        home.find(shared)


def test_a_failure_on_the_way_keeps_none_of_a_batch(home: Home, arrivals) -> None:
    keep(home, arrivals[:1])

    def broken() -> Iterator[Arrival]:
        yield from arrivals[1:]
        raise BadDocument("the third file")

    with pytest.raises(BadDocument):
        home.put_many(broken(), trusted=True)
    assert list(home.records()) == [arrivals[0].record]
    assert outcomes(keep(home, arrivals)) == ["unchanged", "added", "added"]


def test_items_share_their_model_record(home: Home, arrivals) -> None:
    keep(home, arrivals)
    assert arrivals[0].model == arrivals[1].model != arrivals[2].model
    assert home.sequence == 5, "two model records and three items"
    shown = [home.state(one.record).model_parts for one in arrivals[:2]]
    assert shown[0] == shown[1] == arrivals[0].model_parts


def test_an_audience_gets_what_it_may_read(home: Home, arrivals) -> None:
    keep(home, arrivals)
    public = home.passport(arrivals[0].record, "public")
    assert set(public.item_graphs) | set(public.model_graphs) == {AccessClass.PUBLIC}
    whole = home.state(arrivals[0].record, "owner")
    assert (whole.item, whole.model_parts) == (arrivals[0].item, arrivals[0].model_parts)


def test_an_unknown_audience_is_told_the_known_ones(home: Home, arrivals) -> None:
    keep(home, arrivals)
    with pytest.raises(NotFound, match="authority, interest, owner, public"):
        home.dataset("everybody")
    with pytest.raises(NotFound, match="authority, interest, owner, public"):
        home.state(arrivals[0].record, "everybody")


def test_a_passport_without_document_says_so(home: Home, arrivals) -> None:
    home.put(replace(arrivals[0], original=b"", format=""), trusted=True)
    with pytest.raises(NotFound, match="came without a document"):
        home.original(arrivals[0].record)


def test_a_passport_that_was_not_checked_has_no_report(home: Home, arrivals) -> None:
    keep(home, arrivals)
    with pytest.raises(NotFound, match="came without a validation report"):
        home.report(arrivals[0].record)


def test_a_document_that_stands_is_recognised(home: Home, arrivals) -> None:
    home.put(arrivals[0], stage=Stage.DRAFT)
    assert home.holds(arrivals[0].original) == arrivals[0].record
    assert home.holds(arrivals[1].original) == ""
    home.put(arrival(NAMES[0], worn), stage=Stage.DRAFT)
    assert home.holds(arrivals[0].original) == "", "another document stands now"
