"""The tables as Turtle: `attributes.ttl`, `properties.ttl` and `concepts.ttl` of `ontology/`.

The tables are the source; the files are what queries and other tools read. They hold no blank nodes and
no dates of their own, so equal tables give equal bytes. `python -m battpass.kg.ontology.turtle` writes
them anew after a table has changed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from battpass.kg.attributes import Attribute, load_attributes
from battpass.kg.concepts import Chemistry, Concept, ConceptTable, Scheme, load_chemistries, load_schemes
from battpass.kg.namespaces import BP, PREFIXES, expand, shorten
from battpass.kg.obligations import Bindingness, Obligation, Obligations
from battpass.kg.ontology.units import UnitTable
from battpass.kg.properties import Property, load_properties
from battpass.kg.quantities import QuantityKind, load_quantities
from battpass.kg.resources import ontology_path
from battpass.kg.tables import Labels

SPECIFICATION = "DIN DKE SPEC 99100:2025-02"
REGULATION = "Regulation (EU) 2023/1542"

_HAS_PROPERTY = "emmo:EMMO_e1097637_70d2_4895_973f_2396f04fa204"
_DOMAINS = {
    "passport": "bp:BatteryPassport",
    "battery": "battery:battery_74ed2670_657d_4f0b_b0a6_3f13bc2e9c17",
    "model": "battery:battery_c25c3fb4_14ce_4640_abcc_d4a6e641fee4",
}
_KINDS = {
    "object": "owl:ObjectProperty",
    "datatype": "owl:DatatypeProperty",
    "annotation": "owl:AnnotationProperty",
}
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_PREFIX = re.compile(r"\b([a-z]+):")
_NATURES = {"declared": ("declared", "erklärt"), "measured": ("measured", "gemessen")}

# Predicate and object, both as Turtle.
Statement = tuple[str, str]
Block = tuple[str, list[Statement]]


def attributes_turtle(folder: Path | None = None) -> str:
    """Return the attributes with their obligations, from the tables that are installed or lie in `folder`."""
    attributes = load_attributes(_table(folder, "attributes.csv"))
    obligations = Obligations.load(_table(folder, "obligations.csv"), attributes)
    kinds = _property_kinds(folder, attributes)
    return _document(
        "Attributes of battery passports and the duties to give them",
        "Attribute von Batteriepässen und die Pflichten, sie anzugeben",
        "attributes",
        [
            _obligation_class(),
            *_foreign_properties(attributes.values(), kinds),
            *(_attribute(attribute, kinds[attribute.name]) for attribute in attributes.values()),
            *(
                _obligation(obligation)
                for obligation in obligations
                if obligation.bindingness is not Bindingness.NONE
            ),
        ],
    )


def properties_turtle(folder: Path | None = None) -> str:
    """Return the own properties: those of the property table, and two for each kind of quantity."""
    attributes = load_attributes(_table(folder, "attributes.csv"))
    properties = load_properties(_table(folder, "properties.csv"), attributes)
    quantities = load_quantities(_table(folder, "quantities.csv"))
    units = UnitTable.load(_table(folder, "units.csv"))
    blocks = [_property(property_) for property_ in properties.values()]
    for kind in quantities.values():
        blocks.append(_link(kind, attributes))
        blocks.append(_compact(kind, attributes, units))
    return _document(
        "Properties of battery passports", "Eigenschaften von Batteriepässen", "properties", blocks
    )


def concepts_turtle(folder: Path | None = None) -> str:
    """Return the concept schemes with their codes."""
    concepts = ConceptTable.load(_table(folder, "concepts.csv"))
    schemes = load_schemes(_table(folder, "schemes.csv"))
    chemistries = load_chemistries(_table(folder, "chemistries.csv"))
    return _document(
        "Codes of battery passports",
        "Codes von Batteriepässen",
        "concepts",
        [
            *(_scheme(scheme) for scheme in schemes.values()),
            *(_concept(concept, chemistries.get(concept.iri)) for concept in concepts),
        ],
    )


FILES: Mapping[str, Callable[[Path | None], str]] = {
    "attributes.ttl": attributes_turtle,
    "properties.ttl": properties_turtle,
    "concepts.ttl": concepts_turtle,
}


def write(folder: Path | None = None) -> None:
    """Write the files anew into the folder of the ontology, or into another one that holds the tables."""
    for name, turtle in FILES.items():
        (folder or ontology_path()).joinpath(name).write_text(turtle(folder), encoding="utf-8", newline="\n")


def _attribute(attribute: Attribute, kind: str) -> Block:
    sources = [_text(f"{SPECIFICATION}, {attribute.chapter}")]
    if attribute.clause:
        sources.append(_text(f"{REGULATION}, {attribute.clause}"))
    return f"bp:{attribute.name}", [
        ("a", kind),
        *_names(attribute.labels, attribute.definitions),
        ("bp:attributeNumber", str(attribute.number)),
        *_texts("bp:submodel", attribute.submodel),
        *_texts("bp:level", attribute.level),
        *_texts("bp:levelInLonglist", attribute.level_longlist),
        *_texts("bp:behaviour", attribute.behaviour),
        *_texts("bp:accessClass", attribute.access.value),
        *_texts("bp:cardinality", attribute.cardinality),
        *_texts("bp:subject", attribute.subject),
        *_texts("bp:path", attribute.path.text),
        *_texts("bp:nearestPath", attribute.nearest.text if attribute.nearest else ""),
        *_texts("bp:valueShape", attribute.shape),
        *_texts("bp:valueType", attribute.datatype),
        *([("bp:unit", attribute.unit)] if attribute.unit else []),
        *((shorten(match.relation), shorten(match.term)) for match in attribute.alignment),
        *_texts("bp:sammProperty", attribute.samm),
        *_texts("bp:chapter", attribute.chapter),
        *_texts("bp:clause", attribute.clause),
        ("dcterms:source", " , ".join(sources)),
    ]


def _obligation_class() -> Block:
    return "bp:Obligation", [
        ("a", "owl:Class"),
        *_names(
            Labels("obligation", "Pflicht"),
            Labels(
                "What an act or a standard asks for one attribute of one battery category.",
                "Was ein Rechtsakt oder eine Norm zu einem Attribut einer Batteriekategorie verlangt.",
            ),
        ),
    ]


def _obligation(obligation: Obligation) -> Block:
    day = obligation.applies_from
    return f"bp:{obligation.iri.removeprefix(BP)}", [
        ("a", "bp:Obligation"),
        ("bp:ofAttribute", f"bp:{obligation.attribute}"),
        ("bp:forCategory", shorten(obligation.category.class_iri)),
        *_texts("bp:bindingness", obligation.bindingness.value),
        *_texts("bp:condition", obligation.condition.text),
        *_texts("bp:act", obligation.act),
        *_texts("bp:clause", obligation.clause),
        *([("bp:appliesFrom", f'"{day.isoformat()}"^^xsd:date')] if day else []),
        *_texts("bp:awaits", obligation.awaits),
        *_texts("rdfs:comment", obligation.note),
    ]


def _property(property_: Property) -> Block:
    texts = (
        _names(property_.labels, property_.definitions) if property_.labels and property_.definitions else []
    )
    return f"bp:{property_.name}", [
        ("a", _KINDS[property_.kind]),
        *texts,
        *([("rdfs:subPropertyOf", shorten(property_.sub_property_of))] if property_.sub_property_of else []),
        *([("rdfs:domain", shorten(property_.domain))] if property_.domain else []),
        *([("rdfs:range", shorten(property_.range))] if property_.range else []),
    ]


def _link(kind: QuantityKind, attributes: Mapping[str, Attribute]) -> Block:
    parents = [_HAS_PROPERTY]
    served = attributes.get(kind.attribute)
    # A quantity of a list entry serves the attribute too, but it is no value of the model.
    if served and served.name not in (kind.key, kind.compact) and served.subject == kind.subject:
        parents.append(f"bp:{served.name}")
    nature_en, nature_de = _NATURES[kind.nature]
    return f"bp:{kind.key}", [
        ("a", "owl:ObjectProperty"),
        *_quantity_names(
            kind.key,
            attributes,
            kind.labels,
            f"The {nature_en} quantity itself, with value and unit.",
            f"Die Größe selbst ({nature_de}), mit Wert und Einheit.",
        ),
        ("rdfs:subPropertyOf", " , ".join(parents)),
        *_domain(kind),
        ("rdfs:range", shorten(kind.class_iri)),
        ("bp:quantityClass", shorten(kind.class_iri)),
        *_quantity_marks(kind),
        ("bp:compactForm", f"bp:{kind.compact}"),
    ]


def _compact(kind: QuantityKind, attributes: Mapping[str, Attribute], units: UnitTable) -> Block:
    symbol = units.by_alias(kind.unit).symbol
    nature_en, nature_de = _NATURES[kind.nature]
    return f"bp:{kind.compact}", [
        ("a", "owl:DatatypeProperty"),
        *_quantity_names(
            kind.compact,
            attributes,
            Labels(f"{kind.labels.en} ({symbol})", f"{kind.labels.de} ({symbol})"),
            f"The bare number of the {nature_en} quantity in the unit {symbol}.",
            f"Der bloße Zahlenwert der Größe ({nature_de}) in der Einheit {symbol}.",
        ),
        *_domain(kind),
        ("rdfs:range", "xsd:decimal"),
        *_quantity_marks(kind),
        ("bp:quantityProperty", f"bp:{kind.key}"),
    ]


def _quantity_names(
    name: str, attributes: Mapping[str, Attribute], labels: Labels, english: str, german: str
) -> list[Statement]:
    """The texts of a quantity's property, none where it is an attribute and has better ones there."""
    return [] if name in attributes else _names(labels, Labels(english, german))


