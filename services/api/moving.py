"""The rules of model records: who sees one, and moving items to a corrected one, all of them or none."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import anyio
import anyio.to_thread
from pyoxigraph import RdfFormat, serialize

from battpass.kg.errors import Archived, Conflict, NotFound
from battpass.kg.graphs import quads
from battpass.kg.home import Arrival, Home, Policy
from battpass.kg.home.arrival import State, Written
from battpass.kg.home.visible import model_parts, stages
from battpass.kg.journal.entry import Entry, Stage
from battpass.kg.journal.parts import graphs_of
from battpass.kg.namespaces import BASE, PREFIXES
from battpass.services.api.bodies import MoveBody
from battpass.services.api.places import Places
from battpass.services.api.preconditions import entity_tag, state_tag
from battpass.services.api.problems import BadRequest
from battpass.services.api.reading import OWNER, Reading, nothing_here, short
from battpass.services.api.writing import PLACE_SECONDS, Client
from battpass.services.exchange.intake import Intake

MODELS = BASE + "model/"
SYNTAXES = {
    "json-ld": RdfFormat.JSON_LD,
    "turtle": RdfFormat.TURTLE,
    "n-quads": RdfFormat.N_QUADS,
}

_DIGEST = re.compile(r"[0-9a-f]{32}\Z")
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Item:
    """An item that is to be moved, as it stands."""

    entry: Entry
    state: State


class Moving:
    """Model records of a home, and the items that point to them. `policy` is what becomes of violations."""

    def __init__(
        self, home: Home, intake: Intake, reading: Reading, places: Places, policy: Policy | None = None
    ) -> None:
        self._home = home
        self._intake = intake
        self._reading = reading
        self._places = places
        self._policy = policy

    def model(self, name: str, audience: str) -> tuple[str, State]:
        """Return the state tag of a model record, and as much of it as an audience may see.

        Raises
        ------
        NotFound
            If no item that this audience sees points to it, whether it is there or not.
        """
        iri = _iri(name)
        reader = self._home.audience(audience)
        if iri is None or not self._home.journal.items_of(iri, stages(reader)):
            raise nothing_here(name)
        parts = model_parts(self._home.journal, iri, reader.classes)
        return state_tag(audience, iri, iri, ()), State(iri, iri, {}, parts)

    def document(self, name: str, audience: str, format_name: str) -> tuple[str, bytes]:
        """Return the ETag and the text of a model record in an RDF syntax."""
        tag, state = self.model(name, audience)
        graphs = quads(graphs_of(state.model_parts))
        syntax = SYNTAXES[format_name]
        # Turtle has no named graphs.
        said = (quad.triple for quad in graphs) if syntax == RdfFormat.TURTLE else graphs
        text = serialize(said, format=syntax, prefixes=PREFIXES)
        assert text is not None
        return entity_tag(tag, format_name), text

    async def move(self, client: Client, name: str, order: MoveBody) -> tuple[str, list[Written]]:
        """Point items to a corrected model record; each becomes a new, checked version in its stage.

        An item with an open draft is moved there: what is published of it follows when the draft does. The
        items of one move stand in one stage.

        Raises
        ------
        NotFound
            If one of the model records is not here, or an item does not point to the first.
        Conflict
            If the items do not stand in one stage, or one was changed meanwhile.
        Unpublishable
            If one of those that are published would hold violations.
        """
        client.caller.require("write")
        after, items = await anyio.to_thread.run_sync(self._order, name, order)
        stage = _one_stage(items)
        if stage is Stage.PUBLISHED:
            client.caller.require("publish")
        target = await anyio.to_thread.run_sync(self._target, after)
        arrivals: dict[str, Arrival] = {}

        async def moved(item: Item) -> None:
            with await self._places.take(client.name, PLACE_SECONDS):
                arrivals[item.entry.record] = await anyio.to_thread.run_sync(
                    self._intake.move, item.state, target.model, target.model_parts
                )

        # As many at a time as the client may have places.
        for at in range(0, len(items), self._places.share):
            async with anyio.create_task_group() as tasks:
                for item in items[at : at + self._places.share]:
                    tasks.start_soon(moved, item)
        ordered = [arrivals[item.entry.record] for item in items]

        def keep() -> list[Written]:
            self._check_standing(items)
            return self._home.put_many(
                ordered,
                stage=stage,
                actor=client.caller.actor,
                reason=order.reason,
                policy=self._policy,
            )

        return after, await anyio.to_thread.run_sync(keep)

    def _order(self, name: str, order: MoveBody) -> tuple[str, list[Item]]:
        """Return the model record to move to, and the items that are to be moved, as they stand."""
        before, after = _iri(name), _iri(order.to)
        if before is None or self._home.journal.model(before) is None:
            raise nothing_here(name)
        if after is None or self._home.journal.model(after) is None:
            raise NotFound(
                f"There is no model record {order.to[:120]!r} here. It comes with the first passport that is "
                "corrected: PUT or PATCH one, and move the others to its model."
            )
        if before == after:
            raise BadRequest("Both are the same model record. Name the corrected one in `to`.")
        pointing = self._home.journal.items_of(before, (Stage.DRAFT, Stage.PUBLISHED))
        names: Iterable[str] = pointing if order.items == "all" else dict.fromkeys(order.items)
        items = []
        for one in names:
            entry = self._reading.newest(one)
            if entry.model == before:
                items.append(Item(entry, self._home.state(entry.record, OWNER, version=entry.version)))
            elif order.items != "all":
                raise Conflict(f"{short(entry.record)} does not point to {before}, but to {entry.model}.")
        if not items:
            raise Conflict(f"No item points to {before}.")
        return after, items

    def _target(self, model: str) -> State:
        reader = self._home.audience(OWNER)
        return State(model, model, {}, model_parts(self._home.journal, model, reader.classes))

    def _check_standing(self, items: Sequence[Item]) -> None:
        """Raise `Conflict` if an item was changed since it was read."""
        for item in items:
            try:
                now = self._reading.newest(item.entry.record)
            except (NotFound, Archived):
                now = None
            if now is None or now.version != item.entry.version:
                raise Conflict(
                    f"{short(item.entry.record)} was changed meanwhile, so none was moved. Try again."
                )


def _iri(name: str) -> str | None:
    """Return the IRI of a model record from its digest or IRI, None where it is neither."""
    digest = name.removeprefix(MODELS)
    return MODELS + digest if _DIGEST.match(digest) else None


def _one_stage(items: Sequence[Item]) -> Stage:
    drafts = [short(item.entry.record) for item in items if item.entry.stage is Stage.DRAFT]
    if drafts and len(drafts) < len(items):
        more = ", ..." if len(drafts) > _NAMED else ""
        raise Conflict(
            f"Some of the items have an open draft ({', '.join(drafts[:_NAMED])}{more}), others have not. "
            "Publish the drafts first, or move them by themselves."
        )
    return items[0].entry.stage
