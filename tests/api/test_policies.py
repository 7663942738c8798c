"""Policies over HTTP: what becomes of a write with violations, and who is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from battpass.kg.home import Home
from tests.api.conftest import MERGE, Served, another, identifier_of, problem, serving

BAD = {"performance.rated.capacity.value": -180.0}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def lax(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that is set to record what has violations."""
    yield from _served(tmp_path_factory.mktemp("lax"), policy="record")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that is set to reject what has violations."""
    yield from _served(tmp_path_factory.mktemp("strict"), policy="reject")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server without a policy."""
    yield from _served(tmp_path_factory.mktemp("plain"))


def _served(folder: Path, **settings: Any) -> Iterator[Served]:
    with Home.open(folder, create=True) as home, serving(home, ready=False, **settings) as server:
        yield server


def post(served: Served, number: int, query: str, changes: dict[str, Any] | None = BAD) -> Any:
    headers = served.key("owner") | JSON
    return served.client.post(f"/v1/dpps{query}", content=another(number, changes), headers=headers)


def violations(content: Any) -> list[str]:
    return [one["field"] for one in content["findings"] if one["severity"] == "violation"]


def test_reject_keeps_nothing_of_it_and_tells_the_findings(strict: Served) -> None:
    for query in ("", "?stage=published"):
        said = problem(post(strict, 1, query), 422)
        assert said["type"].endswith("#rejected")
        assert [one["field"] for one in said["findings"] if one["severity"] == "violation"] == [
            "Rated capacity"
        ]
    assert len(strict.home) == 0
    assert post(strict, 2, "?stage=published", None).status_code == 201


def test_reject_takes_nothing_unchecked_and_no_change_for_the_worse(strict: Served) -> None:
    assert "all is checked" in problem(post(strict, 3, "?check=false", None), 400)["detail"]
    assert post(strict, 4, "", None).status_code == 201
    patch = {"performance": {"rated": {"capacity": {"value": -1}}}}
    headers = strict.key("owner") | MERGE | {"If-Match": "*"}
    answer = strict.client.patch(f"/v1/dpps/{identifier_of(4)}", json=patch, headers=headers)
    assert problem(answer, 422)["type"].endswith("#rejected")
    assert len(strict.home.versions(identifier_of(4))) == 1


def test_without_a_policy_publishing_is_refused_and_quarantine_is_to_be_asked_for(plain: Served) -> None:
    assert problem(post(plain, 1, "?stage=published"), 422)["type"].endswith("#unpublishable")
    assert len(plain.home) == 0
    answer = post(plain, 1, "?stage=published&policy=quarantine")
    assert (answer.status_code, answer.json()["stage"]) == (201, "draft")
    assert violations(answer.json()) == ["Rated capacity"]
    again = post(plain, 1, "?stage=published&policy=quarantine")
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert plain.client.get(f"/v1/dpps/{identifier_of(1)}").status_code == 404


def test_a_caller_may_be_stricter_than_the_server_and_not_laxer(plain: Served, strict: Served) -> None:
    said = problem(post(plain, 5, "?stage=published&policy=record"), 403)
    assert "laxer" in said["detail"] and "BATTPASS_POLICY" in said["detail"]
    assert problem(post(plain, 5, "?policy=reject"), 422)["type"].endswith("#rejected")
    problem(post(strict, 5, "?policy=quarantine"), 403)
    problem(post(plain, 5, "?policy=whatever"), 400)


def test_record_publishes_and_tells_nobody_but_the_owner(lax: Served) -> None:
    done = post(lax, 1, "?stage=published")
    assert (done.status_code, done.json()["stage"]) == (201, "published")
    name = identifier_of(1)
    own = lax.client.get(f"/v1/dpps/{name}/versions/1", headers=lax.key("owner"))
    assert own.json()["violations"] == 1
    report = lax.client.get(f"/v1/dpps/{name}/versions/1/report", headers=lax.key("owner"))
    assert report.json()["blocking"] is True
    words = "which only the economic operator is told"
    owners = {**lax.key("owner"), "Accept": "text/html"}
    assert words in lax.client.get(f"/p/{name}", headers=owners).text

    for audience in ("public", "interest", "authority"):
        key = lax.key(audience)
        found = lax.client.get(f"/v1/dpps/{name}/versions/1", headers=key).json()
        assert found["violations"] is None and found["checked"] is None
        problem(lax.client.get(f"/v1/dpps/{name}/versions/1/report", headers=key), 404)
        page = lax.client.get(f"/p/{name}", headers={**key, "Accept": "text/html"}).text
        assert words not in page and "iolation" not in page


def test_a_draft_with_violations_is_published_where_they_are_recorded(lax: Served) -> None:
    assert post(lax, 2, "").json()["stage"] == "draft"
    address = f"/v1/dpps/{identifier_of(2)}/publish"
    assert problem(lax.client.post(address + "?policy=quarantine", headers=lax.key("owner")), 422)
    done = lax.client.post(address, headers=lax.key("owner"))
    assert (done.status_code, done.json()["stage"]) == (200, "published")


def test_items_that_are_moved_follow_the_policy_of_the_server(lax: Served) -> None:
    assert post(lax, 10, "?stage=published", None).status_code == 201
    assert post(lax, 11, "?stage=published").status_code == 201
    good, bad = (lax.home.entry(identifier_of(number)).model for number in (10, 11))
    assert good != bad
    order = {"to": bad, "items": [identifier_of(10)]}
    address = f"/v1/models/{good.rpartition('/')[2]}/moves"
    (moved,) = lax.client.post(address, json=order, headers=lax.key("owner")).json()["items"]
    assert (moved["stage"], moved["version"]) == ("published", 2)
    assert lax.home.violations(lax.home.entry(identifier_of(10))) == 1
