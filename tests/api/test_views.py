"""The page of a passport as each audience has it, and what is said of one that has ended."""

from collections.abc import Iterator

import httpx
import pytest

from battpass.kg.home import Home, Stage
from tests.api.conftest import Served, another, arrival, example, identifier_of, serving

BROWSER = "text/html,application/xhtml+xml"
PUBLISHED, DRAFT, ENDED = 21, 22, 23


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a passport that is published, a draft, and one that was archived."""
    with Home.open(tmp_path_factory.mktemp("views"), create=True) as home:
        home.put(arrival(example("ev-lfp-60")), trusted=True)
        for number in (PUBLISHED, ENDED):
            home.put(arrival(another(number)), trusted=True)
        home.put(arrival(another(DRAFT)), stage=Stage.DRAFT)
        home.archive(identifier_of(ENDED))
        with serving(home) as server:
            yield server


def page(served: Served, number: int, audience: str = "public", language: str = "en") -> httpx.Response:
    headers = {"Accept": BROWSER, "Accept-Language": language, **served.key(audience)}
    return served.client.get(f"/p/{identifier_of(number)}", headers=headers)


@pytest.mark.parametrize(
    ("audience", "reserved"),
    [
        ("public", ["Model: with a legitimate interest", "Single battery:", "For authorities"]),
        ("interest", ["For authorities"]),
        ("authority", ["Single battery:"]),
        ("owner", []),
    ],
)
def test_a_page_names_what_its_reader_does_not_read(
    served: Served, audience: str, reserved: list[str]
) -> None:
    text = page(served, PUBLISHED, audience).text
    titles = ("Model: with a legitimate interest", "Single battery:", "For authorities")
    assert [one for one in titles if one in text] == reserved
    assert ("What else exists" in text) is bool(reserved)


def test_a_page_says_whose_view_it_is(served: Served) -> None:
    assert "Public part of the data" in page(served, PUBLISHED).text
    for audience, named in (
        ("interest", "persons with a legitimate interest"),
        ("owner", "economic operator"),
    ):
        text = page(served, PUBLISHED, audience).text
        assert f"As read by: {'the ' * (audience == 'owner')}{named}." in text
        assert "Public part of the data" not in text


def test_a_draft_is_called_one_on_its_page(served: Served) -> None:
    assert "Draft of a battery passport" in page(served, DRAFT, "owner").text
    assert "Draft of a battery passport" not in page(served, PUBLISHED, "owner").text
    assert page(served, DRAFT).status_code == 404


def test_measured_resistance_stands_with_what_was_measured(served: Served) -> None:
    text = page(served, PUBLISHED, "owner").text
    assert text.index("<h3>Measured</h3>") < text.index("Current internal resistance of the pack")


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "This passport has ceased to exist"), ("de", "Diesen Pass gibt es nicht mehr")],
)
def test_a_passport_that_ended_says_so_in_the_language_of_the_reader(
    served: Served, language: str, title: str
) -> None:
    answer = page(served, ENDED, language=language)
    assert answer.status_code == 410
    assert f"<h1>{title}</h1>" in answer.text
    assert "2023/1542" in answer.text
    assert "<h2>" not in answer.text, "there is nothing to do"


def test_an_unknown_passport_says_so_in_german(served: Served) -> None:
    text = page(served, 99, language="de").text
    assert "<h1>Nicht gefunden</h1>" in text
    assert "Prüfen Sie die Kennung" in text


def test_the_icon_is_there(served: Served) -> None:
    answer = served.client.get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
