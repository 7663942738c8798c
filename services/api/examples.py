"""The example questions of the query page: those of `examples/queries` that public data can answer."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from battpass.kg.graphs import AccessClass
from battpass.kg.namespaces import BP, expand
from battpass.services.api.lexicon import Lexicon

# `battpass/services` may be a link to `services`; either way the folder of examples lies beside it.
_QUERIES = Path(__file__).resolve().parents[2] / "examples" / "queries"
_TERM = re.compile(r"\bbp:(\w+)")


@dataclass(frozen=True, slots=True)
class Example:
    """A question in words, and the query that answers it."""

    name: str
    question: str
    text: str


def load_examples(lexicon: Lexicon, folder: Path = _QUERIES) -> tuple[Example, ...]:
    """Return the examples that ask for nothing but public data, by name."""
    hidden = _hidden(lexicon)
    found = [_example(path) for path in sorted(folder.glob("*.rq"))]
    return tuple(one for one in found if not hidden & {BP + name for name in _TERM.findall(one.text)})


def _example(path: Path) -> Example:
    text = path.read_text(encoding="utf-8")
    question, _, query = text.partition("\n")
    return Example(path.stem, question.lstrip("# "), query.strip())


def _hidden(lexicon: Lexicon) -> set[str]:
    """Return the properties that only other audiences have values of."""
    attributes = lexicon.attributes.values()
    public = {iri for one in attributes if one.access == AccessClass.PUBLIC for iri in one.path.properties}
    hidden = {iri for one in attributes if one.access != AccessClass.PUBLIC for iri in one.path.properties}
    kinds = [kind for kind in lexicon.quantities.values() if kind.nature == "measured"]
    hidden |= {iri for kind in kinds for iri in (kind.link_iri, kind.compact_iri)}
    hidden |= _links_of(hidden, lexicon)
    return hidden - public


def _links_of(compact: Iterable[str], lexicon: Lexicon) -> set[str]:
    wanted = set(compact)
    return {kind.link_iri for kind in lexicon.quantities.values() if kind.compact_iri in wanted} | {
        expand("bp:validAt")
    }
