"""The term lock: found by IRI and name, searched by text, never resolved by label."""

import re
from pathlib import Path

import pytest

from battpass.kg.errors import BadTable, UnknownTerm
from battpass.kg.namespaces import PREFIXES, expand
from battpass.kg.ontology.lock import COLUMNS, Status, TermLock

LOCK = TermLock.load()
BATTERY = "battery:battery_74ed2670_657d_4f0b_b0a6_3f13bc2e9c17"


@pytest.mark.parametrize("name", [BATTERY, expand(BATTERY)], ids=["prefixed name", "IRI"])
def test_a_term_is_found_by_its_name_and_by_its_iri(name: str) -> None:
    assert LOCK.term(name).label == "Battery"


@pytest.mark.parametrize("name", ["emmo:NoSuchTerm", "https://example.org/x", "Battery", "x:y", ""])
def test_a_name_outside_the_lock_is_unknown(name: str) -> None:
    assert name not in LOCK
    with pytest.raises(UnknownTerm, match=r"term-lock\.csv"):
        LOCK.term(name)


def test_a_label_that_two_vocabularies_share_gives_both() -> None:
    sources = [term.source for term in LOCK.search("graphite") if term.label == "Graphite"]
    assert sorted(sources) == ["BVCO", "domain-chemical-substance"]


@pytest.mark.parametrize("text", ["state of charge", "StateOfCharge", "STATE-OF-CHARGE", "charge state"])
def test_a_search_minds_neither_case_nor_blanks(text: str) -> None:
    assert "StateOfCharge" in [term.label for term in LOCK.search(text)]


def test_the_closest_label_comes_first() -> None:
    assert [term.label for term in LOCK.search("capacity")][:2] == ["Capacity", "CapacityLoss"]


@pytest.mark.parametrize("text", ["", "   ", "no such label at all"])
def test_a_search_for_nothing_finds_nothing(text: str) -> None:
    assert LOCK.search(text) == ()


def test_the_eight_chemistries_that_came_back_say_so() -> None:
    back = [term for term in LOCK if term.status is Status.LIVE_AGAIN]
    assert len(back) == 8
    assert all(term.label.startswith("LithiumIon") for term in back)


def test_a_term_of_the_next_version_stands_beside_a_declared_parent() -> None:
    ahead = [term for term in LOCK if term.status is Status.CONTEXT_ONLY]
    assert {term.label for term in ahead} >= {"PrismaticBattery", "SiliconGraphite"}
    assert all(LOCK.term(term.parent).status is Status.DECLARED for term in ahead)


def test_the_whole_concept_table_is_locked(shared: Path) -> None:
    text = (shared / "reference" / "ontology.md").read_text(encoding="utf-8")
    table = text[text.index("## 4. Concept table") : text.index("#### Own terms to mint")]
    named = set(re.findall(r"`((?:emmo|battery|echem|chemsub|chameo|bvco|gpo):[A-Za-z]\w*(?:-\w+)*)`", table))
    assert len(named) > 300
    # The datatype is shown by its label beside its IRI.
    assert {name for name in named if name not in LOCK} <= {"emmo:SIQuantityDatatype"}


def row(iri: str = PREFIXES["emmo"] + "A", **cells: str) -> str:
    filled = {"iri": iri, "curie": "emmo:A", "label": "A", "source": "EMMO", "status": "declared", **cells}
    return ",".join(filled.get(column, "") for column in COLUMNS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(), row()], "Line 2 holds it already"),
        ([row(curie="emmo:B")], "Write emmo:A"),
        ([row(label="")], "column label"),
        ([row(status="retired")], "column status"),
        ([row(status="context-only")], "column parent"),
        ([row(parent="emmo:B")], "column parent"),
    ],
    ids=["twice", "other name", "no label", "unknown status", "no parent", "parent of a declared term"],
)
def test_an_ill_formed_lock_does_not_load(rows: list[str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "term-lock.csv"
    path.write_text("\n".join([",".join(COLUMNS), *rows]), encoding="utf-8")
    with pytest.raises(BadTable, match=message):
        TermLock.load(path)
