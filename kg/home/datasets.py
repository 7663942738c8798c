"""The SPARQL datasets of a home: one for each audience, derived from the journal, built when first asked for.

A dataset on disk carries a stamp: the entry that it stands at, its hash, and the ontology it was built with.
The stamp is written after the store was flushed, so the store holds at least that much, whatever happened
later: what came after is brought in again, which changes nothing where it is there already. A stamp that the
journal does not know means that the journal has lost entries, and nothing is opened.
"""

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from battpass.kg import storage
from battpass.kg.access import Audience
from battpass.kg.dataset.dataset import Dataset
from battpass.kg.dataset.pool import QueryPool
from battpass.kg.dataset.sealed import Walls
from battpass.kg.errors import BattPassError, DamagedHome, HomeInUse, NotWritable, Overdue, PoolBusy
from battpass.kg.graphs import Graphs
from battpass.kg.home.copies import copy_of
from battpass.kg.home.stamp import STAMP, Stamp, ontology_digest
from battpass.kg.home.visible import item_graphs, model_parts, stages, standing
from battpass.kg.journal.entry import Stage
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.parts import graphs_of
from battpass.kg.journal.witness import Head

# Changing a record in place costs some ten times as much as loading a new one: beyond this many changes,
# where they are also a good part of all records, a dataset is built anew.
MOST_CHANGES_IN_PLACE = 500
# With less room than this nothing that answers is given up for something that is to be written.
ROOM_BYTES = 16 << 20

