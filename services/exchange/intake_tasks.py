"""What the workers of an intake do: read, change, check and write passports.

The same in any process; sealed is the one that runs it. See `intake.py` for the caller's side.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from battpass.kg.errors import BadDocument, UnknownFormat
from battpass.kg.graphs import AccessClass
from battpass.kg.home.arrival import Arrival, State
from battpass.kg.journal.parts import graphs_of
from battpass.kg.mapping.residue import ORDER, VALUE
from battpass.kg.passport import Passport
from battpass.kg.quantities import load_quantities
from battpass.kg.validation.findings import shortened
from battpass.kg.validation.places import DocumentPlaces, Places
from battpass.kg.validation.results import Result
from battpass.kg.validation.validator import Report, Validator
from battpass.services.exchange.alignment import Alignment
from battpass.services.exchange.battery_pass import SECTIONS, BatteryPass
from battpass.services.exchange.patches import moved, patched
from battpass.services.exchange.rdf import Rdf
from battpass.services.exchange.registry import Format, Loaded, detect, format_named, formats
from battpass.services.exchange.wire import arrival_sent, state_received

# Beside the folder of services, in a wheel as in a checkout.
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WARM_UP = "lmt-nmc532-05"
# Each has a module of its own, which is loaded when a document looks like it.
_ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


class IntakeTasks:
    """The formats, which parse RDF in place, and the shapes."""

    def __init__(self) -> None:
        self.formats: tuple[Format, ...] = tuple(
            known.in_place() if isinstance(known, Rdf) else known for known in formats()
        )
        self.native = next(known for known in self.formats if isinstance(known, BatteryPass))
        self._validator = Validator.load()
        self._quantities = load_quantities()

    def run(self, request: dict[str, Any], texts: list[bytes]) -> list[bytes]:
        """Return the answer to one request, as texts.

        The request names the `task`, mostly with the description of a `state`, whose texts come first; `on`
        is the day to check against, null to leave the shapes out.
        """
        on = date.fromisoformat(request["on"]) if request["on"] else None
        name = request["format"]
        if request["task"] == "read":
            return arrival_sent(self.read(texts[0], name, on))
        state = state_received(request["state"], texts)
        rest = texts[len(request["state"]["parts"]) :]
        match request["task"]:
            case "patch":
                return arrival_sent(self.patch(state, rest[0], name, on))
            case "supplement":
                return arrival_sent(self.supplement(state, rest[0], name, on))
            case "move":
                target = state_received(request["target"], rest)
                return arrival_sent(self.move(state, target, on))
            case "check":
                assert on is not None
                return [self.check(state, on)]
            case _:
                return [self._format(name).dump(state.passport())]

    def read(self, data: bytes, name: str, on: date | None) -> Arrival:
        """Return the passport that a document describes."""
        loaded, known, name = self._loaded(data, name)
        return self._arrival(loaded, known, on, name)

    def examine(self, data: bytes, name: str, on: date) -> Report:
        """Return the validation report of a document, of which nothing is kept."""
        loaded, known, _ = self._loaded(data, name)
        return self._checked(loaded, known, on)

    def patch(self, state: State, patch: bytes, name: str, on: date | None) -> Arrival:
        """Return a passport changed by a merge patch over its document in a format."""
        known = self._format(name)
        passport = state.passport()
        loaded = patched(known, passport, patch)
        if loaded is None:
            return self._unchanged(state, passport, known.name, on)
        if not isinstance(known, BatteryPass):
            loaded = self._documented(loaded.passport)
        return self._arrival(loaded, known if isinstance(known, BatteryPass) else self.native, on, known.name)

    def supplement(self, state: State, data: bytes, name: str, on: date | None) -> Arrival:
        """Return a passport with what an RDF document adds to it."""
        known = self._format(name) if name else detect(data, self.formats)
        if not isinstance(known, Rdf):
            raise UnknownFormat(
                f"{known.title} describes whole passports. Add to one with Turtle or JSON-LD."
            )
        loaded = self._documented(known.supplement(data, state.passport()))
        return self._arrival(loaded, self.native, on, known.name)

    def move(self, state: State, target: State, on: date | None) -> Arrival:
        """Return a passport whose item points to the model record of `target`, which has that alone."""
        passport = state.passport()
        if target.model == state.model:
            return self._unchanged(state, passport, "", on)
        if not target.model_parts.get(AccessClass.PUBLIC):
            raise BadDocument(f"{target.model} says nothing. Name a model record that is kept.")
        changed = moved(passport, target.model, graphs_of(target.model_parts), self.native.mapping.deriver)
        return self._arrival(self._documented(changed), self.native, on, "")

    def check(self, state: State, on: date) -> bytes:
        """Return the validation report of a passport as text."""
        return self._report(self._documented(state.passport()), self.native, on)

    def check_all(self, passports: Iterable[Passport], on: date) -> Iterator[Report]:
        """Yield the report that `check` returns on each of many passports, found in columns.

        The document of a passport is looked into only where it was said badly, or something weighs: of others
        the report is that on the graph, in which advice has its place, and none in a document.
        """
        known: dict[int, Loaded] = {}
        waiting: dict[int, Passport] = {}

        def numbered() -> Iterator[tuple[int, Passport]]:
            for number, passport in enumerate(passports):
                waiting[number] = passport
                yield number, passport

        def places(number: int, results: tuple[Result, ...]) -> Places | None:
            if all(result.severity == "Info" for result in results):
                return None
            known[number] = self._documented(waiting[number])
            return self._places(known[number], self.native)

        for number, report in self._validator.validate_all(numbered(), places, on=on):
            passport = waiting.pop(number)
            if number not in known and _has_residue(passport):
                yield self._checked(self._documented(passport), self.native, on)
                continue
            loaded = known.pop(number, None)
            yield report.with_findings(loaded.findings) if loaded else report

    def _loaded(self, data: bytes, name: str) -> tuple[Loaded, Format, str]:
        """Return what a document says, the format whose places it has, and the name of that it came in."""
        known = self._format(name) if name else detect(data, self.formats)
        loaded = known.load(data)
        if isinstance(known, Rdf) and _has_residue(loaded.passport):
            return self._documented(loaded.passport), self.native, known.name
        return loaded, known, known.name

    def _format(self, name: str) -> Format:
        return format_named(name, self.formats)

    def _arrival(self, loaded: Loaded, known: Format, on: date | None, name: str | None = None) -> Arrival:
        report = self._report(loaded, known, on) if on else b""
        called = known.name if name is None else name
        findings = shortened(loaded.findings)
        return Arrival.of(loaded.passport, findings, format=called, report=report)

    def _unchanged(self, state: State, passport: Passport, name: str, on: date | None) -> Arrival:
        """Return a passport that a request leaves as it is, byte for byte."""
        arrival = self._arrival(self._documented(passport), self.native, on, name)
        return replace(arrival, item=state.item, model_parts=state.model_parts)

    def _report(self, loaded: Loaded, known: Format, on: date) -> bytes:
        return self._checked(loaded, known, on).text()

    def _checked(self, loaded: Loaded, known: Format, on: date) -> Report:
        report = self._validator.validate(loaded.passport, self._places(loaded, known), on=on)
        return report.with_findings(loaded.findings)

    def _places(self, loaded: Loaded, known: Format) -> Places:
        if not loaded.places or not isinstance(known, BatteryPass):
            return {}
        return DocumentPlaces(loaded.places, known.mapping.place, loaded.passport, self._quantities)

    def _documented(self, passport: Passport) -> Loaded:
        """Return a kept passport with what its document in the partner's format would be told.

        What a document said badly is residue: the shapes cannot see it, so the format has to find it again,
        or a draft could be published for having been kept. A passport without residue and without all
        sections came as RDF, and is no such document.
        """
        document = self.native.mapping.lower(passport)
        if not _has_residue(passport) and not all(name in document for name in SECTIONS):
            return Loaded(passport, (), {})
        try:
            again = self.native.load(self.native.dump(passport))
        except BadDocument:  # so few sections that it is no battery_pass
            return Loaded(passport, (), {})
        names = Alignment(self.native.mapping, again.passport, passport)
        places = {(names.name(node), what): pointer for (node, what), pointer in again.places.items()}
        return Loaded(passport, again.findings, places)

    def warm_up(self) -> None:
        """Load all that is loaded when first used: a sealed process can load nothing."""
        on = date.today()
        arrival = self.read((EXAMPLES / "passports" / f"{WARM_UP}.json").read_bytes(), "", on)
        state = State(arrival.record, arrival.model, arrival.item, arrival.model_parts)
        for known in self.formats:
            written = known.dump(state.passport())
            if known.name != "battinfo-cell":
                self.read(written, known.name, None)
        supplement = (EXAMPLES / "supplements" / f"{WARM_UP}.ttl").read_bytes()
        more = self.supplement(state, supplement, "turtle", None)
        self.patch(state, b'{"metadata": {"version": "2"}}', self.native.name, None)
        self.move(state, State(more.record, more.model, {}, more.model_parts), None)
        for wrong in (
            b'{"a": "\xff"}',
            b'\xef\xbb\xbf{"a": 1}',
            *('{"a": "ä"}'.encode(name) for name in _ENCODINGS),
            b"<a> <b",
        ):
            for known in self.formats:
                _refused(known, wrong)


def ready() -> IntakeTasks:
    """Return the tasks, ready to be sealed."""
    tasks = IntakeTasks()
    tasks.warm_up()
    return tasks


def _has_residue(passport: Passport) -> bool:
    part = passport.item_graphs.get(AccessClass.DOCUMENT, frozenset())
    return any(quad.predicate.value.startswith((VALUE, ORDER)) for quad in part)


def _refused(known: Format, data: bytes) -> None:
    try:
        known.load(data)
    except BadDocument:
        return
