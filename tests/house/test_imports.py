"""Imports go one way, and what is heavy is loaded late.

Read from the syntax tree of every module, so a new module is held to it before it has a test of its own.
"""

import ast
import subprocess
import sys

import pytest

from tests.house.sources import Module, modules

# A module may import from its own part and from those named here. The order is the flow of the design:
# cli and demo -> api -> exchange, forms, prediction -> kg.
MAY_IMPORT = {
    "kg": set(),
    "exchange": {"kg"},
    "forms": {"kg"},
    "prediction": {"kg"},
    "api": {"kg", "exchange", "forms", "prediction"},
    "demo": {"kg", "exchange", "forms", "prediction", "api"},
    "cli": {"kg", "exchange", "forms", "prediction", "api", "demo"},
    "package": {"cli"},
}

# Libraries that belong to one part of the house.
ONLY_IN = {
    "fastapi": {"api"},
    "starlette": {"api"},
    "uvicorn": {"api", "cli"},
    "typer": {"cli"},
    "rich": {"cli"},
    "httpx": set(),
    "requests": set(),
}

# Slow to load; a module brings them in where its work starts, not by being imported.
HEAVY = ("rdflib", "pyshacl", "owlready2", "pandas", "sklearn", "tensorflow", "onnxruntime", "pyarrow")

# Modules that are nothing without a heavy library, and those that are nothing without them. Whoever uses one
# imports it where the work starts.
LATE = {
    "battpass.kg.validation.compiled.advanced",
    "battpass.kg.validation.terms",
}

# Settings are read in one place. Where a tool lies on this machine is no setting of ours.
SETTINGS = "battpass.services.api.settings"
TOOLS = {"battpass.kg.ontology.reasoner": ["os.environ.get('JAVA_HOME')"]}

every_module = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)


def part(name: str) -> str:
    """Return the part of the house that a dotted name lies in."""
    names = name.split(".")
    if names[:2] == ["battpass", "kg"]:
        return "kg"
    if names[:2] == ["battpass", "services"] and len(names) > 2:
        return names[2]
    return "package"


def reached(module: Module) -> set[str]:
    """Return the names inside battpass that a module reaches, by import or as a name in a list."""
    named = {text.partition(":")[0] for text in module.strings() if text.startswith("battpass.")}
    return {
        name
        for name in module.imports() | named
        if name.startswith(("battpass.kg.", "battpass.services.")) and " " not in name
    }


@every_module
def test_imports_go_one_way(module: Module) -> None:
    own = part(module.name)
    assert own in MAY_IMPORT, f"{own} is a new part of the house: say in MAY_IMPORT what it may import"
    against = {name for name in reached(module) if part(name) not in MAY_IMPORT[own] | {own}}
    assert not against, f"{module.name} may import {MAY_IMPORT[own] or 'itself alone'}, and reaches {against}"


@every_module
def test_imports_use_the_installed_name(module: Module) -> None:
    wrong = {name for name in module.imports() if name.startswith((".", "kg.", "services.", "ontology."))}
    wrong |= module.imports() & {"kg", "services"}
    assert not wrong, f"{module.name}: write battpass.<folder>..., found {wrong}"


@every_module
def test_libraries_stay_in_their_part(module: Module) -> None:
    libraries = {name.partition(".")[0] for name in module.imports()} & ONLY_IN.keys()
    strays = {name for name in libraries if part(module.name) not in ONLY_IN[name]}
    assert not strays, f"{module.name} uses {strays}, which belong to {[ONLY_IN[name] for name in strays]}"


@every_module
def test_heavy_libraries_come_in_late(module: Module) -> None:
    heavy = {name.split(".")[0] for name in module.imports(at_start=True)} & set(HEAVY)
    assert not heavy or module.name in LATE, f"{module.name} loads {heavy} when imported, and is not in LATE"


@every_module
def test_settings_alone_reads_the_environment(module: Module) -> None:
    if module.name == SETTINGS:
        return
    inside = {child: node for node in ast.walk(module.tree) for child in ast.iter_child_nodes(node)}
    readers = [
        ast.unparse(inside[inside[node]])
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
    ]
    wanted = TOOLS.get(module.name, [])
    assert readers == wanted, f"{module.name} reads the environment: make it a member of {SETTINGS}"


def test_importing_everything_else_loads_no_heavy_library() -> None:
    names = [module.name for module in modules() if module.name not in {*LATE, "battpass.__main__"}]
    assert loaded("\n".join(f"import {name}" for name in names)) == set()


@pytest.mark.parametrize("name", sorted(LATE))
def test_a_late_module_is_one_for_a_reason(name: str) -> None:
    assert loaded(f"import {name}"), f"{name} is light by now: take it out of LATE"


def test_listing_the_commands_loads_no_heavy_library() -> None:
    program = (
        "import runpy, sys\n"
        "sys.argv = ['battpass', '--help']\n"
        "try:\n    runpy.run_module('battpass', run_name='__main__')\n"
        "except SystemExit as stop:\n    assert not stop.code, stop.code\n"
    )
    assert loaded(program) == set()


def loaded(program: str) -> set[str]:
    """Run a program in a fresh interpreter and return the heavy libraries that it has loaded at its end."""
    tail = f"\nimport sys; print('loaded:', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program + tail], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    ("source", "at_start"),
    [
        ("import rdflib", {"rdflib"}),
        ("def work():\n    import rdflib", set()),
        ("class Box:\n    import rdflib", {"rdflib"}),
        ("if TYPE_CHECKING:\n    import rdflib", set()),
        ("try:\n    from rdflib import Graph\nexcept ImportError:\n    pass", {"rdflib.Graph"}),
    ],
)
def test_imports_at_start_are_told_from_late_ones(tmp_path, source: str, at_start: set[str]) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert Module("module", path).imports(at_start=True) == at_start


def test_a_name_in_a_list_counts_as_an_import(tmp_path) -> None:
    path = tmp_path / "registry.py"
    path.write_text('BUILT_IN = ("battpass.services.prediction.soh:StateOfHealth",)')
    assert reached(Module("battpass.kg.registry", path)) == {"battpass.services.prediction.soh"}
