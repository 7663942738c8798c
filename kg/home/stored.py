"""The passports of a home as records to be validated, each with the model record that it shares."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache

from pyoxigraph import Quad

from battpass.kg.graphs import AccessClass
from battpass.kg.home.home import Home
from battpass.kg.home.verdicts import data_of as digest_of
from battpass.kg.home.visible import model_parts, standing
from battpass.kg.journal.parts import graphs_of
from battpass.kg.passport import Passport
from battpass.kg.validation.data import data_of
from battpass.kg.validation.incremental import Stored

# Model records never change, and a fleet of one maker has some dozens.
_MODELS = 64


def stored(home: Home, on: date) -> Callable[[str], Stored | None]:
    """Return what reads a passport as it stands now for its owner, to be held against a day.

    It takes the IRI of the passport, and returns None where it does not stand. The model record is a part.
    """
    owner = home.audience("owner")

    @lru_cache(_MODELS)
    def model_graphs(model: str) -> dict[AccessClass, frozenset[Quad]]:
        return dict(graphs_of(model_parts(home.journal, model, owner.classes)))

    def read(record: str) -> Stored | None:
        entry = standing(home.journal, record, owner)
        if entry is None:
            return None
        item = graphs_of(home.journal.state(entry, owner.classes - {AccessClass.DOCUMENT}))
        passport = Passport(record, entry.model, item, model_graphs(entry.model))
        digest = f"{digest_of(entry, home.journal.model(entry.model))} {on}"
        return Stored(data_of(passport, (), on).statements, (entry.model,), digest)

    return read
