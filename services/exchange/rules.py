"""What reports on kept passports rest on beside their data: digests of shapes, duties, tables and code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path

from battpass.kg.resources import ontology_path, shapes_path
from battpass.kg.validation.incremental.basis import Basis, digest_of_texts

_KG = Path(__file__).resolve().parents[2] / "kg"
_DUTIES = ("attributes.csv", "obligations.csv")


def basis_of(data: str, on: date) -> Basis:
    """Return what the report on a passport with a digest of its data rests on, on a day."""
    return Basis(data, _shapes(), _reference(), on)


@cache
def _shapes() -> str:
    """Return the digest of the installed shapes, and of the tables that duties are made from."""
    return _digest([*shapes_path().glob("*.ttl"), *map(ontology_path, _DUTIES)])


@cache
def _reference() -> str:
    """Return the digest of the other tables, and of the code that judges: another version may say more."""
    here = Path(__file__).parent
    code = (path for folder in (_KG, here) for path in folder.rglob("*.py"))
    return _digest([*ontology_path().glob("*.csv"), *here.glob("*.csv"), *code])


def _digest(paths: Iterable[Path]) -> str:
    texts = [text for path in sorted(paths) for text in (path.name.encode(), path.read_bytes())]
    return digest_of_texts(texts)
