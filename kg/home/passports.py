"""The passports of a journal: what goes in, what stands, and what of it each audience may know."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property

from battpass.kg.access import Audience, audiences
from battpass.kg.errors import Conflict, HomeInUse, NotFound
from battpass.kg.home.arrival import Arrival, State, Written
from battpass.kg.home.blocking import violations
from battpass.kg.home.changes import change_of, model_of, written
from battpass.kg.home.names import find
from battpass.kg.home.staging import stage_of
from battpass.kg.home.visible import entry_for, stages, standing, state_for
from battpass.kg.journal.entry import Action, Entry, Note, Stage
from battpass.kg.journal.journal import Journal
from battpass.kg.journal.parts import digest
from battpass.kg.journal.prepare import Change
from battpass.kg.passport import Passport
from battpass.kg.policy import Policy


class Passports:
    """Passports and their whole history, as one journal has them.

    A name of a passport is its record IRI, also without its base or with the fragment of one of its nodes;
    its UUID, also as `urn:uuid:...`; or the identifier of the battery.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def put_many(
        self,
        arrivals: Iterable[Arrival],
        *,
        stage: Stage = Stage.PUBLISHED,
        actor: str = "",
        reason: str = "",
        trusted: bool = False,
        expected: int | None = None,
        policy: Policy | None = None,
    ) -> list[Written]:
        """Keep many passports: all of them, or none if anything is raised on the way.

        A later one of the same record takes the place of an earlier one. `expected` is the version that must
        stand, 0 for new passports. `trusted` publishes passports that were not checked against the shapes;
        their entries say so. `policy` says what becomes of those with violations; without one, drafts are
        kept and none is published.

        Raises
        ------
        Rejected
            If the policy keeps nothing with violations, and one has some or was not checked.
        Unpublishable
            If one is to be published and its report holds violations, or it has none and is not trusted.
        Conflict, Archived, NotWritable
        """
        given = list(arrivals)
        stages = {
            arrival.record: stage_of(arrival.record, arrival.report, stage, policy, trusted=trusted)
            for arrival in given
        }
        latest = {arrival.record: arrival for arrival in given}
        models = {arrival.model: arrival for arrival in given}
        changes = [
            model_of(arrival, actor) for model, arrival in models.items() if self.journal.model(model) is None
        ]
        first = len(changes)
        changes += [
            change_of(arrival, stages[record], actor, reason, expected) for record, arrival in latest.items()
        ]
        done = {entry.record: written(entry, new) for entry, new in self._append(changes)[first:]}
        return [done[arrival.record] for arrival in given]

    def put(
        self,
        arrival: Arrival,
        *,
        stage: Stage = Stage.PUBLISHED,
        actor: str = "",
        reason: str = "",
        expected: int | None = None,
        trusted: bool = False,
        policy: Policy | None = None,
    ) -> Written:
        """Keep one passport; see `put_many`."""
        return self.put_many(
            [arrival],
            stage=stage,
            actor=actor,
            reason=reason,
            trusted=trusted,
            expected=expected,
            policy=policy,
        )[0]

    def publish(
        self,
        name: str,
        *,
        report: bytes,
        actor: str = "",
        reason: str = "",
        expected: int | None = None,
        policy: Policy | None = None,
    ) -> Written:
        """Publish the draft of a passport; where there is none, what is published stays as it is.

        `report` is that of the draft as it stands, so whoever checked it names its version as `expected`.
        With violations it is published by the policy `record` alone; else it stays the draft that it is.

        Raises
        ------
        Unpublishable, NotFound, Archived, Conflict, NotWritable
        """
        self._check_writing()
        owner = self._owner
        record = self.find(name)
        found = self.journal.standing(record)
        draft = found.get(Stage.DRAFT)
        if draft is None:
            return written(entry_for(self.journal, record, owner), False)
        if expected is not None and draft.version != expected:
            raise Conflict(
                f"The draft of {record} is at version {draft.version}, not {expected}. Check it again first."
            )
        stage_of(record, report, Stage.PUBLISHED, policy if policy is Policy.RECORD else None)
        told = self.journal.told(draft).told
        change = Change(
            record,
            Stage.PUBLISHED,
            self.journal.state(draft),
            model=draft.model,
            expected=self._last_version(found),
            actor=actor,
            note=Note(reason, told.source, told.identifiers, told.findings),
            original=self._text(draft.original),
            format=draft.format,
            report=report,
        )
        return written(*self._append([change])[0])

    def archive(
        self, name: str, *, actor: str = "", reason: str = "", expected: int | None = None
    ) -> Written:
        """Let a passport cease to exist, as it does when its battery was recycled; its history stays.

        Raises
        ------
        NotFound, Archived, Conflict, NotWritable
        """
        record = self.find(name)
        entry = entry_for(self.journal, record, self._owner)
        change = Change(
            record, Stage.ARCHIVED, {}, entry.model, expected=expected, actor=actor, note=Note(reason)
        )
        return written(*self._append([change])[0])

    def erase(self, name: str, *, actor: str = "", reason: str = "") -> Written:
        """Take away the texts of a passport that was archived; entries and digests stay, so the chain holds.

        Raises
        ------
        NotFound
            If there is no such passport.
        Conflict
            If it was not archived before.
        NotWritable
        """
        record = self.find(name)
        found = self.journal.standing(record).get(Stage.ARCHIVED)
        if found is None:
            raise Conflict(f"{record} is in use. Archive it first; only what has ceased to exist is erased.")
        self._check_writing()
        if found.action is Action.ERASE:
            self.journal.empty_log()
            return written(found, False)
        change = Change(record, Stage.ARCHIVED, {}, found.model, Action.ERASE, actor=actor, note=Note(reason))
        return written(self.journal.forget(record, change), True)

    def find(self, name: str, audience: str = "owner") -> str:
        """Return the record IRI behind a name of a passport, archived ones included.

        Raises
        ------
        NotFound
            If nothing here has that name for the audience, or several batteries have it.
        """
        return find(self.journal, name, self.audience(audience))

    def entry(
        self,
        name: str,
        audience: str = "owner",
        *,
        stage: Stage | None = None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> Entry:
        """Return an entry of a passport: the one whose state stands, or that of a stage, version or time.

        Raises
        ------
        NotFound
            If there is none, or none for this audience.
        Archived
            If the passport has ceased to exist.
        """
        reader = self.audience(audience)
        record = self.find(name, audience)
        found = entry_for(self.journal, record, reader, stage=stage, version=version, at=at)
        return self.journal.told(found)

    def state(
        self,
        name: str,
        audience: str = "owner",
        *,
        stage: Stage | None = None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> State:
        """Return a passport, or as much of it as an audience may read, as texts; see `entry`."""
        reader = self.audience(audience)
        record = self.find(name, audience)
        found = entry_for(self.journal, record, reader, stage=stage, version=version, at=at)
        return state_for(self.journal, found, reader)

    def passport(
        self,
        name: str,
        audience: str = "owner",
        *,
        stage: Stage | None = None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> Passport:
        """Return a passport, or as much of it as an audience may read, as graphs; see `entry`."""
        return self.state(name, audience, stage=stage, version=version, at=at).passport()

    def versions(self, name: str, audience: str = "owner") -> list[Entry]:
        """Return the entries of a passport, the oldest first; drafts for the owner only."""
        reader = self.audience(audience)
        record = self.find(name, audience)
        entry_for(self.journal, record, reader)
        return [one for one in self.journal.history(record) if one.stage in stages(reader)]

    def original(self, name: str, version: int | None = None) -> bytes:
        """Return the document that a passport came from, byte for byte, or that of a version.

        Where the state that stands came without one, as after a change in place, it is the last before it.

        Raises
        ------
        NotFound
            If it came without one.
        """
        return self._kept_with(name, version, lambda entry: entry.original, "a document")

    def report(self, name: str, version: int | None = None) -> bytes:
        """Return the validation report of a passport as JSON, or that of a version.

        Where the state that stands was not checked, it is the last report before it.

        Raises
        ------
        NotFound
            If it was not checked.
        """
        return self._kept_with(name, version, lambda entry: entry.report, "a validation report")

    def violations(self, entry: Entry) -> int | None:
        """Return how many violations were found when a version was written.

        None where it was not checked, or the report was erased.
        """
        report = self._text(entry.report)
        return violations(report) if report else None

    def holds(self, document: bytes) -> str:
        """Return the record that stands with exactly this document as its original, or an empty text."""
        name = digest(document)
        for record in self.journal.named(f"sha256:{name}"):
            if any(entry.original == name for entry in self.journal.standing(record).values()):
                return record
        return ""

    def records(self, audience: str = "owner", after: str = "", limit: int = -1) -> Iterator[str]:
        """Yield the record IRIs of the passports that an audience may see, sorted, from one after `after`."""
        last = ""
        for record, _, _ in self.journal.records(stages(self.audience(audience)), after, limit):
            if record != last:
                last = record
                yield record

    def entries(self, audience: str = "owner") -> Iterator[Entry]:
        """Yield the entry that stands for each passport of an audience, in the order of `records`."""
        reader = self.audience(audience)
        for record in self.records(audience):
            entry = standing(self.journal, record, reader)
            if entry is not None:
                yield self.journal.told(entry)

    def standing(self, stages: Iterable[Stage]) -> Iterator[Entry]:
        """Yield the entries that stand in some stages, by record: a draft may stand beside what is published.

        Those that are gone meanwhile are left out.
        """
        for record, stage, _ in self.journal.records(stages):
            if (entry := self.journal.standing(record).get(stage)) is not None:
                yield entry

    @property
    def sequence(self) -> int:
        """The sequence number of the last entry of the journal."""
        return self.journal.head.sequence

    def __len__(self) -> int:
        return self.journal.count((Stage.PUBLISHED, Stage.DRAFT))

    # --- audiences -------------------------------------------------------------------------------------

    @cached_property
    def audiences(self) -> dict[str, Audience]:
        """The audiences that a dataset can be asked for."""
        return dict(audiences())

    def audience(self, name: str) -> Audience:
        """Return an audience by its name; `NotFound` lists the names."""
        try:
            return self.audiences[name]
        except KeyError:
            known = ", ".join(sorted(self.audiences))
            raise NotFound(f"There is no audience {name!r}. Use one of: {known}.") from None

    # --- private ---------------------------------------------------------------------------------------

    @property
    def _owner(self) -> Audience:
        return self.audience("owner")

    def _append(self, changes: Sequence[Change]) -> list[tuple[Entry, bool]]:
        self._check_writing()
        return self.journal.append(changes)

    def _check_writing(self) -> None:
        if not self.journal.is_writable:
            raise HomeInUse(f"{self.journal.folder} is open for reading only. Open it for writing.")

    def _last_version(self, found: dict[Stage, Entry]) -> int:
        return max(entry.version for entry in found.values())

    def _text(self, name: str) -> bytes:
        return (self.journal.text(name) or b"") if name else b""

    def _kept_with(self, name: str, version: int | None, of: Callable[[Entry], str], what: str) -> bytes:
        wanted = version or self.entry(name).version
        for entry in reversed(self.versions(name)):
            if (entry.version == wanted if version else entry.version <= wanted) and of(entry):
                text = self.journal.text(of(entry))
                if text is not None:
                    return text
        raise NotFound(f"{name} came without {what}. Export it in a format of your choice.")
