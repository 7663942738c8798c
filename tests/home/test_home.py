"""What goes into a home comes out of it again, whether it is kept in memory or in a folder."""

from collections.abc import Iterator

import pytest

from battpass.kg.errors import BadDocument, NotFound
from battpass.kg.graphs import AccessClass
from battpass.kg.home import Arrival, Home
from battpass.services.exchange.registry import format_named
from tests.home.conftest import NAMES, arrival, document


def test_passport_comes_out_as_it_went_in(home: Home, arrivals) -> None:
    assert home.put_many(arrivals) == ["added"] * 3
    for one in arrivals:
        assert home.passport(one.passport.record) == one.passport
        assert home.original(one.passport.record) == one.original


def test_export_of_a_kept_passport_has_the_bytes_of_its_document(home: Home, arrivals) -> None:
    home.put_many(arrivals)
    for one in arrivals:
        assert format_named(one.format).dump(home.passport(one.passport.record)) == one.original


def test_a_document_goes_in_as_its_format_loads_it(home: Home) -> None:
    data = document(NAMES[0])
    loaded = format_named("battery_pass-6.1.0").load(data)
    assert home.put(loaded, data, format="battery_pass-6.1.0", source="a.json") == "added"
    kept = home.kept(loaded.passport.record)
    assert (kept.format, kept.source, kept.findings) == ("battery_pass-6.1.0", "a.json", loaded.findings)


def test_findings_are_kept_with_the_passport(home: Home) -> None:
    def mistype(payload) -> None:
        payload["operation"]["manufacturer"]["manufacturingDate"] = "soon"

    one = arrival(NAMES[0], mistype)
    assert one.findings
    home.put_many([one])
    assert home.kept(one.passport.record).findings == one.findings


def test_the_same_document_again_changes_nothing(home: Home, arrivals) -> None:
    home.put_many(arrivals)
    before = home.state
    assert home.put_many(arrivals) == ["unchanged"] * 3
    assert len(home) == 3
    if home.folder is not None:
        assert home.state == before


def test_a_changed_document_replaces_its_passport(home: Home, arrivals) -> None:
    home.put_many(arrivals)

    def wear(payload) -> None:
        payload["performance"]["dynamic"]["fullCycles"]["value"] = 1234

    changed = arrival(NAMES[0], wear)
    assert home.put_many([changed]) == ["replaced"]
    assert len(home) == 3
    assert home.passport(changed.passport.record) == changed.passport
    assert home.original(changed.passport.record) == changed.original


def test_of_two_documents_of_one_passport_the_later_counts(home: Home, arrivals) -> None:
    def wear(payload) -> None:
        payload["performance"]["dynamic"]["fullCycles"]["value"] = 1234

    changed = arrival(NAMES[0], wear)
    assert home.put_many([arrivals[0], changed, changed]) == ["added", "replaced", "unchanged"]
    assert home.original(changed.passport.record) == changed.original


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
    home.put_many(arrivals)
    record = arrivals[0].passport.record
    uuid = record.rpartition("/")[2]
    battery = next(one for one in home.kept(record).identifiers if not one.startswith("urn:uuid:"))
    asked = name.format(record=record, uuid=uuid, UUID=uuid.upper(), battery=battery)
    assert home.find(asked) == record


def test_an_unknown_name_says_how_to_name_a_passport(home: Home) -> None:
    with pytest.raises(NotFound, match="UUID, its IRI or the identifier"):
        home.passport("nobody")


def test_a_name_of_two_batteries_is_refused(home: Home, arrivals) -> None:
    def twin(payload) -> None:
        payload["metadata"]["passportIdentifier"] = "urn:uuid:00000000-0000-4000-8000-000000000001"

    home.put_many([arrivals[0], arrival(NAMES[0], twin)])
    shared = next(one for one in home.kept(arrivals[0].passport.record).identifiers if "urn:" not in one)
    with pytest.raises(NotFound, match="More than one"):
        home.find(shared)


def test_a_failure_on_the_way_keeps_none_of_a_batch(home: Home, arrivals) -> None:
    home.put_many(arrivals[:1])

    def broken() -> Iterator[Arrival]:
        yield arrivals[1]
        yield arrivals[2]
        raise BadDocument("the third file")

    with pytest.raises(BadDocument):
        home.put_many(broken())
    assert list(home.records()) == [arrivals[0].passport.record]
    assert home.put_many(arrivals) == ["unchanged", "added", "added"]


def test_a_removed_passport_is_gone(home: Home, arrivals) -> None:
    home.put_many(arrivals)
    home.remove(arrivals[0].passport.record)
    assert len(home) == 2
    with pytest.raises(NotFound):
        home.passport(arrivals[0].passport.record)
    # The model that it shared stays, as the other battery of it does.
    assert home.passport(arrivals[1].passport.record) == arrivals[1].passport


def test_an_unknown_name_among_those_to_remove_removes_none(home: Home, arrivals) -> None:
    home.put_many(arrivals)
    with pytest.raises(NotFound):
        home.remove(arrivals[0].passport.record, "nobody")
    assert len(home) == 3


def test_an_audience_gets_what_it_may_read(home: Home, arrivals) -> None:
    home.put_many(arrivals)
    public = home.passport(arrivals[0].passport.record, "public")
    assert set(public.item_graphs) | set(public.model_graphs) == {AccessClass.PUBLIC}
    assert home.passport(arrivals[0].passport.record, "owner") == arrivals[0].passport


def test_an_unknown_audience_is_told_the_known_ones(home: Home, arrivals) -> None:
    home.put_many(arrivals)
    with pytest.raises(NotFound, match="authority, interest, owner, public"):
        home.dataset("everybody")


def test_a_passport_without_document_says_so(home: Home, arrivals) -> None:
    home.put_many([Arrival(arrivals[0].passport)])
    with pytest.raises(NotFound, match="came without a document"):
        home.original(arrivals[0].passport.record)
