"""`import`, `export` and `roundtrip` on good documents."""

import json
from pathlib import Path

import pytest

from battpass.kg.home import Home
from battpass.services.exchange.registry import formats
from tests.cli.conftest import EXAMPLES, Battpass, tree

NAMES = ("ev-lfp-60", "lmt-lco-03", "sta-lfp-10")


def uuid(path: Path) -> str:
    return str(json.loads(path.read_bytes())["metadata"]["passportIdentifier"]).removeprefix("urn:uuid:")


def test_an_imported_passport_is_exported_byte_for_byte(battpass: Battpass, example) -> None:
    files = [example(name) for name in NAMES]
    done = battpass("import", *files)
    assert done.status == 0
    assert [line.split()[0] for line in done.out.splitlines()[:3]] == ["added"] * 3
    assert "keeps 3 passports." in done.out
    for file in files:
        assert battpass("export", uuid(file)).data == file.read_bytes()


def test_importing_again_says_what_changed(battpass: Battpass, home: Path, example, changed) -> None:
    battpass("import", example("ev-lfp-60"))
    before = tree(home)
    assert battpass("import", example("ev-lfp-60")).out.startswith("unchanged")
    assert tree(home) == before

    def wear(payload) -> None:
        payload["performance"]["dynamic"]["fullCycles"]["value"] = 1234

    assert battpass("import", changed("ev-lfp-60", wear)).out.startswith("replaced")


def test_a_bad_file_among_good_ones_is_skipped_and_reported(
    battpass: Battpass, example, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    done = battpass("import", example("ev-lfp-60"), bad, example("lmt-lco-03"))
    assert done.status == 2
    assert "keeps 2 passports." in done.out
    assert done.err.startswith(f"battpass: {bad}: Line 1, column 2")


def test_with_stop_a_bad_file_keeps_the_others_out(
    battpass: Battpass, home: Path, example, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    battpass("import", example("ev-lfp-60"))
    before = tree(home)
    done = battpass("import", "--on-error", "stop", example("lmt-lco-03"), example("sta-lfp-10"), bad)
    assert done.status == 2
    assert f"{bad}: Line 1" in done.err and "Nothing of this import was kept." in done.err
    assert tree(home) == before


def test_import_gives_one_result_per_file(battpass: Battpass, example, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    done = battpass("import", "--json", bad, example("ev-lfp-60"))
    first, second = done.document["results"]
    assert (first["outcome"], second["outcome"]) == ("refused", "added")
    assert first["error"].startswith("Line 1")
    assert second["format"] == "battery_pass-6.1.0"


def test_standard_input_is_a_file_too(battpass: Battpass, example) -> None:
    done = battpass("import", "-", given=example("ev-lfp-60").read_bytes())
    assert (done.status, done.out.split()[0]) == (0, "added")


@pytest.mark.parametrize("name", [known.name for known in formats()])
def test_every_format_can_be_exported(battpass: Battpass, example, name: str) -> None:
    battpass("import", example("ev-lfp-60"))
    done = battpass("export", uuid(example("ev-lfp-60")), "--format", name)
    assert done.status == 0
    assert done.data


@pytest.mark.parametrize("name", ["n-quads", "json-ld"])
def test_rdf_goes_into_another_home_and_gives_the_same_document(
    battpass: Battpass, example, tmp_path: Path, name: str
) -> None:
    battpass("import", example("ev-lfp-60"))
    rdf = tmp_path / "passport.rdf"
    assert battpass("export", uuid(example("ev-lfp-60")), "-f", name, "-o", rdf).status == 0
    other = tmp_path / "other"
    assert battpass("--home", other, "import", rdf).status == 0
    done = battpass("--home", other, "export", uuid(example("ev-lfp-60")), "-f", "battery_pass-6.1.0")
    assert done.data == example("ev-lfp-60").read_bytes()


def test_an_unknown_format_is_told_the_known_ones(battpass: Battpass, example) -> None:
    battpass("import", example("ev-lfp-60"))
    done = battpass("export", uuid(example("ev-lfp-60")), "--format", "xlsx")
    assert done.status == 2
    assert all(known.name in done.err for known in formats())


def test_export_goes_into_a_file(battpass: Battpass, example, tmp_path: Path) -> None:
    battpass("import", example("ev-lfp-60"))
    target = tmp_path / "out.json"
    done = battpass("export", uuid(example("ev-lfp-60")), "--output", target)
    assert target.read_bytes() == example("ev-lfp-60").read_bytes()
    assert str(target) in done.out
    done = battpass("export", uuid(example("ev-lfp-60")), "--output", tmp_path / "none/out.json")
    assert done.status == 2
    assert "cannot be written" in done.err


def test_an_export_for_the_public_leaves_the_rest_out(battpass: Battpass, example) -> None:
    battpass("import", "--publish", example("ev-lfp-60"))
    whole = battpass("export", uuid(example("ev-lfp-60")), "-f", "n-quads").data
    public = battpass("export", uuid(example("ev-lfp-60")), "-f", "n-quads", "--audience", "public").data
    graphs = {line.rsplit(b"/", 1)[1] for line in public.splitlines()}
    assert graphs == {b"public> ."}
    assert len(public) < len(whole)


def test_roundtrip_says_equal_and_how_much_is_understood(battpass: Battpass, example) -> None:
    done = battpass("roundtrip", example("ev-lfp-60"), example("lmt-lco-03"))
    assert done.status == 0
    assert done.out.count(", equal, ") == 2
    assert "leaves understood" in done.out


@pytest.mark.shared
@pytest.mark.parametrize("version", ["6.0.0", "6.1.0"])
def test_official_example_comes_back_equal_and_is_understood(
    battpass: Battpass, shared: Path, version: str
) -> None:
    file = shared / "catena-x/battery_pass" / version / "BatteryPass.json"
    done = battpass("roundtrip", file, "--json")
    assert done.status == 0
    found = done.document["results"][0]
    assert found["equal"]
    assert found["share"] >= 0.95
    assert (
        len(found["understanding"]["rest"])
        == found["understanding"]["leaves"] - found["understanding"]["understood"]
    )


def test_an_import_while_another_process_writes_says_who(battpass: Battpass, home: Path, example) -> None:
    with Home.open(home, create=True):
        done = battpass("import", example("ev-lfp-60"))
    assert done.status == 2
    assert "writes to" in done.err and "End it or wait for it" in done.err
    assert battpass("import", example("ev-lfp-60")).status == 0


def test_all_examples_come_in_clean(battpass: Battpass) -> None:
    files = sorted((EXAMPLES / "passports").glob("*.json"))
    done = battpass("import", *files, "--json")
    assert done.status == 0
    assert [result["outcome"] for result in done.document["results"]] == ["added"] * len(files)
