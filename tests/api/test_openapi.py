"""What the server says of itself is committed, is what it does, and can be read by programs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from battpass.kg.home import Home, Stage
from battpass.services.api import openapi
from battpass.services.api.problems import PROBLEMS
from tests.api.conftest import MERGE, Served, another, charge, identifier_of, serving

COMMAND = "python -m battpass.services.api.openapi docs/openapi.json"
METHODS = {"get", "put", "post", "delete", "patch"}

Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def described(served: Served) -> dict[str, Any]:
    """The document as a client gets it."""
    found: dict[str, Any] = served.client.get("/openapi.json").json()
    return found


def operations(described: dict[str, Any]) -> Iterator[Operation]:
    """Yield path, method and content of each operation."""
    for path, methods in described["paths"].items():
        assert methods.keys() <= METHODS
        for method, operation in methods.items():
            yield path, method, operation


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema of a document, wherever it stands."""
    if isinstance(value, dict):
        if isinstance(value.get("schema"), dict):
            yield value["schema"]
        for inner in value.values():
            yield from schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from schemas(inner)


def whole(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema together with what it may refer to."""
    return {**schema, "components": described["components"]}


def test_the_committed_document_is_that_of_the_code(described: dict[str, Any], repository: Path) -> None:
    committed = json.loads((repository / "docs/openapi.json").read_text(encoding="utf-8"))
    assert committed == described, f"write it anew: {COMMAND}"


def test_writing_it_twice_gives_the_same_bytes(served: Served, tmp_path: Path) -> None:
    openapi.main(tmp_path / "openapi.json")
    written = (tmp_path / "openapi.json").read_text(encoding="utf-8")
    assert written == openapi.text(served.app)
    assert written.endswith("}\n")


def test_the_command_that_writes_it_stands_where_contributors_look(repository: Path) -> None:
    assert COMMAND in (repository / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_page_for_readers_names_every_request(described: dict[str, Any], repository: Path) -> None:
    page = (repository / "docs/http.md").read_text(encoding="utf-8")
    named = {
        f"{method.upper()} {path}" for path, method, _ in operations(described) if path.startswith("/v1")
    }
    assert len(named) > 10
    assert not {one for one in named if f"`{one}`" not in page}


def test_every_operation_says_what_it_is_for(described: dict[str, Any]) -> None:
    found = list(operations(described))
    assert len(found) > 20
    for path, method, operation in found:
        assert operation["summary"] and operation["description"], (path, method)
        assert not operation["summary"].endswith("."), (path, method)
        assert operation["description"].rstrip().endswith("."), (path, method)
    names = [operation["operationId"] for *_, operation in found]
    assert len(set(names)) == len(names)
    assert all(
        name == openapi.operation_id(path, method)
        for (path, method, _), name in zip(found, names, strict=True)
    )


def test_problems_are_described_as_they_come(described: dict[str, Any]) -> None:
    titles = {row.slug: row for row in PROBLEMS.values()}
    check = Draft202012Validator(whole(described, {"$ref": "#/components/schemas/ProblemBody"}))
    told = set()
    for path, method, operation in operations(described):
        for status, answer in operation["responses"].items():
            if (problem := answer.get("content", {}).get("application/problem+json")) is None:
                assert status < "400" or (path, status) == ("/readyz", "503"), (path, method, status)
                continue
            assert problem["schema"] == {"$ref": "#/components/schemas/ProblemBody"}
            for slug, shown in problem.get("examples", {}).items():
                check.validate(shown["value"])
                assert str(titles[slug].status) == status
                told.add(slug)
        assert "default" in operation["responses"], (path, method)
    # These come of the address or the machine, not of one operation.
    anywhere = {"no-such-page", "wrong-method", "home-in-use", "internal", "precondition-failed"}
    of_commands = {"unknown-term", "unknown-unit"}
    assert titles.keys() - told <= anywhere | of_commands


def test_every_schema_is_one(described: dict[str, Any]) -> None:
    found = [*described["components"]["schemas"].values(), *schemas(described)]
    assert len(found) > 50
    for schema in found:
        Draft202012Validator.check_schema(schema)
    for text in json.dumps(described).split('"$ref": "')[1:]:
        kind, name = text.partition('"')[0].rsplit("/", 1)
        assert kind == "#/components/schemas"
        assert name in described["components"]["schemas"]


def test_what_needs_a_key_says_so(served: Served, described: dict[str, Any]) -> None:
    bodies: dict[str, Any] = {"patch": {"content": b"{}", "headers": MERGE}, "put": {"content": b"{}"}}
    for path, method, operation in operations(described):
        security = operation.get("security", [{}])
        address = path.replace("{number}", "1").replace("{", "x").replace("}", "")
        status = served.client.request(method, address, **bodies.get(method, {})).status_code
        assert (status == 401) == ({} not in security), (path, method, status)
        assert ({"Key": []} in security) == ("security" in operation)
    assert described["components"]["securitySchemes"].keys() == {"Key", "KeyHeader"}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Served]:
    """A server of its own, for passports that no other test is to see."""
    with Home.open(tmp_path / "home", create=True) as home, serving(home) as server:
        yield server


def test_answers_are_as_described(empty: Served, described: dict[str, Any]) -> None:
    served, key = empty, empty.key()
    one, other = identifier_of(7_001), identifier_of(7_002)
    model = "/v1/models/{digest}"

    def ask(status: int, path: str, method: str = "GET", at: str = "", **sent: Any) -> Any:
        # The owner's dataset would have to be built first.
        headers = {**({} if path == "/sparql" else key), **sent.pop("headers", {})}
        answer = served.client.request(
            method, path.format(dpp=one, number=1, digest=at), headers=headers, **sent
        )
        assert answer.status_code == status, (path, method, answer.text)
        operation = described["paths"][path][method.lower()]
        content = operation["responses"][str(status)].get("content", {})
        if not answer.content:
            assert not content
            return answer
        media_type = answer.headers["content-type"].partition(";")[0]
        assert media_type in content, (path, method, media_type)
        schema = content[media_type].get("schema", {})
        if media_type.endswith("json") and schema.get("type") != "string":
            Draft202012Validator(whole(described, schema)).validate(answer.json())
        return answer

    for path in ("/healthz", "/readyz", "/metrics", "/"):
        ask(200, path)
    for document in (another(7_001), another(7_002)):
        ask(201, "/v1/dpps", "POST", content=document, headers={"Content-Type": "application/json"})
    ask(200, "/v1/dpps", "POST", content=another(7_001))
    ask(400, "/v1/dpps", "POST", content=b"{")
    ask(409, "/v1/dpps", "POST", content=another(7_001, {"metadata.version": "9"}))
    ask(415, "/v1/dpps", "POST", content=b"{}", headers={"Content-Type": "image/png"})
    tag = ask(200, "/v1/dpps/{dpp}").headers["etag"]
    ask(304, "/v1/dpps/{dpp}", headers={"If-None-Match": tag})
    ask(406, "/v1/dpps/{dpp}", params={"format": "pdf"})
    ask(200, "/v1/dpps")
    ask(400, "/v1/dpps", params={"limit": 0})
    change = json.dumps(charge(50)).encode()
    ask(428, "/v1/dpps/{dpp}", "PATCH", content=change, headers=MERGE)
    ask(200, "/v1/dpps/{dpp}", "PATCH", content=change, headers={**MERGE, "If-Match": tag})
    ask(412, "/v1/dpps/{dpp}", "PATCH", content=change, headers={**MERGE, "If-Match": tag})
    ask(200, "/v1/dpps/{dpp}", "PUT", content=another(7_001), headers={"If-Match": "*"})
    ask(409, "/v1/dpps/{dpp}", "PUT", content=another(7_002), headers={"If-Match": "*"})
    faulty = {"performance.rated.capacity.value": -1.0}
    ask(422, "/v1/dpps", "POST", params={"stage": "published"}, content=another(7_003, faulty))
    ask(200, "/v1/dpps/{dpp}/publish", "POST", json={"reason": "it is whole"})
    for path in ("/v1/dpps/{dpp}/versions", "/v1/dpps/{dpp}/versions/{number}"):
        ask(200, path)
    ask(200, "/v1/dpps/{dpp}/versions/{number}/report")
    ask(200, "/v1/dpps/{dpp}/versions/{number}/document")
    held = served.home.entry(other, stage=Stage.DRAFT).model.rpartition("/")[2]
    ask(200, model, at=held)
    ask(404, model, at="0" * 64)
    ask(404, f"{model}/moves", "POST", at=held, json={"to": "0" * 64, "items": "all"})
    ask(400, f"{model}/moves", "POST", at=held, json={"to": held, "items": "all"})
    corrected = another(7_004, {"performance.rated.capacity.value": 181.0})
    record = ask(201, "/v1/dpps", "POST", content=corrected).json()["record"]
    better = served.home.entry(record, stage=Stage.DRAFT).model
    ask(200, f"{model}/moves", "POST", at=held, json={"to": better, "items": [other]})
    ask(200, "/sparql", params={"query": "ASK {}"})
    ask(400, "/sparql", params={"query": "ASK {"})
    ask(200, "/sparql", "POST", data={"query": "ASK {}"})
    ask(200, "/v1/dpps/{dpp}/archive", "POST", json={"reason": "recycled"})
    ask(410, "/v1/dpps/{dpp}")
    ask(410, "/v1/dpps/{dpp}", "DELETE")
    ask(200, "/v1/dpps/{dpp}/erase", "POST")
