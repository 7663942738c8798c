"""`validate --all`: the reports on all passports that a home keeps, found in shares and remembered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from battpass.kg.errors import Archived, BattPassError, NotFound, NotWritable
from battpass.kg.home.verdicts import Verdict, Verdicts, data_of, name_of
from battpass.kg.journal.entry import Entry, Stage
from battpass.kg.validation.incremental.basis import Basis
from battpass.kg.validation.reports.forms import Told, written
from battpass.kg.validation.reports.graphs import SYNTAXES
from battpass.kg.validation.reports.passports import PassportReport
from battpass.services.cli.console import FOUND, MISUSED, Console, count
from battpass.services.cli.shares import in_shares

if TYPE_CHECKING:
    from battpass.kg.home import Home
    from battpass.kg.passport import Passport
    from battpass.services.exchange.intake_tasks import IntakeTasks

# What is lost when it is cut off: a share for each process, some seconds of work.
SHARE = 250
_LEAST = 50
# What passports have in common, as the summary counts them.
_ROW = ("severity", "field", "code", "submodel", "shape")
_RANK = {"violation": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is validated, and how: the stages, the day, the form of the report, whether all is done anew."""

    stages: tuple[Stage, ...]
    on: date
    form: str
    anew: bool
    workers: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A state of a passport that stands."""

    record: str
    stage: Stage
    version: int

    @classmethod
    def of(cls, entry: Entry) -> Standing:
        """Return the state after an entry."""
        return cls(entry.record, entry.stage, entry.version)

    @property
    def title(self) -> str:
        """What it is called in reports."""
        return f"{self.record.rpartition('/')[2]} ({self.stage}, version {self.version})"


@dataclass(frozen=True, slots=True)
class Judged:
    """A state with what was found of it: a verdict, or an error where it cannot be read."""

    standing: Standing
    verdict: Verdict | None
    error: str = ""


def validate_kept(out: Console, wanted: Wanted) -> int:
    """Validate all passports that are kept, as far as that was not done before, and tell of them."""
    from battpass.services.cli import homes
    from battpass.services.cli.stopping import on_wish

    with ExitStack() as stack:
        home = stack.enter_context(homes.reading(out))
        remembered = _remembered(out, stack, with_graph=wanted.form in SYNTAXES)
        wish = stack.enter_context(on_wish())
        fleet = _Fleet(out, home, remembered, wanted)
        told = _Told(out, wanted)
        for one in out.watch("Validating")(fleet.judged(wish), fleet.count):
            told.tell(one)
        return told.end(fleet, stopped=wish())


def judge(home_folder: Path, on: date, graph: bool, standing: list[Standing]) -> list[Judged]:
    """Return what is found of some states, in this process; those that are gone meanwhile are left out."""
    from battpass.kg.home import Home
    from battpass.kg.validation.reports.graphs import n_triples

    found: list[Judged] = []
    with Home.open(home_folder, read_only=True) as home:
        there: list[tuple[Standing, Passport]] = []
        for one in standing:
            try:
                there.append((one, home.passport(one.record, version=one.version)))
            except (NotFound, Archived):
                continue
            except BattPassError as error:
                found.append(Judged(one, None, str(error)))
        reports = _tasks().check_all((passport for _, passport in there), on)
        for (one, _), report in zip(there, reports, strict=True):
            text = n_triples(report.graph) if graph else None
            found.append(Judged(one, Verdict(report.text(), text)))
    return found


@cache
def _tasks() -> IntakeTasks:
    """Return what reads and checks passports, loaded once in each process."""
    from battpass.services.exchange.intake_tasks import IntakeTasks

    return IntakeTasks()


def _remembered(out: Console, stack: ExitStack, *, with_graph: bool) -> Verdicts | None:
    try:
        return stack.enter_context(Verdicts(out.home, with_graph=with_graph))
    except NotWritable as error:
        out.note(f"battpass: What is found cannot be kept for the next time. {error}")
        return None


class _Fleet:
    """All states that stand, with their verdicts: those that are known first, then the others."""

    def __init__(self, out: Console, home: Home, remembered: Verdicts | None, wanted: Wanted) -> None:
        from battpass.services.exchange.rules import basis_of

        self._out = out
        self._home = home
        self._remembered = remembered
        self._wanted = wanted
        self._sequence = home.sequence
        self._bases: dict[str, tuple[Standing, Basis]] = {
            name_of(entry): (
                Standing.of(entry),
                basis_of(data_of(entry, home.journal.model(entry.model)), wanted.on),
            )
            for entry in home.standing(wanted.stages)
        }
        self.count = len(self._bases)
        self.known = self.new = 0

    def judged(self, stopping: Any) -> Iterator[Judged]:
        """Yield what was found of each; what is new has been remembered by then."""
        stale: list[Standing] = []
        self._forget_what_is_gone()
        for name, (standing, basis) in self._bases.items():
            verdict = self._known(name, basis)
            if verdict is None:
                stale.append(standing)
                continue
            self.known += 1
            yield Judged(standing, verdict)
            if stopping():
                return
        wanted = self._wanted
        work = partial(judge, self._out.home, wanted.on, wanted.form in SYNTAXES)
        share = max(_LEAST, min(SHARE, -(-len(stale) // (4 * wanted.workers))))
        going_on = (one for one in stale if not stopping())
        for found in in_shares(work, going_on, wanted.workers, share):
            self._keep(found)
            self.new += len(found)
            yield from found

    def _known(self, name: str, basis: Basis) -> Verdict | None:
        if self._remembered is None or self._wanted.anew:
            return None
        return self._remembered.known(name, basis)

    def _keep(self, found: Iterable[Judged]) -> None:
        if self._remembered is None:
            return
        named = {name_of_standing(one.standing): one for one in found if one.verdict is not None}
        rows = [(name, self._bases[name][1], one.verdict) for name, one in named.items() if one.verdict]
        try:
            self._remembered.keep(rows)
            self._forget_what_ended()
        except NotWritable as error:
            self._out.note(f"battpass: What is found cannot be kept for the next time. {error}")
            self._remembered = None

    def _forget_what_is_gone(self) -> None:
        """Forget verdicts on states that do not stand any more, in whatever stage."""
        if self._remembered is None:
            return
        standing = {name_of(one) for one in self._home.standing((Stage.PUBLISHED, Stage.DRAFT))}
        with suppress(NotWritable):
            self._remembered.forget([one for one in self._remembered.names() if one not in standing])

    def _forget_what_ended(self) -> None:
        """Forget what was found of passports that ended while they were validated: they may be erased."""
        assert self._remembered is not None
        upto = self._home.sequence
        ended = [
            one.record
            for one in self._home.journal.entries(self._sequence, upto)
            if one.stage is Stage.ARCHIVED
        ]
        self._sequence = upto
        self._remembered.forget(f"{record} {stage}" for record in ended for stage in Stage)


def name_of_standing(standing: Standing) -> str:
    """Return what the verdict on a state is kept by."""
    return f"{standing.record} {standing.stage}"


class _Told:
    """What is told of a fleet: each passport of which something weighs, and how many have what in common."""

    def __init__(self, out: Console, wanted: Wanted) -> None:
        self._out = out
        self._form = wanted.form
        self._on = wanted.on
        self._told: list[Told] = []
        self._results: list[dict[str, Any]] = []
        self._rows: Counter[tuple[str, ...]] = Counter()
        self._fields: Counter[tuple[str, ...]] = Counter()
        self._states: Counter[str] = Counter()
        self._errors = 0

    def tell(self, one: Judged) -> None:
        """Tell of one passport, or keep it for the end."""
        standing = one.standing
        about = {"record": standing.record, "stage": standing.stage, "version": standing.version}
        if one.verdict is None:
            self._errors += 1
            self._out.note(f"battpass: {standing.title}: {one.error}")
            self._results.append({**about, "error": one.error})
            self._told.append(Told(standing.title, None, error=one.error))
            return
        report = PassportReport.read(one.verdict.report)
        state = next((name for name in _RANK if report.counts[name]), "conforms")
        self._states[state] += 1
        found = {
            (one.severity.value, one.field, one.code, one.submodel, one.shape) for one in report.findings
        }
        self._rows.update(found)
        self._fields.update({row[:3] for row in found})
        if self._form == "json":
            # Of passports this has always meant that nothing but advice was found.
            conforms = state in ("info", "conforms")
            self._results.append({**about, **report.content(), "conforms": conforms})
        elif self._form != "text":
            self._told.append(Told(standing.title, report, one.verdict.graph or b""))
        elif state in ("violation", "warning"):
            typer.echo(written("text", [Told(standing.title, report)]), nl=False)

    def end(self, fleet: _Fleet, *, stopped: bool) -> int:
        """Tell what is to be told of all, and return the exit status."""
        say = self._out.say if self._form == "text" else self._out.note
        if self._form == "text":
            rows = [(*row, f"{number:,}") for row, number in _ranked(self._fields)]
            self._out.table(("severity", "field", "what", "passports"), rows)
        elif self._form != "json":
            typer.echo(written(self._form, self._told), nl=False)
        if self._form != "json":
            for line in self._closing(fleet):
                say(line)
        if stopped:
            self._out.note(
                f"Stopped after {count(fleet.known + fleet.new, 'passport')} of {fleet.count:,}. "
                "Run the same command again to go on."
            )
        self._out.document(
            {
                "on": self._on.isoformat(),
                "results": self._results,
                "summary": [
                    {**dict(zip(_ROW, row, strict=True)), "passports": number}
                    for row, number in _ranked(self._rows)
                ],
                "states": {name: self._states[name] for name in (*_RANK, "conforms")},
                "errors": self._errors,
                "validated": fleet.new,
                "known": fleet.known,
                "stopped": stopped,
            }
        )
        if self._errors:
            return MISUSED
        weighs = self._states["violation"] + self._states["warning"]
        return FOUND if weighs or stopped else 0

    def _closing(self, fleet: _Fleet) -> Iterator[str]:
        words = {"violation": "with violations", "warning": "with warnings", "info": "with advice alone"}
        parts = [f"{self._states[name]:,} {what}" for name, what in words.items() if self._states[name]]
        parts += [f"{self._states['conforms']:,} with nothing found"] if self._states["conforms"] else []
        parts += [f"{self._errors:,} not to be read"] if self._errors else []
        told = sum(self._states.values()) + self._errors
        yield f"{count(told, 'passport')} held against {self._on}: {', '.join(parts) or 'none'}."
        if fleet.known:
            yield f"{fleet.new:,} validated now; of {fleet.known:,} nothing has changed since the last time."


def _ranked(rows: Counter[tuple[str, ...]]) -> list[tuple[tuple[str, ...], int]]:
    """Return what was found with its number of passports, the gravest first, then the most frequent."""
    return sorted(rows.items(), key=lambda item: (_RANK[item[0][0]], -item[1], item[0]))
