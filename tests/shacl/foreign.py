"""Shapes and data of other fields: of installed packages, and of BattINFO in the shared folder.

`brickschema` brings the shapes of Brick and of ASHRAE 223 for buildings, `voc4cat` those of VocPub and vp4cat
for vocabularies. The packages are not imported: only their files are read.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from battpass.kg.validation.compiled import Index
from battpass.kg.validation.compiled.vocabulary import (
    ADVANCED_PROPERTIES,
    ADVANCED_TYPES,
    CLASS,
    SUBCLASS,
    TYPE,
    sh,
)
from tests.shacl.material import EX

_BRICK = "brickschema/ontologies"
_SHAPES = {
    "Brick": ("brickschema", f"{_BRICK}/1.5/Brick.ttl"),
    "Brick 1.1": ("brickschema", f"{_BRICK}/1.1/BrickShape.ttl"),
    "ASHRAE 223": ("brickschema", f"{_BRICK}/1.5/extensions/223p.ttl"),
    "Guideline 36": ("brickschema", f"{_BRICK}/1.4/extensions/brick_extension_G36_SP223-v1.0.ttl"),
    "VocPub 4.7": ("voc4cat", "voc4cat/profile/vocpub-4.7.ttl"),
    "VocPub 5.2": ("voc4cat", "voc4cat/profile/vocpub-5.2.ttl"),
    "vp4cat 5.2": ("voc4cat", "voc4cat/profile/vp4cat-5.2.ttl"),
    "vp4cat 5.3": ("voc4cat", "voc4cat/profile/vp4cat-5.3.ttl"),
}
_QUALIFIED, _COUNTS = sh("qualifiedValueShape"), (sh("qualifiedMinCount"), sh("qualifiedMaxCount"))
FIELDS = tuple(_SHAPES)


@cache
def shapes_of(field: str) -> tuple[Quad, ...]:
    """Return the shapes of a field."""
    return _read(*_SHAPES[field])


def _read(package: str, path: str) -> tuple[Quad, ...]:
    file = Path(str(distribution(package).locate_file(path)))
    return tuple(parse(path=file, format=RdfFormat.TURTLE, rename_blank_nodes=True))


def without_advanced(quads: Iterable[Quad]) -> list[Quad]:
    """Return shapes without what they say in SHACL Advanced Features."""
    return [
        quad
        for quad in quads
        if quad.predicate not in ADVANCED_PROPERTIES
        and not (quad.predicate == TYPE and quad.object in ADVANCED_TYPES)
    ]


def plainly(quads: Sequence[Quad]) -> list[Quad]:
    """Return shapes so that faults of rivals do not matter to them; by the standard they say the same.

    A class that is an instance of `rdfs:Class` in two steps or more is called one, and a qualified shape
    without a count is left out: see `BUGS` and `CRASHES`.
    """
    graph = Index(quads)
    counted = {quad.subject for quad in quads if quad.predicate in _COUNTS}
    kept = [quad for quad in quads if quad.predicate != _QUALIFIED or quad.subject in counted]
    return kept + [Quad(one, TYPE, CLASS) for one in graph.instances(CLASS)]  # type: ignore[arg-type]


def hierarchy(quads: Iterable[Quad]) -> list[Quad]:
    """Return which named classes are below which."""
    return [
        quad
        for quad in quads
        if quad.predicate == SUBCLASS
        and isinstance(quad.subject, NamedNode)
        and isinstance(quad.object, NamedNode)
    ]


def battinfo_shapes(shared: Path) -> list[Quad]:
    """Return the shapes that BattINFO publishes."""
    folder = shared / "ontologies" / "battinfo-0.7.0" / "shapes"
    return [
        quad
        for path in sorted(folder.glob("*.ttl"))
        for quad in parse(path=path, format=RdfFormat.TURTLE, rename_blank_nodes=True)
    ]


def battinfo_records(shared: Path) -> dict[str, list[Quad]]:
    """Return the published records by name, with their contexts put in from the shared folder."""
    contexts = shared / "ontologies" / "context"
    known = {
        "https://w3id.org/battinfo/context/records/v1.json": "records.context.v1.json",
        "https://w3id.org/emmo/domain/battery/context": "domain-battery-0.20.2.context.json",
        "https://w3id.org/emmo/domain/electrochemistry/context": "domain-battery-0.20.2.context.json",
    }
    records = {}
    for path in sorted((shared / "battinfo-records" / "jsonld").iterdir()):
        # One of them has NaN for an IRI that is not known, which is no JSON.
        document = json.loads(path.read_text(encoding="utf-8").replace('"@id": NaN,', ""))
        named = document["@context"] if isinstance(document["@context"], list) else [document["@context"]]
        document["@context"] = [
            json.loads((contexts / known[one]).read_text(encoding="utf-8"))["@context"]
            if isinstance(one, str)
            else one
            for one in named
        ]
        quads = parse(json.dumps(document), format=RdfFormat.JSON_LD, base_iri=EX, rename_blank_nodes=True)
        records[path.stem] = [Quad(quad.subject, quad.predicate, quad.object) for quad in quads]
    return records
