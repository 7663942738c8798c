"""The app around its routes: settings, problems, negotiation, the log, two apps in one process."""

import io
import json
import socket
from itertools import product
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from battpass.kg import errors
from battpass.kg.errors import (
    BadQuery,
    BattPassError,
    DamagedHome,
    DeadlineExceeded,
    NotFound,
    Overdue,
    PoolBusy,
    ProcessLost,
    QueryFailed,
    QueryRefused,
)
from battpass.kg.home import Home
from battpass.services.api import negotiation, problems
from battpass.services.api.app import create_app
from battpass.services.api.lexicon import Lexicon
from battpass.services.api.negotiation import Representation
from battpass.services.api.problems import NotAcceptable, problem_of
from battpass.services.api.settings import Settings
from battpass.services.api.tabular import cell, first_rows
from battpass.services.api.values import link_of
from tests.api.conftest import Served, changed, example, keep, problem, serving


def test_two_apps_fit_in_one_process(served: Served, tmp_path: Path) -> None:
    other_name = changed(
        example("ev-lfp-60"), {"identification.identification.type.nameAtManufacturer": "Other"}
    )
    with Home.open(tmp_path / "home", create=True) as home:
        keep(home, other_name)
        with serving(home, query_deadline_seconds=3, max_body_bytes=2_048) as other:
            query = {
                "query": "SELECT ?name { ?model schema:name ?name ; bp:ratedCapacityAh 180.0 }",
                "format": "csv",
            }
            for _ in range(3):
                assert other.client.get("/sparql", params=query).text.split() == ["name", "Other"]
                assert "Exemplar Polar 60" in served.client.get("/sparql", params=query).text
            assert len(other.client.get("/v1/dpps").json()["items"]) == 1
            assert other.app.state.site is not served.app.state.site
            body, headers = "ASK {} #" + "x" * 3_000, {"Content-Type": "application/sparql-query"}
            assert other.client.post("/sparql", content=body, headers=headers).status_code == 413
            assert served.client.post("/sparql", content=body, headers=headers).status_code == 200
    assert served.client.get("/readyz").status_code == 200


def test_pages_follow_a_write_to_the_home(tmp_path: Path) -> None:
    with Home.open(tmp_path / "home", create=True) as home, serving(home) as server:
        html = {"Accept": "text/html"}
        count = {"query": "SELECT (COUNT(*) AS ?n) { ?p a bp:BatteryPassport }", "format": "csv"}
        assert "battpass import" in server.client.get("/", headers=html).text
        keep(home, example("sta-lfp-10"))
        record = next(home.records())
        assert record.rpartition("/")[2] in server.client.get("/", headers=html).text
        assert server.client.get(f"/p/{record.rpartition('/')[2]}").status_code == 200
        newest = {"Min-Sequence": str(home.sequence)}
        assert server.client.get("/sparql", params=count, headers=newest).text.split() == ["n", "1"]
        home.archive(record)
        problem(server.client.get(f"/p/{record.rpartition('/')[2]}"), 410)
        newest = {"Min-Sequence": str(home.sequence)}
        assert server.client.get("/sparql", params=count, headers=newest).text.split() == ["n", "0"]


def test_home_that_another_process_writes_is_served_as_it_stands(tmp_path: Path) -> None:
    with Home.open(tmp_path / "home", create=True) as home:
        keep(home, example("sta-lfp-10"))
        with Home.open(tmp_path / "home", read_only=True) as reader, serving(reader) as server:
            assert server.client.get("/readyz").status_code == 200
            assert server.client.get("/readyz", params={"for": "write"}).status_code == 503
            assert len(server.client.get("/v1/dpps").json()["items"]) == 1


def test_home_in_memory_is_refused() -> None:
    with Home.in_memory() as home, pytest.raises(BattPassError, match="Open one in a folder"):
        create_app(Settings(), home)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BATTPASS_PORT", "9001")
    monkeypatch.setenv("BATTPASS_HOME", str(tmp_path))
    monkeypatch.setenv("BATTPASS_QUERY_DEADLINE_SECONDS", "0.5")
    settings = Settings()
    assert (settings.port, settings.home, settings.query_deadline_seconds) == (9001, tmp_path, 0.5)
    assert Settings(port=1).port == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 70_000),
        ("query_workers", 0),
        ("query_deadline_seconds", 0),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (QueryRefused(""), 400),
        (BadQuery(""), 400),
        (problems.UpdateRefused(""), 400),
        (NotFound(""), 404),
        (NotAcceptable(""), 406),
        (problems.BodyTooLarge(""), 413),
        (problems.UnsupportedMediaType(""), 415),
        (BattPassError(""), 500),
        (ZeroDivisionError(""), 500),
        (QueryFailed(""), 503),
        (ProcessLost(""), 503),
        (Overdue(""), 504),
        (PoolBusy(""), 503),
        (DeadlineExceeded(""), 504),
    ],
)
def test_status_of_an_error(error: Exception, status: int) -> None:
    assert problem_of(error).status == status


