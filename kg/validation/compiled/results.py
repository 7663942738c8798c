"""What a validation finds, as values."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.paths import Path
from battpass.kg.validation.compiled.vocabulary import Node

if TYPE_CHECKING:
    from battpass.kg.validation.compiled.constraints.base import Constraint


class Branches(NamedTuple):
    """Which shapes of an `sh:or` or `sh:xone` a result is about, by their places in the list, from 1.

    `hold` says that these are the ones that a value conforms to, and they are too many; else it conforms to
    none of the list, and this one comes closest. `of` is the length of the list.
    """

    places: tuple[int, ...]
    shapes: tuple[Node, ...]
    of: int
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """One validation result.

    `focus`, `value`, `component`, `severity` and `shape` are the terms of the report, with the lexical forms
    of the data. `constraint` is the SPARQL constraint that spoke, if one did, and `told` are the values that
    its query returned by names that mean nothing to the standard. `details` are the results of the shapes
    that this one asked; of `sh:or` and `sh:xone`, those of the branch that comes closest, which `branches`
    names. `rule` is the constraint itself, for whoever puts it into words.
    """

    focus: Term
    path: Path | None
    value: Term | None
    component: NamedNode
    shape: Node
    severity: NamedNode
    constraint: Node | None = None
    messages: tuple[Literal, ...] = ()
    details: tuple["Result", ...] = ()
    told: tuple[tuple[str, Term], ...] = ()
    branches: Branches | None = None
    rule: "Constraint | None" = field(default=None, compare=False, repr=False)


class Why(NamedTuple):
    """Why a value does not satisfy a constraint that asks other shapes."""

    details: tuple[Result, ...] = ()
    branches: Branches | None = None


class Found(NamedTuple):
    """What a constraint finds; what it leaves open is that of its shape."""

    value: Term | None = None
    path: Path | None = None
    messages: tuple[Literal, ...] = ()
    details: tuple[Result, ...] = ()
    told: tuple[tuple[str, Term], ...] = ()
    branches: Branches | None = None
