"""What one audience may read, as a SPARQL dataset on embedded Oxigraph, in memory or in one folder.

The default graph is the union of all named graphs, written out. Oxigraph's own
`use_default_graph_as_union` would be smaller and faster, but wrong: a triple that stands in two graphs
counts twice (`SUM` and `COUNT` over the union come out too high), and it silently overrides FROM. Measured
on 5,000 passports (1.28 million quads; own generator, 2 cores): writing the union out takes 1.75 times the
processor time to load (20.8 s against 11.9 s) and 1.37 times the disk (350 MB against 255 MB), and thirteen
kinds of query run in 0.97 to 1.4 times the time. That is the price of right answers.
"""

import hashlib
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from pyoxigraph import (
    BlankNode,
    DefaultGraph,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    Triple,
    parse,
    serialize,
)

from battpass.kg import storage
from battpass.kg.dataset.answers import Answer, in_process, prepare
from battpass.kg.dataset.guard import STANDARD, Limits
from battpass.kg.dataset.pool import QueryPool
from battpass.kg.dataset.sealed import Walls
from battpass.kg.errors import BattPassError, HomeInUse
from battpass.kg.graphs import AccessClass, Graphs
from battpass.kg.namespaces import PREFIXES, VOCABULARY_GRAPH
from battpass.kg.passport import graph_name

# By access class, the N-Quads of a record's graph.
Texts = Mapping[AccessClass, bytes]

_DEFAULT = DefaultGraph()
_VOCABULARY = NamedNode(VOCABULARY_GRAPH)


