"""One value of a passport as a page shows it: numbers with units, days, labels, documents as links."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Index, Term
from battpass.kg.literals import BOOLEAN, DATE, DATE_TIME, DECIMAL, INTEGER, decimal_of
from battpass.kg.namespaces import expand, shorten
from battpass.kg.paths import Path
from battpass.kg.quantity import (
    HAS_MEASUREMENT_UNIT,
    HAS_NUMBER_VALUE,
    HAS_NUMERICAL_PART,
    STATED_UNIT,
    VALID_AT,
)
from battpass.services.api.lexicon import Speech

SCHEMES = ("http", "https", "mailto")

_TYPE = expand("rdf:type")
_DOCUMENT = NamedNode(expand("foaf:Document"))
_POSITION = expand("bp:position")
_NAME, _URL, _FORMAT = expand("schema:name"), expand("schema:url"), expand("dcterms:format")
_IDENTIFIER = expand("schema:identifier")
_LONG_WORD = 24


@dataclass(frozen=True, slots=True)
class Value:
    """One value as it is shown.

    `kind` is `text`, `number`, `time`, `code` or `document`; `href` is set for documents only, and only to
    the schemes of `SCHEMES`. `machine` is the same for programs: an ISO date, a prefixed name.
    """

    text: str
    kind: str = "text"
    unit: str = ""
    href: str = ""
    note: str = ""
    machine: str = ""


class Showing:
    """Turns the terms of one passport into values, in one language."""

    def __init__(self, index: Index, speech: Speech) -> None:
        self.index = index
        self.speech = speech
        # The compact literal has no unit beside it; the node that goes with it has.
        self._links = {kind.compact_iri: kind.link_iri for kind in speech.lexicon.quantities.values()}

    def along(self, start: str, path: Path) -> tuple[Value, ...]:
        """Return the values that a path leads to, lists in their order."""
        return self.all(self.reach(start, path))

    def reach(self, start: str, path: Path) -> list[Term]:
        """Return what a path leads to: a quantity, not its bare number; a document, not its address."""
        found: list[Term] = []
        for route in path.routes:
            here: list[Term] = [NamedNode(start)]
            for step in route[:-1] if len(route) > 1 and route[-1] == _URL else route:
                subjects = [node.value for node in here if isinstance(node, NamedNode)]
                here = [term for subject in subjects for term in self.ordered(subject, step)]
            found += here
        return list(dict.fromkeys(found))

    def ordered(self, subject: str, iri: str) -> list[Term]:
        """Return the objects of a property, list items by their position."""
        return sorted(self.index.objects(subject, self._links.get(iri, iri)), key=self._position)

    def all(self, terms: Iterable[Term]) -> tuple[Value, ...]:
        """Return the values of terms, each once."""
        return tuple(dict.fromkeys(value for term in terms if (value := self.value(term)) is not None))

    def value(self, term: Term) -> Value | None:
        """Return the value of a term; None for what has nothing to show."""
        if isinstance(term, Literal):
            return self._literal(term)
        if not isinstance(term, NamedNode):
            return None
        index, iri = self.index, term.value
        if index.one(iri, HAS_NUMERICAL_PART.value) is not None:
            return self._quantity(iri)
        if self.is_document(term) or index.one(iri, _URL) is not None:
            return self._document(iri)
        if self.speech.has(iri):
            return Value(self.speech.term(iri), machine=shorten(iri))
        name, identifier = index.text(iri, _NAME), index.text(iri, _IDENTIFIER)
        if name or identifier:
            return Value(name or identifier or "", note=(identifier or "") if name else "")
        return Value(shorten(iri), kind="code", machine=iri)

    def is_document(self, term: Term) -> bool:
        """Return whether a term is a document."""
        return isinstance(term, NamedNode) and _DOCUMENT in self.index.objects(term.value, _TYPE)

    def _position(self, term: Term) -> Decimal:
        lexical = self.index.text(term.value, _POSITION) if isinstance(term, NamedNode) else None
        return (decimal_of(lexical) if lexical else None) or Decimal(0)

    def _literal(self, term: Literal) -> Value:
        datatype, lexical = term.datatype, term.value
        if datatype in (DECIMAL, INTEGER) and (number := decimal_of(lexical)) is not None:
            return Value(self.speech.number(number), kind="number")
        if datatype in (DATE, DATE_TIME):
            return Value(self.speech.day(lexical), kind="time", machine=lexical)
        if datatype == BOOLEAN:
            return Value(self.speech.say("passport.yes" if lexical == "true" else "passport.no"))
        is_code = max(map(len, lexical.split()), default=0) > _LONG_WORD
        return Value(lexical, kind="code" if is_code else "text")

    def _quantity(self, iri: str) -> Value | None:
        """Return a quantity in the unit that it was stated in, with the time at which it was measured."""
        index, units = self.index, self.speech.lexicon.units
        value_node = index.text(iri, HAS_NUMERICAL_PART.value)
        lexical = index.text(value_node, HAS_NUMBER_VALUE.value) if value_node else None
        number = decimal_of(lexical) if lexical else None
        unit = index.text(iri, HAS_MEASUREMENT_UNIT.value)
        if number is None or unit is None:
            return None
        curie, stated = shorten(unit), index.text(iri, STATED_UNIT.value)
        if stated:
            number, curie = units.convert(number, curie, shorten(stated)), shorten(stated)
        moment = index.text(iri, VALID_AT.value)
        note = self.speech.say("passport.valid", time=self.speech.day(moment)) if moment else ""
        return Value(self.speech.number(number), "number", self.speech.unit(curie), note=note)

    def _document(self, iri: str) -> Value:
        index = self.index
        address = index.text(iri, _URL) or ""
        name = index.text(iri, _NAME) or address
        href = link_of(address)
        if not href:
            return Value(name, kind="document", note=address if address != name else "")
        parts = urlsplit(href)
        media = (index.text(iri, _FORMAT) or "").rpartition("/")[2].partition("+")[0]
        return Value(
            name, "document", href=href, note=", ".join(filter(None, (parts.hostname or parts.path, media)))
        )


def link_of(address: str) -> str:
    """Return an address that a page may link to, or an empty text.

    >>> link_of("https://example.org/a"), link_of("javascript:alert(1)"), link_of("//example.org")
    ('https://example.org/a', '', '')
    """
    if not address.isprintable() or " " in address:
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    scheme = parts.scheme.lower()
    return address if scheme in SCHEMES and (scheme == "mailto" or parts.hostname) else ""
