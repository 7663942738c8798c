"""Every code block of README and docs runs, and shows what happens."""

import re
from pathlib import Path

import pytest

from benchmarks.campaigns import ROOT
from tests.house.blocks import Block, PageIsWrong, Run, blocks, commands, matches, pages, run

every_page = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


@pytest.fixture
def here(tmp_path):
    """A folder of its own, in which the blocks of one page run."""
    run_ = Run(tmp_path)
    yield run_
    run_.close()


@every_page
def test_every_block_of_a_page_runs(page: Path, here: Run) -> None:
    for block in blocks(page):
        run(block, here)


@every_page
def test_every_fence_is_read(page: Path) -> None:
    fences = re.findall(r"^ *```", page.read_text(encoding="utf-8"), re.M)
    assert len(fences) == 2 * len(blocks(page)), f"{page.name} has a fence that does not open or close"


@every_page
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    inside = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    dead = [link for link in inside if not (page.parent / link).exists()]
    assert not dead, f"{page.name} links to {dead}"


def test_readme_shows_a_running_example_by_line_25() -> None:
    first = next(block for block in blocks(ROOT / "README.md") if not block.elsewhere)
    assert first.kind in ("console", "python")
    assert first.line <= 25
    assert ">>> " in first.text or any(command.shown.strip() for command in commands(first.text))


def test_every_page_is_reached_from_the_index() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    folder = ROOT / "docs"
    missing = [page for page in folder.rglob("*.md") if f"({page.relative_to(folder)})" not in index]
    assert [page.name for page in missing] == ["index.md"]


def block(kind: str, text: str, elsewhere: str = "") -> Block:
    return Block(Path("page.md"), 1, kind, text, elsewhere)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("console", "$ echo one\none\n$ echo 2 3\n...3\n"),
        ("console", "$ false # exit 1\n"),
        ("sh", "$ ls\nexamples\n"),
        ("console", "$ (echo ready; exec sleep 60) &\nready\n"),
        ("python", ">>> 1 + 1\n2\n"),
        ("python", "answer = 42\n"),
        ("sparql", "SELECT * WHERE { ?s ?p ?o }"),
        ("json", "{}"),
        ("toml", "a = 1"),
        ("turtle", "<urn:a> <urn:b> 1 ."),
        ("xml", "<a/>"),
        ("text", "a -> b"),
    ],
)
def test_a_true_block_passes(kind: str, text: str, here: Run) -> None:
    run(block(kind, text), here)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("console", "$ echo one\ntwo\n"),
        ("console", "$ echo one\n"),
        ("console", "$ false\n"),
        ("console", "$ true # exit 1\n"),
        ("console", "echo one\n"),
        ("console", "$ echo ended &\nready\n"),
        ("python", ">>> 1 + 1\n3\n"),
        ("sparql", "SELECT WHERE"),
        ("text", "$ rm -r /\n"),
        ("perl", "print 1"),
    ],
)
def test_a_false_block_is_found(kind: str, text: str, here: Run) -> None:
    with pytest.raises(PageIsWrong):
        run(block(kind, text), here)


def test_a_block_that_runs_elsewhere_is_held_there(here: Run) -> None:
    run(block("console", "$ make run\n...\n", "tests/house/test_fresh_clone.py"), here)
    with pytest.raises(PageIsWrong, match="does not run"):
        run(block("console", "$ make tea\n", "tests/house/test_fresh_clone.py"), here)
    with pytest.raises(PageIsWrong, match="is no file"):
        run(block("console", "$ make run\n", "tests/house/test_nowhere.py"), here)


def test_names_of_a_page_live_on_in_its_next_block(here: Run) -> None:
    run(block("python", ">>> a = 1\n"), here)
    run(block("python", "b = a + 1\n"), here)
    run(block("python", ">>> b\n2\n"), here)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n...\nz\n", "a\nb\nc\nz\n", True),
        ("a ... s\n", "a 0.2 s\n", True),
        ("a\n", "a\nb\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_dots_in_the_shown_output_stand_for_any_text(shown: str, printed: str, same: bool) -> None:
    assert matches(shown, printed) is same
