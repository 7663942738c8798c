"""The search itself: it finds a canary in whatever form it leaves, and would find a leak."""

import base64
import json
from collections.abc import Mapping
from urllib.parse import quote

import pytest

from battpass.kg.errors import BattPassError
from tests.api.conftest import Served
from tests.leak.canaries import CORE, DATE, DATE_NUMBER, ENCODED_NUMBER, ROUNDED_NUMBER, Cage, found_in
from tests.leak.conftest import Caller
from tests.leak.looking import Look
from tests.leak.planting import OTHERS, Planted

CANARY = Cage().make("a canary", ("owner",))


@pytest.mark.parametrize(
    "text",
    [
        CANARY.text,
        CANARY.address,
        f"{CANARY.decimal}",
        f"{CANARY.decimal:.13e}",
        f"{int(CANARY.code):,}",
        f"{int(CANARY.code):_}".replace("_", "\u202f"),
        f"{int(CANARY.code) / 1_000:.3f}",
        f"{CANARY.decimal:.12f}".replace(".", ","),
        json.dumps({"value": CANARY.text}),
        "".join(f"\\u{ord(one):04x}" for one in CANARY.code),
        "".join(f"\\u{ord(one):04X}" for one in CANARY.code),
        "".join(f"&#{ord(one)};" for one in CANARY.code),
        "".join(f"&#x{ord(one):x};" for one in CANARY.code),
        "".join(f"%{ord(one):02X}" for one in CANARY.code),
        quote(CANARY.text),
        f"27&nbsp;182&nbsp;818&nbsp;{CANARY.number:03d}",
        f"href='/p/BPNL0{CANARY.code}'",
    ],
)
def test_canary_is_found_in_every_form(text: str) -> None:
    assert found_in(f"before {text} after") == {CANARY.number}


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
def test_canary_that_is_encoded_as_a_whole_is_found(before: str, after: str) -> None:
    whole = f"{before}{CANARY.code}{after}".encode()
    for text in (base64.b64encode(whole), base64.urlsafe_b64encode(whole), whole.hex().encode()):
        assert found_in(text.decode()) == {ENCODED_NUMBER}
    assert found_in(CANARY.code[::-1]) == {ENCODED_NUMBER}


@pytest.mark.parametrize("digits", [3, 4, 6, 8])
def test_number_that_was_rounded_is_found(digits: int) -> None:
    for text in (f"{CANARY.decimal:.{digits}f}", f"{CANARY.decimal:.{digits + 1}e}"):
        assert found_in(text) == found_in(text.replace(".", ",")) == {ROUNDED_NUMBER}


@pytest.mark.parametrize("text", [DATE, "14 July 1789", "14. Juli 1789", "17890714", "14.07.1789"])
def test_date_is_found_as_pages_and_documents_write_it(text: str) -> None:
    assert found_in(text) == {DATE_NUMBER}


@pytest.mark.parametrize(
    "text", ["", "1789", "content-length: 1789", f"{CORE}", "2718281", "27182 81", "%32"]
)
def test_what_is_no_canary_is_not_found(text: str) -> None:
    assert not found_in(text)


def test_canary_is_kept_from_all_but_its_readers() -> None:
    cage = Cage()
    seen, hidden = cage.make("seen", ("public", "owner")), cage.make("hidden", ("owner",), told=False)
    assert cage.kept_from("public") == {hidden.number}
    assert cage.kept_from("owner") == frozenset()
    assert cage.told_to("owner") == cage.told_to("public") == {seen.number}
    assert cage.leaks_in(f"{seen.code} {hidden.code}", "public") == ["hidden"]
    assert cage.leaks_in(f"{CORE}999", "owner") == ["unknown 999"]


def test_leak_is_found_where_one_is_planted(
    served: Served, planted: Planted, callers: Mapping[str, Caller]
) -> None:
    """What its owner is told would be a leak in each answer to anybody else, and is seen as one."""
    for path in (
        f"/v1/dpps/{planted.identifier('published')}",
        f"/v1/dpps/{planted.identifier('with a draft')}?stage=draft",
        f"/v1/dpps/{planted.identifier('published')}/versions",
        f"/v1/dpps/{planted.identifier('published')}/versions/2/report",
        f"/v1/dpps/{planted.identifier('published')}/versions/2/document",
        f"/v1/models/{planted.sown['draft'].model}",
        f"/p/{planted.identifier('draft')}.ttl",
    ):
        answer = served.client.get(path, headers=callers["owner"].headers)
        assert answer.status_code == 200
        mine = Look(planted.cage, "owner")
        mine.at(answer)
        assert not mine.leaks
        assert mine.found
        for name in OTHERS:
            theirs = Look(planted.cage, name)
            theirs.at(answer)
            assert len(theirs.leaks) == 1, (path, name)


def test_leak_in_a_header_is_found(planted: Planted, served: Served) -> None:
    hidden = planted.sown["draft"].canaries["partNumbers"]
    answer = served.client.get("/healthz", headers={"X-Request-ID": "plain"})
    answer.headers["etag"] = f'"{hidden.code}"'
    look = Look(planted.cage, "public")
    look.at(answer)
    assert [names for _, names in look.leaks] == [["draft: partNumbers"]]
    assert look.missing([hidden.number]) == []
    with pytest.raises(BattPassError):
        planted.home.state(planted.record("draft"), "public")
