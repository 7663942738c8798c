"""Every question that the server's own description of itself allows, about passports in every stage.

A parameter that is not known here is an error: then it is to be thought about what it may tell, and to whom.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from urllib.parse import quote, urlencode

from battpass.kg.dataset.formats import BINDINGS, GRAPHS
from battpass.kg.validation.reports.forms import MEDIA_TYPES
from battpass.services.exchange.registry import formats
from tests.leak.planting import Planted

Parameters = tuple[tuple[str, str], ...]

LONG_AGO, FAR_AHEAD = "1999-01-01", "2999-01-01"
NEVER = "never there"
# The one format that holds all there is; what is asked in pairs is asked for in it in each run.
WHOLE = "n-quads"
NO_MODEL = "0" * 32
# How much is asked in each run of one path: nothing, once without parameters, in the whole format, all.
SELDOM, PLAINLY, IN_WHOLE, ALL_WAYS = range(4)

_MARKS = ("{dpp}", "{product}", "{name}", "{identifier}")


@dataclass(frozen=True)
class Operation:
    """One operation of the description; `parameters` are those of its query string."""

    name: str
    method: str
    path: str
    parameters: tuple[str, ...]
    media_types: tuple[str, ...]

    @property
    def writes(self) -> bool:
        """Whether it is one of those that write."""
        return self.path.startswith("/v1") and self.method != "GET"


@dataclass(frozen=True)
class Question:
    """One request for an operation; `often` says that it is asked in each run, not in a long one only."""

    operation: str
    method: str
    path: str
    parameters: Parameters = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    often: bool = True

    @property
    def address(self) -> str:
        """Path and query string."""
        return f"{self.path}?{urlencode(self.parameters)}" if self.parameters else self.path


def operations(described: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of an OpenAPI document."""
    return [
        Operation(
            one["operationId"],
            method.upper(),
            path,
            tuple(parameter["name"] for parameter in one.get("parameters", ()) if parameter["in"] == "query"),
            tuple(one["responses"].get("200", {}).get("content", ())),
        )
        for path, by_method in described["paths"].items()
        for method, one in by_method.items()
    ]


