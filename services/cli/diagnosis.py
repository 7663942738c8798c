"""What `battpass doctor` looks at; each check says what to do where something is wrong."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pyoxigraph import Store

from battpass import __version__
from battpass.kg.dataset.dataset import Dataset
from battpass.kg.errors import BattPassError, DamagedHome, HomeInUse
from battpass.kg.home import Entry, Home
from battpass.kg.home.datasets import Datasets
from battpass.kg.home.folder import is_home
from battpass.kg.home.lock import holder_of
from battpass.kg.home.stamp import STAMP, Stamp
from battpass.kg.journal import schema
from battpass.kg.journal.journal import WITNESS
from battpass.kg.journal.verify import Watch
from battpass.kg.journal.witness import Head, Witness
from battpass.kg.namespaces import node
from battpass.kg.passport import PASSPORT_CLASS

OLDEST_PYTHON = (3, 11)
LIBRARIES = ("pyoxigraph", "rdflib", "pyshacl", "owlready2", "fastapi", "uvicorn")
# Below this a journal that grows, or a dataset that is built, may fill the disk.
ROOM_BYTES = 1_000_000_000
TYPE = node("rdf:type")
BACK_UP = "Bring the home back from a back-up: battpass --home DIR restore FILE"
REBUILD = "Build it anew: battpass rebuild"

# Sees the entries of passports go by, and how many there are.
WatchEntries = Callable[[Iterable[Entry], int], Iterable[Entry]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `advice` says what to do, where there is something."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def examine(folder: Path, watch: WatchEntries | None = None) -> Iterator[Check]:
    """Yield the checks one after the other, as they are done; `watch` sees the passports go by."""
    yield _python()
    yield _libraries()
    yield _tried("tables", _tables, "Reinstall BattPass; where a table was edited, mend the place named.")
    yield _tried("shapes", _shapes, "Reinstall BattPass; where a shape was edited, mend the place named.")
    yield _tried("query workers", _workers, "Queries from outside need Linux; see what the message names.")
    yield _java()
    yield from _home(folder, watch)


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


def _home(folder: Path, watch: WatchEntries | None) -> Iterator[Check]:
    if not is_home(folder):
        is_free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
        advice = "Make one with `battpass import FILE...` or `battpass demo`."
        other = "Name the folder of one with --home or BATTPASS_HOME, or a new one."
        found = "none yet" if is_free else "is there, and is no home of passports"
        yield Check("folder", is_free, f"{folder}: {found}", advice if is_free else other)
        return
    # Read before the journal, which may grow meanwhile: an older witness is as good.
    witness = Witness(folder / WITNESS, writable=False).read()
    try:
        home = Home.open(folder, read_only=True)
    except BattPassError as error:
        yield Check("folder", False, str(folder), str(error))
        return
    with home:
        yield _lock(folder)
        yield _room(folder)
        yield _leftovers(folder)
        yield _tried("journal", lambda: _end(home, witness), BACK_UP)
        yield _tried("passports", lambda: _passports(home, watch), BACK_UP)
        yield from (_dataset(home, name) for name in home.built())


def examine_deeply(folder: Path, watch: Watch | None = None) -> Iterator[Check]:
    """Yield what takes long: each byte of the journal, and each dataset against one built anew in memory."""
    if not is_home(folder):
        return
    yield _tried("journal, deep", lambda: _verified(folder, watch), BACK_UP)
    try:
        home = Home.open(folder, read_only=True)
    except BattPassError:
        return  # it was told
    with home:
        for name in home.built():
            yield _tried(f"dataset {name}, deep", partial(_compared, home, name), REBUILD)


def _lock(folder: Path) -> Check:
    if not os.access(folder, os.W_OK):
        return Check(
            "folder", False, f"{folder} cannot be written to", "Give yourself the right to write there."
        )
    holder = holder_of(folder / "lock")
    return Check("folder", True, f"{folder}, process {holder} writes to it" if holder else f"{folder}, free")


def _room(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    ok = free >= ROOM_BYTES
    advice = (
        "" if ok else "Make room on the disk, or move the home to a larger one: nothing is written when full."
    )
    return Check("free space", ok, f"{free / 1e9:,.1f} GB", advice)


def _leftovers(folder: Path) -> Check:
    """Look for what writing leaves that was cut off: of no use, and in nobody's way."""
    patterns = ("*.tmp", ".*.part", ".restoring", "datasets/*/*.tmp")
    found = sorted(path.relative_to(folder) for pattern in patterns for path in folder.glob(pattern))
    for copy in folder.glob("datasets/*/readers/*"):
        if not _runs(copy.name.partition("-")[0]):
            found.append(copy.relative_to(folder))
    if not found:
        return Check("leftovers", True, "none")
    names = ", ".join(map(str, found[:5])) + (", ..." if len(found) > 5 else "")
    return Check(
        "leftovers",
        True,
        f"{len(found)} of work that was cut off: {names}",
        "They can be removed at any time.",
    )


