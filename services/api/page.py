"""What the page of one passport shows, in one language: made from graphs that are already cut to the reader.

Values come in the order of the attribute table, sorted by sub-model; declared and measured ones apart. What
stands as entries with several members (footprints, materials, numbers) becomes tables; see `entries.py`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pyoxigraph import NamedNode

from battpass.kg.access import Audience
from battpass.kg.attributes import SUBMODELS, Attribute, Reading
from battpass.kg.graphs import AccessClass
from battpass.kg.namespaces import expand
from battpass.kg.passport import Passport
from battpass.kg.paths import Path
from battpass.kg.quantities import QuantityKind
from battpass.services.api.entries import ABOUT, GENERAL, GLANCE, HEAD, ROOTS, TABLES, Entries
from battpass.services.api.lexicon import Speech
from battpass.services.api.values import Showing, Value

_NAME = expand("schema:name")
# Partners write this where a passport has no predecessor.
_NO_PREDECESSOR = "urn:uuid:00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Line:
    """A label and its values; `hint` is the definition of the attribute, `note` how it was given instead."""

    label: str
    values: tuple[Value, ...]
    hint: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Entries with several members. What is the same in all of them stands once, in `common`."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[tuple[Value, ...], ...], ...]
    common: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One sub-model on the page; `silent` are its public attributes without a value."""

    key: str
    title: str
    declared: tuple[Line, ...] = ()
    measured: tuple[Line, ...] = ()
    conditions: tuple[Line, ...] = ()
    tables: tuple[Table, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reserved:
    """Attributes of another access class, by name only, and who may read them."""

    title: str
    readers: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template needs to know of a passport, and whose view of it this is."""

    reader: str
    draft: bool
    violations: int
    title: str
    identifier: str
    record: str
    head: tuple[Line, ...]
    glance: tuple[Line, ...]
    sections: tuple[Section, ...]
    reserved: tuple[Reserved, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """One passport in a list of many."""

    identifier: str
    title: str
    maker: str
    category: str
    chemistry: str
    capacity: Value | None


def page_of(
    passport: Passport,
    speech: Speech,
    audiences: Mapping[str, Audience],
    reader: str = "public",
    *,
    draft: bool = False,
    violations: int = 0,
) -> Page:
    """Return the page of a passport whose graphs are already cut to the reader, one of `audiences`.

    `violations` is how many it was published with; it is for its owner alone to know.
    """
    builder = _Builder(passport, speech)
    sections = [*(builder.section(name) for name in SUBMODELS), builder.documents(), builder.about()]
    glance = (builder.quantity(speech.lexicon.quantities[key]) for key in GLANCE)
    return Page(
        reader=reader,
        draft=draft,
        violations=violations,
        title=builder.title(),
        identifier=identifier_of(passport),
        record=passport.record,
        head=tuple(builder.head()),
        glance=tuple(line for line in glance if line),
        sections=tuple(part for part in sections if part.declared or part.measured or part.tables),
        reserved=tuple(_reserved(speech, audiences, audiences[reader])),
    )


def summary_of(passport: Passport, speech: Speech) -> Summary:
    """Return the line of a passport in a list; its graphs are already cut to the reader."""
    builder = _Builder(passport, speech)
    capacity = builder.quantity(speech.lexicon.quantities["ratedCapacity"])
    return Summary(
        identifier_of(passport),
        builder.title(),
        builder.words("manufacturer"),
        builder.words("batteryCategory"),
        builder.words("batteryChemistry"),
        capacity.values[0] if capacity else None,
    )


def identifier_of(passport: Passport) -> str:
    """Return the last part of a passport's IRI, by which its page is addressed."""
    return passport.record.rpartition("/")[2]


class _Builder:
    """Reads one passport for one language."""

    def __init__(self, passport: Passport, speech: Speech) -> None:
        self._speech = speech
        self._reading = Reading.of(passport.item_graphs, passport.model_graphs)
        self._showing = Showing(self._reading.index, speech)
        self._attributes = speech.lexicon.attributes.values()
        self._quantities = speech.lexicon.quantities.values()

    def title(self) -> str:
        model = self._reading.model
        name = self._reading.index.text(model, _NAME) if model else None
        return name or self._speech.say("passport.unnamed")

    def words(self, attribute: str) -> str:
        """Return an attribute's values as one text."""
        values, _ = self._answer(self._speech.lexicon.attributes[attribute])
        return ", ".join(value.text for value in values)

    def quantity(self, kind: QuantityKind) -> Line | None:
        """Return the line of a quantity of model or battery."""
        subject = self._subject(kind.subject)
        values = self._showing.all(self._showing.ordered(subject, kind.link_iri)) if subject else ()
        return Line(self._speech.of(kind.labels), values) if values else None

    def head(self) -> Iterator[Line]:
        for name, key in HEAD:
            values, _ = self._answer(self._speech.lexicon.attributes[name])
            if values:
                yield Line(self._speech.say(key), values)

    def about(self) -> Section:
        """Return what is said of the record itself rather than the battery."""
        return Section("about", self._speech.say("section.about"), tuple(self._properties(ABOUT)))

    def section(self, submodel: str) -> Section:
        declared: list[Line] = []
        measured: list[Line] = []
        silent: list[str] = []
        for attribute in self._attributes:
            if attribute.submodel != submodel:
                continue
            own = list(self._own_quantities(attribute))
            for kind, line in own:
                (measured if kind.nature == "measured" else declared).append(line)
            if not own:
                values, path = self._answer(attribute)
                if not values and attribute.access == AccessClass.PUBLIC:
                    silent.append(self._speech.of(attribute.labels))
                elif values and not ROOTS & {route[0] for route in path.routes}:
                    declared.append(self._line(attribute, values, path))
        conditions: list[Line] = []
        for kind, line in self._further_quantities(submodel):
            is_condition = self._speech.lexicon.units.unit(kind.unit).kind in (
                "Temperature",
                "DimensionlessRatio",
            )
            is_measured = kind.nature == "measured"
            (measured if is_measured else conditions if is_condition else declared).append(line)
        if submodel == "general":
            declared += self._properties(GENERAL)
        return Section(
            submodel,
            self._speech.say(f"section.{submodel}"),
            tuple(declared),
            tuple(measured),
            tuple(conditions),
            tuple(self._tables(submodel)),
            tuple(silent),
        )

    def documents(self) -> Section:
        """Return the documents at model or battery that no attribute leads to."""
        paths = (path for attribute in self._attributes for path in (attribute.path, attribute.nearest))
        known = {route[0] for path in paths if path for route in path.routes}
        lines = []
        for subject in filter(None, (self._reading.model, self._reading.battery)):
            for iri in self._reading.index.predicates(subject):
                terms = self._showing.ordered(subject, iri) if iri not in known else []
                if terms and all(self._showing.is_document(term) for term in terms):
                    lines.append(Line(self._speech.term(iri), self._showing.all(terms)))
        return Section("documents", self._speech.say("section.documents"), tuple(lines))

    # --- private ---------------------------------------------------------------------------------------

    def _subject(self, kind: str) -> str | None:
        return {
            "passport": self._reading.passport,
            "battery": self._reading.battery,
            "model": self._reading.model,
        }[kind]

    def _answer(self, attribute: Attribute) -> tuple[tuple[Value, ...], Path]:
        """Return an attribute's values, and the path they stand at: its own, or the nearest coarser one."""
        subject = self._subject(attribute.subject)
        for path in (attribute.path, attribute.nearest):
            if path and subject and (values := self._showing.along(subject, path)):
                return values, path
        return (), attribute.path

    def _line(self, attribute: Attribute, values: tuple[Value, ...], path: Path) -> Line:
        speech = self._speech
        note = ""
        # Text beside a code (bp:batteryChemistryText) is the attribute itself, in the partner's words.
        if path != attribute.path and not path.routes[0][0].startswith(attribute.path.routes[0][0]):
            note = speech.say("passport.as", label=speech.term(path.routes[0][0]))
        return Line(speech.of(attribute.labels), values, speech.of(attribute.definitions), note)

    def _own_quantities(self, attribute: Attribute) -> Iterator[tuple[QuantityKind, Line]]:
        for kind in self._quantities:
            if kind.attribute == attribute.name and kind.subject != "node" and (line := self.quantity(kind)):
                hint = self._speech.of(attribute.definitions)
                yield kind, Line(line.label, line.values, hint)

    def _further_quantities(self, submodel: str) -> Iterator[tuple[QuantityKind, Line]]:
        """Yield quantities that are no attribute of their own: sizes in general, others with performance."""
        for kind in self._quantities:
            if kind.attribute or kind.subject == "node":
                continue
            is_size = self._speech.lexicon.units.unit(kind.unit).kind == "Length"
            if submodel == ("general" if is_size else "performance") and (line := self.quantity(kind)):
                yield kind, line

    def _properties(self, paths: Iterable[tuple[str, Path]]) -> list[Line]:
        lines = []
        for kind, path in paths:
            subject = self._subject(kind)
            found = self._showing.along(subject, path) if subject else ()
            values = tuple(value for value in found if value.text != _NO_PREDECESSOR)
            if values:
                lines.append(Line(self._speech.term(path.routes[0][0]), values))
        return lines

    def _tables(self, submodel: str) -> Iterator[Table]:
        for entries in TABLES:
            if entries.submodel == submodel and (rows := self._rows(entries)):
                yield self._table(entries, rows)

    def _rows(self, entries: Entries) -> list[list[tuple[Value, ...]]]:
        subject = self._subject(entries.subject)
        rows = []
        for root in entries.roots:
            for term in self._showing.ordered(subject, root) if subject else ():
                if isinstance(term, NamedNode):
                    row = [self._showing.along(term.value, column.path) for column in entries.columns]
                    # An entry may be nameless for this reader; then the property says what it is.
                    row[0] = row[0] or (Value(self._speech.term(root)),)
                    rows.append(row)
        return rows

    def _table(self, entries: Entries, rows: list[list[tuple[Value, ...]]]) -> Table:
        heads = [self._speech.term(column.head) for column in entries.columns]
        shown: list[int] = []
        common: list[Line] = []
        for number, head in enumerate(heads):
            cells = {row[number] for row in rows}
            if number > 0 and len(cells) == 1 and len(rows) > 2:
                common += [Line(head, values) for values in cells if values]
            elif any(cells):
                shown.append(number)
        return Table(
            self._speech.say(entries.title),
            tuple(heads[number] for number in shown),
            tuple(tuple(row[number] for number in shown) for row in rows),
            tuple(common),
        )


def _reserved(speech: Speech, audiences: Mapping[str, Audience], reader: Audience) -> Iterator[Reserved]:
    """Yield what there may be that this reader does not read."""
    for access in (AccessClass.INTEREST, AccessClass.ITEM, AccessClass.AUTHORITY):
        if reader.reads(access):
            continue
        attributes = [one for one in speech.lexicon.attributes.values() if one.access == access]
        readers = [speech.say(f"audience.{name}") for name, one in audiences.items() if one.reads(access)]
        if attributes:
            names = tuple(speech.of(attribute.labels) for attribute in attributes)
            yield Reserved(speech.say(f"access.{access}"), ", ".join(readers), names)
