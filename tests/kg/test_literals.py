"""What is kept is spelled as the engine spells it, and counts as a value there."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Store

from battpass.kg.literals import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    DECIMAL,
    INTEGER,
    MAX_MAGNITUDE,
    date_text,
    date_time_text,
    decimal_literal,
    decimal_of,
    decimal_text,
    is_text,
)
from battpass.kg.passport import Passport
from battpass.services.exchange.rdf import TURTLE
from battpass.services.exchange.registry import detect
from benchmarks.campaigns import ROOT

SUBJECT, PREDICATE = NamedNode("urn:s"), NamedNode("urn:p")
# Any two values of these types can be compared; with an ill-typed literal it is an error.
SOME = {DECIMAL: "0", DATE: "2027-02-18", DATE_TIME: "2027-02-18T08:00:00Z"}

tokens = st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
exact = st.decimals(-MAX_MAGNITUDE, MAX_MAGNITUDE, allow_nan=False, allow_infinity=False, places=18)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def holding(literal: Literal) -> Store:
    """Return a store with one literal."""
    store = Store()
    store.add(Quad(SUBJECT, PREDICATE, literal))
    return store


def stored(text: str, datatype: NamedNode) -> str:
    """Return how the engine gives a literal back."""
    term = next(iter(holding(Literal(text, datatype=datatype)))).object
    assert isinstance(term, Literal)
    return term.value


def counts(text: str, datatype: NamedNode) -> bool:
    """Return whether the engine can compare a literal with others of its type."""
    other = f'"{SOME[datatype]}"^^{datatype}'
    store = holding(Literal(text, datatype=datatype))
    return bool(store.query(f"ASK {{ ?s ?p ?o FILTER (?o < {other} || ?o >= {other}) }}"))


@given(tokens)
def test_a_number_is_spelled_as_the_engine_spells_it(token: str) -> None:
    value = decimal_of(token)
    if value is not None:
        text = decimal_text(value)
        assert Decimal(text) == Decimal(token)
        assert stored(text, DECIMAL) == text
        assert counts(text, DECIMAL)


@given(exact)
def test_every_number_that_the_engine_holds_is_held_here(value: Decimal) -> None:
    assert decimal_of(str(value)) == value
    text = decimal_text(value)
    assert stored(text, DECIMAL) == text
    assert decimal_literal(value) == Literal(text, datatype=DECIMAL)


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("94.0", "94"),
        ("94.50", "94.5"),
        ("-0.0", "0"),
        ("1E3", "1000"),
        ("1.5e-3", "0.0015"),
        ("0e9999", "0"),
        ("100", "100"),
        ("1.0000000000000000000000", "1"),
        ("170141183460469231731", "170141183460469231731"),
    ],
)
def test_a_number_has_one_spelling(token: str, text: str) -> None:
    value = decimal_of(token)
    assert value is not None and decimal_text(value) == text == stored(text, DECIMAL)


@pytest.mark.parametrize(
    "token", ["170141183460469231732", "1e-19", "1e400", "-1e400", "1e999999999999999999"]
)
def test_a_number_that_the_engine_cannot_hold_is_none(token: str) -> None:
    assert decimal_of(token) is None


@pytest.mark.parametrize(
    "text", ["", "abc", "NaN", "Infinity", "-inf", "1_000", " 1", "1 ", "１", "0x1", "1,5", "1e"]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert decimal_of(text) is None


@given(st.dates())
def test_a_date_is_spelled_as_the_engine_spells_it(day: date) -> None:
    text = date_text(day.isoformat())
    assert text == day.isoformat() == stored(text, DATE)
    assert counts(text, DATE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023-02-29",
        "2023-13-01",
        "2023-1-1",
        "20230101",
        "01.01.2023",
        "2023-01-01T00:00:00",
        "２０２３-01-01",
        "0000-01-01",
        "2023-01-01\n",
        "2023-W01-1",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert date_text(text) is None


@given(st.datetimes(timezones=st.none() | zones), st.text("0123456789", max_size=17))
def test_a_time_is_spelled_as_the_engine_spells_it(moment: datetime, fraction: str) -> None:
    base = moment.replace(microsecond=0)
    seconds = base.replace(tzinfo=None).isoformat()
    zone = base.isoformat()[len(seconds) :]
    text = date_time_text(seconds + (f".{fraction}" if fraction else "") + zone)
    assert text is not None
    assert stored(text, DATE_TIME) == text
    assert counts(text, DATE_TIME)
    assert date_time_text(text) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("2023-12-07T10:39:13.500+00:00", "2023-12-07T10:39:13.5Z"),
        ("2023-12-07T10:39:13-00:00", "2023-12-07T10:39:13Z"),
        ("2023-12-07T10:39:13.000Z", "2023-12-07T10:39:13Z"),
        ("2023-12-07T10:39:13+05:30", "2023-12-07T10:39:13+05:30"),
        ("2023-12-07T10:39:13", "2023-12-07T10:39:13"),
    ],
)
def test_a_time_has_one_spelling(written: str, text: str) -> None:
    assert date_time_text(written) == text == stored(written, DATE_TIME)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023-12-07",
        "2023-12-07 10:39:13",
        "2023-12-07T10:39",
        "2023-12-07T25:00:00Z",
        "2023-02-30T10:39:13Z",
        "2023-12-07T10:39:60Z",
        "2023-12-07T10:39:13+14:01",
        "2023-12-07T10:39:13+23:59",
        "2023-12-07T10:39:13+24:00",
        "2023-12-07T10:39:13,5Z",
        "2023-12-07T10:39:13z",
        "2023-12-07T10:39:13.Z",
        "1701941953",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert date_time_text(text) is None


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_text_that_rdf_can_hold_comes_back_from_the_engine(text: str) -> None:
    if is_text(text):
        assert next(iter(holding(Literal(text)))).object == Literal(text)
    else:
        assert "\x00" in text


@pytest.mark.parametrize("text", ["a\x00b", "\ud834", "\udd1e\ud834"])
def test_text_that_rdf_cannot_hold_is_told(text: str) -> None:
    assert not is_text(text)


def test_every_literal_of_an_example_is_spelled_as_the_engine_spells_it() -> None:
    data = (ROOT / "examples/passports/ev-nmc811-82.json").read_bytes()
    passport: Passport = detect(data).load(data).passport
    assert {DECIMAL, INTEGER, BOOLEAN, DATE, DATE_TIME} <= {one.datatype for one in literals_of(passport)}
    supplement = (ROOT / "examples/supplements/ev-nmc811-82.ttl").read_bytes()
    whole = TURTLE.supplement(supplement, passport)
    for one in literals_of(whole):
        assert stored(one.value, one.datatype) == one.value


def literals_of(passport: Passport) -> set[Literal]:
    found = {quad.object for quad in passport.quads() if isinstance(quad.object, Literal)}
    return {one for one in found if not one.language}


def test_now_is_a_time() -> None:
    assert date_time_text(datetime.now(UTC).isoformat()) is not None
