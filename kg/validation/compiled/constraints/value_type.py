"""Value types: `sh:class`, `sh:datatype`, `sh:nodeKind`."""

from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import BlankNode, Literal, NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.constraints.base import (
    Constraint,
    Judges,
    TermConstraint,
    TermTest,
    ValueConstraint,
    ValueTest,
)
from battpass.kg.validation.compiled.literals import well_formed
from battpass.kg.validation.compiled.syntax import Description, shown
from battpass.kg.validation.compiled.vocabulary import sh

KINDS: dict[NamedNode, tuple[type, ...]] = {
    sh("IRI"): (NamedNode,),
    sh("BlankNode"): (BlankNode,),
    sh("Literal"): (Literal,),
    sh("BlankNodeOrIRI"): (BlankNode, NamedNode),
    sh("BlankNodeOrLiteral"): (BlankNode, Literal),
    sh("IRIOrLiteral"): (NamedNode, Literal),
}


def read(description: Description) -> Iterator[Constraint]:
    """Yield the constraints of a shape on value types."""
    for kind in description.iris("class"):
        yield Class(kind)
    if (datatype := description.iri("datatype")) is not None:
        yield Datatype(datatype)
    if (node_kind := description.one("nodeKind")) is not None:
        if not isinstance(node_kind, NamedNode) or node_kind not in KINDS:
            kinds = ", ".join(shown(kind) for kind in KINDS)
            raise description.said("nodeKind").bad(f"is {shown(node_kind)}", f"Write one of {kinds}")
        yield NodeKind(node_kind)


@dataclass(frozen=True)
class Class(ValueConstraint):
    """Each value node is an instance of the class or of one below it."""

    kind: NamedNode
    component = sh("ClassConstraintComponent")

    def test(self, judges: Judges) -> ValueTest:
        kind = self.kind
        return lambda run, value: run.index.is_instance(value, kind)


@dataclass(frozen=True)
class Datatype(TermConstraint):
    """Each value node is a literal of the datatype, and its text one that the datatype has."""

    datatype: NamedNode
    component = sh("DatatypeConstraintComponent")

    def test(self) -> TermTest:
        datatype, iri = self.datatype, self.datatype.value

        def holds(value: Term) -> bool:
            if not isinstance(value, Literal) or value.datatype != datatype:
                return False
            return bool(value.language) or well_formed(value.value, iri)

        return holds


@dataclass(frozen=True)
class NodeKind(TermConstraint):
    """Each value node is an IRI, a blank node or a literal, or one of two of these."""

    kind: NamedNode
    component = sh("NodeKindConstraintComponent")

    def test(self) -> TermTest:
        kinds = KINDS[self.kind]
        return lambda value: isinstance(value, kinds)
