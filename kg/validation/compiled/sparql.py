"""SHACL-SPARQL: constraints given as queries, and constraint components whose validators are queries."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, QuerySolution, QuerySolutions, Store, Variable

from battpass.kg.errors import BadShapes, EngineFailed
from battpass.kg.index import Term
from battpass.kg.namespaces import XSD
from battpass.kg.validation.compiled.constraints.base import Constraint, Judges, SetConstraint, SetTest
from battpass.kg.validation.compiled.index import Index, closure
from battpass.kg.validation.compiled.native.twin import Solution, Twin, as_written, twin_of
from battpass.kg.validation.compiled.native.values import Declined
from battpass.kg.validation.compiled.paths import Path, Predicate
from battpass.kg.validation.compiled.queries import BOUND, Functions, Query, QueryRejected, prepare
from battpass.kg.validation.compiled.results import Found
from battpass.kg.validation.compiled.syntax import Description, Said, ShapesGraph, bad, shown
from battpass.kg.validation.compiled.vocabulary import IMPORTS, PATH, Node, sh

if TYPE_CHECKING:
    from battpass.kg.validation.compiled.row import Run

SPARQL_CONSTRAINT = sh("SPARQLConstraintComponent")
SHAPES_GRAPH = NamedNode("urn:battpass:shacl:shapes-graph")
_LOCAL_NAME = re.compile(r"[^\W\d][\w.\-\xb7]*\Z")
_VARIABLE_NAME = re.compile(r"\w+\Z")
_RESERVED = frozenset({"this", "shapesGraph", "currentShape", "path", "PATH", "value"})
# What a query may return by the standard.
_UNDERSTOOD = frozenset({"this", "value", "path", "message", "failure"})
_BLOCK = re.compile(r"\{[?$](\w+)\}")
# Nodes that a query may look at for nothing, for each time that it would have to be run anew.
_WORTH = 20
# From a term that a query returns and the value nodes to the terms that data write for it.
Restored = Callable[[Term, Sequence[Term]], Sequence[Term]]
_ANY_URI, _STRING = NamedNode(XSD + "anyURI"), NamedNode(XSD + "string")


@dataclass(frozen=True)
class Selects(SetConstraint):
    """A SELECT query, each solution of which is a result."""

    query: Query
    shape: Node
    path: Path | None
    constraint: Node | None
    kind: NamedNode
    parameters: Mapping[str, Term]
    messages: tuple[Literal, ...]

    @cached_property
    def twin(self) -> Twin | None:
        """The query as functions over an index, where it is understood to the end."""
        return twin_of(self.query)

    @property
    def component(self) -> NamedNode:
        """The constraint component."""
        return self.kind

    @property
    def source(self) -> Node | None:
        """The SPARQL constraint, for `sh:sourceConstraint`."""
        return self.constraint

    @property
    def silent(self) -> bool:
        """Whether the query needs a value of the shape's own property."""
        return isinstance(self.path, Predicate) and self.path.iri.value in self.query.needed

    def test(self, judges: Judges) -> SetTest:
        needed = tuple(NamedNode(iri) for iri in sorted(self.query.needed))
        constants = {**self.parameters, "currentShape": self.shape, "shapesGraph": SHAPES_GRAPH}
        twin = self.twin

        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterator[Found]:
            for predicate in needed:
                members = run.index.table.get(predicate)
                if members is None or focus not in members:
                    return
            if run.searched is not None and twin is not None:
                run.tick()
                try:
                    told = [
                        one
                        for solution in twin.solutions(run.searched, focus)
                        for one in self._found(focus, values, solution, as_written)
                    ]
                except Declined:
                    pass
                else:
                    yield from told
                    return
            rows = run.queries.rows_about(self.query, focus, constants, needed)
            for row in rows:
                run.tick()
                yield from self._found(focus, values, row, run.queries.restored)

        return found

    def _found(
        self, focus: Term, values: Sequence[Term], row: QuerySolution | Solution, restored: Restored
    ) -> Iterator[Found]:
        names = self.query.variables
        if "failure" in names and _is_true(row["failure"]):
            raise EngineFailed(
                f"The validation cannot be finished: the query of {shown(self.shape)} reports a failure at "
                f"{shown(focus)}. See what its author means by it."
            )
        path = row["path"] if "path" in names else None
        value = row["value"] if "value" in names else None
        own = row["message"] if "message" in names else None
        messages = (own,) if isinstance(own, Literal) else self._worded(row, names, focus)
        where = _predicate(path)
        told = tuple(
            (name, term) for name in names if name not in _UNDERSTOOD and (term := row[name]) is not None
        )
        if value is None:
            yield Found(focus if self.path is None else None, where, messages, told=told)
        else:
            for term in restored(value, values):
                yield Found(term, where, messages, told=told)

    def _worded(
        self, row: QuerySolution | Solution, names: tuple[str, ...], focus: Term
    ) -> tuple[Literal, ...]:
        if not self.messages:
            return ()
        known = {"this": focus, **self.parameters}
        known.update({name: term for name in names if (term := row[name]) is not None})
        return tuple(worded(message, known) for message in self.messages)


