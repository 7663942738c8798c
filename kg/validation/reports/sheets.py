"""A report as people read it, in one language: what texts and pages are made from."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from battpass.kg.tables import Labels
from battpass.kg.validation.obligations import SUBMODELS

LANGUAGES = ("en", "de")

# One and many of each severity, and of results with a severity of their author's own.
_COUNTED: Mapping[str, tuple[Labels, Labels]] = {
    "violation": (Labels("violation", "Verstoß"), Labels("violations", "Verstöße")),
    "warning": (Labels("warning", "Warnung"), Labels("warnings", "Warnungen")),
    "info": (Labels("piece of advice", "Hinweis"), Labels("pieces of advice", "Hinweise")),
    "other": (Labels("other result", "anderes Ergebnis"), Labels("other results", "andere Ergebnisse")),
}
# The names of severities before each entry; `info` reads so in English since there are reports.
SEVERITIES: Mapping[str, Labels] = {
    "violation": Labels("violation", "Verstoß"),
    "warning": Labels("warning", "Warnung"),
    "info": Labels("info", "Hinweis"),
    "other": Labels("other", "anderes"),
}
WORDS: Mapping[str, Labels] = {
    "found": Labels("found", "ist"),
    "allowed": Labels("allowed", "soll"),
    "closest": Labels("closest", "nahe"),
    "mend": Labels("mend", "Abhilfe"),
    "clause": Labels("clause", "Quelle"),
    "who": Labels("who", "wer"),
    "way": Labels("way", "Weg"),
    "says": Labels("says", "sagt"),
    "wants": Labels("wants", "will"),
    "focus": Labels("focus", "Fokus"),
    "value": Labels("value", "Wert"),
    "by": Labels("by", "nach"),
    "shape": Labels("shape", "Form"),
    "nothing": Labels("nothing found", "nichts gefunden"),
    "held": Labels("held against", "geprüft zum"),
    "no category": Labels("no category with duties", "keine Kategorie mit Pflichten"),
    "conforms": Labels("conforms", "konform"),
    "fails": Labels("does not conform", "nicht konform"),
    "elsewhere": Labels("Other", "Sonstiges"),
    "title": Labels("Validation report", "Prüfbericht"),
    "unread": Labels("not checked", "nicht geprüft"),
    "shapes": Labels("Checked by the shapes", "Geprüft nach den Formen"),
    "untold": Labels("not listed here", "hier nicht aufgeführt"),
}
MENDERS: Mapping[str, Labels] = {
    "model": Labels("the maker of the model", "Hersteller des Modells"),
    "item": Labels("the keeper of the battery's passport", "wer den Pass der Batterie führt"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One result: its severity (`violation`, `warning`, `info`, `other`), what it is about, where, and facts.

    Each fact has a key of `WORDS`.
    """

    severity: str
    title: str
    place: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Entries under one heading."""

    title: str
    entries: tuple[Entry, ...]

    def summary(self, language: str) -> str:
        """Return how many entries of each severity there are."""
        return counted(Counter(entry.severity for entry in self.entries), language)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The report on one document: its name, a headline and a summary, sections, and by which shapes."""

    name: str
    headline: str
    summary: str
    sections: tuple[Section, ...] = ()
    shapes: tuple[str, ...] = ()
    wrong: bool = False


def say(key: str, language: str) -> str:
    """Return a word of reports in a language.

    >>> say("mend", "de")
    'Abhilfe'
    """
    return chosen(WORDS[key], language)


def chosen(labels: Labels, language: str) -> str:
    """Return the label of a language, English for one that is not known."""
    return labels.de if language == "de" else labels.en


def counted(counts: Mapping[str, int], language: str) -> str:
    """Return how many results there are of each severity, the gravest first.

    >>> counted({"info": 2, "violation": 1}, "en")
    '1 violation, 2 pieces of advice'
    """
    parts = [
        f"{counts[name]:,} {chosen(one if counts[name] == 1 else many, language)}"
        for name, (one, many) in _COUNTED.items()
        if counts.get(name)
    ]
    return ", ".join(parts) or say("nothing", language)


def sections(entries: Iterable[tuple[str, Entry]], language: str) -> tuple[Section, ...]:
    """Return entries by sub-model, in the order of the pages of a passport; what is of none comes last."""
    by_submodel: dict[str, list[Entry]] = {name: [] for name in SUBMODELS}
    for submodel, entry in entries:
        by_submodel.setdefault(submodel if submodel in SUBMODELS else "", []).append(entry)
    elsewhere = WORDS["elsewhere"]
    return tuple(
        Section(chosen(SUBMODELS.get(name, elsewhere), language), tuple(found))
        for name, found in by_submodel.items()
        if found
    )
