"""Every figure in a page is one of a result file: none is typed in, and none is left behind by a new run."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.campaigns import Campaign
from benchmarks.figures import NOT_YET, PAGE, NoSuchFigure, page, quoting, renewed, results
from benchmarks.harness import Comparison, Measure, Timing

RENEW = "write it anew: python -m benchmarks.figures"
# What a measurement looks like. Code, what is quoted from a result, and settings are something else.
LOOKS_MEASURED = re.compile(
    r"\d[\d.,]*\s?(?:[mµ]s\b|times (?:as|faster)|(?:ms|seconds?|minutes?|[KMG]i?B)\b)"
)
NO_PROSE = re.compile(r"```.*?```|<!-- figure: .*?<!-- end -->|`[^`\n]*`", re.S)
# The pages that speak of speed and size; the others have limits and settings, which the code gives.
SPEAKING = [path for path in quoting() if path.name in ("README.md", "design.md", "index.md")]


def test_the_page_of_figures_is_that_of_the_result_files() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(results()), RENEW


@pytest.mark.parametrize("path", quoting(), ids=lambda path: path.name)
def test_a_page_quotes_figures_as_the_result_files_have_them(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert renewed(text, results()) == text, RENEW
    assert text.count("<!-- figure:") == text.count("<!-- end -->")


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: path.name)
def test_no_measurement_is_typed_in(path: Path) -> None:
    prose = NO_PROSE.sub("", path.read_text(encoding="utf-8"))
    assert not LOOKS_MEASURED.findall(prose), "quote it from a result file; see benchmarks/figures.py"


def test_a_typed_in_measurement_is_found() -> None:
    said = "Takes 3.1 ms, and 20 times as fast: <!-- figure: a; b -->4 ms<!-- end -->, `5 ms`."
    assert LOOKS_MEASURED.findall(NO_PROSE.sub("", said)) == ["3.1 ms", "20 times as"]


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., dict]:
    """Write figures as full runs do, under names that have a script, and return the results."""

    def write(name: str, figures: object) -> dict:
        assert Campaign(seed=7, full=True, results=tmp_path).record(name, "a few cases", figures)
        return results(tmp_path)

    return write


def test_a_measure_is_told_with_its_unit_and_what_was_found_beside_it(recorded) -> None:
    row = Measure("read one", 1234.5, "us", {"p99_ms": 2.0, "statuses": {"200": 3, "503": 1}}).figures()
    [figure] = recorded("journal", [row])["journal"].figures
    assert (figure.case, figure.text) == ("read one", "1,234 µs")
    assert figure.more == "p99 2 ms, statuses (200: 3, 503: 1)"


def test_a_comparison_is_told_by_its_rival(recorded) -> None:
    sides = Timing("ours", (1.0, 1.0), 10), Timing("rival", (2.0, 4.0), 10)
    [figure] = recorded("mapping", [Comparison("map", *sides).figures()])["mapping"].figures
    assert (figure.case, figure.text) == ("map, against rival", "3 times as fast")
    assert "ours 10 a second" in figure.more


def test_figures_of_a_campaign_are_told_by_their_names(recorded) -> None:
    found = recorded("tampering", {"rounds": 5000, "missed": 0, "by place": {"log": {"found": 3}}})
    told = [(one.case, one.text) for one in found["tampering"].figures]
    assert told == [("rounds", "5,000"), ("missed", "0"), ("by place: log", "found 3")]
    assert found["tampering"].claim.startswith("Whatever is changed, dropped or added in a journal file")


def test_a_section_says_commit_seed_and_machine(recorded, tmp_path: Path) -> None:
    text = page(recorded("queries", {"a|b": 1}))
    written = json.loads((tmp_path / "queries.json").read_text())
    for said in (
        written["commit"],
        "seed 7",
        f"{written['machine']['cores']} cores",
        "on a few cases",
        "a\\|b",
    ):
        assert said in text


def test_a_quoted_figure_follows_the_result_file(recorded) -> None:
    quoted = "It takes <!-- figure: journal; read -->9 s<!-- end --> here."
    found = recorded("journal", [Measure("read one of 50,000", 2.0, "ms").figures()])
    assert renewed(quoted, found) == "It takes <!-- figure: journal; read -->2 ms<!-- end --> here."
    assert renewed(quoted, {}) == f"It takes <!-- figure: journal; read -->{NOT_YET}<!-- end --> here."


@pytest.mark.parametrize("case", ["write", "re"])
def test_a_figure_that_is_none_or_not_one_is_refused(recorded, case: str) -> None:
    rows = [Measure(name, 1, "s").figures() for name in ("read one", "read all")]
    with pytest.raises(NoSuchFigure, match="read one; read all"):
        renewed(f"<!-- figure: journal; {case} --><!-- end -->", recorded("journal", rows))
