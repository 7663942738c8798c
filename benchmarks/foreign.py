"""Shapes of other fields: the compiled shapes against pySHACL, over data made up from what the shapes want.

Buildings (Brick, ASHRAE 223, Guideline 36) and vocabularies (VocPub, vp4cat): see `tests/shacl/foreign.py`.
Rules and other advanced features are left out on both sides, and so is parsing: pySHACL gets a graph of
rdflib, ours the statements, which it must index first. Both validate the same data right after each other,
and their numbers of results are compared; times are those of the processor.
"""

import gc
import logging
from statistics import median
from time import process_time

import pyshacl
import rdflib
from pyoxigraph import Quad

from battpass.kg.validation.compiled import compile_shapes
from battpass.kg.validation.shapes import SH
from benchmarks.campaigns import Campaign
from benchmarks.harness import Measure, script
from tests.shacl.foreign import FIELDS, hierarchy, plainly, shapes_of, without_advanced
from tests.shacl.invented import Inventor
from tests.shacl.rivals import rdflib_graph

_OPTIONS = {"inference": "none", "advanced": False, "do_owl_imports": False, "meta_shacl": False}
# Shapes of which a document has focus nodes; the queries of ASHRAE 223 take pySHACL seconds for more.
_SHAPES = 4


def measure(campaign: Campaign) -> list[Measure]:
    """Return for each field the median time of both sides, and how many times ours pySHACL takes."""
    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)  # it tells of each ill-typed literal
    rows = []
    for field in FIELDS:
        rows += _compared(field, campaign)
    return rows


def _compared(field: str, campaign: Campaign) -> list[Measure]:
    shapes = plainly(without_advanced(shapes_of(field)))
    reference = hierarchy(shapes)
    compiled, rival = compile_shapes(shapes), rdflib_graph(shapes)
    inventor = Inventor(compiled.plan, reference, campaign.random(f"foreign {field}"))
    times: dict[str, list[float]] = {"battpass": [], "pySHACL": []}
    results, alike = 0, 0
    count = campaign.count(30)
    for number in range(count + 1):
        document = [*inventor.record(_SHAPES), *reference]
        graph = rdflib_graph(document)
        found: dict[str, int] = {}

        def ours(document: list[Quad] = document) -> int:
            report = compiled.validate(document)
            return len(report.results) if report.graph else -1

        def theirs(graph: rdflib.Graph = graph) -> int:
            report = pyshacl.validate(graph, shacl_graph=rival, inplace=True, **_OPTIONS)[1]
            return sum(1 for _ in report.objects(None, rdflib.URIRef(SH + "result")))

        sides = [("battpass", ours), ("pySHACL", theirs)]
        for name, work in sides if number % 2 else sides[::-1]:
            gc.collect()
            start = process_time()
            found[name] = work()
            if number:  # the first round does not count
                times[name].append(process_time() - start)
        results += found["battpass"]
        alike += found["battpass"] == found["pySHACL"]
    ratios = [other / own for own, other in zip(*times.values(), strict=True)]
    told = {"documents": count, "results": results, "documents with as many results": alike}
    return [
        Measure(f"{field}, {name}", 1000 * median(spent), "ms", told) for name, spent in times.items()
    ] + [Measure(f"{field}, pySHACL against ours", median(ratios), "times", told)]


if __name__ == "__main__":
    script(__file__, measure, source="made-up records for the shapes of brickschema 0.8.0 and voc4cat 1.2.0")
