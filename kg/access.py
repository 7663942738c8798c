"""Who may read what, from `ontology/access.csv`.

Access is never a filter over rows: a record's graphs are cut once, to what an audience may read, and
everything that leaves is built from the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from battpass.kg.graphs import AccessClass, Graphs
from battpass.kg.resources import ontology_path
from battpass.kg.tables import read_table

_COLUMNS = ("audience", "reads", "scope", "clause", "note")
_PREDICTION = "prediction:"

# What a prediction is about decides who may read it, not which service made it.
PREDICTION_KINDS = ("state", "lifetime", "economics")


@dataclass(frozen=True, slots=True)
class Audience:
    """A group of readers and what it may read.

    `classes` are the access classes of Annex XIII; `predictions` the kinds of prediction. `own` says
    that it reads only the passports of its own operator.
    """

    name: str
    classes: frozenset[AccessClass]
    predictions: frozenset[str]
    own: bool

    def reads(self, access: AccessClass) -> bool:
        """Return whether the audience may read graphs of an access class."""
        return access in self.classes

    def reads_prediction(self, kind: str) -> bool:
        """Return whether the audience may read predictions of a kind."""
        return kind in self.predictions


def audiences(path: Path | None = None) -> Mapping[str, Audience]:
    """Return the audiences by name, from the table that is installed or lies at `path`.

    Raises
    ------
    BadTable
        If a row names no access class or kind of prediction, or an audience is half own, half not.

    >>> sorted(audiences()["public"].classes)
    [<AccessClass.PUBLIC: 'public'>]
    """
    readable = [access.value for access in AccessClass] + [_PREDICTION + kind for kind in PREDICTION_KINDS]
    classes: dict[str, set[AccessClass]] = {}
    predictions: dict[str, set[str]] = {}
    scopes: dict[str, str] = {}
    for row in read_table(path or ontology_path("access.csv"), _COLUMNS):
        name = row.local_name("audience")
        scope = row.one_of("scope", ("all", "own"))
        if scopes.setdefault(name, scope) != scope:
            raise row.fault("scope", f"Other rows of {name} say {scopes[name]!r}: make them equal.")
        reads = row.one_of("reads", readable)
        if reads.startswith(_PREDICTION):
            predictions.setdefault(name, set()).add(reads.removeprefix(_PREDICTION))
        else:
            classes.setdefault(name, set()).add(AccessClass(reads))
    return {
        name: Audience(
            name, frozenset(classes.get(name, ())), frozenset(predictions.get(name, ())), scope == "own"
        )
        for name, scope in scopes.items()
    }


def cut(graphs: Graphs, audience: Audience) -> Graphs:
    """Return the part of a record's graphs that an audience may read.

    For an audience that reads its own passports only, the caller has made sure that this is one.
    """
    return {access: part for access, part in graphs.items() if audience.reads(access)}
