"""Faults planted in the graph of a passport that has every property: `graph_faults.csv`, and its runs.

A fault is a SPARQL update, for what a partner's payload cannot say: a class, a second value, a prediction.
Rows of one run go into one graph together. `node` names the focus node by its fragment, `says` is what the
finding must say in so many words, and `also` what else follows, as `code severity shape node` with
semicolons between.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path

from pyoxigraph import Quad, RdfFormat, Store, parse

from battpass.kg.graphs import AccessClass, Finding
from battpass.kg.namespaces import PREFIXES
from battpass.kg.passport import Passport
from battpass.kg.validation.shapes import SHAPES
from battpass.kg.validation.validator import Report
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from battpass.services.exchange.rdf import TURTLE
from tests.validation.seeded import example, validator

BASE = "ev-nmc811-82"
HERE = Path(__file__)
_HEADS = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items())
# Terms that EMMO names by numbers only.
_HEADS += """
PREFIX hasUnit: <https://w3id.org/emmo#EMMO_bed1d005_b04e_4a90_94cf_02bc678a8569>
PREFIX hasPart: <https://w3id.org/emmo#EMMO_8ef3cd6d_ae58_4a8d_9fc0_ad8f49015cd0>
PREFIX hasNumber: <https://w3id.org/emmo#EMMO_faf79f53_749d_40b2_807c_d34244c192f4>
PREFIX Declared: <https://w3id.org/emmo#EMMO_d8aa8e1f_b650_416d_88a0_5118de945456>
PREFIX Measured: <https://w3id.org/emmo#EMMO_873b0ab3_88e6_4054_b901_5531e01f14a4>
PREFIX Predicted: <https://w3id.org/emmo#EMMO_d0200cf1_e4f4_45ae_873f_b9359daea3cd>
"""

# What a finding of a graph is known by: code, severity, shape and node.
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class GraphFault:
    """One row of the table."""

    run: str
    on: date
    fault: str
    update: str
    shape: str
    node: str
    code: str
    severity: str
    says: str
    also: str

    @property
    def key(self) -> Key:
        """The finding that must be there."""
        return self.code, self.severity, self.shape, self.node

    @property
    def follows(self) -> Iterator[Key]:
        """What else may be found because of the fault."""
        for part in filter(None, (part.strip() for part in self.also.split(";"))):
            code, severity, shape, node = part.split()
            yield code, severity, shape, node


@cache
def graph_faults() -> tuple[GraphFault, ...]:
    """Return the table."""
    with HERE.with_name("graph_faults.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(
            GraphFault(**{**row, "on": date.fromisoformat(row["on"])})  # type: ignore[arg-type]
            for row in csv.DictReader(lines)
        )


def graph_runs() -> list[tuple[GraphFault, ...]]:
    """Return the runs, each with its faults."""
    return [tuple(run) for _, run in groupby(graph_faults(), key=lambda fault: fault.run)]


@cache
def _sound() -> Passport:
    passport = BATTERY_PASS_6_1.load_document(example(BASE)).passport
    return TURTLE.supplement(_turtle("whole.ttl"), passport)


def _turtle(name: str) -> bytes:
    """Return a file of Turtle beside this module, with its prefixes."""
    heads = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
    return (heads + HERE.with_name(name).read_text(encoding="utf-8")).encode()


@cache
def whole() -> tuple[Quad, ...]:
    """Return the statements of a passport that has every property and conforms; residue is left out."""
    passport = _sound()
    stated = {
        Quad(quad.subject, quad.predicate, quad.object)
        for graphs in (passport.item_graphs, passport.model_graphs)
        for access, part in graphs.items()
        if access is not AccessClass.DOCUMENT
        for quad in part
    }
    predicted = parse(_turtle("prediction.ttl"), RdfFormat.TURTLE)
    return tuple(sorted([*stated, *predicted], key=str))


def report_on_graph(quads: Iterable[Quad], on: date) -> Report:
    """Return the report on the statements of the passport, whatever they say by now."""
    sound = _sound()
    item, model = set(), set()
    for quad in quads:
        (model if quad.subject.value.startswith(sound.model) else item).add(quad)
    graphs = ({AccessClass.PUBLIC: frozenset(part)} for part in (item, model))
    return validator(on).validate(Passport(sound.record, sound.model, *graphs))


def updated(updates: Iterable[str]) -> tuple[Quad, ...]:
    """Return the statements of the passport after some updates.

    Raises
    ------
    ValueError
        If an update changes nothing, so that it plants no fault.
    """
    store = Store()
    store.extend(whole())
    for update in updates:
        before = set(store)
        store.update(_HEADS + update)
        if set(store) == before:
            raise ValueError(f"This update changes nothing: {update}")
    return tuple(sorted(store, key=str))


@cache
def play_graph(run: tuple[GraphFault, ...]) -> Report:
    """Return the report on the passport with the faults of a run."""
    return report_on_graph(updated(fault.update for fault in run), run[0].on)


@cache
def unfaulted_graph(on: date) -> frozenset[Key]:
    """Return what is found in the passport without faults."""
    return frozenset(map(graph_key, report_on_graph(whole(), on).findings))


def graph_key(finding: Finding) -> Key:
    """Return what a finding is known by; the node of battery, model and passport goes by that name."""
    sound = _sound()
    roots = {sound.model: "model", sound.record: "passport"}
    node = roots.get(finding.node) or finding.node.rpartition("#")[2].replace(sound.model, "model")
    return finding.code, finding.severity.value, finding.shape.removeprefix(SHAPES), node
