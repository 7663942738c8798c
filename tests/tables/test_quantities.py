"""The table of quantities."""

from pathlib import Path

import pytest

from battpass.kg.errors import BadTable
from battpass.kg.ontology.units import UnitTable
from battpass.kg.quantities import load_quantities
from tests.tables.tables import changed


def test_every_unit_is_in_the_unit_table() -> None:
    units = UnitTable.load()
    for kind in load_quantities().values():
        assert units.by_alias(kind.unit), kind.key


def test_a_measured_quantity_says_so_in_its_name() -> None:
    for kind in load_quantities().values():
        assert kind.compact.startswith("measured") == (kind.nature == "measured"), kind.key


def test_a_kind_knows_its_iris() -> None:
    kind = load_quantities()["ratedCapacity"]
    assert kind.link_iri == "https://w3id.org/battpass/ontology#ratedCapacity"
    assert kind.compact_iri == "https://w3id.org/battpass/ontology#ratedCapacityAh"
    assert kind.unit_iri == "https://w3id.org/emmo#AmpereHour"


@pytest.mark.parametrize(
    ("column", "text", "mend"),
    [
        ("key", "batteryHeight", "Line 3 holds it already"),
        ("compact", "batteryHeightMm", "Line 3 holds it already"),
        ("unit", "mm", "prefixes"),
        ("unit", "emmo:Voltt", "units.csv"),
        ("nature", "guessed", "'declared', 'measured'"),
        ("open", "perhaps", "'', 'yes'"),
        ("wire", "text", "'double', 'integer'"),
        ("label_en", "", "Fill the cell"),
    ],
)
def test_a_bad_cell_is_named_with_its_mend(tmp_path: Path, column: str, text: str, mend: str) -> None:
    path = changed(tmp_path, "quantities.csv", lambda table: table[2].update({column: text}))
    with pytest.raises(BadTable, match=rf"quantities\.csv, line 4, column {column}: .*{mend}"):
        load_quantities(path)
