"""Documents taken in per second, against the plain way: rdflib parses, pySHACL validates, an rdflib dataset
keeps.

Ours starts from partner JSON, which it maps to RDF first, runs the duties of the category as well, and ends
with synced entries of the journal. The rival starts from the RDF as N-Quads and keeps it in memory: it is
spared mapping, duties and disk. Its shapes are parsed once. It runs once with all shapes, and once with those
of the core language alone, since pySHACL takes most of its time for constraints in SPARQL. "Trusted" is the
way for an operator's own fleet, which leaves the shapes out on our side.
"""

import json
import os
from collections.abc import Sequence

import pyshacl
import rdflib

from battpass.kg.concepts import ConceptTable
from battpass.kg.home import Home, Stage
from battpass.kg.journal.parts import text_of
from battpass.kg.validation.data import reference_individuals
from battpass.kg.validation.shapes import SH, ShapeSet
from battpass.kg.validation.terms import to_rdflib_graph
from battpass.services.demo.fleet import demo_payloads
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from battpass.services.exchange.intake import Intake
from benchmarks.campaigns import Campaign
from benchmarks.harness import Comparison, compare, script
from benchmarks.journal import folder

DOCUMENTS = 20


def measure(campaign: Campaign) -> Sequence[Comparison]:
    """Return ours, checked and trusted, against the rival with all shapes and with the core alone."""
    payloads = list(demo_payloads(campaign.count(DOCUMENTS), campaign.seed))
    documents = [(str(number), json.dumps(one).encode()) for number, one in enumerate(payloads)]
    graphs = [text_of(BATTERY_PASS_6_1.load(data).passport.quads()) for _, data in documents]
    quads = ShapeSet.load().quads
    whole = to_rdflib_graph(quads)
    core = to_rdflib_graph(quad for quad in quads if quad.predicate.value != SH + "sparql")
    reference = to_rdflib_graph(reference_individuals(ConceptTable.load()))

    def plain(shapes: rdflib.Graph) -> None:
        kept = rdflib.Dataset()
        for text in graphs:
            passport = rdflib.Dataset(default_union=True)
            passport.parse(data=text, format="nquads")
            data = rdflib.Graph()
            data.addN((subject, what, value, data) for subject, what, value, _ in passport.quads())
            data += reference
            pyshacl.validate(data, shacl_graph=shapes, advanced=False, inference="none", inplace=True)
            kept.addN(passport.quads())

    with Intake(workers=os.cpu_count() or 1) as intake:

        def taken(check: bool) -> None:
            with folder() as place, Home.open(place, create=True) as home:
                read = intake.read_many(documents, check=check)
                arrivals = [found for _, _, found in read if not isinstance(found, Exception)]
                assert len(arrivals) == len(documents)
                stage = Stage.DRAFT if check else Stage.PUBLISHED
                home.put_many(arrivals, stage=stage, trusted=not check)

        checked, trusted = (
            ("battpass import", lambda: taken(True)),
            ("import --trusted", lambda: taken(False)),
        )
        all_shapes, core_only = (
            ("rdflib + pySHACL", lambda: plain(whole)),
            ("its core alone", lambda: plain(core)),
        )
        return [
            compare("take a document in", checked, all_shapes, items=len(documents), rounds=1),
            compare("take a document in", checked, core_only, items=len(documents), rounds=3),
            compare("take a trusted document in", trusted, core_only, items=len(documents), rounds=3),
        ]


if __name__ == "__main__":
    script(__file__, measure, source="demo fleet")
