"""The mapping table of a partner format as a tree that follows the partner's document.

Each row says of one place in the document what it means in the graph. Places without a row are
either structure (a parent of places that have one) or unknown to the format.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from battpass.kg.errors import BadTable
from battpass.kg.graphs import AccessClass
from battpass.kg.namespaces import expand
from battpass.kg.tables import Row, read_table

KINDS = frozenset(
    {"literal", "concept", "code", "codes", "entity", "quantity", "unit", "time", "list", "node"}
)
SUBJECTS = ("", "passport", "battery", "model")
COLUMNS = ("path", "kind", "subject", "access", "property", "range", "unit", "required", "attribute")


@dataclass(frozen=True, slots=True)
class Rule:
    """What one place means.

    `subject` is the root it hangs on, empty for the node that encloses it; `access` is None where the
    enclosing node decides. `range` is the datatype, concept scheme, class or entity kind; `fixed` are
    statements that a node of the kind `node` always has. `unit` is the unit on the wire, or `@name`
    of the sibling member that holds it; `required` says that the
    format demands the member; `time` names the sibling that dates a quantity.
    """

    path: str
    kind: str
    subject: str
    access: AccessClass | None
    predicate: str
    range: str
    fixed: tuple[tuple[str, str], ...]
    unit: str
    attributes: tuple[str, ...]
    required: bool = False
    time: str = ""

    @property
    def key(self) -> str:
        """The local name of the property, which is the key of a quantity and part of a node's IRI."""
        return self.predicate.rpartition("#")[2].rpartition("/")[2]


@dataclass(slots=True)
class Place:
    """A place in the document: its rule, its members by name, and what the items of an array are."""

    rule: Rule | None = None
    members: dict[str, "Place"] = field(default_factory=dict)
    items: "Place | None" = None


def read_mapping(path: Path) -> Place:
    """Return the tree of the mapping table at `path`, members in the order of the table.

    Raises
    ------
    BadTable
        If a row names an unknown kind, subject, access class or prefix, or a place twice.
    """
    root = Place()
    for row in read_table(path, COLUMNS):
        place = root
        for step in row.needed("path").split("."):
            name = step.removesuffix("[]")
            place = place.members.setdefault(name, Place())
            if step.endswith("[]"):
                place.items = place.items or Place()
                place = place.items
        if place.rule is not None:
            raise row.fault("path", "Another row describes this place already: remove one.")
        place.rule = _rule(row)
        if place.rule.kind in ("list", "codes"):
            place.items = place.items or Place()
    _join_companions(root)
    return root


def _join_companions(place: Place) -> None:
    """Hang the unit and the time of a quantity where it hangs, and tell it which sibling dates it."""
    rules = {name: inner.rule for name, inner in place.members.items() if inner.rule is not None}
    quantities = {rule.predicate: rule for rule in rules.values() if rule.kind == "quantity"}
    times = {rule.predicate: name for name, rule in rules.items() if rule.kind == "time"}
    for name, rule in rules.items():
        if rule.kind in ("unit", "time"):
            whole = quantities[rule.predicate]
            place.members[name].rule = replace(rule, subject=whole.subject, access=whole.access)
        elif rule.kind == "quantity":
            place.members[name].rule = replace(rule, time=times.get(rule.predicate, ""))
    for inner in [*place.members.values(), *([place.items] if place.items else [])]:
        _join_companions(inner)


def _rule(row: Row) -> Rule:
    access = row["access"]
    names, _, fixed = row["range"].partition(" ")
    try:
        pairs = [pair.partition("=") for pair in fixed.split()]
        statements = tuple((expand(name), expand(value)) for name, _, value in pairs)
    except KeyError as error:
        raise BadTable(f"{row.file}, line {row.line}, column range: unknown prefix {error}.") from error
    return Rule(
        path=row["path"],
        kind=row.one_of("kind", KINDS),
        subject=row.one_of("subject", SUBJECTS),
        access=AccessClass(row.one_of("access", {item.value for item in AccessClass})) if access else None,
        predicate=row.term("property"),
        range=names,
        fixed=statements,
        unit=row["unit"],
        attributes=tuple(row["attribute"].split()),
        required=row.yes("required"),
    )
