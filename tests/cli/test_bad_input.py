"""Input that is not as it should be: a message with the next step, an exit status, and nothing touched.

Documents that cannot be read are refused; what can be read is kept with findings, and comes back as it came.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from battpass.kg.jsontext import MAX_BYTES, MAX_DEPTH, read_json, tokens
from tests.cli.conftest import EXAMPLES, Battpass, tree

GOOD = (EXAMPLES / "passports/ev-lfp-60.json").read_bytes()
PAYLOAD = json.loads(GOOD)


def nested(depth: int) -> bytes:
    return b'{"deep": ' + b"[" * depth + b"]" * depth + b"}"


def with_version(version: str) -> bytes:
    return json.dumps({**PAYLOAD, "specVersion": f"urn:io.catenax.battery.battery_pass:{version}"}).encode()


def without_sections() -> bytes:
    return json.dumps({"identification": PAYLOAD["identification"], "general": {}}).encode()


REFUSED: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"hello", r"Line 1, column 1: .* RFC 8259"),
    "cut off": (GOOD[: len(GOOD) // 2], r"Line \d+, column \d+: .* Send one JSON document"),
    "two documents": (b"{} {}", r"Line 1, column 4: Extra data"),
    "empty": (b"", r"The document is empty\. Export it again"),
    "blank": (b" \r\n\t", r"The document is empty"),
    "a byte order mark alone": (b"\xef\xbb\xbf", r"Line 1, column 1"),
    "an array": (b"[1, 2]", r"is a JSON object; this document is array"),
    "another document": (b'{"name": "a"}', r"no battery_pass 6\.x: the sections .* ask the sender"),
    "an earlier layout": (without_sections(), r"Earlier versions have another layout; ask the sender"),
    "a wrong version": (with_version("5.0.0"), r"specVersion says battery_pass 5\.0\.0.*ask the sender"),
    "a later version": (with_version("7.0.0"), r"specVersion says battery_pass 7\.0\.0.*ask the sender"),
    "a duplicate member": (
        b'{"a": {"b": 1, "b": 2}}',
        r"object at /a names the member 'b' more than once.*Keep one",
    ),
    "a duplicate by escape": (b'{"a": 1, "\\u0061": 2}', r"names the member 'a' more than once"),
    "NaN": (b'{"a": NaN}', r"NaN is no JSON number\. Leave the member out"),
    "infinity": (b'{"a": -Infinity}', r"-Infinity is no JSON number"),
    "nested too deep": (nested(MAX_DEPTH + 1), r"nests deeper than 64 levels.*Flatten it"),
    "nested beyond any stack": (nested(100_000), r"nests deeper than 64 levels"),
    "Latin-1": ('{"a": "ü"}'.encode("latin-1"), r"Byte 7 is not UTF-8\. Save the document as UTF-8"),
    "UTF-16 cut in a character": (
        '{"a": "b"}'.encode("utf-16")[:-1],
        r"is not UTF-16\. Save the document as UTF-8",
    ),
    "too large": (b" " * MAX_BYTES + b"{}", r"16,777,218 bytes; at most 16,777,216.*One|link large files"),
    "broken Turtle": (b"@prefix bp: <https://w3id.org/battpass/ontology#> .\nbp:a bp:b", r"line 2"),
    "Turtle without a passport": (b"@prefix a: <urn:a:> .\na:b a:c a:d .", r"describes 0 passports"),
}

every_refusal = pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=list(REFUSED))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one passport and a dataset, as it stood before the bad input."""
    from typer.testing import CliRunner

    from battpass.services.cli.main import app

    folder = tmp_path_factory.mktemp("kept") / "home"
    for arguments in (["import", str(EXAMPLES / "passports/ev-na-31.json")], ["query", "ASK {}"]):
        CliRunner(env={"BATTPASS_HOME": str(folder)}).invoke(app, arguments)
    assert (folder / "datasets").is_dir()
    return folder


