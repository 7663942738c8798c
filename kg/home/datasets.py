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
from pathlib import Path

from battpass.kg import storage
from battpass.kg.access import Audience
from battpass.kg.dataset.dataset import Dataset
from battpass.kg.dataset.pool import QueryPool
from battpass.kg.dataset.sealed import Walls
from battpass.kg.errors import BattPassError, DamagedHome, HomeInUse, NotWritable, Overdue, PoolBusy
from battpass.kg.home.content import Content
from battpass.kg.home.copies import copy_of
from battpass.kg.home.stamp import STAMP, Stamp, ontology_digest
from battpass.kg.home.visible import stages
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.witness import Head

# Changing a record in place costs about so many times as much as loading a new one.
IN_PLACE = 10
# Beyond this many changes, where they are also a good part of all records, a dataset is built anew.
MOST_CHANGES_IN_PLACE = 500
# So many changes take about a second. More are brought in while others write, and then what those wrote.
MOST_AT_ONE_MOMENT = 100
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

    def behind(self, audience: Audience) -> int:
        """Return how much a dataset on disk lacks, in records to be loaded: never less, often more."""
        stamp = Stamp.read(self.place(audience.name) / STAMP)
        if stamp is None or stamp.ontology != self._ontology:
            return self._journal.count(stages(audience))
        return IN_PLACE * max(0, self._journal.head.sequence - stamp.sequence)

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
            if self._at[audience] == self._journal.head.sequence:
                return
            # Should this fail half way, the same is done again: the dataset still says where it stood before.
            head = self._follow(dataset, reader, self._at[audience])
            if head is None:
                head = self._build_anew(dataset, reader, watch)
            self._show(dataset, audience, head)

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
            self._show(dataset, reader.name, self._fill(dataset, reader, watch))
            return dataset
        place = self.place(reader.name)
        stamp = Stamp.read(place / STAMP)
        if stamp is not None and not self._is_known(stamp):
            raise DamagedHome(
                f"The {reader.name} dataset has seen entry {stamp.sequence}, and the journal ends at entry "
                f"{self._journal.head.sequence} or says otherwise there: it has lost entries. Bring the home "
                "back from a backup; `battpass journal verify` says more."
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
            head = self._follow(dataset, reader, stamp.sequence) if stamp else None
            if head is None:
                if stamp is not None:
                    _close(dataset)
                    _clear(place)
                    dataset = Dataset.open(place, workers=answering.workers, walls=answering.walls)
                head = self._fill(dataset, reader, watch)
            self._show(dataset, reader.name, head)
        except BaseException:
            _close(dataset)
            raise
        return dataset

    def _build_anew(self, dataset: Dataset, reader: Audience, watch: Watch | None) -> Head:
        """Replace the content of an open dataset: all that stands, and nothing else."""
        items = Content(self._journal, reader).items()
        for record in sorted(set(dataset.records()) - {*items.keys(), *items.values()}):
            dataset.remove(record)
        return self._fill(dataset, reader, watch)

    def _fill(self, dataset: Dataset, reader: Audience, watch: Watch | None) -> Head:
        """Bring in all that stands; return the entry at which the dataset stands then."""
        from battpass.kg.ontology.vocabulary import vocabulary_triples

        begun, content = self._journal.head.sequence, Content(self._journal, reader)
        items = content.items()
        dataset.set_vocabulary(vocabulary_triples())
        records = sorted(items)
        seen = watch(records, len(records)) if watch else records
        dataset.replace_texts(content.texts(seen, sorted(set(items.values()))))
        return self._settle(dataset, reader, begun)

    def _follow(self, dataset: Dataset, reader: Audience, after: int) -> Head | None:
        """Bring in what came after an entry; return None where building anew costs less."""
        head, content = self._journal.head, Content(self._journal, reader)
        touched = content.touched(after, head.sequence)
        changes = len(touched.items)
        if changes > MOST_CHANGES_IN_PLACE and 4 * changes > self._journal.count(stages(reader)):
            return None
        if changes > MOST_AT_ONE_MOMENT:
            dataset.replace_texts(content.texts(touched.items, touched.models))
            after = head.sequence
        return self._settle(dataset, reader, after)

    def _settle(self, dataset: Dataset, reader: Audience, after: int) -> Head:
        """Bring in what came after an entry as it stands at one moment, so that no write shows by halves."""
        with self._journal.at_one_moment() as moment:
            head, content = moment.head, Content(moment, reader)
            touched = content.touched(after, head.sequence)
            dataset.replace_texts(content.texts(touched.items, touched.models))
            return head

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
