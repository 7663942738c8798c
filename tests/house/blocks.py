"""Code blocks of Markdown pages, and how each kind is run and held to what the page shows.

    console, sh   lines that start with "$ " are commands; what follows each is its output, in which "..."
                  stands for any text. `# exit 1` at the end of a command says its exit status.
                  A command that ends in " &" serves while the rest of the page runs.
    python        a session with ">>>" is a doctest; anything else runs as a program
    sparql        passes the guard and parses
    json, toml, turtle, xml      parse
    text          a drawing; the only kind that does not run

The blocks of a page run in their order, in a folder of their own that holds `examples/` and nothing else.
A block that cannot run beside the page (it installs, it needs a fresh clone) has the comment
`<!-- runs in tests/... -->` above it; that test must hold each of its commands.
"""

import doctest
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pyoxigraph

from battpass.kg.dataset.guard import Limits, check
from battpass.kg.errors import QueryRefused
from benchmarks.campaigns import ROOT

FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<kind>[\w+-]*)[^\n]*\n(?P<body>.*?)^(?P=indent)(?P=fence) *$",
    re.M | re.S,
)
ELSEWHERE = re.compile(r"<!-- runs in (\S+) -->\s*\Z")
EXIT = re.compile(r"#\s*exit (\d+)\s*$")
DEADLINE = 120.0  # seconds for one command


class PageIsWrong(AssertionError):
    """A page shows what does not happen."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: where it stands, its kind and text, and the test that runs it in its stead."""

    page: Path
    line: int
    kind: str
    text: str
    elsewhere: str = ""

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Command:
    """One line after "$ ", with the output shown below it."""

    text: str
    shown: str

    @property
    def status(self) -> int:
        found = EXIT.search(self.text)
        return int(found[1]) if found else 0


@dataclass
class Run:
    """The folder, the Python names and the servers of one page while its blocks run."""

    folder: Path
    names: dict[str, object] = field(default_factory=dict)
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "examples").symlink_to(ROOT / "examples")

    def environment(self) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("BATTPASS_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"
        # A fixed width and no colours: the page shows what a plain terminal shows.
        return own | {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}

    def close(self) -> None:
        for server in self.servers:
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(server.pid, signal.SIGTERM)
        for server in self.servers:
            server.wait(timeout=20)


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        above = ELSEWHERE.search(text, 0, match.start())
        body = re.sub(rf"^{match['indent']}", "", match["body"], flags=re.M)
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, match["kind"], body, above[1] if above else ""))
    return found


def commands(text: str) -> list[Command]:
    """Return the commands of a console block, each with the output below it.

    >>> commands("$ echo a \\\\\\n>   b\\na b\\n$ true\\n")
    [Command(text='echo a   b', shown='a b\\n'), Command(text='true', shown='')]
    """
    text = re.sub(r"\\\n(?:> ?)?", "", text)
    head, *parts = re.split(r"^\$ ", text, flags=re.M)
    if head.strip():
        raise PageIsWrong(f"a console block starts with its command, after '$ ': {head!r}")
    return [Command(*part.split("\n", 1)) for part in (part + "\n" * ("\n" not in part) for part in parts)]


def run(block: Block, run_: Run) -> None:
    """Run one block, or raise PageIsWrong with the place and both texts."""
    if block.elsewhere:
        _held_elsewhere(block)
    elif block.kind in KINDS:
        KINDS[block.kind](block, run_)
    else:
        raise PageIsWrong(
            f"{block.place}: no rule for a block of kind {block.kind!r}; see tests/house/blocks.py"
        )


def matches(shown: str, printed: str) -> bool:
    """Return whether the output is what the page shows; "..." in the page stands for any text."""
    plain = "\n".join(line.rstrip() for line in printed.rstrip().splitlines())
    wanted = "\n".join(line.rstrip() for line in shown.rstrip().splitlines())
    pattern = ".*".join(re.escape(part) for part in wanted.split("..."))
    return re.fullmatch(pattern, plain, re.S) is not None


def _console(block: Block, run_: Run) -> None:
    for command in commands(block.text):
        if command.text.rstrip().endswith(" &"):
            _serve(block, command, run_)
            continue
        done = subprocess.run(
            ["bash", "-c", command.text],
            cwd=run_.folder,
            env=run_.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        if done.returncode != command.status:
            ended = f"ended with {done.returncode}, not {command.status}"
            raise PageIsWrong(f"{block.place}: `{command.text}` {ended}:\n{done.stdout}")
        _compare(block, command, done.stdout)


def _serve(block: Block, command: Command, run_: Run) -> None:
    """Start a server and wait until it has printed what the page shows."""
    log = run_.folder / f"server-{len(run_.servers)}.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            ["bash", "-c", command.text.rstrip().removesuffix("&")],
            cwd=run_.folder,
            env=run_.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    run_.servers.append(server)
    until = time.monotonic() + DEADLINE
    while not matches(command.shown, log.read_text()) and server.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    _compare(block, command, log.read_text())


def _compare(block: Block, command: Command, printed: str) -> None:
    if not matches(command.shown, printed):
        raise PageIsWrong(
            f"{block.place}: `{command.text}`\n--- the page shows\n{command.shown}\n--- it prints\n{printed}"
        )


def _python(block: Block, run_: Run) -> None:
    before = Path.cwd()
    os.chdir(run_.folder)
    try:
        if ">>>" in block.text:
            test = doctest.DocTestParser().get_doctest(
                block.text, run_.names, block.place, str(block.page), 0
            )
            told: list[str] = []
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            runner.run(test, out=told.append, clear_globs=False)
            if told:
                raise PageIsWrong(f"{block.place}:\n{''.join(told)}")
            run_.names.update(test.globs)
        else:
            exec(compile(block.text, block.place, "exec"), run_.names)
    finally:
        os.chdir(before)


def _sparql(block: Block, run_: Run) -> None:
    try:
        check(block.text, Limits())
        pyoxigraph.Store().query(block.text)
    except (QueryRefused, SyntaxError) as error:
        raise PageIsWrong(f"{block.place}: {error}") from None


def _json(block: Block, run_: Run) -> None:
    json.loads(block.text)


def _toml(block: Block, run_: Run) -> None:
    tomllib.loads(block.text)


def _turtle(block: Block, run_: Run) -> None:
    for _ in pyoxigraph.parse(block.text, format=pyoxigraph.RdfFormat.TURTLE):
        pass


def _xml(block: Block, run_: Run) -> None:
    ElementTree.fromstring(block.text)


def _text(block: Block, run_: Run) -> None:
    if any(line.startswith("$ ") for line in block.text.splitlines()):
        raise PageIsWrong(f"{block.place}: a block with commands is of kind console, so that it runs")


def _held_elsewhere(block: Block) -> None:
    test = ROOT / block.elsewhere
    if not test.is_file():
        raise PageIsWrong(f"{block.place}: {block.elsewhere} is no file")
    source = test.read_text(encoding="utf-8")
    for command in commands(block.text):
        bare = EXIT.sub("", command.text).strip()
        if bare not in source:
            raise PageIsWrong(f"{block.place}: {block.elsewhere} does not run `{bare}`")


def pages() -> list[Path]:
    """Return README, the guide for contributors and every page of docs/."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


KINDS = {
    "console": _console,
    "sh": _console,
    "python": _python,
    "sparql": _sparql,
    "json": _json,
    "toml": _toml,
    "turtle": _turtle,
    "xml": _xml,
    "text": _text,
}