def test_every_error_has_a_problem_of_its_own_or_of_its_kind() -> None:
    ours = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, BattPassError)]
    assert len(ours) > 10
    # Only what is nobody's mistake outside may end as 500.
    as_500 = {one.__name__ for one in ours if problem_of(one("")).status == 500}
    assert as_500 == {"BattPassError", "BadTable", "DamagedHome"}
    assert all(one.next.endswith(".") and one.title for one in problems.PROBLEMS.values())


def test_unforeseen_error_tells_nothing_and_is_logged(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(served.app.state.site.catalogue, "find", fail)
    answer = served.client.get("/", headers={"X-Request-ID": "unforeseen-1"})
    assert "secret" not in json.dumps(problem(answer, 500))
    first, *_ = served.logged("unforeseen-1")
    assert "ZeroDivisionError: a secret of the inside" in first["exception"]
    assert served.client.get("/healthz").status_code == 200


def test_damage_is_told_to_the_log_and_not_to_the_caller(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DamagedHome("/srv/secret/journal.sqlite is damaged")

    monkeypatch.setattr(served.app.state.site.catalogue, "find", fail)
    for accept in ("application/json", "text/html"):
        answer = served.client.get("/", headers={"X-Request-ID": f"damaged-{accept[:4]}", "Accept": accept})
        assert answer.status_code == 500
        assert "secret" not in answer.text
        (line,) = served.logged(f"damaged-{accept[:4]}")
        assert line["reason"] == "DamagedHome: /srv/secret/journal.sqlite is damaged"


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_key_in_the_wrong_place_does_not_come_back(served: Served, accept: str) -> None:
    token = served.key("interest")["Authorization"].removeprefix("Bearer ")
    shown, secret = token.rsplit("_", 1)
    writer = {**served.key(), "Accept": accept}
    for method, path, sent in (
        ("GET", f"/p/{token}", {}),
        ("GET", f"/p/x.{token}", {}),
        ("GET", f"/nowhere/{token}", {}),
        ("GET", f"/v1/dpps/{token}", {}),
        ("GET", f"/v1/dpps/{token}/versions", {}),
        ("GET", f"/v1/dppsByIdAndDate/x?date={token[:40]}", {}),
        ("GET", f"/v1/models/{token}", {}),
        ("GET", f"/p/x?format={token}", {}),
        ("POST", "/v1/dpps", {"content": f'{{"{token}": }}'}),
        ("POST", f"/v1/dpps?format={token}", {"content": "{}"}),
        ("POST", "/v1/dpps", {"content": "{}", "headers": {"Content-Type": f"application/{token}"}}),
        ("POST", "/v1/models/x/moves", {"json": {"to": token, "items": [token]}}),
    ):
        headers = {**writer, **sent.pop("headers", {})}
        answer = served.client.request(method, path, headers=headers, **sent)
        assert answer.status_code >= 400, path
        assert secret not in answer.text, path
        assert secret not in str(answer.headers), path
    asked = served.client.post("/sparql", data={"query": f"SELECT * {{ ?s {token} }}"}).text
    assert secret not in asked and "Syntax error" in asked
    assert secret not in served.log.getvalue()
    assert f"{shown}_..." in served.client.get(f"/nowhere/{token}").json()["detail"]


HOSTS = (b'a"><b', b"a b", b"", b"[::1", b"\xff", b"x" * 300, b"a@b", b"a/../b?c#d")
PATHS = (
    b"/",
    b"/?q=%ff%fe",
    b"/?q=%22%3E%3Cscript%3E",
    b"/?q=urn:uuid:..%2f..%2fetc%2fpasswd",
    b"/?page=999999999&lang=%ff",
    b"/sparql",
    b"/sparql?query=ASK%7B%7D&default-graph-uri=%00",
    b"/sparql?query=%00&format=%ff",
    b"/p/%ff",
    b"/p/a.b.c",
    b"/p/.ttl",
    b"//p//x",
    b"/assets/..%2fapp.py",
    b"/nowhere%ff%00",
)


@pytest.mark.parametrize("accept", [b"text/html", b"text/turtle", b"\xff\xfe;q=\xff,;;"])
def test_odd_hosts_and_addresses_are_no_failure_of_the_server(served: Served, accept: bytes) -> None:
    port = int(served.address.rpartition(":")[2])
    for host, path in product(HOSTS, PATHS):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            head = b"GET %b HTTP/1.1\r\nHost: %b\r\nAccept: %b\r\nAccept-Language: \xff\r\n" % (
                path,
                host,
                accept,
            )
            connection.sendall(head + b"Connection: close\r\n\r\n")
            told = connection.recv(1_000)
        assert told.split()[1][:1] in (b"2", b"3", b"4"), (host, path)


def test_log_has_one_line_for_each_request(served: Served) -> None:
    served.client.get("/healthz", headers={"X-Request-ID": "logged-1"})
    (line,) = served.logged("logged-1")
    assert line.keys() >= {"event", "method", "path", "status", "ms", "level", "timestamp"}
    assert (line["method"], line["path"], line["status"]) == ("GET", "/healthz", 200)


def test_head_has_the_headers_of_get(client: httpx.Client, identifier: str) -> None:
    for address in ("/", f"/p/{identifier}", "/healthz", "/docs", "/assets/battpass.css", "/openapi.json"):
        head, get = client.head(address), client.get(address)
        assert head.status_code == get.status_code == 200
        assert head.content == b""
        for name in ("content-type", "content-length"):
            assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    ("asked", "header", "language"),
    [
        (None, None, "en"),
        (None, "de", "de"),
        (None, "de-CH, fr;q=0.9", "de"),
        (None, "fr, it", "en"),
        (None, "en;q=0.3, de;q=0.4", "de"),
        (None, "*;q=0.5, en;q=0.1", "de"),
        ("de", "en", "de"),
        ("xx", "de", "de"),
        (None, "de;q=x, en", "en"),
    ],
)
def test_language_is_chosen(asked: str | None, header: str | None, language: str) -> None:
    assert negotiation.language(asked, header) == language


HTML = Representation("html", "html", "text/html", "")
TURTLE = Representation("turtle", "ttl", "text/turtle", "")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, HTML),
        ("", HTML),
        ("*/*", HTML),
        ("text/*", HTML),
        ("text/*, text/html;q=0.1", TURTLE),
        ("TEXT/TURTLE", TURTLE),
        ("text/turtle;q=0.4, text/html;q=0.3", TURTLE),
        ("text/turtle;charset=utf-8;q=0.9, text/html;q=0.95", HTML),
        (",,; ;q=1,text/turtle", TURTLE),
        ("a" * 5_000 + ",text/turtle", None),
        ("text/html;q=2", None),
        ("image/*", None),
    ],
)
def test_representation_is_chosen(accept: str | None, chosen: Representation | None) -> None:
    if chosen is None:
        with pytest.raises(NotAcceptable):
            negotiation.choose((HTML, TURTLE), accept)
    else:
        assert negotiation.choose((HTML, TURTLE), accept) is chosen


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "java\nscript:alert(1)",
        " https://a.example/",
        "https://a.example/ b",
        "//a.example/",
        "/p/1",
        "https:a.example",
        "https://",
        "http://[::1",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://a.example/\u202e",
        "",
    ],
)
def test_addresses_that_are_no_links(address: str) -> None:
    assert link_of(address) == ""


