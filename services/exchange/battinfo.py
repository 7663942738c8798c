"""The cell of a passport's model as a BattINFO record (JSON-LD), written, not yet read.

BattINFO 0.7 describes cells and what lies below them; pack and module are on its roadmap. So the
record holds what the passport states of the cell: its chemistry, electrodes and active materials, and
the quantities of the cell itself. Nothing is computed from the pack.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyoxigraph import NamedNode

from battpass.kg.errors import BadDocument
from battpass.kg.index import Index
from battpass.kg.mapping.derive import (
    HAS_ACTIVE_MATERIAL,
    HAS_NEGATIVE_ELECTRODE,
    HAS_POSITIVE_ELECTRODE,
    IS_DESCRIPTION_FOR,
)
from battpass.kg.namespaces import PREFIXES, expand, shorten
from battpass.kg.passport import Passport
from battpass.kg.quantities import QuantityKind, load_quantities
from battpass.kg.quantity import (
    HAS_MEASUREMENT_UNIT,
    HAS_NUMBER_VALUE,
    HAS_NUMERICAL_PART,
    HAS_PROPERTY,
    NATURES,
    REAL_DATA,
    child,
    decode,
)
from battpass.services.exchange.registry import Loaded

CELL_SPECIFICATION = "battery:battery_1cfbba6c_8824_4932_a23e_2141483acef7"
CELL_QUANTITIES = ("initialCellResistance",)


@dataclass(frozen=True)
class BattinfoCell:
    """The cell specification record of BattINFO."""

    name: str = "battinfo-cell"
    title: str = "BattINFO cell specification (JSON-LD, written only)"
    media_type: str = "application/ld+json"
    suffix: str = ".jsonld"

    @cached_property
    def kinds(self) -> tuple[QuantityKind, ...]:
        """The quantities of a cell, read once."""
        quantities = load_quantities()
        return tuple(quantities[key] for key in CELL_QUANTITIES)

    def takes(self, data: bytes) -> bool:
        """Return False: records are written here, not read."""
        return False

    def load(self, data: bytes) -> Loaded:
        """Refuse: a cell record is no passport."""
        raise BadDocument(
            "BattINFO cell records are written here, not read. Import the passport as battery_pass or as RDF."
        )

    def dump(self, passport: Passport) -> bytes:
        """Return the record of the passport's cell.

        Raises
        ------
        BadDocument
            If the passport names no chemistry that the tables know, and so no cell.
        """
        index = Index(passport.quads())
        cell = child(passport.model, "cell")
        if cell not in index:
            raise BadDocument(
                f"{passport.record} states no known chemistry, so nothing is known of its cell. "
                "State identification.chemistry by one of the names in the scheme Chemistry."
            )
        record = {
            "@context": PREFIXES,
            "@id": child(passport.model, "cellSpecification"),
            "@type": [CELL_SPECIFICATION, "schema:CreativeWork"],
            "schema:category": "battery cell",
            **_maker(index, passport.model),
            shorten(IS_DESCRIPTION_FOR.value): _cell(index, cell),
            shorten(HAS_PROPERTY.value): list(_quantities(index, passport.model, self.kinds)),
        }
        return (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _maker(index: Index, model: str) -> dict[str, Any]:
    maker = index.text(model, expand("schema:manufacturer"))
    if maker is None:
        return {}
    organisation = {"@id": maker, "@type": "schema:Organization"}
    identifier = index.text(maker, expand("schema:identifier"))
    return {"schema:manufacturer": {**organisation, "schema:identifier": identifier or maker}}


def _cell(index: Index, cell: str) -> dict[str, Any]:
    node: dict[str, Any] = {"@id": cell, "@type": _types(index, cell)}
    for relation in (HAS_POSITIVE_ELECTRODE, HAS_NEGATIVE_ELECTRODE):
        electrode = index.text(cell, relation.value)
        if electrode is None:
            continue
        part: dict[str, Any] = {"@id": electrode, "@type": _types(index, electrode)}
        material = index.text(electrode, HAS_ACTIVE_MATERIAL.value)
        if material is not None:
            part[shorten(HAS_ACTIVE_MATERIAL.value)] = {"@id": material, "@type": _types(index, material)}
        node[shorten(relation.value)] = part
    return node


def _types(index: Index, node: str) -> list[str]:
    terms = index.objects(node, expand("rdf:type"))
    return [shorten(term.value) for term in terms if isinstance(term, NamedNode)]


def _quantities(index: Index, model: str, kinds: Iterable[QuantityKind]) -> Iterator[dict[str, Any]]:
    for kind in kinds:
        quantity = decode(index, model, kind)
        if quantity is not None:
            yield {
                "@type": [shorten(quantity.kind.class_iri), shorten(NATURES[quantity.kind.nature].value)],
                shorten(HAS_NUMERICAL_PART.value): {
                    "@type": shorten(REAL_DATA.value),
                    shorten(HAS_NUMBER_VALUE.value): {
                        "@value": str(quantity.value),
                        "@type": "xsd:decimal",
                    },
                },
                shorten(HAS_MEASUREMENT_UNIT.value): {"@id": expand(quantity.unit)},
            }


CELL = BattinfoCell()
