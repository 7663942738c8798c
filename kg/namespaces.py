"""Prefixes and the IRIs that code needs by name. Every foreign IRI stands in `ontology/term-lock.csv`."""

from pyoxigraph import NamedNode

BP = "https://w3id.org/battpass/ontology#"
BASE = "https://w3id.org/battpass/id/"
VOCABULARY_GRAPH = "https://w3id.org/battpass/graph/vocabulary"

EMMO = "https://w3id.org/emmo#"
XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"

PREFIXES = {
    "bp": BP,
    "emmo": EMMO,
    "battery": "https://w3id.org/emmo/domain/battery#",
    "echem": "https://w3id.org/emmo/domain/electrochemistry#",
    "chemsub": "https://w3id.org/emmo/domain/chemical-substance#",
    "chameo": "https://w3id.org/emmo/domain/characterisation-methodology/chameo#",
    "bvco": "https://bvco.ontology.link/",
    "gpo": "https://gpo.ontology.link/",
    "rdf": RDF,
    "rdfs": RDFS,
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": XSD,
    "sh": "http://www.w3.org/ns/shacl#",
    "dash": "http://datashapes.org/dash#",
    "shui": "http://www.w3.org/ns/shacl-ui#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dcterms": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "prov": "http://www.w3.org/ns/prov#",
    "schema": "https://schema.org/",
    "qudt": "http://qudt.org/schema/qudt/",
    "unit": "http://qudt.org/vocab/unit/",
    "csvw": "http://www.w3.org/ns/csvw#",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "mls": "http://www.w3.org/ns/mls#",
    "sosa": "http://www.w3.org/ns/sosa/",
}


def expand(curie: str) -> str:
    """Return the IRI of a prefixed name.

    >>> expand("bp:ratedCapacityAh")
    'https://w3id.org/battpass/ontology#ratedCapacityAh'
    """
    prefix, _, local = curie.partition(":")
    return PREFIXES[prefix] + local


def shorten(iri: str) -> str:
    """Return the prefixed name of an IRI, or the IRI itself where no prefix fits.

    >>> shorten("https://w3id.org/emmo#Volt")
    'emmo:Volt'
    """
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace) and (local := iri[len(namespace) :]) and "/" not in local:
            return f"{prefix}:{local}"
    return iri


def node(curie: str) -> NamedNode:
    """Return the node of a prefixed name."""
    return NamedNode(expand(curie))
