"""The example queries run, find something, and ask in the terms that their folder promises."""

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad

from battpass.kg.dataset.dataset import Dataset
from battpass.kg.graphs import AccessClass, Graphs
from battpass.kg.namespaces import PREFIXES
from battpass.kg.ontology.lock import TermLock
from battpass.kg.ontology.vocabulary import vocabulary_triples
from battpass.kg.passport import Passport, group
from battpass.services.demo.fleet import demo_payloads
from battpass.services.exchange.battery_pass import BATTERY_PASS_6_1
from benchmarks.campaigns import ROOT
from tests.demo.test_examples import SUPPLEMENTS, placed, record_of

QUERIES = ROOT / "examples/queries"
ASKED = sorted(QUERIES.glob("*.rq"))
FOREIGN = sorted(chain(QUERIES.glob("battinfo/*.rq"), QUERIES.glob("bvco/*.rq")))
SIZE = 60

# What a query may name beside the vocabulary of its folder: how RDF, labels and provenance are written.
COMMON = {"rdf", "rdfs", "xsd", "skos", "prov"}
OWN_FOLDERS = {
    "battinfo": COMMON | {"emmo", "battery", "echem", "chemsub", "chameo"},
    "bvco": COMMON | {"bvco", "gpo"},
    "alignment": COMMON | {"bp", "schema", "emmo"},
}


@pytest.fixture(scope="module")
def records() -> dict[str, Graphs]:
    """The demo in little: the examples with their supplements, and a small fleet."""
    documents = (json.dumps(payload).encode() for payload in demo_payloads(SIZE, seed=4))
    items: dict[str, Graphs] = {}
    models: dict[str, set[Quad]] = defaultdict(set)
    supplements = {record_of(path): path for path in SUPPLEMENTS}
    for passport in (BATTERY_PASS_6_1.load(document).passport for document in documents):
        items[passport.record] = passport.item_graphs
        models[passport.model] |= set(chain.from_iterable(passport.model_graphs.values()))
        if passport.record in supplements:
            models[passport.model] |= supplement(passport, supplements[passport.record])
    return items | {model: group(model, quads) for model, quads in models.items()}


@pytest.fixture(scope="module")
def owner(records: dict[str, Graphs]) -> Iterator[Dataset]:
    """What the operator reads, residue left out."""
    with audience(records, set(AccessClass) - {AccessClass.DOCUMENT}) as dataset:
        yield dataset


@pytest.fixture(scope="module")
def public(records: dict[str, Graphs]) -> Iterator[Dataset]:
    """What everybody reads."""
    with audience(records, {AccessClass.PUBLIC}) as dataset:
        yield dataset


def audience(records: dict[str, Graphs], classes: set[AccessClass]) -> Dataset:
    dataset = Dataset.in_memory()
    dataset.set_vocabulary(vocabulary_triples())
    dataset.replace_many(
        (record, {access: part for access, part in graphs.items() if access in classes})
        for record, graphs in records.items()
    )
    return dataset


def supplement(passport: Passport, path: Path) -> set[Quad]:
    """Return the model-level statements of a supplement; no query asks for the others yet."""
    public = NamedNode(f"{passport.model}/public")
    return {
        Quad(*one, public)
        for one in placed(path, passport.model, passport.record)
        if str(one.subject).startswith(f"<{passport.model}")
    }


def rows(dataset: Dataset, path: Path) -> tuple[list[str], Counter[tuple[str, ...]]]:
    answer = dataset.query(path.read_text(encoding="utf-8"), "csv").read().decode()
    header, *found = csv.reader(io.StringIO(answer))
    return header, Counter(tuple(row) for row in found)


