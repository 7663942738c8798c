"""Make `ontology/context.jsonld`: short names for JSON-LD 1.1, drawn from own terms, units and lock.

    python -m battpass.kg.ontology.context

writes it anew after a term has changed. A name stands for one IRI or for none: where two terms share a
label, neither gets it.

Decimals are to be written as JSON strings ("94.5"): JSON-LD reads a bare 94.5 as a double and makes the
decimal `9.45E1` of it, which is none.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from pyoxigraph import NamedNode, RdfFormat, parse

from battpass.kg.namespaces import BP, PREFIXES, RDF, RDFS, XSD, expand, shorten
from battpass.kg.ontology.lock import TermLock
from battpass.kg.resources import ontology_path

_FILES = ("battpass.ttl", "properties.ttl", "attributes.ttl", "concepts.ttl")
_OWL, _SKOS = PREFIXES["owl"], PREFIXES["skos"]

# Vocabularies whose labels are names. BVCO's are too, but it gives the names of BattINFO to other things.
_NAMED = ("emmo", "battery", "echem", "chemsub")
# Others whose terms stand in passports; dcterms and schema.org share some names, and schema.org wins.
_BORROWED = ("foaf", "prov", "dcterms", "schema")

_HAS_UNIT = "emmo:EMMO_bed1d005_b04e_4a90_94cf_02bc678a8569"
_HAS_NUMBER = "emmo:EMMO_faf79f53_749d_40b2_807c_d34244c192f4"
_COERCED = {
    _HAS_UNIT: "@vocab",
    "bp:statedUnit": "@vocab",
    _HAS_NUMBER: "xsd:decimal",
    "emmo:EMMO_e1097637_70d2_4895_973f_2396f04fa204": "@id",
    "emmo:EMMO_8ef3cd6d_ae58_4a8d_9fc0_ad8f49015cd0": "@id",
    "dcterms:issued": "xsd:date",
    "dcterms:modified": "xsd:date",
    "schema:expires": "xsd:date",
}

Definition = str | dict[str, str]


def context(folder: Path | None = None) -> Mapping[str, object]:
    """Return the context as JSON-LD wants it: keywords and prefixes, own terms, borrowed ones.

    `folder` holds the Turtle files and the lock; the installed `ontology/` is read if none is given.
    """
    folder = folder or ontology_path()
    own = dict(sorted(_own(folder)))
    borrowed = dict(sorted(_borrowed(TermLock.load(folder / "term-lock.csv"), own)))
    return {"@version": 1.1, "id": "@id", "type": "@type"} | PREFIXES | borrowed | own


def as_json(names: Mapping[str, object]) -> str:
    """Return the text of the context file."""
    return json.dumps({"@context": names}, ensure_ascii=False, indent=1) + "\n"


def _own(folder: Path) -> Iterator[tuple[str, Definition]]:
    facts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in _FILES:
        for quad in parse((folder / name).read_bytes(), RdfFormat.TURTLE):
            if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode):
                facts[quad.subject.value][quad.predicate.value].append(quad.object.value)
    for iri, said in facts.items():
        local = iri.removeprefix(BP)
        kinds, ranges = said[RDF + "type"], said[RDFS + "range"]
        if local == iri or not local.isalnum() or local in PREFIXES:
            continue
        if _OWL + "ObjectProperty" in kinds:
            # Codes and units may be written by name, things by IRI.
            kind = "@vocab" if _SKOS + "Concept" in ranges else "@id"
            yield local, _coerced(iri, _COERCED.get(shorten(iri), kind))
        elif _OWL + "DatatypeProperty" in kinds and ranges and ranges[0] != XSD + "string":
            yield local, _coerced(iri, shorten(ranges[0]))
        elif {_OWL + "Class", _OWL + "DatatypeProperty", _SKOS + "Concept"} & set(kinds):
            yield local, shorten(iri)


def _borrowed(lock: TermLock, own: Mapping[str, Definition]) -> Iterator[tuple[str, Definition]]:
    claims: dict[str, list[str]] = defaultdict(list)
    for term in lock:
        prefix = term.curie.partition(":")[0]
        if prefix in _NAMED and term.label.isalnum():
            claims[term.label].append(term.curie)
    for prefix in _BORROWED:
        for term in lock:
            if term.curie.startswith(prefix + ":"):
                claims[term.label] = [term.curie]
    for name, curies in claims.items():
        if len(curies) == 1 and name not in own and name not in PREFIXES:
            kind = _COERCED.get(curies[0])
            yield name, _coerced(expand(curies[0]), kind) if kind else curies[0]


def _coerced(iri: str, kind: str) -> Definition:
    return {"@id": shorten(iri), "@type": kind}


if __name__ == "__main__":
    ontology_path("context.jsonld").write_text(as_json(context()), encoding="utf-8")
