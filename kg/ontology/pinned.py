"""The pinned ontology files, as far as a check or an extract needs them. Never read at run time.

They are not part of the product. Their folder is given by whoever has it (`ontologies/` of the
shared material); its README lists versions and licences.
"""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import Literal, NamedNode, RdfFormat, Store, parse

from battpass.kg.errors import NotFound
from battpass.kg.namespaces import PREFIXES, RDF, RDFS

OWL, SKOS, QUDT = PREFIXES["owl"], PREFIXES["skos"], PREFIXES["qudt"]

# Declared kinds of term, the strongest first: domain-battery declares four EMMO properties a second
# time, as annotation properties.
KINDS = (
    OWL + "ObjectProperty",
    OWL + "DatatypeProperty",
    OWL + "AnnotationProperty",
    OWL + "Class",
    OWL + "NamedIndividual",
    QUDT + "Unit",
    RDFS + "Datatype",
)

# domain-battery 0.20.1 deprecates these; 0.20.2 defines them anew (its issue 74). Those with silicon
# stay deprecated.
LIVE_AGAIN = frozenset(
    PREFIXES["battery"] + "battery_" + local
    for local in (
        "04a4e5a4_e6fd_43af_b1ca_4a16d5f8886c",  # LFP
        "2018e0da_4c25_46e9_83db_38431fc81ce0",  # graphite
        "217e44ed_efd9_4b9e_9cb4_1f7488d996b2",  # NCA
        "45804eeb_fba3_49dd_ae79_6b4e958d6e09",  # LMO
        "4f0b1312_da2f_4039_a06d_d571ce51f835",  # LCO
        "834095fa_f684_4368_a7ce_853579a1362a",  # NMC
        "c429bb30_50d6_4cec_ae7e_279f59c36ccd",  # LMFP
        "fd811dc3_8c37_4741_a099_78e26e4110ef",  # LTO
    )
)

_TURTLE = {
    "closure": "battinfo-closure-asserted.ttl.gz",
    "units": "emmo-1.0.2-units-not-in-closure.ttl.gz",
    "bvco": "bvco/bvco-light-w3id.ttl",
    "gpo": "bvco/GPO-ffa7778.ttl",
    "bdf": "bdf-1.3.0/battery-data-format.ttl",
    "qudt": "qudt/VOCAB_QUDT-UNITS-ALL.ttl.gz",
}
_INFERRED = "battinfo-closure-hermit-inferred.nt.gz"
_TYPE = NamedNode(RDF + "type")
_WHOLE_BVCO = "bvco/bvco-0.4.3-w3id.ttl"
_CONTEXT = "context/domain-battery-0.20.2.context.json"
_DOMAINS = tuple(PREFIXES[prefix] for prefix in ("battery", "echem", "chemsub"))

BDF = "https://w3id.org/battery-data-alliance/ontology/battery-data-format#"

# The namespaces whose terms are declared in these files; others are only borrowed there.
NAMESPACES = (
    *(PREFIXES[name] for name in ("emmo", "battery", "echem", "chemsub", "chameo", "bvco", "gpo", "unit")),
    BDF,
)

REASONED = "battinfo-closure-owldl.nt.gz"
LIGHT = _TURTLE["bvco"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the pinned files say of one term."""

    labels: frozenset[str]
    kind: str
    status: str


class Pinned:
    """The pinned files in one store, with the questions that checks and extracts ask."""

    def __init__(self, store: Store, context: Mapping[str, str]) -> None:
        self._store = store
        self._context = context

    @classmethod
    def load(cls, ontologies: Path) -> "Pinned":
        """Return the files of the folder `ontologies`, about half a second.

        Raises
        ------
        NotFound
            If one of the files is not there.
        """
        store = Store()
        for name, file in _TURTLE.items():
            store.load(read(ontologies / file), RdfFormat.TURTLE, to_graph=NamedNode(f"urn:pinned:{name}"))
        for quad in parse(read(ontologies / _INFERRED), RdfFormat.N_TRIPLES):
            # What HermiT infers of EMMO itself is mostly noise (a gram is a double, because of its symbol).
            if isinstance(quad.subject, NamedNode) and quad.subject.value.startswith(_DOMAINS):
                store.add(quad)
        # The light file leaves out the three properties of BVCO; the whole one has axioms that do not hold.
        whole = Store()
        whole.load(read(ontologies / _WHOLE_BVCO), RdfFormat.TURTLE)
        for found in whole.quads_for_pattern(None, _TYPE, NamedNode(OWL + "ObjectProperty")):
            if isinstance(found.subject, NamedNode) and found.subject.value.startswith(PREFIXES["bvco"]):
                store.extend(whole.quads_for_pattern(found.subject, None, None))
        terms = json.loads(read(ontologies / _CONTEXT))["@context"]
        context = {value if isinstance(value, str) else value["@id"]: name for name, value in terms.items()}
        return cls(store, context)

    def declaration(self, iri: str) -> Declaration | None:
        """Return what is said of a term, None where no file declares it and no context names it."""
        if not iri.startswith(NAMESPACES):
            return None
        types = {node.value for node in self._nodes(iri, RDF + "type")}
        kind = next((kind for kind in KINDS if kind in types), "")
        if kind:
            status = "declared"
            if any(value == "true" for value in self._texts(iri, OWL + "deprecated")):
                status = "deprecated-then-live" if iri in LIVE_AGAIN else "deprecated"
            return Declaration(self._labels(iri), kind, status)
        if iri in self._context:
            return Declaration(frozenset({self._context[iri]}), OWL + "Class", "context-only")
        return None

    def parents(self, iri: str) -> frozenset[str]:
        """Return the named superclasses or superproperties that are stated, or inferred by HermiT."""
        nodes = [*self._nodes(iri, RDFS + "subClassOf"), *self._nodes(iri, RDFS + "subPropertyOf")]
        return frozenset(node.value for node in nodes) - {iri, OWL + "Thing"}

    def ancestors(self, iri: str) -> frozenset[str]:
        """Return all named superclasses or superproperties, up to the top."""
        found: set[str] = set()
        open_ends = [iri]
        while open_ends:
            new = self.parents(open_ends.pop()) - found
            found |= new
            open_ends += new
        return frozenset(found - {iri})

    def _labels(self, iri: str) -> frozenset[str]:
        # QUDT has several languages under one property; EMMO and BVCO label in English.
        return frozenset(self._texts(iri, SKOS + "prefLabel", "en")) or frozenset(
            self._texts(iri, RDFS + "label", "en")
        )

    def _nodes(self, iri: str, predicate: str) -> list[NamedNode]:
        quads = self._store.quads_for_pattern(NamedNode(iri), NamedNode(predicate), None)
        return [quad.object for quad in quads if isinstance(quad.object, NamedNode)]

    def _texts(self, iri: str, predicate: str, language: str | None = None) -> list[str]:
        quads = self._store.quads_for_pattern(NamedNode(iri), NamedNode(predicate), None)
        literals = [quad.object for quad in quads if isinstance(quad.object, Literal)]
        return [text.value for text in literals if language is None or text.language in (language, None)]


def read(path: Path) -> bytes:
    """Return the content of a pinned file, unpacked where it is packed.

    Raises
    ------
    NotFound
        If it is not there.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound(
            f"The pinned file {path.name} is not in {path.parent}. Name the folder that holds the ontologies."
        ) from error
    return gzip.decompress(data) if path.suffix == ".gz" else data
