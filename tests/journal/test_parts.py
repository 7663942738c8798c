"""Two states are compared line by line, and the difference leads from one to the other and back."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad

from battpass.kg.graphs import AccessClass
from battpass.kg.journal.parts import (
    Parts,
    applied,
    difference,
    digest,
    graphs_of,
    parts_of,
    quads_of,
    text_of,
)


@st.composite
def states(draw: st.DrawFn) -> Parts:
    lines = st.frozensets(st.integers(0, 12).map(lambda n: b"<urn:x:%d> <urn:p> <urn:o> <urn:g> .\n" % n))
    found = draw(st.dictionaries(st.sampled_from(AccessClass), lines))
    return {access: b"".join(sorted(part)) for access, part in found.items() if part}


def in_order(parts: Parts) -> Parts:
    return {access: parts[access] for access in AccessClass if access in parts}


@given(states(), states())
def test_a_difference_leads_from_one_state_to_the_other_and_back(before: Parts, after: Parts) -> None:
    added, removed = difference(before, after)
    assert applied(before, added, removed) == in_order(after)
    assert applied(after, removed, added) == in_order(before)


@given(states(), states())
def test_a_difference_names_no_line_twice_and_none_that_stays(before: Parts, after: Parts) -> None:
    added, removed = difference(before, after)
    for access in AccessClass:
        was = set(before.get(access, b"").splitlines())
        now = set(after.get(access, b"").splitlines())
        assert added.get(access, b"").splitlines() == sorted(now - was)
        assert removed.get(access, b"").splitlines() == sorted(was - now)


@given(states())
def test_a_state_does_not_differ_from_itself(state: Parts) -> None:
    assert difference(state, state) == ({}, {})


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


@given(st.lists(st.tuples(st.integers(0, 5), TEXTS), max_size=8))
def test_graphs_come_back_from_their_texts_whatever_a_literal_holds(values: list[tuple[int, str]]) -> None:
    graph = NamedNode("urn:g:public")
    quads = frozenset(
        Quad(NamedNode(f"urn:s:{n}"), NamedNode("urn:p"), Literal(text), graph) for n, text in values
    )
    text = text_of(quads)
    assert quads_of(text) == quads
    assert text.count(b"\n") == len(quads), "one line to a quad, also where a value has line breaks"
    graphs = {AccessClass.PUBLIC: quads} if quads else {}
    assert graphs_of(parts_of(graphs)) == graphs


def test_equal_graphs_have_equal_texts_whatever_their_order() -> None:
    quads = [
        Quad(NamedNode(f"urn:s:{n}"), NamedNode("urn:p"), Literal("x"), NamedNode("urn:g")) for n in range(50)
    ]
    assert text_of(quads) == text_of(reversed(quads)) == text_of(frozenset(quads))


def test_the_digest_is_what_a_checksum_tool_says() -> None:
    assert digest(b"abc") == hashlib.sha256(b"abc").hexdigest()
