"""Whatever is done to a home, in whatever order, it stands as plain dictionaries say it should.

The model is a list of what each entry of the journal left behind. Everything else follows from it: what stands
for each audience, which versions there are, and what the datasets hold.
"""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from battpass.kg.errors import Archived, Conflict, NotFound, Unpublishable
from battpass.kg.graphs import AccessClass
from battpass.kg.home import Arrival, Home, Stage
from battpass.kg.home.visible import STATUS
from battpass.kg.journal.backup import BadBackup, backup
from battpass.kg.journal.schema import FILE
from battpass.kg.journal.verify import verify
from battpass.kg.namespaces import VOCABULARY_GRAPH
from benchmarks.campaigns import Campaign
from tests.home.conftest import NAMES
from tests.home.conftest import arrival as example
from tests.home.small import BLOCKS, PASSES, Said, arrival, battery, lines, record, said

AUDIENCES = ("public", "interest", "authority", "owner")
READS = {
    "public": {AccessClass.PUBLIC},
    "interest": {AccessClass.PUBLIC, AccessClass.INTEREST, AccessClass.ITEM},
    "authority": {AccessClass.PUBLIC, AccessClass.INTEREST, AccessClass.AUTHORITY},
    "owner": set(AccessClass),
}
RECORDS = range(4)
MODELS = range(3)
STEPS = 100

NUMBERS = st.sampled_from(RECORDS)
STAGES = st.sampled_from([Stage.DRAFT, Stage.PUBLISHED, Stage.PUBLISHED])
VALUES = st.integers(0, 5)
STATES = st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3)
CLASSES = st.sets(st.sampled_from(AccessClass), min_size=1)
# Shrinks to what is seldom left out, so that rare steps stay rare.
RARELY = st.integers(0, 19).map(lambda n: n == 19)


@dataclass(frozen=True)
class Left:
    """What an entry left behind: the state of a record, or a model record."""

    record: str
    stage: Stage
    item: Said
    model: str  # empty for a model record
    original: bytes = b""
    erased: bool = False


def cut(state: Said, audience: str) -> Said:
    return {access: part for access, part in state.items() if access in READS[audience] and part}


class Standing:
    """A home beside the list of what its entries left behind."""

    def __init__(self) -> None:
        self.left: list[Left] = []
        self.hashes: list[str] = []
        self.models: dict[str, Said] = {}

    def of(self, name: str) -> dict[Stage, Left]:
        found: dict[Stage, Left] = {}
        for one in self.left:
            if one.record == name:
                if one.stage is not Stage.DRAFT:
                    found = {}
                found[one.stage] = one
        return found

    def versions(self, name: str) -> list[Left]:
        return [one for one in self.left if one.record == name]

    def records(self) -> list[str]:
        return sorted({one.record for one in self.left if one.model})

    def seen(self, name: str, audience: str) -> Left | type[Exception]:
        """Return what stands for an audience, or what it is told."""
        found = self.of(name)
        if Stage.ARCHIVED in found:
            known = any(one.stage is Stage.PUBLISHED for one in self.versions(name))
            return Archived if known or audience == "owner" else NotFound
        if Stage.PUBLISHED in found:
            return found[Stage.PUBLISHED]
        return found.get(Stage.DRAFT, NotFound) if audience == "owner" else NotFound

    def standing(self, audience: str) -> list[Left]:
        found = [self.seen(name, audience) for name in self.records()]
        return [one for one in found if isinstance(one, Left)]

    def is_new(self, arrived: Left) -> bool:
        """Whether a state changes anything."""
        found = self.of(arrived.record)
        if arrived.stage is Stage.PUBLISHED and Stage.DRAFT in found:
            return True
        before = found.get(arrived.stage) or (
            found.get(Stage.PUBLISHED) if arrived.stage is Stage.DRAFT else None
        )
        return before is None or (before.item, before.model, before.original) != (
            arrived.item,
            arrived.model,
            arrived.original,
        )