# Sees the records go by while a dataset is built, and how many there are.
Watch = Callable[[Iterable[str], int], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Answering:
    """How many queries of a dataset run at the same time, and what each is held by."""

    workers: int = 2
    walls: Walls | None = None


STANDARD = Answering()


class Datasets:
    """The datasets of a journal, below `folder` or in memory; safe to use from many threads."""

    def __init__(self, journal: Journal, folder: Path | None) -> None:
        self._journal = journal
        self._folder = folder
        self._open: dict[str, tuple[Dataset, Audience]] = {}
        # Were open, and could not be opened again when they were to be built anew.
        self._lost: dict[str, Audience] = {}
        self._at: dict[str, int] = {}
        self._answering: dict[str, Answering] = {}
        self._writing = threading.RLock()
        self._grown = threading.Condition()

    def get(self, reader: Audience, watch: Watch | None = None, answering: Answering = STANDARD) -> Dataset:
        """Return the dataset of an audience, open for writing and up to date.

        `answering` counts when it is opened.

        Raises
        ------
        HomeInUse
            If another process has it open.
        DamagedHome
            If it knows entries that the journal does not have.
        StorageFull, StorageFailed
            If the disk does not take it.
        """
        with self._writing, _refusals(reader.name):
            if reader.name not in self._open:
                self._answering[reader.name] = answering
                self._open[reader.name] = (self._opened(reader, watch, answering), reader)
                self._lost.pop(reader.name, None)
            else:
                self.catch_up(reader.name, watch)
            return self._open[reader.name][0]

    def snapshot(self, reader: Audience, answering: Answering) -> QueryPool:
        """Return what answers queries from the dataset on disk, also beside a process that writes to it."""
        copy = copy_of(self.place(reader.name))
        return QueryPool(copy, size=answering.workers, walls=answering.walls)

    def is_fresh(self, audience: str) -> bool:
        """Return whether a dataset stands at the end of the journal."""
        head = self._journal.head
        if self._folder is None:
            return self._at.get(audience) == head.sequence
        return Stamp.read(self.place(audience) / STAMP) == self._stamp(head)

    def names(self) -> list[str]:
        """Return the audiences that have a dataset, fresh or not."""
        if self._folder is None:
            return sorted(self._open)
        return sorted(path.parent.name for path in (self._folder / "datasets").glob("*/store"))

    def open_names(self) -> list[str]:
        """Return the audiences whose datasets are open, or should be."""
        with self._writing:
            return sorted(self._open.keys() | self._lost.keys())

    def shown(self, audience: str) -> int:
        """Return the sequence number that a dataset shows to queries now, -1 where it is not open."""
        return self._at.get(audience, -1)

    def wait(self, audience: str, sequence: int, seconds: float) -> int:
        """Wait until a dataset that somebody brings up to date shows an entry.

        Raises
        ------
        Overdue
        """
        with self._grown:
            if not self._grown.wait_for(lambda: self.shown(audience) >= sequence, seconds):
                raise Overdue(
                    f"The dataset shows entry {self.shown(audience)} after {seconds:g} s, not yet {sequence}."
                )
            return self.shown(audience)

    def catch_up(self, audience: str, watch: Watch | None = None) -> None:
        """Bring an open dataset to the end of the journal, and show it to queries."""
        with self._writing, _refusals(audience):
            if audience in self._lost:
                self.reopen(audience)
                return
            dataset, reader = self._open[audience]
            head = self._journal.head
            if self._at[audience] == head.sequence:
                return
            # Should this fail half way, the same is done again: the dataset still says where it stood before.
            if self._apply(dataset, reader, self._at[audience], head.sequence):
                self._show(dataset, reader.name, head)
            else:
                self._build_anew(dataset, reader, watch)

    def reopen(self, audience: str, *, anew: bool = False) -> None:
        """Close a dataset and open it again, or build it `anew`; queries fail for as long as that takes."""
        with self._writing:
            if audience in self._open:
                self._lost[audience] = self._open[audience][1]
            if anew:
                self.forget(audience)
            else:
                self._close(audience)
            self.get(self._lost[audience], None, self._answering.get(audience, STANDARD))

    def has_room(self) -> bool:
        """Return whether datasets can be written."""
        if self._folder is None:
            return True
        return storage.has_room(self._folder / "datasets", ROOM_BYTES)

    def opened(self, audience: str) -> Dataset:
        """Return a dataset that was opened before, as it stands."""
        found = self._open.get(audience)
        if found is None:
            raise PoolBusy(f"The {audience} dataset is being built anew. Try again in a moment.")
        return found[0]

    def forget(self, audience: str) -> None:
        """Have a dataset built anew when it is next asked for."""
        with self._writing:
            self._close(audience)
            if self._folder is not None:
                (self.place(audience) / STAMP).unlink(missing_ok=True)

    def place(self, audience: str) -> Path:
        """Return the folder of a dataset."""
        assert self._folder is not None
        return self._folder / "datasets" / audience

    def close(self) -> None:
        """Close what is open."""
        with self._writing:
            for audience in [*self._open]:
                self._close(audience)
            self._lost = {}

    # --- private ---------------------------------------------------------------------------------------

    def _close(self, audience: str) -> None:
        dataset, _ = self._open.pop(audience, (None, None))
        self._at.pop(audience, None)
        if dataset is not None:
            _close(dataset)

    def _opened(self, reader: Audience, watch: Watch | None, answering: Answering) -> Dataset:
        if self._folder is None:
            dataset = Dataset.in_memory()
            self._fill(dataset, reader, watch, self._journal.head)
            return dataset
        place, head = self.place(reader.name), self._journal.head
        stamp = Stamp.read(place / STAMP)
        if stamp is not None and not self._is_known(stamp):
            raise DamagedHome(
                f"The {reader.name} dataset has seen entry {stamp.sequence}, and the journal ends at entry "
                f"{head.sequence} or says otherwise there: it has lost entries. Bring the home back from a "
                "backup; `battpass journal verify` says more."
            )
        if stamp is None or stamp.ontology != self._ontology:
            _clear(place)
            stamp = None
        try:
            dataset = Dataset.open(place, workers=answering.workers, walls=answering.walls)
        except (HomeInUse, NotWritable):
            raise
        except BattPassError:
            # It does not open any more: it can be built from the journal, so it is no loss.
            _remove(place)
            dataset, stamp = Dataset.open(place, workers=answering.workers, walls=answering.walls), None
        try:
            if stamp is None or not self._apply(dataset, reader, stamp.sequence, head.sequence):
                if stamp is not None:
                    _close(dataset)
                    _clear(place)
                    dataset = Dataset.open(place, workers=answering.workers, walls=answering.walls)
                self._fill(dataset, reader, watch, head)
            else:
                self._show(dataset, reader.name, head)
        except BaseException:
            _close(dataset)
            raise
        return dataset

    def _build_anew(self, dataset: Dataset, reader: Audience, watch: Watch | None) -> None:
        """Replace the content of an open dataset: all that stands, and nothing else."""
        head = self._journal.head
        there = set(dataset.records())
        stand = self._stand(reader)
        for record in sorted(there - {*stand.keys(), *stand.values()}):
            dataset.remove(record)
        self._fill(dataset, reader, watch, head)

    def _fill(self, dataset: Dataset, reader: Audience, watch: Watch | None, head: Head) -> None:
        from battpass.kg.ontology.vocabulary import vocabulary_triples

        stand = self._stand(reader)
        records, models = sorted(stand), sorted(set(stand.values()))
        dataset.set_vocabulary(vocabulary_triples())
        seen = watch(records, len(records)) if watch else records
        dataset.replace_many(
            chain(
                ((model, self._model_graphs(model, reader)) for model in models),
                ((record, self._item_graphs(record, reader)) for record in seen),
            )
        )
        self._show(dataset, reader.name, head)

    def _apply(self, dataset: Dataset, reader: Audience, after: int, upto: int) -> bool:
        """Bring a dataset from one entry to another; return False where building anew costs less."""
        records: dict[str, None] = {}
        models: dict[str, None] = {}
        for entry in self._journal.entries(after, upto):
            if entry.is_model:
                continue  # it shows as soon as an item that is seen points to it
            records[entry.record] = None
            models[entry.model] = None
        if len(records) > MOST_CHANGES_IN_PLACE and 4 * len(records) > self._journal.count(stages(reader)):
            return False
        for record in records:
            models |= dict.fromkeys(self._models_at(record, after, reader))
        dataset.replace_many(self._changed(records, models, reader))
        return True

    def _models_at(self, record: str, sequence: int, reader: Audience) -> set[str]:
        """Return the model records that an item may have shown at an entry; they may go now."""
        found: dict[Stage, str] = {}
        for entry in self._journal.history(record):
            if entry.sequence <= sequence and entry.stage in stages(reader):
                found[entry.stage] = entry.model
        return set(found.values())

    def _changed(
        self, records: Iterable[str], models: Iterable[str], reader: Audience
    ) -> Iterator[tuple[str, Graphs]]:
        for model in models:
            yield model, self._model_graphs(model, reader) if self._shows(model, reader) else {}
        for record in records:
            yield record, self._item_graphs(record, reader)

    def _shows(self, model: str, reader: Audience) -> bool:
        """Return whether an item that stands for an audience points to a model record, not only its draft."""
        items = self._journal.items_of(model, stages(reader))
        entries = (standing(self._journal, item, reader) for item in items)
        return any(entry is not None and entry.model == model for entry in entries)

    def _item_graphs(self, record: str, reader: Audience) -> Graphs:
        entry = standing(self._journal, record, reader)
        return item_graphs(self._journal, entry, reader) if entry else {}

    def _model_graphs(self, model: str, reader: Audience) -> Graphs:
        return graphs_of(model_parts(self._journal, model, reader.classes))

    def _stand(self, reader: Audience) -> dict[str, str]:
        """Return the model record of each item that stands for an audience, in the state that stands."""
        found: dict[str, str] = {}
        for record, stage, model in self._journal.records(stages(reader)):
            if stage is Stage.PUBLISHED or record not in found:
                found[record] = model
        return found

    def _show(self, dataset: Dataset, audience: str, head: Head) -> None:
        """Show what was written, and stamp it with the entry that it stands at."""
        dataset.flush()
        if self._folder is not None:
            self._stamp(head).write(self.place(audience) / STAMP)
        with self._grown:
            self._at[audience] = head.sequence
            self._grown.notify_all()

    def _stamp(self, head: Head) -> Stamp:
        return Stamp(head.sequence, head.hash, self._ontology)

    def _is_known(self, stamp: Stamp) -> bool:
        """Return whether the journal has the entry that a stamp names."""
        if stamp.sequence == 0:
            return True
        entry = self._journal.entry(stamp.sequence)
        return entry is not None and entry.hash == stamp.hash

    @cached_property
    def _ontology(self) -> str:
        """The digest of what datasets are built with; it does not change while this runs."""
        return ontology_digest()


@contextmanager
def _refusals(audience: str) -> Iterator[None]:
    """Tell what a disk refuses in words of ours."""
    try:
        yield
    except OSError as error:
        raise storage.refusal(error, f"the dataset {audience}") from error


def _close(dataset: Dataset) -> None:
    # What a full disk does not take is brought in again when the dataset is opened next, from its stamp on.
    with suppress(OSError, RuntimeError):
        dataset.close()


def _clear(place: Path) -> None:
    """Remove a dataset that is out of date, unless another process has it open."""
    if (place / "store").exists():
        try:
            _close(Dataset.open(place))
        except HomeInUse:
            raise
        except BattPassError:
            pass  # it does not open any more, which is no reason to keep it
    _remove(place)


def _remove(place: Path) -> None:
    (place / STAMP).unlink(missing_ok=True)  # first: what has no stamp is never taken for a dataset
    for part in ("store", "snapshots"):  # not `readers`: these answer from copies of their own
        shutil.rmtree(place / part, ignore_errors=True)