class Dataset:
    """The graphs of one audience: `{record}/{access class}` for each record, and the vocabulary.

    Whoever calls `replace` passes only what the audience may read; nothing is filtered here.

    One process writes to a folder, and in it one thread at a time. Queries on a folder see what stood there
    at the last `flush`; they run in sealed processes, never in this one, which costs 0.1 to 0.4 ms a query.
    Queries on a dataset in memory run in this process, behind the guard, and nothing can stop them: that is
    for use as a library, with queries of one's own, not for text that came from outside.

    >>> with Dataset.in_memory() as dataset:
    ...     dataset.query("ASK { ?s ?p ?o }", "csv").read()
    b'false'
    """

    def __init__(
        self, store: Store, folder: Path | None, pool: QueryPool | None, limits: Limits | None
    ) -> None:
        self._store: Store | None = store
        self._folder = folder
        self._pool = pool
        self._limits = limits
        self._writing = threading.RLock()
        self._snapshots = 0

    @classmethod
    def in_memory(cls, *, limits: Limits | None = STANDARD) -> "Dataset":
        """Return an empty dataset that is gone with this process."""
        return cls(Store(), None, None, limits)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        workers: int = 2,
        walls: Walls | None = None,
        limits: Limits | None = STANDARD,
    ) -> "Dataset":
        """Open the dataset in a folder, or begin one there.

        Raises
        ------
        HomeInUse
            If another process, or another `Dataset` of this one, writes to the folder.
        StorageFull, StorageFailed
            If the disk is full or read-only; the dataset stays as it is.
        """
        folder = Path(path)
        try:
            return cls._opened(folder, workers, walls, limits)
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and (storage.is_full(error) or storage.is_read_only(error)):
                raise storage.refusal(error, f"the dataset {folder.name}") from error
            if "/LOCK: " not in str(error):
                raise BattPassError(
                    f"The dataset in {folder} does not open: {error}. Move it away; it can be built anew."
                ) from error
            raise HomeInUse(
                f"Another process writes to {folder}. Ask that one, or end it first; one writes at a time."
            ) from None

    @classmethod
    def _opened(cls, folder: Path, workers: int, walls: Walls | None, limits: Limits | None) -> "Dataset":
        folder.mkdir(parents=True, exist_ok=True)
        dataset = cls(Store(folder / "store"), folder, None, limits)
        try:
            shutil.rmtree(folder / "snapshots", ignore_errors=True)  # of a process that ended without closing
            (folder / "snapshots").mkdir()
            dataset._pool = QueryPool(dataset._snapshot(), size=workers, walls=walls, limits=limits)
        except BaseException:
            with suppress(OSError, RuntimeError):
                dataset.close()
            raise
        return dataset

    # --- writing ---------------------------------------------------------------------------------------

    def replace(self, record: str, graphs: Graphs) -> None:
        """Make these the graphs of a record, in one step; what it had before and is not among them goes."""
        self.replace_many([(record, graphs)])

    def replace_many(self, records: Iterable[tuple[str, Graphs]]) -> None:
        """Replace each of the records.

        Each record that was here before changes in one step; new ones come many to a step.
        """
        self.replace_texts((record, _texts(record, graphs)) for record, graphs in records)

    def replace_texts(self, records: Iterable[tuple[str, Texts]]) -> None:
        """Replace each of the records by the N-Quads of its graphs, as a journal has them.

        What is new here Oxigraph reads by itself, so that the other threads of this process go on meanwhile.
        """
        with self._writing:
            store = self._open_store()
            fresh = _Bulk(store)
            for record, texts in records:
                names = [graph_name(record, access) for access in AccessClass]
                if record in fresh or any(store.contains_named_graph(name) for name in names):
                    fresh.write()
                    graphs = {access: parse(text, RdfFormat.N_QUADS) for access, text in texts.items()}
                    _replace(store, _by_name(record, graphs))
                else:
                    fresh.add(record, texts)
            fresh.write()

    def remove(self, record: str) -> None:
        """Remove all graphs of a record; triples that other graphs hold stay in the default graph."""
        self.replace(record, {})

    def set_vocabulary(self, triples: Iterable[Triple | Quad]) -> None:
        """Make these the labels, definitions and superclasses that go with the records."""
        placed = _triples(triples, _VOCABULARY)
        with self._writing:
            store = self._open_store()
            if store.contains_named_graph(_VOCABULARY):
                _replace(store, {_VOCABULARY: placed})
            else:
                text = serialize(placed, format=RdfFormat.N_TRIPLES)
                for graph in (_VOCABULARY, _DEFAULT):
                    store.bulk_load(text, RdfFormat.N_TRIPLES, to_graph=graph, lenient=True)

    def flush(self) -> None:
        """Put what was written so far on disk, and show it to queries from now on."""
        with self._writing:
            store = self._open_store()
            store.flush()
            if self._pool is not None:
                self._pool.publish(self._snapshot())

    def close(self) -> None:
        """End the query processes and give the folder free, also where the disk does not take the rest."""
        with self._writing:
            if self._pool is not None:
                self._pool.close()
            store, self._store = self._store, None
            if store is not None:
                store.flush()

    @property
    def started(self) -> int:
        """How many processes were started for queries, since it was opened."""
        return self._pool.started if self._pool is not None else 0

    @property
    def lost(self) -> int:
        """How many of them ended, or were ended, in the middle of a query."""
        return self._pool.lost if self._pool is not None else 0

    def __enter__(self) -> "Dataset":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- reading ---------------------------------------------------------------------------------------

    def query(
        self,
        text: str,
        accept: str | None = None,
        deadline: float = 30.0,
        *,
        default_graphs: Sequence[str] = (),
        named_graphs: Sequence[str] = (),
    ) -> Answer:
        """Return the answer to a SPARQL query as a stream of bytes.

        `accept` is an Accept header or a short name (`csv`, `turtle`, ...); the deadline is in seconds. The
        prefixes of `kg.namespaces` need no declaration. For errors see `QueryPool.query`.
        """
        if self._pool is not None:
            return self._pool.query(
                text, accept, deadline, default_graphs=default_graphs, named_graphs=named_graphs
            )
        request = prepare(text, accept, self._limits, PREFIXES, default_graphs, named_graphs)
        return in_process(self._open_store(), request, deadline)

    def dump(self) -> Iterator[bytes]:
        """Return the named graphs as N-Quads, one piece to a graph, in an order that depends on content only.

        The default graph is left out, as it follows from the others.
        """
        with self._writing:
            store = self._open_store()
            for graph in sorted(store.named_graphs(), key=str):
                lines = sorted(f"{quad} .\n" for quad in store.quads_for_pattern(None, None, None, graph))
                yield "".join(lines).encode()

    def digest(self) -> str:
        """Return the SHA-256 of the dump: equal for equal content, however it came about."""
        found = hashlib.sha256()
        for piece in self.dump():
            found.update(piece)
        return found.hexdigest()

    def records(self) -> list[str]:
        """Return the records that have a graph here."""
        with self._writing:
            graphs = list(self._open_store().named_graphs())
        names = {name.value.rpartition("/") for name in graphs if isinstance(name, NamedNode)}
        classes = {access.value for access in AccessClass}
        return sorted({record for record, _, access in names if access in classes})

    def __len__(self) -> int:
        """Return the number of triples in the default graph."""
        return sum(1 for _ in self._open_store().quads_for_pattern(None, None, None, _DEFAULT))

    # --- private ---------------------------------------------------------------------------------------

    def _open_store(self) -> Store:
        if self._store is None:
            raise BattPassError("This dataset is closed. Open it again.")
        return self._store

    def _snapshot(self) -> Path:
        """Return a new folder with the store as it is now, made of hard links.

        Queries read a snapshot because the writer removes tables it has merged, and a reader that then opens
        one of these fails; and because a snapshot lies between writes, never within one.
        """
        assert self._folder is not None
        self._snapshots += 1
        path = self._folder / "snapshots" / str(self._snapshots)
        self._open_store().backup(path)
        return path


def _triples(quads: Iterable[Triple | Quad], graph: NamedNode) -> frozenset[Triple]:
    """Return what goes into a graph; a quad that names another graph would be read by others than it may."""
    triples = set()
    for quad in quads:
        if isinstance(quad, Quad) and quad.graph_name not in (_DEFAULT, graph):
            raise BattPassError(
                f"{quad} does not belong into {graph}. Sort quads by their graph names first."
            )
        if isinstance(quad.subject, BlankNode) or isinstance(quad.object, BlankNode):
            raise BattPassError(
                f"A dataset keeps no blank nodes: {quad}. Give the node an IRI of its own first."
            )
        triples.add(quad.triple if isinstance(quad, Quad) else quad)
    return frozenset(triples)


