"""What a home should hold, as a list of what each entry left behind: no database, no graph, no cleverness.

Everything else follows from that list: what stands for each audience, which versions there are, who is found
by which name, and what the datasets hold.
"""

from dataclasses import dataclass, field

from battpass.kg.errors import Archived, NotFound
from battpass.kg.graphs import AccessClass
from battpass.kg.home import Stage
from tests.home.small import Said

READS = {
    "public": {AccessClass.PUBLIC},
    "interest": {AccessClass.PUBLIC, AccessClass.INTEREST, AccessClass.ITEM},
    "authority": {AccessClass.PUBLIC, AccessClass.INTEREST, AccessClass.AUTHORITY},
    "owner": set(AccessClass),
}
AUDIENCES = tuple(READS)


@dataclass(frozen=True)
class Left:
    """What an entry left behind: the state of an item, or a model record, whose `model` is empty."""

    record: str
    stage: Stage
    item: Said
    model: str
    original: bytes = b""
    names: tuple[str, ...] = ()
    erased: bool = False


def cut(state: Said, audience: str) -> Said:
    """Return what an audience reads of a state."""
    return {access: part for access, part in state.items() if access in READS[audience] and part}


@dataclass
class Plain:
    """The entries so far, their hashes as the journal gave them, and the content of each model record."""

    left: list[Left] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    models: dict[str, Said] = field(default_factory=dict)

    def upto(self, sequence: int) -> "Plain":
        """Return what there was after an entry."""
        left = self.left[:sequence]
        there = {one.record for one in left if not one.model}
        models = {name: said for name, said in self.models.items() if name in there}
        return Plain(left, self.hashes[:sequence], models)

    def versions(self, record: str) -> list[Left]:
        return [one for one in self.left if one.record == record]

    def items(self) -> list[str]:
        return sorted({one.record for one in self.left if one.model})

    def stages(self, record: str) -> dict[Stage, Left]:
        """Return what stands of a record: publishing ends its draft, archiving ends both."""
        found: dict[Stage, Left] = {}
        for one in self.versions(record):
            if one.stage is not Stage.DRAFT:
                found = {}
            found[one.stage] = one
        return found

    def seen(self, record: str, audience: str) -> Left | type[Exception]:
        """Return what stands for an audience, or what it is told."""
        found = self.stages(record)
        if Stage.ARCHIVED in found:
            return Archived if audience == "owner" or self._was_published(record) else NotFound
        if Stage.PUBLISHED in found:
            return found[Stage.PUBLISHED]
        return found.get(Stage.DRAFT, NotFound) if audience == "owner" else NotFound

    def standing(self, audience: str) -> list[Left]:
        found = [self.seen(record, audience) for record in self.items()]
        return [one for one in found if isinstance(one, Left)]

    def called(self, name: str, audience: str) -> list[str]:
        """Return the records that an audience finds by an identifier.

        A record has the names of what is published and of the drafts since; others than its owner may know
        those that were published.
        """
        found = []
        for record in self.items():
            now: set[str] = set()
            published: set[str] = set()
            for one in self.versions(record):
                if one.stage is Stage.PUBLISHED:
                    now, published = set(one.names), published | set(one.names)
                else:
                    now = set() if one.erased else now | set(one.names)
            told = self.seen(record, audience)
            if name in now and told is not NotFound and (audience == "owner" or name in published):
                found.append(record)
        return found

    def changes(self, arrived: Left) -> bool:
        """Return whether a state changes anything; a draft that says what is published is none."""
        found = self.stages(arrived.record)
        if arrived.stage is Stage.PUBLISHED and Stage.DRAFT in found:
            return True
        before = found.get(arrived.stage)
        if before is None and arrived.stage is Stage.DRAFT:
            before = found.get(Stage.PUBLISHED)
        return before is None or (before.item, before.model, before.original) != (
            arrived.item,
            arrived.model,
            arrived.original,
        )

    def keep(self, arrived: Left, model_state: Said) -> bool:
        """Keep a state, with its model record if that is new; return whether anything changed."""
        if not self.changes(arrived):
            return False
        self.keep_model(arrived.model, model_state)
        self.left.append(arrived)
        return True

    def keep_model(self, model: str, said: Said) -> None:
        if model not in self.models:
            self.models[model] = said
            self.left.append(Left(model, Stage.PUBLISHED, said, ""))

    def _was_published(self, record: str) -> bool:
        return any(one.stage is Stage.PUBLISHED for one in self.versions(record))
