"""The validator: a passport in, a report out.

The report is the W3C graph plus findings that a person can act on. Which engine runs the shapes is
decided in one place, `Validator.load`.
"""

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TypeVar

from pyoxigraph import Triple

from battpass.kg.attributes import Attribute, Reading, load_attributes
from battpass.kg.concepts import ConceptTable
from battpass.kg.graphs import Finding, Severity
from battpass.kg.obligations import Category, Obligations, category_of
from battpass.kg.ontology.units import UnitTable
from battpass.kg.passport import Passport
from battpass.kg.quantities import load_quantities
from battpass.kg.validation.data import Data, data_of, reference_individuals
from battpass.kg.validation.engine import CompiledEngine, Engine
from battpass.kg.validation.findings import Speaker, merge, ordered, shortened
from battpass.kg.validation.obligations import category_shapes, duties
from battpass.kg.validation.places import Places
from battpass.kg.validation.readiness import Readiness, readiness
from battpass.kg.validation.results import Result, report_graph
from battpass.kg.validation.shapes import ShapeSet
from battpass.kg.validation.ways import Ways

# One per category and set of conditions that hold; a fleet has a handful.
_KEPT = 64
# Passports that are held in memory at once, with some thousand statements each.
_TOGETHER = 250

# Stands in the place of data that were worked on, so that their memory is free.
_DONE = Data(())

_Name = TypeVar("_Name", bound=Hashable)
_PlacesOf = Callable[[_Name, tuple[Result, ...]], Places | None]


@dataclass(frozen=True, slots=True)
class Report:
    """What a validation found, on which day, by which shapes (version IRI and digest).

    `results` are those of the shapes; `findings` put them into words, with those of the format merged
    in where `with_findings` was called.
    """

    on: date
    category: Category | None
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]
    shapes: tuple[ShapeSet, ...]

    @property
    def conforms(self) -> bool:
        """Whether no shape found anything, be it advice: the `sh:conforms` of the standard."""
        return not self.results

    @property
    def blocking(self) -> bool:
        """Whether any finding is a violation, so that the passport must not be published."""
        return any(finding.severity is Severity.VIOLATION for finding in self.findings)

    @property
    def graph(self) -> tuple[Triple, ...]:
        """The W3C validation report."""
        return report_graph(self.results, self.shapes)

    def with_findings(self, of_format: Iterable[Finding]) -> "Report":
        """Return the report with what the format found when it read the document, of each kind the first."""
        return replace(self, findings=shortened(merge(of_format, self.findings)))

    def text(self) -> bytes:
        """Return the report as JSON: equal reports have equal texts.

        It names the shapes by version and digest and holds the findings; the W3C graph is not in it.
        """
        content = {
            "on": self.on.isoformat(),
            "category": self.category,
            "conforms": self.conforms,
            "blocking": self.blocking,
            "shapes": [{"iri": shapes.version, "digest": shapes.digest} for shapes in self.shapes],
            "findings": [asdict(finding) for finding in self.findings],
        }
        # A member name that a finding repeats may hold half a surrogate pair, which only ASCII can hold.
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


