"""What becomes of passports that are kept: `publish`, `archive`, `erase`, `move`, `history`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battpass.kg.errors import BattPassError, NotFound, Unpublishable
from battpass.services.cli.console import FOUND, MISUSED, Console, JsonFlag, console, count
from battpass.services.cli.documents import At, PolicyChosen, moment, say_finding, summary, weighs

if TYPE_CHECKING:
    from battpass.kg.graphs import Finding
    from battpass.kg.home import Entry, Home, Policy, State, Written
    from battpass.services.exchange.intake import Intake

Names = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="UUID or IRI of passports, or their batteries.")
]
Name = Annotated[str, typer.Argument(metavar="ID", help="UUID or IRI of a passport, or its battery.")]
Reason = Annotated[str, typer.Option(help="Why, for the history of the passport.")]

# What is checked ahead of what is written; more would only wait.
_AHEAD = 8


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(short_help="Publish drafts, each checked as of today.")(publish)
    app.command(short_help="End a passport, as its battery was recycled.")(archive)
    app.command(short_help="Take away the texts of an archived passport.")(erase)
    app.command(short_help="Move passports to a corrected model record.")(move)
    app.command(short_help="List the versions of a passport.")(history)


def publish(
    context: typer.Context,
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Publish every draft that can be.")] = False,
    policy: PolicyChosen = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> int:
    """Publish drafts, each checked as of today: one with a violation stays a draft, with its findings shown.

    With --policy record it is published all the same; its history says that it has violations. Exit status 1:
    one was refused, or something weighs in what was published; 2: there is no such passport.
    """
    from battpass.services.cli import homes
    from battpass.services.cli.loading import ACTOR
    from battpass.services.cli.readers import reading_documents
    from battpass.services.cli.stopping import on_wish

    out = console(context)
    _one_of(names, everything, "--all")
    told = _Told(out, shown=bool(names))
    with homes.writing(out) as home, reading_documents(out) as intake, on_wish() as wish:
        chosen = _drafts(home) if everything else list(names or ())
        if not chosen:
            out.say("There are no drafts.")
        for name, found in _checked(home, intake, out.watch("Publishing")(chosen, len(chosen))):
            if isinstance(found, BattPassError):
                told.error(name, found)
                continue
            entry, report = found
            try:
                done = _as_it_stands(entry)
                if report:
                    done = home.publish(
                        entry.record,
                        report=report,
                        actor=ACTOR,
                        reason=reason,
                        expected=entry.version,
                        policy=policy,
                    )
            except Unpublishable as error:
                told.refused(name, entry, error)
            except BattPassError as error:
                told.error(name, error)
            else:
                told.done(name, done, report)
            if wish():
                out.note("Stopped. Run the same command again to go on.")
                break
    return told.end()


def archive(
    context: typer.Context,
    name: Name,
    reason: Annotated[str, typer.Option(help="Why, such as: recycled; for its history.")],
    as_json: JsonFlag = False,
) -> int:
    """Let a passport cease to exist, as it does when its battery was recycled. There is no way back.

    Its history stays in the journal; nobody reads the passport any more.
    """
    from battpass.services.cli import homes
    from battpass.services.cli.loading import ACTOR

    out = console(context)
    with homes.writing(out) as home:
        done = home.archive(name, actor=ACTOR, reason=reason)
    out.say(f"{done.record} is archived, version {done.version}, entry {done.sequence}.")
    out.document(asdict(done))
    return 0


def erase(context: typer.Context, name: Name, reason: Reason = "", as_json: JsonFlag = False) -> int:
    """Take away the texts of a passport that was archived, for good: data, documents, reports and notes.

    Entries and digests stay, so the journal can still be verified. Back-ups that were made before still hold
    the texts, and so do the copies of others.
    """
    from battpass.services.cli import homes
    from battpass.services.cli.loading import ACTOR

    out = console(context)
    with homes.writing(out) as home:
        done = home.erase(name, actor=ACTOR, reason=reason)
        entry = home.journal.entry(done.sequence)
    number = len(entry.erased) if entry else 0
    if done.outcome == "unchanged":
        out.say(f"{done.record} was erased before, entry {done.sequence}.")
    else:
        out.say(f"{done.record} is erased: {count(number, 'text')} taken away, entry {done.sequence}.")
        out.say("Back-ups made before still hold them.")
    out.document({**asdict(done), "texts": number})
    return 0


def move(
    context: typer.Context,
    to: Annotated[
        str, typer.Option(metavar="MODEL|ID", help="Model record to point to, or a passport that does.")
    ],
    names: Names = None,
    source: Annotated[
        str, typer.Option("--from", metavar="MODEL", help="Move every passport of this model record.")
    ] = "",
    policy: PolicyChosen = None,
    reason: Reason = "",
    as_json: JsonFlag = False,
) -> int:
    """Move passports to a corrected model record, which they share; what is published stays published.

    Of a passport with a draft, the draft is moved. A published one that would have a violation then is not
    moved, unless a policy says what becomes of it. Exit status 1: there was such a one, or something weighs.
    """
    from battpass.services.cli import homes
    from battpass.services.cli.readers import reading_documents
    from battpass.services.cli.stopping import on_wish
    from battpass.services.cli.supplements import newest

    out = console(context)
    _one_of(names, bool(source), "--from")
    told = _Told(out, shown=bool(names))
    with homes.writing(out) as home, reading_documents(out) as intake, on_wish() as wish:
        target = _model(home, to)
        chosen = _items(home, source) if source else list(names or ())
        for name in out.watch("Moving")(chosen, len(chosen)):
            try:
                done, report = _moved(home, intake, name, target, reason, policy)
            except Unpublishable as error:
                told.refused(name, newest(home, name), error)
            except BattPassError as error:
                told.error(name, error)
            else:
                told.done(name, done, report)
            if wish():
                out.note("Stopped. Run the same command again to go on.")
                break
    return told.end()


def history(
    context: typer.Context,
    name: Name,
    at: At = "",
    as_json: JsonFlag = False,
) -> int:
    """List the versions of a passport, the oldest first: when, what, by whom and why; up to a time with --at.

    `battpass export --version N` prints one of them. Of an archived passport this list is what is left.
    """
    from battpass.services.cli import homes

    out = console(context)
    until = moment(at)
    with homes.reading(out) as home:
        record = home.find(name)
        entries = [entry for entry in home.journal.history(record) if until is None or entry.time <= until]
        found = {entry.version: home.violations(entry) for entry in entries}
    if not entries:
        raise NotFound(f"{record} was not kept yet at {until:%Y-%m-%d %H:%M:%S} UTC. Leave --at out.")
    headings = ("version", "entry", "time (UTC)", "stage", "action", "checked", "actor", "reason")
    out.table(headings, (_row(entry, found[entry.version]) for entry in entries))
    versions = [{**_version(entry), "violations": found[entry.version]} for entry in entries]
    out.document({"record": record, "versions": versions})
    return 0


class _Told:
    """What became of each of several passports, as it is said and as a document.

    What weighs in those that were named is `shown`; of a whole fleet, it is counted.
    """

    def __init__(self, out: Console, *, shown: bool) -> None:
        self._out = out
        self._shown = shown
        self._results: list[dict[str, Any]] = []
        self._status = 0

    def done(self, name: str, done: Written, report: bytes) -> None:
        findings = _findings(report)
        self._out.say(
            f"{done.outcome if done.outcome == 'unchanged' else done.stage:<9}  version {done.version:<4}  "
            f"{_short(done.record)}  {summary(findings)}"
        )
        if self._shown:
            self._say(findings)
        self._add({"name": name, **asdict(done), "findings": findings}, any(map(weighs, findings)))

    def refused(self, name: str, entry: Entry, error: Unpublishable) -> None:
        findings = _findings(error.report)
        self._out.say(
            f"{'refused':<9}  version {entry.version:<4}  {_short(entry.record)}  {summary(findings)}"
        )
        self._say(findings)
        result = {"record": entry.record, "version": entry.version, "stage": entry.stage}
        self._add({"name": name, **result, "outcome": "refused", "findings": findings}, True)

    def error(self, name: str, error: BattPassError) -> None:
        self._out.note(f"battpass: {name}: {error}")
        self._results.append({"name": name, "error": str(error)})
        self._status = MISUSED

    def end(self) -> int:
        self._out.document({"results": self._results})
        return self._status

    def _say(self, findings: Iterable[Finding]) -> None:
        for finding in filter(weighs, findings):
            say_finding(self._out, finding)

    def _add(self, result: dict[str, Any], found: bool) -> None:
        result["findings"] = [asdict(finding) for finding in result["findings"]]
        self._results.append(result)
        self._status = max(self._status, FOUND if found else 0)


def _moved(
    home: Home, intake: Intake, name: str, target: State, reason: str, policy: Policy | None
) -> tuple[Written, bytes]:
    """Move what its owner works on of a passport, the draft or what is published, in its stage."""
    from battpass.services.cli.loading import ACTOR
    from battpass.services.cli.supplements import newest

    base = newest(home, name)
    if base.model == target.model:
        return _as_it_stands(base), b""
    state = home.state(base.record, version=base.version)
    arrival = intake.move(state, target.model, target.model_parts)
    arrival = replace(arrival, format=base.format, source=base.source)
    done = home.put(
        arrival, stage=base.stage, actor=ACTOR, reason=reason, expected=base.version, policy=policy
    )
    return done, arrival.report


def _checked(
    home: Home, intake: Intake, names: Iterable[str]
) -> Iterator[tuple[str, tuple[Entry, bytes] | BattPassError]]:
    """Yield names with the draft and its report, checked some at a time; without a draft with no report."""
    from battpass.kg.home import Stage

    def look(name: str) -> tuple[Entry, bytes] | BattPassError:
        try:
            try:
                entry = home.entry(name, stage=Stage.DRAFT)
            except NotFound:
                return home.entry(name), b""
            return entry, intake.check(home.state(entry.record, version=entry.version))
        except BattPassError as error:
            return error

    waiting: deque[tuple[str, Future[tuple[Entry, bytes] | BattPassError]]] = deque()
    with ThreadPoolExecutor(_AHEAD) as threads:
        for name in names:
            waiting.append((name, threads.submit(look, name)))
            if len(waiting) > _AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()


def _as_it_stands(entry: Entry) -> Written:
    from battpass.kg.home import Written

    return Written(entry.record, entry.version, entry.sequence, entry.stage, "unchanged")


def _drafts(home: Home) -> list[str]:
    from battpass.kg.home import Stage

    return [record for record, _, _ in home.journal.records((Stage.DRAFT,))]


def _items(home: Home, model: str) -> list[str]:
    from battpass.kg.home import Stage

    source = _model(home, model).model
    found = home.journal.items_of(source, (Stage.DRAFT, Stage.PUBLISHED))
    return [record for record in found if _points_to(home, record, source)]


def _points_to(home: Home, record: str, model: str) -> bool:
    from battpass.services.cli.supplements import newest

    return newest(home, record).model == model


def _model(home: Home, name: str) -> State:
    """Return the model record of a name: its own IRI or digest, or a passport that points to it."""
    from battpass.kg.home import State
    from battpass.kg.home.visible import model_parts
    from battpass.kg.namespaces import BASE
    from battpass.services.cli.supplements import newest

    for model in (name, f"{BASE}model/{name}"):
        if home.journal.model(model) is not None:
            parts = model_parts(home.journal, model, home.audience("owner").classes)
            return State(model, model, {}, parts)
    try:
        entry = newest(home, name)
    except NotFound:
        raise NotFound(
            f"{name!r} is neither a model record nor a passport here. A corrected model record comes with "
            "the first passport that is corrected: import that, and name its ID."
        ) from None
    parts = model_parts(home.journal, entry.model, home.audience("owner").classes)
    return State(entry.model, entry.model, {}, parts)


def _one_of(names: list[str] | None, other: bool, option: str) -> None:
    """Refuse a command that is told both what to work on and to take all, or neither."""
    if bool(names) == other:
        what = f"both ID and {option}" if names else f"neither ID nor {option}"
        raise typer.BadParameter(f"There is {what}. Give one of them.")


def _findings(report: bytes) -> tuple[Finding, ...]:
    from battpass.services.cli.loading import findings_in

    return findings_in(report) if report else ()


def _short(record: str) -> str:
    return record.rpartition("/")[2]


def _row(entry: Entry, violations: int | None) -> tuple[str, ...]:
    checked = count(violations, "violation") if violations else "yes" if entry.checked else "no"
    return (
        str(entry.version),
        str(entry.sequence),
        f"{entry.time:%Y-%m-%d %H:%M:%S}",
        entry.stage,
        entry.action,
        checked,
        entry.actor,
        entry.reason,
    )


def _version(entry: Entry) -> dict[str, Any]:
    return {
        "version": entry.version,
        "sequence": entry.sequence,
        "time": entry.time.isoformat(),
        "stage": entry.stage,
        "action": entry.action,
        "checked": entry.checked,
        "actor": entry.actor,
        "reason": entry.reason,
        "model": entry.model,
        "format": entry.format,
        "source": entry.source,
        "hash": entry.hash,
    }
