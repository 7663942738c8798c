"""What all tests share: the folder of partner material, the seed and size of random campaigns.

The folder is not part of the project. It is found in BATTPASS_SHARED, or beside the repository as
`../shared`; where it is absent, the tests that read it say so and skip.
"""

import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from benchmarks.campaigns import ROOT, Campaign, from_environment

SHARED = Path(os.environ.get("BATTPASS_SHARED") or ROOT.parent / "shared").resolve()

# Tables are as wide as they are without a terminal, whatever the caller's terminal left here.
os.environ.pop("COLUMNS", None)

# Every run draws the same cases; `make campaign` draws many more, and new ones each time.
settings.register_profile("short", max_examples=25, deadline=None, derandomize=True, database=None)
settings.register_profile("full", max_examples=500, deadline=None, print_blob=True)
settings.load_profile("full" if from_environment().full else "short")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--campaign-seed",
        default=str(from_environment().seed),
        help="seed of the random campaigns: a number, or 'new' for a new one",
    )


def pytest_configure(config: pytest.Config) -> None:
    if (told := getattr(config, "workerinput", None)) is not None:
        config.option.campaign_seed = told["campaign seed"]
    if config.option.campaign_seed == "new":
        config.option.campaign_seed = str(random.SystemRandom().randrange(10**9))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist the seed; it would read its arguments anew, and draw another one."""
    node.workerinput["campaign seed"] = node.config.option.campaign_seed


def pytest_report_header(config: pytest.Config) -> list[str]:
    count = "full count" if from_environment().full else "one twentieth of the full count"
    return [
        f"campaigns: {count}, --campaign-seed={config.option.campaign_seed}",
        f"shared: {SHARED if SHARED.is_dir() else 'absent, the tests that need it skip'}",
    ]


@pytest.hookimpl(tryfirst=True)  # before -m is applied
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "campaign" in fixtures:
            item.add_marker("campaign")
        if "shared" in fixtures:
            item.add_marker("shared")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of partner models, ontologies and suites; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the shared folder: {SHARED} is absent; set BATTPASS_SHARED to its place")
    return SHARED


@pytest.fixture(scope="session")
def campaign(pytestconfig: pytest.Config) -> Campaign:
    """Seed and size of the random campaigns: `campaign.count(200)`, `campaign.random("name")`."""
    return Campaign(int(pytestconfig.option.campaign_seed), from_environment().full)
