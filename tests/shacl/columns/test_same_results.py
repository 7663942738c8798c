"""A fleet has the results that each of its records has alone: the suite of the W3C, random and real data."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from pyoxigraph import Quad

from battpass.kg.concepts import ConceptTable
from battpass.kg.validation.compiled import Compiled, Result, compile_shapes
from battpass.kg.validation.compiled.columns.fleet import Fleet
from battpass.kg.validation.data import data_of, reference_individuals
from battpass.kg.validation.shapes import ShapeSet
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from benchmarks.campaigns import Campaign
from tests.conftest import SHARED
from tests.shacl.fuzz import Drawn
from tests.shacl.suite import Case, cases, expected, has_messages, must_fail, quads_of, reduced
from tests.shacl.test_installed import EARLY, TODAY, spoilt
from tests.shacl.turtle import quads
from tests.validation.seeded import PASSPORTS
from tests.validation.test_examples import NAMES, supplemented

CASES = [case for case in cases(SHARED / "w3c-shacl-tests" / "tests") if not must_fail(case)]

# Records of a fleet: they share the names of nodes and labels of blank nodes.
TOGETHER = 4


def alone(validator: Compiled, records: Sequence[list[Quad]], reference: list[Quad]) -> list[Counter[Result]]:
    """Return what the row executor finds in each record."""
    return [Counter(validator.validate([*record, *reference]).results) for record in records]


def together(
    validator: Compiled, records: Sequence[list[Quad]], reference: list[Quad]
) -> list[Counter[Result]]:
    """Return what the column executor finds in each record."""
    found = list(validator.validate_all(enumerate(records), reference))
    assert [number for number, _ in found] == list(range(len(records)))
    assert all(report.shapes == validator.plan.digest for _, report in found)
    return [Counter(report.results) for _, report in found]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_report_is_the_one_of_the_suite(case: Case, shared: Path) -> None:
    """The same data are there twice, and beside them a record without any."""
    records = {"first": quads_of(case.data), "empty": (), "second": quads_of(case.data)}

    reports = dict(compile_shapes(quads_of(case.shapes)).validate_all(records.items()))

    for name in ("first", "second"):
        found = reduced(reports[name].graph, messages=has_messages(case))
        assert sorted(map(str, found)) == sorted(map(str, expected(case)))


def test_only_queries_are_handed_to_the_row_executor(shared: Path) -> None:
    handed = {case.name for case in CASES if Fleet(compile_shapes(quads_of(case.shapes)).plan).handed}
    queries = {case.name for case in CASES if "sparql" in case.shapes.parts}

    assert len(CASES) == 114
    assert handed == queries
    assert len(handed) == 16


def test_random_records_have_the_results_that_they_have_alone(campaign: Campaign) -> None:
    random = campaign.random("columns")
    count = campaign.count(10_000)
    results, with_results, with_queries = 0, 0, 0
    for _ in range(count // TOGETHER):
        seed = random.getrandbits(64)
        drawn = [Drawn(Random(seed + number)) for number in range(TOGETHER + 1)]
        validator = compile_shapes(quads(drawn[0].shapes))
        records = [quads(one.data) for one in drawn[:-1]]
        reference = quads(drawn[-1].data)[: seed % 4]

        found = together(validator, records, reference)

        assert found == alone(validator, records, reference), f"seed {seed}\n{drawn[0].shapes}"
        results += sum(one.total() for one in found)
        with_results += sum(map(bool, found))
        with_queries += bool(Fleet(validator.plan).handed)

    assert with_results > count / 3
    campaign.record(
        "shacl-columns-fuzz",
        "random shapes over fleets of four random records",
        {
            "records": count,
            "records with results": with_results,
            "results": results,
            "fleets with queries": with_queries,
        },
    )


def test_passports_right_and_wrong_have_the_results_that_they_have_alone(campaign: Campaign) -> None:
    reference = list(reference_individuals(ConceptTable.load()))
    pairs = [(name, day) for name in NAMES for day in (TODAY, EARLY)]
    chosen = campaign.random("columns examples").sample(pairs, campaign.count(len(pairs)))
    records = [list(data_of(supplemented(name), (), day).quads) for name, day in chosen]
    passport = BATTERY_PASS_6_1.load((PASSPORTS / "ev-nmc811-82.json").read_bytes()).passport
    whole = sorted(data_of(passport, (), TODAY).quads, key=str)
    for part in range(4):
        records.append(
            [spoilt(quad, number) if number % 4 == part else quad for number, quad in enumerate(whole)]
        )
    validator = compile_shapes(ShapeSet.load().quads)

    found = together(validator, records, reference)

    assert found == alone(validator, records, reference)
    assert all(one.total() > 400 for one in found[-4:])
