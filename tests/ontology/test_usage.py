"""What counts as naming a term, in each kind of file."""

from pathlib import Path

import pytest

from battpass.kg.namespaces import expand
from battpass.kg.ontology.usage import used_terms

PROPERTY = "emmo:EMMO_e1097637_70d2_4895_973f_2396f04fa204"


@pytest.mark.parametrize(
    ("file", "text", "terms"),
    [
        pytest.param(
            "ontology/a.ttl",
            "@prefix q: <https://w3id.org/emmo#> . q:A q:B q:C .",
            "emmo:A emmo:B emmo:C",
            id="Turtle",
        ),
        pytest.param(
            "shapes/a.ttl",
            '<urn:a> <urn:p> "1"^^<http://www.w3.org/2001/XMLSchema#int> .',
            "urn:p xsd:int",
            id="datatype",
        ),
        pytest.param(
            "shapes/b.ttl",
            "<urn:a> a <http://emmo.info/emmo#Old> .",
            "rdf:type http://emmo.info/emmo#Old",
            id="type of another namespace",
        ),
        pytest.param(
            "ontology/a.csv",
            "x,emmo:A bp:b|skos:exactMatch echem:C",
            "emmo:A bp:b skos:exactMatch echem:C",
            id="table",
        ),
        pytest.param("ontology/b.csv", "unit:gram|unit:A-HR", "unit:A-HR", id="units of SAMM and QUDT"),
        pytest.param("services/a.py", 'node("emmo:Volt")', "emmo:Volt", id="string"),
        pytest.param("services/b.py", f'EMMO + "{PROPERTY[5:]}"', PROPERTY, id="bare UUID"),
        pytest.param("services/c.py", 'f"emmo:{name} and emmo:Volt"', "emmo:Volt", id="f-string"),
        pytest.param("kg/a.py", '"""Shows emmo:hasProperty."""', "", id="docstring"),
        pytest.param("kg/b.py", "# emmo:Volt", "", id="comment"),
        pytest.param(
            "examples/a.rq",
            "PREFIX e: <https://w3id.org/emmo#> SELECT * { ?s a e:A ; bp:b ?o }",
            "emmo:A bp:b",
            id="query",
        ),
        pytest.param(
            "examples/b.rq", "SELECT * { ?s a <https://w3id.org/emmo#A> }", "emmo:A", id="query with IRI"
        ),
        pytest.param(
            "examples/a.jsonld",
            '{"@context": {"x": {"@id": "emmo:A"}}, "y": "emmo:B"}',
            "emmo:A",
            id="context",
        ),
        pytest.param("ontology/term-lock.csv", "emmo:A", "", id="the lock itself"),
        pytest.param("examples/a.json", '{"unit": "emmo:A"}', "", id="payload"),
    ],
)
def test_a_file_names_these_terms(file: str, text: str, terms: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    expected = {
        expand(term) if term.partition(":")[0] not in ("urn", "http") else term for term in terms.split()
    }
    assert used_terms(tmp_path) == {term: (file,) for term in sorted(expected)}