def _end(home: Home, witness: Head | None) -> str:
    head = home.journal.head
    if witness is None:
        return f"ends at entry {head.sequence:,}; no witness remembers the end"
    if witness.sequence > head.sequence:
        raise DamagedHome(
            f"It ends at entry {head.sequence:,}, but entry {witness.sequence:,} was acknowledged: the rest "
            "is lost"
        )
    entry = home.journal.entry(witness.sequence) if witness.sequence else None
    if witness.sequence and (entry is None or entry.hash != witness.hash):
        raise DamagedHome(f"Entry {witness.sequence:,} is not the one that was acknowledged")
    return f"ends at entry {head.sequence:,}, as the witness says"


def _passports(home: Home, watch: WatchEntries | None) -> str:
    number = 0
    for entry in watch(home.entries(), len(home)) if watch else home.entries():
        home.state(entry.record, version=entry.version)
        if entry.original and home.journal.text(entry.original) is None:
            raise DamagedHome(f"The document of {entry.record} is missing")
        number += 1
    return f"{number:,}, all as they were written"


def _dataset(home: Home, name: str) -> Check:
    label = f"dataset {name}"
    assert home.folder is not None
    stamp = Stamp.read(home.folder / "datasets" / name / STAMP)
    head = home.journal.head
    if stamp is None:
        return Check(label, True, "has no stamp; it is built anew when next asked for")
    entry = home.journal.entry(stamp.sequence) if stamp.sequence else None
    if stamp.sequence and (entry is None or entry.hash != stamp.hash):
        detail = f"has seen entry {stamp.sequence:,}, and the journal says otherwise: it has lost entries"
        return Check(label, False, detail, BACK_UP)
    if not home.is_built(name):
        return Check(
            label,
            True,
            f"stands at entry {stamp.sequence:,} of {head.sequence:,}; it is brought up to date when asked",
        )
    return _tried(label, partial(_count, home.folder, name), REBUILD)


def _count(folder: Path, name: str) -> str:
    """Open a store for reading, which changes nothing in it, and count."""
    try:
        store = Store.read_only(str(folder / "datasets" / name / "store"))
        found = {quad.subject for quad in store.quads_for_pattern(None, TYPE, PASSPORT_CLASS)}
    except (RuntimeError, OSError) as error:
        if holder := holder_of(folder / "lock"):
            return f"open in process {holder}"  # which may be changing its files just now
        raise DamagedHome(f"It does not open: {error}") from None
    return f"answers, with {len(found):,} passports"


def _verified(folder: Path, watch: Watch | None) -> str:
    from battpass.kg.journal.verify import verify

    found = verify(folder / schema.FILE, folder / WITNESS, watch)
    if not found.sound:
        more = f" ({len(found.problems)} problems; `battpass journal verify` says each)"
        raise DamagedHome(found.problems[0] + more)
    return f"{found.entries:,} entries and {found.texts:,} texts, all as they were written"


def _compared(home: Home, name: str) -> str:
    assert home.folder is not None
    if not home.is_built(name):
        return "not compared, as it is out of date"
    try:
        there = Dataset.open(home.folder / "datasets" / name)
    except HomeInUse:
        return "not compared, as another process has it open"
    with there:
        digest = there.digest()
    memory = Datasets(home.journal, None)
    try:
        same = memory.get(home.audience(name)).digest() == digest
    finally:
        memory.close()
    if not same:
        raise DamagedHome("It does not hold what the journal says")
    return f"holds what the journal says, digest {digest[:16]}"


def _tried(name: str, attempt: Callable[[], str], advice: str) -> Check:
    try:
        return Check(name, True, attempt())
    except (BattPassError, OSError) as error:
        return Check(name, False, str(error), advice)


def _runs(process: str) -> bool:
    return process.isdigit() and Path("/proc", process).exists()
