"""What pages list is what the code has.

A page marks a list or table with `<!-- list: NAME -->` on the line above it; its members are the first code
span of each bullet or row. Each NAME of LISTS is marked on at least one page, and no marked list is short.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import cast

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from battpass.kg import errors
from battpass.kg.access import audiences
from battpass.kg.dataset.guard import Limits
from battpass.kg.graphs import AccessClass, Severity
from battpass.kg.journal import clock, schema, writer
from battpass.kg.keys import RIGHTS
from battpass.kg.validation.readiness import Standing
from battpass.kg.validation.reports.forms import MEDIA_TYPES
from battpass.services.api.problems import PROBLEMS
from battpass.services.api.settings import Settings
from battpass.services.cli.main import app
from battpass.services.exchange import registry
from benchmarks.campaigns import ROOT
from tests.house.blocks import pages

MARK = re.compile(
    r"^<!-- list: (?P<name>[\w-]+) -->\n+(?P<body>(?:[ \t]*[-*|][^\n]*\n|[ \t]+[^\n]+\n)+)", re.M
)


def error_classes() -> set[str]:
    return {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == errors.__name__
    }


def formats() -> set[str]:
    return {known.name for known in registry.formats()}


def commands() -> set[str]:
    """Return every command, a command of a group with the name of its group."""

    def names(group: TyperGroup) -> Iterator[str]:
        for name, command in group.commands.items():
            if isinstance(command, TyperGroup):
                yield from (f"{name} {inner}" for inner in names(command))
            else:
                yield name

    return set(names(cast(TyperGroup, get_command(app))))


# Where the code keeps each list that pages may show.
LISTS: dict[str, Callable[[], set[str]]] = {
    "errors": error_classes,
    "formats": formats,
    "commands": commands,
    "shapes": lambda: {path.stem for path in (ROOT / "shapes").glob("*.ttl")} - {"manifest"},
    "report-forms": lambda: set(MEDIA_TYPES),
    "severities": lambda: {str(severity) for severity in Severity},
    "standings": lambda: {str(standing) for standing in Standing},
    "settings": lambda: {f"BATTPASS_{name.upper()}" for name in Settings.model_fields},
    "limits": lambda: {field.name for field in fields(Limits)},
    "problems": lambda: {problem.slug for problem in PROBLEMS.values()},
    "access": lambda: {str(kind) for kind in AccessClass},
    "audiences": lambda: set(audiences()),
    "rights": lambda: set(RIGHTS),
    "services": lambda: {
        folder.name for folder in (ROOT / "services").iterdir() if (folder / "__init__.py").exists()
    },
}


def listed(text: str) -> list[tuple[str, list[str]]]:
    """Return the marked lists of a page: the name of each and its members, in order.

    >>> listed("<!-- list: colours -->\\n- `red`, as `blood`\\n- `blue`\\n\\n")
    [('colours', ['red', 'blue'])]
    >>> listed("<!-- list: colours -->\\n| name | |\\n|---|---|\\n| `red` | warm |\\n")
    [('colours', ['red'])]
    """
    found = []
    for mark in MARK.finditer(text):
        rows = (re.match(r"\s*[-*|]\s*`([^`]+)`", row) for row in mark["body"].splitlines())
        found.append((mark["name"], [row[1] for row in rows if row]))
    return found


ON_PAGES = [
    (page, name, members) for page in pages() for name, members in listed(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(
    ("page", "name", "members"), ON_PAGES, ids=[f"{page.name}-{name}" for page, name, _ in ON_PAGES]
)
def test_a_list_on_a_page_equals_the_code(page: Path, name: str, members: list[str]) -> None:
    assert name in LISTS, f"{page.name} marks a list {name!r} that tests/house/test_lists.py does not know"
    assert len(members) == len(set(members)), f"{page.name} lists something twice"
    assert set(members) == LISTS[name]()


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_mark_has_a_list_below_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r"^<!-- list:", text, re.M)) == len(listed(text))


def test_status_of_each_problem_is_that_of_the_code() -> None:
    page = (ROOT / "docs/server.md").read_text(encoding="utf-8")
    shown = {slug: int(status) for slug, status in re.findall(r"^\| `([\w-]+)` \| (\d{3}) \|$", page, re.M)}
    assert shown == {problem.slug: problem.status for problem in PROBLEMS.values()}


def test_what_each_audience_reads_is_that_of_the_table() -> None:
    page = (ROOT / "docs/graph.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| `(\w+)` \| ([\w, ]+?)(?:; only of its own passports)? \|$", page, re.M))
    for name, audience in audiences().items():
        assert set(shown[name].split(", ")) == {str(access) for access in audience.classes}


def test_limits_of_writing_on_the_page_are_those_of_the_code() -> None:
    page = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    assert f"some {writer.RESERVED_BYTES >> 20} MiB are kept free" in page
    assert f"locked for {schema.BUSY_SECONDS:g} s" in page
    assert (clock.TOLERANCE_SECONDS, clock.SETTLED_SECONDS) == (60, 300)
    assert "leaps by a minute" in page and "lasts five minutes" in page


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_on_a_page(name: str) -> None:
    assert name in {marked for _, marked, _ in ON_PAGES}


def test_tree_of_errors_is_drawn_as_it_is() -> None:
    assert errors.__doc__ is not None
    drawn = re.findall(r"^( {4}(?:[│ ] {3}|[├└]── )*)(\w+)", errors.__doc__, re.M)
    tree: dict[str, str] = {}
    above = ["Exception"]
    for indent, name in drawn:
        depth = (len(indent) - 4) // 4
        tree[name] = above[depth]
        above[depth + 1 :] = [name]
    classes = {name: getattr(errors, name).__base__.__name__ for name in error_classes()}
    assert tree == classes


def test_every_error_says_what_it_is_for() -> None:
    silent = {name for name in error_classes() if not getattr(errors, name).__doc__}
    assert not silent
