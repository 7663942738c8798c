"""JSON is read strictly and written back token by token, digit by digit."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battpass.kg.errors import DocumentTooLarge, NotJson
from battpass.kg.jsontext import (
    MAX_DEPTH,
    Json,
    Number,
    escape,
    leaves,
    pointer_get,
    read_json,
    tokens,
    type_name,
    unescape,
    write_json,
)

numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
# Halves of surrogate pairs are legal in JSON, as escapes.
texts = st.text(st.characters(exclude_categories=()), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | texts | numbers.map(Number),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def token_sequence(text: str) -> list[str]:
    """Return the tokens of a JSON text by a reading of its own, strings unescaped."""
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|[-+.0-9eE]+|true|false|null|[{}\[\]]', text, re.S)
    return [repr(json.loads(part)) if part.startswith('"') else part for part in parts]


@given(values, st.sampled_from([None, 1, 2]))
def test_what_is_written_reads_back_the_same(value: Json, indent: int | None) -> None:
    text = write_json(value, indent=indent)
    again = read_json(text.encode("utf-8"))
    assert again == value
    assert list(tokens(again)) == list(tokens(value))


@given(values, st.sampled_from([None, 2]))
def test_what_is_read_is_written_with_the_same_tokens(value: Json, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, default=lambda number: f"#{number.token}")
    text = re.sub(r'"#([-+.0-9eE]+)"', r"\1", text)
    assert token_sequence(write_json(read_json(text.encode()))) == token_sequence(text)


@given(values, st.sampled_from([None, 2]))
def test_other_readers_read_what_is_written(value: Json, indent: int | None) -> None:
    def plain(part: Json) -> Any:
        if isinstance(part, Number):
            return json.loads(part.token)
        if isinstance(part, dict):
            return {name: plain(member) for name, member in part.items()}
        return [plain(member) for member in part] if isinstance(part, list) else part

    assert json.loads(write_json(value, indent=indent)) == plain(value)


@pytest.mark.parametrize(
    "token", ["94.0", "94", "-0", "-0.0", "1E3", "1e+03", "0.10", "1" * 5000, "1e400", "12345678901234567890"]
)
def test_a_number_keeps_its_digits(token: str) -> None:
    assert read_json(f"[{token}]".encode()) == [Number(token)]
    assert write_json([Number(token)], indent=None) == f"[{token}]"


def test_numbers_are_equal_by_their_spelling_alone() -> None:
    assert Number("94.0") != Number("94")
    assert Number("94") != 94
    assert len({Number("1"), Number("1"), Number("1.0")}) == 2


def test_members_keep_their_order() -> None:
    text = '{"b": 1, "a": {"z": [], "y": {}}}'
    assert write_json(read_json(text.encode()), indent=None) == text


def test_indented_text_is_what_the_usual_writer_writes() -> None:
    document = {"a": [1, 2.5, {"b": None, "ü": "€"}], "c": [], "d": {}, "e": [[True], [False]]}
    text = json.dumps(document, indent=2, ensure_ascii=False)
    assert write_json(read_json(text.encode())) == text


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_every_encoding_of_unicode_is_read(encoding: str) -> None:
    assert read_json('{"name": "Blåbær €𝄞"}'.encode(encoding)) == {"name": "Blåbær €𝄞"}


def test_halves_of_surrogate_pairs_come_back_as_escapes() -> None:
    assert write_json(read_json(rb'["\ud834", "\ud834\udd1e"]'), indent=None) == '["\\ud834", "𝄞"]'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "Line 1, column 1: Expecting value", id="nothing"),
        pytest.param(b" \n ", "Expecting value", id="blanks"),
        pytest.param(b'{"a": 1,}', "Line 1, column 9", id="comma too many"),
        pytest.param(b'{"a": 1}\n{"b": 2}', "Line 2, column 1: Extra data", id="two documents"),
        pytest.param(b"{'a': 1}", "Line 1, column 2", id="single quotes"),
        pytest.param(b'{"a": 01}', "Line 1, column 8", id="leading zero"),
        pytest.param(b'{"a": .5}', "Line 1, column 7", id="no digit before the point"),
        pytest.param(b'{"a": "\x01"}', "Invalid control character", id="control character"),
        pytest.param(b'{"a": NaN}', "NaN is no JSON number", id="NaN"),
        pytest.param(b"[-Infinity]", "-Infinity is no JSON number", id="infinity"),
        pytest.param(b'{"a": "\xff"}', "Byte 7 is not UTF-8", id="Latin-1"),
        pytest.param(b"\xff\xfe{", "not UTF-16", id="half of UTF-16"),
        pytest.param(b"\x1f\x8b\x08\x00", "not ", id="compressed"),
        pytest.param(b"[" * 100_000, "nests deeper than 64", id="an attack"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(NotJson, match=message):
        read_json(data)


@pytest.mark.parametrize(
    ("text", "place", "name"),
    [
        ('{"a": 1, "a": 1}', "/", "a"),
        ('{"x": [0, {"a": 1, "b": 2, "b": 3}]}', "/x/1", "b"),
        ('{"x/y": {"~": {"a": 1, "a": 2}}}', "/x~1y/~0", "a"),
        # An object with a double member inside another one: the outer can be found.
        ('{"a": {"b": 1, "b": 2}, "a": 3}', "/", "a"),
        ('{"x": {"a": {"b": 1, "b": 2}, "c": 1, "c": 2}}', "/x", "c"),
        ('{"x": {"b": 1, "b": 2}, "y": {"c": 1, "c": 2}}', "/x", "b"),
    ],
)
def test_a_member_named_twice_is_refused_with_its_object(text: str, place: str, name: str) -> None:
    with pytest.raises(NotJson, match=rf"object at {re.escape(place)} names the member '{name}'"):
        read_json(text.encode())


def test_a_member_named_twice_is_found_among_very_many() -> None:
    """Looking each name up among all the others would take minutes."""
    names = ",".join(f'"a{number}":1' for number in range(100_000))
    with pytest.raises(NotJson, match="names the member 'a99999' more than once"):
        read_json(f'{{{names},"a99999":2}}'.encode())


def test_a_member_named_twice_far_down_is_still_found() -> None:
    with pytest.raises(NotJson, match="names the member 'a' more than once"):
        read_json(b"[" * 900 + b'{"a": 1, "a": 2}' + b"]" * 900)


def test_a_document_over_the_size_is_refused_before_it_is_read() -> None:
    with pytest.raises(DocumentTooLarge, match="11 bytes; at most 10"):
        read_json(b"not json at", max_bytes=10)
    assert read_json(b'"12345678"', max_bytes=10) == "12345678"


def test_depth_ends_where_it_is_said_to() -> None:
    assert read_json(b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH)
    with pytest.raises(NotJson, match="nests deeper"):
        read_json(b"[" * (MAX_DEPTH + 1) + b"1" + b"]" * (MAX_DEPTH + 1))
    with pytest.raises(NotJson, match="nests deeper"):
        read_json(b'{"a":' * 3 + b"1" + b"}" * 3, max_depth=2)


@given(texts)
def test_a_step_of_a_pointer_leads_back_to_its_name(name: str) -> None:
    assert unescape(escape(name)) == name
    assert "/" not in escape(name)


@given(values)
def test_each_leaf_is_found_at_its_pointer(value: Json) -> None:
    found = dict(leaves(value))
    assert found
    for pointer, leaf in found.items():
        assert pointer_get(value, pointer) is leaf
        assert not isinstance(leaf, dict | list) or not leaf


@pytest.mark.parametrize("pointer", ["/b", "/a/3", "/a/-1", "/a/x", "/a/²", "/a/٣", "/a/01", "/a/0/b"])
def test_a_pointer_to_nothing_is_a_key_error(pointer: str) -> None:
    with pytest.raises(KeyError):
        pointer_get({"a": [1, 2, 3]}, pointer)


def test_types_have_their_names_in_json() -> None:
    names = [type_name(value) for value in ({}, [], "", True, None, Number("1"))]
    assert names == ["object", "array", "string", "boolean", "null", "number"]
