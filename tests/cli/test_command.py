"""The command as a whole: it starts fast, explains itself, and speaks JSON everywhere."""

import inspect
import resource
import subprocess
import sys

import pytest
import typer

from battpass import __version__
from battpass.services.cli import arrivals, checks, custody, documents, lifecycle, questions, server, upkeep
from battpass.services.cli.console import plain
from battpass.services.cli.main import app
from tests.cli.conftest import Battpass

COMMANDS = {
    "demo": server.demo,
    "serve": server.serve,
    "import": arrivals.import_,
    "publish": lifecycle.publish,
    "archive": lifecycle.archive,
    "erase": lifecycle.erase,
    "move": lifecycle.move,
    "history": lifecycle.history,
    "export": documents.export,
    "roundtrip": documents.roundtrip,
    "validate": checks.validate,
    "readiness": checks.readiness,
    "query": questions.query,
    "terms": questions.terms,
    "backup": custody.backup,
    "restore": custody.restore,
    "rebuild": custody.rebuild,
    "doctor": upkeep.doctor,
}
GROUPS = {
    "ontology": ["check"],
    "shapes": ["diff"],
    "journal": ["verify"],
    "key": ["create", "list", "revoke", "forget"],
}
# Of processor time, as machines that run tests are busy with other things.
FAST_SECONDS = 0.3
HEAVY = ("rdflib", "pyshacl", "owlready2", "fastapi", "uvicorn", "pyoxigraph", "rich")


def test_these_are_the_commands() -> None:
    group = typer.main.get_command(app)
    assert set(group.list_commands(typer.Context(group))) == {*COMMANDS, *GROUPS}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", [*COMMANDS, *(f"{group} {one}" for group, inner in GROUPS.items() for one in inner)]
)
def test_every_command_explains_itself_and_speaks_json(battpass: Battpass, name: str) -> None:
    done = battpass(*name.split(), "--help")
    assert done.status == 0
    assert "--json" in done.out


@pytest.mark.parametrize(
    "group", [(), *((name,) for name in GROUPS)], ids=lambda group: " ".join(group) or "all"
)
def test_a_list_of_commands_says_all_it_has_to_say(battpass: Battpass, group: tuple[str, ...]) -> None:
    shown = battpass(*group, "--help").out.partition("Commands:\n")[2].splitlines()
    assert len(shown) >= len(GROUPS[group[0]] if group else COMMANDS)
    for line in shown:
        name, _, text = line.strip().partition("  ")
        assert text.strip().endswith(".") and not text.endswith(".."), name  # one line, not cut off


@pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))
def test_the_help_of_a_command_says_what_its_name_does_not(command) -> None:
    assert len((inspect.getdoc(command) or "").split()) >= 8


def test_help_starts_fast_and_loads_no_heavy_library() -> None:
    program = (
        "import sys; sys.argv = ['battpass', '--help']\n"
        "from battpass.services.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print(*sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stderr.strip() == ""
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < FAST_SECONDS


def test_version_is_printed(battpass: Battpass) -> None:
    assert battpass("--version").out == f"battpass {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [(), ("frobnicate",), ("import",), ("export",), ("query",), ("validate", "--frobnicate")]
)
def test_wrong_use_has_status_2(battpass: Battpass, arguments: tuple[str, ...]) -> None:
    assert battpass(*arguments).status == 2


def test_python_m_battpass_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "battpass", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"battpass {__version__}\n"


def test_a_reader_that_has_enough_is_no_error(battpass: Battpass, home, example) -> None:
    battpass("import", example("ev-na-31"))
    export = (
        f"{sys.executable} -m battpass --home {home} export -f n-quads 1e38d501-f3d5-4d97-acb0-6261f9a16c50"
    )
    command = ["bash", "-c", f"set -o pipefail; {export} | head -c 10"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Größe 5 µm", "Größe 5 µm"),
        ("a\tb", "a\tb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202eabc", "\\u202eabc"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_control_characters_are_shown_not_sent(text: str, shown: str) -> None:
    assert plain(text) == shown
