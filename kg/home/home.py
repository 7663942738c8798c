"""A home: the passports that one operator keeps, and the SPARQL datasets derived from them."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

from battpass.kg.access import Audience, audiences, cut
from battpass.kg.dataset.answers import Answer
from battpass.kg.dataset.dataset import Dataset
from battpass.kg.dataset.sealed import Walls
from battpass.kg.errors import DamagedHome, HomeInUse, NotFound
from battpass.kg.graphs import Finding
from battpass.kg.home.datasets import Answering, Datasets, Watch
from battpass.kg.home.folder import FolderShelf
from battpass.kg.home.lock import Lock
from battpass.kg.home.shelf import Arrival, Changes, Kept, MemoryShelf, Outcome, Shelf
from battpass.kg.namespaces import BASE
from battpass.kg.passport import Passport

T = TypeVar("T")


class Document(Protocol):
    """What a format makes of a document, such as `services.exchange.registry.Loaded`."""

    @property
    def passport(self) -> Passport: ...

    @property
    def findings(self) -> tuple[Finding, ...]: ...


class Queries(Protocol):
    """Something that answers SPARQL for one audience."""

    def query(
        self,
        text: str,
        accept: str | None = None,
        deadline: float = 30.0,
        *,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
    ) -> Answer:
        """Return the answer as a stream of bytes."""
        ...

    def close(self) -> None:
        """Give back what answering took."""
        ...


class Home:
    """Passports and their datasets, in memory or in one folder.

    One process has a folder open for writing; any number read passports beside it. A write keeps all that
    was given or nothing, and updates the datasets that exist.

    >>> with Home.in_memory() as home:
    ...     len(home)
    0
    """

    def __init__(self, shelf: Shelf, folder: Path | None = None, lock: Lock | None = None) -> None:
        self.folder = folder
        self._shelf = shelf
        self._lock = lock
        self._datasets = Datasets(shelf, folder)
        self._writing = threading.RLock()
        self._by_identifier: tuple[str, dict[str, str]] = ("", {})

    @classmethod
    def in_memory(cls) -> "Home":
        """Return an empty home that is gone with this process."""
        return cls(MemoryShelf())

    @classmethod
    def open(cls, path: Path | str, *, create: bool = False, read_only: bool = False) -> "Home":
        """Open the home in a folder; `create` makes one of a folder that is empty or not there.

        Raises
        ------
        NotFound
            If there is no home and none is to be made.
        HomeInUse
            If another process has it open for writing, and `read_only` is not set.
        DamagedHome
            If the folder holds something else.
        """
        folder = Path(path)
        if not (folder / "home.json").exists():
            if read_only or not create:
                raise NotFound(f"There is no home of passports in {folder}.")
            FolderShelf.begin(folder)
        shelf = FolderShelf(folder)
        shelf.check()
        if read_only:
            return cls(shelf, folder)
        lock = Lock(folder / "lock")
        shelf.clean()
        return cls(shelf, folder, lock)

    # --- passports -------------------------------------------------------------------------------------

    def put(
        self, document: Document, original: bytes = b"", *, format: str = "", source: str = ""
    ) -> Outcome:
        """Keep the passport of a document, in place of one that has the same record IRI."""
        arrival = Arrival(document.passport, tuple(document.findings), original, format, source)
        return self.put_many([arrival])[0]

    def put_many(self, arrivals: Iterable[Arrival]) -> list[Outcome]:
        """Keep many passports, read as they come: all of them, or none if anything is raised on the way."""
        with self._change() as changes:
            batch = self._shelf.batch()
            try:
                outcomes = [batch.add(arrival) for arrival in arrivals]
                changes.add(batch.commit())
            except BaseException:
                batch.abandon()
                raise
        return outcomes

    def remove(self, *names: str) -> None:
        """Remove passports, and models that no other passport has; raises `NotFound` before any goes."""
        records = [self.find(name) for name in names]
        with self._change() as changes:
            changes.add(self._shelf.remove(records))

    def find(self, name: str) -> str:
        """Return the record IRI behind a name of a passport.

        That is a record IRI, also without its base or with the fragment of one of its nodes; a UUID, also as
        `urn:uuid:...`; or the identifier of the battery.

        Raises
        ------
        NotFound
            If nothing here has that name, or several batteries have it.
        """
        short = name.removeprefix("urn:uuid:").partition("#")[0]
        for record in (name, short, f"{BASE}p/{short.lower()}", BASE + short):
            if self._shelf.entry(record) is not None:
                return record
        found = self._identifiers().get(name)
        if found is None:
            raise NotFound(
                f"No passport here is called {name!r}. "
                "Name it by its UUID, its IRI or the identifier of the battery."
            )
        if not found:
            raise NotFound(
                f"More than one passport here is called {name!r}. Name the one by its UUID or IRI."
            )
        return found

    def kept(self, name: str) -> Kept:
        """Return what is known of a passport without its graphs: model, format, findings."""
        found = self._shelf.entry(self.find(name))
        assert found is not None
        return found

    def passport(self, name: str, audience: str | None = None) -> Passport:
        """Return a passport, or as much of it as an audience may read."""
        kept, (item, model) = self._read(
            name, lambda kept: (self._shelf.item_graphs(kept), self._shelf.model_graphs(kept.model))
        )
        if audience is not None:
            reader = self.audience(audience)
            item, model = cut(item, reader), cut(model, reader)
        return Passport(kept.record, kept.model, item, model)

    def original(self, name: str) -> bytes:
        """Return the document that a passport came from, byte for byte."""
        if not self.kept(name).original:
            raise NotFound(f"{name} came without a document. Export it in a format of your choice.")
        return self._read(name, self._shelf.original)[1]

    def records(self) -> Iterator[str]:
        """Yield the record IRI of each passport, in a stable order."""
        return (kept.record for kept in self._shelf.entries())

    def entries(self) -> Iterator[Kept]:
        """Yield what is known of each passport, in the order of `records`."""
        return self._shelf.entries()

    @property
    def state(self) -> str:
        """What changes with every write, for whoever remembers what was read."""
        return self._shelf.state

    def __len__(self) -> int:
        return len(self._shelf)

    # --- datasets --------------------------------------------------------------------------------------

    @cached_property
    def audiences(self) -> dict[str, Audience]:
        """The audiences that a dataset can be asked for."""
        return dict(audiences())

    def audience(self, name: str) -> Audience:
        """Return an audience by its name; `NotFound` lists the names."""
        try:
            return self.audiences[name]
        except KeyError:
            known = ", ".join(sorted(self.audiences))
            raise NotFound(f"There is no audience {name!r}. Use one of: {known}.") from None

    def dataset(self, audience: str, watch: Watch | None = None) -> Dataset:
        """Return the dataset of an audience; it is built when first asked for, and stays open.

        Raises
        ------
        HomeInUse
            If this home is open for reading only: use `queries`.
        """
        reader = self.audience(audience)
        with self._writing:
            self._check_writing()
            return self._datasets.get(reader, watch)

    def queries(
        self, audience: str, watch: Watch | None = None, *, workers: int = 2, walls: Walls | None = None
    ) -> Queries:
        """Return what answers the queries of an audience, also beside a process that writes; close it.

        At most `workers` queries run at the same time, each within `walls`. In the process that writes,
        answers follow each write; beside it they stay those of the moment when this was called.

        Raises
        ------
        HomeInUse
            If the dataset is out of date, and another process is about to mend that.
        """
        reader, answering = self.audience(audience), Answering(workers, walls)
        with self._writing:
            if self.folder is None or self._lock is not None:
                return _Borrowed(self._datasets.get(reader, watch, answering))
            if not self._datasets.is_fresh(audience):
                self._datasets.get(reader, watch)
                self._datasets.close()
            return self._datasets.snapshot(reader, answering)

    def built(self) -> list[str]:
        """Return the audiences that have a dataset, up to date or not."""
        return [name for name in self._datasets.names() if name in self.audiences]

    def is_built(self, audience: str) -> bool:
        """Return whether the dataset of an audience exists and is up to date."""
        return self._datasets.is_fresh(self.audience(audience).name)

    def rebuild(self, watch: Watch | None = None) -> list[str]:
        """Build anew each dataset that exists; return their audiences."""
        with self._writing:
            self._check_writing()
            names = self.built()
            for name in names:
                self._datasets.forget(name)
                self._datasets.get(self.audience(name), watch)
            return names

    def close(self) -> None:
        """Close the datasets and let others write."""
        with self._writing:
            self._datasets.close()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- private ---------------------------------------------------------------------------------------

    @contextmanager
    def _change(self) -> Iterator[Changes]:
        with self._writing:
            self._check_writing()
            with self._datasets.following(self.audience) as changes:
                yield changes

    def _read(self, name: str, read: Callable[[Kept], T]) -> tuple[Kept, T]:
        """Read files of a passport; again, if another process replaced it between the entry and these."""
        kept = self.kept(name)
        while True:
            try:
                return kept, read(kept)
            except DamagedHome:
                before, kept = kept, self.kept(name)
                if kept == before:
                    raise

    def _check_writing(self) -> None:
        if self.folder is not None and self._lock is None:
            raise HomeInUse(f"{self.folder} is open for reading only. Open it for writing.")

    def _identifiers(self) -> dict[str, str]:
        """Return the record IRI of each identifier, empty where several passports have it."""
        state, table = self._by_identifier
        if state != self._shelf.state:
            state, table = self._shelf.state, {}
            for kept in self._shelf.entries():
                for identifier in kept.identifiers:
                    table[identifier] = "" if identifier in table else kept.record
            self._by_identifier = (state, table)
        return table


class _Borrowed:
    """The open dataset of a home, lent out: closing it leaves it open."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def query(
        self,
        text: str,
        accept: str | None = None,
        deadline: float = 30.0,
        *,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
    ) -> Answer:
        return self._dataset.query(
            text, accept, deadline, default_graphs=default_graphs, named_graphs=named_graphs
        )

    def close(self) -> None:
        """Leave the dataset to its home."""
