"""The data of one validation, in the forms that are wanted; each is made when first asked for."""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property

from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.attributes import Reading
from battpass.kg.concepts import ConceptTable
from battpass.kg.graphs import AccessClass
from battpass.kg.index import Index
from battpass.kg.namespaces import RDF, XSD, expand
from battpass.kg.passport import DESCRIBES, Passport
from battpass.kg.validation.compiled.index import Index as CompiledIndex
from battpass.kg.validation.shapes import VALIDATED_ON


class Data:
    """Statements under validation: what one record says, and those on what it refers to."""

    def __init__(self, statements: Iterable[Quad], reference: Iterable[Quad] = ()) -> None:
        self.statements = tuple(statements)
        self._reference = tuple(reference)

    @cached_property
    def quads(self) -> frozenset[Quad]:
        """All statements, without graph names."""
        return frozenset(
            Quad(quad.subject, quad.predicate, quad.object) for quad in (*self.statements, *self._reference)
        )

    @cached_property
    def index(self) -> Index:
        """What the record says: objects by subject and predicate."""
        return Index(self.statements)

    @cached_property
    def reading(self) -> Reading:
        """What the record says, with its passport, battery and model."""
        return Reading(self.index)

    @cached_property
    def parents(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """Which nodes of the record point to a node, and with what property."""
        found: dict[str, set[tuple[str, str]]] = {}
        for quad in self.statements:
            if isinstance(quad.subject, NamedNode) and isinstance(quad.object, NamedNode):
                found.setdefault(quad.object.value, set()).add((quad.subject.value, quad.predicate.value))
        return {node: tuple(sorted(pairs)) for node, pairs in found.items()}

    @cached_property
    def compiled(self) -> CompiledIndex:
        """The statements as compiled shapes look at them."""
        return CompiledIndex((*self.statements, *self._reference))


def data_of(passport: Passport, reference: Iterable[Quad], on: date) -> Data:
    """Return what is validated of a passport on a day.

    Residue is left out: it is not RDF that anybody stated. The reference individuals are part of the
    data, because a code counts only if the data say of what scheme it is.
    """
    statements = [
        quad
        for graphs in (passport.item_graphs, passport.model_graphs)
        for access, part in graphs.items()
        if access is not AccessClass.DOCUMENT
        for quad in part
    ]
    day = Literal(on.isoformat(), datatype=NamedNode(XSD + "date"))
    context = [
        Quad(quad.subject, NamedNode(VALIDATED_ON), day) for quad in statements if quad.predicate == DESCRIBES
    ]
    return Data([*statements, *context], reference)


def reference_individuals(concepts: ConceptTable) -> tuple[Quad, ...]:
    """Return what shapes need to know of the concepts: that they are some, and of which scheme."""
    kind, scheme = NamedNode(RDF + "type"), NamedNode(expand("skos:inScheme"))
    return tuple(
        quad
        for concept in concepts
        for quad in (
            Quad(NamedNode(concept.iri), kind, NamedNode(expand("skos:Concept"))),
            Quad(NamedNode(concept.iri), scheme, NamedNode(concept.scheme_iri)),
        )
    )