@every_refusal
def test_a_refused_document_leaves_everything_as_it_was(
    battpass: Battpass, kept: Path, tmp_path: Path, data: bytes, message: str
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(data)
    before = tree(kept)
    done = battpass("--home", kept, "import", bad)
    assert done.status == 2
    assert done.out == ""
    assert_says(done.err, message, "bad.json")
    assert tree(kept) == before


@every_refusal
def test_a_refused_document_makes_no_home(
    battpass: Battpass, home: Path, tmp_path: Path, data: bytes, message: str
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(data)
    assert battpass("import", bad).status == 2
    assert not home.exists()


@every_refusal
@pytest.mark.parametrize("command", ["validate", "roundtrip", "readiness"])
def test_every_command_refuses_with_the_same_message(
    battpass: Battpass, tmp_path: Path, command: str, data: bytes, message: str
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(data)
    done = battpass(command, bad)
    assert done.status == 2
    assert_says(done.err, message, "bad.json")


@pytest.mark.parametrize(
    ("command", "name", "message"),
    [
        ("import", "missing.json", "There is no such file. Look at its name"),
        ("import", "folder", "The folder holds no documents. They end in one of: .json, "),
        ("validate", "missing.json", "There is no such file. Look at its name"),
        ("validate", "folder", "The folder holds no documents. They end in one of: .json, "),
        ("roundtrip", "missing.json", "There is no such file. Look at its name"),
        ("roundtrip", "folder", "This is a folder. Name the files in it"),
    ],
)
def test_what_is_no_file_is_refused(
    battpass: Battpass, home: Path, tmp_path: Path, command: str, name: str, message: str
) -> None:
    (tmp_path / "folder").mkdir()
    done = battpass(command, tmp_path / name)
    assert done.status == 2
    assert_says(done.err, message, name)
    assert not home.exists()


def test_a_large_file_is_not_read(battpass: Battpass, tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(50 * 1024**3)
    assert_says(battpass("import", path).err, r"53,687,091,200 bytes; at most", "large.json")


# What can be read and is wrong all the same: the code of the finding, where it is, and the exit status.
def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(payload: dict[str, Any]) -> None:
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("/")[1:])
        here: Any = payload
        for step in steps:
            here = here[step]
        here[last] = value

    return change


CAPACITY = "/performance/rated/capacity/value"
WEIGHT_UNIT = "/characteristics/physicalDimension/weight/unit"
MADE = "/operation/manufacturer/manufacturingDate"
FOUND: dict[str, tuple[str, Any, str, str, int]] = {
    "an unknown member": ("/novelty", {"a": [1.50, None]}, "unknown-member", "/novelty", 0),
    "an unknown member within": (
        "/performance/rated/novelty",
        1,
        "unknown-member",
        "/performance/rated/novelty",
        0,
    ),
    "a number out of range": (CAPACITY, 1e300, "number-out-of-range", CAPACITY, 1),
    "a negative number": (CAPACITY, -180.0, "out-of-range", CAPACITY, 1),
    "a text for a number": (CAPACITY, "180", "wrong-type", CAPACITY, 1),
    "a number for a text": ("/identification/idDmc", 5, "wrong-type", "/identification/idDmc", 1),
    "null": (CAPACITY, None, "wrong-type", CAPACITY, 1),
    "an object for a list": ("/sources", {}, "wrong-type", "/sources", 1),
    "an unknown unit": (WEIGHT_UNIT, "unit:stone", "unknown-unit", WEIGHT_UNIT, 1),
    "a unit of another kind": (
        WEIGHT_UNIT,
        "unit:volt",
        "wrong-unit",
        WEIGHT_UNIT,
        1,
    ),
    "an unknown code": ("/identification/category", "XYZ", "unknown-code", "/identification/category", 1),
    "no date": (MADE, "soon", "bad-date", MADE, 1),
    "an impossible date": (MADE, "2024-02-30", "bad-date", MADE, 1),
}

every_finding = pytest.mark.parametrize(
    ("path", "value", "code", "pointer", "status"), FOUND.values(), ids=list(FOUND)
)


@every_finding
def test_what_is_wrong_is_found(
    battpass: Battpass, changed, path: str, value: Any, code: str, pointer: str, status: int
) -> None:
    done = battpass("validate", changed("ev-lfp-60", put(path, value)), "--json", "--on", "2026-12-01")
    assert done.status == status
    findings = done.document["results"][0]["findings"]
    matching = [one for one in findings if (one["code"], one["pointer"]) == (code, pointer)]
    assert len(matching) == 1, findings
    assert matching[0]["mend"], "a finding says how to mend it"


@every_finding
def test_what_is_wrong_is_kept_and_comes_back(
    battpass: Battpass, changed, path: str, value: Any, code: str, pointer: str, status: int
) -> None:
    file = changed("ev-lfp-60", put(path, value))
    done = battpass("import", file, "--json")
    assert done.status in (0, 1)
    record = done.document["results"][0]["record"]
    assert list(tokens(read_json(battpass("export", record).data))) == list(
        tokens(read_json(file.read_bytes()))
    )


def test_a_missing_section_is_found_and_stays_missing(battpass: Battpass, changed) -> None:
    file = changed("ev-lfp-60", lambda payload: payload.pop("safety"))
    done = battpass("import", file, "--json")
    assert done.status == 1
    found = [one for one in done.document["results"][0]["findings"] if one["severity"] != "info"]
    assert [one["code"] for one in found] == ["missing-section"]
    assert b'"safety"' not in battpass("export", done.document["results"][0]["record"]).data


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_other_encodings_of_unicode_are_read(battpass: Battpass, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "encoded.json"
    file.write_bytes(GOOD.decode().encode(encoding))
    assert battpass("import", file).status == 0
    assert battpass("export", PAYLOAD["metadata"]["passportIdentifier"]).data == GOOD


@pytest.mark.shared
@pytest.mark.parametrize("name", ["MaterialComposition-payload", "PerformanceAndDurability-1.2.1-payload"])
def test_official_payloads_in_utf_16_are_read(battpass: Battpass, shared: Path, name: str) -> None:
    file = shared / "batterypass-data-model/as-published-utf16" / f"{name}.json"
    assert file.read_bytes().startswith(b"\xff\xfe")
    assert read_json(file.read_bytes())
    # They are of the neighbouring data model: read, recognised as another format, and refused as that.
    done = battpass("import", file)
    assert done.status == 2
    assert_says(done.err, "no battery_pass 6", file.name)


def test_a_document_cannot_steer_the_terminal(battpass: Battpass, changed) -> None:
    file = changed("ev-lfp-60", put(MADE, "\u001b[31mred\u001b]0;title\u0007"))
    done = battpass("validate", file)
    assert done.status == 1
    assert "\\x1b[31mred" in done.out or "\\u001b[31mred" in done.out
    assert "\u001b" not in done.out + done.err


def test_half_a_surrogate_pair_comes_back(battpass: Battpass, tmp_path: Path) -> None:
    file = tmp_path / "half.json"
    file.write_bytes(GOOD.replace(b'"idDmc": "', b'"idDmc": "\\ud800'))
    assert battpass("import", file).status == 1
    assert battpass("export", PAYLOAD["metadata"]["passportIdentifier"]).data == file.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "nobody"), "There is no home of passports in"),
        (("query", "ASK {}"), "battpass import FILE"),
        (("readiness", "nobody"), "battpass demo"),
        (("serve",), "name another folder with --home or BATTPASS_HOME"),
    ],
)
def test_without_a_home_it_says_how_to_make_one(
    battpass: Battpass, home: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = battpass(*arguments)
    assert done.status == 2
    assert message in done.err
    assert not home.exists()


def test_a_folder_of_something_else_is_left_alone(battpass: Battpass, tmp_path: Path, example) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/a.txt").write_text("Dear")
    done = battpass("--home", tmp_path / "letters", "import", example("ev-na-31"))
    assert done.status == 2
    assert "holds files and is no home of passports" in done.err
    assert tree(tmp_path / "letters") == {"a.txt": b"Dear"}


def assert_says(text: str, message: str, name: str) -> None:
    """Hold that there is one message, that it names the file, and says what it should."""
    assert re.search(message, text), text
    assert name in text
    assert text.startswith("battpass: ")
    assert text.count("battpass: ") == 1
