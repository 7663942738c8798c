"""Callers: what a key opens, what is answered where it opens nothing, and what the log tells of it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from battpass.kg.access import audiences
from battpass.kg.keys import FILE, RIGHTS, Issued, KeyRing, id_in
from battpass.services.api.callers import ANONYMOUS, Caller, Forbidden, Unauthorized
from tests.api.small_app import Small


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / FILE)


@pytest.fixture
def small(ring: KeyRing) -> Small:
    return Small(ring)


@pytest.fixture
def writer(ring: KeyRing) -> Issued:
    return ring.create("owner", ["write"], "Anna Ohm")


def bearer(issued: Issued) -> dict[str, str]:
    return {"authorization": f"Bearer {issued.token}"}


def told(answer: httpx.Response) -> dict[str, Any]:
    """Return the problem of an answer without its number, which is another each time."""
    assert answer.headers["content-type"] == "application/problem+json"
    return {name: value for name, value in answer.json().items() if name != "request"}


def test_without_a_key_anybody_reads_what_is_public(small: Small) -> None:
    assert small.ask("/v1/who").json() == ["", "public", ["read"]]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_key_says_who_asks(small: Small, writer: Issued, scheme: str) -> None:
    known = [f"key:{writer.key.id}", "owner", ["read", "write"]]
    assert small.ask("/v1/who", authorization=f"{scheme} {writer.token}").json() == known
    assert small.ask("/v1/who", x_api_key=writer.token).json() == known


@pytest.mark.parametrize("audience", sorted(audiences()))
def test_a_key_of_any_audience_reads_with_its_eyes(small: Small, ring: KeyRing, audience: str) -> None:
    issued = ring.create(audience, ["read"])
    assert small.ask("/v1/who", **bearer(issued)).json()[1:] == [audience, ["read"]]


def test_a_key_without_the_right_to_read_sees_what_anybody_sees(small: Small, ring: KeyRing) -> None:
    issued = ring.create("owner", ["admin"])
    assert small.ask("/v1/who", **bearer(issued)).json()[1:] == ["public", ["admin", "read"]]


def test_keys_that_do_not_stand_are_answered_alike(small: Small, ring: KeyRing) -> None:
    now = datetime.now(UTC)
    revoked, expiring = (
        ring.create("owner", RIGHTS),
        ring.create("owner", RIGHTS, "", now + timedelta(days=1)),
    )
    ring.revoke(revoked.key.id)
    later = Small(KeyRing(ring.path, lambda: now + timedelta(days=2)))
    unknown = f"bp_{'0' * 8}_{'0' * 64}"
    answers = [
        small.ask("/v1/who", **bearer(revoked)),
        later.ask("/v1/who", **bearer(expiring)),
        small.ask("/v1/who", authorization=f"Bearer {unknown}"),
        small.ask("/v1/who", authorization=f"Bearer bp_{expiring.key.id}_{'0' * 64}"),
        small.ask("/v1/who", authorization="Bearer bp_1_2"),
        small.ask("/v1/who", authorization="Bearer"),
        small.ask("/v1/who", authorization=""),
        small.ask("/v1/who", authorization=f"Bearer {expiring.token} x"),
        small.ask("/v1/who", authorization=f"Bearer {expiring.token},{expiring.token}"),
        small.ask("/v1/who", authorization=expiring.token),
        small.ask("/v1/who", authorization=f"Basic {expiring.token}"),
        small.ask("/v1/who", authorization="Bearer é".encode("latin-1")),
        small.ask("/v1/who", x_api_key=""),
        small.ask("/v1/who", x_api_key=f"Bearer {expiring.token}"),
        small.ask("/v1/who", x_api_key=[expiring.token, expiring.token]),
        small.ask("/v1/who", authorization=[f"Bearer {expiring.token}"] * 2),
        small.ask("/v1/who", x_api_key=expiring.token, **bearer(expiring)),
        small.ask("/v1/things/a", "POST", **bearer(revoked)),
    ]
    first = answers[0]
    assert first.status_code == 401
    assert first.headers["www-authenticate"] == "Bearer"
    assert first.headers["cache-control"] == "no-store"
    for answer in answers:
        assert told(answer) == told(first)
        same = {"content-length", "content-type", "www-authenticate", "cache-control"}
        assert {name: answer.headers[name] for name in same} == {name: first.headers[name] for name in same}
        assert answer.headers.keys() == first.headers.keys()
    assert small.ask("/v1/who", **bearer(expiring)).status_code == 200


def test_what_is_revoked_is_refused_at_the_next_request(small: Small, ring: KeyRing, writer: Issued) -> None:
    assert small.ask("/v1/things/a", "POST", **bearer(writer)).status_code == 201
    KeyRing(ring.path).revoke(writer.key.id)
    assert small.ask("/v1/things/a", "POST", **bearer(writer)).status_code == 401


def test_a_right_that_is_missing_is_asked_for_or_refused(small: Small, ring: KeyRing, writer: Issued) -> None:
    reader = ring.create("owner", ["read", "publish"])
    answers = [
        small.ask("/v1/things/a", "POST"),
        small.ask("/v1/things/a", "POST", **bearer(reader)),
        small.ask("/v1/things/a", "POST", **bearer(writer)),
    ]
    assert [answer.status_code for answer in answers] == [401, 403, 201]
    assert "right to write" in told(answers[0])["detail"]
    assert "right to write" in told(answers[1])["detail"]
    assert "www-authenticate" not in answers[1].headers


@pytest.mark.parametrize("right", RIGHTS)
def test_rights_do_not_stand_for_each_other(right: str) -> None:
    caller = Caller("key:1", "owner", frozenset({right}))
    for other in RIGHTS:
        if other == right:
            caller.require(other)
            continue
        with pytest.raises(Forbidden, match=f"right to {other}"):
            caller.require(other)


def test_anybody_may_read_and_nothing_else() -> None:
    ANONYMOUS.require("read")
    for right in set(RIGHTS) - {"read"}:
        with pytest.raises(Unauthorized):
            ANONYMOUS.require(right)


@pytest.mark.parametrize(
    "query",
    [
        "key={0}",
        "x=1&access_token={0}",
        "{0}",
        "q=SELECT+{0}",
        "q=bp%5F{1}%5F{2}",
        "api_key=anything",
        "APIKEY",
    ],
)
def test_a_key_in_the_address_is_refused_with_advice(small: Small, writer: Issued, query: str) -> None:
    _, id, secret = writer.token.split("_")
    answer = small.ask("/v1/who?" + query.format(writer.token, id, secret))
    assert answer.status_code == 401
    assert "Revoke it" in told(answer)["detail"]
    assert secret not in answer.text
    assert small.ask("/v1/who?" + query.format(writer.token, id, secret), **bearer(writer)).status_code == 401


def test_words_in_an_address_are_no_keys(small: Small) -> None:
    assert small.ask("/v1/who?query=SELECT+?bp_rated_capacity_ampere_hours&key=page&bp_").status_code == 200


def test_a_secret_is_in_no_log_and_no_answer(small: Small, ring: KeyRing, writer: Issued) -> None:
    revoked = ring.create("owner", ["read"])
    ring.revoke(revoked.key.id)
    answers = []
    for issued in (writer, revoked):
        token = issued.token
        answers += [
            small.ask("/v1/who", **bearer(issued)),
            small.ask(f"/v1/who?key={token}"),
            small.ask(f"/v1/nothing/{token}"),
            small.ask(f"/v1/things/{token}", "POST", x_api_key=token),
            small.ask(f"/v1/broken?key={token}"),
            small.ask("/v1/who", authorization=f"Basic {token}", x_request_id=token),
        ]
    said = "".join(answer.text + str(answer.headers) for answer in answers) + small.log.getvalue()
    assert "a secret of the inside" in small.log.getvalue()
    for issued in (writer, revoked):
        secret = issued.token.rpartition("_")[2]
        assert secret not in said
        assert secret[:20] not in said
    assert "Anna Ohm" not in said


def test_a_damaged_file_of_keys_grants_nothing_and_names_no_path(
    small: Small, ring: KeyRing, writer: Issued
) -> None:
    ring.close()
    ring.path.write_bytes(b"no database\n" * 500)
    answer = small.ask("/v1/who", **bearer(writer))
    assert answer.status_code >= 500
    assert "Keys cannot be checked" in told(answer)["detail"]
    assert FILE not in answer.text
    assert FILE in small.log.getvalue()
    assert small.ask("/v1/who").json() == ["", "public", ["read"]]


def test_no_cache_gives_the_answer_of_one_caller_to_another(small: Small, writer: Issued) -> None:
    known = small.ask("/v1/who", **bearer(writer))
    assert known.headers["cache-control"] == "private, no-cache"
    for answer in (known, small.ask("/v1/who")):
        assert {"Authorization", "X-API-Key"} <= set(re.split(", *", answer.headers["vary"]))
    assert "private" not in small.ask("/v1/who").headers.get("cache-control", "")
    # What says that nothing may be kept at all is not made weaker.
    assert small.ask("/v1/things/a", "POST", **bearer(writer)).headers["cache-control"] == "no-store"
    assert "vary" not in small.ask("/v1/open/a").headers


def test_the_log_names_key_audience_route_and_what_was_written(small: Small, writer: Issued) -> None:
    small.ask("/v1/things/urn:uuid:1?x=hidden", "POST", **bearer(writer), x_request_id="mine-1")
    small.ask("/v1/who", x_request_id="mine-2")
    wrong = writer.token[:-1] + ("1" if writer.token.endswith("0") else "0")
    small.ask("/v1/who", authorization=f"Bearer {wrong}", x_request_id="mine-3")
    small.ask("/v1/who", x_api_key="scrawl", x_request_id="mine-4")
    small.ask("/v1/open/a", "HEAD", x_request_id="mine-5")
    small.ask("/elsewhere", x_request_id="mine-6")
    lines = {line["request"]: line for line in small.lines()}
    assert lines["mine-1"].items() >= {
        ("actor", f"key:{writer.key.id}"),
        ("audience", "owner"),
        ("route", "/v1/things/{name}"),
        ("method", "POST"),
        ("status", 201),
        ("sequence", 7),
    }
    assert lines["mine-1"]["ms"] >= 0
    assert lines["mine-2"]["audience"] == "public"
    assert not lines["mine-2"].keys() & {"actor", "sequence", "refused"}
    assert (lines["mine-3"]["refused"], lines["mine-3"]["status"]) == (id_in(writer.token), 401)
    assert lines["mine-4"]["refused"] == "ill-formed"
    assert (lines["mine-5"]["method"], lines["mine-5"]["route"]) == ("HEAD", "/v1/open/{name}")
    assert (lines["mine-6"]["route"], lines["mine-6"]["status"]) == ("", 404)
    assert "hidden" not in small.log.getvalue()
    assert "192.0.2.1" not in small.log.getvalue()


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/v1/who", "GET", 200),
        ("/v1/stream", "GET", 200),
        ("/v1/things/a", "POST", 401),
        ("/v1/nowhere", "GET", 404),
        ("/v1/who", "PATCH", 405),
        ("/v1/broken", "GET", 500),
        ("/v1/open/a", "HEAD", 200),
    ],
)
def test_every_answer_carries_the_number_of_its_request(
    small: Small, path: str, method: str, status: int
) -> None:
    given = small.ask(path, method, x_request_id="given-1")
    assert (given.status_code, given.headers["x-request-id"]) == (status, "given-1")
    own = small.ask(path, method)
    assert own.headers["x-request-id"] in {line["request"] for line in small.lines()}
