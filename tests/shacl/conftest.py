"""What the tests that run rivals share."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def plain_rdflib(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep rdflib from telling of each ill-typed literal, and from spelling literals anew."""
    monkeypatch.setattr("rdflib.NORMALIZE_LITERALS", False)
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)
