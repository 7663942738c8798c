"""The vocabulary graph: facts only, superclasses in full, and equal to what the pinned files give."""

from pathlib import Path

import pytest
from pyoxigraph import BlankNode, DefaultGraph, Quad, QuerySolutions, RdfFormat, Store, parse

from battpass.kg.errors import BadTable
from battpass.kg.namespaces import PREFIXES, RDF, RDFS
from battpass.kg.ontology.extract import as_csv, as_turtle, complete, extract
from battpass.kg.ontology.lock import TermLock
from battpass.kg.ontology.pinned import Pinned
from battpass.kg.ontology.usage import used_terms
from battpass.kg.ontology.vocabulary import FILES, vocabulary_triples
from battpass.kg.resources import ontology_path


@pytest.fixture(scope="module")
def vocabulary() -> Store:
    store = Store()
    store.extend(Quad(*triple, DefaultGraph()) for triple in vocabulary_triples())
    return store


def ask(store: Store, query: str) -> set[tuple[str, ...]]:
    found = store.query(query, prefixes=PREFIXES)
    assert isinstance(found, QuerySolutions)
    return {tuple(node.value for node in solution) for solution in found}


def test_one_step_up_reaches_what_a_path_reaches(vocabulary: Store) -> None:
    step = ask(vocabulary, "SELECT ?a ?b { ?a rdfs:subClassOf ?b FILTER(?a != ?b) }")
    path = ask(vocabulary, "SELECT ?a ?b { ?a rdfs:subClassOf+ ?b FILTER(?a != ?b) }")
    assert step == path
    assert len(step) > 5000


@pytest.mark.parametrize(
    ("term", "ancestor"),
    [
        ("battery:battery_04a4e5a4_e6fd_43af_b1ca_4a16d5f8886c", "LithiumIonBattery"),
        ("battery:battery_96addc62_ea04_449a_8237_4cd541dd8e5f", "Battery"),
        ("battery:battery_86c9ca80_de6f_417f_afdc_a7e52fa6322d", "BatteryCell"),
        ("chemsub:substance_e877987f_3b08_4e21_8f2e_c280e6bef52f", "LithiumNickelManganeseCobaltOxide"),
        ("bvco:BVCO_60bee84b_4501_4c3e_ad19_692f52080a46", "NMCCell"),
        ("gpo:GPO_318b082b_658a_457c_88c2_b23d780febeb", "HeatTreatment"),
        ("emmo:AmpereHour", "MeasurementUnit"),
        ("bp:StationaryBattery", "Battery"),
    ],
)
def test_a_term_reaches_its_ancestor_by_label(vocabulary: Store, term: str, ancestor: str) -> None:
    query = f'ASK {{ {term} rdfs:subClassOf* ?above . ?above rdfs:label "{ancestor}"@en }}'
    assert bool(vocabulary.query(query, prefixes=PREFIXES))


def test_every_locked_term_of_a_domain_has_its_label(vocabulary: Store) -> None:
    labels = dict(ask(vocabulary, 'SELECT ?a ?l { ?a rdfs:label ?l FILTER(LANG(?l) = "en") }'))
    languages = ("rdf:", "rdfs:", "owl:", "xsd:", "sh:", "dash:", "shui:")
    for term in TermLock.load():
        assert term.curie.startswith(languages) or labels[term.iri] == term.label


def test_the_extract_holds_facts_and_no_sentence() -> None:
    triples = [quad.triple for quad in parse(ontology_path("vocabulary.ttl").read_bytes(), RdfFormat.TURTLE)]
    assert {triple.predicate.value for triple in triples} == {
        RDF + "type",
        RDFS + "label",
        RDFS + "subClassOf",
        RDFS + "subPropertyOf",
    }
    labels = [triple.object.value for triple in triples if triple.predicate.value == RDFS + "label"]
    assert max(map(len, labels)) < 60
    assert not any(label.endswith(".") for label in labels)


def test_the_vocabulary_has_no_blank_node() -> None:
    for triple in vocabulary_triples():
        assert not isinstance(triple.subject, BlankNode)
        assert not isinstance(triple.object, BlankNode)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match=r"battpass\.ttl cannot be read"):
        vocabulary_triples(tmp_path)


def test_a_file_that_is_no_turtle_is_refused_by_name(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes(ontology_path(name).read_bytes())
    (tmp_path / "properties.ttl").write_text("bp:broken a", encoding="utf-8")
    with pytest.raises(BadTable, match=r"properties\.ttl cannot be read"):
        vocabulary_triples(tmp_path)


@pytest.fixture(scope="module")
def pinned(shared: Path) -> Pinned:
    return Pinned.load(shared / "ontologies")


def test_the_extract_is_what_the_pinned_files_give(pinned: Pinned) -> None:
    made = as_turtle(extract(TermLock.load(), pinned))
    assert made == ontology_path("vocabulary.ttl").read_text(encoding="utf-8")


def test_the_lock_is_sorted_and_wants_no_row(pinned: Pinned) -> None:
    made = as_csv(complete(TermLock.load(), used_terms(), pinned))
    assert made == ontology_path("term-lock.csv").read_text(encoding="utf-8")


def test_a_new_term_gets_its_row_from_the_pinned_files(pinned: Pinned) -> None:
    tesla, unheard_of = PREFIXES["emmo"] + "Tesla", PREFIXES["emmo"] + "UnheardOf"
    rows = {term.iri: term for term in complete([], [tesla, unheard_of], pinned)}
    assert (rows[tesla].label, rows[tesla].status, rows[tesla].version) == ("Tesla", "declared", "1.0.2")
    assert rows[unheard_of].status == "external"