class Questions:
    """Makes the questions about one home, or about some of its passports."""

    def __init__(
        self, planted: Planted, described: Mapping[str, Any], names: Iterable[str] | None = None
    ) -> None:
        self._planted = planted
        self._operations = operations(described)
        self._names = tuple(names) if names is not None else (*planted.numbers, NEVER)

    def reading(self) -> Iterator[Question]:
        """Yield those that read."""
        for one in self._operations:
            if one.path == "/sparql":
                yield from self._sparql(one)
            elif one.path == "/validate":
                yield from self._validated(one)
            elif not one.writes:
                yield from self._asked(one)

    def writing(self) -> Iterator[Question]:
        """Yield those that write; each would do something if its caller had the right to it."""
        headers = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
        body = b'{"reason": "none", "to": "", "items": "all", "metadata": {"version": "9"}}'
        for one in self._operations:
            for path, _ in self._paths(one.path) if one.writes else ():
                yield Question(one.name, one.method, path, (), headers, body)
                if "stage" in one.parameters:
                    yield Question(one.name, one.method, path, (("stage", "published"),), headers, body)

    # --- private ---------------------------------------------------------------------------------------

    def _asked(self, one: Operation) -> Iterator[Question]:
        """Yield the questions for an operation: by each path, in each representation, with each parameter."""
        accepts = dict.fromkeys(("*/*", "text/html", *one.media_types))
        varied = [*self._single(one), *self._pairs(one)]
        is_negotiated = "format" in one.parameters
        least: Parameters = (("date", FAR_AHEAD),) if "AndDate" in one.path else ()
        for path, depth in self._paths(one.path):
            yield Question(one.name, one.method, path, least, often=depth >= PLAINLY)
            yield Question(one.name, "HEAD", path, least, often=depth == ALL_WAYS)
            for accept in accepts:
                headers = {"Accept": accept}
                often = depth == ALL_WAYS and (is_negotiated or accept in ("*/*", "text/html"))
                yield Question(one.name, one.method, path, least, headers, often=often)
                if accept == "text/html":
                    german = {**headers, "Accept-Language": "de"}
                    yield Question(one.name, one.method, path, least, german, often=often)
            for parameters in varied:
                often = depth >= IN_WHOLE and WHOLE in dict(parameters).values()
                often = often or (depth == ALL_WAYS and len(parameters) == 1)
                yield Question(one.name, one.method, path, parameters, often=often)

    def _paths(self, path: str) -> Iterator[tuple[str, int]]:
        """Yield the paths of an operation, for passports by all their names, and how much each is asked."""
        if "{digest}" in path:
            for label, sown in self._planted.sown.items():
                often = ALL_WAYS if label in ("published, changed", "draft") else PLAINLY
                yield path.replace("{digest}", sown.model), often
            yield path.replace("{digest}", NO_MODEL), PLAINLY
        elif not any(mark in path for mark in _MARKS):
            yield path, ALL_WAYS
        else:
            for name in self._names:
                depth = ALL_WAYS if name == "published" else IN_WHOLE
                numbers = (*self._planted.versions(name), 9) if "{number}" in path else (0,)
                for number, (at, written) in product(numbers, enumerate(self._written(path, name))):
                    filled = path.replace("{number}", str(number))
                    for mark in _MARKS:
                        filled = filled.replace(mark, quote(written, safe=""))
                    yield filled, depth if at == 0 else PLAINLY if number in (0, 1) else SELDOM

    def _written(self, path: str, name: str) -> tuple[str, ...]:
        """Return a passport's names as a path takes them, the usual one first."""
        identifier, record = self._planted.identifier(name), self._planted.record(name)
        if "{identifier}" in path:
            return (identifier,)
        if "{name}" in path:
            return (identifier, *(f"{identifier}.{one.suffix.lstrip('.')}" for one in formats()))
        if "{product}" in path:
            return (self._planted.product(name), identifier)
        return (
            identifier,
            f"urn:uuid:{identifier}",
            record,
            f"{record}#battery",
            self._planted.product(name),
        )

    def _single(self, one: Operation) -> Iterator[Parameters]:
        """Yield one parameter at a time, with each of its values."""
        if "AndDate" in one.path:
            return  # there is no asking without a date
        for name, values in self._values(one).items():
            yield from (((name, value),) for value in values)

    def _pairs(self, one: Operation) -> Iterator[Parameters]:
        """Yield the parameters that go together, two at a time."""
        values = self._values(one)
        for first, second in (("version", "format"), ("date", "format"), ("stage", "format")):
            if first in values and second in values:
                yield from (((first, a), (second, b)) for a, b in product(values[first], values[second]))
        if "stage" in values and "version" in values:
            both = product(values["stage"], values["version"])
            yield from ((("stage", a), ("version", b), ("format", WHOLE)) for a, b in both)

    def _values(self, one: Operation) -> Mapping[str, tuple[str, ...]]:
        """Return the values that are tried of each parameter."""
        names = tuple(MEDIA_TYPES) if one.path == "/validate" else tuple(one.name for one in formats())
        known: dict[str, tuple[str, ...]] = {
            "format": (*names, "html") if one.path.startswith("/p/") else names,
            "version": ("1", "2", "3", "9"),
            "stage": ("draft", "published"),
            "on": (LONG_AGO, FAR_AHEAD),
            "date": (LONG_AGO, *self._moments(), FAR_AHEAD),
            "limit": ("1", "500"),
            "cursor": tuple(self._planted.record(name) for name in self._names),
            "q": tuple(self._searched()),
            "page": ("1", "2"),
            "lang": ("en", "de"),
            "for": ("read", "write"),
        }
        return {name: known[name] for name in one.parameters}

    def _moments(self) -> Iterator[str]:
        """Yield the times at which the passport that changed was a draft, published and changed."""
        history = self._planted.home.journal.history(self._planted.record("published"))
        yield from (entry.time.isoformat() for entry in history)

    def _searched(self) -> Iterator[str]:
        for name in self._names:
            yield from (self._planted.identifier(name), self._planted.product(name))
        yield from ("exemplar", "nothing like it")

    def _validated(self, one: Operation) -> Iterator[Question]:
        """Yield documents that are checked, each of which names a passport and says next to nothing of it."""
        headers = {"Content-Type": "text/turtle"}
        for name in self._names:
            record = self._planted.record(name)
            bp = "https://w3id.org/battpass/ontology#"
            body = (
                f"<{record}> a <{bp}BatteryPassport> ; <{bp}describes> <{record}#battery> .\n"
                f"<{record}#battery> <{bp}model> <urn:model> .\n"
            ).encode()
            often = name in ("published", "draft", NEVER)
            for accept in ("*/*", *one.media_types):
                asked = {**headers, "Accept": accept}
                yield Question(one.name, one.method, one.path, (), asked, body, often)
            for parameter, values in self._values(one).items():
                for value in values:
                    parameters = ((parameter, value),)
                    yield Question(one.name, one.method, one.path, parameters, headers, body, often)
            yield Question(one.name, one.method, one.path, (), headers, body + b"<a", often)

    def _sparql(self, one: Operation) -> Iterator[Question]:
        """Yield a few queries in each representation; what queries may tell is looked at on its own."""
        accepts = dict.fromkeys(("*/*", *one.media_types))
        passport = self._planted.record("published")
        where = f"{{ GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?g), '{passport}')) }}"
        rows, graph = f"SELECT * {where}", f"CONSTRUCT {{ ?s ?p ?o }} {where}"
        if one.method == "GET":
            yield from (Question(one.name, "GET", one.path, (), {"Accept": accept}) for accept in accepts)
        names = [(rows, form.name) for form in BINDINGS] + [(graph, form.name) for form in GRAPHS]
        for query, name in dict.fromkeys(names):
            asked: Parameters = (("query", query), ("format", name))
            if one.method == "GET":
                yield Question(one.name, "GET", one.path, asked)
            else:
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                body = urlencode(asked).encode()
                yield Question(one.name, "POST", one.path, (), form, body, name in ("csv", "turtle"))
