"""A cell record conforms to the shapes that BattINFO itself publishes."""

import json
from pathlib import Path

import pyoxigraph as ox
import pytest

from battpass.kg.errors import BadDocument
from battpass.services.exchange.registry import detect, format_named

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "passports").glob("*.json"))
KNOWN = format_named("battinfo-cell")


def cell_record(path: Path) -> bytes:
    data = path.read_bytes()
    return KNOWN.dump(detect(data).load(data).passport)


@pytest.mark.slow
def test_the_cells_of_all_examples_pass_battinfos_own_shapes(shared: Path) -> None:
    import rdflib
    from pyshacl import validate

    shapes = rdflib.Graph()
    for path in sorted((shared / "ontologies" / "battinfo-0.7.0" / "shapes").glob("*.ttl")):
        shapes.parse(path)
    assert len(shapes) > 100
    cells = rdflib.Graph()
    for path in EXAMPLES:
        quads = list(ox.parse(cell_record(path), format=ox.RdfFormat.JSON_LD))
        lines = ox.serialize([quad.triple for quad in quads], format=ox.RdfFormat.N_TRIPLES)
        cells.parse(data=lines.decode(), format="nt")
    conforms, _, text = validate(cells, shacl_graph=shapes)
    assert conforms, text


def test_the_shapes_of_battinfo_find_a_planted_fault(shared: Path) -> None:
    """A check that cannot fail proves nothing: a negative capacity must be found."""
    import rdflib
    from pyshacl import validate

    shapes = rdflib.Graph()
    for path in sorted((shared / "ontologies" / "battinfo-0.7.0" / "shapes").glob("*.ttl")):
        shapes.parse(path)
    record = cell_record(EXAMPLES[0]).decode()
    resistance = "electrochemistry_9bf40017_3f58_4030_ada7_cb37a3dfda2d"
    assert resistance in record
    faulty = json.loads(record.replace(resistance, "electrochemistry_9b3b4668_0795_4a35_9965_2af383497a26"))
    quantity = faulty["emmo:EMMO_e1097637_70d2_4895_973f_2396f04fa204"][0]
    quantity["emmo:EMMO_8ef3cd6d_ae58_4a8d_9fc0_ad8f49015cd0"][
        "emmo:EMMO_faf79f53_749d_40b2_807c_d34244c192f4"
    ]["@value"] = "-1"
    quads = ox.parse(json.dumps(faulty).encode(), format=ox.RdfFormat.JSON_LD)
    lines = ox.serialize([quad.triple for quad in quads], format=ox.RdfFormat.N_TRIPLES)
    graph = rdflib.Graph().parse(data=lines.decode(), format="nt")
    assert not validate(graph, shacl_graph=shapes)[0]


def test_a_passport_without_known_chemistry_has_no_cell_to_export() -> None:
    data = EXAMPLES[0].read_bytes().replace(b'"chemistry": "', b'"chemistry": "unheard-of ')
    with pytest.raises(BadDocument, match="no known chemistry"):
        KNOWN.dump(detect(data).load(data).passport)


def test_a_cell_record_is_not_read_as_a_passport() -> None:
    with pytest.raises(BadDocument, match="written here, not read"):
        KNOWN.load(b"{}")
