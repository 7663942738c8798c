"""What things are called on pages, in English and German: terms, units, numbers, days, a page's own words."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from battpass.kg.attributes import Attribute, load_attributes
from battpass.kg.concepts import ConceptTable
from battpass.kg.errors import UnknownUnit
from battpass.kg.literals import decimal_text
from battpass.kg.namespaces import expand, shorten
from battpass.kg.ontology.units import UnitTable
from battpass.kg.properties import load_properties
from battpass.kg.quantities import QuantityKind, load_quantities
from battpass.kg.tables import Labels

_WORDS = Path(__file__).parent / "web" / "words.csv"
_DIGIT_GROUP = re.compile(r"\B(?=(?:\d{3})+\Z)")
_NARROW_SPACE = " "
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d)[\d:.]*(Z|[+-]\d\d:\d\d)?)?")
_MONTHS = Labels(
    "January February March April May June July August September October November December",
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
)


@dataclass(frozen=True)
class Lexicon:
    """The tables that pages draw their words from; one is made per app."""

    attributes: Mapping[str, Attribute]
    quantities: Mapping[str, QuantityKind]
    units: UnitTable
    terms: Mapping[str, Labels]
    words: Mapping[str, Labels]

    @classmethod
    def load(cls) -> "Lexicon":
        """Return the lexicon of the tables that are installed.

        Raises
        ------
        BadTable
            If one of them does not load.
        """
        attributes, quantities = load_attributes(), load_quantities()
        words = _words()
        terms: dict[str, Labels] = {}
        for own in load_properties(attributes=attributes.keys()).values():
            if own.labels:
                terms[own.iri] = own.labels
        for kind in quantities.values():
            terms[kind.link_iri] = terms[kind.compact_iri] = kind.labels
        terms |= {attribute.iri: attribute.labels for attribute in attributes.values()}
        for concept in ConceptTable.load():
            terms[concept.iri] = concept.labels
            if concept.match:
                terms.setdefault(concept.match, concept.labels)
        terms |= {
            expand(key.removeprefix("term.")): labels
            for key, labels in words.items()
            if key.startswith("term.")
        }
        return cls(attributes, quantities, UnitTable.load(), terms, words)

    def in_language(self, language: str) -> "Speech":
        """Return the lexicon as one language speaks it."""
        return Speech(self, language)


@dataclass(frozen=True, slots=True)
class Speech:
    """A lexicon in one language, `en` or `de`."""

    lexicon: Lexicon
    language: str

    def say(self, key: str, **values: object) -> str:
        """Return the page's own words for a key; `{name}` in them takes a value."""
        return self.of(self.lexicon.words[key]).format(**values)

    def says(self, key: str) -> bool:
        """Return whether there are words for a key."""
        return key in self.lexicon.words

    def count(self, key: str, count: int, **values: object) -> str:
        """Return the words for a number of things: `key` for many, `key.one` for one."""
        return self.say(f"{key}.one" if count == 1 else key, count=self.number(Decimal(count)), **values)

    def of(self, labels: Labels) -> str:
        """Return the label in this language."""
        text: str = getattr(labels, self.language)
        return text

    def has(self, iri: str) -> bool:
        """Return whether a term has a label."""
        return iri in self.lexicon.terms

    def term(self, iri: str) -> str:
        """Return the label of a term with a capital in front, or its prefixed name."""
        labels = self.lexicon.terms.get(iri)
        return sentence(self.of(labels)) if labels else shorten(iri)

    def unit(self, curie: str) -> str:
        """Return the symbol of a unit as readers write it, empty for plain numbers."""
        written = self.lexicon.words.get(f"unit.{curie}")
        if written:
            return self.of(written)
        try:
            symbol = self.lexicon.units.unit(curie).symbol
        except UnknownUnit:
            return curie
        return "" if symbol == "1" else symbol

    def number(self, value: Decimal) -> str:
        """Return a number with all its digits, long ones in groups of three."""
        whole, _, places = decimal_text(value).partition(".")
        if len(whole.lstrip("-")) > 4:
            whole = _DIGIT_GROUP.sub(_NARROW_SPACE, whole)
        whole = whole.replace("-", "−")
        mark = "," if self.language == "de" else "."
        return f"{whole}{mark}{places}" if places else whole

    def day(self, lexical: str) -> str:
        """Return a date, or a time to the minute, in words; what is neither stays as it is."""
        found = _DATE.match(lexical)
        if found is None:
            return lexical
        year, month, day, clock, zone = found.groups()
        try:
            date(int(year), int(month), int(day))
        except ValueError:
            return lexical
        name = self.of(_MONTHS).split()[int(month) - 1]
        text = f"{int(day)}. {name} {year}" if self.language == "de" else f"{int(day)} {name} {year}"
        if clock is None:
            return text
        return f"{text}, {clock} {'UTC' if zone == 'Z' else zone or ''}".rstrip()


def sentence(label: str) -> str:
    """Return a label with a capital in front, unless its case carries meaning.

    >>> sentence("fire class"), sentence("pH value"), sentence("CAS-Nummer")
    ('Fire class', 'pH value', 'CAS-Nummer')
    """
    return label[:1].upper() + label[1:] if label[1:2].islower() else label


def _words() -> Mapping[str, Labels]:
    with _WORDS.open(encoding="utf-8", newline="") as table:
        return {row["key"]: Labels(row["en"], row["de"]) for row in csv.DictReader(table)}
