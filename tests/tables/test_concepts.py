"""Codes are found as concepts, by notation and by spelling."""

from pathlib import Path

import pytest

from battpass.kg.concepts import ConceptTable, load_chemistries, load_schemes
from battpass.kg.errors import BadTable
from battpass.kg.namespaces import BP
from tests.tables.tables import changed

TABLE = ConceptTable.load()


def test_a_notation_is_found_exactly() -> None:
    found = TABLE.by_notation("BatteryCategory", "EV")
    assert found is not None and found.iri == BP + "CategoryElectricVehicle"
    assert TABLE.by_notation("BatteryCategory", "ev") is None
    assert TABLE.by_notation("BatteryStatus", "EV") is None


@pytest.mark.parametrize("text", ["NMC811", " nmc 811 ", "NCM811"])
def test_a_spelling_is_found_whatever_its_case(text: str) -> None:
    found = TABLE.by_text("Chemistry", text)
    assert found is not None and found.notation == "NMC811"


def test_every_notation_and_alias_leads_back() -> None:
    for concept in TABLE:
        assert TABLE.by_notation(concept.scheme, concept.notation) is concept
        assert TABLE.notation(concept.iri) == concept.notation
        for alias in concept.aliases:
            assert TABLE.by_text(concept.scheme, alias.upper()) is concept
    assert TABLE.notation(BP + "Nothing") is None


def test_every_scheme_is_described() -> None:
    assert set(load_schemes()) == set(TABLE.schemes)


def test_every_chemistry_is_a_concept_and_has_a_cell() -> None:
    chemistries = load_chemistries()
    assert set(chemistries) == {concept.iri for concept in TABLE.in_scheme("Chemistry")}
    assert all(chemistry.cell for chemistry in chemistries.values())


def test_a_spelling_of_two_concepts_is_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, "concepts.csv", lambda table: table[1].update(aliases="ev"))
    with pytest.raises(BadTable, match=r"'ev' of scheme BatteryCategory .* Keep it at one"):
        ConceptTable.load(path)


@pytest.mark.parametrize(
    ("column", "text", "mend"),
    [
        ("concept", "CategoryElectricVehicle", "Line 2 holds it already"),
        ("concept", "Category LMT", "letters and digits"),
        ("label_de", "", "Fill the cell"),
        ("match", "chemie:x", "prefixes"),
    ],
)
def test_a_bad_cell_is_named_with_its_mend(tmp_path: Path, column: str, text: str, mend: str) -> None:
    path = changed(tmp_path, "concepts.csv", lambda table: table[1].update({column: text}))
    with pytest.raises(BadTable, match=rf"concepts\.csv, line 3, column {column}: .*{mend}"):
        ConceptTable.load(path)