def _quantity_marks(kind: QuantityKind) -> list[Statement]:
    return [("bp:unit", kind.unit), *_texts("bp:nature", kind.nature)]


def _domain(kind: QuantityKind) -> list[Statement]:
    return [("rdfs:domain", _DOMAINS[kind.subject])] if kind.subject in _DOMAINS else []


def _scheme(scheme: Scheme) -> Block:
    return f"bp:{scheme.name}", [("a", "skos:ConceptScheme"), *_names(scheme.labels, scheme.definitions)]


def _concept(concept: Concept, chemistry: Chemistry | None) -> Block:
    related = (*chemistry.cell, *chemistry.bvco_cell) if chemistry else ()
    return f"bp:{concept.iri.removeprefix(BP)}", [
        ("a", "skos:Concept"),
        ("skos:inScheme", f"bp:{concept.scheme}"),
        ("rdfs:label", _tagged(concept.labels)),
        ("skos:prefLabel", _tagged(concept.labels)),
        ("skos:notation", _text(concept.notation)),
        *([("skos:hiddenLabel", " , ".join(map(_text, concept.aliases)))] if concept.aliases else []),
        *([("skos:exactMatch", shorten(concept.match))] if concept.match else []),
        *([("skos:relatedMatch", " , ".join(map(shorten, related)))] if related else []),
    ]


