"""The test suite of the W3C for SHACL 1.0, all 121 tests."""

from pathlib import Path

import pytest

from battpass.kg.errors import BadShapes
from battpass.kg.validation.compiled import compile_shapes
from tests.conftest import SHARED
from tests.shacl.suite import Case, cases, expected, has_messages, must_fail, quads_of, reduced

CASES = list(cases(SHARED / "w3c-shacl-tests" / "tests"))


def test_the_suite_is_whole(shared: Path) -> None:
    assert len(CASES) == 121
    assert sum(must_fail(case) for case in CASES) == 7


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_report_is_the_one_of_the_suite(case: Case, shared: Path) -> None:
    if must_fail(case):
        with pytest.raises(BadShapes):
            compile_shapes(quads_of(case.shapes))
        return

    report = compile_shapes(quads_of(case.shapes)).validate(quads_of(case.data))

    found = reduced(report.graph, messages=has_messages(case))
    assert sorted(map(str, found)) == sorted(map(str, expected(case)))
