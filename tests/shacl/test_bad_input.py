"""Bad input through the library, by record and in columns; commands and HTTP have tests of their own."""

from collections import Counter

import pytest

from battpass.kg.errors import BadShapes, DeadlineExceeded
from battpass.kg.validation.compiled import Compiled
from tests.shacl.bad_input import BAD_INPUT
from tests.shacl.turtle import compiled, quads

STOPPED = [name for name, bad in BAD_INPUT.items() if bad.stopped]
FOUND = [name for name, bad in BAD_INPUT.items() if not bad.stopped and not bad.refused]


def made(name: str) -> Compiled:
    return compiled(BAD_INPUT[name].shapes)


@pytest.mark.parametrize("name", [name for name, bad in BAD_INPUT.items() if bad.refused])
def test_bad_shapes_are_refused_in_words(name: str) -> None:
    with pytest.raises(BadShapes, match=r"^The shapes cannot be used\. In .*\.$") as refused:
        made(name)

    assert BAD_INPUT[name].refused in str(refused.value)
    assert len(str(refused.value)) < 1_000


@pytest.mark.parametrize("name", FOUND)
def test_what_the_standard_asks_for_is_found(name: str) -> None:
    validator, data = made(name), quads(BAD_INPUT[name].data)

    report = validator.validate(data, deadline=60)
    reports = dict(validator.validate_all([("bad", data), ("none", [])], deadline=60))

    assert len(report.results) == BAD_INPUT[name].results
    assert Counter(reports["bad"].results) == Counter(report.results)


@pytest.mark.parametrize("name", STOPPED)
def test_what_has_no_end_is_stopped(name: str) -> None:
    validator, data = made(name), quads(BAD_INPUT[name].data)

    with pytest.raises(DeadlineExceeded, match=r"stopped after 0\.5 s"):
        validator.validate(data, deadline=0.5)
    with pytest.raises(DeadlineExceeded, match=r"fleet was stopped after 0\.5 s"):
        list(validator.validate_all([("bad", data)], deadline=0.5))
