"""Whatever is done to a home, in whatever order, it stands as plain lists say it should; see `plain.py`."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from battpass.kg.errors import Archived, Conflict, NotFound, Unpublishable
from battpass.kg.graphs import AccessClass
from battpass.kg.home import Arrival, Home, Stage
from battpass.kg.journal.backup import BadBackup, backup
from benchmarks.campaigns import Campaign
from tests.home.conftest import NAMES
from tests.home.conftest import arrival as example
from tests.home.machine import ALIASES, NUMBERED, NUMBERS, Watched, changed_since, every, on_disk
from tests.home.plain import AUDIENCES, Left, Plain
from tests.home.small import BLOCKS, PASSES, Said, arrival, battery, lines, record, said

STEPS = 100

MODELS = st.sampled_from(range(3))
STAGES = st.sampled_from([Stage.DRAFT, Stage.PUBLISHED, Stage.PUBLISHED])
VALUES = st.integers(0, 5)
STATES = st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3)
CLASSES = st.sets(st.sampled_from(AccessClass), min_size=1)
CALLED = st.sampled_from(ALIASES)
# How far the version that a writer names is from the one that stands; None is a writer who names none.
OFF = st.sampled_from([None, 0, 0, -1, 1])


@dataclass(frozen=True)
class Kept:
    """A back-up, and what the home stood at when it was made."""

    file: Path
    plain: Plain


class Machine(Watched):
    """One home, and the rules of changing it."""

    examples: ClassVar[tuple[Arrival, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Kept] = []

    # --- writing ---------------------------------------------------------------------------------------

    def write(self, given: Arrival, stage: Stage, off: int | None = None) -> None:
        """Put a passport, as somebody who knows the version that is `off` that which stands."""
        found = self.plain.stages(given.record)
        last = len(self.plain.versions(given.record))
        expected = None if off is None else max(0, last + off)
        if Stage.ARCHIVED in found:
            with pytest.raises(Archived):
                self.home.put(given, stage=stage, expected=expected)
        elif expected is not None and expected != last:
            with pytest.raises(Conflict, match=f"at version {last}, not {expected}"):
                self.home.put(given, stage=stage, expected=expected)
        else:
            new = self.plain.keep(_left(given, stage), lines(given.model_parts))
            written = self.home.put(given, stage=stage, expected=expected)
            assert written.outcome == (("replaced" if last else "added") if new else "unchanged")
            assert (written.sequence, written.version) == self.last(given.record, stage)

    def last(self, name: str, stage: Stage) -> tuple[int, int]:
        """Return sequence and version of what stands of a record: in a stage, else what is published."""
        found = self.plain.stages(name)
        stands = found.get(stage) or found[Stage.PUBLISHED]
        version = max(at for at, one in enumerate(self.plain.versions(name), 1) if one is stands)
        return max(at for at, one in enumerate(self.plain.left, 1) if one is stands), version

    @rule(number=NUMBERS, stage=STAGES, values=STATES, classes=CLASSES, of=MODELS, called=CALLED, off=OFF)
    def create(
        self,
        number: int,
        stage: Stage,
        values: dict[str, int],
        classes: set[AccessClass],
        of: int,
        called: str,
        off: int | None,
    ) -> None:
        """Put a whole passport, new or in the place of another."""
        self.done("create")
        state = said(record(number), values, sorted(classes))
        self.write(arrival(number, of=of, state=state, identifiers=(battery(number), called)), stage, off)

    @rule(number=NUMBERS, stage=STAGES, value=VALUES, off=OFF)
    def patch(self, number: int, stage: Stage, value: int, off: int | None) -> None:
        """Change one thing, in one access class, of what stands."""
        self.done("patch")
        name = record(number)
        found = self.plain.seen(name, "owner")
        if not isinstance(found, Left):
            with pytest.raises(found):
                self.home.state(name)
            return
        state = dict(lines(self.home.state(name).item))
        assert state == found.item
        access = list(AccessClass)[value % 5]
        changed = said(name, {"patched": value}, [access])[access]
        state[access] = state.get(access, frozenset()) ^ changed
        state = {one: part for one, part in state.items() if part}
        self.write(_again(found, number, state, int(found.model[-3:])), stage, off)

    @rule(number=NUMBERS, of=MODELS, off=OFF)
    def move(self, number: int, of: int, off: int | None) -> None:
        """Have an item point to another model record."""
        self.done("move")
        found = self.plain.seen(record(number), "owner")
        if isinstance(found, Left):
            if found.model[-3:] != f"{of:03d}":
                self.counted["move to another model"] += 1
            self.write(_again(found, number, found.item, of), found.stage, off)

    @rule(number=NUMBERS, stage=STAGES, which=VALUES)
    def put_a_document(self, number: int, stage: Stage, which: int) -> None:
        self.done("put a document")
        self.write(arrival(number, which % 2, original=b"document %d" % which), stage)

    @precondition(every(5))
    @precondition(changed_since("put an example"))
    @rule(which=st.integers(0, 1), stage=STAGES)
    def put_an_example(self, which: int, stage: Stage) -> None:
        """Put a passport as makers write it, of some hundred lines."""
        self.done("put an example")
        self.write(self.examples[which], stage)

    @rule(numbers=st.lists(NUMBERS, max_size=5), value=VALUES, stage=STAGES, breaks=st.booleans())
    def put_many(self, numbers: list[int], value: int, stage: Stage, breaks: bool) -> None:
        """Put many at once; where one of them is refused, nothing changes."""
        self.done("put many")
        given = [arrival(number, value + at, of=at % 3) for at, number in enumerate(numbers)]
        if breaks and given:
            given[-1] = arrival(numbers[-1], value, report=BLOCKS)
            if stage is Stage.PUBLISHED:
                with pytest.raises(Unpublishable):
                    self.home.put_many(given, stage=stage)
                return
        latest = {one.record: one for one in given}
        if any(Stage.ARCHIVED in self.plain.stages(name) for name in latest):
            with pytest.raises(Archived):
                self.home.put_many(given, stage=stage)
            return
        # Model records come first, also those of passports that stand already or are put twice.
        for one in {one.model: one for one in given}.values():
            self.plain.keep_model(one.model, lines(one.model_parts))
        for one in latest.values():
            self.plain.keep(_left(one, stage), lines(one.model_parts))
        written = self.home.put_many(given, stage=stage)
        assert [one.record for one in written] == [one.record for one in given]

    def one_that(self, number: int, stands: Stage) -> str:
        """Return a record that stands in a stage, if there is one."""
        names = [name for name in map(record, NUMBERED) if stands in self.plain.stages(name)]
        return names[number % len(names)] if names else record(number)

    @rule(
        number=NUMBERS,
        is_draft=st.booleans(),
        report=st.sampled_from([PASSES, PASSES, PASSES, BLOCKS, b""]),
        off=OFF,
    )
    def publish(self, number: int, is_draft: bool, report: bytes, off: int | None) -> None:
        self.done("publish")
        name = self.one_that(number, Stage.DRAFT) if is_draft else record(number)
        found = self.plain.stages(name)
        draft = found.get(Stage.DRAFT)
        if not found or Stage.ARCHIVED in found:
            with pytest.raises(Archived if found else NotFound):
                self.home.publish(name, report=report)
            return
        if draft is None:
            assert self.home.publish(name, report=report).outcome == "unchanged"
            return
        version = max(at for at, one in enumerate(self.plain.versions(name), 1) if one is draft)
        if off:
            with pytest.raises(Conflict):
                self.home.publish(name, report=report, expected=version + off)
        elif report != PASSES:
            with pytest.raises(Unpublishable):
                self.home.publish(name, report=report)
        else:
            self.counted["publish a draft"] += 1
            written = self.home.publish(name, report=report, expected=None if off is None else version)
            assert (written.version, written.stage) == (version + 1, Stage.PUBLISHED)
            self.plain.left.append(replace(draft, stage=Stage.PUBLISHED))

    @precondition(every(5))  # there are few records, and what is archived is of little use
    @rule(number=NUMBERS, off=OFF)
    def archive(self, number: int, off: int | None) -> None:
        self.done("archive")
        name = record(number)
        found = self.plain.seen(name, "owner")
        last = len(self.plain.versions(name))
        if not isinstance(found, Left):
            with pytest.raises(found):
                self.home.archive(name)
        elif off:
            with pytest.raises(Conflict):
                self.home.archive(name, expected=last + off)
        else:
            written = self.home.archive(name, reason="recycled", expected=None if off is None else last)
            assert written.version == last + 1
            self.plain.left.append(Left(name, Stage.ARCHIVED, {}, found.model))

    @rule(number=NUMBERS, is_archived=st.booleans())
    def erase(self, number: int, is_archived: bool) -> None:
        self.done("erase")
        name = self.one_that(number, Stage.ARCHIVED) if is_archived else record(number)
        found = self.plain.stages(name)
        gone = found.get(Stage.ARCHIVED)
        if gone is None:
            with pytest.raises(Conflict if found else NotFound):
                self.home.erase(name)
            return
        written = self.home.erase(name, reason="recycled")
        assert (written.outcome == "unchanged") == gone.erased
        if not gone.erased:
            self.counted["erase what is archived"] += 1
            self.plain.left.append(replace(gone, erased=True))

    # --- opening, keeping, bringing back ---------------------------------------------------------------

    @precondition(on_disk)
    @precondition(changed_since("restart"))
    @rule()
    def restart(self) -> None:
        self.done("restart")
        assert self.home.folder is not None
        self.home.close()
        self.home = Home.open(self.home.folder)

    @precondition(on_disk)
    @precondition(changed_since("lose the process"))
    @rule()
    def lose_the_process(self) -> None:
        """Open what stands on disk while the process that wrote it has closed nothing."""
        self.done("lose the process")
        assert self.home.folder is not None
        copy = self.next_folder()
        _copy_of_what_is_used(self.home.folder, copy)
        self.home.close()
        shutil.rmtree(self.home.folder)
        self.home = Home.open(copy)

    @precondition(changed_since("back up"))
    @rule()
    def back_up(self) -> None:
        self.done("back up")
        file = self.next_folder().with_suffix(".zip")
        assert backup(self.home.journal.folder, file).head == self.home.journal.head
        self.kept.append(Kept(file, self.plain.upto(len(self.plain.left))))

    @precondition(lambda self: self.kept)
    @precondition(changed_since("restore"))
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """Restore a back-up, to its end or to an earlier entry; the lists go back as well."""
        self.done("restore")
        kept = self.kept[data.draw(st.integers(0, len(self.kept) - 1))]
        end = len(kept.plain.left)
        upto = data.draw(st.none() | st.integers(0, end))
        folder = self.next_folder()
        if upto is not None and any(one.erased for one in kept.plain.left[upto:]):
            with pytest.raises(BadBackup, match="erased what earlier ones need"):
                Home.restore(kept.file, folder, upto)
            return
        stands = end if upto is None else upto
        found = Home.restore(kept.file, folder, upto)
        assert found.sound and found.head.sequence == stands
        shutil.copytree(self.begun / self.asks / "datasets", folder / "datasets", dirs_exist_ok=True)
        self.home.close()
        self.home = Home.open(folder)
        self.plain = kept.plain.upto(stands)
        self.last_done["restore"] = self.plain.hashes[-1:]

    @precondition(every(11))
    @precondition(changed_since("rebuild"))
    @rule()
    def rebuild(self) -> None:
        self.done("rebuild")
        self.home.rebuild()


RULES = (
    "create", "patch", "move", "move to another model",
    "put a document", "put an example", "put many", "publish", "publish a draft",
    "archive", "erase", "erase what is archived", "restart", "lose the process", "back up", "restore",
    "rebuild", "look at versions", "look back", "ask for the document",
    "find", "query",
)  # fmt: skip


def followed(wanted: int) -> bool:
    """Whether there were steps enough, each rule among them; a rule that never comes up ends it as well."""
    steps = Machine.counted["steps"]
    return steps >= wanted and (steps >= 3 * wanted or all(Machine.counted[name] for name in RULES))


def _copy_of_what_is_used(folder: Path, copy: Path) -> None:
    """Copy a folder as it stands at one moment: once more where a store put its files together meanwhile."""
    while True:
        try:
            shutil.copytree(folder, copy)
        except shutil.Error as error:
            if any(Path(source).exists() for source, _, _ in error.args[0]):
                raise
            shutil.rmtree(copy)
        else:
            return


def _left(given: Arrival, stage: Stage) -> Left:
    return Left(given.record, stage, lines(given.item), given.model, given.original, given.identifiers)


def _again(found: Left, number: int, state: Said, of: int) -> Arrival:
    """Return what stands on its way in again, with a state and of a model."""
    return arrival(number, of=of, state=state, original=found.original, identifiers=found.names)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty homes, each with the dataset of one audience, in a folder by the name of that audience."""
    folder = tmp_path_factory.mktemp("begun")
    for audience in AUDIENCES:
        with Home.open(folder / audience, create=True) as home:
            home.dataset(audience)
    return folder


@pytest.mark.slow
def test_a_home_stands_as_plain_lists_say(campaign: Campaign, begun: Path) -> None:
    wanted = campaign.count(50_000)
    random = campaign.random("state machine")
    Machine.counted.clear()
    Machine.begun = begun
    Machine.examples = tuple(replace(example(name), report=PASSES) for name in NAMES[:2])
    while not followed(wanted):
        left = max(STEPS, wanted - Machine.counted["steps"])
        drawn = random.getrandbits(64)
        try:
            run(
                seed(drawn)(type("Drawn", (Machine,), {})),
                settings=settings(
                    max_examples=min(50, max(10, left // STEPS)),
                    stateful_step_count=STEPS,
                    deadline=None,
                    derandomize=False,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except BaseException as error:
            error.add_note(f"Drawn from {drawn}, --campaign-seed={campaign.seed}, {left:,} steps to go.")
            raise
    assert [name for name in RULES if not Machine.counted[name]] == []
    figures = {"divergences": 0, **dict(sorted(Machine.counted.items()))}
    campaign.record("state-machine", "small passports and two examples", figures)
