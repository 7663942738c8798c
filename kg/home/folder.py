"""Passports in one plain folder that a person can look into.

    home.json                        what this folder is, and a state that is new after every write
    lock                             empty, or the process that writes
    passports/NAME.json              what is known of a passport; its presence makes the passport kept
    passports/NAME.DIGEST.nq         its item graphs, sorted N-Quads
    passports/NAME.DIGEST.original   the document that came in, byte for byte
    models/NAME.nq                   the graphs of a model record
    datasets/AUDIENCE/               derived from the rest, and built again when lost

Files are written beside their place, synced, and moved into it; those of a passport come before the one
that names them, so each passport is there as a whole, or as it was before.
"""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from battpass.kg.errors import DamagedHome
from battpass.kg.graphs import Finding, Graphs, Severity
from battpass.kg.home.shelf import Arrival, Changes, Kept, Outcome, digest, graphs_of, text_of
from battpass.kg.namespaces import BASE

LAYOUT = 1

_PLAIN = re.compile(r"[0-9a-z-]{1,64}")
_WAITING = ".tmp"
_SYNCING_THREADS = 8


class FolderShelf:
    """Passports in a folder. Writing needs the lock of the folder, which `Home` holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.passports = folder / "passports"
        self.models = folder / "models"

    @staticmethod
    def begin(folder: Path) -> None:
        """Make a folder a home; one that is a home already stays as it is.

        Raises
        ------
        DamagedHome
            If the folder holds something else.
        """
        if not (folder / "home.json").exists():
            if folder.is_dir() and any(folder.iterdir()):
                raise DamagedHome(
                    f"{folder} holds files and is no home of passports. Name an empty or a new folder."
                )
            for part in (folder, folder / "passports", folder / "models", folder / "datasets"):
                part.mkdir(parents=True, exist_ok=True)
            # A home in a working copy is data, not source.
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
            FolderShelf(folder).renew()

    def check(self) -> None:
        """Raise `DamagedHome` if this folder is no home, or one of a later layout."""
        layout = self._about().get("layout")
        if layout != LAYOUT:
            raise DamagedHome(
                f"{self.folder} has layout {layout}; this version reads layout {LAYOUT}. "
                "Use the version of BattPass that wrote it, or name another folder."
            )

    @property
    def state(self) -> str:
        """What changes with every write."""
        return str(self._about().get("state", ""))

    def renew(self) -> None:
        """Give the folder a new state: what was derived from the old one counts as out of date."""
        text = json.dumps({"layout": LAYOUT, "state": secrets.token_hex(8)}) + "\n"
        _settle({self.folder / "home.json": _write_aside(self.folder / "home.json", text.encode())})

    def clean(self) -> None:
        """Remove what a process left that ended while it wrote."""
        for part in (self.folder, self.passports, self.models):
            for path in part.glob(f"*{_WAITING}"):
                path.unlink()

    def entry(self, record: str) -> Kept | None:
        try:
            found = _kept((self.passports / f"{name_of(record)}.json").read_bytes())
            return found if found.record == record else None
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(self.passports / f"{name_of(record)}.json", error) from error

    def entries(self) -> Iterator[Kept]:
        for path in sorted(self.passports.glob("*.json")):
            try:
                yield _kept(path.read_bytes())
            except (ValueError, KeyError, TypeError) as error:
                raise _damaged(path, error) from error

    def item_graphs(self, kept: Kept) -> Graphs:
        path = self._graphs(kept)
        data = _read(path)
        if digest(data) != kept.graphs:
            raise _damaged(path, ValueError("its content does not have the digest of its name"))
        return _graphs(path, data)

    def model_graphs(self, model: str) -> Graphs:
        path = self.models / f"{name_of(model)}.nq"
        return _graphs(path, _read(path))

    def original(self, kept: Kept) -> bytes:
        path = self._original(kept)
        data = _read(path)
        if digest(data) != kept.original:
            raise _damaged(path, ValueError("its content does not have the digest of its name"))
        return data

    def batch(self) -> "FolderBatch":
        return FolderBatch(self)

    def remove(self, records: Iterable[str]) -> Changes:
        going = [kept for kept in map(self.entry, records) if kept is not None]
        if not going:
            return Changes()
        self.renew()
        for kept in going:
            (self.passports / f"{name_of(kept.record)}.json").unlink()
            for path in self.content(kept):
                path.unlink(missing_ok=True)
        _sync(self.passports)
        orphans = self.drop_orphans({kept.model for kept in going})
        return Changes(gone={kept.record for kept in going} | orphans)

    def drop_orphans(self, models: set[str]) -> set[str]:
        """Remove those model records that no passport points to; return them."""
        orphans = models - {kept.model for kept in self.entries()} if models else set()
        for model in orphans:
            (self.models / f"{name_of(model)}.nq").unlink(missing_ok=True)
        return orphans

    def content(self, kept: Kept) -> list[Path]:
        """Return the files that belong to a passport, but for the one that names them."""
        return [self._graphs(kept), *([self._original(kept)] if kept.original else [])]

    def __len__(self) -> int:
        return sum(1 for _ in self.passports.glob("*.json"))

    def _graphs(self, kept: Kept) -> Path:
        return self.passports / f"{name_of(kept.record)}.{kept.graphs}.nq"

    def _original(self, kept: Kept) -> Path:
        return self.passports / f"{name_of(kept.record)}.{kept.original}.original"

    def _about(self) -> dict[str, Any]:
        path = self.folder / "home.json"
        try:
            about = json.loads(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            raise DamagedHome(f"{self.folder} is no home of passports: it has no home.json.") from None
        except ValueError as error:
            raise _damaged(path, error) from error
        return about if isinstance(about, dict) else {}


class FolderBatch:
    """A write to a folder: everything lies aside, synced, before the first file moves into its place."""

    def __init__(self, shelf: FolderShelf) -> None:
        self._shelf = shelf
        self._content: dict[Path, Path] = {}
        self._entries: dict[Path, Path] = {}
        self._kept: dict[str, Kept] = {}
        self._before: dict[str, Kept] = {}
        self._models: dict[str, bool] = {}

    def add(self, arrival: Arrival) -> Outcome:
        graphs = text_of(arrival.passport.item_graphs)
        kept = Kept.of(arrival, graphs)
        stored = self._shelf.entry(kept.record)
        before = self._kept.get(kept.record) or stored
        if before is not None and before.same(kept):
            return "unchanged"
        if stored is not None:
            self._before[kept.record] = stored
        if (earlier := self._kept.get(kept.record)) is not None:
            for path in self._shelf.content(earlier):
                self._content.pop(path).unlink()
        for path, data in zip(self._shelf.content(kept), (graphs, arrival.original), strict=False):
            self._content[path] = _write_aside(path, data)
        self._model(arrival)
        place = self._shelf.passports / f"{name_of(kept.record)}.json"
        self._entries[place] = _write_aside(place, _text(kept))
        self._kept[kept.record] = kept
        return "replaced" if before else "added"

    def commit(self) -> Changes:
        if not self._kept:
            return Changes()
        _sync_all([*self._content.values(), *self._entries.values()])
        self._shelf.renew()
        _settle(self._content, synced=True)
        _settle(self._entries, synced=True)
        for record, before in self._before.items():
            for path in set(self._shelf.content(before)) - set(self._shelf.content(self._kept[record])):
                path.unlink(missing_ok=True)
        left = {kept.model for kept in self._before.values()} - {kept.model for kept in self._kept.values()}
        written = {model for model, changed in self._models.items() if changed} | set(self._kept)
        return Changes(written, self._shelf.drop_orphans(left))

    def abandon(self) -> None:
        for aside in (*self._content.values(), *self._entries.values()):
            aside.unlink(missing_ok=True)

    def _model(self, arrival: Arrival) -> None:
        """Write a model record once; its name is the digest of what it says, so it rarely changes."""
        model = arrival.passport.model
        if model in self._models:
            return
        path = self._shelf.models / f"{name_of(model)}.nq"
        text = text_of(arrival.passport.model_graphs)
        changed = not path.exists() or path.read_bytes() != text
        if changed:
            self._content[path] = _write_aside(path, text)
        self._models[model] = changed


def name_of(iri: str) -> str:
    """Return the file name of a record, without its suffix.

    >>> name_of("https://w3id.org/battpass/id/p/0190-a"), len(name_of("urn:x:../etc"))
    ('0190-a', 33)
    """
    name = iri.rpartition("/")[2]
    if iri in (f"{BASE}p/{name}", f"{BASE}model/{name}") and _PLAIN.fullmatch(name):
        return name
    return "_" + hashlib.sha256(iri.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _text(kept: Kept) -> bytes:
    return (json.dumps(asdict(kept), ensure_ascii=True, indent=1) + "\n").encode()


def _kept(data: bytes) -> Kept:
    found = json.loads(data)
    findings = tuple(
        Finding(**{**finding, "severity": Severity(finding["severity"])}) for finding in found["findings"]
    )
    return Kept(**{**found, "identifiers": tuple(found["identifiers"]), "findings": findings})


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise _damaged(path, error) from None


def _graphs(path: Path, data: bytes) -> Graphs:
    try:
        return graphs_of(data)
    except (ValueError, SyntaxError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DamagedHome:
    return DamagedHome(
        f"{path} is not what was written there ({error}). Bring the home back from a backup, or load the "
        "document again."
    )


def _write_aside(path: Path, data: bytes) -> Path:
    aside = path.with_name(path.name + _WAITING)
    aside.write_bytes(data)
    return aside


def _settle(files: dict[Path, Path], *, synced: bool = False) -> None:
    """Move files from aside into their places, and make the moves last."""
    if not synced:
        _sync_all(list(files.values()))
    for path, aside in files.items():
        aside.replace(path)
    for folder in {path.parent for path in files}:
        _sync(folder)


def _sync_all(paths: list[Path]) -> None:
    # The file system gathers syncs that wait at the same time: eight threads are about five times as fast.
    with ThreadPoolExecutor(min(_SYNCING_THREADS, max(1, len(paths)))) as pool:
        list(pool.map(_sync, paths))


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        with suppress(OSError):
            os.close(file)
