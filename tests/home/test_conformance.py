"""A published passport says which version of the shapes it meets, to whoever may read it."""

from dataclasses import replace
from datetime import date

import pytest

from battpass.kg.graphs import AccessClass
from battpass.kg.home import Arrival, Home, Policy, Stage
from battpass.kg.validation.shapes import ShapeSet
from battpass.kg.validation.validator import Validator
from battpass.services.exchange.rdf import TURTLE
from battpass.services.exchange.registry import detect
from tests.home.conftest import document
from tests.home.small import PASSES
from tests.home.small import arrival as small

NAME = "ev-lfp-60"
SAID = "SELECT ?graph ?version { GRAPH ?graph { ?passport dcterms:conformsTo ?version } }"


def checked() -> Arrival:
    """Return an example that was checked against the shapes."""
    data = document(NAME)
    known = detect(data)
    loaded = known.load(data)
    report = Validator.load(date(2026, 11, 21)).validate(loaded.passport, loaded.places)
    return Arrival.of(loaded.passport, loaded.findings, data, known.name, report=report.text())


def said(home: Home, audience: str) -> list[list[str]]:
    text = home.dataset(audience).query(SAID, "csv").read().decode()
    return [line.split(",") for line in text.split()[1:]]


def test_what_is_published_says_so_in_its_public_graph_to_every_audience(home: Home) -> None:
    given = checked()
    home.put(given)

    expected = [[f"{given.record}/public", ShapeSet.load().version]]
    for audience in home.audiences:
        assert said(home, audience) == expected, audience


def test_a_draft_says_nothing_until_it_is_published(home: Home) -> None:
    given = checked()
    written = home.put(given, stage=Stage.DRAFT)
    assert said(home, "owner") == []

    home.publish(given.record, report=given.report, expected=written.version)
    assert (
        said(home, "owner") == said(home, "public") == [[f"{given.record}/public", ShapeSet.load().version]]
    )


def test_what_was_not_checked_says_nothing(home: Home) -> None:
    home.put(replace(checked(), report=b""), trusted=True)
    home.put(small(2, report=PASSES))

    assert said(home, "owner") == []


def test_what_was_published_with_violations_does_not_say_that_it_conforms(home: Home) -> None:
    given = checked()
    bad = given.report.replace(b'"blocking":false', b'"blocking":true')
    assert bad != given.report
    home.put(replace(given, report=bad), policy=Policy.RECORD)

    assert list(home.records("public")) == [given.record]
    assert said(home, "owner") == []


@pytest.mark.parametrize("stage", [Stage.DRAFT, Stage.PUBLISHED])
def test_nobody_can_claim_it(home: Home, stage: Stage) -> None:
    given = checked()
    name = f"<{given.record}/public>"
    claims = (
        f"<{given.record}> <http://purl.org/dc/terms/conformsTo> <{version}> {name} .\n".encode()
        for version in ("https://w3id.org/battpass/shapes/99.0.0", "https://example.org/other")
    )
    lines = given.item[AccessClass.PUBLIC].splitlines(keepends=True)
    public = b"".join(sorted([*lines, *claims]))
    home.put(
        replace(given, item={**given.item, AccessClass.PUBLIC: public}, report=b""), stage=stage, trusted=True
    )

    # What somebody else's standard asks for is not ours to judge.
    assert said(home, "owner") == [[f"{given.record}/public", "https://example.org/other"]]


def test_the_partner_gets_the_document_back_and_turtle_says_it(home: Home) -> None:
    given = checked()
    home.put(given)
    kept = home.passport(given.record)

    assert detect(given.original).dump(kept) == detect(given.original).dump(
        detect(given.original).load(given.original).passport
    )
    assert f"dcterms:conformsTo <{ShapeSet.load().version}>" in TURTLE.dump(kept).decode()


def test_putting_back_what_was_read_changes_nothing(home: Home) -> None:
    given = checked()
    first = home.put(given)
    state = home.state(given.record)
    again = home.put(replace(given, item=state.item))

    assert (again.outcome, again.version) == ("unchanged", first.version)
    draft = home.put(replace(given, item=state.item), stage=Stage.DRAFT)
    assert draft.outcome == "unchanged"
