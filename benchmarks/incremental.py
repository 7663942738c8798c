"""After one update among many stored passports: the new report, against pySHACL on that passport.

Two homes keep copies of a hundred passports of the demo under names of their own, a thousand in one, fifty
thousand in the other. In each round a passport of each home gets a new state; then its report is made anew,
graph of the W3C included: it is found in the journal, unpacked, checked, parsed and validated alone. pySHACL
gets the same passport as N-Triples. All take turns, times are those of the processor, and numbers of results
are compared. Of each home a thousand passports at most have been validated before; the others stand there.
"""

import gc
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median
from time import process_time

import pyoxigraph as ox
import pyshacl
import rdflib

from battpass.kg.concepts import ConceptTable
from battpass.kg.graphs import AccessClass
from battpass.kg.home import Arrival, Home
from battpass.kg.home.stored import stored
from battpass.kg.validation.compiled import compile_shapes
from battpass.kg.validation.data import reference_individuals
from battpass.kg.validation.incremental import Incremental
from battpass.kg.validation.shapes import SH, ShapeSet
from benchmarks.campaigns import Campaign
from benchmarks.copies import arrivals
from benchmarks.harness import Measure, script

_OPTIONS = {"inference": "none", "advanced": False, "do_owl_imports": False, "meta_shacl": False}
_DAY = date(2026, 11, 21)
_FEW, _MANY = 1_000, 50_000
_VALIDATED = 1_000
_ROUNDS = 40
_TOGETHER = 500


class Fleet:
    """A home of passports, and the reports on them by one set of shapes."""

    def __init__(self, home: Home, kept: Sequence[Arrival], quads: Sequence[ox.Quad]) -> None:
        self._home = home
        self._kept = kept
        self._read = stored(home, _DAY)
        self._reference = reference_individuals(ConceptTable.load())
        self._reports = Incremental(compile_shapes(quads), self._read, self._reference, apart=True)
        self._reports.update(one.record for one in kept[:_VALIDATED])

    def change(self, number: int) -> str:
        """Write a new state of a passport, and return its name."""
        arrival = self._kept[number % len(self._kept)]
        said = f'<https://schema.org/description> "{self._home.sequence}"'
        line = f"<{arrival.record}> {said} <{arrival.record}/public> .\n"
        public = sorted({*arrival.item[AccessClass.PUBLIC].splitlines(keepends=True), line.encode()})
        item = {**arrival.item, AccessClass.PUBLIC: b"".join(public)}
        self._home.put(replace(arrival, item=item, original=b""), trusted=True)
        return arrival.record

    def report_anew(self, name: str) -> int:
        """Make the report anew; return the number of its results."""
        changed = self._reports.update([name])
        report = self._reports.report(name)
        assert changed.validated == (name,) and report.graph
        return len(report.results)

    def document(self, name: str) -> bytes:
        """Return what pySHACL gets: the passport as it stands, with what it refers to."""
        found = self._read(name)
        assert found is not None
        told = (ox.Triple(one.subject, one.predicate, one.object) for one in found.statements)
        return (
            ox.serialize([*told, *(one.triple for one in self._reference)], format=ox.RdfFormat.N_TRIPLES)
            or b""
        )


def measure(campaign: Campaign) -> list[Measure]:
    """Return for both kinds of shapes the times, how many times ours pySHACL takes, and how flat it is."""
    shapes = list(ShapeSet.load().quads)
    core = [quad for quad in shapes if quad.predicate.value != SH + "sparql"]
    sizes = campaign.count(_FEW), campaign.count(_MANY)
    rows: list[Measure] = []
    with ExitStack() as stack:
        homes = []
        for size in sizes:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            home = stack.enter_context(Home.open(folder, create=True))
            homes.append((home, _filled(home, size, campaign.seed)))
        for case, quads in (("core", core), ("core and SPARQL", shapes)):
            fleets = [Fleet(home, kept, quads) for home, kept in homes]
            rows += _told(case, sizes, _rounds(fleets, quads, campaign.count(_ROUNDS)))
    return rows


def _filled(home: Home, size: int, seed: int) -> list[Arrival]:
    """Fill a home, and return as many of its passports as are changed or validated before."""
    waiting: list[Arrival] = []
    kept: list[Arrival] = []
    for arrival in arrivals(size, seed):
        waiting.append(arrival)
        if len(kept) < _VALIDATED:
            kept.append(arrival)
        if len(waiting) == _TOGETHER:
            home.put_many(waiting, trusted=True)
            waiting = []
    home.put_many(waiting, trusted=True)
    return kept


def _rounds(fleets: Sequence[Fleet], quads: Sequence[ox.Quad], rounds: int) -> list[tuple[float, ...]]:
    """Return for each round the seconds of each fleet, and of pySHACL for the passport of the last one."""
    told = (ox.Triple(quad.subject, quad.predicate, quad.object) for quad in quads)
    shapes = rdflib.Graph().parse(data=ox.serialize(told, format=ox.RdfFormat.N_TRIPLES) or b"", format="nt")
    _with_pyshacl(fleets[0].document(fleets[0].change(0)), shapes)
    gc.collect()
    gc.freeze()  # what the set-up left behind would be looked through in the time of whoever comes first
    found = []
    for number in range(1, rounds + 1):
        spent, results = [], -1
        for fleet in fleets:
            name = fleet.change(number)
            gc.collect()
            begun = process_time()
            results = fleet.report_anew(name)
            spent.append(process_time() - begun)
        document = fleets[-1].document(name)
        gc.collect()
        begun = process_time()
        theirs = _with_pyshacl(document, shapes)
        spent.append(process_time() - begun)
        if theirs != results:
            raise AssertionError(f"{name}: {results} results here, {theirs} with pySHACL")
        found.append(tuple(spent))
    gc.unfreeze()
    return found


def _with_pyshacl(document: bytes, shapes: rdflib.Graph) -> int:
    graph = rdflib.Graph().parse(data=document, format="nt")
    report = pyshacl.validate(graph, shacl_graph=shapes, inplace=True, **_OPTIONS)[1]
    return sum(1 for _ in report.objects(None, rdflib.URIRef(SH + "result")))


def _told(case: str, sizes: tuple[int, int], rounds: list[tuple[float, ...]]) -> Iterator[Measure]:
    few, many, theirs = zip(*rounds, strict=True)
    for size, spent in zip(sizes, (few, many), strict=True):
        ratios = [rival / own for rival, own in zip(theirs, spent, strict=True)]
        ratio = median(ratios)
        more = {"rounds": len(rounds), "ratio": ratio, "ratio_low": min(ratios), "ratio_high": max(ratios)}
        unit = f"ms (pySHACL takes {ratio:.1f} times as long)"
        yield Measure(f"{case}, the new report among {size:,}", 1000 * median(spent), unit, more)
    yield Measure(f"{case}, pySHACL on that passport", 1000 * median(theirs), "ms")
    flat = median(large / small for small, large in zip(few, many, strict=True))
    yield Measure(f"{case}, {sizes[1]:,} passports against {sizes[0]:,}", flat, "x")


if __name__ == "__main__":
    script(__file__, measure, source="demo fleet, copied under new names")
