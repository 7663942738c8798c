"""What the dataset of an audience is to hold, as a journal has it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from battpass.kg.access import Audience
from battpass.kg.home.visible import item_parts, model_parts, stages, standing
from battpass.kg.journal.entry import Stage
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.parts import Parts


@dataclass(frozen=True, slots=True)
class Touched:
    """What some entries may have changed: items, and model records that came or may go with them."""

    items: tuple[str, ...]
    models: tuple[str, ...]


class Content:
    """The items that stand for an audience, and the model records that they point to."""

    def __init__(self, journal: Journal, reader: Audience) -> None:
        self._journal = journal
        self._reader = reader

    def items(self) -> dict[str, str]:
        """Return the model record of each item that stands, in the state that stands."""
        found: dict[str, str] = {}
        for record, stage, model in self._journal.records(stages(self._reader)):
            if stage is Stage.PUBLISHED or record not in found:
                found[record] = model
        return found

    def touched(self, after: int, upto: int) -> Touched:
        """Return what may have changed with the entries after one, up to another."""
        items: dict[str, None] = {}
        models: dict[str, None] = {}
        for entry in self._journal.entries(after, upto):
            if not entry.is_model:  # a model record shows as soon as an item that is seen points to it
                items[entry.record] = None
                models[entry.model] = None
        for record in items:
            models |= dict.fromkeys(self._models_at(record, after))
        return Touched(tuple(items), tuple(models))

    def texts(self, items: Iterable[str], models: Iterable[str]) -> Iterator[tuple[str, Parts]]:
        """Yield what is to be held of model records and items, nothing of those that do not stand."""
        for model in models:
            shown = self._is_shown(model)
            yield model, model_parts(self._journal, model, self._reader.classes) if shown else {}
        for record in items:
            entry = standing(self._journal, record, self._reader)
            yield record, item_parts(self._journal, entry, self._reader) if entry else {}

    def _is_shown(self, model: str) -> bool:
        """Return whether an item that stands points to a model record, and not only a draft beside it."""
        if self._journal.items_of(model, (Stage.PUBLISHED,), 1):
            return True
        drafts = self._journal.items_of(model, (Stage.DRAFT,)) if self._reader.own else []
        return any(Stage.PUBLISHED not in self._journal.standing(item) for item in drafts)

    def _models_at(self, record: str, sequence: int) -> set[str]:
        """Return the model records that an item may have shown at an entry; they may go now."""
        found: dict[Stage, str] = {}
        for entry in self._journal.history(record):
            if entry.sequence <= sequence and entry.stage in stages(self._reader):
                found[entry.stage] = entry.model
        return set(found.values())
