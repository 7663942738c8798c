"""The SPARQL datasets of a home: one for each audience, derived from the shelf, built when first asked for.

A dataset on disk carries the state of the shelf and of the ontology that it was built from. Where these
are others by now, because a process ended between the two or a table was changed, it is built anew.
"""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from pyoxigraph import Store

from battpass.kg.access import Audience, cut
from battpass.kg.dataset.dataset import Dataset
from battpass.kg.dataset.pool import QueryPool
from battpass.kg.dataset.sealed import Walls
from battpass.kg.errors import BattPassError, HomeInUse
from battpass.kg.graphs import Graphs
from battpass.kg.home.shelf import Changes, Shelf
from battpass.kg.resources import ontology_path

# Changing a record in place costs some ten times as much as loading a new one: beyond this many changes the
# dataset is left to be built anew when it is next asked for.
MOST_CHANGES_IN_PLACE = 500

_ATTEMPTS = 10

# Sees the records go by while a dataset is built, and how many there are.
Watch = Callable[[Iterable[str], int], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Answering:
    """How many queries of a dataset run at the same time, and what each is held by."""

    workers: int = 2
    walls: Walls | None = None


STANDARD = Answering()


class Datasets:
    """The datasets of a shelf, below `folder` or in memory.

    A dataset can be built without the lock of the home: it is stamped with the state that was read first,
    so one that was overtaken by a write is built anew.
    """

    def __init__(self, shelf: Shelf, folder: Path | None) -> None:
        self._shelf = shelf
        self._folder = folder
        self._open: dict[str, Dataset] = {}

    def get(self, reader: Audience, watch: Watch | None = None, answering: Answering = STANDARD) -> Dataset:
        """Return the dataset of an audience, open for writing; `answering` counts when it is opened."""
        if reader.name not in self._open:
            self._open[reader.name] = self._opened(reader, watch, answering)
        return self._open[reader.name]

    def snapshot(self, reader: Audience, answering: Answering) -> QueryPool:
        """Return what answers queries from the dataset on disk, also beside a process that writes to it."""
        readers = self.place(reader.name) / "readers"
        readers.mkdir(exist_ok=True)
        for left in readers.iterdir():
            if not _runs(left.name.partition("-")[0]):
                shutil.rmtree(left, ignore_errors=True)
        copy = readers / f"{os.getpid()}-{secrets.token_hex(4)}"
        _copy_store(self.place(reader.name), copy)
        return QueryPool(copy, size=answering.workers, walls=answering.walls)

    def is_fresh(self, audience: str) -> bool:
        """Return whether a dataset exists and is what would be built now."""
        if self._folder is None:
            return audience in self._open
        stamp = self.place(audience) / "built"
        return stamp.is_file() and stamp.read_text(encoding="utf-8") == self._state()

    def names(self) -> list[str]:
        """Return the audiences that have a dataset, fresh or not."""
        if self._folder is None:
            return sorted(self._open)
        return sorted(path.parent.name for path in (self._folder / "datasets").glob("*/store"))

    @contextmanager
    def following(self, audiences: Callable[[str], Audience]) -> Iterator[Changes]:
        """Yield the changes to be filled in by a write; bring the datasets up to date with them after it."""
        fresh = [name for name in self.names() if self.is_fresh(name)]
        changes = Changes()
        yield changes
        size = len(changes.written) + len(changes.gone)
        for name in self.names() if size else ():
            if name in fresh and size <= MOST_CHANGES_IN_PLACE:
                try:
                    self._apply(changes, audiences(name))
                except BaseException:
                    self.forget(name)
                    raise
            elif name in self._open:
                self._open.pop(name).close()

    def forget(self, audience: str) -> None:
        """Have a dataset built anew when it is next asked for."""
        if (dataset := self._open.pop(audience, None)) is not None:
            dataset.close()
        if self._folder is not None:
            (self.place(audience) / "built").unlink(missing_ok=True)

    def place(self, audience: str) -> Path:
        """Return the folder of a dataset."""
        assert self._folder is not None
        return self._folder / "datasets" / audience

    def close(self) -> None:
        """Close what is open."""
        for dataset in self._open.values():
            dataset.close()
        self._open = {}

    def _opened(self, reader: Audience, watch: Watch | None, answering: Answering) -> Dataset:
        if self._folder is None:
            dataset, state = Dataset.in_memory(), ""
        else:
            place, state = self.place(reader.name), self._state()
            if not self.is_fresh(reader.name):
                _clear(place)
            dataset = Dataset.open(place, workers=answering.workers, walls=answering.walls)
            if self.is_fresh(reader.name):
                return dataset
        try:
            self._fill(dataset, reader, watch)
            self._show(dataset, reader, state)
        except BaseException:
            dataset.close()
            raise
        return dataset

    def _fill(self, dataset: Dataset, reader: Audience, watch: Watch | None) -> None:
        from battpass.kg.ontology.vocabulary import vocabulary_triples

        entries = {kept.record: kept for kept in self._shelf.entries()}
        models = sorted({kept.model for kept in entries.values()})
        records = watch(entries, len(entries)) if watch else entries
        dataset.set_vocabulary(vocabulary_triples())
        dataset.replace_many(
            chain(
                ((model, cut(self._shelf.model_graphs(model), reader)) for model in models),
                ((record, cut(self._shelf.item_graphs(entries[record]), reader)) for record in records),
            )
        )

    def _apply(self, changes: Changes, reader: Audience) -> None:
        """Bring a dataset that was up to date before some changes up to date with them."""
        dataset = self._open.get(reader.name)
        if dataset is None:
            dataset = self._open[reader.name] = Dataset.open(self.place(reader.name))
        dataset.replace_many((record, self._visible(record, reader)) for record in sorted(changes.written))
        for record in sorted(changes.gone):
            dataset.remove(record)
        self._show(dataset, reader, self._state())

    def _visible(self, record: str, reader: Audience) -> Graphs:
        kept = self._shelf.entry(record)
        graphs = self._shelf.item_graphs(kept) if kept else self._shelf.model_graphs(record)
        return cut(graphs, reader)

    def _show(self, dataset: Dataset, reader: Audience, state: str) -> None:
        """Show what was written, and stamp it with the state that it was made from."""
        dataset.flush()
        if self._folder is not None:
            (self.place(reader.name) / "built").write_text(state, encoding="utf-8")

    def _state(self) -> str:
        return f"{self._shelf.state} {self._ontology}"

    @cached_property
    def _ontology(self) -> str:
        """The digest of the tables and terms that datasets are built with."""
        found = hashlib.sha256()
        for path in sorted(ontology_path().glob("*.*")):
            found.update(path.read_bytes())
        return found.hexdigest()[:16]


def _clear(place: Path) -> None:
    """Remove a dataset that is out of date, unless another process has it open."""
    if (place / "store").exists():
        try:
            Dataset.open(place).close()
        except HomeInUse:
            raise
        except BattPassError:
            pass  # it does not open any more, which is no reason to keep it
    for part in ("store", "snapshots"):  # not `readers`: these answer from copies of their own
        shutil.rmtree(place / part, ignore_errors=True)


def _copy_store(place: Path, copy: Path) -> None:
    """Make a copy of a store, of hard links where the file system has them.

    A store that is written to cannot be opened beside its writer with certainty, as the writer removes tables
    that it has merged. So the copy is then made of the snapshot that the writer's own queries run on.
    """
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt * 0.05)
        snapshots = [path for path in (place / "snapshots").glob("*") if path.name.isdigit()]
        try:
            if snapshots:
                newest = max(snapshots, key=lambda path: int(path.name))
                shutil.copytree(newest, copy, copy_function=_link)
            else:
                Store.read_only(str(place / "store")).backup(str(copy))
            return
        except (OSError, RuntimeError, shutil.Error):  # the snapshot was replaced, or a writer came or went
            shutil.rmtree(copy, ignore_errors=True)
    raise HomeInUse(f"Another process keeps changing {place}. Try again in a moment.")


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True
