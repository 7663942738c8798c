"""The example passports, with their supplements, as datasets of each audience."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from battpass.kg.access import audiences, cut
from battpass.kg.attributes import Reading
from battpass.kg.dataset import Dataset
from battpass.kg.passport import Passport
from battpass.services.exchange.rdf import TURTLE
from battpass.services.exchange.registry import detect


@pytest.fixture(scope="session")
def examples(root: Path) -> tuple[Passport, ...]:
    """Every example passport; where it has a supplement, with that."""
    return tuple(_example(path) for path in sorted((root / "examples/passports").glob("*.json")))


@pytest.fixture(scope="session")
def readings(examples: tuple[Passport, ...]) -> tuple[Reading, ...]:
    """The examples, opened for reading attributes without an engine."""
    return tuple(Reading(one.quads()) for one in examples)


@pytest.fixture(scope="session")
def dataset_of(examples: tuple[Passport, ...]) -> Iterator[Callable[[str], Dataset]]:
    """The examples as one audience may read them: `dataset_of("public")`."""
    known = audiences()
    built: list[Dataset] = []

    @cache
    def build(audience: str) -> Dataset:
        dataset = Dataset.in_memory()
        built.append(dataset)
        reader = known[audience]
        dataset.replace_many((one.record, cut(one.item_graphs, reader)) for one in examples)
        dataset.replace_many((one.model, cut(one.model_graphs, reader)) for one in examples)
        return dataset

    yield build
    for dataset in built:
        dataset.close()


def _example(path: Path) -> Passport:
    data = path.read_bytes()
    passport = detect(data).load(data).passport
    supplement = path.parent.with_name("supplements") / f"{path.stem}.ttl"
    return TURTLE.supplement(supplement.read_bytes(), passport) if supplement.exists() else passport
