"""Counts what of SHACL random cases use, against a list of what there is to use."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from battpass.kg.validation.compiled import Plan
from battpass.kg.validation.compiled.constraints.value_type import NodeKind
from battpass.kg.validation.compiled.paths import Alternative, Inverse, Path, Predicate, Repeated, Steps
from battpass.kg.validation.compiled.plan import Shape
from battpass.kg.validation.compiled.sparql import Asks, Selects
from battpass.kg.validation.compiled.vocabulary import SH
from tests.shacl.material import EX, KINDS
from tests.shacl.rivals import OWN_COMPONENTS, Line

# All components of the Recommendation: part 2 (core) and part 3 (SPARQL).
_LOCAL = """
And Class Closed Datatype Disjoint Equals HasValue In LanguageIn LessThan LessThanOrEquals MaxCount
MaxExclusive MaxInclusive MaxLength MinCount MinExclusive MinInclusive MinLength Node NodeKind Not Or
Pattern Property QualifiedMaxCount QualifiedMinCount SPARQL UniqueLang Xone
"""
_SUFFIX = "ConstraintComponent"
COMPONENT_NAMES = (*_LOCAL.split(), *sorted(OWN_COMPONENTS))
# What brings about results of its own: those of `sh:property` are the results of the shape that it names.
SPEAKING = tuple(name for name in COMPONENT_NAMES if name != "Property")
PATHS = ("predicate", "sequence", "alternative", "inverse", "zero or more", "one or more", "zero or one")
NESTED = tuple(f"{outer} of a path" for outer in PATHS[1:])
TARGETS = ("targetNode", "targetClass", "implicit class", "targetSubjectsOf", "targetObjectsOf")
_BY_TEXT = {
    "sh:deactivated of a shape": re.compile(r"sh:deactivated true \.", re.MULTILINE),
    "sh:deactivated of a query": re.compile(r"sh:deactivated true \]"),
    "sh:message with braces in a query": re.compile(r'sh:message "of \{'),
    "$PATH": re.compile(r"\$PATH"),
    "$shapesGraph and $currentShape": re.compile(r"\$shapesGraph .*\$currentShape"),
    "?path of a query": re.compile(r"SELECT \$this \?path"),
    "?message of a query": re.compile(r"SELECT \$this \?message"),
    "a query within a query": re.compile(r"\{ SELECT"),
    "EXISTS": re.compile(r"FILTER EXISTS"),
    "NOT EXISTS": re.compile(r"NOT EXISTS"),
    "aggregates": re.compile(r"COUNT\("),
    "a path in a query": re.compile(r"ex:p\+|ex:p/\^|\(ex:p\|"),
    "an optional parameter": re.compile(r"ex:also \d"),
    "a parameter twice": re.compile(r"ex:most 1 , 5"),
    "sh:flags": re.compile(r"sh:flags"),
    "an empty list": re.compile(r"\( +\)"),
    "sh:qualifiedValueShapesDisjoint": re.compile(r"ShapesDisjoint true"),
    "sh:ignoredProperties": re.compile(r"ignoredProperties"),
    "a shape without a name": re.compile(r"\[ a sh:(?:Node|Property)Shape"),
}
FEATURES = (
    *(f"severity {name}" for name in ("sh:Violation", "sh:Warning", "sh:Info", "another")),
    *(f"sh:nodeKind sh:{kind}" for kind in KINDS),
    "a constraint of one component twice",
    "a shape that several shapes ask",
    "a shape with a message",
    "a shape with several targets",
    *_BY_TEXT,
)


class Coverage:
    """Cases by what they use, and results by component."""

    def __init__(self) -> None:
        self.components: Counter[str] = Counter()
        self.results: Counter[str] = Counter()
        self.paths: Counter[str] = Counter()
        self.targets: Counter[str] = Counter()
        self.features: Counter[str] = Counter()

    def add(self, plan: Plan, text: str, found: Iterable[Line]) -> None:
        """Count one case: its plan, the text of its shapes, and its results."""
        shapes = plan.shapes.values()
        self.components.update(
            {_shortly(one.component.value) for shape in shapes for one in shape.constraints}
        )
        self.paths.update({name for shape in shapes for name in _kinds(shape.path)})
        self.targets.update({name for shape in shapes for name in _targets(shape)})
        self.features.update({name for shape in shapes for name in _features(shape)})
        self.features.update(name for name, pattern in _BY_TEXT.items() if pattern.search(text))
        asked = Counter(node for shape in shapes for one in shape.constraints for node in one.refers)
        self.features.update(
            {"a shape that several shapes ask"} if max(asked.values(), default=0) > 1 else ()
        )
        self.results.update(line.component for line in found)

    def table(self) -> dict[str, dict[str, int]]:
        """Return the counts, with zeros for what no case uses."""
        return {
            "cases by component": {name: self.components[name] for name in COMPONENT_NAMES},
            "results by component": {name: self.results[name] for name in SPEAKING},
            "cases by path": {name: self.paths[name] for name in (*PATHS, *NESTED)},
            "cases by target": {name: self.targets[name] for name in TARGETS},
            "cases by feature": {name: self.features[name] for name in FEATURES},
        }

    def missing(self) -> list[str]:
        """Return what no case uses."""
        return [f"{what}: {name}" for what, row in self.table().items() for name, n in row.items() if not n]


def _shortly(component: str) -> str:
    """Return a component as the table names it."""
    return component.removeprefix(SH).removesuffix(_SUFFIX).replace(EX, "")


def _kinds(path: Path | None, inside: bool = False) -> Iterator[str]:
    """Yield the kinds of a path and of those in it, and which hold more than properties."""
    if path is None:
        return
    below: tuple[Path, ...] = ()
    match path:
        case Predicate():
            name = PATHS[0]
        case Steps(paths):
            name, below = PATHS[1], paths
        case Alternative(paths):
            name, below = PATHS[2], paths
        case Inverse(inner):
            name, below = PATHS[3], (inner,)
        case Repeated(inner, least, endless):
            name, below = PATHS[6] if not endless else PATHS[5] if least else PATHS[4], (inner,)
    if name != PATHS[0] or not inside:
        yield name
    if any(not isinstance(one, Predicate) for one in below):
        yield f"{name} of a path"
    for one in below:
        yield from _kinds(one, inside=True)


def _targets(shape: Shape) -> Iterator[str]:
    for target in shape.targets:
        implicit = target.kind == "targetClass" and target.term == shape.node
        yield "implicit class" if implicit else target.kind


def _features(shape: Shape) -> Iterator[str]:
    severity = shape.severity.value
    yield f"severity sh:{severity.removeprefix(SH)}" if severity.startswith(SH) else "severity another"
    if shape.messages:
        yield "a shape with a message"
    if len(shape.targets) > 1:
        yield "a shape with several targets"
    counted = Counter(one.component for one in shape.constraints if not isinstance(one, Asks | Selects))
    if max(counted.values(), default=0) > 1:
        yield "a constraint of one component twice"
    for one in shape.constraints:
        if isinstance(one, NodeKind):
            yield f"sh:nodeKind sh:{one.kind.value.removeprefix(SH)}"
