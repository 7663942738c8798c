"""The twin of a whole query: a SELECT about one focus node, with its solutions as terms."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyoxigraph import Literal

from battpass.kg.index import Term
from battpass.kg.validation.compiled.native.expressions import Names, Reader
from battpass.kg.validation.compiled.native.functions import Expression, NotRead, Row
from battpass.kg.validation.compiled.native.groups import holds, read_group, run
from battpass.kg.validation.compiled.native.joins import Scope, Searched, Step
from battpass.kg.validation.compiled.native.values import (
    ONE,
    Declined,
    Failed,
    Value,
    add,
    check_apart,
    is_canonical,
)
from battpass.kg.validation.compiled.queries import Query
from battpass.kg.validation.compiled.tokens import Token, tokens_of

Solution = dict[str, Term | None]


@dataclass(frozen=True, slots=True)
class Twin:
    """A query as functions. `sums` are what is added up or counted, where solutions are grouped."""

    size: int
    steps: tuple[Step, ...]
    returned: tuple[tuple[str, int, Expression | None], ...]
    distinct: bool
    sums: tuple[tuple[int, str, Expression], ...] | None
    having: Expression | None

    def solutions(self, searched: Searched, focus: Term) -> list[Solution]:
        """Return the solutions for a focus node.

        Raises
        ------
        Declined
            If only the query itself can tell.
        """
        searched.begin()
        first: Row = [None] * self.size
        first[0] = focus
        rows = run(self.steps, [first], searched)
        if not rows:
            return []
        if self.sums is not None:
            rows = self._grouped(rows, searched)
        found = [self._solution(row, searched) for row in rows]
        if not self.distinct or len(found) < 2:
            return found
        for solution in found:
            check_apart([term for term in solution.values() if term is not None])
        return list({tuple(one.items()): one for one in found}.values())

    def _grouped(self, rows: list[Row], searched: Searched) -> list[Row]:
        """Return the one row of the group to which all rows of a focus node belong, if it is wanted."""
        assert self.sums is not None
        row = rows[0].copy()
        for place, word, inner in self.sums:
            total: Value | None = 0
            for one in rows:
                try:
                    value = inner(one, searched.known)
                except Failed:
                    if word == "SUM":
                        total = None
                        break
                else:
                    total = add(total, value if word == "SUM" else ONE)  # type: ignore[arg-type]
            row[place] = total
        wanted = self.having is None or holds(self.having, row, searched.known)
        return [row] if wanted else []

    def _solution(self, row: Row, searched: Searched) -> Solution:
        solution: Solution = {}
        for name, place, expression in self.returned:
            if expression is None:
                content = row[place]
            else:
                try:
                    content = expression(row, searched.known)
                except Failed:
                    content = None
            if type(content) is str:
                content = Literal(content)
            elif isinstance(content, int | str):
                raise Declined  # its datatype would have to be known
            elif name not in ("this", "value") and content is not None and not is_canonical(content):
                raise Declined
            solution[name] = content
        return solution


def twin_of(query: Query) -> Twin | None:
    """Return the twin of a query, None if it is not understood to the end."""
    if query.whole is None:
        return None
    tokens = list(tokens_of(query.whole))
    try:
        return _read(tokens)
    except (NotRead, RecursionError):
        return None


def as_written(value: Term, values: Sequence[Term]) -> tuple[Term]:
    """Return a value that a twin found, as a query's would be restored to how the data write it.

    Raises
    ------
    Declined
        If the data may write the same value in several ways.
    """
    if isinstance(value, Literal):
        if len(values) > 1:
            check_apart(values)
        elif value not in values and not is_canonical(value):
            raise Declined
    return (value,)


def _read(tokens: Sequence[Token]) -> Twin:
    names = Names()
    names.place("this")
    reader = Reader(tokens, _prefixes(tokens), names)
    reader.here = next(number for number, token in enumerate(tokens) if token.word == "SELECT")
    reader.take("SELECT")
    distinct = bool(reader.took("DISTINCT"))
    reader.sums = {}
    returned = []
    while not reader.token.is_sign("{") and not reader.token.word:
        returned.append(_returned(reader))
    sums, reader.sums = reader.sums, None
    reader.took("WHERE")
    reader.take("{")
    steps = read_group(reader, Scope({"this"}))
    having = None
    grouped = bool(reader.took("GROUP"))
    if grouped:
        reader.take("BY")
        if reader.variable() != "this" or any(not one[2] and one[0] != "this" for one in returned):
            raise NotRead
        if reader.took("HAVING"):
            reader.sums = sums
            having = reader.bracketed()
            reader.sums = None
    if not reader.done or (sums and not grouped):
        raise NotRead
    folded = tuple((place, word, inner) for place, (word, inner) in sums.items())
    return Twin(len(names), tuple(steps), tuple(returned), distinct, folded if grouped else None, having)


def _returned(reader: Reader) -> tuple[str, int, Expression | None]:
    if reader.took("("):
        expression = reader.expression()
        reader.take("AS")
        name = reader.variable()
        reader.take(")")
        return name, -1, expression
    name = reader.variable()
    return name, reader.names.place(name), None


def _prefixes(tokens: Sequence[Token]) -> dict[str, str]:
    found = {}
    for word, name, iri in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if word.word == "BASE":
            raise NotRead
        if word.word == "PREFIX":
            found[name.text.rstrip(":")] = iri.text[1:-1]
    return found
