"""What is told beside the data gives nothing away: errors, the log, figures, health, the data carrier."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from io import BytesIO
from itertools import product
from urllib.parse import quote

import httpx
import pytest
import segno

from battpass.kg.home import Home
from battpass.kg.journal import schema
from battpass.kg.journal.entry import Stage
from tests.api.conftest import MERGE, Served, changed, problem, serving
from tests.leak.canaries import found_in
from tests.leak.conftest import Caller
from tests.leak.looking import Look
from tests.leak.planting import ALL_TO_THE_OWNER, AUDIENCES, OTHERS, READERS, Planted
from tests.leak.questions import NEVER

# What a line of the log may say.
MEMBERS = {
    *("request", "method", "path", "route", "status", "ms", "event", "level", "timestamp"),
    *("audience", "actor", "refused", "sequence", "reason"),
}


@pytest.fixture(scope="module")
def writable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Planted, Served]]:
    """A home of its own that may be changed, with a passport that is published and has a draft."""
    with Home.open(tmp_path_factory.mktemp("writable") / "home", create=True) as home:
        planted = Planted(home)
        home.put(planted.sow("published", READERS).arrival, **planted.note("published"))
        draft = planted.sow("published", ALL_TO_THE_OWNER, "draft").arrival
        home.put(draft, stage=Stage.DRAFT, **planted.note("draft"))
        with serving(home, ready=False) as server:
            yield planted, server


def unfit(planted: Planted, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield requests about a passport that do not fit."""
    path = f"/v1/dpps/{planted.identifier(name)}"
    for query in (
        *("format=pdf", "version=0", "version=one", "version=1&date=2999-01-01", "date=yesterday"),
        *("stage=archived", "stage=draft&date=2999-01-01", "version=99999999999999999999"),
    ):
        yield f"{path}?{query}", {}
    yield f"{path}/versions/0", {}
    yield f"{path}/versions/one/report", {}
    yield f"{path}/versions/1/original", {}
    yield f"{path}/", {}
    yield f"/p/{planted.identifier(name)}.pdf", {}
    yield f"/p/{planted.identifier(name)}/qr.png", {}
    yield f"/v1/dppsByIdAndDate/{planted.identifier(name)}", {}
    yield path, {"Accept": "image/png"}
    yield path, {"If-None-Match": "no tag"}
    yield path, {"If-Match": "no tag"}


@pytest.mark.parametrize("name", OTHERS)
def test_requests_that_do_not_fit_are_told_so_whatever_stands_there(
    served: Served, planted: Planted, callers: Mapping[str, Caller], name: str
) -> None:
    look = Look(planted.cage, name)
    asked = (unfit(planted, one) for one in ("draft", "archived draft", NEVER))
    for accept, questions in product(("*/*", "text/html"), list(zip(*asked, strict=True))):
        answers = set()
        for one, (path, headers) in zip(("draft", "archived draft", NEVER), questions, strict=True):
            sent = {"Accept": accept, **headers, **callers[name].headers}
            answer = look.at(served.client.get(path, headers=sent))
            text = answer.text.replace(planted.identifier(one), "ID")
            answers.add((answer.status_code, text.replace(answer.headers["x-request-id"], "N")))
        assert len(answers) == 1, questions
    assert not look.leaks


@pytest.mark.parametrize("name", ["published", "with a draft", "draft"])
def test_data_carrier_holds_the_name_and_nothing_else(
    served: Served, planted: Planted, callers: Mapping[str, Caller], name: str
) -> None:
    image = BytesIO()
    segno.make(planted.record(name), error="m", micro=False).save(
        image, kind="svg", border=2, light="#fff", omitsize=True, svgclass=None, lineclass=None, nl=False
    )
    for caller in callers.values():
        path = f"/p/{planted.identifier(name)}/qr.svg"
        answer = served.client.get(path, headers=caller.headers)
        if name == "draft" and caller.audience != "owner":
            problem(answer, 404)
        else:
            assert answer.content == image.getvalue()


