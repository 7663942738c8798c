"""The pages about attributes, graph, formats and validation say what tables and code say."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from battpass.kg.access import audiences
from battpass.kg.attributes import load_attributes
from battpass.kg.mapping.table import KINDS, read_mapping
from battpass.kg.obligations import Obligations
from battpass.kg.ontology.pages import attributes_page, places_of_attributes, write
from battpass.kg.validation.findings import CODES
from battpass.kg.validation.obligations import category_shapes, duties
from battpass.kg.validation.shapes import ShapeSet
from battpass.services.exchange.battery_pass import TABLE
from benchmarks.campaigns import ROOT
from tests.tables.tables import Rows, changed

PAGE = ROOT / "docs/attributes.md"


def test_the_page_of_attributes_is_what_the_tables_give(tmp_path: Path) -> None:
    write(TABLE, tmp_path / PAGE.name)
    assert PAGE.read_bytes() == (tmp_path / PAGE.name).read_bytes(), (
        f"{PAGE.name} drifted: python -m battpass.kg.ontology.pages "
        "services/exchange/battery_pass.csv docs/attributes.md"
    )


def test_the_page_names_each_attribute_with_its_path_in_both_languages() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for attribute in load_attributes().values():
        row = (
            f"| {attribute.number} | {attribute.labels.en}<br>*{attribute.labels.de}* | {attribute.subject} |"
        )
        assert row in text
        assert f"  - ask `?{attribute.subject} {attribute.path.text} ?value`" in text


def test_a_changed_table_changes_the_page(tmp_path: Path) -> None:
    def change(table: Rows) -> None:
        for row in table:
            if row["attribute"] == "nominalVoltage" and row["category"] == "EV":
                row |= {
                    "applies_from": "2030-05-05",
                    "condition": "has bp:somethingNew",
                    "awaits": "a new act",
                }

    text = page(changed(tmp_path, "obligations.csv", change))
    row = next(line for line in text.splitlines() if line.startswith("| 61 |"))
    assert re.search(r"\| 2030-05-05 at the earliest \(\d\) if [a-z] \|", row)
    assert "`has bp:somethingNew`" in text and "a new act" in text


def test_many_conditions_have_letters_of_their_own(tmp_path: Path) -> None:
    def change(table: Rows) -> None:
        for number, row in enumerate(row for row in table if row["obligation"] == "mandatory"):
            row["condition"] = f"bp:ratedCapacityAh > {number}"

    text = page(changed(tmp_path, "obligations.csv", change))
    letters = re.findall(r"^- ([a-z]+): `bp:ratedCapacityAh > ", text, re.M)
    assert len(letters) == len(set(letters)) > 200
    assert letters[:2] == ["a", "b"] and "aa" in letters


def page(obligations: Path | None = None) -> str:
    attributes = load_attributes()
    owed = Obligations.load(obligations, attributes)
    return attributes_page(attributes, owed, places_of_attributes(read_mapping(TABLE)))


# --- lists -------------------------------------------------------------------------------------------


def finding_codes(folders: tuple[str, ...]) -> set[str]:
    """Return the codes of the findings that code makes: the first argument of `Finding` and `_find`."""
    return {
        code
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for code in _codes(ast.parse(path.read_text(encoding="utf-8")))
    }


def _codes(tree: ast.AST) -> Iterator[str]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and call.args:
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            first = call.args[0]
            if name in ("Finding", "_find") and isinstance(first, ast.Constant):
                yield str(first.value)


def validation_codes() -> set[str]:
    """Return the codes of shapes, and those that the category shapes have on any day."""
    attributes = load_attributes()
    obligations = Obligations.load(attributes=attributes)
    days = {one.applies_from for one in obligations if one.applies_from}
    shapes = ShapeSet.load()
    made = {
        shape.code
        for category in {one.category for one in obligations}
        for day in (min(days), max(days))
        for holding in (frozenset[str](), frozenset(attributes))
        for shape in category_shapes(
            category, duties(attributes, obligations, category, day, holding), shapes
        ).property_shapes.values()
    }
    written = {shape.code for shape in shapes.property_shapes.values() if shape.code}
    return made | written | set(CODES.values())


LISTS: dict[tuple[str, str], Callable[[], set[str]]] = {
    ("formats.md", "codes: mapping"): lambda: finding_codes(("kg/mapping", "services/exchange")),
    ("formats.md", "kinds"): lambda: set(KINDS),
    ("validation.md", "codes: validation"): validation_codes,
    ("graph.md", "audiences"): lambda: set(audiences()),
}


def rows_below(name: str, mark: str) -> list[list[str]]:
    """Return the cells of the table below a mark, head and rule left out."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    found = re.search(rf"^<!-- (?:list: )?{re.escape(mark)} -->\n((?:\|.*\n)+)", text, re.M)
    assert found, f"{name} has no table below <!-- {mark} -->"
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()[2:]]


@pytest.mark.parametrize(("name", "mark"), LISTS, ids=lambda part: part.replace(": ", "-"))
def test_a_table_of_a_page_lists_what_the_code_has(name: str, mark: str) -> None:
    listed = [row[0].strip("`") for row in rows_below(name, mark)]
    assert len(listed) == len(set(listed))
    assert set(listed) == LISTS[name, mark]()


def test_the_page_about_the_graph_says_who_reads_what() -> None:
    for name, reads in rows_below("graph.md", "audiences"):
        classes, _, scope = reads.partition("; ")
        reader = audiences()[name.strip("`")]
        assert set(classes.split(", ")) == {str(access) for access in reader.classes}
        assert bool(scope) == reader.own


def test_the_page_about_formats_says_how_grave_a_finding_is() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in [*(ROOT / "kg/mapping").glob("*.py"), *(ROOT / "services/exchange").glob("*.py")]
    )
    for code, severity, _ in rows_below("formats.md", "codes: mapping"):
        code = code.strip("`")
        grave = set(re.findall(rf'"{code}",\s+Severity\.(\w+)', source))
        assert grave == {severity.upper()}, code
