"""What a query cannot do without: its triples, filters and unions, as far as they are easily read.

Each part of a group narrows what comes before it, so whatever is not understood may be left out: what remains
finds all that the query finds, and perhaps more. `exact` says that nothing was left out.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyoxigraph import Literal, NamedNode

from battpass.kg.validation.compiled.queries import Query
from battpass.kg.validation.compiled.tokens import Token, tokens_of
from battpass.kg.validation.compiled.vocabulary import TYPE

# The properties of which one leads from subject to object; True for one that leads back.
Verb = tuple[tuple[NamedNode, bool], ...]
_SKIPPED = frozenset({"GRAPH", "MINUS", "SERVICE"})
_COUNTING = frozenset({"COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT", "HAVING"})
# What may stand in a side of a comparison that is looked through.
_PLAIN = ("(", ")", ",")
_LONG = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Statement:
    """A triple. Variables are names; a `verb` that is a name stands for any property."""

    subject: str | NamedNode
    verb: str | Verb
    object: str | NamedNode | Literal


@dataclass(frozen=True, slots=True)
class Words:
    """A BIND or a FILTER as it is written, with its variables; `sets` is the one that a BIND assigns to.

    `differ` are the two variables of a filter that no term satisfies together with itself.
    """

    text: str
    variables: frozenset[str]
    sets: str | None = None
    differ: tuple[str, str] | None = None


@dataclass(slots=True)
class Group:
    """A group of a query: what is asked of it after its statements have been joined, in this order.

    `unions` narrow the focus nodes, `options` add values to rows that have them, `without` are groups that
    must find nothing. `single` says that each way through the statements is one row of the query.
    """

    statements: list[Statement] = field(default_factory=list)
    unions: list[tuple["Group", ...]] = field(default_factory=list)
    options: list["Group"] = field(default_factory=list)
    without: list["Group"] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    exact: bool = True
    single: bool = True

    @property
    def bound(self) -> frozenset[str]:
        """The variables of the statements."""
        return frozenset(
            part
            for one in self.statements
            for part in (one.subject, one.verb, one.object)
            if isinstance(part, str)
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a query wants of focus nodes: a group, and how many rows are counted together in the end.

    `heads` are its prefixes, `having` the grouping by focus node with its condition, with its variables.
    """

    heads: str
    group: Group
    having: str = ""
    counted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Block:
    """What stands between braces, and after how many parts of the group around it."""

    tokens: Sequence[Token]
    place: int

    @property
    def times(self) -> Counter[str]:
        """How often each variable stands there."""
        return Counter(token.variable for token in self.tokens if token.variable)


@dataclass(slots=True)
class _Inner:
    """The groups within a group that are read when all its variables are known."""

    options: list[_Block] = field(default_factory=list)
    without: list[_Block] = field(default_factory=list)
    united: set[str] = field(default_factory=set)


def _whole(group: Group) -> bool:
    """Return whether a group within a group is read to the end and simple enough."""
    inner = group.unions or group.options or group.without or any(one.sets for one in group.words)
    return group.exact and bool(group.statements) and not inner


class _NotRead(ValueError):
    """Something that is not read here."""


def wanted_by(query: Query) -> Wanted | None:
    """Return what a query wants, None if nothing can be said."""
    tokens = list(tokens_of(query.text))
    words = [token.word for token in tokens]
    if query.bound != {"this"} or words.count("SELECT") != 1 or "BASE" in words:
        return None
    if _COUNTING & set(words) and "GROUP" not in words:
        return None
    select = words.index("SELECT")
    prefixes = _prefixes(tokens[:select])
    # Before the group there may be braces among the expressions that the query returns.
    start = select + 1
    while not tokens[start].is_sign("{"):
        start = 1 + (_closing(tokens, start) if tokens[start].is_sign("(") else start)
    if "FROM" in words:
        return None
    end = _closing(tokens, start)
    reader = _Reader(query.text, prefixes, Counter(token.variable for token in tokens))
    group = reader.group(tokens[start + 1 : end])
    heads = query.text[: tokens[select].start]
    if "GROUP" not in words:
        return Wanted(heads, group)
    tail = tokens[end + 1 :]
    counted = frozenset(token.variable for token in tail[3:] if token.variable)
    plain = [token.word or token.variable for token in tail[:4]] == ["GROUP", "BY", "this", "HAVING"]
    further = {"ORDER", "LIMIT", "OFFSET", "EXISTS"} & {token.word for token in tail}
    if not plain or "this" in counted or further:
        return Wanted(heads, group)
    return Wanted(heads, group, query.text[tail[0].start :], counted)


