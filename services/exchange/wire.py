"""What passes between an intake and its workers: passports as texts, described by one JSON object.

What a worker sends is never trusted: a document may have taken it over. So nothing is unpickled, every member
is looked at, and the quads of a passport must be quads of its own graphs, one to a line.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, fields
from itertools import pairwise
from typing import Any

from battpass.kg import errors
from battpass.kg.errors import BadDocument, BattPassError
from battpass.kg.graphs import AccessClass, Finding, Severity
from battpass.kg.home.arrival import Arrival, State
from battpass.kg.journal.parts import Parts

_IRI = rb'<[^\x00-\x20<>"{}|^`\\]++>'
_LITERAL = rb'"(?:[^"\\\n\r]|\\[tbnrf"\'\\]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+"'
_LINE = rb"%b %b (?:%b|%b(?:@[A-Za-z0-9-]++|\^\^%b)?+) " % (_IRI, _IRI, _IRI, _LITERAL, _IRI)

_ERRORS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, BattPassError)
}
_TEXTS = tuple(field.name for field in fields(Finding) if field.name != "severity")


class Untrustworthy(Exception):
    """A worker sent what no worker of ours sends."""


def state_sent(state: State) -> tuple[dict[str, Any], list[bytes]]:
    """Return a state as a description and its texts."""
    parts = [(item, access, text) for item, access, text in _parts(state.item, state.model_parts)]
    description = {
        "record": state.record,
        "model": state.model,
        "parts": [[item, access] for item, access, _ in parts],
    }
    return description, [text for *_, text in parts]


def state_received(description: dict[str, Any], texts: list[bytes]) -> State:
    """Return the state of a description and its texts; what follows behind these is left alone."""
    halves: dict[str, dict[AccessClass, bytes]] = {"item": {}, "model": {}}
    for (half, access), text in zip(description["parts"], texts, strict=False):
        halves[half][AccessClass(access)] = text
    return State(description["record"], description["model"], halves["item"], halves["model"])


def arrival_sent(arrival: Arrival) -> list[bytes]:
    """Return an arrival as texts, the first of which describes the others; its original stays behind."""
    state = State(arrival.record, arrival.model, arrival.item, arrival.model_parts)
    description, texts = state_sent(state)
    description["identifiers"] = arrival.identifiers
    description["findings"] = [asdict(finding) for finding in arrival.findings]
    description["format"] = arrival.format
    return [json.dumps(description).encode(), arrival.report, *texts]


def arrival_received(texts: list[bytes], original: bytes, source: str) -> Arrival:
    """Return the arrival that a worker sent.

    Raises
    ------
    Untrustworthy
    """
    try:
        description = json.loads(texts[0])
        for name in ("record", "model", "format"):
            _check(isinstance(description[name], str))
        _check(all(isinstance(one, str) for one in description["identifiers"]))
        state = state_received(description, texts[2:])
        _check(len(description["parts"]) == len(texts) - 2)
        _check_parts(state.record, state.item)
        _check_parts(state.model, state.model_parts)
        _check(not texts[1] or isinstance(json.loads(texts[1]), dict))
        return Arrival(
            state.record,
            state.model,
            state.item,
            state.model_parts,
            tuple(description["identifiers"]),
            tuple(_finding(one) for one in description["findings"]),
            original,
            description["format"],
            source,
            texts[1],
        )
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise Untrustworthy(str(error)) from None


def error_received(content: dict[str, Any]) -> BattPassError:
    """Return the error that a worker reports, of the class that it was raised as there."""
    kind = _ERRORS.get(str(content.get("class")))
    if kind is not None:
        return kind(str(content.get("message")))
    error = BadDocument(f"The document cannot be read; nothing of it was kept. {content.get('message')}")
    if trace := content.get("trace"):
        error.add_note(f"In the worker:\n{trace}")
    return error


def _parts(item: Parts, model: Parts) -> Iterable[tuple[str, AccessClass, bytes]]:
    for half, parts in (("item", item), ("model", model)):
        for access in AccessClass:
            if parts.get(access):
                yield half, access, parts[access]


def _check_parts(record: str, parts: Parts) -> None:
    for access, text in parts.items():
        graph = re.escape(f"<{record}/{access.value}>".encode())
        _check(bool(re.fullmatch(rb"(?:%b%b \.\n)*+" % (_LINE, graph), text)))
        lines = text.splitlines(keepends=True)
        _check(all(one < other for one, other in pairwise(lines)))


def _finding(content: dict[str, Any]) -> Finding:
    for name in _TEXTS:
        _check(isinstance(content[name], str))
    return Finding(**{**content, "severity": Severity(content["severity"])})


def _check(holds: bool) -> None:
    if not holds:
        raise ValueError("not as a worker writes it")
