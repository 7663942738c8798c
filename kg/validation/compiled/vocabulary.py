"""The terms of SHACL that code needs by name."""

from pyoxigraph import BlankNode, NamedNode

from battpass.kg.namespaces import RDF, RDFS, XSD

Node = NamedNode | BlankNode

SH = "http://www.w3.org/ns/shacl#"


def sh(local: str) -> NamedNode:
    """Return the term of SHACL with a local name."""
    return NamedNode(SH + local)


TYPE = NamedNode(RDF + "type")
FIRST, REST, NIL = NamedNode(RDF + "first"), NamedNode(RDF + "rest"), NamedNode(RDF + "nil")
SUBCLASS = NamedNode(RDFS + "subClassOf")
CLASS = NamedNode(RDFS + "Class")
# OWL makes it a subclass of the former; shapes of the field rely on that without saying so.
OWL_CLASS = NamedNode("http://www.w3.org/2002/07/owl#Class")
IMPORTS = NamedNode("http://www.w3.org/2002/07/owl#imports")
BOOLEAN, INTEGER = NamedNode(XSD + "boolean"), NamedNode(XSD + "integer")
STRING, LANG_STRING = NamedNode(XSD + "string"), NamedNode(RDF + "langString")

PATH = sh("path")
PROPERTY = sh("property")
NODE_SHAPE, PROPERTY_SHAPE = sh("NodeShape"), sh("PropertyShape")
VIOLATION = sh("Violation")
TARGETS = tuple(sh(local) for local in ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf"))

# The parameters of the core language and of SHACL-SPARQL: their subjects are shapes.
_PARAMETERS = """
and class closed datatype disjoint equals flags hasValue ignoredProperties in languageIn lessThan
lessThanOrEquals maxCount maxExclusive maxInclusive maxLength minCount minExclusive minInclusive minLength
node nodeKind not or pattern property qualifiedMaxCount qualifiedMinCount qualifiedValueShape
qualifiedValueShapesDisjoint sparql uniqueLang xone
"""
PARAMETERS = frozenset(map(sh, _PARAMETERS.split()))
SHAPE_EXPECTING = tuple(sh(local) for local in ("node", "not", "property", "qualifiedValueShape"))
SHAPE_LISTS = tuple(sh(local) for local in ("and", "or", "xone"))

# What else of the vocabulary may stand at a shape, and constrains nothing there. A node may be a shape and
# something else of the vocabulary at once, so that is here too.
_BESIDE = """
path deactivated severity message name description order group defaultValue
targetNode targetClass targetSubjectsOf targetObjectsOf
select ask prefixes declare prefix namespace parameter optional validator nodeValidator propertyValidator
labelTemplate shapesGraph suggestedShapesGraph entailment
alternativePath inversePath zeroOrMorePath oneOrMorePath zeroOrOnePath
conforms result detail focusNode resultPath resultSeverity resultMessage value sourceConstraint
sourceConstraintComponent sourceShape
"""
KNOWN = PARAMETERS | frozenset(map(sh, _BESIDE.split()))

# SHACL Advanced Features, which pySHACL runs.
ADVANCED_PROPERTIES = frozenset(sh(local) for local in ("rule", "target", "expression", "values"))
ADVANCED_TYPES = frozenset(
    sh(local) for local in ("SPARQLFunction", "SPARQLTarget", "SPARQLTargetType", "SPARQLRule", "TripleRule")
)
# SHACL-JS, which nothing here runs.
SCRIPTS = frozenset(sh(local) for local in ("js", "jsFunctionName", "jsLibrary", "jsLibraryURL"))