def _by_name(record: str, graphs: Mapping[AccessClass, Iterable[Quad]]) -> dict[NamedNode, frozenset[Triple]]:
    return {
        name: _triples(graphs.get(access, ()), name)
        for access in AccessClass
        for name in [graph_name(record, access)]
    }


def _texts(record: str, graphs: Graphs) -> Texts:
    texts = {}
    for access, name in ((access, graph_name(record, access)) for access in AccessClass):
        if triples := _triples(graphs.get(access, ()), name):
            texts[access] = _text(triples, name)
    return texts


def _text(triples: Iterable[Triple], graph: NamedNode) -> bytes:
    return serialize(_placed(triples, graph), format=RdfFormat.N_QUADS) or b""


def _placed(triples: Iterable[Triple], graph: NamedNode | DefaultGraph) -> Iterator[Quad]:
    return (Quad(triple.subject, triple.predicate, triple.object, graph) for triple in triples)


def _in_graph(store: Store, graph: NamedNode) -> frozenset[Triple]:
    return frozenset(quad.triple for quad in store.quads_for_pattern(None, None, None, graph))


def _replace(store: Store, graphs: Mapping[NamedNode, frozenset[Triple]]) -> None:
    """Bring these named graphs, and the default graph with them, to the given triples in one transaction."""
    removed: list[Quad] = []
    added: list[Quad] = []
    empty: list[NamedNode] = []
    for graph, triples in graphs.items():
        before = _in_graph(store, graph)
        removed += _placed(before - triples, graph)
        added += _placed(triples - before, graph)
        if not triples and store.contains_named_graph(graph):
            empty.append(graph)
    gone = set(removed)
    arriving = {quad.triple for quad in added}
    leaving = {quad.triple for quad in removed} - arriving
    removed += _placed((triple for triple in leaving if not _held(store, triple, gone)), _DEFAULT)
    added += _placed(arriving, _DEFAULT)
    if not removed and not empty:
        store.extend(added)
        return
    # The engine's one transaction over removing and adding is an update text; this one is of our own quads.
    parts = [f"DELETE DATA {{ {_data(removed)} }}", *(f"DROP SILENT GRAPH {graph}" for graph in empty)]
    store.update(" ;\n".join([*parts, f"INSERT DATA {{ {_data(added)} }}"]))


def _held(store: Store, triple: Triple, gone: set[Quad]) -> bool:
    """Return whether a named graph still holds a triple once the quads in `gone` have gone."""
    holders = store.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
    return any(quad.graph_name != _DEFAULT and quad not in gone for quad in holders)


def _data(quads: Iterable[Quad]) -> str:
    lines = []
    for quad in quads:
        triple = f"{quad.subject} {quad.predicate} {quad.object} ."
        lines.append(triple if quad.graph_name == _DEFAULT else f"GRAPH {quad.graph_name} {{ {triple} }}")
    return "\n".join(lines)


# The bulk loader writes a table for each call, which is worth it from some size on.
_FEW_BYTES = 4 << 20
_BULK_BYTES = 64 << 20


def _yield_to_others() -> None:
    """Give this thread what processor time others leave: it loads for seconds, and others answer somebody."""
    thread = threading.get_native_id()
    # In a process that has yielded further, to ask for more would be refused.
    os.setpriority(os.PRIO_PROCESS, thread, max(10, os.getpriority(os.PRIO_PROCESS, thread)))


class _Bulk:
    """Records that are new to a store, gathered to be loaded many at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._records: set[str] = set()
        self._texts: list[bytes] = []
        self._size = 0

    def __contains__(self, record: str) -> bool:
        return record in self._records

    def add(self, record: str, texts: Texts) -> None:
        self._records.add(record)
        for access, text in texts.items():
            name = graph_name(record, access)
            end = f" {name} .\n".encode()
            if b"_:" in text or text.count(end) != text.count(b"\n") or not text.endswith(end):
                text = _text(_triples(parse(text, RdfFormat.N_QUADS), name), name)
            self._texts += (text, text.replace(end, b" .\n"))
            self._size += 2 * len(text)
        if self._size > _BULK_BYTES:
            self.write()

    def write(self) -> None:
        text = b"".join(self._texts)
        # These texts were checked when they were written; to do so again takes a third of the time.
        if len(text) > _FEW_BYTES:
            with ThreadPoolExecutor(1, initializer=_yield_to_others) as aside:
                aside.submit(self._store.bulk_load, text, RdfFormat.N_QUADS, lenient=True).result()
        elif text:
            self._store.load(text, RdfFormat.N_QUADS, lenient=True)
        self._texts, self._records, self._size = [], set(), 0
