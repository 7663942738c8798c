"""SHACL over a fleet: the compiled shapes in columns against pySHACL, passport by passport.

The fleet is copies of a hundred passports of the demo under names of their own, each a document of N-Triples.
One in ten is held against a day before it was made, so that much is wrong with it and must be explained. In
each round we take our share of the fleet and pySHACL one document of it, so that a busy moment of the machine
weighs on both; times are those of the processor. Shapes are read and compiled beforehand. What pySHACL needs
besides, the reference individuals, stands in its document; we get them once for all passports. On the
document that both have, their numbers of results are compared. Queries are looked for in columns; native
twins explain what they find.

Rates are given once the statements are encoded, where neither side parses, and from text, where both do.
"""

import gc
import json
import resource
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from time import process_time

import pyoxigraph as ox
import pyshacl
import rdflib

from battpass.kg.concepts import ConceptTable
from battpass.kg.validation.compiled import compile_shapes
from battpass.kg.validation.compiled.columns.fleet import Clock, Fleet
from battpass.kg.validation.data import data_of, reference_individuals
from battpass.kg.validation.shapes import SH, ShapeSet
from battpass.services.demo.fleet import demo_payloads
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from benchmarks.campaigns import Campaign
from benchmarks.copies import PATTERNS
from benchmarks.harness import Measure, script
from benchmarks.shacl import core_of

_OPTIONS = {"inference": "none", "advanced": False, "do_owl_imports": False, "meta_shacl": False}
_DAY, _EARLY = date(2026, 11, 21), date(2020, 1, 1)
# Documents in memory at once: their texts weigh more than what is made of them.
_TOGETHER = 500
_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Pattern:
    """A passport as N-Triples, and the UUID by which its copies differ."""

    text: bytes
    name: bytes

    def copied(self, number: int) -> bytes:
        """Return a passport like this one under a name of its own."""
        own = uuid.uuid5(uuid.NAMESPACE_OID, str(number))
        return self.text.replace(self.name, str(own).encode())


@dataclass(slots=True)
class Round:
    """What one round took, in seconds for each passport, and the growth of the process in bytes."""

    reading: float = 0.0
    validating: float = 0.0
    rival_reading: float = 0.0
    rival_validating: float = 0.0
    arrays: int = 0
    growth: int = 0


def patterns(seed: int) -> Iterator[Pattern]:
    """Yield the passports that are copied."""
    for number, payload in enumerate(demo_payloads(PATTERNS, seed)):
        passport = BATTERY_PASS_6_1.load(json.dumps(payload).encode()).passport
        quads = data_of(passport, (), _EARLY if number % 10 == 9 else _DAY).quads
        yield Pattern(_text(quads), passport.record.rpartition("/")[2].encode())


def _text(quads: Sequence[ox.Quad] | frozenset[ox.Quad]) -> bytes:
    triples = sorted((ox.Triple(quad.subject, quad.predicate, quad.object) for quad in quads), key=str)
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


class Contest:
    """Both sides over one set of shapes."""

    def __init__(self, quads: Sequence[ox.Quad], reference: Sequence[ox.Quad], fleet: list[Pattern]) -> None:
        self._shapes = rdflib.Graph().parse(data=_text(quads), format="nt")
        self._fleet = Fleet(compile_shapes(quads).plan, reference)
        self._reference = _text(reference)
        self._patterns = fleet

    def round(self, first: int, count: int) -> Round:
        """Return what the passports from one number on take, and the first of them with pySHACL."""
        found = Round()
        results = -1
        for start in range(first, first + count, _TOGETHER):
            numbers = range(start, min(start + _TOGETHER, first + count))
            texts = [self._patterns[number % PATTERNS].copied(number) for number in numbers]
            before = _resident()
            begun = process_time()
            records = zip(numbers, (ox.parse(text, ox.RdfFormat.N_TRIPLES) for text in texts), strict=True)
            chunks = list(self._fleet.chunks(records))
            encoded = process_time()
            counts = {
                number: len(one)
                for chunk in chunks
                for number, one in self._fleet.results(chunk, Clock(None))
            }
            found.validating += process_time() - encoded
            found.reading += encoded - begun
            found.growth += max(0, _resident() - before)
            found.arrays += sum(chunk.nbytes for chunk in chunks)
            results = counts[first] if start == first else results
        found.reading, found.validating = found.reading / count, found.validating / count
        self._with_pyshacl(first, results, found)
        return found

    def _with_pyshacl(self, number: int, results: int, found: Round) -> None:
        document = self._patterns[number % PATTERNS].copied(number) + self._reference
        gc.collect()
        begun = process_time()
        graph = rdflib.Graph().parse(data=document, format="nt")
        read = process_time()
        report = pyshacl.validate(graph, shacl_graph=self._shapes, inplace=True, **_OPTIONS)[1]
        found.rival_validating, found.rival_reading = process_time() - read, read - begun
        theirs = sum(1 for _ in report.objects(None, rdflib.URIRef(SH + "result")))
        if theirs != results:
            raise AssertionError(f"passport {number}: {results} results here, {theirs} with pySHACL")


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def measure(campaign: Campaign) -> list[Measure]:
    """Return rates and ratios for both kinds of shapes, and what a passport weighs."""
    shapes = ShapeSet.load()
    core = core_of(shapes)
    reference = reference_individuals(ConceptTable.load())
    fleet = list(patterns(campaign.seed))
    rows: list[Measure] = []
    for case, quads, size in (
        ("core", core, campaign.count(100_000)),
        ("core and SPARQL", list(shapes.quads), campaign.count(4_000)),
    ):
        contest = Contest(quads, reference, fleet)
        contest.round(0, 1)
        gc.collect()
        gc.freeze()
        rounds, share = campaign.count(_ROUNDS), size // campaign.count(_ROUNDS)
        # So pySHACL meets one pattern after the other, and first one with much that is wrong.
        found = [contest.round(9 + number * (share + 1), share) for number in range(rounds)]
        rows += _told(case, found, rounds * share)
    return rows


def _told(case: str, rounds: list[Round], passports: int) -> Iterator[Measure]:
    from_text = [
        (one.rival_reading + one.rival_validating) / (one.reading + one.validating) for one in rounds
    ]
    encoded = [one.rival_validating / one.validating for one in rounds]
    more = {"passports": passports, "documents of pySHACL": len(rounds)}
    validating = median(one.validating for one in rounds)
    whole = median(one.validating + one.reading for one in rounds)
    yield Measure(f"{case}, once encoded", 1 / validating, "passports per s", more)
    yield Measure(f"{case}, from text", 1 / whole, "passports per s", more)
    yield Measure(f"{case}, once encoded, times as fast as pySHACL", median(encoded), "x", _range(encoded))
    yield Measure(f"{case}, from text, times as fast as pySHACL", median(from_text), "x", _range(from_text))
    yield Measure(
        f"{case}, pySHACL for one passport", 1000 * median(one.rival_validating for one in rounds), "ms"
    )
    yield Measure(
        f"{case}, arrays of a passport", max(one.arrays for one in rounds) * len(rounds) / passports, "bytes"
    )
    yield Measure(
        f"{case}, largest growth of the process for a passport in memory",
        max(one.growth for one in rounds) / min(_TOGETHER, passports // len(rounds)),
        "bytes",
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield Measure(f"{case}, peak of the process with texts and pySHACL", peak / 1024, "MiB")


def _range(ratios: list[float]) -> dict[str, object]:
    return {"ratio_low": min(ratios), "ratio_high": max(ratios)}


if __name__ == "__main__":
    script(__file__, measure, source="demo fleet, copied under new names")
