"""The example queries on a fleet of 1,000 passports, against rdflib on the same statements.

Both sides hold the same triples in memory and get the same text. The rival has them in one graph, its
fastest arrangement, with each query parsed beforehand. A query that rdflib does not finish within
twenty seconds counts as twenty seconds, so that its ratio is a lower bound.
"""

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter

import pyoxigraph as ox
import rdflib
from rdflib.plugins.sparql import prepareQuery

from battpass.kg.dataset.dataset import Dataset
from battpass.kg.namespaces import PREFIXES
from battpass.kg.ontology.vocabulary import vocabulary_triples
from battpass.services.demo.fleet import demo_payloads
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from benchmarks.campaigns import ROOT, Campaign
from benchmarks.harness import Comparison, Measure, script

QUERIES = sorted((ROOT / "examples" / "queries").glob("*.rq"))
PATIENCE_S = 20
ROUNDS = 5


class Impatient(Exception):
    """The rival took longer than is waited for."""


@contextmanager
def patience(seconds: int) -> Iterator[None]:
    """End the work inside after some seconds."""

    def end(*_: object) -> None:
        raise Impatient

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def measure(campaign: Campaign) -> Sequence[Comparison | Measure]:
    """Return for each query how many times as fast the dataset answers, and the totals."""
    size = campaign.count(1_000)
    dataset = Dataset.in_memory()
    graph = rdflib.Graph()
    graph.parse(data=_filled(dataset, size, campaign.seed), format="nt")
    rows: list[Measure] = []
    total = {"ours": 0.0, "rdflib": 0.0}
    for path in QUERIES:
        text = path.read_text(encoding="utf-8")
        prepared = prepareQuery(text, initNs=PREFIXES)
        ours = []
        for _ in range(ROUNDS):
            start = perf_counter()
            answer = dataset.query(text, "json", PATIENCE_S).read()
            ours.append(perf_counter() - start)
        start = perf_counter()
        finished, found = True, -1
        try:
            with patience(PATIENCE_S):
                found = len(list(graph.query(prepared)))
        except Impatient:
            finished = False
        rival = perf_counter() - start
        counted = len(json.loads(answer)["results"]["bindings"])
        total["ours"] += median(ours)
        total["rdflib"] += rival
        rows.append(
            Measure(
                f"{path.stem}, times as fast as rdflib",
                rival / median(ours),
                "x" if finished else "x at least",
                {
                    "ours_s": median(ours),
                    "rdflib_s": rival,
                    "rows": counted,
                    "rdflib_rows": found if finished else None,
                    "finished": finished,
                },
            )
        )
    rows.append(
        Measure(
            f"all {len(QUERIES)} queries on {size:,} passports, times as fast as rdflib",
            total["rdflib"] / total["ours"],
            "x",
            {"ours_s": total["ours"], "rdflib_s": total["rdflib"], "triples": len(graph)},
        )
    )
    return rows


def _filled(dataset: Dataset, size: int, seed: int) -> bytes:
    """Fill the dataset with a fleet and return its triples, each once, as N-Triples for the rival."""
    dataset.set_vocabulary(vocabulary_triples())
    records = {}
    for payload in demo_payloads(size, seed):
        passport = BATTERY_PASS_6_1.load(json.dumps(payload).encode()).passport
        records[passport.model] = passport.model_graphs
        records[passport.record] = passport.item_graphs
    dataset.replace_many(records.items())
    triples = {quad.triple for line in dataset.dump() for quad in ox.parse(line, ox.RdfFormat.N_QUADS)}
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


if __name__ == "__main__":
    script(__file__, measure, source="demo fleet, all access classes and the vocabulary in one default graph")
