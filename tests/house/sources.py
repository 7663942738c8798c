"""The files of the project as the house tests read them: modules with their imports, tracked text files."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.campaigns import ROOT

CODE = ("kg", "services")  # the folders that hold Python and are reached as battpass.<folder>


@dataclass(frozen=True)
class Module:
    """One Python file under its installed name."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))

    def imports(self, at_start: bool = False) -> set[str]:
        """Return what the module imports, as dotted names; `at_start`: only what importing it brings in."""
        nodes = _at_start(self.tree) if at_start else ast.walk(self.tree)
        return {name for node in nodes for name in _imported(node)}

    def strings(self) -> set[str]:
        """Return the string constants: a name such as "battpass.kg.x:Y" in a list is an import, too."""
        return {
            node.value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }


def modules() -> list[Module]:
    """Return all modules of the installed package, in order of name."""
    found = [Module("battpass", ROOT / "battpass/__init__.py")]
    found.append(Module("battpass.__main__", ROOT / "battpass/__main__.py"))
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append(Module(".".join(("battpass", *parts)).removesuffix(".__init__"), path))
    return sorted(found, key=lambda module: module.name)


def tracked() -> list[Path]:
    """Return the files that belong to the project: those git keeps, or would keep once added."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (ROOT / name for name in done.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


def text_of(path: Path) -> str | None:
    """Return the text of a file, or None where it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        # `from battpass.kg import graphs` reaches battpass.kg.graphs, `from .x import y` has a level
        base = "." * node.level + (node.module or "")
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _at_start(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs when the module is imported: not the bodies of functions, nor `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _at_start(child)
