"""Terms by label: those of our own vocabulary, and the foreign ones that the term lock pins."""

from collections import defaultdict
from dataclasses import asdict, dataclass

from pyoxigraph import Literal, NamedNode

from battpass.kg.namespaces import BP, PREFIXES, shorten
from battpass.kg.ontology.lock import TermLock, best
from battpass.kg.ontology.vocabulary import vocabulary_triples

LABELS = (PREFIXES["rdfs"] + "label", PREFIXES["skos"] + "prefLabel", PREFIXES["skos"] + "altLabel")
DEFINITION = PREFIXES["skos"] + "definition"
OWN = "own"


@dataclass(frozen=True, slots=True)
class Entry:
    """One term; `status` is `own`, or that of the term lock; `german` is empty where none is known."""

    iri: str
    curie: str
    label: str
    german: str
    status: str
    source: str
    definition: str

    def as_dict(self) -> dict[str, str]:
        """Return the entry for JSON."""
        return asdict(self)


def search(text: str) -> list[Entry]:
    """Return the terms whose label (English or German) or prefixed name holds all words, the best first."""
    return best(text, ((entry, _names(entry)) for entry in glossary()))


def glossary() -> list[Entry]:
    """Return all own and all locked terms, each once."""
    labels: dict[str, list[Literal]] = defaultdict(list)
    definitions: dict[str, list[Literal]] = defaultdict(list)
    for triple in vocabulary_triples():
        if isinstance(triple.subject, NamedNode) and isinstance(triple.object, Literal):
            if triple.predicate.value in LABELS:
                labels[triple.subject.value].append(triple.object)
            elif triple.predicate.value == DEFINITION:
                definitions[triple.subject.value].append(triple.object)
    own = [
        Entry(
            iri,
            shorten(iri),
            _in(labels[iri], "en"),
            _in(labels[iri], "de", only=True),
            OWN,
            "BattPass",
            _in(definitions[iri], "en"),
        )
        for iri in sorted(labels)
        if iri.startswith(BP)
    ]
    foreign = [
        Entry(
            term.iri,
            term.curie,
            term.label,
            "",
            str(term.status),
            f"{term.source} {term.version}".strip(),
            _in(definitions[term.iri], "en"),
        )
        for term in TermLock.load()
    ]
    return own + foreign


def _names(entry: Entry) -> tuple[str, ...]:
    return tuple(filter(None, (entry.label, entry.german, entry.curie, entry.iri)))


def _in(texts: list[Literal], language: str, *, only: bool = False) -> str:
    found = [text.value for text in texts if text.language == language]
    return found[0] if found else "" if only or not texts else texts[0].value
