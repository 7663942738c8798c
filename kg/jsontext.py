"""JSON text read strictly and written back digit by digit.

A partner's number keeps the digits it came with (`94.0` is not `94`), members keep their order, and
what RFC 8259 leaves open is refused: duplicate members, `NaN`, a depth that only an attack has.
Payloads in UTF-16 and UTF-32 exist among the official ones and are read.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from json import JSONDecodeError, detect_encoding
from typing import Any

from battpass.kg.errors import DocumentTooLarge, NotJson

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64

type_names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}


class Number:
    """A JSON number by its digits: equal only to the same spelling."""

    __slots__ = ("token",)

    def __init__(self, token: str) -> None:
        self.token = token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and other.token == self.token

    def __hash__(self) -> int:
        return hash(self.token)

    def __repr__(self) -> str:
        return self.token


Json = Any  # dict[str, Json] | list[Json] | str | Number | bool | None


class _Duplicate:
    """Stands where an object named one member twice, until its place is known."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def read_json(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Json:
    """Return the one JSON value in `data`, numbers as `Number`.

    Raises
    ------
    DocumentTooLarge
        If there are more than `max_bytes` bytes.
    NotJson
        If it is no JSON, not decodable, names a member twice or nests deeper than `max_depth`.
    """
    if len(data) > max_bytes:
        raise DocumentTooLarge(
            f"The document has {len(data):,} bytes; at most {max_bytes:,} are read. "
            "Send one passport per document, and link large files instead of embedding them."
        )
    text = _decode(data)
    found: list[_Duplicate] = []

    def members(pairs: list[tuple[str, Json]]) -> Json:
        result = dict(pairs)
        if len(result) < len(pairs):
            times = Counter(name for name, _ in pairs)
            found.append(_Duplicate(next(name for name in times if times[name] > 1)))
            return found[-1]
        return result

    try:
        value = json.loads(
            text,
            parse_float=Number,
            parse_int=Number,
            parse_constant=_refuse_constant,
            object_pairs_hook=members,
        )
    except JSONDecodeError as error:
        raise NotJson(
            f"Line {error.lineno}, column {error.colno}: {error.msg}. "
            "Send one JSON document as RFC 8259 describes it."
        ) from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    for duplicate in found:
        # An object within one that was itself replaced, or overwritten, has no place any more.
        place = _place(value, duplicate)
        if place is not None:
            raise NotJson(
                f"The object at {place or '/'} names the member {duplicate.name!r} more than "
                "once, so it is unclear which one counts. Keep one of them and send the document again."
            )
    if _deeper_than(value, max_depth):
        raise _too_deep(max_depth)
    return value


def _too_deep(max_depth: int) -> NotJson:
    return NotJson(f"The document nests deeper than {max_depth} levels; no passport does. Flatten it.")


def _refuse_constant(name: str) -> Json:
    raise NotJson(f"{name} is no JSON number. Leave the member out where there is no value.")


def _decode(data: bytes) -> str:
    encoding = detect_encoding(data)
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise NotJson(
            f"Byte {error.start} is not {encoding.upper()}. Save the document as UTF-8 and send it again."
        ) from None


def _deeper_than(value: Json, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True


def _place(value: Json, wanted: object, pointer: str = "") -> str | None:
    if value is wanted:
        return pointer
    children: Iterator[tuple[str, Json]] = iter(())
    if isinstance(value, dict):
        children = ((escape(name), child) for name, child in value.items())
    elif isinstance(value, list):
        children = ((str(index), child) for index, child in enumerate(value))
    for step, child in children:
        place = _place(child, wanted, f"{pointer}/{step}")
        if place is not None:
            return place
    return None


def escape(name: str) -> str:
    """Return a member name as one step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def unescape(step: str) -> str:
    """Return the member name of one step of a JSON pointer."""
    return step.replace("~1", "/").replace("~0", "~")


def type_name(value: Json) -> str:
    """Return what JSON calls the type of a value."""
    return "number" if isinstance(value, Number) else type_names[type(value)]


def leaves(value: Json, pointer: str = "") -> Iterator[tuple[str, Json]]:
    """Yield each scalar, and each empty object or array, with its JSON pointer, in document order."""
    if isinstance(value, dict) and value:
        for name, child in value.items():
            yield from leaves(child, f"{pointer}/{escape(name)}")
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from leaves(child, f"{pointer}/{index}")
    else:
        yield pointer, value


def tokens(value: Json) -> Iterator[str]:
    """Yield the token sequence of a value: two documents are equal when these are.

    >>> list(tokens({"a": [Number("1.0")]}))
    ['{', '"a"', '[', '1.0', ']', '}']
    """
    if isinstance(value, dict):
        yield "{"
        for name, child in value.items():
            yield _string(name)
            yield from tokens(child)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for child in value:
            yield from tokens(child)
        yield "]"
    else:
        yield _scalar(value)


def write_json(value: Json, *, indent: int | None = 2) -> str:
    """Return a value as JSON text, numbers by their digits, members in their order.

    >>> write_json({"a": Number("1.0"), "b": []}, indent=None)
    '{"a": 1.0, "b": []}'
    """
    parts: list[str] = []
    _write(value, parts, "\n" if indent is not None else "", " " * (indent or 0))
    return "".join(parts)


def _write(value: Json, parts: list[str], newline: str, step: str) -> None:
    if isinstance(value, dict | list) and value:
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        inner = newline + step if newline else ""
        separator = "," + (inner or " ")
        parts.append(opening + inner)
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for number, (name, child) in enumerate(items):
            if number:
                parts.append(separator)
            if isinstance(value, dict):
                parts.append(_string(name) + ": ")
            _write(child, parts, inner, step)
        parts.append(newline + closing)
    elif isinstance(value, dict):
        parts.append("{}")
    elif isinstance(value, list):
        parts.append("[]")
    else:
        parts.append(_scalar(value))


def _scalar(value: Json) -> str:
    if isinstance(value, Number):
        return value.token
    if isinstance(value, str):
        return _string(value)
    return "null" if value is None else "true" if value else "false"


_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ARRAY_INDEX = re.compile(r"(0|[1-9][0-9]*)\Z")


def _string(text: str) -> str:
    # A lone surrogate is legal in JSON text only as an escape; everything else is written plainly.
    return json.dumps(text, ensure_ascii=bool(_SURROGATE.search(text)))


def pointer_get(value: Json, pointer: str) -> Json:
    """Return the value at a JSON pointer; raises KeyError where there is none."""
    for step in pointer.split("/")[1:]:
        if isinstance(value, list):
            if not _ARRAY_INDEX.match(step) or int(step) >= len(value):
                raise KeyError(pointer)
            value = value[int(step)]
        elif isinstance(value, Mapping):
            value = value[unescape(step)]
        else:
            raise KeyError(pointer)
    return value
