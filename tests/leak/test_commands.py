"""No command that is told for whom it works prints what that audience may not see.

A command without an audience is its operator's own, who may read the file anyway.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from battpass.kg.home import Home
from battpass.services.cli.main import app
from battpass.services.exchange.registry import formats
from tests.leak.canaries import found_in
from tests.leak.looking import Look
from tests.leak.planting import AUDIENCES, DRAFTS, OTHERS, PUBLISHED, Planted, live_on, plant
from tests.leak.questions import FAR_AHEAD, LONG_AGO, NEVER, WHOLE
from tests.leak.test_sparql import MARKED_GRAPH, MARKED_ROWS, expected

# Those that print for an audience; `key create` makes a key for one, and prints nothing else.
FOR_AUDIENCES = {"export", "query", "key create"}


@dataclass(frozen=True)
class Done:
    """How a command ended, and all that it printed."""

    status: int
    text: str


Battpass = Callable[..., Done]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A home full of canaries that nobody has open."""
    folder = tmp_path_factory.mktemp("kept") / "home"
    with Home.open(folder, create=True) as home:
        planted = plant(home)
        live_on(planted)
    return planted


@pytest.fixture(scope="module")
def battpass(kept: Planted) -> Battpass:
    def run(*arguments: str) -> Done:
        runner = CliRunner(env={"BATTPASS_HOME": str(kept.home.folder), "NO_COLOR": "1"})
        done = runner.invoke(app, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout + done.stderr)

    return run


def exports(kept: Planted, name: str, audience: str) -> Iterator[tuple[str, ...]]:
    """Yield the ways to export a passport."""
    asked = ("export", kept.identifier(name), "--audience", audience)
    yield asked
    for one in formats() if name == "published" else ():
        yield (*asked, "--format", one.name)
    for number in ("1", "2", "3", "9"):
        yield (*asked, "--version", number, "--format", WHOLE, *(("--json",) if number == "2" else ()))
    for day in (LONG_AGO, FAR_AHEAD):
        yield (*asked, "--at", day, "--format", WHOLE)
    yield ("export", kept.product(name), "--audience", audience, "--json")


@pytest.mark.parametrize("audience", AUDIENCES)
def test_export_prints_what_the_audience_may_see(kept: Planted, battpass: Battpass, audience: str) -> None:
    look = Look(kept.cage, audience)
    for name in (*PUBLISHED, *DRAFTS):
        for arguments in exports(kept, name, audience):
            look.over(battpass(*arguments).text, " ".join(arguments))
    for name in ("archived", "archived draft", "erased", NEVER):
        done = battpass("export", kept.identifier(name), "--audience", audience)
        look.over(done.text, name)
        assert done.status == 2
    assert not look.leaks
    standing = expected(kept, audience)
    assert not look.missing(standing)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_query_prints_what_the_audience_may_see(kept: Planted, battpass: Battpass, audience: str) -> None:
    look = Look(kept.cage, audience)
    forms = [(MARKED_ROWS, "csv"), (MARKED_GRAPH, "turtle")]
    if audience == "interest":  # who reads part of what there is
        forms += [(MARKED_ROWS, form) for form in ("table", "tsv", "json", "xml")]
        forms += [(MARKED_GRAPH, form) for form in ("jsonld", "ntriples", "rdfxml")]
    for text, form in forms:
        done = battpass("query", text, "--audience", audience, "--format", form)
        look.over(done.text, f"{text} {form}")
        assert done.status == 0, done.text
    assert not look.leaks
    assert not look.missing(expected(kept, audience))


@pytest.mark.parametrize("audience", OTHERS)
def test_draft_of_others_is_answered_as_what_never_was(
    kept: Planted, battpass: Battpass, audience: str
) -> None:
    for name in ("draft", "archived draft"):
        for one, other in zip(exports(kept, name, audience), exports(kept, NEVER, audience), strict=True):
            answers = []
            for passport, arguments in ((name, one), (NEVER, other)):
                done = battpass(*arguments)
                text = done.text.replace(kept.identifier(passport), "ID")
                answers.append((done.status, text.replace(kept.product(passport), "PRODUCT")))
            assert answers[0] == answers[1], one
            assert answers[0][0] == 2
    asked = ("export", kept.identifier("published"), "--audience", audience, "--version")
    first, ninth = (battpass(*asked, number) for number in ("1", "9"))
    assert first.status == ninth.status == 2
    assert first.text.replace("version 1", "version N") == ninth.text.replace("version 9", "version N")


def test_history_tells_its_operator_who_why_and_from_where(kept: Planted, battpass: Battpass) -> None:
    """What no route tells of what has ended stands in the journal, for whoever keeps it."""
    look = Look(kept.cage, "owner")
    for name in kept.numbers:
        done = battpass("history", kept.identifier(name), "--json")
        look.over(done.text, name)
        assert done.status == 0
    assert not look.leaks
    notes = {
        one.number
        for one in kept.cage.all.values()
        if one.name.endswith((": actor", ": reason", ": source")) and "owner" in one.readers
    }
    assert not look.missing(notes)


@pytest.mark.parametrize("command", [("doctor",), ("journal", "verify"), ("key", "list"), ("key", "create")])
def test_upkeep_prints_nothing_of_a_passport(
    kept: Planted, battpass: Battpass, command: tuple[str, ...]
) -> None:
    more = ("--audience", "public") if command[-1] == "create" else ()
    for flag in ((), ("--json",)):
        done = battpass(*command, *more, *flag)
        assert done.status == 0, done.text
        assert not kept.cage.names(found_in(done.text))


def test_back_up_says_nothing_of_what_it_holds(kept: Planted, battpass: Battpass, tmp_path: Path) -> None:
    done = battpass("backup", str(tmp_path / "home.zip"), "--json")
    assert done.status == 0
    assert json.loads(done.text)["bytes"] > 100_000
    assert not kept.cage.names(found_in(done.text))


def test_each_command_that_knows_audiences_is_tried_for_them() -> None:
    group = typer.main.get_command(app)
    found = set()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        for inner, one in getattr(command, "commands", {"": command}).items():
            if any(parameter.name == "audience" for parameter in one.params):
                found.add(f"{name} {inner}".strip())
    assert found == FOR_AUDIENCES
