"""What `battpass doctor` looks at; each check says what to do where something is wrong."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from battpass import __version__
from battpass.kg.errors import BattPassError
from battpass.kg.home import Home

OLDEST_PYTHON = (3, 11)
LIBRARIES = ("pyoxigraph", "rdflib", "pyshacl", "owlready2", "fastapi", "uvicorn")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `advice` says what to do, where there is something."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def examine(folder: Path) -> Iterator[Check]:
    """Yield the checks one after the other, as they are done."""
    yield _python()
    yield _libraries()
    yield _tried("tables", _tables, "Reinstall BattPass; where a table was edited, mend the place named.")
    yield _tried("shapes", _shapes, "Reinstall BattPass; where a shape was edited, mend the place named.")
    yield _tried("query workers", _workers, "Queries from outside need Linux; see what the message names.")
    yield _java()
    yield from _home(folder)


def _python() -> Check:
    here = sys.version.split()[0]
    ok = sys.version_info >= OLDEST_PYTHON
    return Check("Python", ok, here, "" if ok else "Install Python 3.11 or later, and BattPass with it.")


def _libraries() -> Check:
    found, missing = [f"battpass {__version__}"], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    advice = f"Install BattPass again: {', '.join(missing)} cannot be found." if missing else ""
    return Check("libraries", not missing, ", ".join(found), advice)


def _tables() -> str:
    from battpass.kg.access import audiences
    from battpass.kg.attributes import load_attributes
    from battpass.kg.obligations import Obligations
    from battpass.kg.ontology.lock import TermLock
    from battpass.kg.ontology.vocabulary import vocabulary_triples
    from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
    from battpass.services.exchange.registry import formats

    attributes = load_attributes()
    parts = [
        f"{len(attributes)} attributes",
        f"{len(Obligations.load(attributes=attributes))} obligations",
        f"{len(BATTERY_PASS_6_1.mapping.vocabulary.quantities)} quantities",
        f"{len(audiences())} audiences",
        f"{len(TermLock.load()):,} locked terms",
        f"{len(vocabulary_triples()):,} vocabulary triples",
        f"{len(formats())} formats",
    ]
    return ", ".join(parts)


def _shapes() -> str:
    from battpass.kg.validation.shapes import ShapeSet

    return f"{len(ShapeSet.load().property_shapes):,} property shapes"


def _workers() -> str:
    from battpass.kg.dataset.sealed import SealedProcess, Walls

    process = SealedProcess(Walls())
    try:
        holds = process.ready()
    finally:
        process.close()
    return "sealed" + (", system calls filtered" if holds.get("filtered") else ", without a filter of calls")


def _java() -> Check:
    from battpass.kg.ontology.reasoner import find_java

    try:
        return Check("Java", True, str(find_java()))
    except BattPassError as error:
        # Only `ontology check` reasons; everything else does without.
        return Check("Java", True, "none: `battpass ontology check` cannot reason", str(error))


def _home(folder: Path) -> Iterator[Check]:
    if not (folder / "home.json").exists() and not folder.exists():
        advice = "Make one with `battpass import FILE...` or `battpass demo`."
        yield Check("folder", True, f"{folder}: none yet", advice)
        return
    try:
        home = Home.open(folder, read_only=True)
    except BattPassError as error:
        yield Check("folder", False, str(folder), str(error))
        return
    with home:
        yield _lock(folder)
        yield _tried("passports", lambda: _passports(home), "Import the document again, or restore a backup.")
        yield from (_dataset(home, name) for name in home.built())


def _lock(folder: Path) -> Check:
    from battpass.kg.home.lock import holder_of

    if not os.access(folder, os.W_OK):
        return Check(
            "folder", False, f"{folder} cannot be written to", "Give yourself the right to write there."
        )
    holder = holder_of(folder / "lock")
    return Check("folder", True, f"{folder}, process {holder} writes to it" if holder else f"{folder}, free")


def _passports(home: Home) -> str:
    number = 0
    for kept in home.entries():
        home.passport(kept.record)
        if kept.original:
            home.original(kept.record)
        number += 1
    return f"{number:,}, all as they were written"


def _dataset(home: Home, name: str) -> Check:
    label = f"dataset {name}"
    if not home.is_built(name):
        return Check(label, True, "out of date; it is built anew when next asked for")
    return _tried(label, lambda: _count(home, name), "Remove its folder below datasets; it is built anew.")


def _count(home: Home, name: str) -> str:
    queries = home.queries(name)
    try:
        text = "SELECT (COUNT(DISTINCT ?passport) AS ?n) { ?passport a bp:BatteryPassport }"
        number = queries.query(text, "csv").read().split()[-1].decode()
    finally:
        queries.close()
    return f"answers, with {number} passports"


def _tried(name: str, attempt: Callable[[], str], advice: str) -> Check:
    try:
        return Check(name, True, attempt())
    except (BattPassError, OSError) as error:
        return Check(name, False, str(error), advice)