@pytest.mark.parametrize(
    "address", ["https://a.example/b?c=d#e", "http://a.example", "mailto:a@b.example", "HTTPS://A.EXAMPLE/"]
)
def test_addresses_that_are_links(address: str) -> None:
    assert link_of(address) == address


def test_every_word_of_the_pages_is_in_both_languages() -> None:
    lexicon = Lexicon.load()
    assert not [key for key, labels in lexicon.words.items() if not labels.en or not labels.de]
    differ = [key for key, labels in lexicon.words.items() if labels.en != labels.de]
    assert len(differ) > 0.8 * len(lexicon.words)


@pytest.mark.parametrize(
    ("text", "shown", "kind"),
    [
        ("<https://w3id.org/battpass/ontology#model>", "bp:model", "iri"),
        ('"a\\tb\\"c\\u00e9"@en', 'a\tb"cé', "literal"),
        ('"14"^^<http://www.w3.org/2001/XMLSchema#decimal>', "14", "number"),
        ('"2022-06-20"^^<http://www.w3.org/2001/XMLSchema#date>', "2022-06-20", "literal"),
        ("1.5e3", "1.5e3", "number"),
        ("_:b0", "_:b0", "number"),
        ("", "", "none"),
        ('"\\U00110000"', "\\U00110000", "literal"),
    ],
)
def test_cells_of_an_answer(text: str, shown: str, kind: str) -> None:
    assert (cell(text).text, cell(text).kind) == (shown, kind)


def test_rows_are_read_across_the_seams_of_a_stream() -> None:
    whole = b"?a\t?b\n1\t2\n3\t4\n"
    for size in range(1, len(whole)):
        pieces = (whole[at : at + size] for at in range(0, len(whole), size))
        rows = first_rows(pieces)
        assert rows.head == ("a", "b")
        assert [[one.text for one in row] for row in rows.rows] == [["1", "2"], ["3", "4"]]
        assert not rows.cut


def test_log_goes_where_the_app_is_told(home: Home) -> None:
    log = io.StringIO()
    create_app(Settings(), home, log)
    assert log.getvalue() == ""
