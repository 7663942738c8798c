"""A home with passports in every stage, each with a canary in every place that is not for everybody."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from battpass.kg.graphs import AccessClass, Finding, Severity
from battpass.kg.home import Arrival, Home
from battpass.kg.journal.entry import Stage
from battpass.kg.namespaces import BASE
from battpass.services.exchange.rdf import TURTLE
from battpass.services.exchange.registry import detect
from tests.api.conftest import changed, identifier_of
from tests.leak.canaries import Cage, Canary
from tests.leak.places import (
    ATTRIBUTES,
    DATED,
    FURTHER,
    IN_DOCUMENT,
    as_form,
    in_graph,
    supplement,
    with_an_accident,
)

AUDIENCES = ("public", "interest", "authority", "owner")
OTHERS = AUDIENCES[:-1]
OWNER: tuple[str, ...] = ("owner",)
NOBODY: tuple[str, ...] = ()
# Who reads what, written down anew and not taken from the table that the code reads.
READERS: Mapping[AccessClass, tuple[str, ...]] = {
    AccessClass.PUBLIC: AUDIENCES,
    AccessClass.INTEREST: ("interest", "authority", "owner"),
    AccessClass.AUTHORITY: ("authority", "owner"),
    AccessClass.ITEM: ("interest", "owner"),
    AccessClass.DOCUMENT: OWNER,
}
ALL_TO_THE_OWNER: Mapping[AccessClass, tuple[str, ...]] = dict.fromkeys(AccessClass, OWNER)
TO_NOBODY: Mapping[AccessClass, tuple[str, ...]] = dict.fromkeys(AccessClass, NOBODY)

NEVER_THERE = 799
PUBLISHED = ("published", "with a draft")
DRAFTS = ("draft",)
ENDED = ("archived", "erased")


class Maker(Protocol):
    """Makes the canary of one place."""

    def __call__(self, place: str, access: AccessClass, *, told: bool = True) -> Canary:
        """Return it; `told` is False where no route hands it out."""
        ...


@dataclass(frozen=True)
class Sown:
    """One state of a passport on its way in: its canaries in the graphs by place, and the class of each."""

    arrival: Arrival
    canaries: Mapping[str, Canary]
    classes: Mapping[str, AccessClass]

    @property
    def model(self) -> str:
        """The digest of its model record."""
        return self.arrival.model.rpartition("/")[2]


@dataclass
class Planted:
    """The home, its canaries, and the states of its passports by what they are called."""

    home: Home
    cage: Cage = field(default_factory=Cage)
    numbers: dict[str, int] = field(default_factory=dict)
    sown: dict[str, Sown] = field(default_factory=dict)

    def identifier(self, name: str) -> str:
        """Return the UUID of a passport."""
        return identifier_of(self.numbers.get(name, NEVER_THERE))

    def record(self, name: str) -> str:
        """Return the IRI of a passport."""
        return f"{BASE}p/{self.identifier(name)}"

    def product(self, name: str) -> str:
        """Return the identifier of the battery of a passport."""
        return f"https://id.exemplar-cells.example/b/{self.numbers.get(name, NEVER_THERE)}"

    def versions(self, name: str) -> range:
        """Return the numbers of the versions of a passport."""
        return range(1, len(self.home.journal.history(self.record(name))) + 1)

    def sow(self, name: str, readers: Mapping[AccessClass, tuple[str, ...]], title: str = "") -> Sown:
        """Return a state of a passport with a canary in each place; `readers` may read each access class.

        `title` tells the states of one passport apart, so that each has canaries of its own.
        """
        number = self.numbers.setdefault(name, 700 + len(self.numbers))
        label = title or name

        def canary(place: str, access: AccessClass, *, told: bool = True) -> Canary:
            return self.cage.make(f"{label}: {place}", readers[access], told=told)

        classes = {one: access for one, access in ATTRIBUTES.items() if one not in DATED}
        classes |= {one: place.access for one, place in FURTHER.items()}
        classes["prediction"] = AccessClass.DOCUMENT
        made = {one: canary(one, access) for one, access in classes.items()}
        document = changed(
            with_an_accident(),
            {
                "metadata.passportIdentifier": f"urn:uuid:{identifier_of(number)}",
                "identification.idDmc": self.product(name),
                **{path: as_form(form, made[one]) for one, (path, form) in IN_DOCUMENT.items()},
                **{place.path: as_form(place.form, made[one]) for one, place in FURTHER.items()},
            },
        )
        if label == "published":
            (one, path), *_ = DATED.items()
            day = self.cage.date(f"{label}: {one}", readers[ATTRIBUTES[one]])
            document = changed(document, {path: day})
        if label == "draft beside it":
            # A name that the battery is to have one day.
            made["battery identifier"] = canary("battery identifier", AccessClass.PUBLIC)
            classes["battery identifier"] = AccessClass.PUBLIC
            named = f"https://id.exemplar-cells.example/b/{made['battery identifier'].code}"
            document = changed(document, {"identification.idDmc": named})
        # Whoever keeps the journal reads in it where a document came from, until that is erased.
        source = self.cage.make(f"{label}: source", OWNER if name != "erased" else NOBODY, told=False)
        self.sown[label] = Sown(_arrival(document, made, canary, source.text), made, classes)
        return self.sown[label]

    def note(
        self, name: str, readers: tuple[str, ...] = OWNER, *, told: bool = True, kept: bool = True
    ) -> dict[str, Any]:
        """Return who did something and why, with a canary in each.

        `told` is False where no route says so any more; `kept` where the reason was erased with the rest.
        """
        actor = self.cage.make(f"{name}: actor", readers, told=told)
        reason = self.cage.make(f"{name}: reason", readers if kept else NOBODY, told=told)
        return {"actor": f"key:{actor.code}", "reason": reason.text}


def plant(home: Home) -> Planted:
    """Fill a home with passports that are drafts and published, as before datasets are open."""
    planted = Planted(home)
    draft = planted.sow("published", ALL_TO_THE_OWNER, "draft before it was published").arrival
    home.put(draft, stage=Stage.DRAFT, **planted.note("draft before it was published"))
    home.put(planted.sow("published", READERS).arrival, **planted.note("published"))
    home.put(planted.sow("with a draft", READERS).arrival, **planted.note("with a draft"))
    home.put(planted.sow("draft", ALL_TO_THE_OWNER).arrival, stage=Stage.DRAFT, **planted.note("draft"))
    home.put(planted.sow("archived", TO_NOBODY).arrival, **planted.note("archived", told=False))
    home.put(
        planted.sow("archived draft", TO_NOBODY).arrival,
        stage=Stage.DRAFT,
        **planted.note("archived draft", told=False),
    )
    home.put(planted.sow("erased", TO_NOBODY).arrival, **planted.note("erased", told=False, kept=False))
    return planted


def live_on(planted: Planted) -> None:
    """Change, end and erase some of the passports, as happens while datasets are open."""
    home = planted.home
    opened = planted.sow("with a draft", ALL_TO_THE_OWNER, "draft beside it").arrival
    home.put(opened, stage=Stage.DRAFT, **planted.note("draft beside it"))
    after = planted.sow("published", READERS, "published, changed").arrival
    home.put(after, **planted.note("published, changed"))
    for name in ("archived", "archived draft", "erased"):
        note = planted.note(f"{name}, when it ended", told=False, kept=name != "erased")
        home.archive(planted.identifier(name), **note)
    home.erase(planted.identifier("erased"), **planted.note("erased, when it was", told=False))


def _arrival(document: bytes, made: Mapping[str, Canary], canary: Maker, source: str) -> Arrival:
    """Return a document and its supplement as they arrive, with what goes along with the graphs."""
    known = detect(document)
    loaded = known.load(document)
    record = loaded.passport.record
    passport = TURTLE.supplement(supplement(record, made, made["prediction"]), loaded.passport)
    whole = changed(document, {"onlyHere": canary("original document", AccessClass.DOCUMENT).text})
    found = Finding(
        "canary", Severity.INFO, "", "", canary("finding", AccessClass.DOCUMENT, told=False).text, "", ""
    )
    return Arrival.of(
        in_graph(passport, made),
        (*loaded.findings, found),
        whole,
        known.name,
        source,
        _report(canary("value in the report", AccessClass.DOCUMENT)),
    )


def _report(canary: Canary) -> bytes:
    """Return a validation report that found a canary and blocks nothing."""
    finding = {
        "code": "canary",
        "severity": "warning",
        "field": "",
        "pointer": "",
        "found": canary.text,
        "allowed": "",
        "mend": "",
    }
    page = {
        "on": "2026-11-21",
        "category": None,
        "conforms": False,
        "blocking": False,
        "shapes": [],
        "findings": [finding],
    }
    return json.dumps(page).encode()
