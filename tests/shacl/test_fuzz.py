"""Random shapes over random data: three engines agree, but for the faults that are listed."""

import re
from collections.abc import Callable
from random import Random

import pytest
from pyoxigraph import Quad

from battpass.kg.validation.compiled import compile_shapes
from benchmarks.campaigns import Campaign
from tests.shacl.bugs import BUGS, CRASHES, OWN, PYSHACL, TURBO, Bug, Crash
from tests.shacl.coverage import Coverage
from tests.shacl.fuzz import Drawn
from tests.shacl.rivals import Line, Lines, lines, ours, with_pyshacl, with_turbo
from tests.shacl.turtle import quads

RIVALS: dict[str, Callable[[list[Quad], list[Quad]], Lines]] = {PYSHACL: with_pyshacl, TURBO: with_turbo}
pytestmark = pytest.mark.usefixtures("plain_rdflib")

_NAME = re.compile(r"ex:s\d+\b")
_TARGET = re.compile(r"sh:targetNode .*")


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore:NotImplemented should not be:DeprecationWarning")
def test_random_shapes_are_run_alike(campaign: Campaign) -> None:
    random = campaign.random("shacl")
    count = campaign.count(10_000)
    results, with_results, coverage = 0, 0, Coverage()
    excused, crashed = dict.fromkeys(RIVALS, 0), dict.fromkeys(RIVALS, 0)
    for _ in range(count):
        seed = random.getrandbits(64)
        drawn = Drawn(Random(seed))
        shapes, data = quads(drawn.shapes), quads(drawn.data)
        compiled = compile_shapes(shapes)
        nodes = "\n".join((drawn.data, *_TARGET.findall(drawn.shapes)))
        found = lines(compiled.validate(data, deadline=60).results)
        coverage.add(compiled.plan, drawn.shapes, found.elements())
        results += found.total()
        with_results += bool(found)
        for rival, run in RIVALS.items():
            try:
                told = run(shapes, data)
            except Exception as error:
                assert _known(rival, error), f"{rival} fails on seed {seed}: {error!r}"
                crashed[rival] += 1
                continue
            for line in ((found - told) + (told - found)).elements():
                reached = _reached(line, drawn.shapes)
                assert any(
                    rival in bug.rivals and bug.touches(line, reached, nodes) for bug in (*BUGS, *OWN)
                ), f"{rival} differs on seed {seed} in {line}\n{drawn.shapes}\n{drawn.data}"
            excused[rival] += found != told

    # The faults of others may excuse little, or nothing would be compared.
    assert with_results > count / 2
    assert excused[PYSHACL] + crashed[PYSHACL] < count / 5
    assert excused[TURBO] + crashed[TURBO] < count / 10
    assert coverage.missing() == [] or not campaign.full
    assert all(coverage.table()["cases by component"].values())
    campaign.record(
        "shacl-fuzz",
        "random shapes over random data",
        {
            "cases": count,
            "cases with results": with_results,
            "results": results,
            "cases that faults of the rival excuse": excused,
            "cases that the rival does not finish": crashed,
            **coverage.table(),
        },
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("bug", (*BUGS, *OWN), ids=[bug.name for bug in (*BUGS, *OWN)])
def test_a_fault_is_still_there(bug: Bug) -> None:
    """Of a rival, or our own: the same engines depart from us, and we find what we found."""
    shapes, data = quads(bug.shapes), quads(bug.data)
    right = ours(shapes, data)

    assert right.total() == bug.results
    assert {rival for rival, run in RIVALS.items() if run(shapes, data) != right} == set(bug.rivals)


@pytest.mark.parametrize("crash", CRASHES, ids=[crash.says for crash in CRASHES])
def test_the_crash_of_a_rival_is_still_there(crash: Crash) -> None:
    shapes, data = quads(crash.shapes), quads(crash.data)

    assert ours(shapes, data)
    with pytest.raises(Exception, match=crash.says):
        RIVALS[crash.rival](shapes, data)


def _known(rival: str, error: Exception) -> bool:
    return any(crash.rival == rival and crash.says in str(error) for crash in CRASHES)


def _reached(line: Line, shapes: str) -> str:
    """Return the text of a result's shape and of all shapes that it asks; all where it has no name."""
    if line.shape.startswith("_:"):
        return shapes
    by_name: dict[str, list[str]] = {}
    for text in shapes.splitlines():
        by_name.setdefault(text.partition(" ")[0], []).append(text)
    waiting, seen = [f"ex:{line.shape}"], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _NAME.findall("\n".join(by_name.get(name, [])))
    return "\n".join(text for name in sorted(seen) for text in by_name.get(name, []))
