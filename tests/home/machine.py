"""A home beside the plain lists of what it should hold, and everything that must hold between the two."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pyoxigraph import QueryResultsFormat, QuerySolutions, parse_query_results

from battpass.kg.errors import NotFound
from battpass.kg.home import Home, Stage
from battpass.kg.home.visible import STATUS
from battpass.kg.journal.entry import GENESIS
from battpass.kg.journal.schema import FILE
from battpass.kg.journal.verify import verify
from battpass.kg.namespaces import VOCABULARY_GRAPH
from tests.home.plain import AUDIENCES, Left, Plain, cut
from tests.home.small import battery, lines, record

NUMBERED = range(4)
NUMBERS = st.sampled_from(NUMBERED)
ALIASES = ("A", "B")
READERS = st.sampled_from(AUDIENCES)
OTHERS = [audience for audience in AUDIENCES if audience != "owner"]


def changed_since(what: str) -> Callable[["Watched"], bool]:
    """Whether there is anything new for a rule that takes long."""
    return lambda machine: machine.last_done.get(what) != machine.plain.hashes[-1:]


def every(number: int) -> Callable[["Watched"], bool]:
    """Whether it is time for what should not happen too often: at one in so many lengths of the journal."""
    return lambda machine: len(machine.plain.left) % number == number - 1


def on_disk(machine: "Watched") -> bool:
    return machine.home.folder is not None


class Watched(RuleBasedStateMachine):
    """One home, what it should hold, and the rules of looking at it."""

    counted: ClassVar[Counter[str]] = Counter()
    # Empty homes, each with the dataset of one audience: the vocabulary in it takes a second to build.
    begun: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        # A disk in memory, if there is one: what power loss does is tested elsewhere.
        place = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.folder = Path(tempfile.mkdtemp(prefix="machine-", dir=place))
        self.home = Home.in_memory()
        self.plain = Plain()
        self.folders = 0
        self.checks = 0
        # The end of the journal when a rule was last followed.
        self.last_done: dict[str, list[str]] = {}

    @initialize(in_memory=st.sampled_from([False, False, False, True]), asks=READERS)
    def begin(self, in_memory: bool, asks: str) -> None:
        self.asks = asks
        if not in_memory:
            self.home.close()
            folder = self.next_folder()
            shutil.copytree(self.begun / asks, folder)
            self.home = Home.open(folder)

    def teardown(self) -> None:
        folder = self.home.journal.folder
        self.home.journal.close()
        assert verify(folder / FILE, folder / "head").problems == ()
        self.home.close()
        shutil.rmtree(self.folder)

    def next_folder(self) -> Path:
        self.folders += 1
        return self.folder / str(self.folders)

    def done(self, what: str) -> None:
        """Count a step that was done, or is just about to be."""
        self.counted["steps"] += 1
        self.counted[what] += 1
        self.last_done[what] = self.plain.hashes[-1:]

    # --- what must hold --------------------------------------------------------------------------------

    @invariant()
    def every_change_is_one_entry_of_one_chain(self) -> None:
        plain, journal = self.plain, self.home.journal
        assert self.home.sequence == len(plain.left)
        for sequence in range(len(plain.hashes) + 1, self.home.sequence + 1):
            entry = journal.entry(sequence)
            assert entry is not None and entry.record == plain.left[sequence - 1].record
            assert entry.stage == plain.left[sequence - 1].stage
            assert entry.previous == (plain.hashes or [GENESIS])[-1]
            plain.hashes.append(entry.hash)
        assert journal.head.hash == (plain.hashes or [GENESIS])[-1]

    @invariant()
    def every_audience_sees_what_stands_for_it(self) -> None:
        """Look as the owner and as one of the others, in turn."""
        home, plain = self.home, self.plain
        self.checks += 1
        assert len(home) == len(plain.standing("owner"))
        for audience in ("owner", OTHERS[self.checks % len(OTHERS)]):
            assert list(home.records(audience)) == [one.record for one in plain.standing(audience)]
            for name in plain.items():
                found = plain.seen(name, audience)
                if isinstance(found, Left):
                    state = home.state(name, audience)
                    assert lines(state.item) == cut(found.item, audience)
                    assert lines(state.model_parts) == cut(plain.models[found.model], audience)
                    assert (state.record, state.model) == (name, found.model)
                else:
                    with pytest.raises(found):
                        home.state(name, audience)

    @rule(number=NUMBERS, audience=READERS)
    def look_at_versions(self, number: int, audience: str) -> None:
        self.done("look at versions")
        name = record(number)
        told = self.plain.seen(name, audience)
        if not isinstance(told, Left):
            with pytest.raises(told):
                self.home.versions(name, audience)
            return
        seen = []
        for version, one in enumerate(self.plain.versions(name), 1):
            if audience == "owner" or one.stage is Stage.PUBLISHED:
                seen.append((version, one.stage))
                state = self.home.state(name, audience, version=version)
                assert (lines(state.item), state.model) == (cut(one.item, audience), one.model)
            else:
                with pytest.raises(NotFound):
                    self.home.state(name, audience, version=version)
        assert [(one.version, one.stage) for one in self.home.versions(name, audience)] == seen

    @precondition(lambda self: self.plain.left)
    @rule(number=NUMBERS, audience=READERS, data=st.data())
    def look_back(self, number: int, audience: str, data: st.DataObject) -> None:
        """Ask for the day of an entry: what was published then is what stood."""
        self.done("look back")
        name = record(number)
        sequence = data.draw(st.integers(1, len(self.plain.left)))
        entry = self.home.journal.entry(sequence)
        assert entry is not None
        told = self.plain.seen(name, audience)
        before = [one for one in self.plain.upto(sequence).versions(name) if one.stage is Stage.PUBLISHED]
        if isinstance(told, Left) and before:
            state = self.home.state(name, audience, at=entry.time)
            assert (lines(state.item), state.model) == (cut(before[-1].item, audience), before[-1].model)
        else:
            with pytest.raises(NotFound if isinstance(told, Left) else told):
                self.home.state(name, audience, at=entry.time)

    @rule(number=NUMBERS)
    def ask_for_the_document(self, number: int) -> None:
        """Ask for the document of what stands, or else the one that came last before it."""
        self.done("ask for the document")
        name = record(number)
        told = self.plain.seen(name, "owner")
        known: list[bytes] = []
        if isinstance(told, Left):
            versions = self.plain.versions(name)
            upto = max(at for at, one in enumerate(versions, 1) if one is told)
            known = [one.original for one in versions[:upto] if one.original]
        if known:
            assert self.home.original(name) == known[-1]
        else:
            with pytest.raises(NotFound if isinstance(told, Left) else told):
                self.home.original(name)

    @rule(name=st.sampled_from([*ALIASES, battery(0), battery(1)]), audience=READERS)
    def find(self, name: str, audience: str) -> None:
        self.done("find")
        called = self.plain.called(name, audience)
        if len(called) == 1:
            assert self.home.find(name, audience) == called[0]
        else:
            with pytest.raises(NotFound, match="More than one" if called else "No passport"):
                self.home.find(name, audience)

    @precondition(every(2))
    @precondition(changed_since("query"))
    @rule()
    def query(self) -> None:
        """Bring a dataset up to date: it holds what stands for its audience, and nothing else."""
        audience = self.asks
        self.done("query")
        self.counted[f"query {'on disk' if on_disk(self) else 'in memory'}"] += 1
        wanted: set[bytes] = set()
        for one in self.plain.standing(audience):
            for state in (cut(one.item, audience), cut(self.plain.models[one.model], audience)):
                wanted |= {line for part in state.values() for line in part}
            if audience == "owner":
                status = f'<{one.record}> {STATUS} "{one.stage.capitalize()}" <{one.record}/document> .\n'
                wanted.add(status.encode())
        graphs = {line.split()[-2].strip(b"<>").decode() for line in wanted}
        dataset = self.home.dataset(audience)
        shown = dataset.query("SELECT ?g { GRAPH ?g {} }", "csv").read().decode().split()[1:]
        assert sorted(shown) == sorted(graphs | {VOCABULARY_GRAPH})
        values = " ".join(f"<{graph}>" for graph in sorted(graphs))
        answer = dataset.query(f"SELECT * {{ VALUES ?g {{ {values} }} GRAPH ?g {{ ?s ?p ?o }} }}", "json")
        found = parse_query_results(answer.read(), QueryResultsFormat.JSON)
        assert isinstance(found, QuerySolutions)
        held = {" ".join(str(row[name]) for name in "spog").encode() + b" .\n" for row in found}
        assert held - wanted == set(), "it holds what its audience does not see"
        assert wanted - held == set(), "it lacks what its audience sees"
