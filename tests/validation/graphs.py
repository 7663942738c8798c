"""A small passport written by hand as triples, for faults that no JSON payload can hold."""

from collections.abc import Iterable
from datetime import date

from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from battpass.kg.graphs import AccessClass, Finding
from battpass.kg.namespaces import PREFIXES
from battpass.kg.passport import Passport
from battpass.kg.validation.validator import Report, Validator

RECORD = "https://w3id.org/battpass/id/p/00000000-0000-4000-8000-000000000001"
MODEL = "https://w3id.org/battpass/id/model/m"

# Conforms: what every passport must have, and one quantity in both forms.
SOUND = """
<> a bp:BatteryPassport ; bp:describes <#battery> ; bp:operator <#maker> ; schema:version "1" ;
    bp:passportIdentifier "urn:uuid:00000000-0000-4000-8000-000000000001" ;
    dcterms:issued "2026-01-01"^^xsd:date ; schema:expires "2046-01-01"^^xsd:date .
<#maker> a schema:Organization ; schema:identifier "BPNL00000000FACT" .
<#battery> bp:batteryIdentifier "B-1" ; bp:model m: ; bp:dataCarrierType "QR" .
m: bp:batteryCategory bp:CategoryElectricVehicle .
"""


def statements(turtle: str) -> list[Quad]:
    """Return the statements of Turtle; `<>` is the record, `m:` the model, `<m#x>` its parts."""
    heads = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    text = f"@base <{RECORD}> .\n@prefix m: <{MODEL}> .\n@prefix part: <{MODEL}#> .\n{heads}{turtle}"
    return list(parse(text.encode(), format=RdfFormat.TURTLE))


def sound() -> list[Quad]:
    """Return a passport that conforms."""
    return statements(SOUND)


def passport(quads: Iterable[Quad]) -> Passport:
    """Return quads as a passport; what is said of the model goes to the model's graphs."""
    item, model = set(), set()
    for quad in quads:
        mine = str(quad.subject).startswith(f"<{MODEL}")
        graph = NamedNode(f"{MODEL if mine else RECORD}/public")
        (model if mine else item).add(Quad(quad.subject, quad.predicate, quad.object, graph))
    return Passport(
        RECORD, MODEL, {AccessClass.PUBLIC: frozenset(item)}, {AccessClass.PUBLIC: frozenset(model)}
    )


def findings(turtle: str, only: Iterable[str], on: date = date(2026, 11, 21)) -> list[Finding]:
    """Return what some shape files find in the sound passport with more said of it, duties ahead left out."""
    validator = Validator.load(on, only=[*only, "reference"])
    return of_shapes(validator.validate(passport([*sound(), *statements(turtle)])))


def of_shapes(report: Report) -> list[Finding]:
    """Return the findings that are not about duties ahead: the sound passport owes nearly everything."""
    return [finding for finding in report.findings if finding.code not in ("due", "advice")]