def _foreign_properties(attributes: Iterable[Attribute], kinds: Mapping[str, str]) -> Iterator[Block]:
    """Say what kind of property each foreign parent is, so that a reasoner needs no other file."""
    parents = {
        shorten(match.term): kinds[attribute.name]
        for attribute in attributes
        for match in attribute.alignment
        if match.relation == expand("rdfs:subPropertyOf")
    }
    for parent, kind in sorted(parents.items()):
        yield parent, [("a", kind)]


def _property_kinds(folder: Path | None, attributes: Mapping[str, Attribute]) -> dict[str, str]:
    properties = load_properties(_table(folder, "properties.csv"), attributes)
    quantities = load_quantities(_table(folder, "quantities.csv"))
    # An attribute that a changed table has added may have no row of its own yet: then its path decides.
    kinds = {
        name: "owl:DatatypeProperty" if attribute.shape == "scalar" else "owl:ObjectProperty"
        for name, attribute in attributes.items()
    }
    kinds |= {name: _KINDS[property_.kind] for name, property_ in properties.items()}
    for kind in quantities.values():
        kinds[kind.key] = "owl:ObjectProperty"
        kinds[kind.compact] = "owl:DatatypeProperty"
    return kinds


def _table(folder: Path | None, name: str) -> Path | None:
    """Return the table in `folder`, None for the installed one if the folder has none of that name."""
    path = folder / name if folder else None
    return path if path and path.is_file() else None


def _document(title_en: str, title_de: str, name: str, blocks: Iterable[Block]) -> str:
    body = "\n".join(_block(subject, statements) for subject, statements in blocks)
    used = set(_PREFIX.findall(_QUOTED.sub("", body))) | {"owl", "rdfs"}
    declarations = "".join(f"@prefix {prefix}: <{PREFIXES[prefix]}> .\n" for prefix in sorted(used))
    header = _block(
        f"<https://w3id.org/battpass/ontology/{name}>",
        [
            ("a", "owl:Ontology"),
            ("rdfs:label", f"{_text(title_en)}@en , {_text(title_de)}@de"),
            ("rdfs:comment", '"Generated from the tables beside this file; change those."@en'),
        ],
    )
    return f"{declarations}\n{header}\n{body}"


def _block(subject: str, statements: list[Statement]) -> str:
    lines = " ;\n    ".join(f"{predicate} {objects}" for predicate, objects in statements)
    return f"{subject} {lines} .\n"


def _names(labels: Labels, definitions: Labels) -> list[Statement]:
    return [
        ("rdfs:label", _tagged(labels)),
        ("skos:prefLabel", _tagged(labels)),
        ("skos:definition", _tagged(definitions)),
    ]


def _tagged(labels: Labels) -> str:
    return f"{_text(labels.en)}@en , {_text(labels.de)}@de"


def _texts(predicate: str, text: str) -> list[Statement]:
    return [(predicate, _text(text))] if text else []


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


if __name__ == "__main__":
    write()