def _prefixes(tokens: Sequence[Token]) -> dict[str, str]:
    return {
        tokens[number + 1].text.rstrip(":"): tokens[number + 2].text[1:-1]
        for number, token in enumerate(tokens[:-2])
        if token.word == "PREFIX"
    }


def _closing(tokens: Sequence[Token], start: int) -> int:
    """Return the place of the parenthesis or brace that closes the one at a place."""
    opening = tokens[start].text
    closing = {"{": "}", "(": ")"}[opening]
    depth = 0
    for number in range(start, len(tokens)):
        depth += tokens[number].is_sign(opening) - tokens[number].is_sign(closing)
        if not depth:
            return number
    raise _NotRead("nothing closes it")


class _Reader:
    """Reads groups of one query."""

    def __init__(self, text: str, prefixes: dict[str, str], times: Counter[str]) -> None:
        self._text = text
        self._prefixes = prefixes
        self._times = times
        self._hidden = 0

    def group(self, tokens: Sequence[Token], around: frozenset[str] = frozenset()) -> Group:
        """Return what is between two braces; `around` are variables that are bound where it stands."""
        found = Group()
        inner = _Inner()
        try:
            self._read(tokens, found, inner)
        except (_NotRead, IndexError, StopIteration):
            found.exact = False
        known = found.bound | around | {"this"}
        assigned = {one.sets for one in found.words if one.sets}
        if assigned & known:
            found.words, found.exact = [], False
        options = [one for one in inner.options if one.place == len(found.statements) + len(found.unions)]
        taken = Counter[str](name for one in options for name in one.times)
        for one in options:
            group = self.group(one.tokens, known)
            own = one.times.keys() - known
            shared = own & (assigned | inner.united) or any(taken[name] > 1 for name in own)
            if _whole(group) and not shared and found.exact:
                found.options.append(group)
                found.single = False
            else:
                found.exact = False
        for one in inner.without:
            group = self.group(one.tokens, known)
            loose = {name for name, times in one.times.items() if self._times[name] > times} - known
            if _whole(group) and not loose:
                found.without.append(group)
            else:
                found.exact = False
        found.exact = found.exact and len(options) == len(inner.options)
        self._drop(found, known | frozenset().union(*(one.bound for one in found.options)))
        return found

    def _drop(self, group: Group, bound: frozenset[str]) -> None:
        """Leave out what speaks of variables that are not bound."""
        known = set(bound)
        kept = []
        for one in sorted(group.words, key=lambda one: one.sets is None):
            if one.variables <= known:
                kept.append(one)
                if one.sets:
                    known.add(one.sets)
            else:
                group.exact = False
        group.words = kept

    def _read(self, tokens: Sequence[Token], found: Group, inner: "_Inner") -> None:
        here = 0
        while here < len(tokens):
            token = tokens[here]
            if token.is_sign("."):
                here += 1
            elif token.word == "BIND":
                end = _closing(tokens, here + 1)
                inside = tokens[here + 2 : end]
                name = inside[-1].variable
                if name != "this":
                    text = self._text[token.start : tokens[end].end]
                    used = frozenset(one.variable for one in inside[:-1] if one.variable)
                    found.words.append(Words(text, used, name))
                here = end + 1
            elif token.word == "FILTER":
                here = self._filter(tokens, here, found, inner)
            elif token.word == "OPTIONAL":
                end = _closing(tokens, here + 1)
                place = len(found.statements) + len(found.unions)
                inner.options.append(_Block(tokens[here + 2 : end], place))
                here = end + 1
            elif token.word in _SKIPPED:
                found.exact = False
                here = (
                    _closing(tokens, next(n for n in range(here, len(tokens)) if tokens[n].is_sign("{"))) + 1
                )
            elif token.is_sign("{"):
                here = self._union(tokens, here, found, inner)
            else:
                here = self._statements(tokens, here, found)

    def _filter(self, tokens: Sequence[Token], here: int, found: Group, inner: "_Inner") -> int:
        start = here + 1
        opening = next(n for n in range(start, len(tokens)) if tokens[n].is_sign("(", "{"))
        end = _closing(tokens, opening)
        inside = tokens[start : end + 1]
        if [one.word for one in tokens[start : start + 2]] == ["NOT", "EXISTS"] and opening == start + 2:
            inner.without.append(_Block(tokens[opening + 1 : end], 0))
        elif any(one.is_sign("{") for one in inside):
            found.exact = False
        else:
            used = frozenset(one.variable for one in inside if one.variable)
            text = self._text[tokens[here].start : tokens[end].end]
            found.words.append(Words(text, used, differ=_differing(inside)))
        return end + 1

    def _union(self, tokens: Sequence[Token], here: int, found: Group, inner: "_Inner") -> int:
        branches = []
        while True:
            end = _closing(tokens, here)
            branches.append(self.group(tokens[here + 1 : end]))
            inner.united |= {token.variable for token in tokens[here:end]}
            if end + 2 >= len(tokens) or tokens[end + 1].word != "UNION":
                break
            here = end + 2
        found.unions.append(tuple(branches))
        found.exact = False
        return end + 1

    def _statements(self, tokens: Sequence[Token], here: int, found: Group) -> int:
        subject = self._term(tokens[here])
        if isinstance(subject, Literal):
            raise _NotRead("no subject")
        here += 1
        while True:
            verbs, here = self._path(tokens, here)
            while True:
                term = self._term(tokens[here])
                here += 1
                # A literal may go on behind its text: what follows is not read.
                if (
                    here < len(tokens)
                    and not tokens[here].is_sign(".", ";", ",", "}", "{")
                    and (not tokens[here].word)
                ):
                    raise _NotRead
                self._chain(subject, verbs, term, found)
                if here >= len(tokens) or not tokens[here].is_sign(","):
                    break
                here += 1
            while here < len(tokens) and tokens[here].is_sign(";"):
                here += 1
            if here >= len(tokens) or not tokens[here - 1].is_sign(";"):
                return here
            if tokens[here].is_sign("."):
                return here

    def _chain(
        self,
        subject: str | NamedNode,
        verbs: Sequence[str | Verb],
        term: str | NamedNode | Literal,
        found: Group,
    ) -> None:
        for number, verb in enumerate(verbs):
            self._hidden += 1
            following = f" {self._hidden}"
            last = number + 1 == len(verbs)
            found.statements.append(Statement(subject, verb, term if last else following))
            # Rows are counted only where each is one way through single properties.
            if isinstance(verb, str) or len(verb) > 1:
                found.single = False
            subject = following

    def _term(self, token: Token) -> str | NamedNode | Literal:
        if token.variable:
            return token.variable
        if token.kind == "text" and "\\" not in token.text and token.text[:3] not in _LONG:
            return Literal(token.text[1:-1])
        iri = self._iri(token)
        if iri is None or token.text == "a":
            raise _NotRead
        return iri

    def _iri(self, token: Token) -> NamedNode | None:
        if token.text == "a":
            return TYPE
        if token.kind == "iri" and "\\" not in token.text:
            return NamedNode(token.text[1:-1])
        if token.kind == "name" and "\\" not in token.text:
            prefix, _, local = token.text.partition(":")
            if prefix in self._prefixes:
                return NamedNode(self._prefixes[prefix] + local)
        return None

    def _path(self, tokens: Sequence[Token], here: int) -> tuple[list[str | Verb], int]:
        """Return the steps of a path in turn, and what comes after it."""
        if tokens[here].variable:
            return [tokens[here].variable], here + 1
        steps: list[str | Verb] = []
        while True:
            step, here = self._step(tokens, here)
            steps.append(step)
            if tokens[here].is_sign("|"):
                if len(steps) > 1:
                    raise _NotRead
                while tokens[here].is_sign("|"):
                    other, here = self._step(tokens, here + 1)
                    step += other
                steps = [step]
            if not tokens[here].is_sign("/"):
                break
            if len(step) > 1:
                raise _NotRead
            here += 1
        return steps, here

    def _step(self, tokens: Sequence[Token], here: int) -> tuple[Verb, int]:
        back = tokens[here].is_sign("^")
        iri = self._iri(tokens[here + back])
        if iri is None or tokens[here + back + 1].is_sign("*", "+", "?"):
            raise _NotRead
        return ((iri, back),), here + back + 1


def _differing(tokens: Sequence[Token]) -> tuple[str, str] | None:
    """Return the variables of a comparison whose sides are alike but for them, if it wants a difference."""
    inside = tokens[1:-1]
    places = [number for number, token in enumerate(inside) if token.is_sign("<", ">")]
    if len(places) != 1 or not tokens[0].is_sign("("):
        return None
    if any(one.kind == "sign" and not one.is_sign("<", ">", *_PLAIN) for one in inside):
        return None
    left, right = inside[: places[0]], inside[places[0] + 1 :]
    mine, others = ({one.variable for one in side if one.variable} for side in (left, right))
    if len(mine) != 1 or len(others) != 1 or len(left) != len(right):
        return None
    alike = all(
        one.text == other.text or (one.variable and other.variable)
        for one, other in zip(left, right, strict=True)
    )
    return (mine.pop(), others.pop()) if alike else None
