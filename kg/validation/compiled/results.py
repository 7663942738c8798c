"""What a validation finds, as values."""

from dataclasses import dataclass
from typing import NamedTuple

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Term
from battpass.kg.validation.compiled.paths import Path
from battpass.kg.validation.compiled.vocabulary import Node


@dataclass(frozen=True, slots=True)
class Result:
    """One validation result.

    `focus`, `value`, `component`, `severity` and `shape` are the terms of the report, with the lexical forms
    of the data. `constraint` is the SPARQL constraint that spoke, if one did, and `told` are the values that
    its query returned by names that mean nothing to the standard. `details` are the results of the shapes
    that this one asked.
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


class Found(NamedTuple):
    """What a constraint finds; what it leaves open is that of its shape."""

    value: Term | None = None
    path: Path | None = None
    messages: tuple[Literal, ...] = ()
    details: tuple[Result, ...] = ()
    told: tuple[tuple[str, Term], ...] = ()