def terms(path: Path) -> set[str]:
    """Return the prefixes of all terms that a query names, one-term prefixes included."""
    text = path.read_text(encoding="utf-8")
    body = re.sub(r"^\s*#.*$|^PREFIX.*$", "", text, flags=re.M)
    named = set()
    for prefix, iri in re.findall(r"^PREFIX (\w+): <([^>]+)>$", text, re.M):
        known = [name for name, space in PREFIXES.items() if iri.startswith(space)]
        assert known, f"{path.name}: {iri} is in no namespace of kg.namespaces"
        assert re.search(rf"(?<!\w){prefix}:", body), f"{path.name} declares {prefix}: and does not use it"
        named.add(known[0])
    assert "<" not in re.sub(r"<[= ]", "", body), f"{path.name}: write IRIs with a prefix"
    return named


@pytest.mark.parametrize("path", ASKED, ids=lambda path: path.stem)
def test_a_question_has_an_answer(path: Path, owner: Dataset) -> None:
    header, found = rows(owner, path)
    assert header and found
    assert not [row for row in found if not any(row)], "a row without any value"


@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_foreign_terms_give_the_answer_of_our_own(path: Path, owner: Dataset) -> None:
    theirs, ours = rows(owner, path), rows(owner, QUERIES / "alignment" / path.name)
    assert theirs == ours
    assert sum(theirs[1].values()) >= 1


@pytest.mark.parametrize(
    "path", sorted(QUERIES.rglob("*/*.rq")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_a_query_keeps_to_the_terms_of_its_folder(path: Path) -> None:
    if path.parent.name in OWN_FOLDERS:
        assert terms(path) <= OWN_FOLDERS[path.parent.name]


@pytest.mark.parametrize("path", sorted(QUERIES.rglob("*.rq")), ids=lambda path: path.stem)
def test_a_query_begins_with_its_question(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert re.fullmatch(r"# [A-Z].{20,130}\?", first)
    terms(path)


def test_each_vocabulary_has_its_questions() -> None:
    assert len(ASKED) >= 15
    assert len([path for path in FOREIGN if path.parent.name == "battinfo"]) == 10
    assert len([path for path in FOREIGN if path.parent.name == "bvco"]) == 5
    siblings = {path.name for path in QUERIES.glob("alignment/*.rq")}
    assert siblings == {path.name for path in FOREIGN}


def test_one_term_prefixes_carry_the_label_of_their_term() -> None:
    labels = {term.iri: term.label for term in TermLock.load()}
    for path in sorted(QUERIES.rglob("*.rq")):
        text = path.read_text(encoding="utf-8")
        for prefix, iri in re.findall(r"^PREFIX ([A-Za-z]\w*): <([^>]+)>$", text, re.M):
            if iri not in PREFIXES.values():
                assert labels[iri] == prefix, f"{path.name}: {iri} is {labels.get(iri)}"


def told() -> dict[str, str]:
    """Return who may ask what: the rows of the table in the page on examples."""
    page = (ROOT / "examples/README.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| \[([\w-]+)\]\(queries/\1\.rq\) \| (.*\?) \| (public|interest) \|$", page, re.M)
    for name, question, _ in found:
        assert (QUERIES / f"{name}.rq").read_text(encoding="utf-8").startswith(f"# {question}\n")
    return {name: audience for name, _, audience in found}


def test_the_page_lists_every_example() -> None:
    assert set(told()) == {path.stem for path in ASKED}
    page = (ROOT / "examples/README.md").read_text(encoding="utf-8")
    linked = {link for link in re.findall(r"\]\(([^)]+)\)", page)}
    there = (path.relative_to(ROOT / "examples").as_posix() for path in (ROOT / "examples").rglob("*.*"))
    assert linked == {path for path in there if not path.endswith("README.md")}


@pytest.mark.parametrize("name", told())
def test_the_public_gets_the_same_answer_where_the_page_says_so(
    name: str, owner: Dataset, public: Dataset
) -> None:
    same = rows(owner, QUERIES / f"{name}.rq") == rows(public, QUERIES / f"{name}.rq")
    assert same is (told()[name] == "public")
