"""`/sparql`: the SPARQL 1.1 Protocol for reading, its service description, and a page to ask from."""

import re
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize
from starlette.requests import Request
from starlette.responses import Response

from battpass.kg.dataset.answers import Answer
from battpass.kg.dataset.formats import BINDINGS, GRAPHS
from battpass.kg.dataset.guard import QueryForm, form_of
from battpass.kg.errors import BattPassError
from battpass.kg.home.queries import Queries
from battpass.kg.namespaces import PREFIXES
from battpass.services.api import problems, protocol
from battpass.services.api.bodies import problems as described
from battpass.services.api.negotiation import prefers_html, weights
from battpass.services.api.site import Site
from battpass.services.api.stream import Stream
from battpass.services.api.tabular import MOST_BYTES, Rows, first_rows

_TYPES = tuple({one.media_type for one in (*BINDINGS, *GRAPHS)})
_DESCRIPTIONS = {
    "text/turtle": RdfFormat.TURTLE,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/rdf+xml": RdfFormat.RDF_XML,
    "application/ld+json": RdfFormat.JSON_LD,
}
_FIRST_QUERY = "SELECT * WHERE { ?passport a bp:BatteryPassport } LIMIT 10"
_SD = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS = "http://www.w3.org/ns/formats/"
_RESULT_FORMATS = (
    "SPARQL_Results_JSON",
    "SPARQL_Results_XML",
    "SPARQL_Results_CSV",
    "SPARQL_Results_TSV",
    "Turtle",
    "N-Triples",
    "JSON-LD",
    "RDF_XML",
)
_MIN_SEQUENCE = {
    "name": "Min-Sequence",
    "in": "header",
    "required": False,
    "schema": {"type": "integer", "minimum": 0},
    "description": "the Sequence of a write that the answer is to know of",
}
_PARAMETERS = [
    {
        "name": "query",
        "in": "query",
        "required": False,
        "schema": {"type": "string"},
        "description": "without it: a page to ask from, or the service description",
        "example": _FIRST_QUERY,
    },
    *(
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": {"type": "array", "items": {"type": "string"}},
            "description": "instead of the union of all graphs",
        }
        for name in ("default-graph-uri", "named-graph-uri")
    ),
    {
        "name": "format",
        "in": "query",
        "required": False,
        "schema": {"type": "string"},
        "description": "short name of a format; wins over the header",
    },
]
_BODY = {
    "required": True,
    "content": {
        protocol.QUERY: {"schema": {"type": "string"}, "example": _FIRST_QUERY},
        protocol.FORM: {
            "schema": {"type": "object", "required": ["query"], "properties": {"query": {"type": "string"}}}
        },
    },
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, as a stream",
        "content": {one: {"schema": {"type": "string"}} for one in sorted({*_TYPES, "text/html"})},
        "headers": {
            "Sequence": {"schema": {"type": "integer"}, "description": "entry of the journal that it shows"}
        },
    },
    **described(
        "bad-request",
        "query-refused",
        "bad-query",
        "update-refused",
        "unauthorized",
        "not-acceptable",
        "too-many-requests",
        "busy",
        "not-ready",
        "query-failed",
        "keys-unusable",
        "deadline-exceeded",
        "not-shown-yet",
    ),
}
_BODY_PROBLEMS = described("body-too-slow", "body-too-large", "unsupported-media-type")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the page shows of an answer: rows, a graph as Turtle, or yes and no."""

    rows: Rows | None = None
    graph: str = ""
    truth: bool | None = None
    cut: bool = False


def sparql_router(site: Site) -> APIRouter:
    """Return the route `/sparql` of one app."""
    router = APIRouter(tags=["SPARQL"])

    @router.get(
        "/sparql",
        summary="SPARQL queries over what the caller may see",
        response_class=Response,
        responses=_ANSWERS,
        openapi_extra={"parameters": [*_PARAMETERS, _MIN_SEQUENCE]},
    )
    @router.post(
        "/sparql",
        summary="SPARQL queries over what the caller may see",
        response_class=Response,
        responses={**_ANSWERS, **_BODY_PROBLEMS},
        openapi_extra={"parameters": [_MIN_SEQUENCE], "requestBody": _BODY},
    )
    async def sparql(request: Request) -> Response:
        """The SPARQL 1.1 Protocol: `query` in the address, in a form or as the body.

        `Min-Sequence` waits until the dataset shows that entry of the journal; `Sequence` says what it shows.
        """
        client = await site.client(request)
        request.state.shown = site.home.shown(client.caller.audience)
        asked = await protocol.read(request, site.settings.max_body_bytes)
        sequence = min_sequence(request.headers.get("min-sequence"))
        accept = request.headers.get("accept")
        is_page = asked.format is None and prefers_html(accept, _TYPES)
        if asked.query is None:
            return _front(site, request, is_page)
        if is_page:
            return await _result_page(site, request, asked, sequence)
        answer, place = await site.ask(
            request,
            lambda queries, seconds: _ask(queries, asked, asked.format or accept, seconds),
            sequence,
        )
        headers = {"Vary": "Accept", "Cache-Control": "no-cache", **problems.shown_in(request)}
        return Stream(answer, answer.media_type, site.sending, site.log, headers, place.give_back)

    return router


def min_sequence(header: str | None) -> int:
    """Return the number of a Min-Sequence header, 0 where there is none.

    Raises
    ------
    BadRequest
        If it is no such number.
    """
    if header is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,18}", header.strip()):
        raise problems.BadRequest(
            f"Min-Sequence is {header[:40]!r}. Send the number that the Sequence header of a write has."
        )
    return int(header)


def _ask(queries: Queries, asked: protocol.Asked, accept: str | None, seconds: float) -> Answer:
    return queries.query(
        asked.query or "",
        accept,
        seconds,
        default_graphs=asked.default_graphs,
        named_graphs=asked.named_graphs,
    )


def _front(site: Site, request: Request, is_page: bool) -> Response:
    """Answer a GET without a query: the page for a browser, the service description for who names RDF."""
    if is_page:
        chosen = request.query_params.get("example", "")
        texts = {one.name: one.text for one in site.examples}
        text = texts.get(chosen) or next(iter(texts.values()), _FIRST_QUERY)
        page = site.page(
            request, "sparql.html", query=text, examples=site.examples, outcome=None, problem=None
        )
        page.headers.update(problems.shown_in(request))
        return page
    ranges = weights(request.headers.get("accept"))
    named = max(_DESCRIPTIONS, key=lambda one: ranges.get(one, 0.0))
    if ranges.get(named, 0.0) <= 0:
        raise protocol.no_query()
    address = str(request.url.replace(query=""))
    prefixes = {"sd": _SD, "dcterms": PREFIXES["dcterms"]}
    described = serialize(service_description(address), format=_DESCRIPTIONS[named], prefixes=prefixes)
    return Response(described, media_type=named, headers={"Vary": "Accept", **problems.shown_in(request)})


async def _result_page(site: Site, request: Request, asked: protocol.Asked, sequence: int) -> Response:
    problem, outcome, status = None, None, 200
    headers: dict[str, str] = {}
    try:
        outcome, place = await site.ask(
            request, lambda queries, seconds: _outcome(queries, asked, seconds), sequence
        )
        place.give_back()
    except BattPassError as error:
        problem, status = problems.told(error), problems.problem_of(error).status
        headers = problems.headers_of(error)
        if reason := problems.reason_of(error):
            request.state.reason = reason
    page = site.page(
        request,
        "sparql.html",
        status,
        query=asked.query,
        examples=site.examples,
        outcome=outcome,
        problem=problem,
    )
    page.headers.update({**headers, **problems.shown_in(request)})
    return page


def _outcome(queries: Queries, asked: protocol.Asked, seconds: float) -> Outcome:
    """Run a query and keep as much of its answer as a page shows."""
    form = form_of(asked.query or "")
    is_graph = form in (QueryForm.CONSTRUCT, QueryForm.DESCRIBE)
    with _ask(queries, asked, "turtle" if is_graph else "tsv", seconds) as answer:
        if form == QueryForm.ASK:
            return Outcome(truth=answer.read().strip() == b"true")
        if not is_graph:
            return Outcome(rows=first_rows(answer))
        held = bytearray()
        for piece in answer:
            held += piece
            if len(held) > MOST_BYTES:
                break
        return Outcome(graph=held[:MOST_BYTES].decode("utf-8", "replace"), cut=len(held) > MOST_BYTES)


def service_description(address: str) -> list[Triple]:
    """Return what the endpoint says of itself, in the terms of SPARQL 1.1 Service Description."""
    service, dataset, graph = NamedNode(address), BlankNode("dataset"), BlankNode("graph")
    is_a = NamedNode(PREFIXES["rdf"] + "type")
    return [
        Triple(service, is_a, NamedNode(_SD + "Service")),
        Triple(service, NamedNode(_SD + "endpoint"), service),
        Triple(service, NamedNode(_SD + "supportedLanguage"), NamedNode(_SD + "SPARQL11Query")),
        *(
            Triple(service, NamedNode(_SD + "resultFormat"), NamedNode(_FORMATS + name))
            for name in _RESULT_FORMATS
        ),
        Triple(service, NamedNode(_SD + "feature"), NamedNode(_SD + "UnionDefaultGraph")),
        Triple(service, NamedNode(_SD + "defaultDataset"), dataset),
        Triple(dataset, is_a, NamedNode(_SD + "Dataset")),
        Triple(dataset, NamedNode(_SD + "defaultGraph"), graph),
        Triple(graph, is_a, NamedNode(_SD + "Graph")),
        Triple(
            graph,
            NamedNode(PREFIXES["dcterms"] + "title"),
            Literal(
                "As much of the battery passports as the caller may see, and the vocabulary", language="en"
            ),
        ),
    ]
