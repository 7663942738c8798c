"""`validate` and `readiness`: what is wrong, what is missing, by when and by which clause."""

import pytest

from tests.cli.conftest import Battpass

CAPACITY = "/performance/rated/capacity/value"


def negative(payload) -> None:
    payload["performance"]["rated"]["capacity"]["value"] = -180.0


def without_capacity(payload) -> None:
    del payload["performance"]["rated"]["capacity"]


def starting(payload) -> None:
    payload["identification"]["category"] = "SLI"


@pytest.mark.parametrize("name", ["ev-lfp-60", "lmt-lco-03", "ind-lead-37", "sta-lfp-10"])
def test_an_example_conforms(battpass: Battpass, example, name: str) -> None:
    done = battpass("validate", example(name), "--on", "2026-12-01", "--json")
    assert done.status == 0
    assert done.document["results"][0]["conforms"]


def test_a_finding_says_where_what_is_allowed_how_to_mend_it_and_the_clause(
    battpass: Battpass, changed
) -> None:
    file = changed("ev-lfp-60", negative)
    done = battpass("validate", file, "--on", "2026-12-01")
    assert done.status == 1
    lines = done.out.splitlines()
    assert lines[0] == f"{file}: EV, held against 2026-12-01: 1 violation"
    assert lines[1].split() == ["violation", "Rated", "capacity", CAPACITY]
    assert [line.split()[0] for line in lines[2:6]] == ["found", "allowed", "mend", "clause"]
    assert "-180 Ah" in lines[2]
    assert "2023/1542" in lines[5]


def test_one_file_after_the_other_is_checked(battpass: Battpass, example, changed, tmp_path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    done = battpass("validate", bad, example("ev-na-31"), changed("ev-lfp-60", negative), "--json")
    assert done.status == 2
    first, second, third = done.document["results"]
    assert first["error"] and second["conforms"] and not third["conforms"]


def test_a_duty_ahead_is_advice_and_on_its_day_a_violation(battpass: Battpass, changed) -> None:
    file = changed("ev-lfp-60", without_capacity)

    def of_rated_capacity(on: str) -> tuple[int, list[str]]:
        done = battpass("readiness", file, "--on", on, "--json")
        missing = [one for part in done.document["sections"] for one in part["missing"]]
        return done.status, [one["standing"] for one in missing if one["attribute"] == "ratedCapacity"]

    assert of_rated_capacity("2027-02-17") == (0, ["due"])
    assert of_rated_capacity("2027-02-18") == (1, ["overdue"])


def test_readiness_lists_each_sub_model_with_day_clause_and_place(battpass: Battpass, changed) -> None:
    done = battpass("readiness", changed("ev-lfp-60", without_capacity), "--on", "2026-12-01")
    lines = [line.strip() for line in done.out.splitlines()]
    for title in ("General product information", "Carbon footprint", "Performance and durability"):
        assert any(line.startswith(f"{title}: ") for line in lines)
    at = lines.index("due 2027-02-18      Rated capacity")
    assert lines[at + 1].startswith("/performance/rated")
    assert "Regulation (EU) 2023/1542" in lines[at + 2]


def test_readiness_of_a_kept_passport_is_that_of_its_document(battpass: Battpass, example) -> None:
    battpass("import", example("ev-lfp-60"))
    kept = battpass(
        "readiness", "urn:uuid:0bd91ad9-e0f0-4bcf-984e-eee4fe00a5d3", "--on", "2027-03-01", "--json"
    )
    file = battpass("readiness", example("ev-lfp-60"), "--on", "2027-03-01", "--json")
    assert kept.document == file.document
    assert any(one["pointer"] for part in kept.document["sections"] for one in part["missing"])


def test_a_category_without_duty_says_so(battpass: Battpass, changed) -> None:
    done = battpass("readiness", changed("ev-lfp-60", starting))
    assert done.status == 0
    assert "no passport duty" in done.out


@pytest.mark.parametrize("day", ["tomorrow", "2027-13-01"])
def test_a_day_that_is_none_is_refused(battpass: Battpass, example, day: str) -> None:
    done = battpass("readiness", example("ev-lfp-60"), "--on", day)
    assert done.status == 2
    assert "%Y-%m-%d" in done.err


def test_an_unknown_passport_is_refused(battpass: Battpass, example) -> None:
    battpass("import", example("ev-lfp-60"))
    done = battpass("readiness", "nobody")
    assert done.status == 2
    assert "Name it by its UUID" in done.err
