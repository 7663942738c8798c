"""Every example in a docstring runs and is true."""

import doctest
import importlib

import pytest

from tests.house.sources import Module, modules

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
with_examples = [
    *(module for module in modules() if ">>> " in module.path.read_text(encoding="utf-8")),
    *(
        Module(name, None)
        for name in (
            "benchmarks.campaigns",
            "benchmarks.figures",
            "tests.house.blocks",
            "tests.house.test_lists",
        )
    ),
]


@pytest.mark.parametrize("module", with_examples, ids=lambda module: module.name)
def test_examples_of_a_module_are_true(module: Module) -> None:
    told: list[str] = []
    loaded = importlib.import_module(module.name)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    found = [test for test in doctest.DocTestFinder().find(loaded) if test.examples]
    assert found, f"{module.name} has examples that no docstring holds"
    for test in found:
        runner.run(test, out=told.append)
    assert not told, "".join(told)
