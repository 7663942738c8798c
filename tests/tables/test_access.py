"""Each audience is left what Annex XIII lets it read."""

from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad

from battpass.kg.access import audiences, cut
from battpass.kg.errors import BadTable
from battpass.kg.graphs import AccessClass, Graphs
from tests.tables.tables import changed


def graphs() -> Graphs:
    """Return one quad in the graph of each access class."""
    return {
        access: frozenset(
            {Quad(NamedNode("e:s"), NamedNode("e:p"), NamedNode("e:o"), NamedNode(f"e:{access}"))}
        )
        for access in AccessClass
    }


@pytest.mark.parametrize(
    ("audience", "classes"),
    [
        ("public", {"public"}),
        ("interest", {"public", "interest", "item"}),
        ("authority", {"public", "interest", "authority"}),
        ("owner", {"public", "interest", "authority", "item", "document"}),
    ],
)
def test_an_audience_is_left_what_it_may_read(audience: str, classes: set[str]) -> None:
    assert {access.value for access in cut(graphs(), audiences()[audience])} == classes


@pytest.mark.parametrize(
    ("audience", "kinds"),
    [
        ("public", set()),
        ("interest", {"state", "lifetime"}),
        ("authority", set()),
        ("owner", {"state", "lifetime", "economics"}),
    ],
)
def test_the_economics_of_recycling_are_the_owners(audience: str, kinds: set[str]) -> None:
    found = audiences()[audience]
    assert {kind for kind in ("state", "lifetime", "economics") if found.reads_prediction(kind)} == kinds


def test_only_the_owner_is_bound_to_its_own_passports() -> None:
    assert [name for name, audience in audiences().items() if audience.own] == ["owner"]


def test_another_audience_loads_without_code(tmp_path: Path) -> None:
    path = changed(
        tmp_path,
        "access.csv",
        lambda table: table.append({**table[0], "audience": "recycler", "reads": "item"}),
    )
    assert audiences(path)["recycler"].classes == {AccessClass.ITEM}


@pytest.mark.parametrize(
    ("column", "text", "mend"),
    [
        ("reads", "secrets", "'prediction:state'"),
        ("scope", "some", "'all', 'own'"),
        ("scope", "own", "make them"),
    ],
)
def test_a_bad_cell_is_named_with_its_mend(tmp_path: Path, column: str, text: str, mend: str) -> None:
    path = changed(tmp_path, "access.csv", lambda table: table[2].update({column: text}))
    with pytest.raises(BadTable, match=rf"access\.csv, line 4, column {column}: .*{mend}"):
        audiences(path)
