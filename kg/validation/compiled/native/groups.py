"""Groups of a query as steps, each of which takes rows and returns what becomes of them.

The rows of a group are those that SPARQL finds from the inside out, as long as the inner groups speak of no
variable that may be without a value outside, and those of a union, which know nothing of what is around them,
of their own variables alone. Groups for which that does not hold are not read.
"""

from collections.abc import Callable, Iterable, Sequence

from pyoxigraph import Literal, NamedNode

from battpass.kg.validation.compiled.native.expressions import Reader
from battpass.kg.validation.compiled.native.functions import Expression, NotRead, Row
from battpass.kg.validation.compiled.native.joins import Scope, Searched, Statement, Step, Verb, joins
from battpass.kg.validation.compiled.native.values import Failed, Known, truth
from battpass.kg.validation.compiled.tokens import Token
from battpass.kg.validation.compiled.vocabulary import TYPE


def read_group(reader: Reader, scope: Scope, *, inner: str = "") -> list[Step]:
    """Return the steps of a group whose opening brace has been read, and read the closing one.

    `inner` says in what it stands: `option`, `exists` or `union`.
    """
    steps: list[Step] = []
    filters: list[Step] = []
    pending: list[Statement] = []
    own = _Own(set(scope.certain) | set(scope.maybe))
    while not reader.took("}"):
        if reader.took("."):
            continue
        if reader.took("FILTER"):
            filters.append(_filter(reader, scope, own, pending))
            continue
        if reader.took("BIND"):
            steps += joins(pending, scope, reader.names)
            steps.append(_assignment(reader, scope, own, inner))
        elif reader.took("OPTIONAL"):
            steps += joins(pending, scope, reader.names)
            steps.append(_option(reader, scope, inner))
        elif reader.took("{"):
            steps += joins(pending, scope, reader.names)
            steps.append(_union(reader, scope, inner))
        else:
            _statements(reader, pending)
    steps += joins(pending, scope, reader.names)
    for check in own.later:
        check(scope)
    if inner == "union" and own.asked - (scope.certain - own.around) - own.assigned - {"this"}:
        raise NotRead
    return [*steps, *filters]


class _Own:
    """What a group asks of variables, to be looked at when all of it is read."""

    def __init__(self, around: set[str]) -> None:
        self.around = around
        self.asked: set[str] = set()
        self.assigned: set[str] = set()
        self.later: list[Callable[[Scope], None]] = []


def _filter(reader: Reader, scope: Scope, own: _Own, pending: list[Statement]) -> Step:
    turned = bool(reader.took("NOT"))
    if reader.took("EXISTS"):
        return _exists(reader, own, turned)
    if turned:
        raise NotRead
    before, reader.used = reader.used, set()
    condition = reader.expression()
    own.asked |= reader.used
    reader.used = before | reader.used

    def filtered(rows: list[Row], searched: Searched) -> list[Row]:
        return [row for row in rows if holds(condition, row, searched.known)]

    return filtered


def holds(condition: Expression, row: Row, known: Known) -> bool:
    """Return whether a row satisfies a filter."""
    try:
        return truth(condition(row, known))
    except Failed:
        return False


def _exists(reader: Reader, own: _Own, turned: bool) -> Step:
    """Return the filter that wants a group to find something, or nothing.

    It sees all variables of the group around it, and so is read when that has been read.
    """
    reader.take("{")
    start = reader.here
    _skip_group(reader)
    end = reader.here
    steps: list[Step] = []

    def finish(scope: Scope) -> None:
        behind, reader.here = reader.here, start
        steps.extend(read_group(reader, scope.copied(), inner="exists"))
        assert reader.here == end
        reader.here = behind

    own.later.append(finish)
    own.asked |= {token.variable for token in reader.tokens[start:end] if token.variable}

    def filtered(rows: list[Row], searched: Searched) -> list[Row]:
        return [row for row in rows if bool(run(steps, [row], searched)) is not turned]

    return filtered


def _skip_group(reader: Reader) -> None:
    depth = 1
    while depth:
        depth += reader.token.is_sign("{") - reader.token.is_sign("}")
        reader.here += 1


