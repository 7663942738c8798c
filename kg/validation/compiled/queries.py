"""The queries of SHACL-SPARQL: checked once, and made ready for values that are bound before they run.

The standard puts the bound variables beside every pattern of the query. Here each group of the query begins
with a BIND that asks a function for the value, so that any term will do, blank nodes too; and the
variables that the query returns are substituted besides, which changes no answer and spares the engine
to look at the whole graph.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, QuerySolutions, Store, Variable

from battpass.kg.errors import QueryRefused
from battpass.kg.index import Term
from battpass.kg.validation.compiled.paths import Path, sparql
from battpass.kg.validation.compiled.tokens import Token, tokens_of

Functions = dict[NamedNode, Callable[[], Term | None]]

BOUND = "urn:battpass:shacl:bound:"
_FORBIDDEN = ("MINUS", "SERVICE", "VALUES")
_OPTIONAL = frozenset({"shapesGraph", "currentShape"})
_TERMS = ("variable", "iri", "name", "blank", "text", "number")
_AGGREGATES = frozenset({"COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT", "GROUP"})


class QueryRejected(ValueError):
    """The query is none that the standard allows; the message says why."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query that is ready to run.

    `bound` are the variables that it wants values for, `returned` those of them that it returns. `predicates`
    are the IRIs that may stand as predicates in it, None if any may: the rest of a graph cannot matter.
    `needed` are the properties that the focus node must have for the query to find anything. `free` is the
    query for all focus nodes at once, where it says the same of each as when run for it alone. `whole` is the
    query as it was written, with its prefixes, where `this` is all that is bound.
    """

    text: str
    bound: frozenset[str]
    returned: frozenset[str]
    variables: tuple[str, ...]
    predicates: frozenset[str] | None
    needed: frozenset[str]
    free: str | None
    whole: str | None

    def run(self, store: Store, values: Mapping[str, Term], functions: Functions) -> QuerySolutions:
        """Return the solutions; `functions` answer for the values of `values`."""
        substitutions = {Variable(name): values[name] for name in self.returned if name in values}
        rows = store.query(
            self.text,
            substitutions=substitutions,
            custom_functions=functions,
        )
        assert isinstance(rows, QuerySolutions)
        return rows

    def run_free(self, store: Store) -> QuerySolutions:
        """Return the solutions for all nodes."""
        assert self.free is not None
        rows = store.query(self.free)
        assert isinstance(rows, QuerySolutions)
        return rows


def prepare(
    text: str,
    prefixes: Mapping[str, str],
    bound: Iterable[str],
    path: Path | None,
    *,
    ask: bool = False,
    absent: frozenset[str] = frozenset(),
    constants: Mapping[str, Term] | None = None,
) -> Query:
    """Return a query ready to run.

    Parameters
    ----------
    bound
        The variables that may get values: `this`, `value`, parameters.
    path
        What `$PATH` stands for; None where there is none.
    absent
        Those of `bound` that get no value: optional parameters that a shape does not give.
    constants
        Values of those of `bound` that have the same one each time. They are written into the query where
        they can stand, which makes it one for all focus nodes.

    Raises
    ------
    QueryRejected
        If it is no SPARQL, of the wrong form, or uses what the standard forbids.
    """
    names = frozenset(bound) | _OPTIONAL
    tokens = list(tokens_of(text))
    _check(text, tokens, names - _OPTIONAL, names, prefixes, ask)
    if path is not None:
        _check_path(text, tokens, prefixes)
    text = _replaced(text, tokens, "PATH", sparql(path) if path is not None else "$PATH")
    if constants and (written := _with_constants(text, constants)) != text:
        try:
            return _ready(written, prefixes, names - absent, ask)
        except QueryRejected:  # a literal where only a variable can stand
            pass
    return _ready(text, prefixes, names - absent, ask)


def _ready(text: str, prefixes: Mapping[str, str], names: frozenset[str], ask: bool) -> Query:
    _check_engine(text, prefixes)
    tokens = list(tokens_of(text))
    used = frozenset(token.variable for token in tokens) & names
    needed = frozenset() if ask else _needed(tokens, prefixes)
    apart = used == {"this"} and _only_in_triples(tokens) and _named_once(tokens)
    filled = [(text, used)] if apart and not ask else _filled(text, tokens, used, ask)
    functions: Functions = {NamedNode(BOUND + name): lambda: None for name in used}
    own = _spelt_out(text, prefixes) if used == {"this"} and not ask else None
    for whole, returned in filled:
        written = _spelt_out(whole, prefixes)
        try:
            rows = Store().query(written, prefixes=dict(prefixes), custom_functions=functions)
        except SyntaxError as error:
            problem = str(error)
            continue
        assert isinstance(rows, QuerySolutions)
        variables = tuple(variable.value for variable in rows.variables)
        return Query(
            written,
            used,
            returned & frozenset(variables),
            variables,
            _predicates(tokens, prefixes),
            needed,
            own if needed and _same_for_all(tokens) else None,
            own,
        )
    raise QueryRejected(f"is no SPARQL query: {problem}")


def _check(
    text: str,
    tokens: Sequence[Token],
    must: frozenset[str],
    names: frozenset[str],
    prefixes: Mapping[str, str],
    ask: bool,
) -> None:
    form = next(
        (token.word for token in tokens if token.word in ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")), ""
    )
    wanted = "ASK" if ask else "SELECT"
    if form != wanted:
        raise QueryRejected(f"begins with {form or 'nothing known'}, where {wanted} belongs")
    for number, token in enumerate(tokens):
        if token.word in _FORBIDDEN:
            raise QueryRejected(f"uses {token.word}, which the standard forbids")
        if token.word == "AS" and number + 1 < len(tokens) and tokens[number + 1].variable in names:
            raise QueryRejected(f"assigns to {tokens[number + 1].text}, which is bound already")
    _check_engine(text, prefixes)
    selects = [number for number, token in enumerate(tokens) if token.word == "SELECT"]
    for number in selects:
        outermost = number == selects[0] and not ask
        missing = {"this"} if outermost else must
        projected = _projected(tokens, number)
        if projected is None and not outermost:
            projected = _visible(text, tokens, number, prefixes)
        if projected is not None and (lost := missing - projected):
            where = "the query" if outermost else "a query within the query"
            raise QueryRejected(f"{where} does not return ${', $'.join(sorted(lost))}, as the standard wants")


def _check_engine(text: str, prefixes: Mapping[str, str]) -> None:
    """Refuse what the engine would die of, plan for minutes, or refuse in many words."""
    from battpass.kg.dataset.guard import Limits, check, undeclared

    try:
        check(text, Limits(path_steps=256))
    except QueryRefused as error:
        raise QueryRejected(f"is too much for the engine, at {str(error).partition('. ')[0]}") from None
    if missing := undeclared(text, prefixes):
        raise QueryRejected(f"is no SPARQL query: at {missing[0]}, nobody declares the prefix {missing[1]}:")


def _projected(tokens: Sequence[Token], start: int) -> frozenset[str] | None:
    """Return the variables that a SELECT names, None for `*`."""
    depth, found = 0, set()
    for token in tokens[start + 1 :]:
        if token.is_sign("{") or token.word in ("WHERE", "FROM"):
            break
        if token.is_sign("*") and depth == 0:
            return None
        depth += token.is_sign("(") - token.is_sign(")")
        if token.variable and depth == 0:
            found.add(token.variable)
    return frozenset(found)


def _visible(text: str, tokens: Sequence[Token], start: int, prefixes: Mapping[str, str]) -> frozenset[str]:
    """Return the variables that `SELECT *` returns, by asking the engine about that part of the query."""
    depth = 0
    end = len(text)
    for token in tokens[start:]:
        depth += token.is_sign("{") - token.is_sign("}")
        if depth < 0:
            end = token.start
            break
    prologue = text[: next(token.start for token in tokens if token.word in ("SELECT", "ASK"))]
    try:
        rows = Store().query(prologue + text[tokens[start].start : end], prefixes=dict(prefixes))
    except SyntaxError as error:
        raise QueryRejected(f"is no SPARQL query: {error}") from None
    assert isinstance(rows, QuerySolutions)
    return frozenset(variable.value for variable in rows.variables)


def _check_path(text: str, tokens: Sequence[Token], prefixes: Mapping[str, str]) -> None:
    """Refuse `$PATH` where no path can stand: a path that is no IRI must do in its place."""
    if not any(token.variable == "PATH" for token in tokens):
        return
    try:
        Store().query(_replaced(text, tokens, "PATH", "(^<urn:x:a>)"), prefixes=dict(prefixes))
    except SyntaxError as error:
        try:
            Store().query(text, prefixes=dict(prefixes))
        except SyntaxError:
            raise QueryRejected(f"is no SPARQL query: {error}") from None
        raise QueryRejected("uses $PATH elsewhere than in the place of a property") from None


def _replaced(text: str, tokens: Sequence[Token], variable: str, by: str) -> str:
    for token in reversed(tokens):
        if token.variable == variable:
            text = text[: token.start] + by + text[token.end :]
    return text


def _with_constants(text: str, constants: Mapping[str, Term]) -> str:
    """Return the query with variables replaced by what they stand for, other than blank nodes.

    Variables stay where they are returned, looked for by BOUND, or grouped by.
    """
    tokens = list(tokens_of(text))
    if not _named_once(tokens):
        return text
    head = next(number for number, token in enumerate(tokens) if token.word == "SELECT")
    stay = set(_projected(tokens, head) or ())
    for token, following, third in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (token.word == "BOUND" and following.is_sign("(")) or following.word == "BY":
            stay.add(third.variable)
    for name, term in constants.items():
        if name not in stay and isinstance(term, NamedNode | Literal):
            text = _replaced(text, list(tokens_of(text)), name, str(term))
    return text


def _spelt_out(text: str, prefixes: Mapping[str, str]) -> str:
    """Return the query with its prefixes put in front of it, those that it uses."""
    used = {token.text.partition(":")[0] for token in tokens_of(text) if token.kind == "name"}
    heads = "".join(f"PREFIX {name}: <{prefixes[name]}>\n" for name in sorted(used & prefixes.keys()))
    return heads + text


def _filled(
    text: str, tokens: Sequence[Token], used: frozenset[str], ask: bool
) -> list[tuple[str, frozenset[str]]]:
    """Return the query with its values bound in each group: first with all returned, then as it is."""
    binds = "".join(f" BIND(<{BOUND}{name}>() AS ?{name})" for name in sorted(used))
    pieces: list[tuple[int, int, str]] = []
    for number, token in enumerate(tokens):
        after = tokens[number + 1] if number + 1 < len(tokens) else token
        if token.is_sign("{") and after.word != "SELECT":
            pieces.append((token.end, token.end, f"{binds} "))
    head = next(number for number, token in enumerate(tokens) if token.word in ("SELECT", "ASK"))
    returned = " ".join(f"?{name}" for name in sorted(used))
    if ask:
        start, end = tokens[head].start, tokens[head].end
        # What an ASK wants to know is whether there is a solution; a SELECT can return values besides.
        pieces.append((start, end, f"SELECT {returned or '(1 AS ?one)'} "))
        return [(_with(text, pieces) + " LIMIT 1", used)]
    projected = _projected(tokens, head)
    plain = _with(text, pieces)
    if projected is None or not (lost := used - projected):
        return [(plain, used)]
    if any(token.word in _AGGREGATES for token in tokens):
        return [(plain, projected & used)]
    at = tokens[head + 1].end if tokens[head + 1].word in ("DISTINCT", "REDUCED") else tokens[head].end
    pieces.append((at, at, f" {' '.join(f'?{name}' for name in sorted(lost))} "))
    return [(_with(text, pieces), used), (plain, projected & used)]


def _with(text: str, pieces: Iterable[tuple[int, int, str]]) -> str:
    for start, end, piece in sorted(pieces, reverse=True):
        text = text[:start] + piece + text[end:]
    return text


def iri_of(token: Token, prefixes: Mapping[str, str]) -> str | None:
    """Return the IRI that a token stands for; None for what is none, and for names with escapes."""
    if token.kind == "iri":
        return token.text[1:-1]
    if token.kind == "name" and "\\" not in token.text and "%" not in token.text:
        prefix, _, local = token.text.partition(":")
        return prefixes[prefix] + local if prefix in prefixes else None
    return "http://www.w3.org/1999/02/22-rdf-syntax-ns#type" if token.text == "a" else None


def _predicates(tokens: Sequence[Token], prefixes: Mapping[str, str]) -> frozenset[str] | None:
    """Return every IRI of the query, or None where a predicate may be any.

    That is so with a variable between two terms, a path that excludes or may be empty, names that the query
    itself declares, and where graphs are named. To take a factor for a path only makes the store bigger.
    """
    found: set[str] = set()
    paths = _path_ends(tokens)
    nothing = Token("sign", "", 0, 0)
    listing = False
    for number, token in enumerate(tokens):
        before = tokens[number - 1] if number else nothing
        after = tokens[number + 1] if number + 1 < len(tokens) else nothing
        listing = token.word == "SELECT" or (
            listing and not (token.word in ("WHERE", "FROM") or token.is_sign("{"))
        )
        if token.word in ("PREFIX", "BASE", "GRAPH", "FROM"):
            return None
        if token.variable and not listing and _ends_term(before) and _begins_term(after):
            return None
        if token.is_sign("!") and (_begins_path(after) or number + 1 in paths.values()):
            return None
        if token.is_sign("*", "?") and (_begins_path(before) or number - 1 in paths):
            return None
        if token.kind in ("iri", "name") or token.text == "a":
            iri = iri_of(token, prefixes)
            if iri is None:
                return None
            found.add(iri)
    return frozenset(found)


def _path_ends(tokens: Sequence[Token]) -> dict[int, int]:
    """Return the parentheses that may hold a path: the place of the closing one and of the opening one."""
    open_: list[int] = []
    found: dict[int, int] = {}
    for number, token in enumerate(tokens[:-1]):
        if token.is_sign("("):
            open_.append(number)
        elif token.is_sign(")") and open_:
            start = open_.pop()
            inside = tokens[start + 1]
            if _begins_path(inside) or inside.is_sign("^", "!") or start + 1 in found.values():
                found[number] = start
    return found


def _begins_path(token: Token) -> bool:
    return token.kind in ("iri", "name") or token.text in ("a", "^")


def _ends_term(token: Token) -> bool:
    return (
        token.kind in (*_TERMS, "tag") or token.is_sign("]", ")", ";", "[", "<<", ">>") or token.text == "a"
    )


def _begins_term(token: Token) -> bool:
    return token.kind in _TERMS or token.is_sign("[", "(", "<<", "+", "-") or token.word in ("TRUE", "FALSE")


def _only_in_triples(tokens: Sequence[Token]) -> bool:
    """Return whether `$this` stands in triples and lists of variables alone, never in an expression.

    Then to substitute it is to bind it beside every pattern, as the standard asks for.
    """
    depths = _depths(tokens)
    return all(depth == 0 for token, depth in zip(tokens, depths, strict=True) if token.variable == "this")


def _named_once(tokens: Sequence[Token]) -> bool:
    """Return whether the query is one SELECT that names what it returns: only that can be substituted."""
    selects = [number for number, token in enumerate(tokens) if token.word == "SELECT"]
    return len(selects) == 1 and _projected(tokens, selects[0]) is not None


def _depths(tokens: Sequence[Token]) -> list[int]:
    """Return for each token how many parentheses are open around it within its group."""
    open_, found = [0], []
    for token in tokens:
        if token.is_sign("{"):
            open_.append(0)
        elif token.is_sign("}") and len(open_) > 1:
            open_.pop()
        else:
            open_[-1] += token.is_sign("(") - token.is_sign(")")
        found.append(open_[-1])
    return found


def _same_for_all(tokens: Sequence[Token]) -> bool:
    """Return whether a query whose first triples bind `$this` finds the same when it is bound beforehand.

    So it is unless solutions are counted across focus nodes or cut off, or a group within the query says
    something about a `$this` that it does not itself bind.
    """
    words = {token.word for token in tokens}
    if words & {"LIMIT", "OFFSET", "REDUCED", "ORDER"} or {token.variable for token in tokens} & _OPTIONAL:
        return False
    if "GROUP" in words and not _groups_by_this(tokens):
        return False
    level = 0
    for token, depth in zip(tokens, _depths(tokens), strict=True):
        level += token.is_sign("{") - token.is_sign("}")
        if level > 1 and (token.word == "EXISTS" or (depth and token.variable == "this")):
            return False
    return True


def _groups_by_this(tokens: Sequence[Token]) -> bool:
    start = next(number for number, token in enumerate(tokens) if token.word == "GROUP")
    return any(token.variable == "this" for token in tokens[start + 2 : start + 3])


def _needed(tokens: Sequence[Token], prefixes: Mapping[str, str]) -> frozenset[str]:
    """Return the properties that the first triples of the query want of the focus node.

    Only where the query returns nothing without them: it does not count what it does not group.
    """
    words = {token.word for token in tokens}
    if words & (_AGGREGATES | {"HAVING"}) and "GROUP" not in words:
        return frozenset()
    start = _start(tokens)
    if start is None or len([token for token in tokens if token.word == "SELECT"]) != 1:
        return frozenset()
    return _of_block(tokens[start + 1 :], prefixes)


def _start(tokens: Sequence[Token]) -> int | None:
    """Return the place of the brace with which the group begins; what is returned may have braces, too."""
    depth = 0
    for number, token in enumerate(tokens):
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 0 and token.is_sign("{"):
            return number
    return None


def _of_block(tokens: Sequence[Token], prefixes: Mapping[str, str]) -> frozenset[str]:
    found: set[str] = set()
    here = 0
    while here + 1 < len(tokens) and tokens[here].variable == "this":
        here += 1
        while here + 2 < len(tokens):
            iri = iri_of(tokens[here], prefixes)
            term, sign = tokens[here + 1], tokens[here + 2]
            if iri is None or term.kind not in ("variable", "iri", "name") or not sign.is_sign(".", ";"):
                return frozenset(found)
            found.add(iri)
            here += 3
            if sign.is_sign("."):
                break
    # What stands beside a UNION within the same group is wanted all the same: it joins.
    return frozenset(found)
