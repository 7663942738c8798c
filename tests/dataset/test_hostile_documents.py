"""Hostile documents end in a clear error, with the depth check and without it."""

import re
from collections.abc import Callable

import pytest

from battpass.kg.dataset import DocumentLimits, Walls, parse_foreign
from battpass.kg.errors import BadDocument
from tests.dataset.hostile import DOCUMENTS

LIMITS = DocumentLimits(seconds=10.0, expanded_bytes=64 << 20, walls=Walls(memory=512 << 20))


def refused(media_type: str, body: bytes, limits: DocumentLimits) -> None:
    with pytest.raises(BadDocument) as caught:
        parse_foreign(body, media_type, limits=limits)
    assert re.fullmatch(r"(line \d+, column \d+: )?[^\n]{20,600}\.", str(caught.value))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_refused(name: str, unheard: Callable[[str], str]) -> None:
    media_type, body, _ = DOCUMENTS[name]
    refused(media_type, unheard(body.decode("latin-1")).encode("latin-1"), LIMITS)


@pytest.mark.parametrize(
    "name", [name for name, (*_, deep) in DOCUMENTS.items() if deep and "1,000" not in name]
)
def test_wall_alone_holds_a_deep_document(name: str) -> None:
    media_type, body, _ = DOCUMENTS[name]
    limits = DocumentLimits(depth=10**9, seconds=1.0, walls=LIMITS.walls)
    refused(media_type, body, limits)


def test_depth_is_a_limit_of_ours_not_of_the_engine() -> None:
    media_type, body, _ = DOCUMENTS["JSON-LD objects nested 1,000 deep"]
    limits = DocumentLimits(depth=1_000, seconds=20.0)
    assert len(parse_foreign(body, media_type, limits=limits)) == 1_000


def test_depth_is_refused_with_its_place() -> None:
    with pytest.raises(BadDocument, match=r"^line 3, column 100: brackets nested deeper than 100"):
        parse_foreign(b"[\n" * 2 + b" " + b"[" * 99 + b"]" * 101, "application/ld+json")


def test_brackets_inside_strings_do_not_nest() -> None:
    text = b'{"http://a/p": "' + b"[{" * 500 + b'\\"[[["}'
    assert len(parse_foreign(text, "application/ld+json")) == 1