class Validator:
    """Checks passports against the shapes, and against what their category owes on a day.

    >>> validator = Validator.load(on=date(2027, 2, 18))
    >>> validator.on
    datetime.date(2027, 2, 18)
    """

    def __init__(
        self,
        shapes: ShapeSet,
        attributes: Mapping[str, Attribute],
        obligations: Obligations,
        concepts: ConceptTable,
        engine: Callable[[ShapeSet], Engine] = CompiledEngine,
        on: date | None = None,
    ) -> None:
        self.shapes = shapes
        self.attributes = attributes
        self.obligations = obligations
        self._new_engine = engine
        self._on = on
        quantities = load_quantities()
        self._speaker = Speaker(concepts, quantities, UnitTable.load(), Ways(attributes, quantities))
        self._reference = reference_individuals(concepts)
        self._owed: dict[tuple[Category, date, frozenset[str]], tuple[ShapeSet, Engine]] = {}

    @classmethod
    def load(
        cls, on: date | None = None, only: Iterable[str] | None = None, obligations: Path | None = None
    ) -> "Validator":
        """Return a validator over the installed shapes and tables.

        `on` is the day that duties and dates are held against; each time today, if none is given. `only`
        names the shape files to use, `obligations` another table of duties.
        """
        attributes = load_attributes()
        return cls(
            ShapeSet.load(only=only),
            attributes,
            Obligations.load(obligations, attributes),
            ConceptTable.load(),
            on=on,
        )

    @property
    def on(self) -> date:
        """The day that passports are held against."""
        return self._on or date.today()

    def validate(self, passport: Passport, places: Places | None = None, *, on: date | None = None) -> Report:
        """Return the report on a passport; `places` leads findings back into the document it came from.

        `on` is the day to hold it against, where that is not the validator's own.
        """
        on = on or self.on
        data = data_of(passport, self._reference, on)
        category = category_of(data.reading)
        results = self._engine.results(data)
        sets = [self.shapes]
        if category is not None:
            owed, engine = self._category(category, on, data.reading)
            results = [*results, *engine.results(data)]
            sets.append(owed)
        return self._report(on, category, results, sets, data, places)

    def validate_all(
        self,
        passports: Iterable[tuple[_Name, Passport]],
        places: _PlacesOf[_Name] = lambda name, results: None,
        *,
        on: date | None = None,
    ) -> Iterator[tuple[_Name, Report]]:
        """Yield the report that `validate` returns on each passport, in their order.

        Some hundred are read ahead and held in columns. `places` is asked for those of a passport of which
        something was found.
        """
        on = on or self.on
        remaining = iter(passports)
        while named := list(islice(remaining, _TOGETHER)):
            yield from self._together(named, places, on)

    def _together(
        self,
        passports: list[tuple[_Name, Passport]],
        places: _PlacesOf[_Name],
        on: date,
    ) -> Iterator[tuple[_Name, Report]]:
        known = [data_of(passport, self._reference, on) for _, passport in passports]
        found = dict(self._engine.results_of_all(enumerate(known), self._reference))
        for number, (name, _) in enumerate(passports):
            data, results, sets = known[number], found.pop(number), [self.shapes]
            category = category_of(data.reading)
            if category is not None:
                # Few passports owe the same, and most are told something: columns would not pay.
                owed, engine = self._category(category, on, data.reading)
                results += engine.results(data)
                sets.append(owed)
            where = places(name, tuple(results)) if results else None
            yield name, self._report(on, category, results, sets, data, where)
            known[number] = _DONE

    def _report(
        self,
        on: date,
        category: Category | None,
        results: list[Result],
        sets: list[ShapeSet],
        data: Data,
        places: Places | None,
    ) -> Report:
        words = self._words(results, sets, data, places or {})
        return Report(on, category, tuple(results), words, tuple(sets))

    def readiness(self, passport: Passport, places: Places | None = None) -> Readiness:
        """Return what a passport still lacks, by when and by which clause."""
        return readiness(passport, self.on, self.attributes, self.obligations, places)

    @cached_property
    def _engine(self) -> Engine:
        return self._new_engine(self.shapes)

    def _category(self, category: Category, on: date, reading: Reading) -> tuple[ShapeSet, Engine]:
        holding = frozenset(
            obligation.attribute
            for obligation in self.obligations.for_category(category)
            if obligation.condition.holds(reading.index)
        )
        key = (category, on, holding)
        if key not in self._owed:
            if len(self._owed) >= _KEPT:
                self._owed.clear()
            owed = duties(self.attributes, self.obligations, category, on, holding)
            shapes = category_shapes(category, owed, self.shapes)
            self._owed[key] = (shapes, self._new_engine(shapes))
        return self._owed[key]

    def _words(
        self, results: Iterable[Result], sets: Iterable[ShapeSet], data: Data, places: Places
    ) -> tuple[Finding, ...]:
        known = tuple(sets)
        findings: list[Finding] = []
        for result in results:
            for shapes in known:
                if (shape := shapes.property_shapes.get(result.shape)) is not None:
                    findings.append(self._speaker.finding(result, shape, shapes, data, places))
        return ordered(findings)
