"""From a fresh clone, with python3 and make alone: install, load the fleet, serve the first page."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from benchmarks.campaigns import ROOT

INSTALL = 600.0  # seconds: the first run fetches the libraries


@pytest.fixture
def clone(tmp_path) -> Path:
    """A clone with nothing in it but what is committed."""
    folder = tmp_path / "battpass"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True, capture_output=True)
    return folder


def environment(**more: str) -> dict[str, str]:
    """The environment of a person at a terminal: none of this run's virtual environment or settings."""
    own = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("BATTPASS_", "PYTEST", "VIRTUAL_ENV", "MAKE"))
    }
    return own | {"PYTHON": base_python()} | more


def base_python() -> str:
    """The interpreter that this environment was made from: what a machine calls python3."""
    return str(Path(sys.base_prefix) / "bin/python3")


def make(clone: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL,
        check=False,
    )


@pytest.mark.slow
def test_make_run_serves_the_first_page(clone: Path) -> None:
    """`make run`, then the address that it prints."""
    with subprocess.Popen(
        ["make", "run", "ARGS=--size 5 --port 0"],
        cwd=clone,
        env=environment(PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as server:
        try:
            page = fetch(first_address(server))
            assert "<html" in page
            assert not (clone / ".venv/.test").exists(), "make run installs no more than it takes to run"
            assert not changed(clone), "running leaves the checkout as it was"
        finally:
            os.killpg(server.pid, signal.SIGINT)


def first_address(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    printed = []
    for line in server.stdout:
        printed.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+/?\S*|http://localhost:\d+/?\S*", line):
            return found[0]
    pytest.fail(f"make run ended and printed no address:\n{''.join(printed)}")


def fetch(address: str) -> str:
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def changed(clone: Path) -> str:
    status = ["git", "status", "--porcelain"]
    return subprocess.run(status, cwd=clone, capture_output=True, text=True, check=True).stdout


def test_python_without_venv_is_told_what_to_install(clone: Path, tmp_path) -> None:
    without = tmp_path / "without"
    without.mkdir()
    (without / "ensurepip.py").write_text("raise ImportError('taken out, as Debian does')")
    done = make(clone, "run", PYTHONPATH=str(without))
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stderr
    assert not (clone / ".venv").exists()


def test_old_python_is_told_which_one_is_needed(clone: Path, tmp_path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "sitecustomize.py").write_text("import sys; sys.version_info = (3, 9, 18)")
    done = make(clone, "run", PYTHONPATH=str(old))
    assert done.returncode != 0
    assert "needs Python 3.11 or later" in done.stderr
    assert not (clone / ".venv").exists()


def test_ci_runs_the_checks_and_ends_with_the_tests(clone: Path, tmp_path) -> None:
    """The order of `make check` and `make test`, and that a failure of either is one of the whole."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "make").write_text('#!/bin/sh\necho "make $*"\n[ "$1" != "$FAIL" ]\n')
    (tools / "make").chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"

    def ci(fail: str) -> subprocess.CompletedProcess[str]:
        run = [shutil.which("bash") or "bash", ".ci/run"]
        own = environment(PATH=path, CI="true", FAIL=fail)
        return subprocess.run(
            run, cwd=clone, env=own, capture_output=True, text=True, timeout=30, check=False
        )

    assert ci("").stdout.splitlines() == ["make check", "make test ARGS=--campaign-seed=new"]
    assert ci("").returncode == 0
    assert ci("check").returncode != 0
    assert ci("test").returncode != 0
