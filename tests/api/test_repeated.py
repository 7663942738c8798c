"""What anybody reads is answered again as it was, and only while it would be answered so anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from battpass.kg.home import Home, Stage
from battpass.services.api.reading import Reading
from tests.api.conftest import Served, arrival, changed, example, keep, serving

EACH_TIME = {"date", "x-request-id"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with Home.open(tmp_path / "home", create=True) as home:
        keep(home, example("ev-lfp-60"), example("lmt-nmc532-05"))
        with serving(home) as server:
            yield server


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the passports that were looked for, so not answered from what was kept."""
    names: list[str] = []
    known = Reading.known

    def counted(self: Reading, name: str, audience: str) -> Any:
        names.append(name)
        return known(self, name, audience)

    monkeypatch.setattr(Reading, "known", counted)
    return names


def address(server: Served, number: int = 0) -> str:
    return f"/v1/dpps/{list(server.home.records())[number].rpartition('/')[2]}"


def test_an_answer_is_given_again_with_all_its_headers(server: Served, found: list[str]) -> None:
    path = address(server)
    first, again = server.client.get(path), server.client.get(path, headers={"X-Request-ID": "again"})
    assert len(found) == 1
    assert again.content == first.content and again.status_code == 200
    told = [{k: v for k, v in one.headers.items() if k not in EACH_TIME} for one in (first, again)]
    assert told[0] == told[1]
    assert again.headers["X-Request-ID"] == "again"
    assert server.client.head(path).headers["content-length"] == first.headers["content-length"]
    (line,) = [line for line in server.logged("again") if "ms" in line]
    assert (line["route"], line["audience"], line["status"]) == ("/v1/dpps/{dpp:path}", "public", 200)
    assert 'battpass_http_requests_total{method="GET",route="/v1/dpps/{dpp:path}",status="200"} 2.0' in (
        server.client.get("/metrics", headers=server.key("owner")).text
    )


def test_other_questions_get_answers_of_their_own(server: Served) -> None:
    path = address(server)
    given = [
        server.client.get(path),
        server.client.get(path, headers={"Accept": "text/turtle"}),
        server.client.get(path, params={"format": "jsonld"}),
        server.client.get(address(server, 1)),
    ]
    assert len({answer.content for answer in given}) == 4
    for answer in given:
        asked = answer.request
        repeated = server.client.get(asked.url, headers={"Accept": asked.headers["Accept"]})
        assert repeated.content == answer.content


def test_what_was_written_is_read_by_the_next(server: Served) -> None:
    path = address(server)
    document = server.client.get(path).content
    version = "7.7.7"
    server.home.put(
        arrival(changed(document, {"metadata.version": version})), stage=Stage.PUBLISHED, trusted=True
    )
    assert server.client.get(path).json()["metadata"]["version"] == version


def test_conditions_and_origins_are_heard_each_time(server: Served) -> None:
    path = address(server)
    for _ in range(2):
        answer = server.client.get(path)
        assert server.client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        of_page = server.client.get(path, headers={"Origin": "https://example.org"})
        assert of_page.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_nothing_of_a_reader_with_a_key_is_kept_for_anybody(server: Served, found: list[str]) -> None:
    path, key = address(server), server.key("owner")
    whole = server.client.get(path, headers=key).content
    public = server.client.get(path).content
    assert len(public) < len(whole)
    assert server.client.get(path).content == public
    assert server.client.get(path, headers=key).content == whole
    assert len(found) == 3
    stranger = {"Authorization": "Bearer bp_00000000_" + "0" * 64}
    assert server.client.get(path, headers=stranger).status_code == 401


def test_what_is_not_there_is_asked_for_each_time(server: Served, found: list[str]) -> None:
    for _ in range(2):
        assert server.client.get("/v1/dpps/nothing").status_code == 404
    assert len(found) == 2


def test_little_room_keeps_what_was_asked_for_last(tmp_path: Path, found: list[str]) -> None:
    document = example("ev-lfp-60")
    with Home.open(tmp_path / "home", create=True) as home:
        names = [f"urn:uuid:00000000-0000-4000-8000-{number:012}" for number in range(80)]
        keep(home, *(changed(document, {"metadata.passportIdentifier": name}) for name in names))
        with serving(home, remembered_mb=1) as server:
            paths = [address(server, number) for number in range(80)]
            for path in paths:
                server.client.get(path)
            found.clear()
            server.client.get(paths[-1])
            assert found == []
            server.client.get(paths[0])
            assert len(found) == 1