def test_health_and_figures_tell_of_no_passport(
    served: Served, planted: Planted, callers: Mapping[str, Caller]
) -> None:
    names = {one for name in planted.numbers for one in (planted.identifier(name), planted.product(name))}
    for name in names:
        served.client.get(f"/v1/dpps/{name}")  # asked for, so that it could be counted
    for path, (name, caller) in product(
        ("/healthz", "/readyz", "/readyz?for=write", "/metrics"), callers.items()
    ):
        answer = served.client.get(path, headers=caller.headers)
        if path == "/metrics" and name != "administrator":
            problem(answer, 401 if name == "public" else 403)
        else:
            assert answer.status_code == 200
            assert not found_in(answer.text)
            assert not [one for one in names if one in answer.text]


def test_errors_about_the_inside_tell_nobody_what_is_inside(tmp_path_factory: pytest.TempPathFactory) -> None:
    """An entry that is damaged is quoted in the log; who asks learns that something is wrong, and no more."""
    with Home.open(tmp_path_factory.mktemp("damaged") / "home", create=True) as home:
        planted = Planted(home)
        draft = planted.sow("published", ALL_TO_THE_OWNER, "draft").arrival
        kept = home.put(draft, stage=Stage.DRAFT, **planted.note("draft"))
        home.put(planted.sow("published", READERS).arrival, **planted.note("published"))
        assert home.folder is not None
        with closing(sqlite3.connect(home.folder / schema.FILE)) as connection:
            connection.execute("UPDATE entries SET hash = zeroblob(32) WHERE sequence = ?", (kept.sequence,))
            connection.commit()
        with serving(home, ready=False) as server:
            look = Look(planted.cage, "public")
            path = f"/v1/dpps/{planted.identifier('published')}"
            for address, accept in product(
                (path, f"{path}/versions", f"{path}?version=1"), ("*/*", "text/html")
            ):
                look.at(server.client.get(address, headers={"Accept": accept}))
            problem(server.client.get(f"{path}/versions"), 500)
            assert not look.leaks
            assert "does not have its hash" in server.log.getvalue()


def wrong_writes(planted: Planted) -> Iterator[tuple[str, str, bytes, dict[str, str]]]:
    """Yield writes that their owner gets wrong, with values of the passport in them."""
    path = f"/v1/dpps/{planted.identifier('published')}"
    document = planted.sown["draft"].arrival.original
    value = planted.sown["draft"].canaries["partNumbers"].text
    any_ = {**MERGE, "If-Match": "*"}
    yield "POST", "/v1/dpps", document[:-40], {}
    yield "POST", "/v1/dpps", json.dumps({"specVersion": value}).encode(), {}
    yield "POST", "/v1/dpps?check=false", changed(document, {"surprise": value + "!"}), {}
    yield "POST", f"/v1/dpps?stage=published&format={'x' * 20}", document, {}
    yield "PUT", path, document, {}
    yield "PUT", path, document, {"If-Match": '"never"'}
    other = {"metadata.passportIdentifier": f"urn:uuid:{planted.identifier(NEVER)}"}
    yield "PUT", f"{path}?check=false", changed(document, other), {"If-Match": "*"}
    yield "PUT", f"{path}?stage=published", document, {"If-Match": "*"}
    yield "PATCH", path, json.dumps(value).encode(), any_
    yield (
        "PATCH",
        f"{path}?check=false",
        json.dumps({"metadata": {"passportIdentifier": value}}).encode(),
        any_,
    )
    yield "PATCH", f"{path}?format=turtle", json.dumps({"surprise": value}).encode(), any_
    yield "PATCH", f"{path}?stage=published", json.dumps({"operation": {"manufacturer": None}}).encode(), any_
    yield "PATCH", path, b"{}", {**MERGE, "If-Match": f'"{found_in(value)}'}
    yield "POST", f"{path}/publish", json.dumps({"reason": value * 99}).encode(), {}
    yield "POST", f"{path}/archive", json.dumps({"why": value}).encode(), {"If-Match": '"never"'}
    yield "POST", f"{path}/erase", json.dumps({"reason": value}).encode(), {}
    model = planted.sown["draft"].model
    yield "POST", f"/v1/models/{model}/moves", json.dumps({"to": value, "items": "all"}).encode(), {}


