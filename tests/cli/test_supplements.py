"""`import --into ID` adds to a passport that is kept, and leaves its own document as it came."""

from pathlib import Path

from battpass.kg.home import Home
from tests.cli.conftest import EXAMPLES, Battpass

NAME = "ev-nmc811-82"
PASSPORT = EXAMPLES / "passports" / f"{NAME}.json"
SUPPLEMENT = EXAMPLES / "supplements" / f"{NAME}.ttl"
UUID = "b3cd5540-79c7-4e4f-867c-e0444d03ada6"


def test_a_supplement_answers_queries_and_the_document_stays_as_it_came(battpass: Battpass) -> None:
    battpass("import", str(PASSPORT))
    done = battpass("import", "--into", UUID, str(SUPPLEMENT))
    assert done.status == 0
    assert done.out.startswith(f"replaced   draft      {SUPPLEMENT}  {UUID}  ")
    asked = battpass("query", "SELECT ?share { ?model bp:cfRawMaterialPercent ?share }")
    assert asked.out.split() == ["share", "55.8"]
    assert battpass("export", UUID).out == PASSPORT.read_text(encoding="utf-8")


def test_a_supplement_of_another_passport_adds_nothing(battpass: Battpass, home: Path) -> None:
    battpass("import", str(PASSPORT))
    with Home.open(home, read_only=True) as before:
        passport = before.passport(UUID)
    other = EXAMPLES / "supplements" / "ind-lead-37.ttl"
    done = battpass("import", "--into", UUID, str(SUPPLEMENT), str(other))
    assert done.status == 2
    assert "says nothing of" in done.err
    assert "Nothing was added" in done.err
    with Home.open(home, read_only=True) as after:
        assert after.passport(UUID) == passport


def test_a_whole_passport_is_no_supplement(battpass: Battpass) -> None:
    battpass("import", str(PASSPORT))
    done = battpass("import", "--into", UUID, str(PASSPORT))
    assert done.status == 2
    assert "describes whole passports" in done.err


def test_a_supplement_needs_its_passport(battpass: Battpass) -> None:
    battpass("import", str(PASSPORT))
    assert battpass("import", "--into", "00000000", str(SUPPLEMENT)).status == 2
