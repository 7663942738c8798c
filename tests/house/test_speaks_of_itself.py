"""The project speaks of itself alone: no place it was built in, no unfinished marks, nothing copied in."""

import csv
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from benchmarks.campaigns import ROOT
from tests.house.sources import text_of, tracked

# Character classes keep these patterns from finding themselves.
FORBIDDEN = {
    "a path of the machine it was built on": rf"{re.escape(str(ROOT.parent))}/|/[w]ork/|/[r]oot/|/[h]ome/\w",
    "the address of a package registry": r"[p]ypi\.org|[p]ythonhosted|[n]pmjs\.|[d]eb\.debian|[i]ndex-url",
    "an issue number": r"\b(?<!its )[i]ssue #?\d|\bcloses #\d",
    "who or what wrote it": r"\b[L]LM\b|\b[C]laude\b|\b[C]opilot\b|\bAI[ -]a[g]ent|this [s]ession\b",
}
# To catch what a library raises is no mark of ours; to raise it is.
UNFINISHED = r"\b([T]ODO|[F]IXME|[X]XX|raise [N]otImplementedError|[n]ot implemented)\b"

SAME_WORDS = 16  # so many words in the same order are copied, not met by chance
PROSE = {".md", ".py", ".ttl", ".csv", ".html", ".rq", ".toml", ".txt", ".yml", ".rdf", ".jsonld", ""}
# Legal and technical boilerplate that reads the same everywhere.
COMMON = {"LICENSE"}


@cache
def texts() -> dict[Path, str]:
    return {path: text for path in tracked() if (text := text_of(path)) is not None}


def lines_with(pattern: str, suffixes: tuple[str, ...] = ("",)) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path, text in texts().items()
        if path.name.endswith(suffixes) and found.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if found.search(line)
    ]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what: str) -> None:
    assert not (found := lines_with(FORBIDDEN[what])), "\n".join(found)


def test_nothing_is_left_unfinished() -> None:
    assert not (found := lines_with(UNFINISHED, (".py", ".js", ".rq", ".ttl"))), "\n".join(found)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (FORBIDDEN["a path of the machine it was built on"], f"open('{ROOT.parent}/x')"),
        (FORBIDDEN["a path of the machine it was built on"], "cd /ho" + "me/anna"),
        (FORBIDDEN["the address of a package registry"], "https://py" + "pi.org/simple"),
        (FORBIDDEN["an issue number"], "see is" + "sue 12"),
        (UNFINISHED, "# TO" + "DO: more"),
        (UNFINISHED, "raise Not" + "ImplementedError"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: str, line: str) -> None:
    assert re.search(pattern, line)


@pytest.mark.shared
def test_no_file_of_the_shared_folder_is_copied(shared: Path) -> None:
    sizes = {path.stat().st_size for path in tracked()}
    theirs = {
        digest(path): path
        for path in shared.rglob("*")
        if path.is_file() and path.stat().st_size in sizes and path.stat().st_size > 0
    }
    copies = [
        f"{path.relative_to(ROOT)} is {theirs[digest(path)].relative_to(shared)}"
        for path in tracked()
        if digest(path) in theirs and path.name not in COMMON
    ]
    assert not copies, "\n".join(copies)


@pytest.mark.shared
def test_definitions_are_in_our_own_words(shared: Path) -> None:
    with (shared / "batterypass-data-model/attributes.csv").open(encoding="utf-8", newline="") as table:
        theirs = {plain(row["definition"]): row["slug"] for row in csv.DictReader(table)}
    found = [
        f"{path.relative_to(ROOT)}: {slug}"
        for path, text in texts().items()
        if path.suffix in PROSE
        for definition, slug in theirs.items()
        if len(definition.split()) >= 6 and definition in plain(text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.shared
def test_no_prose_of_the_shared_folder_is_copied(shared: Path) -> None:
    ours: dict[int, Path] = {}
    for path, text in texts().items():
        if path.suffix in PROSE and path.name not in COMMON:
            ours |= dict.fromkeys((hash(run) for run in runs_of_words(text)), path)
    copied = {}
    for path in shared.rglob("*"):
        if path.is_file() and path.suffix in PROSE and (text := text_of(path)) is not None:
            for run in runs_of_words(text):
                if (mine := ours.get(hash(run))) is not None:
                    where = f"{mine.relative_to(ROOT)} <- {path.relative_to(shared)}"
                    copied.setdefault(where, " ".join(run))
    assert not copied, "\n".join(f"{where}: {words}" for where, words in copied.items())


def test_a_copied_sentence_is_found() -> None:
    sentence = " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrst")
    assert set(runs_of_words(f"# {sentence}.")) & set(runs_of_words(f"| {sentence} |"))
    assert not list(runs_of_words("@prefix a: <http://example.org/a#> ." * 20))


def runs_of_words(text: str) -> Iterator[tuple[str, ...]]:
    """Yield each run of SAME_WORDS words that no quote interrupts: labels beside labels are no prose.

    IRIs, prefixed names, numbers, and lines of prefixes or imports are facts and left out.
    """
    facts = r"<[^>\s]*>|https?://\S+|[\w-]*:\w[\w/.-]*|^\s*(@?prefix|import|from)\b.*$"
    for part in re.sub(facts, " ", text, flags=re.M | re.I).split('"'):
        words = re.findall(r"[^\W\d_]{2,}", part.lower())
        for start in range(len(words) - SAME_WORDS + 1):
            yield tuple(words[start : start + SAME_WORDS])


@cache
def plain(text: str) -> str:
    """Return the words of a text in lower case, one space apart."""
    return " ".join(re.findall(r"\w+", text.lower()))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
