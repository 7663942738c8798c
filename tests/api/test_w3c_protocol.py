"""The query half of the W3C test suite for the SPARQL 1.1 Protocol, run from its manifest.

Its update half is out of reach by design: this endpoint answers queries only.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store, parse

from battpass.kg.dataset import QueryPool, Walls
from battpass.kg.home import Home
from battpass.kg.home.datasets import Watch
from battpass.kg.index import Index
from battpass.kg.namespaces import PREFIXES
from tests.api.conftest import serving

HT = "http://www.w3.org/2011/http#"
MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
CNT = "http://www.w3.org/2011/content#"
DATA = "http://kasei.us/2009/09/sparql/data/"
FIRST, REST = PREFIXES["rdf"] + "first", PREFIXES["rdf"] + "rest"

NAMES = (
    "query_post_form",
    "query_dataset_default_graphs_get",
    "query_dataset_default_graphs_post",
    "query_dataset_named_graphs_post",
    "query_dataset_named_graphs_get",
    "query_dataset_full",
    "query_multiple_dataset",
    "query_get",
    "query_content_type_select",
    "query_content_type_ask",
    "query_content_type_describe",
    "query_content_type_construct",
    "query_post_direct",
    "bad_query_method",
    "bad_multiple_queries",
    "bad_query_wrong_media_type",
    "bad_query_missing_form_type",
    "bad_query_missing_direct_type",
    "bad_query_non_utf8",
    "bad_query_syntax",
)
# Each must fail; one that starts to pass says so.
DEVIATIONS = {
    "query_content_type_construct": "relative IRIs such as <s> are refused: queries have no base IRI",
}
FORMATS = {
    "tabular": ("application/sparql-results+json", "application/sparql-results+xml", "text/csv"),
    "boolean": ("application/sparql-results+json", "application/sparql-results+xml"),
    "RDF": ("text/turtle", "application/n-triples", "application/rdf+xml"),
}


class SuiteHome(Home):
    """A home whose public dataset holds the graphs of the suite, in sealed processes as any other."""

    suite: Path

    def queries(
        self, audience: str, watch: Watch | None = None, *, workers: int = 2, walls: Walls | None = None
    ) -> QueryPool:
        store = Store()
        for number in (1, 2, 3):
            for quad in parse((self.suite / f"data{number}.nt").read_bytes(), RdfFormat.N_TRIPLES):
                for graph in (NamedNode(f"{DATA}data{number}.rdf"), None):
                    store.add(Quad(*quad.triple, graph))
        assert self.folder is not None
        on_disk = Store(self.folder / "suite")
        on_disk.extend(store)
        on_disk.flush()
        on_disk.backup(self.folder / "snapshot")
        return QueryPool(self.folder / "snapshot", size=workers, walls=walls)


@pytest.fixture(scope="module")
def manifest(shared: Path) -> Index:
    path = shared / "w3c-sparql-tests/sparql11/protocol/manifest.ttl"
    return Index(parse(path.read_bytes(), RdfFormat.TURTLE, base_iri="http://suite.example/manifest"))


@pytest.fixture(scope="module")
def client(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with SuiteHome.open(tmp_path_factory.mktemp("suite"), create=True) as home:
        home.suite = shared / "w3c-sparql-tests/sparql11/protocol"
        with serving(home) as server:
            yield server.client


def members(manifest: Index, head: str) -> Iterator[str]:
    while first := manifest.one(head, FIRST):
        yield str(first) if isinstance(first, BlankNode) else first.value
        rest = manifest.one(head, REST)
        head = str(rest)


def below(manifest: Index, subject: str, predicate: str) -> str:
    return str(manifest.one(subject, predicate) or "")


def texts(manifest: Index, subject: str, predicate: str) -> Sequence[str]:
    return [
        term.value for term in manifest.objects(subject, predicate) if isinstance(term, Literal | NamedNode)
    ]


def marked(name: str) -> object:
    return (
        pytest.param(name, marks=pytest.mark.xfail(reason=DEVIATIONS[name])) if name in DEVIATIONS else name
    )


@pytest.mark.parametrize("name", [marked(name) for name in NAMES])
def test_suite(name: str, manifest: Index, client: httpx.Client) -> None:
    subject = f"http://www.w3.org/2009/sparql/docs/tests/data-sparql11/protocol/manifest#{name}"
    connection = below(manifest, subject, MF + "action")
    for request in members(manifest, below(manifest, connection, HT + "requests")):
        answer = send(client, manifest, request)
        response = below(manifest, request, HT + "resp")
        families = [text[-3] for text in texts(manifest, response, MF + "expectedStatus")]
        assert str(answer.status_code)[0] in families, answer.text
        if expected := texts(manifest, response, MF + "expectedFormat"):
            assert answer.headers["content-type"].partition(";")[0] in FORMATS[expected[0]]
        if truth := texts(manifest, response, MF + "expectedBoolean"):
            assert json.loads(answer.content)["boolean"] is (truth[0] == "true")


def send(client: httpx.Client, manifest: Index, request: str) -> httpx.Response:
    (path,) = texts(manifest, request, HT + "absolutePath")
    (method,) = texts(manifest, request, HT + "methodName")
    headers = {
        texts(manifest, header, HT + "fieldName")[0]: texts(manifest, header, HT + "fieldValue")[0]
        for header in members(manifest, below(manifest, request, HT + "headers"))
    }
    body = below(manifest, request, HT + "body")
    content = b""
    if body:
        (encoding,) = texts(manifest, body, CNT + "characterEncoding")
        content = texts(manifest, body, CNT + "chars")[0].encode(encoding)
    return client.request(method, path.replace("/sparql/", "/sparql"), headers=headers, content=content)


@pytest.mark.shared
def test_every_query_test_of_the_suite_is_run(manifest: Index) -> None:
    listed = {name.rpartition("#")[2] for name in manifest.subjects(MF + "action")}
    assert {name for name in listed if "update" not in name} == set(NAMES)
