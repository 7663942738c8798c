"""Every registered format: what it writes it reads back, and the passport is the same."""

from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad

from battpass.kg.errors import BadDocument, UnknownFormat
from battpass.kg.graphs import AccessClass
from battpass.kg.namespaces import BP, PREFIXES
from battpass.kg.passport import Passport, graph_name
from battpass.services.exchange.rdf import TURTLE
from battpass.services.exchange.registry import Format, detect, format_named, formats

EXAMPLES = Path(__file__).parents[2] / "examples"
RDF = [known for known in formats() if known.name in ("json-ld", "turtle", "n-quads")]
SUPPLEMENTS = sorted((EXAMPLES / "supplements").glob("*.ttl"))


def passport_of(name: str) -> Passport:
    data = (EXAMPLES / "passports" / f"{name}.json").read_bytes()
    return detect(data).load(data).passport


@pytest.fixture(params=["example", "official"])
def passport(request: pytest.FixtureRequest) -> Passport:
    if request.param == "example":
        return passport_of("ev-nmc811-82")
    shared: Path = request.getfixturevalue("shared")
    data = (shared / "catena-x" / "battery_pass" / "6.1.0" / "BatteryPass.json").read_bytes()
    return detect(data).load(data).passport


def test_names_are_unique_and_lead_to_their_format() -> None:
    names = [known.name for known in formats()]
    assert len(set(names)) == len(names)
    assert [format_named(name).name for name in names] == names


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownFormat, match=r"battery_pass-6\.1\.0, battery_pass-6\.0\.0"):
        format_named("aas")


@pytest.mark.parametrize("known", RDF, ids=lambda known: known.name)
def test_a_passport_written_as_rdf_reads_back_as_itself(known: Format, passport: Passport) -> None:
    data = known.dump(passport)
    assert detect(data).name == known.name
    assert known.load(data).passport == passport


@pytest.mark.parametrize("known", RDF, ids=lambda known: known.name)
def test_blank_nodes_get_names(known: Format) -> None:
    passport = passport_of("ev-nmc811-82")
    text = known.dump(passport).decode()
    node = f"{passport.model}#sparePart-1"
    if known.name == "turtle" or known.name == "n-quads":
        text = text.replace(f"<{node}>", "_:spare")
    else:
        text = text.replace(f'"{node}"', '"_:spare"')
    assert "_:spare" in text
    read = known.load(text.encode()).passport
    assert len(list(read.quads())) == len(list(passport.quads()))
    assert not any("_:" in str(quad.subject) or "_:" in str(quad.object) for quad in read.quads())


@pytest.mark.parametrize("path", SUPPLEMENTS, ids=lambda path: path.stem)
def test_a_supplement_adds_what_the_payload_cannot_hold_and_leaves_the_payload_equal(path: Path) -> None:
    before = passport_of(path.stem)
    after = TURTLE.supplement(path.read_bytes(), before)
    assert after.record == before.record
    of_model = b"#model>" in path.read_bytes()
    assert (after.model != before.model) is of_model
    assert AccessClass.DOCUMENT not in after.item_graphs
    # The full supplements add some twenty quantities; the small ones a counter in both of its forms.
    assert len(list(after.quads())) - len(list(before.quads())) >= (100 if of_model else 8)
    known = format_named("battery_pass-6.1.0")
    assert known.dump(after) == known.dump(before)
    assert TURTLE.load(TURTLE.dump(after)).passport == after


def supplemented(statements: str) -> Passport:
    passport = passport_of("ev-nmc811-82")
    prefixes = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    return TURTLE.supplement(f"{prefixes}@base <{passport.record}> .\n{statements}".encode(), passport)


