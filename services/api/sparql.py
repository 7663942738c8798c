"""`/sparql`: the SPARQL 1.1 Protocol for reading, its service description, and a page to ask from."""

from dataclasses import dataclass

from fastapi import APIRouter
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, serialize
from starlette.requests import Request
from starlette.responses import Response

from battpass.kg.dataset.answers import Answer
from battpass.kg.dataset.formats import BINDINGS, GRAPHS
from battpass.kg.dataset.guard import QueryForm, form_of
from battpass.kg.errors import BattPassError
from battpass.kg.home.home import Queries
from battpass.kg.namespaces import PREFIXES
from battpass.services.api import problems, protocol
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

    @router.get("/sparql", summary="SPARQL queries over the public graph")
    @router.post("/sparql", summary="SPARQL queries over the public graph")
    async def sparql(request: Request) -> Response:
        """`query` in the address, in a form or as body; `default-graph-uri`, `named-graph-uri`, `format`."""
        asked = await protocol.read(request, site.settings.max_body_bytes)
        accept = request.headers.get("accept")
        is_page = asked.format is None and prefers_html(accept, _TYPES)
        if asked.query is None:
            return _front(site, request, is_page)
        if is_page:
            return await _result_page(site, request, asked)
        answer = await site.ask(lambda queries: _ask(site, queries, asked, asked.format or accept))
        return Stream(
            answer, answer.media_type, site.sending, site.log, {"Vary": "Accept", "Cache-Control": "no-cache"}
        )

    return router


def _ask(site: Site, queries: Queries, asked: protocol.Asked, accept: str | None) -> Answer:
    return queries.query(
        asked.query or "",
        accept,
        site.settings.query_deadline_seconds,
        default_graphs=asked.default_graphs,
        named_graphs=asked.named_graphs,
    )


def _front(site: Site, request: Request, is_page: bool) -> Response:
    """Answer a GET without a query: the page for a browser, the service description for who names RDF."""
    if is_page:
        chosen = request.query_params.get("example", "")
        texts = {one.name: one.text for one in site.examples}
        text = texts.get(chosen) or next(iter(texts.values()), _FIRST_QUERY)
        return site.page(
            request, "sparql.html", query=text, examples=site.examples, outcome=None, problem=None
        )
    ranges = weights(request.headers.get("accept"))
    named = max(_DESCRIPTIONS, key=lambda one: ranges.get(one, 0.0))
    if ranges.get(named, 0.0) <= 0:
        raise protocol.no_query()
    address = str(request.url.replace(query=""))
    prefixes = {"sd": _SD, "dcterms": PREFIXES["dcterms"]}
    described = serialize(service_description(address), format=_DESCRIPTIONS[named], prefixes=prefixes)
    return Response(described, media_type=named, headers={"Vary": "Accept"})


async def _result_page(site: Site, request: Request, asked: protocol.Asked) -> Response:
    problem, outcome, status = None, None, 200
    try:
        outcome = await site.ask(lambda queries: _outcome(site, queries, asked))
    except BattPassError as error:
        problem, status = problems.told(error), problems.problem_of(error).status
    return site.page(
        request,
        "sparql.html",
        status,
        query=asked.query,
        examples=site.examples,
        outcome=outcome,
        problem=problem,
    )


def _outcome(site: Site, queries: Queries, asked: protocol.Asked) -> Outcome:
    """Run a query and keep as much of its answer as a page shows."""
    form = form_of(asked.query or "")
    is_graph = form in (QueryForm.CONSTRUCT, QueryForm.DESCRIBE)
    with _ask(site, queries, asked, "turtle" if is_graph else "tsv") as answer:
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
            Literal("Public part of the battery passports, and the vocabulary", language="en"),
        ),
    ]
