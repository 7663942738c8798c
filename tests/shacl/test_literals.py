"""Values of literals: how they compare and which lexical forms there are, held against Oxigraph."""

from itertools import product

import pytest
from pyoxigraph import Literal, QuerySolutions, Store, Variable

from battpass.kg.namespaces import XSD, node
from battpass.kg.validation.compiled.literals import less, well_formed
from battpass.kg.validation.compiled.regex import Pattern
from benchmarks.campaigns import Campaign

VALUES = {
    "integer": ("1", "01", "-7", "123456789012345678"),
    "int": ("+5",),
    "decimal": ("5.0", ".5", "5.", "-0.0"),
    "double": ("1e3", "INF", "-INF", "0.1", "1.0"),
    "float": ("0.1", "1.5", "INF"),
    "string": ("", "a", "B", "ab", "é"),
    "dateTime": (
        "2020-01-01T00:00:00",
        "2020-01-01T00:00:00Z",
        "2020-01-01T20:00:00Z",
        "2020-01-01T00:00:00.5Z",
        "2020-01-01T24:00:00Z",
        "2020-01-02T00:00:00+01:00",
        "1600-02-29T23:59:59.999Z",
    ),
    "date": ("2020-01-01", "2020-01-02", "2020-01-01Z", "2020-01-01+14:00", "2019-12-31-10:00", "0001-01-01"),
    "time": ("12:00:00", "12:00:00Z", "13:00:00+02:00", "23:59:59"),
    "gYear": ("2020", "2021Z", "1999"),
    "gYearMonth": ("2020-05", "2020-06"),
    "gDay": ("---03", "---31"),
    "gMonth": ("--05", "--06"),
    "duration": ("P1Y", "P1D", "P2M", "P1M1D", "-P1Y", "P30D", "P32D", "PT1.5S"),
    "yearMonthDuration": ("P12M", "P13M"),
    "dayTimeDuration": ("PT36H", "P1DT12H", "PT0S"),
}
LITERALS = [Literal(text, datatype=node(f"xsd:{local}")) for local, texts in VALUES.items() for text in texts]
# Lexical forms that a datatype has, and some that it has not.
FORMS = {
    "integer": ("0 -1 +1 007", "1.0 1e0 x - ١ 1_0"),
    "byte": ("127 -128", "128 -129 1.0"),
    "nonNegativeInteger": ("0 -0 5", "-1"),
    "unsignedLong": ("18446744073709551615", "18446744073709551616 -1"),
    "decimal": ("1 1. .1 -1.50", "1e0 . INF 1,0"),
    "double": ("1 1e5 -INF NaN .5E-3", "inf +NaN 1e 0x1"),
    "boolean": ("true false 1 0", "TRUE yes 2"),
    "date": (
        "2020-02-29 2020-01-01Z 12020-01-01 -0044-03-15",
        "2021-02-29 2020-1-1 2020-13-01 2020-01-01+15:00",
    ),
    "dateTime": ("2020-01-01T24:00:00 2020-01-01T00:00:00.123+14:00", "2020-01-01 2020-01-01T24:00:01"),
    "dateTimeStamp": ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00"),
    "time": ("00:00:00 23:59:59.9Z", "24:00:01 1:00:00 12:60:00"),
    "gMonthDay": ("--02-29 --12-31Z", "--02-30 02-29"),
    "duration": ("P1Y PT1S -P1Y2M3DT4H5M6.7S", "P PT P1S 1Y P1YT P-1Y"),
    "dayTimeDuration": ("P1D PT1H", "P1Y P1M"),
    "hexBinary": ("00 fF", "0 0g"),
    "base64Binary": ("AAAA AA== AAA=", "A AA AB== AAB="),
    "language": ("en en-GB", "e1 abcdefghi"),
    "NCName": ("a _b é", "1a a:b"),
    "anyURI": ("http://a x", ""),
}


@pytest.mark.parametrize("local", FORMS)
def test_lexical_forms_of_a_datatype(local: str) -> None:
    good, bad = FORMS[local]

    assert [text for text in good.split() if not well_formed(text, XSD + local)] == []
    assert [text for text in bad.split() if well_formed(text, XSD + local)] == []


@pytest.mark.parametrize("local", ["integer", "decimal", "double", "boolean", "date", "dateTime", "token"])
def test_blanks_around_a_value_are_no_part_of_a_lexical_form(local: str) -> None:
    assert not well_formed(" 1", XSD + local)
    assert not well_formed("1\n", XSD + local)


def test_values_compare_as_oxigraph_compares_them() -> None:
    store = Store()
    left, right = Variable("left"), Variable("right")
    for one, other in product(LITERALS, LITERALS):
        rows = store.query(
            "SELECT ?left ?right (?left < ?right AS ?less) {}", substitutions={left: one, right: other}
        )
        assert isinstance(rows, QuerySolutions)
        told = next(rows)["less"]

        assert less(one, other) == (None if told is None else str(told).startswith('"true"')), (one, other)


def test_truth_values_compare_as_the_standard_says() -> None:
    true, false = (Literal(text, datatype=node("xsd:boolean")) for text in ("true", "0"))

    assert less(false, true) is True
    assert less(true, false) is False


def test_a_language_tagged_string_compares_with_nothing() -> None:
    assert less(Literal("a", language="en"), Literal("b", language="en")) is None
    assert less(Literal("a"), Literal("b", language="en")) is None


def test_patterns_that_python_matches_are_matched_as_the_engine_does(campaign: Campaign) -> None:
    random = campaign.random("patterns")
    atoms = (
        "a",
        "b",
        ".",
        "[a-c]",
        "[^b]",
        r"\d",
        r"\w",
        r"\s",
        r"\.",
        "-",
        "(a|b)",
        "(ab)?",
        "(?:a|bc)",
        "[a-]",
        "A",
    )
    counts = ("", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}")
    quick = 0
    for _ in range(campaign.count(6_000)):
        text = "".join(random.choice(atoms) + random.choice(counts) for _ in range(random.randint(1, 5)))
        text = random.choice(("", "^")) + text + random.choice(("", "$", "|b"))
        pattern = Pattern(text, random.choice(("", "", "i", "s", "is")))
        quick += pattern.is_quick
        for _ in range(4):
            subject = "".join(random.choice("abcAB x.-_19\n\t") for _ in range(random.randint(0, 6)))
            assert pattern.matches(subject) == pattern.matches_in_engine(subject), (
                text,
                pattern.flags,
                subject,
            )
    assert quick > campaign.count(3_000)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("[a-z-[aeiou]]", "e", False),
        ("[a-z-[aeiou]]", "x", True),
        (r"^\i\c*$", "a-1", True),
        (r"^\i\c*$", "1-a", False),
        ("[&&]", "&", True),
        ("a$", "a\n", False),
        ("^a.b$", "a\nb", False),
        ("é", "É", False),
        (r"^\d$", "٣", True),
    ],
)
def test_patterns_are_those_of_xpath(pattern: str, text: str, matches: bool) -> None:
    assert Pattern(pattern).matches(text) is matches