def test_log_holds_nothing_of_what_was_written_asked_or_told(writable: tuple[Planted, Served]) -> None:
    planted, server = writable
    owner, look = server.key(), Look(planted.cage, "owner")
    for method, path, body, headers in wrong_writes(planted):
        answer = server.client.request(method, path, content=body, headers={**owner, **headers})
        assert 400 <= look.at(answer).status_code < 500, (method, path, answer.text)
    assert look.found, "no error told its owner what was wrong with it"
    path = f"/v1/dpps/{planted.identifier('published')}"
    value = planted.sown["draft"].canaries["partNumbers"].text
    patch = json.dumps({"handling": {"applicable": False}, "surprise": value}).encode()
    answer = server.client.patch(
        f"{path}?check=false", content=patch, headers={**owner, **MERGE, "If-Match": "*"}
    )
    assert answer.status_code == 200, answer.text
    asked: tuple[tuple[str, dict[str, str]], ...] = (
        ("/", {"q": value}),
        ("/sparql", {"query": f'SELECT * {{ ?s ?p "{value}" }}'}),
        ("/sparql", {"query": f'ASK {{ ?s ?p "{planted.cage.all[1].code}" }}'}),
        (path, {"format": value[:90]}),
        (path, {"date": value[:50]}),
        (path, {"stage": value}),
        (f"{path}/versions", {}),
        (f"{path}/versions/1/document", {}),
        ("/v1/dpps", {"cursor": value}),
    )
    for (address, parameters), headers in product(asked, ({}, owner, {**owner, "Accept": "text/html"})):
        server.client.get(address, params=parameters, headers={**headers, "User-Agent": quote(value)})
    text = server.log.getvalue()
    assert not planted.cage.names(found_in(text))
    for entry in server.entries():
        assert entry.keys() <= MEMBERS, entry
    assert len(server.entries()) > 30


def test_log_holds_no_key_wherever_it_was_sent(writable: tuple[Planted, Served]) -> None:
    planted, server = writable
    token = server.key()["Authorization"].removeprefix("Bearer ")
    secret = token.rpartition("_")[2]
    path = f"/v1/dpps/{planted.identifier('published')}"
    answers: list[httpx.Response] = [
        server.client.get(path, params={"api_key": token}),
        server.client.get(f"/v1/dpps/{token}"),
        server.client.get("/", params={"q": token}, headers={"Accept": "text/html"}),
        server.client.get(path, headers={"Authorization": token}),
        server.client.get(path, headers={"X-Request-ID": token}),
        server.client.post("/v1/dpps", content=token.encode(), headers=server.key()),
        server.client.post("/sparql", data={"query": token, "key": token}),
    ]
    assert secret not in server.log.getvalue()
    assert not [answer.url for answer in answers if secret in answer.text]


@pytest.mark.parametrize("name", AUDIENCES)
def test_writes_that_would_conflict_tell_strangers_nothing_of_what_stands(
    writable: tuple[Planted, Served], name: str
) -> None:
    """The values sent are wrong beside what stands there, which an error would have to quote."""
    planted, server = writable
    look = Look(planted.cage, "public")
    path = f"/v1/dpps/{planted.identifier('published')}"
    charge = {"performance": {"dynamic": {"stateOfCharge": {"value": 1.5}}}}
    for way, body in product(
        ("?format=json-ld", "?stage=draft", "?stage=published", "?check=false"),
        (charge, {"metadata": {"passportIdentifier": "x"}}, {"materials": None}, []),
    ):
        for method, match in product(("PATCH", "PUT"), ("*", '"x"')):
            sent = {**server.key(name, "read"), **MERGE, "If-Match": match}
            answer = server.client.request(method, path + way, content=json.dumps(body), headers=sent)
            problem(look.at(answer), 401 if name == "public" else 403)
    assert not look.found
