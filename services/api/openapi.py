"""What the server says of itself as OpenAPI 3.1. `docs/openapi.json` is written from the code:

python -m battpass.services.api.openapi docs/openapi.json
"""

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from battpass.services.api.bodies import FindingBody, ProblemBody
from battpass.services.api.problems import MEDIA_TYPE

# Operations that answer only who has a key. All others take one, too, and then answer with more.
_Scheme = dict[str, list[str]]
_KEY: _Scheme = {"Key": []}
_KEY_HEADER: _Scheme = {"KeyHeader": []}
_PROBLEM = {"$ref": "#/components/schemas/ProblemBody"}
_WITHOUT = {"/healthz", "/readyz", "/docs"}
_SCHEMES = {
    "Key": {"type": "http", "scheme": "bearer", "description": "a key that reads bp_ID_SECRET"},
    "KeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "the same key"},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the document of an app; it is made once."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            routes=app.routes,
        )
        for path, operations in found["paths"].items():
            for method, operation in operations.items():
                _settle(path, method, operation)
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        problem.pop("$defs")
        schemas["ProblemBody"] = problem
        schemas.setdefault("FindingBody", FindingBody.model_json_schema())
        found["components"]["schemas"] = dict(sorted(schemas.items()))
        found["components"]["securitySchemes"] = _SCHEMES
        app.openapi_schema = found
    return app.openapi_schema


def text(app: FastAPI) -> str:
    """Return the document as it is committed: equal code gives equal bytes."""
    return json.dumps(describe(app), indent=2, ensure_ascii=False) + "\n"


def _settle(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    # Parameters that do not fit are 400 here, in the same form as every other problem.
    if "HTTPValidationError" in json.dumps(responses.get("422", {})):
        del responses["422"]
    for answer in responses.values():
        for media_type, content in answer.get("content", {}).items():
            if media_type == MEDIA_TYPE:
                content["schema"] = _PROBLEM
    responses["default"] = {"description": "Any other problem", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
    operation["responses"] = dict(sorted(responses.items()))
    if path not in _WITHOUT:
        is_closed = path == "/metrics" or (path.startswith("/v1") and method != "get")
        anybody: list[_Scheme] = [] if is_closed else [{}]
        operation["security"] = [*anybody, _KEY, _KEY_HEADER]
    operation.setdefault("description", f"{operation['summary']}.")
    operation["operationId"] = operation_id(path, method)


def operation_id(path: str, method: str) -> str:
    """Return the name of an operation.

    >>> operation_id("/v1/dpps/{dpp}/versions", "get"), operation_id("/", "get")
    ('get_v1_dpps_dpp_versions', 'get_root')
    """
    words = re.findall(r"\w+", path.replace(".", "_")) or ["root"]
    return "_".join((method, *words))


def main(target: Path) -> None:
    """Write the document of an app over an empty home."""
    from battpass.kg.home import Home
    from battpass.services.api.app import create_app
    from battpass.services.api.settings import Settings

    with (
        tempfile.TemporaryDirectory() as folder,
        Home.open(Path(folder) / "home", create=True) as home,
    ):
        target.write_text(text(create_app(Settings.model_validate({}), home)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
