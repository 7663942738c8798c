"""The formats a query can be answered in, and the choice among them from an Accept header."""

from dataclasses import dataclass

from battpass.kg.dataset.guard import QueryForm
from battpass.kg.errors import NotAcceptable


@dataclass(frozen=True, slots=True)
class ResultFormat:
    """A format under one of its media types; `name` is the short one that the command line uses."""

    name: str
    media_type: str


# In order of preference: the first is the answer to `*/*`, and wins among equal weights.
BINDINGS = (
    ResultFormat("json", "application/sparql-results+json"),
    ResultFormat("json", "application/json"),
    ResultFormat("xml", "application/sparql-results+xml"),
    ResultFormat("csv", "text/csv"),
    ResultFormat("tsv", "text/tab-separated-values"),
    ResultFormat("xml", "application/xml"),
    ResultFormat("xml", "text/xml"),
)
GRAPHS = (
    ResultFormat("turtle", "text/turtle"),
    ResultFormat("ntriples", "application/n-triples"),
    ResultFormat("nquads", "application/n-quads"),
    ResultFormat("jsonld", "application/ld+json"),
    ResultFormat("rdfxml", "application/rdf+xml"),
    ResultFormat("jsonld", "application/json"),
    ResultFormat("rdfxml", "application/xml"),
    ResultFormat("turtle", "text/plain"),
)

_LONGEST_ACCEPT = 4_096


def offers(form: QueryForm) -> tuple[ResultFormat, ...]:
    """Return the formats for one form of query, the preferred one first."""
    return BINDINGS if form in (QueryForm.SELECT, QueryForm.ASK) else GRAPHS


def negotiate(accept: str | None, form: QueryForm) -> ResultFormat:
    """Return the best format for a query form, by an Accept header (RFC 9110) or a short name such as `csv`.

    The most specific range decides the weight of a format; among equal weights the order of `offers` does.

    >>> negotiate("text/csv;q=0.5, application/sparql-results+xml", QueryForm.SELECT).name
    'xml'
    >>> negotiate("text/turtle, */*;q=0.1", QueryForm.ASK).name
    'json'

    Raises
    ------
    NotAcceptable
        If every format on offer has weight 0.
    """
    offered = offers(form)
    if accept is None or not accept.strip():
        return offered[0]
    for candidate in offered:
        if accept == candidate.name:
            return candidate
    ranges = _ranges(accept[:_LONGEST_ACCEPT])
    best = max(offered, key=lambda candidate: _weight(candidate.media_type, ranges))
    if _weight(best.media_type, ranges) > 0:
        return best
    choice = ", ".join(f"{one.media_type} ({one.name})" for one in _by_name(offered))
    raise NotAcceptable(
        f"A {form.upper()} query cannot be answered as {accept[:100]}. Ask for one of {choice}."
    )


def _by_name(offered: tuple[ResultFormat, ...]) -> list[ResultFormat]:
    first: dict[str, ResultFormat] = {}
    for one in offered:
        first.setdefault(one.name, one)
    return list(first.values())


def _ranges(accept: str) -> dict[str, float]:
    ranges: dict[str, float] = {}
    for part in accept.lower().split(","):
        media_range, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                weight = _quality(value.strip())
        ranges[media_range] = max(weight, ranges.get(media_range, 0.0))
    return ranges


def _quality(text: str) -> float:
    """Return a q-value; what is none counts as 0, so that a garbled range is never preferred."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0


def _weight(media_type: str, ranges: dict[str, float]) -> float:
    kind = media_type.partition("/")[0]
    for media_range in (media_type, f"{kind}/*", "*/*"):
        if media_range in ranges:
            return ranges[media_range]
    return 0.0
