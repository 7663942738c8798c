"""What comes from a worker is taken only if it is what a worker of ours sends."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from battpass.kg.errors import BadDocument, Contradiction, NotFound
from battpass.kg.graphs import AccessClass, Finding, Severity
from battpass.kg.home import Arrival, State
from battpass.services.exchange.registry import detect
from battpass.services.exchange.wire import (
    Untrustworthy,
    arrival_received,
    arrival_sent,
    error_received,
    state_received,
    state_sent,
)
from benchmarks.campaigns import ROOT

OTHER = b"<https://w3id.org/battpass/id/p/00000000-0000-4000-8000-000000000000/public>"


@pytest.fixture(scope="module")
def arrival() -> Arrival:
    data = (ROOT / "examples/passports/ev-lfp-60.json").read_bytes()
    loaded = detect(data).load(data)
    finding = Finding("x", Severity.WARNING, "a", "/a", "ü\n", "b", "c")
    made = Arrival.of(loaded.passport, (finding,), data, "battery_pass-6.1.0", "a.json")
    return replace(made, report=b'{"findings": []}')


def test_an_arrival_goes_and_comes_as_it_is(arrival: Arrival) -> None:
    assert arrival_received(arrival_sent(arrival), arrival.original, arrival.source) == arrival


def test_a_state_goes_and_comes_with_what_follows_left_alone(arrival: Arrival) -> None:
    state = State(arrival.record, arrival.model, arrival.item, arrival.model_parts)
    description, texts = state_sent(state)
    assert state_received(json.loads(json.dumps(description)), [*texts, b"more"]) == state


def described(change: Callable[[dict[str, Any]], object]) -> Callable[[list[bytes]], None]:
    """Return what changes the description that the texts begin with."""

    def apply(texts: list[bytes]) -> None:
        content = json.loads(texts[0])
        change(content)
        texts[0] = json.dumps(content).encode()

    return apply


def part(change: Callable[[bytes], bytes]) -> Callable[[list[bytes]], None]:
    """Return what changes the first text of the passport, which is public."""

    def apply(texts: list[bytes]) -> None:
        texts[2] = change(texts[2])

    return apply


def swapped(text: bytes) -> bytes:
    first, second, *rest = text.splitlines(keepends=True)
    return b"".join([second, first, *rest])


CHANGES: dict[str, Callable[[list[bytes]], object]] = {
    "nothing at all": lambda texts: texts.clear(),
    "a description that is no JSON": lambda texts: texts.__setitem__(0, b"{"),
    "a description that is no object": lambda texts: texts.__setitem__(0, b"[]"),
    "a description that nests": lambda texts: texts.__setitem__(0, b"[" * 100_000),
    "a text too few": lambda texts: texts.pop(),
    "a text too many": lambda texts: texts.append(b""),
    "a report that is no JSON": lambda texts: texts.__setitem__(1, b"<html>"),
    "a report that is no object": lambda texts: texts.__setitem__(1, b"[1]"),
    "no record": described(lambda content: content.pop("record")),
    "a record that is no text": described(lambda content: content.update(record=1)),
    "an identifier that is no text": described(lambda content: content["identifiers"].append(None)),
    "a class that is none": described(lambda content: content["parts"][0].__setitem__(1, "secret")),
    "a half that is none": described(lambda content: content["parts"][0].__setitem__(0, "home")),
    "a finding with another member": described(lambda content: content["findings"][0].update(more="x")),
    "a finding that is no text": described(lambda content: content["findings"][0].update(found=1)),
    "a severity that is none": described(lambda content: content["findings"][0].update(severity="mild")),
    "graphs of another record": described(lambda content: content.update(record=f"{content['record']}0")),
    "the graph of another passport": part(
        lambda text: text.replace(text.splitlines()[0].rsplit(b" ", 2)[1], OTHER, 1)
    ),
    "a line that is no quad": part(lambda text: text + b"anything\n"),
    "a comment": part(lambda text: b"# x\n" + text),
    "a blank node": part(lambda text: text.replace(b"<", b"_:b ", 1)),
    "a line without its end": part(lambda text: text[:-1]),
    "lines out of order": part(swapped),
    "a line twice": part(lambda text: text.splitlines(keepends=True)[0] + text),
    "a line break inside a literal": part(lambda text: text.replace(b'"', b'"\n', 1)),
    "a byte that is no text": part(lambda text: text.replace(b"<https", b"<\xff https", 1)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_anything_else_is_not_taken(arrival: Arrival, change: Callable[[list[bytes]], object]) -> None:
    texts = arrival_sent(arrival)
    change(texts)
    with pytest.raises(Untrustworthy):
        arrival_received(texts, arrival.original, "")


def test_an_error_comes_back_as_one_of_ours() -> None:
    error = error_received({"class": "Contradiction", "message": "Two values.", "sound": True})
    assert type(error) is Contradiction and str(error) == "Two values."
    assert type(error_received({"class": "NotFound", "message": "x"})) is NotFound


@pytest.mark.parametrize("name", [None, 7, "SystemExit", "__import__", "AccessClass", ["NotFound"]])
def test_an_error_that_is_none_of_ours_is_about_the_document(name: object) -> None:
    error = error_received({"class": name, "message": "It swells.", "trace": "Traceback ..."})
    assert type(error) is BadDocument
    assert str(error).endswith("nothing of it was kept. It swells.")
    assert error.__notes__ == ["In the worker:\nTraceback ..."]


def test_only_parts_with_something_in_them_are_sent(arrival: Arrival) -> None:
    state = State(arrival.record, arrival.model, {AccessClass.PUBLIC: b""}, {})
    assert state_sent(state) == ({"record": arrival.record, "model": arrival.model, "parts": []}, [])
