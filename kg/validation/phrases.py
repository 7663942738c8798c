"""Amounts in words, and what queries say they found, in English and German."""

import re
from collections.abc import Mapping

from battpass.kg.ontology.units import Unit
from battpass.kg.tables import Labels

# Units whose symbols mean little to people, after a number and by themselves.
_WORDS: Mapping[str, Labels] = {
    "bp:Month": Labels("months", "Monate"),
    "emmo:Year": Labels("years", "Jahre"),
    "bp:PercentPerMonth": Labels("% per month", "% je Monat"),
    "echem:AmperePerAmpereHour": Labels("C", "C"),
    "emmo:EMMO_5ebd5e01_0ed3_49a2_a30d_cd05cbe72978": Labels("", ""),
}
_COUNT = Labels("a count", "eine Anzahl")

# Queries say in English what they found: numbers, symbols, and these phrases in between.
_PHRASES = tuple(
    (re.compile(english), german)
    for english, german in (
        (r"^nothing, with (\S+) % of cadmium$", r"nichts, bei \1 % Cadmium"),
        (r"^nothing, with (\S+) % of lead$", r"nichts, bei \1 % Blei"),
        (r", while (.+) are (.+)$", r", während \1 \2 ergeben"),
        (r", with (.+) left of (.+)$", r", bei noch \1 von \2"),
        (r", with (.+) after (.+)$", r", bei \1 nach \2"),
        (r", with a warranty of (\S+) months$", r", bei einer Garantie von \1 Monaten"),
        (r", with a threshold of ", ", bei einer Schwelle von "),
        (r", with a capability of ", ", bei einer Fähigkeit von "),
        (r" from the stages, (\S+) for the whole$", r" aus den Phasen, \1 für das Ganze"),
        (r", outside (\S+) to ", r", außerhalb von \1 bis "),
        (r", but issued ", ", aber ausgestellt am "),
        (r", but made on ", ", aber hergestellt am "),
        (r" minutes, made on ", " Minuten, hergestellt am "),
        (r" over (\S+) cycles of ", r" über \1 Zyklen von "),
        (r" in (\S+) cycles of ", r" in \1 Zyklen von "),
        (r" % in all$", " % insgesamt"),
        (r" per month\b", " je Monat"),
        (r" at ", " bei "),
        (r" and ", " und "),
        (r" for ", " für "),
        (r" of ", " von "),
        (r" days$", " Tage"),
        (r" hours$", " Stunden"),
        (r" months$", " Monate"),
        (r" years\b", " Jahre"),
    )
)
# A number or nothing comes first in what a query says; anything else is somebody's own text.
_SAID = re.compile(r"-?\d|nothing, with ")


def unit_in_words(unit: Unit) -> Labels:
    """Return a unit by itself: its symbol, or what people call it."""
    words = _WORDS.get(unit.curie)
    return Labels(unit.symbol, unit.symbol) if words is None else words if words.en else _COUNT


def amount(number: str, unit: Unit) -> Labels:
    """Return a number with its unit.

    >>> from battpass.kg.ontology.units import UnitTable
    >>> amount("96", UnitTable.load().unit("bp:Month")).de
    '96 Monate'
    """
    words = _WORDS.get(unit.curie, Labels(unit.symbol, unit.symbol))
    return Labels(*(f"{number} {word}".strip() for word in words))


def in_german(found: str) -> str:
    """Return what a query says it found, in German; a text of somebody's own as it is.

    >>> in_german("85 kWh of 82.3 kWh")
    '85 kWh von 82.3 kWh'
    """
    if _SAID.match(found) is None:
        return found
    for english, german in _PHRASES:
        found = english.sub(german, found)
    return found
