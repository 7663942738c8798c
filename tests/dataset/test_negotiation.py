"""The answer's format follows the Accept header."""

import pytest

from battpass.kg.dataset import QueryForm, negotiate, offers
from battpass.kg.errors import NotAcceptable

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form", "media_type"),
    [
        (None, QueryForm.SELECT, "application/sparql-results+json"),
        ("", QueryForm.ASK, "application/sparql-results+json"),
        ("*/*", QueryForm.DESCRIBE, "text/turtle"),
        ("text/*", QueryForm.SELECT, "text/csv"),
        ("text/csv", QueryForm.SELECT, "text/csv"),
        ("TEXT/CSV ; header=present", QueryForm.SELECT, "text/csv"),
        ("application/json", QueryForm.SELECT, "application/json"),
        ("application/json", QueryForm.CONSTRUCT, "application/json"),
        ("text/csv;q=0.3, text/tab-separated-values;q=0.9", QueryForm.SELECT, "text/tab-separated-values"),
        ("text/csv;q=0, */*;q=0.1", QueryForm.SELECT, "application/sparql-results+json"),
        ("application/sparql-results+json;q=0, */*", QueryForm.SELECT, "application/json"),
        ("application/rdf+xml, text/turtle", QueryForm.CONSTRUCT, "text/turtle"),
        ("application/rdf+xml, text/turtle;q=0.9", QueryForm.CONSTRUCT, "application/rdf+xml"),
        ('application/ld+json;profile="x"', QueryForm.CONSTRUCT, "application/ld+json"),
        ("text/csv;q=high, text/tab-separated-values;q=0.1", QueryForm.SELECT, "text/tab-separated-values"),
        (BROWSER, QueryForm.SELECT, "application/xml"),
        ("tsv", QueryForm.SELECT, "text/tab-separated-values"),
        ("ntriples", QueryForm.CONSTRUCT, "application/n-triples"),
        ("," * 5_000 + "text/csv", QueryForm.SELECT, None),
        ("image/png", QueryForm.SELECT, None),
        ("text/turtle", QueryForm.SELECT, None),
        ("text/csv", QueryForm.DESCRIBE, None),
        ("*/*;q=0", QueryForm.ASK, None),
        ("*/*;q=nan", QueryForm.ASK, None),
    ],
)
def test_format_follows_the_header(accept: str | None, form: QueryForm, media_type: str | None) -> None:
    if media_type is None:
        with pytest.raises(NotAcceptable, match=r"cannot be answered as .*\. Ask for one of .*\."):
            negotiate(accept, form)
    else:
        assert negotiate(accept, form).media_type == media_type


@pytest.mark.parametrize("form", QueryForm)
def test_each_format_on_offer_can_be_had_by_type_and_by_name(form: QueryForm) -> None:
    for offered in offers(form):
        assert negotiate(offered.media_type, form) == offered
        assert negotiate(offered.name, form).name == offered.name