@dataclass(frozen=True)
class Asks(SetConstraint):
    """An ASK query over each value node, which must say yes."""

    query: Query
    shape: Node
    kind: NamedNode
    parameters: Mapping[str, Term]
    messages: tuple[Literal, ...]
    silent = True

    @property
    def component(self) -> NamedNode:
        """The constraint component."""
        return self.kind

    def test(self, judges: Judges) -> SetTest:
        constants = {**self.parameters, "currentShape": self.shape, "shapesGraph": SHAPES_GRAPH}

        def found(run: "Run", focus: Term, values: Sequence[Term]) -> Iterator[Found]:
            for value in values:
                run.tick()
                known = {**constants, "this": focus, "value": value}
                if next(run.queries.rows(self.query, known), None) is None:
                    yield Found(value, None, tuple(worded(message, known) for message in self.messages))

        return found


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a component: its property, its name in queries, and whether it may be absent."""

    predicate: NamedNode
    name: str
    optional: bool


@dataclass(frozen=True, slots=True)
class Component:
    """A constraint component of a shapes graph, with the nodes of its validators."""

    iri: NamedNode
    parameters: tuple[Parameter, ...]
    validators: Mapping[str, tuple[Term, ...]] = field(hash=False)


def read(
    description: Description, path: Path | None, components: Iterable[Component]
) -> Iterator[Constraint]:
    """Yield the constraints of a shape that are queries."""
    for node in description.all("sparql"):
        if not isinstance(node, NamedNode | BlankNode):
            raise description.said("sparql").bad(
                f"is {shown(node)}, where a node belongs", "Give it sh:select"
            )
        constraint = Description(description.graph, node)
        if constraint.boolean("deactivated"):
            continue
        query = _query(description, constraint, "select", ("this",), path)
        yield Selects(query, description.node, path, node, SPARQL_CONSTRAINT, {}, constraint.messages())
    for component in components:
        yield from _of_component(description, path, component)


def read_components(graph: ShapesGraph) -> tuple[Component, ...]:
    """Return the constraint components that a shapes graph declares by queries."""
    found = []
    for node in graph.instances(sh("ConstraintComponent")):
        validators = {
            local: tuple(graph.objects(node, sh(local)))
            for local in ("nodeValidator", "propertyValidator", "validator")
        }
        # The core components are declared in the vocabulary itself, without validators.
        if not isinstance(node, NamedNode) or not any(validators.values()):
            continue
        parameters = tuple(_parameter(graph, node, term) for term in graph.objects(node, sh("parameter")))
        if not any(not parameter.optional for parameter in parameters):
            raise bad(
                node, "the component has no parameter that must be given", "Declare one by sh:parameter"
            )
        if len({parameter.name for parameter in parameters}) < len(parameters):
            raise bad(node, "two parameters have the same name", "Rename one")
        found.append(Component(node, parameters, validators))
    return tuple(found)


def _parameter(graph: ShapesGraph, component: Term, node: Term) -> Parameter:
    paths = graph.objects(node, PATH)
    if len(paths) != 1 or not isinstance(paths[0], NamedNode) or not isinstance(node, NamedNode | BlankNode):
        raise bad(component, f"the parameter {shown(node)} has no IRI for its sh:path", "Name one property")
    local = re.split(r"[^\w.\-\xb7]", paths[0].value)[-1]
    while local and not _LOCAL_NAME.match(local):
        local = local[1:]
    if not _VARIABLE_NAME.match(local) or local in _RESERVED:
        raise bad(component, f"the parameter {local!r} cannot be a variable", "Choose another property")
    return Parameter(paths[0], local, Description(graph, node).boolean("optional"))


def _of_component(description: Description, path: Path | None, component: Component) -> Iterator[Constraint]:
    graph, node = description.graph, description.node
    values = {one.name: graph.objects(node, one.predicate) for one in component.parameters}
    if any(not values[one.name] and not one.optional for one in component.parameters):
        return
    for one in component.parameters:
        if len(component.parameters) > 1 and len(values[one.name]) > 1:
            raise Said(graph, node, one.predicate).bad(
                f"has {len(values[one.name])} values, where the component has several parameters", "Keep one"
            )
    given = {name: found[0] for name, found in values.items() if found}
    only = component.parameters[0].name
    choices = [{only: term} for term in values[only]] if len(component.parameters) == 1 else [given]
    kinds = ("nodeValidator" if path is None else "propertyValidator", "validator")
    local = next((kind for kind in kinds if component.validators[kind]), None)
    if local is None:
        raise bad(
            node, f"{shown(component.iri)} has no validator for this kind of shape", "Add one, or move it"
        )
    validator = component.validators[local][0]
    if not isinstance(validator, NamedNode | BlankNode):
        raise bad(
            component.iri, f"the validator {shown(validator)} is no node", "Give it sh:ask or sh:select"
        )
    said = Description(graph, validator)
    messages = said.messages() or Description(graph, component.iri).messages()
    names = tuple(one.name for one in component.parameters)
    for parameters in choices:
        if local == "validator":
            query = _query(description, said, "ask", ("this", "value", *names), path, parameters)
            yield Asks(query, node, component.iri, parameters, messages)
        else:
            query = _query(description, said, "select", ("this", *names), path, parameters)
            yield Selects(query, node, path, None, component.iri, parameters, messages)


def _query(
    description: Description,
    holder: Description,
    form: str,
    bound: tuple[str, ...],
    path: Path | None,
    parameters: Mapping[str, Term] | None = None,
) -> Query:
    text = holder.string(form)
    if text is None:
        raise bad(holder.node, f"there is no sh:{form}", f"Give it the text of a query by sh:{form}")
    absent = frozenset(bound) - {"this", "value"} - frozenset(parameters or ())
    try:
        return prepare(
            text, _prefixes(holder), bound, path, ask=form == "ask", absent=absent, constants=parameters
        )
    except QueryRejected as error:
        raise BadShapes(
            f"The shapes cannot be used. In {shown(description.node)}: the query of {shown(holder.node)} "
            f"{error}. Write a query that the standard allows, with its prefixes declared by sh:prefixes."
        ) from None


def _prefixes(holder: Description) -> dict[str, str]:
    index = holder.graph.index
    found: dict[str, str] = {}
    for owner in closure(index.objects(holder.node, sh("prefixes")), index.by_subject(IMPORTS)):
        for node in holder.graph.objects(owner, sh("declare")):
            prefixes, spaces = index.objects(node, sh("prefix")), index.objects(node, sh("namespace"))
            if len(prefixes) != 1 or len(spaces) != 1:
                raise bad(
                    owner, "a prefix declaration lacks sh:prefix or sh:namespace, or has two", "Mend it"
                )
            prefix, space = prefixes[0], spaces[0]
            if (
                not isinstance(prefix, Literal)
                or not isinstance(space, Literal)
                or space.datatype not in (_ANY_URI, _STRING)
            ):
                raise bad(
                    owner,
                    f"the prefix declaration {shown(prefix)} {shown(space)} is none",
                    'Write sh:prefix "ex" ; sh:namespace "http://..."^^xsd:anyURI',
                )
            if found.setdefault(prefix.value, space.value) != space.value:
                raise bad(owner, f"the prefix {prefix.value} stands for two namespaces", "Keep one of them")
    return found


def worded(message: Literal, known: Mapping[str, Term]) -> Literal:
    """Return a message with the blocks `{?name}` and `{$name}` replaced by values.

    >>> worded(Literal("{?n} is too much"), {"n": Literal("7")}).value
    '7 is too much'
    """
    if "{" not in message.value:
        return message

    def text(match: re.Match[str]) -> str:
        term = known.get(match[1])
        return match[0] if term is None else getattr(term, "value", str(term))

    words = _BLOCK.sub(text, message.value)
    return Literal(words, language=message.language) if message.language else Literal(words)


def _is_true(term: Term | None) -> bool:
    return isinstance(term, Literal) and term.value == "true"


def _predicate(term: Term | None) -> Path | None:
    return Predicate(term) if isinstance(term, NamedNode) else None


class Queries:
    """Runs the queries of one validation over a memory store, which is filled when first asked for.

    The store keeps numbers and times in one spelling; `restored` finds the spelling of the data again. Where
    data hold two spellings of one number, a query takes them for the same term; the standard does not.
    """

    def __init__(self, index: Index, asked: "Asked", shapes: Iterable[Quad]) -> None:
        self._index = index
        self._asked = asked
        self._shapes = shapes
        self._store: Store | None = None
        self._with_shapes: Store | None = None
        self._values: Mapping[str, Term] = {}
        self._functions: Functions = {}
        self._canonical: dict[Term, list[Term]] | None = None
        self._times: Counter[int] = Counter()
        self._all: dict[int, dict[Term, list[QuerySolution]]] = {}

    def rows(self, query: Query, values: Mapping[str, Term]) -> QuerySolutions:
        """Return the solutions of a query with values bound."""
        for name in query.bound:
            if NamedNode(BOUND + name) not in self._functions:
                self._functions[NamedNode(BOUND + name)] = self._answer(name)
        self._values = values
        return query.run(self._store_for(query), values, self._functions)

    def rows_about(
        self, query: Query, focus: Term, constants: Mapping[str, Term], needed: Sequence[NamedNode]
    ) -> Iterable[QuerySolution]:
        """Return the solutions of a query for a focus node.

        Where the query may be run for all nodes at once, it is so as soon as it has been run often enough to
        make up for the nodes that nobody asks about.
        """
        if query.free is not None:
            key = id(query)
            known = self._all.get(key)
            if known is None:
                self._times[key] += 1
                candidates = min(len(self._index.by_subject(predicate)) for predicate in needed)
                if candidates <= _WORTH * self._times[key]:
                    known = self._all[key] = {}
                    for row in query.run_free(self._store_for(query)):
                        node = row["this"]
                        if node is not None:
                            known.setdefault(node, []).append(row)
            if known is not None:
                return known.get(focus, ())
        return self.rows(query, {**constants, "this": focus})

    def restored(self, term: Term, values: Sequence[Term]) -> Sequence[Term]:
        """Return the terms of the data that the store keeps as this one; value nodes before others."""
        if not isinstance(term, Literal) or term in values or term.datatype == _STRING or term.language:
            return (term,)
        if self._canonical is None:
            self._canonical = {}
            literals = {
                one: None
                for members in self._index.table.values()
                for terms in members.values()
                for one in terms
                if isinstance(one, Literal) and not one.language and one.datatype != _STRING
            }
            for one in literals:
                self._canonical.setdefault(_kept(one), []).append(one)
        found = self._canonical.get(term, [])
        near = [one for one in found if one in values]
        return near or ((term,) if term in found or not found else found[:1])

    def _answer(self, name: str) -> Callable[[], Term | None]:
        return lambda: self._values.get(name)

    def _store_for(self, query: Query) -> Store:
        if "shapesGraph" in query.bound:
            if self._with_shapes is None:
                self._with_shapes = Store()
                self._with_shapes.extend(self._index.quads())
                self._with_shapes.extend(
                    Quad(quad.subject, quad.predicate, quad.object, SHAPES_GRAPH) for quad in self._shapes
                )
            return self._with_shapes
        if self._store is None:
            self._store = Store()
            self._store.extend(self._index.quads(self._asked.predicates(self._index)))
        return self._store


class Asked:
    """What the queries of a plan may ask of a graph, so that only that is put into a store."""

    def __init__(self, queries: Iterable[Query]) -> None:
        self._queries = tuple(query for query in queries if "shapesGraph" not in query.bound)

    def predicates(self, index: Index) -> frozenset[NamedNode] | None:
        """Return the predicates that matter in a graph, None if all do."""
        found: set[str] = set()
        for query in self._queries:
            if all(NamedNode(iri) in index.table for iri in query.needed):
                if query.predicates is None:
                    return None
                found |= query.predicates
        return frozenset(map(NamedNode, found))


def _kept(literal: Literal) -> Term:
    """Return a literal as the store keeps it."""
    rows = Store().query("SELECT ?kept {}", substitutions={Variable("kept"): literal})
    assert isinstance(rows, QuerySolutions)
    return next(rows)["kept"] or literal
