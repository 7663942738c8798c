"""Two sets of shapes are told apart by what they state, whatever their blank nodes are called."""

import re
import shutil
from pathlib import Path

import pytest
from pyoxigraph import RdfFormat, parse

from battpass.kg.resources import shapes_path
from battpass.kg.validation.difference import Difference, difference
from battpass.kg.validation.shapes import ShapeSet

HEADS = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix bps: <https://w3id.org/battpass/shapes#> .
@prefix ex: <http://example.org/> .
"""
PLAIN = (
    "bps:a sh:path ( ex:p [ sh:inversePath ex:q ] ) ; sh:in ( 1 2 3 ) ; sh:maxCount 1 . bps:b sh:path ex:p ."
)


def shapes(text: str) -> ShapeSet:
    return ShapeSet(parse(HEADS + text, RdfFormat.TURTLE))


def test_the_same_statements_make_no_difference(tmp_path: Path) -> None:
    assert not difference(shapes(PLAIN), shapes(PLAIN))
    installed = ShapeSet.load()
    folder = shutil.copytree(shapes_path(), tmp_path / "shapes")
    manifest = folder / "manifest.ttl"
    names = re.findall(r"<https://w3id.org/battpass/shapes/([a-z-]+)> [,.]", manifest.read_text())
    text = manifest.read_text()
    for old, new in zip(names, reversed(names), strict=True):
        text = text.replace(f"/{old}> ", f"/@{new}> ")
    manifest.write_text(text.replace("/@", "/"))
    assert not difference(installed, ShapeSet.load(folder)), "the order of the files counts for nothing"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PLAIN.replace("maxCount 1", "maxCount 2"), Difference((), (), ("a",))),
        (PLAIN.replace("1 2 3", "1 3 2"), Difference((), (), ("a",))),
        (PLAIN.replace("1 2 3", "1 2 3 4"), Difference((), (), ("a",))),
        (PLAIN.replace("inversePath ex:q", "inversePath ex:r"), Difference((), (), ("a",))),
        (PLAIN + " bps:c sh:path ex:r .", Difference(("c",), (), ())),
        (PLAIN.replace("bps:b", "ex:b"), Difference(("http://example.org/b",), ("b",), ())),
        (PLAIN.replace(" bps:b sh:path ex:p .", ""), Difference((), ("b",), ())),
    ],
    ids=["value", "order", "longer", "within a path", "added", "renamed", "removed"],
)
def test_what_differs_is_named(text: str, found: Difference) -> None:
    assert difference(shapes(PLAIN), shapes(text)) == found


@pytest.mark.parametrize(
    "loop",
    [
        "bps:a sh:in _:l . _:l <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> 1 ; "
        "<http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> _:l .",
        "bps:a sh:node _:n . _:n sh:node _:m . _:m sh:node _:n .",
    ],
    ids=["list", "shapes"],
)
def test_loops_come_to_an_end(loop: str) -> None:
    assert not difference(shapes(loop), shapes(loop))
    assert difference(shapes(loop), shapes(PLAIN)).changed == ("a",)
