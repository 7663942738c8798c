"""The life of a passport over HTTP: created, read, changed, published, ended, erased."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from urllib.parse import quote

import httpx
import pytest

from battpass.kg.home import Home
from battpass.services.exchange.registry import format_named, formats
from tests.api.conftest import MERGE, Served, another, charge, example, identifier_of, problem, serving

NUMBERS = count(1)
WRONG = {"identification.category": "hovercraft"}  # a code that is not in its closed list


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        Home.open(tmp_path_factory.mktemp("lives"), create=True) as home,
        serving(home, max_document_bytes=1_000_000) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def client(served: Served) -> httpx.Client:
    """Who has a key with all rights."""
    served.client.headers.update(served.key())
    return served.client


@pytest.fixture
def number() -> int:
    """A passport that no other test has."""
    return next(NUMBERS)


def post(client: httpx.Client, document: bytes, **parameters: str) -> httpx.Response:
    return client.post("/v1/dpps", content=document, params=parameters)


@pytest.fixture
def draft(client: httpx.Client, number: int) -> str:
    """The address of a draft."""
    answer = post(client, another(number))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


@pytest.fixture
def published(client: httpx.Client, number: int) -> str:
    """The address of a passport that is published."""
    answer = post(client, another(number), stage="published")
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def tag(client: httpx.Client, address: str, **parameters: str) -> dict[str, str]:
    """Return the If-Match header for what stands."""
    answer = client.get(address, params=parameters)
    assert answer.status_code == 200, answer.text
    return {"If-Match": answer.headers["etag"]}


# --- creating ------------------------------------------------------------------------------------------


def test_document_becomes_a_draft(client: httpx.Client, served: Served, number: int) -> None:
    answer = post(client, another(number))
    assert answer.status_code == 201
    told = answer.json()
    assert told == {
        "id": identifier_of(number),
        "record": f"https://w3id.org/battpass/id/p/{identifier_of(number)}",
        "version": 1,
        "sequence": served.home.sequence,
        "stage": "draft",
        "outcome": "added",
        "checked": True,
        "findings": [],
    }
    assert answer.headers["location"] == f"/v1/dpps/{identifier_of(number)}"
    assert answer.headers["sequence"] == str(served.home.sequence)
    read = client.get(answer.headers["location"])
    assert read.headers["etag"] == answer.headers["etag"]
    assert read.content == format_named("battery_pass-6.1.0").dump(served.home.passport(told["id"]))
    entry = served.home.entry(told["id"])
    assert entry.actor.startswith("key:")
    assert served.home.original(told["id"]) == another(number)


@pytest.mark.parametrize(
    ("media_type", "format"),
    [
        ("application/json", "battery_pass-6.1.0"),
        ("application/octet-stream", "battery_pass-6.1.0"),
        ("", "battery_pass-6.1.0"),
        ("application/n-quads", "n-quads"),
        ("application/ld+json; charset=utf-8", "json-ld"),
        ("application/octet-stream", "json-ld"),
    ],
)
def test_document_of_any_format_is_taken_by_type_or_by_look(
    client: httpx.Client, served: Served, number: int, media_type: str, format: str
) -> None:
    known = format_named("battery_pass-6.1.0")
    document = format_named(format).dump(known.load(another(number)).passport)
    headers = {"Content-Type": media_type} if media_type else {}
    answer = client.post("/v1/dpps", content=document, headers=headers)
    assert answer.status_code == 201, answer.text
    assert served.home.entry(answer.json()["id"]).format == format


def test_format_by_name_wins_over_the_type(client: httpx.Client, number: int) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/dpps", content=another(number), params={"format": "n-quads"}, headers=headers)
    problem(answer, 400)
    answer = client.post("/v1/dpps", content=another(number), params={"format": "pdf"}, headers=headers)
    assert "battery_pass-6.1.0" in problem(answer, 400)["detail"]


def test_the_same_document_once_more_changes_nothing(
    client: httpx.Client, served: Served, number: int
) -> None:
    first = post(client, another(number))
    before = served.home.sequence
    for document in (another(number), json.dumps(json.loads(another(number)), indent=1).encode()):
        again = post(client, document)
        assert again.status_code == 200
        assert again.json() == {**first.json(), "outcome": "unchanged"}
        assert again.headers["etag"] == first.headers["etag"]
    assert served.home.sequence == before


def test_the_same_document_once_more_is_published_where_it_was_a_draft(
    client: httpx.Client, number: int
) -> None:
    post(client, another(number))
    answer = post(client, another(number), stage="published")
    assert (answer.status_code, answer.json()["stage"], answer.json()["version"]) == (200, "published", 2)
    again = post(client, another(number), stage="published")
    assert (again.status_code, again.json()["version"]) == (200, 2)
    as_draft = post(client, another(number))
    assert (as_draft.status_code, as_draft.json()["stage"]) == (200, "published")


@pytest.mark.parametrize("stage", ["draft", "published"])
def test_another_document_under_the_same_identifier_is_a_conflict_with_a_way_out(
    client: httpx.Client, number: int, stage: str
) -> None:
    post(client, another(number), stage=stage)
    other = another(number, {"characteristics.physicalDimension.weight.value": 420.5})
    told = problem(post(client, other, stage=stage), 409)
    assert "PUT it there" in told["detail"]
    assert f"/v1/dpps/{identifier_of(number)}" in told["detail"]
    address = f"/v1/dpps/{identifier_of(number)}"
    answer = client.put(address, content=other, headers=tag(client, address))
    assert answer.status_code == 200


def test_violations_keep_a_passport_from_being_published_and_not_from_being_a_draft(
    client: httpx.Client, served: Served, number: int
) -> None:
    before = served.home.sequence
    told = problem(post(client, another(number, WRONG), stage="published"), 422)
    assert served.home.sequence == before
    (finding,) = [one for one in told["findings"] if one["pointer"] == "/identification/category"]
    assert (finding["severity"], finding["mend"] != "") == ("violation", True)
    problem(client.get(f"/v1/dpps/{identifier_of(number)}"), 404)
    kept = post(client, another(number, WRONG))
    assert kept.status_code == 201
    assert finding in kept.json()["findings"]
    again = post(client, another(number, WRONG))
    assert (again.status_code, again.json()["findings"]) == (200, kept.json()["findings"])
    told = problem(client.post(f"/v1/dpps/{identifier_of(number)}/publish"), 422)
    assert finding["code"] in {one["code"] for one in told["findings"]}


def test_only_drafts_go_without_a_check(client: httpx.Client, served: Served, number: int) -> None:
    problem(post(client, another(number), stage="published", check="false"), 400)
    answer = post(client, another(number), check="false")
    assert answer.json()["checked"] is False
    problem(client.get(f"/v1/dpps/{identifier_of(number)}/versions/1/report"), 404)
    assert client.post(f"/v1/dpps/{identifier_of(number)}/publish").json()["checked"] is True
    assert client.get(f"/v1/dpps/{identifier_of(number)}/versions/2/report").json()["blocking"] is False


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"not json", {}, 400),
        (b"{}", {"Content-Type": "application/json"}, 400),
        (b"{" * 10_000, {"Content-Type": "application/json"}, 400),
        (b"\xff\xfe\x00", {}, 400),
        (b"{}", {"Content-Type": "application/pdf"}, 415),
        (b"<a:b> <a:b> <a:b> .", {"Content-Type": "application/n-quads"}, 400),
        (b" " * 1_000_001, {}, 413),
    ],
)
def test_document_that_is_none_is_refused_and_changes_nothing(
    client: httpx.Client, served: Served, body: bytes, headers: dict[str, str], status: int
) -> None:
    before = served.home.sequence
    problem(client.post("/v1/dpps", content=body, headers=headers), status)
    assert served.home.sequence == before


@pytest.mark.parametrize("query", ["stage=archived", "stage=", "check=perhaps"])
def test_parameter_that_does_not_fit_is_named(client: httpx.Client, query: str) -> None:
    told = problem(client.post(f"/v1/dpps?{query}", content=b"{}"), 400)
    assert query.partition("=")[0] in told["detail"]


# --- reading -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [one.name for one in formats()])
def test_passport_is_read_in_every_format(client: httpx.Client, published: str, name: str) -> None:
    known = format_named(name)
    by_name = client.get(published, params={"format": name})
    assert by_name.status_code == 200
    assert by_name.headers["content-type"].partition(";")[0] == known.media_type
    if known.media_type != "application/json":
        by_type = client.get(published, headers={"Accept": known.media_type})
        assert by_type.headers["etag"].endswith(
            f'.{next(one.name for one in formats() if one.media_type == known.media_type)}"'
        )
    has_it = client.get(
        published, params={"format": name}, headers={"If-None-Match": by_name.headers["etag"]}
    )
    assert (has_it.status_code, has_it.content) == (304, b"")
    assert has_it.headers["etag"] == by_name.headers["etag"]


def test_browser_gets_data_at_the_address_of_data(client: httpx.Client, published: str) -> None:
    answer = client.get(published, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.headers["content-type"] == "application/json"
    problem(client.get(published, headers={"Accept": "image/png"}), 406)
    problem(client.get(published, params={"format": "pdf"}), 406)


def test_tag_changes_with_the_passport_and_only_then(client: httpx.Client, published: str) -> None:
    before = tag(client, published)["If-Match"]
    assert client.get(published, headers={"If-None-Match": before}).status_code == 304
    assert client.get(published, headers={"If-None-Match": f'W/{before}, "x"'}).status_code == 304
    assert client.get(published, headers={"If-None-Match": "*"}).status_code == 304
    client.patch(published, json=charge(11), headers={**MERGE, "If-Match": before})
    after = client.get(published, headers={"If-None-Match": before})
    assert after.status_code == 200
    assert after.headers["etag"] != before
    head = client.head(published)
    assert (head.headers["etag"], head.content) == (after.headers["etag"], b"")
    assert head.headers["content-length"] == str(len(after.content))


def test_passport_is_found_by_all_its_names(client: httpx.Client, published: str, number: int) -> None:
    body = client.get(published).content
    identifier, product = identifier_of(number), f"https://id.exemplar-cells.example/b/{number}"
    for address in (
        f"/v1/dpps/urn:uuid:{identifier}",
        f"/v1/dpps/{quote('https://w3id.org/battpass/id/p/' + identifier, safe='')}",
        f"/v1/dpps/{quote(product, safe='')}",
        f"/v1/dppsByProductId/{quote(product, safe='')}",
        f"/v1/dppsByProductId/{product}",
        f"/v1/dppsByIdAndDate/{identifier}?date=2999-01-01",
        f"/v1/dppsByProductIdAndDate/{quote(product, safe='')}?date=2999-01-01",
    ):
        answer = client.get(address)
        assert (answer.status_code, answer.content) == (200, body), address
    assert len(client.get(f"/v1/dpps/{quote(product, safe='')}/versions").json()["items"]) == 1


def test_passport_is_read_as_it_stood(client: httpx.Client, published: str, number: int) -> None:
    bodies = [client.get(published).json()]
    times = [datetime.now(UTC)]
    for percent in (21, 22):
        client.patch(published, json=charge(percent), headers={**MERGE, "If-Match": "*"})
        bodies.append(client.get(published).json())
        times.append(datetime.now(UTC))
    assert [one["performance"]["dynamic"]["stateOfCharge"]["value"] for one in bodies[1:]] == [21, 22]
    for version, (body, time) in enumerate(zip(bodies, times, strict=True), 1):
        assert client.get(published, params={"version": version}).json() == body
        for date in (time.isoformat(), time.isoformat().replace("+00:00", "Z")):
            assert client.get(published, params={"date": date}).json() == body
            by_date = client.get(f"/v1/dppsByIdAndDate/{identifier_of(number)}", params={"date": date})
            assert by_date.json() == body
    today = times[0].date().isoformat()
    assert client.get(published, params={"date": today}).json() == bodies[-1]
    problem(client.get(published, params={"date": "2020-01-01"}), 404)
    problem(client.get(published, params={"version": 4}), 404)
    problem(client.get(published, params={"version": 1, "date": today}), 400)
    problem(client.get(published, params={"version": 0}), 400)
    problem(client.get(published, params={"date": "yesterday"}), 400)
    problem(client.get(f"/v1/dppsByIdAndDate/{identifier_of(number)}"), 400)


def test_versions_tell_what_happened(client: httpx.Client, draft: str, number: int) -> None:
    client.post(f"{draft}/publish", json={"reason": "it is ready"})
    client.patch(draft, json=charge(31), headers={**MERGE, "If-Match": "*"}, params={"stage": "draft"})
    told = client.get(f"{draft}/versions").json()
    assert told["id"] == identifier_of(number)
    assert [(one["version"], one["stage"], one["action"]) for one in told["items"]] == [
        (1, "draft", "create"),
        (2, "published", "publish"),
        (3, "draft", "change"),
    ]
    assert told["items"][1]["reason"] == "it is ready"
    assert [one["document"] for one in told["items"]] == [True, True, False]
    for one in told["items"]:
        assert client.get(f"{draft}/versions/{one['version']}").json() == one
        assert client.get(one["href"]).status_code == 200
    assert client.get(f"{draft}/versions/1/document").content == another(number)
    assert client.get(f"{draft}/versions/1/report").json()["conforms"] is True
    problem(client.get(f"{draft}/versions/3/document"), 404)
    problem(client.get(f"{draft}/versions/9"), 404)
    problem(client.get(f"{draft}/versions/x"), 400)


def test_list_is_walked_in_parts(client: httpx.Client, served: Served) -> None:
    for _ in range(7):
        post(client, another(next(NUMBERS)), stage="draft", check="false")
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get("/v1/dpps", params={"limit": 3, "cursor": cursor})
        part = answer.json()
        assert 0 < len(part["items"]) <= 3
        found += [one["record"] for one in part["items"]]
        cursor = part["next"]
    assert found == list(served.home.records())
    line = client.get("/v1/dpps", params={"limit": 1}).json()["items"][0]
    assert client.get(line["href"]).status_code == 200
    assert any(one.startswith("https://id.exemplar-cells.example/b/") for one in line["identifiers"])
    for wrong in ({"limit": 0}, {"limit": 501}, {"limit": "x"}):
        problem(client.get("/v1/dpps", params=wrong), 400)
    assert client.get("/v1/dpps", params={"cursor": "zzz"}).json() == {"items": [], "next": None}


# --- changing ------------------------------------------------------------------------------------------


def test_change_needs_to_name_what_it_changes(client: httpx.Client, published: str) -> None:
    assert "ETag" in problem(client.patch(published, json=charge(1), headers=MERGE), 428)["detail"]
    problem(client.put(published, content=example("ev-lfp-60")), 428)
    stale = tag(client, published)
    assert client.patch(published, json=charge(41), headers={**MERGE, **stale}).status_code == 200
    problem(client.patch(published, json=charge(42), headers={**MERGE, **stale}), 412)
    problem(client.put(published, content=b"{}", headers=stale), 412)
    assert client.patch(published, json=charge(43), headers={**MERGE, "If-Match": "*"}).status_code == 200
    problem(client.patch(published, json=charge(44), headers={**MERGE, "If-Match": "no tag"}), 400)


@pytest.mark.parametrize("stage", ["draft", "published"])
def test_a_change_names_where_what_it_made_can_be_read(
    client: httpx.Client, published: str, stage: str
) -> None:
    headers = {**MERGE, "If-Match": "*"}
    changed = client.patch(published, json=charge(45), params={"stage": stage}, headers=headers)
    read = client.get(changed.headers["content-location"])
    assert read.headers["etag"] == changed.headers["etag"]
    assert read.json()["performance"]["dynamic"]["stateOfCharge"]["value"] == 45


def test_change_of_what_is_published_is_published_at_once(client: httpx.Client, published: str) -> None:
    answer = client.patch(published, json=charge(51), headers={**MERGE, **tag(client, published)})
    assert (answer.json()["stage"], answer.json()["version"], answer.json()["checked"]) == (
        "published",
        2,
        True,
    )
    assert answer.headers["etag"] == tag(client, published)["If-Match"]
    same = client.patch(published, json=charge(51), headers={**MERGE, **tag(client, published)})
    assert (same.json()["outcome"], same.json()["version"]) == ("unchanged", 2)


def test_change_that_would_violate_is_refused_where_it_would_be_published(
    client: httpx.Client, published: str
) -> None:
    wrong = {"identification": {"category": "hovercraft"}}
    before = client.get(published).content
    told = problem(client.patch(published, json=wrong, headers={**MERGE, "If-Match": "*"}), 422)
    assert told["findings"]
    assert client.get(published).content == before
    opened = client.patch(
        published, json=wrong, headers={**MERGE, "If-Match": "*"}, params={"stage": "draft"}
    )
    assert (opened.json()["stage"], opened.status_code) == ("draft", 200)
    assert opened.json()["findings"]
    assert client.get(published).content == before
    problem(client.post(f"{published}/publish"), 422)


def test_change_applies_to_the_draft_where_there_is_one(client: httpx.Client, published: str) -> None:
    stands = tag(client, published)
    opened = client.patch(published, json=charge(61), headers={**MERGE, **stands}, params={"stage": "draft"})
    assert opened.json()["stage"] == "draft"
    told = problem(client.patch(published, json=charge(62), headers={**MERGE, **stands}), 412)
    assert f"{published}?stage=draft" in told["detail"]
    match = tag(client, published, stage="draft")
    assert match["If-Match"] == opened.headers["etag"]
    changed_ = client.patch(published, json={"handling": None}, headers={**MERGE, **match})
    assert (changed_.status_code, changed_.json()["stage"]) == (200, "draft")
    as_draft = client.get(published, params={"stage": "draft"}).json()
    assert as_draft["performance"]["dynamic"]["stateOfCharge"]["value"] == 61
    assert "handling" not in as_draft
    assert tag(client, published) == stands
    assert tag(client, published, stage="published") == stands


def test_draft_is_changed_and_published_in_one_go(client: httpx.Client, draft: str) -> None:
    answer = client.patch(
        draft, json=charge(71), headers={**MERGE, **tag(client, draft)}, params={"stage": "published"}
    )
    assert answer.json()["stage"] == "published"
    problem(client.get(draft, params={"stage": "draft"}), 404)
    assert client.get(draft).json()["performance"]["dynamic"]["stateOfCharge"]["value"] == 71


@pytest.mark.parametrize("media_type", ["application/json", "application/json-patch+json", ""])
def test_change_comes_as_a_merge_patch(client: httpx.Client, draft: str, media_type: str) -> None:
    headers = {"Content-Type": media_type, "If-Match": "*"}
    assert "merge-patch+json" in problem(client.patch(draft, content=b"{}", headers=headers), 415)["detail"]


@pytest.mark.parametrize(
    "patch", [b"[1]", b"{", b'"x"', b'{"metadata": {"passportIdentifier": "urn:uuid:1"}}']
)
def test_patch_that_makes_no_passport_is_refused(client: httpx.Client, draft: str, patch: bytes) -> None:
    before = client.get(draft).content
    problem(client.patch(draft, content=patch, headers={**MERGE, "If-Match": "*"}), 400)
    assert client.get(draft).content == before


def test_whole_document_takes_the_place_of_what_stands(
    client: httpx.Client, served: Served, draft: str, number: int
) -> None:
    heavier = another(number, {"characteristics.physicalDimension.weight.value": 433.25})
    answer = client.put(draft, content=heavier, headers=tag(client, draft))
    assert (answer.status_code, answer.json()["version"], answer.json()["stage"]) == (200, 2, "draft")
    assert answer.headers["etag"] == tag(client, draft)["If-Match"]
    assert served.home.original(identifier_of(number)) == heavier
    same = client.put(draft, content=heavier, headers={"If-Match": "*"})
    assert (same.json()["outcome"], same.json()["version"]) == ("unchanged", 2)
    published = client.put(draft, content=heavier, headers={"If-Match": "*"}, params={"stage": "published"})
    assert (published.json()["stage"], published.json()["version"]) == ("published", 3)


def test_document_of_another_passport_is_refused_at_this_address(client: httpx.Client, draft: str) -> None:
    told = problem(client.put(draft, content=another(next(NUMBERS)), headers={"If-Match": "*"}), 409)
    assert "its own address" in told["detail"]


def test_nothing_is_put_or_changed_where_nothing_is(client: httpx.Client, number: int) -> None:
    address = f"/v1/dpps/{identifier_of(number)}"
    for match in ("*", '"x"'):
        problem(client.put(address, content=another(number), headers={"If-Match": match}), 404)
        problem(client.patch(address, json={}, headers={**MERGE, "If-Match": match}), 404)
    for way in ("publish", "archive", "erase"):
        problem(client.post(f"{address}/{way}"), 404)
    problem(client.delete(address), 404)


# --- publishing and ending -----------------------------------------------------------------------------


def test_draft_is_published(client: httpx.Client, served: Served, draft: str) -> None:
    match = tag(client, draft)
    problem(client.post(f"{draft}/publish", headers={"If-Match": '"old"'}), 412)
    answer = client.post(f"{draft}/publish", headers=match)
    assert (answer.status_code, answer.json()["stage"], answer.json()["version"]) == (200, "published", 2)
    again = client.post(f"{draft}/publish")
    assert (again.status_code, again.json()["outcome"], again.json()["version"]) == (200, "unchanged", 2)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"reason": 1}', b'{"reason": "' + b"x" * 1_001 + b'"}'])
def test_reason_that_is_none_is_refused(client: httpx.Client, draft: str, body: bytes) -> None:
    for way in ("publish", "archive"):
        assert "reason" in problem(client.post(f"{draft}/{way}", content=body), 400)["detail"]


@pytest.mark.parametrize("by", ["DELETE", "POST"])
def test_passport_ends(client: httpx.Client, served: Served, published: str, number: int, by: str) -> None:
    old = tag(client, published)
    client.patch(published, json=charge(81), headers={**MERGE, "If-Match": "*"})
    address = published if by == "DELETE" else f"{published}/archive"
    given = {"params": {"reason": "recycled"}} if by == "DELETE" else {"json": {"reason": "recycled"}}
    problem(client.request(by, address, headers=old, **given), 412)  # type: ignore[arg-type]
    answer = client.request(by, address, headers=tag(client, published), **given)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["stage"]) == (200, "archived")
    assert answer.headers["sequence"] == str(served.home.sequence)
    assert (
        served.home.journal.told(served.home.journal.history(answer.json()["record"])[-1]).told.reason
        == "recycled"
    )
    problem(client.request(by, address), 410)
    problem(post(client, another(number)), 410)


def test_only_what_has_ended_is_erased(client: httpx.Client, served: Served, published: str) -> None:
    assert "Archive it first" in problem(client.post(f"{published}/erase"), 409)["detail"]
    record = client.delete(published).json()["record"]
    answer = client.post(f"{published}/erase", json={"reason": "asked for"})
    assert (answer.status_code, answer.json()["stage"]) == (200, "archived")
    entries = served.home.journal.history(record)
    assert served.home.journal.text(entries[0].original) is None
    again = client.post(f"{published}/erase")
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    problem(client.get(published), 410)


def test_log_names_who_wrote_and_which_entry(client: httpx.Client, served: Served, number: int) -> None:
    answer = client.post("/v1/dpps", content=another(number), headers={"X-Request-ID": "written-1"})
    (line,) = served.logged("written-1")
    assert line["sequence"] == answer.json()["sequence"]
    assert line["actor"] == served.home.entry(answer.json()["id"]).actor
