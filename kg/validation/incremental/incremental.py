"""A store of records, each with its report: after a write those that it may have changed are made anew."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from types import MappingProxyType

from pyoxigraph import Quad, RdfFormat, Triple, serialize

from battpass.kg.errors import BadShapes, NotFound
from battpass.kg.validation.compiled import Compiled, Index, Report
from battpass.kg.validation.incremental.basis import Basis, InMemory, Memory, digest_of_texts
from battpass.kg.validation.incremental.reach import reach_of
from battpass.kg.validation.incremental.surroundings import Surroundings

Statements = Sequence[Quad] | Sequence[Triple]

# What shapes find about nodes that they name, or that the reference describes: of no record, and of all.
WHOLE = ""
# Records that are held in memory at once where they stand apart.
_TOGETHER = 250


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it is stored: its statements, and the names of the parts among them that others share.

    Graph names are folded. `digest` is one of the statements, where the store knows it; else it is made.
    """

    statements: Sequence[Quad] | Sequence[Triple]
    parts: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did: which records were validated, rest on the same as before, or are gone."""

    validated: tuple[str, ...]
    known: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class Incremental:
    """The reports on the records of a store, by shapes of whatever origin. For one thread.

    The reports together are those of the whole store as one graph: where shapes follow a relation into
    another record, or back from it, that one has its say, and when it changes, whoever it has a say in is
    validated again. `report(WHOLE)` is about what shapes name, and about the reference. Queries may look
    anywhere; so with them every write touches every record, unless records stand `apart`.

    Parameters
    ----------
    shapes
        Compiled shapes.
    read
        Returns a record as it is stored now, None where it is gone. A record that is in the surroundings of
        one that is validated is read as well.
    reference
        Statements that belong to each record. Records that only repeat some of them say nothing by that.
    apart
        Judge each record alone with the reference, whatever others say of its nodes. So are passports: what
        one operator writes must not change the report on what another one wrote.
    memory
        Where reports are remembered; else for as long as this lives.

    Raises
    ------
    BadShapes
        If shapes with Advanced Features are to judge records together.
    """

    def __init__(
        self,
        shapes: Compiled,
        read: Callable[[str], Stored | None],
        reference: Iterable[Quad] | Iterable[Triple] = (),
        *,
        apart: bool = False,
        memory: Memory[Report] | None = None,
    ) -> None:
        self._shapes = shapes
        self._read = read
        self._reference = [Triple(one.subject, one.predicate, one.object) for one in reference]
        if shapes.plan.advanced and not apart:
            raise BadShapes(
                f"The shapes use {', '.join(shapes.plan.advanced)}, which may make statements of their own: "
                "whose they are is not known. Judge each record alone: Incremental(..., apart=True)."
            )
        self._around = None if apart else Surroundings(reach_of(shapes.plan), self._reference)
        self._memory: Memory[Report] = InMemory() if memory is None else memory
        self._digest = digest_of(self._reference)
        self._digests: dict[str, str] = {}
        self._parts: dict[str, dict[str, None]] = {}
        self._parts_of: dict[str, tuple[str, ...]] = {}
        self._reports: dict[str, Report] = {}
        self._pending: set[str] = set()

    @property
    def reports(self) -> Mapping[str, Report]:
        """The report on each record, as of the last update."""
        return MappingProxyType(self._reports)

    def report(self, name: str) -> Report:
        """Return the report on a record, as of the last update.

        Raises
        ------
        NotFound
            If there is no such record.
        """
        try:
            return self._reports[name]
        except KeyError:
            raise NotFound(f"There is no record {name!r}. Say that it is new: update([{name!r}]).") from None

    def dependents(self, names: Iterable[str]) -> set[str]:
        """Return the records whose reports a change of records or parts may change, without themselves."""
        given = set(names)
        items = self._items(given)
        others = (self._around.dependents(one) for one in items) if self._around is not None else ()
        return items.union(*others) - given

    def update(self, names: Iterable[str], deadline: float | None = None) -> Updated:
        """Validate what a write touched: records that are named, and those in whose reports they have a say.

        A name may also be that of a part; then all records that share it are read again. What rests on the
        same as before is not validated.

        Raises
        ------
        DeadlineExceeded
            If `deadline` seconds did not suffice; then update with the same names again.
        EngineFailed
            If a query of the shapes says that it failed, or pySHACL did.
        """
        touched = sorted(self._items(names))
        until = None if deadline is None else monotonic() + deadline
        if self._around is not None:
            return self._together(touched, self._around, until)
        validated: list[str] = []
        known: list[str] = []
        gone: list[str] = []
        for start in range(0, len(touched), _TOGETHER):
            one = self._apart(touched[start : start + _TOGETHER], until)
            validated += one.validated
            known += one.known
            gone += one.gone
        return Updated(tuple(validated), tuple(known), tuple(gone))

    # --- private ---------------------------------------------------------------------------------------

    def _items(self, names: Iterable[str]) -> set[str]:
        """Return the records among names, and those that have one as a part."""
        return {item for name in names for item in self._parts.get(name, {name: None})}

    def _taken_in(self, name: str) -> Statements | None:
        """Read a record as it is now, and keep the indexes true."""
        for part in self._parts_of.pop(name, ()):
            self._parts[part].pop(name, None)
            if not self._parts[part]:
                del self._parts[part]
        stored = self._read(name)
        if stored is None:
            self._memory.forget([name])
            self._reports.pop(name, None)
            self._digests.pop(name, None)
            if self._around is not None:
                self._around.drop(name)
            return None
        self._digests[name] = stored.digest or digest_of(stored.statements)
        self._parts_of[name] = stored.parts
        for part in stored.parts:
            self._parts.setdefault(part, {})[name] = None
        if self._around is not None:
            self._around.put(name, stored.statements)
        return stored.statements

    def _kept(self, name: str) -> Statements:
        stored = self._read(name)
        return () if stored is None else stored.statements

    def _basis(self, names: Iterable[str]) -> Basis:
        data = digest_of_texts(self._digests.get(name, "").encode() for name in names)
        return Basis(data, self._shapes.plan.digest, self._digest)

    def _apart(self, names: list[str], until: float | None) -> Updated:
        present = {name: self._taken_in(name) for name in names}
        there = {name: stored for name, stored in present.items() if stored is not None}
        bases = {name: self._basis([name]) for name in there}
        stale = {name: one for name, one in there.items() if not self._is_known(name, bases[name])}
        if len(stale) > 1:
            found = dict(self._shapes.validate_all(stale.items(), self._reference, _left(until)))
        else:
            found = {
                name: self._shapes.validate(_joined(statements, self._reference), _left(until))
                for name, statements in stale.items()
            }
        self._keep(bases, found)
        return _updated(found, there, present)

    def _together(self, names: list[str], around: Surroundings, until: float | None) -> Updated:
        # Who depended on what stood before is not to be seen afterwards: noted until it is validated.
        self._pending |= self.dependents(names) | set(names)
        present = {name: self._taken_in(name) for name in names}
        self._pending |= self.dependents(names)
        touched = sorted(self._pending & self._digests.keys())
        there = {name: present.get(name) or self._kept(name) for name in touched}
        bases: dict[str, Basis] = {}
        found: dict[str, Report] = {}
        for name in (*there, WHOLE):
            statements = there.get(name, ())
            others = around.around(name)
            bases[name] = self._basis([name, *others])
            if self._is_known(name, bases[name]):
                continue
            beside = [there.get(one) or self._kept(one) for one in others]
            report = self._shapes.validate(_joined(statements, *beside, self._reference), _left(until))
            owned = around.owned(self._reference if name == WHOLE else statements)
            owned |= around.named if name == WHOLE else set()
            results = tuple(result for result in report.results if result.focus in owned)
            found[name] = Report(results, report.shapes)
        self._keep(bases, found)
        self._pending.clear()
        return _updated(found, there, present)

    def _is_known(self, name: str, basis: Basis) -> bool:
        report = self._memory.known(name, basis)
        if report is None:
            return False
        self._reports[name] = report
        return True

    def _keep(self, bases: Mapping[str, Basis], found: Mapping[str, Report]) -> None:
        self._memory.keep((name, bases[name], report) for name, report in found.items())
        self._reports.update(found)


def _left(until: float | None) -> float | None:
    return None if until is None else max(0.0, until - monotonic())


def _updated(found: Iterable[str], there: Iterable[str], present: Mapping[str, object]) -> Updated:
    validated = {*found} - {WHOLE}
    return Updated(
        tuple(sorted(validated)),
        tuple(sorted({*there} - validated)),
        tuple(name for name, stored in present.items() if stored is None),
    )


def digest_of(statements: Statements) -> str:
    """Return the digest of statements in whatever order, blank nodes by their labels."""
    told = (Triple(one.subject, one.predicate, one.object) for one in statements)
    text = serialize(told, format=RdfFormat.N_TRIPLES) or b""
    return digest_of_texts(sorted(set(text.splitlines())))


def _joined(*parts: Statements) -> Index:
    return Index(one for part in parts for one in part)  # type: ignore[arg-type]
