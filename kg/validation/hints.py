"""How a form shows a field: the widgets of DASH and of SHACL UI that fit what a property shape asks for.

Both vocabularies call their widgets by the same names, so one rule serves both.
"""

from typing import NamedTuple

from pyoxigraph import NamedNode

from battpass.kg.index import Term
from battpass.kg.namespaces import PREFIXES, XSD, expand
from battpass.kg.validation.shapes import SCHEME, SH, ShapeSet

VOCABULARIES = (PREFIXES["dash"], PREFIXES["shui"])
EXAMPLE = expand("skos:example")

# What many passports share is looked up by a few letters; what belongs to one is filled in on the spot.
_SHARED_CLASSES = frozenset(map(expand, ("schema:Organization", "schema:Place")))


class Hints(NamedTuple):
    """The widgets of a field: local names, the same in DASH and SHACL UI."""

    editor: str
    viewer: str


_TEXT = Hints("TextFieldEditor", "LiteralViewer")
_LINK = Hints("URIEditor", "URIViewer")
_CODE = Hints("InstancesSelectEditor", "LabelViewer")
_SHARED = Hints("AutoCompleteEditor", "LabelViewer")
_DETAILS = Hints("DetailsEditor", "DetailsViewer")
_OF_DATATYPE = {
    XSD + "date": Hints("DatePickerEditor", "LiteralViewer"),
    XSD + "dateTime": Hints("DateTimePickerEditor", "LiteralViewer"),
    XSD + "boolean": Hints("BooleanSelectEditor", "LiteralViewer"),
}


def hints_of(shapes: ShapeSet, iri: str) -> Hints:
    """Return the widgets of a property shape, by the first of its constraints that says what values are like.

    A rule, which only compares values, has the widgets of the field that it is about.
    """
    for values in shapes.objects(iri, "in"):
        named = all(isinstance(value, NamedNode) for value in shapes.list_of(values))
        return Hints("EnumSelectEditor", "LabelViewer" if named else "LiteralViewer")
    for node in shapes.objects(iri, "node"):
        return _CODE if shapes.index.one(_iri(node), SCHEME) else _DETAILS
    for kind in shapes.objects(iri, "class"):
        return _SHARED if _iri(kind) in _SHARED_CLASSES else _DETAILS
    for datatype in shapes.objects(iri, "datatype"):
        return _OF_DATATYPE.get(_iri(datatype), _TEXT)
    if shapes.objects(iri, "hasValue"):
        return _CODE
    for kind in shapes.objects(iri, "nodeKind"):
        return _LINK if _iri(kind) == SH + "IRI" else _TEXT
    routes = shapes.property_shapes[iri].routes
    field = shapes.with_path(routes[0][0]) if len(routes) == len(routes[0]) == 1 else None
    return _TEXT if field is None or field.iri == iri else hints_of(shapes, field.iri)


def _iri(term: Term) -> str:
    return term.value if isinstance(term, NamedNode) else ""
