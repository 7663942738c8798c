"""Looks for the focus nodes for which a query may find something, by joins over the relations of a chunk.

Statements are joined in columns; filters are asked of the engine that runs queries, once for each different
row of terms. What grows too large is left as it is: the answer then names more nodes than it must.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from pyoxigraph import BlankNode, Literal, QuerySolutions, Store, Triple

from battpass.kg.validation.compiled.columns.encode import Chunk, Flags, Numbers
from battpass.kg.validation.compiled.columns.patterns import Group, Statement, Verb, Wanted
from battpass.kg.validation.compiled.columns.relations import (
    Pairs,
    Relation,
    Relations,
    among,
    distinct,
)
from battpass.kg.validation.compiled.vocabulary import STRING

# Focus nodes that are looked at together, rows that one of these may grow to, and rows that are filtered.
_TOGETHER = 20_000
_MOST_ROWS = 4_000_000
_MOST_FILTERED = 50_000
# Longer texts are not written into queries.
_LONGEST = 4096
_MOST_WRITTEN = 1_000_000
_ROW = "battpassRow"
_PLACE = " place"

Table = dict[str, Numbers]


class _TooLarge(Exception):
    """The rows would become too many."""


class Search:
    """Searches one chunk."""

    def __init__(self, chunk: Chunk[Any], relations: Relations, tick: Callable[[], None]) -> None:
        self._chunk = chunk
        self._relations = relations
        self._tick = tick
        self._every: dict[bool, tuple[Relation, Numbers, Numbers]] = {}

    def among(self, wanted: Wanted, nodes: Numbers) -> Numbers:
        """Return those of some rising nodes for which a query may find something."""
        found = [
            self._of_some(wanted, nodes[start : start + _TOGETHER])
            for start in range(0, len(nodes), _TOGETHER)
        ]
        return np.concatenate(found) if found else nodes

    def _of_some(self, wanted: Wanted, nodes: Numbers) -> Numbers:
        self._tick()
        try:
            table, exact = self._solved(wanted.heads, wanted.group, {"this": nodes})
        except _TooLarge:
            return nodes
        countable = exact and wanted.group.single
        if wanted.having and countable and wanted.counted <= table.keys():
            return self._counted(wanted, table)
        return distinct(table["this"])

    def _solved(self, heads: str, group: Group, table: Table) -> tuple[Table, bool]:
        """Return the rows that a group leaves of a table, and whether they are just those of the query."""
        pending = list(group.statements)
        exact = group.exact
        while pending and len(table["this"]):
            chosen = next((one for one in pending if self._joins(one, table)), None)
            if chosen is None:
                exact = False
                break
            pending.remove(chosen)
            table = self._extended(chosen, table)
        for branches in group.unions:
            focuses = distinct(table["this"])
            left = [self._solved(heads, one, {"this": focuses})[0]["this"] for one in branches]
            table = _kept(table, among(distinct(np.concatenate(left)), table["this"]))
        # What is asked about rows needs all variables that the statements bind.
        if pending and len(table["this"]):
            return self._filtered(heads, group, table, False)
        for one in group.options:
            table, whole = self._with_option(heads, one, table)
            exact = exact and whole
        for one in group.without:
            found, whole = self._matching(heads, one, table)
            exact = exact and whole
            if whole:
                keep = np.ones(len(table["this"]), dtype=np.bool_)
                keep[found[_PLACE]] = False
                table = _kept(table, keep)
        return self._filtered(heads, group, table, exact)

    def _matching(self, heads: str, group: Group, table: Table) -> tuple[Table, bool]:
        """Return the rows that a group within the group leaves, with the place of each, and if just those."""
        return self._solved(heads, group, {**table, _PLACE: np.arange(len(table["this"]))})

    def _with_option(self, heads: str, group: Group, table: Table) -> tuple[Table, bool]:
        """Return the rows with what a group adds to some of them; -1 is no value."""
        found, whole = self._matching(heads, group, table)
        if not whole:
            return table, False
        places = found.pop(_PLACE)
        alone = np.ones(len(table["this"]), dtype=np.bool_)
        alone[places] = False
        rest = _kept(table, alone)
        nothing = np.full(int(alone.sum()), -1, dtype=np.int64)
        none = np.empty(0, dtype=np.int64)
        # Where no row has them, the variables of the group are there all the same.
        names = found.keys() if len(places) else found.keys() | group.bound
        return {
            name: np.concatenate((found.get(name, none), rest.get(name, nothing))) for name in names
        }, True

    def _joins(self, statement: Statement, table: Table) -> bool:
        """Return whether a statement can be followed from what the table holds.

        From a literal it cannot be followed backwards: to the query it is one term in whatever spelling.
        """
        if statement.subject in table:
            return True
        start = table.get(statement.object) if isinstance(statement.object, str) else None
        return start is not None and not self._literal(start).any()

    def _literal(self, nodes: Numbers) -> Flags:
        return np.greater_equal(self._chunk.kinds[self._chunk.terms_of[nodes]], 2)

    def _extended(self, statement: Statement, table: Table) -> Table:
        """Return the table joined with a statement."""
        back = statement.subject not in table
        start, end = (statement.object, statement.subject) if back else (statement.subject, statement.object)
        assert isinstance(start, str)
        verb = statement.verb
        if not isinstance(verb, str):
            pairs, verbs = self._along(verb, back, table[start]), None
        elif f"?{verb}" in table:
            pairs, verbs = self._along_column(table[f"?{verb}"], back, table[start]), None
        else:
            pairs, verbs = self._along_any(back, table[start])
        if not isinstance(end, str):
            number = self._chunk.numbers.get(end, -1)
            fits = self._chunk.terms_of[pairs.values] == number
        elif end in table:
            fits = self._alike(table[end][pairs.rows], pairs.values)
        else:
            fits = None
        rows, values = pairs if fits is None else (pairs.rows[fits], pairs.values[fits])
        out = {name: column[rows] for name, column in table.items()}
        if isinstance(end, str):
            out.setdefault(end, values)
        if verbs is not None and isinstance(verb, str):
            out[f"?{verb}"] = verbs if fits is None else verbs[fits]
        return out

    def _along(self, verb: Verb, back: bool, nodes: Numbers) -> Pairs:
        found = [
            self._followed(
                self._relations.backwards(iri) if turned != back else self._relations.forwards(iri), nodes
            )
            for iri, turned in verb
        ]
        if len(found) == 1:
            return found[0]
        return Pairs(
            np.concatenate([one.rows for one in found]), np.concatenate([one.values for one in found])
        )

    def _along_column(self, verbs: Numbers, back: bool, nodes: Numbers) -> Pairs:
        """Follow in each row the property that stands there."""
        names = list(self._chunk.properties)
        rows, values = [], []
        for number in np.unique(verbs).tolist():
            mine = np.flatnonzero(verbs == number)
            pairs = self._along(((names[number], False),), back, nodes[mine])
            rows.append(mine[pairs.rows])
            values.append(pairs.values)
        return Pairs(np.concatenate([*rows, nodes[:0]]), np.concatenate([*values, nodes[:0]]))

    def _along_any(self, back: bool, nodes: Numbers) -> tuple[Pairs, Numbers]:
        """Follow all properties; third is which one led to a value."""
        relation, ends, verbs = self._all(back)
        pairs = self._followed(relation, nodes)
        return Pairs(pairs.rows, ends[pairs.values]), verbs[pairs.values]

    def _all(self, back: bool) -> tuple[Relation, Numbers, Numbers]:
        found = self._every.get(back)
        if found is None:
            starts, ends, verbs = [], [], []
            for number, predicate in enumerate(self._chunk.properties):
                pairs = self._relations.forwards(predicate).pairs()
                starts.append(pairs[back])
                ends.append(pairs[not back])
                verbs.append(np.full(len(pairs[0]), number))
            every = np.concatenate([*starts, np.empty(0, dtype=np.int64)])
            relation = Relation(every, np.arange(len(every)))
            found = (relation, np.concatenate(ends or [every]), np.concatenate(verbs or [every]))
            self._every[back] = found
        return found

    def _followed(self, relation: Relation, nodes: Numbers) -> Pairs:
        if relation.size(nodes) > _MOST_ROWS:
            raise _TooLarge
        return relation.of(nodes)

    def _alike(self, left: Numbers, right: Numbers) -> Flags:
        """Return which nodes are one term to a query."""
        same = left == right
        apart = np.flatnonzero(~same)
        apart = apart[self._literal(left[apart]) & self._literal(right[apart])]
        terms_of = self._chunk.terms_of
        if len(apart):
            same[apart] = self._kept[terms_of[left[apart]]] == self._kept[terms_of[right[apart]]]
        return np.asarray(same)

    @cached_property
    def _kept(self) -> Numbers:
        """For each term the number of the one as which a store keeps it."""
        out = np.arange(len(self._chunk.terms))
        numbers: dict[object, int] = {}
        for values in self._spelt():
            for row in _rows(f"SELECT ?number ?term {{ VALUES (?number ?term) {{ {values} }} }}"):
                number = int(_text(row["number"]))
                out[number] = numbers.setdefault(row["term"], number)
        return out

    def _spelt(self) -> Iterator[str]:
        """Yield the literals that a store may spell in another way, with their numbers, some at a time."""
        written: list[str] = []
        size = 0
        for number, term in enumerate(self._chunk.terms):
            if isinstance(term, Literal) and not term.language and term.datatype != STRING:
                written.append(f"({number} {term})")
                size += len(written[-1])
                if size > _MOST_WRITTEN:
                    yield " ".join(written)
                    written, size = [], 0
        yield " ".join(written)

    def _filtered(self, heads: str, group: Group, table: Table, exact: bool) -> tuple[Table, bool]:
        """Return the rows that satisfy the filters, and whether all of them were asked."""
        for one in group.words:
            if one.differ is not None and set(one.differ) <= table.keys():
                left, right = (table[name] for name in one.differ)
                table = _kept(table, left != right)
        words, known = [], set(table)
        for one in group.words:
            if one.variables <= known:
                words.append(one)
                known |= {one.sets} if one.sets else set()
        exact = exact and len(words) == len(group.words)
        if not any(one.sets is None for one in words) or not len(table["this"]):
            return table, exact
        names = sorted(frozenset[str]().union(*(one.variables for one in words)) - _set_by(group))
        if any(f"?{name}" in table for name in names):
            return table, False
        rows, places = self._different(table, names)
        if len(rows) > _MOST_FILTERED:
            return table, False
        self._tick()
        try:
            good, asked = self._satisfying(heads, names, rows, "\n".join(one.text for one in words))
        except SyntaxError:
            return table, False
        return _kept(table, good[places]), exact and asked

    def _different(self, table: Table, names: list[str]) -> tuple[Numbers, Numbers]:
        """Return the different rows of terms under some names, and for each row of the table which it is."""
        columns = [np.where(table[name] < 0, -1, self._chunk.terms_of[table[name]]) for name in names]
        if not columns:
            return np.empty((1, 0), dtype=np.int64), np.zeros(len(table["this"]), dtype=np.int64)
        stacked = np.stack(columns, axis=1).astype(np.int64)
        rows, places = np.unique(stacked, axis=0, return_inverse=True)
        return rows, places.reshape(-1).astype(np.int64)

    def _satisfying(self, heads: str, names: list[str], rows: Numbers, words: str) -> tuple[Flags, bool]:
        """Return which rows of terms satisfy filters, and whether all were asked; those that were not, do."""
        good = np.zeros(len(rows), dtype=np.bool_)
        asked = []
        for number, row in enumerate(rows.tolist()):
            terms = self._written(row)
            if terms is None:
                good[number] = True
            else:
                asked.append(f"({number} {terms})")
        every = len(asked) == len(rows)
        variables = " ".join(f"?{name}" for name in (_ROW, *names))
        text = f"{heads} SELECT ?{_ROW} {{ VALUES ({variables}) {{ {' '.join(asked)} }} {words} }}"
        for solution in _rows(text):
            good[int(_text(solution[_ROW]))] = True
        return good, every

    def _written(self, row: list[int]) -> str | None:
        """Return terms as a query has them, None where it cannot."""
        terms = [self._chunk.terms[place] if place >= 0 else None for place in row]
        for term in terms:
            if isinstance(term, BlankNode | Triple) or (term is not None and len(term.value) > _LONGEST):
                return None
        return " ".join("UNDEF" if term is None else str(term) for term in terms)

    def _counted(self, wanted: Wanted, table: Table) -> Numbers:
        """Return the focus nodes whose rows together satisfy a condition."""
        names = sorted(wanted.counted)
        focuses, rows = np.unique(table["this"], return_inverse=True)
        every = [self._kept[self._chunk.terms_of[column]] for column in table.values()]
        _, first = np.unique(np.stack([table["this"], *every], axis=1), axis=0, return_index=True)
        terms = [self._chunk.terms_of[table[name][first]] for name in names]
        values = []
        places = rows.reshape(-1)[first].tolist()
        for place, *row in zip(places, *(one.tolist() for one in terms), strict=True):
            written = self._written(row)
            if written is None:
                return focuses
            values.append(f"({place} {written})")
        if len(values) > _MOST_FILTERED:
            return focuses
        variables = " ".join(f"?{name}" for name in ("this", *names))
        group = f"VALUES ({variables}) {{ {' '.join(values)} }}"
        text = f"{wanted.heads} SELECT ?this {{ {group} }} {wanted.having}"
        try:
            return focuses[sorted({int(_text(solution["this"])) for solution in _rows(text)})]
        except SyntaxError:
            return focuses


def _set_by(group: Group) -> frozenset[str]:
    return frozenset(one.sets for one in group.words if one.sets)


def _kept(table: Table, flags: Flags) -> Table:
    return {name: column[flags] for name, column in table.items()}


def _rows(text: str) -> Iterator[Mapping[str, object]]:
    found = Store().query(text)
    assert isinstance(found, QuerySolutions)
    return found


def _text(term: object) -> str:
    assert isinstance(term, Literal)
    return term.value
