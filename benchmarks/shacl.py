"""SHACL per record: the compiled shapes against pySHACL and pyshacl-turbo, parsing and report included.

Each passport of the examples is one document of N-Triples, which every side parses well. The engines take
turns at each document, so that a busy moment of the machine weighs on all of them; times are those of the
processor. Shapes are read and compiled beforehand, where an engine can. pyshacl-turbo gets the text itself
or an rdflib graph, whichever is faster for it.

Three cases: the core shapes alone; all shapes with each query run as SPARQL on both sides; and all shapes as
they are run by default, where queries have native twins with us and nothing else changes.
"""

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from statistics import median
from time import process_time

import pyoxigraph as ox
import pyshacl
import pyshacl_turbo
import rdflib

from battpass.kg.concepts import ConceptTable
from battpass.kg.validation.compiled import compile_shapes
from battpass.kg.validation.data import data_of, reference_individuals
from battpass.kg.validation.shapes import SH, ShapeSet
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from benchmarks.campaigns import ROOT, Campaign
from benchmarks.harness import Measure, script

_OPTIONS = {"inference": "none", "advanced": False, "do_owl_imports": False, "meta_shacl": False}
# On the first day the examples conform; on the second much is wrong, so that reports have results.
_DAYS = (date(2026, 11, 21), date(2020, 1, 1))

Side = Callable[[bytes], int]


def documents(count: int) -> list[bytes]:
    """Return example passports with their reference individuals as N-Triples."""
    reference = reference_individuals(ConceptTable.load())
    paths = sorted((ROOT / "examples" / "passports").glob("*.json"))[:count]
    found = []
    for number, path in enumerate(paths):
        passport = BATTERY_PASS_6_1.load(path.read_bytes()).passport
        quads = data_of(passport, reference, _DAYS[number % 2]).quads
        triples = sorted((ox.Triple(quad.subject, quad.predicate, quad.object) for quad in quads), key=str)
        found.append(ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b"")
    return found


def core_of(shapes: ShapeSet) -> list[ox.Quad]:
    """Return shapes without what queries ask for: neither constraints nor components."""
    components = ox.NamedNode(SH + "ConstraintComponent")
    return [
        quad for quad in shapes.quads if quad.predicate.value != SH + "sparql" and quad.object != components
    ]


def sides(quads: Sequence[ox.Quad], native: bool = True) -> dict[str, Side]:
    """Return what each engine does with a document; the answer is its number of results.

    `native` says whether twins may stand in for queries in our engine.
    """
    triples = [ox.Triple(quad.subject, quad.predicate, quad.object) for quad in quads]
    text = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""
    shapes = rdflib.Graph().parse(data=text, format="nt")
    compiled = compile_shapes(quads, native)
    turbo = pyshacl_turbo.compile_shapes(shapes)

    def ours(document: bytes) -> int:
        report = compiled.validate(ox.parse(document, ox.RdfFormat.N_TRIPLES))
        return len(report.results) if report.graph else -1

    def with_pyshacl(document: bytes) -> int:
        graph = rdflib.Graph().parse(data=document, format="nt")
        return _count(pyshacl.validate(graph, shacl_graph=shapes, inplace=True, **_OPTIONS)[1])

    def turbo_text(document: bytes) -> int:
        return _count(turbo.validate(document.decode(), data_graph_format="nt")[1])

    def turbo_graph(document: bytes) -> int:
        graph = rdflib.Graph().parse(data=document, format="nt")
        return _count(turbo.validate(graph)[1])

    return {"battpass": ours, "pySHACL": with_pyshacl, "turbo, text": turbo_text, "turbo, graph": turbo_graph}


def _count(graph: rdflib.Graph) -> int:
    return sum(1 for _ in graph.objects(None, rdflib.URIRef(SH + "result")))


def measure(campaign: Campaign) -> list[Measure]:
    """Return for each case the median time of each engine, and how many times ours it takes."""
    shapes = ShapeSet.load()
    texts = documents(campaign.count(34))
    every = list(shapes.quads)
    return [
        *_compared("core", sides(core_of(shapes)), texts),
        *_compared("core and SPARQL", sides(every, native=False), texts),
        *_compared("core and native twins", sides(every), texts),
    ]


def _compared(case: str, engines: dict[str, Side], texts: list[bytes]) -> list[Measure]:
    times: dict[str, list[float]] = {name: [] for name in engines}
    for work in engines.values():
        work(texts[0])
    gc.collect()
    gc.freeze()  # what the set-up left behind would be looked through in the time of whoever comes first
    for number, document in enumerate(texts):
        names = [*engines]
        counts = Counter()
        for name in names[number % len(names) :] + names[: number % len(names)]:
            gc.collect()
            start = process_time()
            counts[name] = engines[name](document)
            times[name].append(process_time() - start)
        if len(set(counts.values())) > 1:
            raise AssertionError(f"the engines disagree on document {number}: {dict(counts)}")
    ours = times["battpass"]
    rows = []
    for name, spent in times.items():
        ratios = [other / own for other, own in zip(spent, ours, strict=True)]
        rows.append(
            Measure(
                f"{case}, {name}",
                1000 * median(spent),
                f"ms ({median(ratios):.1f} times ours)",
                {
                    "documents": len(texts),
                    "ratio": median(ratios),
                    "milliseconds": [1000 * one for one in spent],
                },
            )
        )
    return rows


if __name__ == "__main__":
    script(__file__, measure, source="examples/passports/*.json")