class Machine(RuleBasedStateMachine):
    """One home, and what it should hold."""

    counted: Counter[str] = Counter()
    examples: tuple[Arrival, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-", dir=self.place()))
        self.home: Home | None = None
        self.is_in_memory = False
        self.expected = Standing()
        self.kept: list[tuple[Path, int]] = []
        self.times = 0

    @staticmethod
    def place() -> str | None:
        """Return where a sync costs nothing: what power loss does is tested elsewhere."""
        return "/dev/shm" if Path("/dev/shm").is_dir() else None

    @initialize(in_memory=st.booleans())
    def begin(self, in_memory: bool) -> None:
        self.is_in_memory = in_memory
        self.home = Home.in_memory() if in_memory else Home.open(self.folder / "0", create=True)

    def teardown(self) -> None:
        if self.home is not None:
            folder = self.home.journal.folder
            self.home.journal.close()
            assert verify(folder / FILE, folder / "head").problems == ()
            self.home.close()
        shutil.rmtree(self.folder)

    def count(self, what: str) -> Home:
        self.counted[what] += 1
        assert self.home is not None
        return self.home

    # --- writing ---------------------------------------------------------------------------------------

    def expect(self, arrived: Left, model_state: Said) -> bool:
        """Do to the model what is about to be done to the home; return whether anything changes."""
        if not self.expected.is_new(arrived):
            return False
        if arrived.model not in self.expected.models:
            self.expected.models[arrived.model] = model_state
            self.expected.left.append(Left(arrived.model, Stage.PUBLISHED, model_state, ""))
        self.expected.left.append(arrived)
        return True

    def write(self, given: Arrival, stage: Stage, expected: int | None = None) -> None:
        assert self.home is not None
        found = self.expected.of(given.record)
        last = len(self.expected.versions(given.record))
        if Stage.ARCHIVED in found:
            with pytest.raises(Archived):
                self.home.put(given, stage=stage, expected=expected)
        elif expected is not None and expected != last:
            with pytest.raises(Conflict):
                self.home.put(given, stage=stage, expected=expected)
        else:
            arrived = Left(given.record, stage, lines(given.item), given.model, given.original)
            new = self.expect(arrived, lines(given.model_parts))
            written = self.home.put(given, stage=stage, expected=expected)
            outcome = ("replaced" if last else "added") if new else "unchanged"
            assert written.outcome == outcome
            assert written.version <= last + new and (not new or written.version == last + 1)

    @rule(number=NUMBERS, stage=STAGES, values=STATES, classes=CLASSES, of=st.sampled_from(MODELS))
    def put(
        self, number: int, stage: Stage, values: dict[str, int], classes: set[AccessClass], of: int
    ) -> None:
        self.count("put")
        state = said(record(number), values, sorted(classes))
        self.write(arrival(number, of=of, state=state), stage)

    @rule(number=NUMBERS, stage=STAGES, value=VALUES, off=st.sampled_from([0, 0, 0, -1, 1]))
    def change_a_part(self, number: int, stage: Stage, value: int, off: int) -> None:
        """Change one thing, in one access class, of what stands; sometimes of what stood before."""
        home = self.count("change")
        found = self.expected.seen(record(number), "owner")
        if not isinstance(found, Left):
            with pytest.raises(found):
                home.state(record(number))
            return
        state = dict(lines(home.state(record(number)).item))
        assert state == found.item
        access = list(AccessClass)[value % 5]
        state[access] = (
            state.get(access, frozenset()) ^ said(record(number), {"patched": value}, [access])[access]
        )
        state = {one: part for one, part in state.items() if part}
        given = arrival(number, of=int(found.model[-3:]), state=state, original=found.original)
        self.write(given, stage, len(self.expected.versions(record(number))) + off)

    @rule(number=NUMBERS, of=st.sampled_from(MODELS))
    def move(self, number: int, of: int) -> None:
        """Have an item point to another model record."""
        self.count("move")
        found = self.expected.seen(record(number), "owner")
        if isinstance(found, Left):
            self.write(arrival(number, of=of, state=found.item, original=found.original), found.stage)

    @rule(number=NUMBERS, stage=STAGES, which=VALUES)
    def put_a_document(self, number: int, stage: Stage, which: int) -> None:
        self.count("put a document")
        self.write(arrival(number, which, original=b"document %d" % which), stage)

    @rule(rarely=RARELY, which=st.integers(0, 1), stage=STAGES)
    def put_an_example(self, rarely: bool, which: int, stage: Stage) -> None:
        if rarely:
            self.count("put an example")
            self.write(self.examples[which], stage)

    @rule(numbers=st.lists(NUMBERS, max_size=5), value=VALUES, stage=STAGES, breaks=st.booleans())
    def put_many(self, numbers: list[int], value: int, stage: Stage, breaks: bool) -> None:
        """Put many at once; where one of them is refused, nothing changes."""
        home = self.count("put many")
        given = [arrival(number, value + at, of=at % 3) for at, number in enumerate(numbers)]
        if breaks and given:
            given[-1] = arrival(numbers[-1], value, report=BLOCKS)
            if stage is Stage.PUBLISHED:
                with pytest.raises(Unpublishable):
                    home.put_many(given, stage=stage)
                return
        latest = {one.record: one for one in given}
        if any(Stage.ARCHIVED in self.expected.of(name) for name in latest):
            with pytest.raises(Archived):
                home.put_many(given, stage=stage)
            return
        # Model records come first, also those of passports that stand already or are put twice.
        for one in {one.model: one for one in given}.values():
            if one.model not in self.expected.models:
                self.expected.models[one.model] = lines(one.model_parts)
                self.expected.left.append(Left(one.model, Stage.PUBLISHED, lines(one.model_parts), ""))
        for one in latest.values():
            self.expect(Left(one.record, stage, lines(one.item), one.model), lines(one.model_parts))
        written = home.put_many(given, stage=stage)
        assert [one.record for one in written] == [one.record for one in given]

    @rule(
        number=NUMBERS,
        report=st.sampled_from([PASSES, PASSES, PASSES, BLOCKS, b""]),
        off=st.sampled_from([0, 0, 1]),
    )
    def publish(self, number: int, report: bytes, off: int) -> None:
        home = self.count("publish")
        name = record(number)
        found = self.expected.of(name)
        if not found or Stage.ARCHIVED in found:
            with pytest.raises(Archived if found else NotFound):
                home.publish(name, report=report)
            return
        draft = found.get(Stage.DRAFT)
        before = len(self.expected.versions(name))
        if draft is None:
            assert home.publish(name, report=report).outcome == "unchanged"
        elif off:
            with pytest.raises(Conflict):
                home.publish(name, report=report, expected=before + off)
        elif report != PASSES:
            with pytest.raises(Unpublishable):
                home.publish(name, report=report)
        else:
            version = max(at for at, one in enumerate(self.expected.versions(name), 1) if one is draft)
            written = home.publish(name, report=report, expected=version)
            assert (written.version, written.stage) == (before + 1, Stage.PUBLISHED)
            self.expected.left.append(Left(name, Stage.PUBLISHED, draft.item, draft.model, draft.original))

    @rule(number=NUMBERS, sure=st.sampled_from([False, False, False, True]))
    def archive(self, number: int, sure: bool) -> None:
        if not sure:  # there are few records, and what is archived is of little use
            return
        home = self.count("archive")
        name = record(number)
        found = self.expected.seen(name, "owner")
        if not isinstance(found, Left):
            with pytest.raises(found):
                home.archive(name)
            return
        home.archive(name, reason="recycled")
        self.expected.left.append(Left(name, Stage.ARCHIVED, {}, found.model))

    @rule(number=NUMBERS)
    def erase(self, number: int) -> None:
        home = self.count("erase")
        name = record(number)
        found = self.expected.of(name)
        if Stage.ARCHIVED not in found:
            with pytest.raises(Conflict if found else NotFound):
                home.erase(name)
            return
        written = home.erase(name, reason="recycled")
        assert (written.outcome == "unchanged") == found[Stage.ARCHIVED].erased
        if not found[Stage.ARCHIVED].erased:
            self.expected.left.append(
                Left(name, Stage.ARCHIVED, {}, found[Stage.ARCHIVED].model, erased=True)
            )

    # --- opening, keeping, bringing back ---------------------------------------------------------------

    def next_folder(self) -> Path:
        self.times += 1
        return self.folder / str(self.times)

    @precondition(lambda self: not self.is_in_memory)
    @rule()
    def open_again(self) -> None:
        home = self.count("open again")
        assert home.folder is not None
        home.close()
        self.home = Home.open(home.folder)

    @precondition(lambda self: not self.is_in_memory)
    @rule()
    def lose_the_process(self) -> None:
        """Open what stands on disk while the process that wrote it has closed nothing."""
        home = self.count("lose the process")
        assert home.folder is not None
        copy = self.next_folder()
        shutil.copytree(home.folder, copy)
        home.close()
        shutil.rmtree(home.folder)
        self.home = Home.open(copy)

    @rule(rarely=st.integers(0, 2))
    def keep(self, rarely: int) -> None:
        if rarely == 0:
            home = self.count("back up")
            file = self.next_folder().with_suffix(".zip")
            assert backup(home.journal.folder, file).head == home.journal.head
            self.kept.append((file, len(self.expected.left)))

    @precondition(lambda self: not self.is_in_memory and self.kept)
    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        """Restore a back-up, to its end or to an earlier entry; the model goes back as well."""
        home = self.count("restore")
        file, end = data.draw(st.sampled_from(self.kept))
        upto = data.draw(st.none() | st.integers(0, end))
        target = self.next_folder()
        # A restored home may have gone another way since than the one that was backed up.
        left, hashes = self.history_of(file)
        erases = [at for at, one in enumerate(left, 1) if one.erased]
        if upto is not None and any(at > upto for at in erases):
            with pytest.raises(BadBackup, match="erased what earlier ones need"):
                Home.restore(file, target, upto)
            return
        found = Home.restore(file, target, upto)
        kept = len(left) if upto is None else upto
        assert found.sound and found.head.sequence == kept
        home.close()
        self.home = Home.open(target)
        self.expected.left, self.expected.hashes = left[:kept], hashes[:kept]
        models = {one.record for one in left[:kept] if not one.model}
        self.expected.models = {one.record: one.item for one in left[:kept] if one.record in models}

    def history_of(self, file: Path) -> tuple[list[Left], list[str]]:
        return self.histories[file]

    @property
    def histories(self) -> dict[Path, tuple[list[Left], list[str]]]:
        return self.__dict__.setdefault("_histories", {})

    @rule(rarely=RARELY)
    def make_anew(self, rarely: bool) -> None:
        if rarely:
            self.count("rebuild").rebuild()

    # --- what must hold --------------------------------------------------------------------------------

    @invariant()
    def every_step_leaves_one_entry_for_each_change(self) -> None:
        if self.home is None:
            return
        self.counted["steps"] += 1
        assert self.home.sequence == len(self.expected.left)
        for sequence in range(len(self.expected.hashes) + 1, self.home.sequence + 1):
            entry = self.home.journal.entry(sequence)
            assert entry is not None and entry.record == self.expected.left[sequence - 1].record
            assert sequence == 1 or entry.previous == self.expected.hashes[-1]
            self.expected.hashes.append(entry.hash)
        assert self.home.journal.head.hash == (self.expected.hashes or ["0" * 64])[-1]
        for file, end in self.kept:
            if file not in self.histories:
                self.histories[file] = self.expected.left[:end], self.expected.hashes[:end]

    @invariant()
    def every_audience_sees_what_stands_for_it(self) -> None:
        home = self.home
        if home is None:
            return
        assert len(home) == len(self.expected.standing("owner"))
        for audience in AUDIENCES:
            assert list(home.records(audience)) == [one.record for one in self.expected.standing(audience)]
        for name in [*map(record, RECORDS), *(one.record for one in self.examples)]:
            for audience in AUDIENCES:
                found = self.expected.seen(name, audience)
                if isinstance(found, Left):
                    state = home.state(name, audience)
                    assert lines(state.item) == cut(found.item, audience)
                    assert lines(state.model_parts) == cut(self.expected.models[found.model], audience)
                    assert (state.record, state.model) == (name, found.model)
                else:
                    with pytest.raises(found):
                        home.state(name, audience)

    @rule(number=NUMBERS, audience=st.sampled_from(AUDIENCES))
    def look_at_versions(self, number: int, audience: str) -> None:
        home = self.count("versions")
        name = record(number)
        versions = list(enumerate(self.expected.versions(name), 1))
        found = self.expected.of(name)
        public = any(one.stage is Stage.PUBLISHED for _, one in versions)
        if Stage.ARCHIVED in found or not (public or (found and audience == "owner")):
            with pytest.raises(
                Archived
                if found and (public or audience == "owner") and Stage.ARCHIVED in found
                else NotFound
            ):
                home.versions(name, audience)
            return
        seen = [(at, one) for at, one in versions if audience == "owner" or one.stage is Stage.PUBLISHED]
        assert [(one.version, one.stage) for one in home.versions(name, audience)] == [
            (at, one.stage) for at, one in seen
        ]
        for at, one in versions:
            if (at, one) in seen:
                assert lines(home.state(name, audience, version=at).item) == cut(one.item, audience)
            else:
                with pytest.raises(NotFound):
                    home.state(name, audience, version=at)
        assert home.find(battery(number)) == name

    @rule(audience=st.sampled_from(AUDIENCES), often=st.integers(0, 3))
    def look_at_a_dataset(self, audience: str, often: int) -> None:
        home = self.count("look")
        if often and not self.is_in_memory:  # opening one takes a tenth of a second
            return
        self.count("dataset")
        wanted: set[bytes] = set()
        for one in self.expected.standing(audience):
            for state in (cut(one.item, audience), cut(self.expected.models[one.model], audience)):
                wanted |= {line for part in state.values() for line in part}
            if audience == "owner":
                status = f'<{one.record}> {STATUS} "{one.stage.capitalize()}" <{one.record}/document> .\n'
                wanted.add(status.encode())
        dump = b"".join(home.dataset(audience).dump()).splitlines(keepends=True)
        vocabulary = f"<{VOCABULARY_GRAPH}> .\n".encode()
        assert {line for line in dump if not line.endswith(vocabulary)} == wanted


@pytest.mark.slow
def test_a_home_stands_as_dictionaries_say(campaign: Campaign, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = campaign.count(50_000)
    random: Random = campaign.random("state machine")
    Machine.counted = Counter()
    Machine.examples = tuple(example(name) for name in NAMES[:2])
    while Machine.counted["steps"] < wanted:
        drawn = random.getrandbits(64)
        left = wanted - Machine.counted["steps"]
        with capsys.disabled():
            print(f"\nstate machine: seed {drawn}, {left} steps to go", end=" ", flush=True)
        run(
            seed(drawn)(type("Drawn", (Machine,), {})),
            settings=settings(
                max_examples=max(1, min(50, left // STEPS)),
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=False,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    campaign.record(
        "state-machine", "small passports and two examples", dict(Machine.counted) | {"divergences": 0}
    )
