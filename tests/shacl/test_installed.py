"""On the installed shapes and the example passports, the compiled shapes find what pySHACL finds."""

from collections import Counter
from datetime import date
from functools import cache

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.concepts import ConceptTable
from battpass.kg.namespaces import node
from battpass.kg.validation.data import Data, data_of, reference_individuals
from battpass.kg.validation.engine import CompiledEngine, Engine
from battpass.kg.validation.shapes import ShapeSet
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from benchmarks.campaigns import Campaign
from tests.validation.oracle import PySHACL, compares
from tests.validation.seeded import PASSPORTS
from tests.validation.test_examples import NAMES, supplemented

TODAY, EARLY = date(2026, 11, 21), date(2020, 1, 1)
Found = Counter[tuple[str, ...]]


@cache
def shapes() -> ShapeSet:
    return ShapeSet.load()


def found_by(engine: Engine, data: Data) -> Found:
    """Return what an engine finds, as focus, value, component, shape, severity and constraint."""
    return Counter(
        (
            str(result.focus),
            str(result.value),
            result.component,
            result.shape,
            result.severity,
            result.constraint,
        )
        for result in engine.results(data)
    )


def test_the_examples_are_judged_alike(campaign: Campaign) -> None:
    """As they are, and as of a day before they were made, when much is wrong with them."""
    reference = reference_individuals(ConceptTable.load())
    ours, theirs = CompiledEngine(shapes()), PySHACL(shapes().quads)
    pairs = [(name, day) for name in NAMES for day in (TODAY, EARLY)]
    for name, day in campaign.random("shacl examples").sample(pairs, campaign.count(len(pairs))):
        data = data_of(supplemented(name), reference, day)

        assert found_by(ours, data) == found_by(theirs, data), f"{name} on {day}"


@pytest.mark.parametrize("part", range(4))
def test_damaged_passports_are_judged_alike(part: int) -> None:
    """Every fourth statement of a passport is spoilt.

    pySHACL puts values that do not compare into an order of its own, and so misses some of those that are
    out of range by the standard; on comparisons with other properties it fails.
    """
    passport = BATTERY_PASS_6_1.load((PASSPORTS / "ev-nmc811-82.json").read_bytes()).passport
    whole = data_of(passport, reference_individuals(ConceptTable.load()), TODAY)
    statements = enumerate(sorted(whole.quads, key=str))
    data = Data(spoilt(quad, number) if number % 4 == part else quad for number, quad in statements)

    kept = ShapeSet(quad for quad in shapes().quads if not compares(quad))
    found, expected = found_by(CompiledEngine(kept), data), found_by(PySHACL(kept.quads), data)

    assert expected.total() > 400
    assert not expected - found
    for _, value, component, *_ in found - expected:
        assert component.startswith(("Min", "Max"))
        assert value in {str(term) for term in OTHERS[:5]}


OTHERS: list[NamedNode | Literal] = [
    Literal("aldi", datatype=node("xsd:decimal")),
    Literal("-5", datatype=node("xsd:decimal")),
    Literal("1999-01-01", datatype=node("xsd:date")),
    Literal("wort", language="de"),
    NamedNode("http://example.org/other"),
    Literal(""),
]


def spoilt(quad: Quad, number: int) -> Quad:
    """Return a statement with another object."""
    return Quad(quad.subject, quad.predicate, OTHERS[number // 4 % len(OTHERS)])