def _assignment(reader: Reader, scope: Scope, own: _Own, inner: str) -> Step:
    if inner in ("option", "exists"):
        raise NotRead
    reader.take("(")
    before, reader.used = reader.used, set()
    expression = reader.expression()
    own.asked |= reader.used
    reader.used = before | reader.used
    reader.take("AS")
    name = reader.variable()
    reader.take(")")
    if name in scope.certain | scope.maybe:
        raise NotRead
    scope.maybe.add(name)
    own.assigned.add(name)
    place = reader.names.place(name)

    def assigned(rows: list[Row], searched: Searched) -> list[Row]:
        for row in rows:
            try:
                row[place] = expression(row, searched.known)
            except Failed:
                row[place] = None
        return rows

    return assigned


def _option(reader: Reader, scope: Scope, inner: str) -> Step:
    if inner:
        raise NotRead
    reader.take("{")
    within = scope.copied()
    steps = read_group(reader, within, inner="option")
    scope.maybe |= within.certain - scope.certain

    def added(rows: list[Row], searched: Searched) -> list[Row]:
        return [found for row in rows for found in (run(steps, [row], searched) or [row])]

    return added


def _union(reader: Reader, scope: Scope, inner: str) -> Step:
    if inner:
        raise NotRead
    branches, scopes = [], []
    while True:
        within = scope.copied()
        branches.append(read_group(reader, within, inner="union"))
        scopes.append(within)
        if not reader.took("UNION"):
            break
        reader.take("{")
    certain = set.intersection(*(one.certain for one in scopes))
    scope.maybe |= set[str]().union(*(one.certain | one.maybe for one in scopes)) - certain
    scope.certain |= certain

    def united(rows: list[Row], searched: Searched) -> list[Row]:
        return [found for row in rows for steps in branches for found in run(steps, [row.copy()], searched)]

    return united


def run(steps: Iterable[Step], rows: list[Row], searched: Searched) -> list[Row]:
    """Return what steps make of rows."""
    for step in steps:
        if not rows:
            break
        rows = step(rows, searched)
    return rows


def _statements(reader: Reader, pending: list[Statement]) -> None:
    """Read a subject with all that is said of it."""
    subject = _node(reader)
    if isinstance(subject, Literal):
        raise NotRead
    while True:
        verbs = _path(reader)
        while True:
            _chain(reader, subject, verbs, _node(reader), pending)
            if not reader.took(","):
                break
        if not reader.took(";"):
            return
        while reader.took(";"):
            pass
        if reader.token.is_sign(".", "}"):
            return


def _node(reader: Reader) -> str | NamedNode | Literal:
    if name := reader.token.variable:
        reader.here += 1
        return name
    return reader.term()


def _chain(
    reader: Reader,
    subject: str | NamedNode,
    verbs: Sequence[str | Verb],
    term: str | NamedNode | Literal,
    pending: list[Statement],
) -> None:
    for number, verb in enumerate(verbs):
        last = number + 1 == len(verbs)
        following = term if last else f" {reader.here} {number} {len(pending)}"
        pending.append(Statement(subject, verb, following))
        assert last or isinstance(following, str)
        subject = following  # type: ignore[assignment]


def _path(reader: Reader) -> list[str | Verb]:
    if name := reader.token.variable:
        reader.here += 1
        return [name]
    first = _step(reader)
    if reader.token.is_sign("|"):
        while reader.took("|"):
            first += _step(reader)
        return [first]
    steps: list[str | Verb] = [first]
    while reader.took("/"):
        steps.append(_step(reader))
    if reader.token.is_sign("|", "*", "+", "?"):
        raise NotRead
    return steps


def _step(reader: Reader) -> Verb:
    back = bool(reader.took("^"))
    token: Token = reader.token
    if token.text == "a":
        reader.here += 1
        found: NamedNode | Literal = TYPE
    else:
        found = reader.term()
    if not isinstance(found, NamedNode) or reader.token.is_sign("*", "+", "?"):
        raise NotRead
    return ((found, back),)
