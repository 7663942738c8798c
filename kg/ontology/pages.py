"""The page about the attributes, `docs/attributes.md`, written from the tables.

The tables are the source; a test holds that the page is what they give. After a table has changed:

    python -m battpass.kg.ontology.pages services/exchange/battery_pass.csv docs/attributes.md
"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import ascii_lowercase

from battpass.kg.attributes import Attribute, load_attributes
from battpass.kg.concepts import ConceptTable
from battpass.kg.mapping.table import Place, Rule, read_mapping
from battpass.kg.namespaces import shorten
from battpass.kg.obligations import Bindingness, Category, Obligation, Obligations
from battpass.kg.ontology.units import UnitTable
from battpass.kg.validation.obligations import SUBMODELS

_SUBSTANCE = re.compile(r"chemsub:\w+")
_SUMMARY = "| no. | attribute | of | graph | unit | EV | LMT | industrial | stationary |"


def attributes_page(
    attributes: Mapping[str, Attribute], obligations: Obligations, places: Mapping[str, tuple[str, ...]]
) -> str:
    """Return the page; `places` are the places of each attribute in `battery_pass`."""
    duties = _Duties(obligations)
    units = UnitTable.load()
    sections: list[str] = []
    for submodel, title in SUBMODELS.items():
        members = [attribute for attribute in attributes.values() if attribute.submodel == submodel]
        if members:
            sections += _section(title.en, members, duties, units, places)
    head = _HEAD.format(count=len(attributes))
    return "\n".join([head, *sections, *duties.legend()]) + "\n"


def places_of_attributes(table: Place) -> dict[str, tuple[str, ...]]:
    """Return where a partner format holds each attribute, from its mapping table."""
    found: dict[str, list[str]] = {}
    for rule in _rules(table):
        for name in rule.attributes:
            found.setdefault(name, []).append(rule.path)
    return {name: tuple(paths) for name, paths in found.items()}


def write(table: Path, page: Path) -> None:
    """Write the page anew from the installed tables and the mapping table of a partner format."""
    attributes = load_attributes()
    text = attributes_page(
        attributes, Obligations.load(attributes=attributes), places_of_attributes(read_mapping(table))
    )
    page.write_text(text, encoding="utf-8", newline="\n")


def _section(
    title: str,
    members: list[Attribute],
    duties: "_Duties",
    units: UnitTable,
    places: Mapping[str, tuple[str, ...]],
) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield _SUMMARY
    yield re.sub(r"[^|]+", "---", _SUMMARY)
    for attribute in members:
        symbol = units.unit(attribute.unit).symbol if attribute.unit else ""
        owed = " | ".join(duties.cell(attribute.name, category) for category in Category)
        yield (
            f"| {attribute.number} | {attribute.labels.en}<br>*{attribute.labels.de}* | {attribute.subject} "
            f"| {attribute.access} | {symbol} | {owed} |"
        )
    yield ""
    for attribute in members:
        yield from _entry(attribute, places.get(attribute.name, ()))


def _entry(attribute: Attribute, places: tuple[str, ...]) -> Iterator[str]:
    """Yield what is too long for the table; each way to ask is a pattern that can stand in a query."""
    yield f"- **{attribute.number} {attribute.labels.en}**: {attribute.definitions.en}"
    yield f"  - ask `?{attribute.subject} {attribute.path.text} ?value`"
    if attribute.nearest:
        yield f"  - coarser `?{attribute.subject} {attribute.nearest.text} ?value`"
    written = ", ".join(f"`{place}`" for place in places) or "no place; as RDF, in a supplement"
    yield f"  - battery_pass: {written}"


class _Duties:
    """Puts duties into a few words, and collects what those words stand for.

    What all duties of a category have as their first condition is said once, at the end of the page.
    """

    def __init__(self, obligations: Obligations) -> None:
        self._obligations = obligations
        self._shared = {category: _shared(obligations.for_category(category)) for category in Category}
        self._conditions: dict[str, str] = {}
        self._acts: dict[str, int] = {}
        self._substances = {shorten(one.match): one.labels.en for one in ConceptTable.load() if one.match}

    def cell(self, attribute: str, category: Category) -> str:
        """Return what an attribute is for a category: a date, voluntary, or a dash."""
        obligation = self._obligations.of(attribute, category)
        if obligation is None or obligation.bindingness is Bindingness.NONE:
            return "–"
        words = ["voluntary"]
        if obligation.bindingness is Bindingness.MANDATORY:
            words = [obligation.applies_from.isoformat()] if obligation.applies_from else ["open"]
        if obligation.awaits:
            number = self._acts.setdefault(obligation.awaits, len(self._acts) + 1)
            words.append(f"at the earliest ({number})")
        if condition := self._own_condition(obligation):
            letter = self._conditions.setdefault(condition, _letter(len(self._conditions)))
            words.append(f"if {letter}")
        return " ".join(words)

    def legend(self) -> Iterator[str]:
        """Yield what the numbers and letters of the cells stand for."""
        yield "\n## Acts that duties wait for\n"
        for act, number in self._acts.items():
            yield f"{number}. {act}"
        yield "\n## Conditions of duties\n"
        for category, condition in self._shared.items():
            if condition:
                yield f"- every duty of the category {category}: `{condition}`"
        for condition, letter in self._conditions.items():
            yield f"- {letter}: `{self._readable(condition)}`"

    def _own_condition(self, obligation: Obligation) -> str:
        text = obligation.condition.text
        shared = self._shared[obligation.category]
        if shared and text.startswith(shared):
            text = text.removeprefix(shared).removeprefix(" and ")
            if text.startswith("(") and text.endswith(")"):
                text = text[1:-1]
        return text

    def _readable(self, condition: str) -> str:
        """Return a condition with the substances by their labels."""
        return _SUBSTANCE.sub(lambda match: self._substances.get(match[0], match[0]), condition)


def _shared(owed: Iterable[Obligation]) -> str:
    """Return the first condition of all duties, or nothing where they have none in common."""
    firsts = {
        obligation.condition.text.partition(" and ")[0]
        for obligation in owed
        if obligation.bindingness is Bindingness.MANDATORY
    }
    return firsts.pop() if len(firsts) == 1 else ""


def _letter(number: int) -> str:
    """Return a, b, ... z, aa, bb, ... for 0, 1, ..."""
    return ascii_lowercase[number % 26] * (number // 26 + 1)


def _rules(place: Place) -> Iterator[Rule]:
    if place.rule is not None:
        yield place.rule
    for inner in [*place.members.values(), *([place.items] if place.items else [])]:
        yield from _rules(inner)


_HEAD = """\
# Attributes

The {count} attributes of a battery passport after DIN DKE SPEC 99100, as they stand in the tables
`ontology/attributes.csv` and `ontology/obligations.csv`. This page is written from them:

```text
python -m battpass.kg.ontology.pages services/exchange/battery_pass.csv docs/attributes.md
```

**Of** says what carries the attribute: the passport, the one battery, or the model that it shares with
others of its kind. **Graph** is the access class, which decides who may read it: `public` anybody, `interest`
and `item` whoever has a legitimate interest, `authority` the authorities (see [the graph](graph.md)).

A **date** is the first day on which a category must give the attribute; *at the earliest* says that an act
has yet to be adopted, numbered below; *if* names a condition by its letter. A duty that has not begun, or
whose condition does not hold, is advice (see [validation](validation.md)).

**Ask** is a pattern for a SPARQL query; its subject is what carries the attribute. A **coarser** one finds
what partners state of the same thing with less detail. The places in `battery_pass` are those from which
the attribute, or its coarser statement, is read.

Labels, definitions, alignment and duties are data in every dataset too: `bp:<name>` is a property with
`bp:path`, and each duty a `bp:Obligation`."""


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
