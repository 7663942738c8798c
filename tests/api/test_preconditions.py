"""Entity tags and conditions as RFC 9110 has them."""

import pytest

from battpass.services.api.preconditions import (
    Condition,
    check_match,
    entity_tag,
    state_tag,
    unchanged,
)
from battpass.services.api.problems import BadRequest, PreconditionFailed, PreconditionRequired


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        ("*", Condition(any=True)),
        (" * ", Condition(any=True)),
        ('"a"', Condition(strong=frozenset("a"))),
        ('"a","b"', Condition(strong=frozenset("ab"))),
        ('"a" , W/"b" ,"c"', Condition(strong=frozenset("ac"), weak=frozenset("b"))),
        ('""', Condition(strong=frozenset({""}))),
        ('"a,b"', Condition(strong=frozenset({"a,b"}))),
        ("", Condition()),
    ],
)
def test_conditions_are_read(header: str, condition: Condition) -> None:
    assert Condition.read(header) == condition


@pytest.mark.parametrize("header", ["a", '"a', '"a" "b"', "W/a", 'w/"a"', '"a", *', '*, "a"', '"a b"', ",,"])
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(BadRequest, match="entity tags"):
        Condition.read(header)


@pytest.mark.parametrize(
    ("header", "is_unchanged"),
    [
        (None, False),
        ("*", True),
        ('"s.turtle"', True),
        ('W/"s.turtle"', True),
        ('"x", "s.turtle"', True),
        ('"s.json-ld"', False),
        ('"s"', False),
    ],
)
def test_reader_has_what_its_tag_names(header: str | None, is_unchanged: bool) -> None:
    assert unchanged(header, entity_tag("s", "turtle")) is is_unchanged


@pytest.mark.parametrize("header", ["*", '"s.turtle"', '"s.battery_pass-6.1.0"', '"x.turtle", "s.json-ld"'])
def test_writer_who_read_what_stands_in_any_format_may_go_on(header: str) -> None:
    check_match(header, "s")


@pytest.mark.parametrize("header", ['"x.turtle"', 'W/"s.turtle"', '"s2.turtle"', '""', ""])
def test_writer_who_read_something_else_may_not(header: str) -> None:
    with pytest.raises(PreconditionFailed, match="changed since"):
        check_match(header, "s")


def test_writer_who_says_nothing_may_go_on_where_nothing_is_asked() -> None:
    check_match(None, "s", required=False)
    with pytest.raises(PreconditionRequired, match="If-Match"):
        check_match(None, "s")


def test_tag_follows_what_is_seen_and_nothing_else() -> None:
    first = state_tag("public", "r", "m", [("public", "1"), ("item", "2")])
    assert first == state_tag("public", "r", "m", [("item", "2"), ("public", "1")])
    others = {
        state_tag("owner", "r", "m", [("public", "1"), ("item", "2")]),
        state_tag("public", "q", "m", [("public", "1"), ("item", "2")]),
        state_tag("public", "r", "n", [("public", "1"), ("item", "2")]),
        state_tag("public", "r", "m", [("public", "1")]),
        state_tag("public", "r", "m", [("public", "2"), ("item", "1")]),
    }
    assert len(others | {first}) == 6