NODE = """<#model> bp:certifiedUsableEnergy <#model-mine> .
<#model-mine> a bp:CertifiedUsableEnergy ;
    <https://w3id.org/emmo#EMMO_8ef3cd6d_ae58_4a8d_9fc0_ad8f49015cd0> <#model-mine-number> ;
    <https://w3id.org/emmo#EMMO_bed1d005_b04e_4a90_94cf_02bc678a8569> {unit} ; rdfs:comment "kept" .
<#model-mine-number> <https://w3id.org/emmo#EMMO_faf79f53_749d_40b2_807c_d34244c192f4> {value} .
"""


def test_a_quantity_in_another_unit_is_converted_at_the_border_and_what_else_is_said_of_it_stays() -> None:
    passport = supplemented(NODE.format(unit="emmo:Joule", value="3600000"))
    found = {
        str(quad.predicate): str(quad.object) for quad in passport.quads() if "mine" in str(quad.subject)
    }
    assert '"kept"' in found.values()
    compact = [
        q.object for q in passport.quads() if q.predicate == NamedNode(BP + "certifiedUsableEnergyKWh")
    ]
    assert [str(term) for term in compact] == ['"1"^^<http://www.w3.org/2001/XMLSchema#decimal>']
    assert any(q.predicate == NamedNode(BP + "statedUnit") for q in passport.quads())
    values = [q for q in passport.quads() if "mine" in str(q.subject) and "faf79f53" in str(q.predicate)]
    assert len(values) == 1


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        pytest.param("<http://example.org/furlong>", "No unit http://example.org/furlong", id="unknown"),
        pytest.param("emmo:Volt", "emmo:Volt measures", id="of another kind"),
    ],
)
def test_a_unit_that_does_not_fit_is_refused_with_its_place(unit: str, message: str) -> None:
    with pytest.raises(BadDocument, match=message):
        supplemented(NODE.format(unit=unit, value="1"))


def test_a_supplement_for_another_passport_is_refused() -> None:
    path = SUPPLEMENTS[0]
    other = next(known for known in SUPPLEMENTS if known != path)
    with pytest.raises(BadDocument, match="says nothing of"):
        TURTLE.supplement(path.read_bytes(), passport_of(other.stem))


def test_what_nobody_knows_is_kept_for_the_owner_alone() -> None:
    passport = passport_of("ev-nmc811-82")
    line = f'<{passport.record}> <https://example.org/secret> "canary" .\n'
    read = TURTLE.load(TURTLE.dump(passport) + line.encode()).passport
    graph = graph_name(passport.record, AccessClass.DOCUMENT)
    assert [quad.graph_name for quad in read.quads() if "canary" in str(quad.object)] == [graph]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("@prefix : <x:> .", "describes 0 passports", id="nothing"),
        pytest.param(
            f"@prefix bp: <{BP}> . <http://x/1> a bp:BatteryPassport . <http://x/2> a bp:BatteryPassport .",
            "describes 2 passports",
            id="two at once",
        ),
        pytest.param(
            f"@prefix bp: <{BP}> . <http://x/1> a bp:BatteryPassport .", "names no battery", id="no battery"
        ),
        pytest.param("@prefix bp: <unfinished", "ine 1", id="not Turtle"),
    ],
)
def test_rdf_that_is_no_passport_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadDocument, match=message):
        TURTLE.load(text.encode())


def test_a_foreign_named_graph_is_refused() -> None:
    passport = passport_of("ev-nmc811-82")
    known = format_named("n-quads")
    stray = Quad(
        NamedNode("http://x/s"), NamedNode("http://x/p"), NamedNode("http://x/o"), NamedNode("http://x/g")
    )
    with pytest.raises(BadDocument, match="is no graph of"):
        known.load(known.dump(passport) + f"{stray} .\n".encode())


def test_each_version_goes_out_under_its_own_name() -> None:
    passport = passport_of("ev-nmc811-82")
    new, old = (format_named(f"battery_pass-{version}").dump(passport) for version in ("6.1.0", "6.0.0"))
    assert b'"specVersion": "urn:io.catenax.battery.battery_pass:6.1.0"' in new
    assert b"specVersion" not in old
    assert detect(old).load(old).passport.model == passport.model
