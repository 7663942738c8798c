"""The shapes keep their conventions, and cover every property and attribute of a passport."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest
from pyoxigraph import NamedNode, Quad, Store

from battpass.kg.attributes import load_attributes
from battpass.kg.concepts import ConceptTable
from battpass.kg.mapping.table import Place, Rule, read_mapping
from battpass.kg.namespaces import PREFIXES, RDF, expand, shorten
from battpass.kg.obligations import Category, Obligations
from battpass.kg.quantities import load_quantities
from battpass.kg.resources import shapes_path
from battpass.kg.validation.compiled import compile_shapes
from battpass.kg.validation.data import reference_individuals
from battpass.kg.validation.hints import EXAMPLE, hints_of
from battpass.kg.validation.obligations import category_shapes, duties
from battpass.kg.validation.shapes import MANIFEST, SCHEME, SH, SHAPES, ShapeSet
from battpass.services.exchange.battery_pass import TABLE

STATIC = ShapeSet.load()

# What a shape asks of each value by itself.
_ON_VALUES = (
    "datatype", "nodeKind", "pattern", "flags", "minLength", "maxLength", "in", "hasValue", "node",
    "minInclusive", "minExclusive", "maxInclusive", "maxExclusive",
)  # fmt: skip
_TARGETS = tuple(f"{SH}target{kind}" for kind in ("Class", "ObjectsOf", "SubjectsOf"))


def of_category(category: Category) -> ShapeSet:
    attributes, obligations = load_attributes(), Obligations.load()
    holding = frozenset(attributes)
    owed = duties(attributes, obligations, category, date(2030, 1, 1), holding)
    return category_shapes(category, owed, STATIC)


SETS = {"files": STATIC, **{str(category): of_category(category) for category in Category}}


@pytest.mark.parametrize("shapes", SETS.values(), ids=SETS.keys())
def test_every_property_shape_has_all_that_forms_and_reports_need(shapes: ShapeSet) -> None:
    for iri, shape in shapes.property_shapes.items():
        assert iri.startswith(SHAPES), iri
        assert len(shapes.objects(iri, "path")) == 1 and shape.routes, iri
        for texts in (shape.name, shape.description, shape.message, shape.mend):
            assert texts.en and texts.de, iri
        assert len(shapes.objects(iri, "message")) == 2, iri
        assert shape.clauses, iri
        assert shape.order > 0 and len(shapes.objects(iri, "order")) == 1, iri
        assert NamedNode(SH + "PropertyGroup") in shapes.index.objects(shape.group, RDF + "type"), iri
        assert len(shapes.objects(iri, "severity")) == 1, iri


@pytest.mark.parametrize("shapes", SETS.values(), ids=SETS.keys())
def test_every_property_shape_has_an_example_that_meets_it(shapes: ShapeSet) -> None:
    concepts = reference_individuals(ConceptTable.load())
    trial = [quad for quad in shapes.quads if quad.predicate.value not in _TARGETS]
    for iri in shapes.property_shapes:
        examples = shapes.index.objects(iri, EXAMPLE)
        assert len(examples) == 1, iri
        # The constraints on single values are tried on the example itself.
        here = NamedNode(f"{SHAPES}trial-of-{iri.rpartition('#')[2]}")
        trial.append(Quad(here, NamedNode(SH + "targetNode"), examples[0]))
        trial += [
            Quad(here, NamedNode(SH + local), value)
            for local in _ON_VALUES
            for value in shapes.objects(iri, local)
        ]
    report = compile_shapes(trial).validate(concepts)

    assert not [(result.shape, result.value) for result in report.results]


@pytest.mark.parametrize("shapes", SETS.values(), ids=SETS.keys())
def test_widgets_are_those_that_fit_the_constraints(shapes: ShapeSet) -> None:
    for iri, shape in shapes.property_shapes.items():
        last = STATIC.with_path(shape.routes[0][-1])
        hints = hints_of(STATIC, iri if shapes is STATIC or last is None else last.iri)
        for vocabulary in (PREFIXES["dash"], PREFIXES["shui"]):
            for kind, widget in (("editor", hints.editor), ("viewer", hints.viewer)):
                said = shapes.index.objects(iri, vocabulary + kind)
                assert said == [NamedNode(vocabulary + widget)], (iri, kind)


@pytest.mark.parametrize(
    ("shape", "editor", "viewer"),
    [
        ("batteryCategoryDuty", "EnumSelectEditor", "LabelViewer"),
        ("batteryCategory", "InstancesSelectEditor", "LabelViewer"),
        ("manufacturer", "AutoCompleteEditor", "LabelViewer"),
        ("ratedCapacity-quantity", "DetailsEditor", "DetailsViewer"),
        ("issued", "DatePickerEditor", "LiteralViewer"),
        ("validAt", "DateTimePickerEditor", "LiteralViewer"),
        ("critical", "BooleanSelectEditor", "LiteralViewer"),
        ("ratedCapacity", "TextFieldEditor", "LiteralViewer"),
        ("model", "URIEditor", "URIViewer"),
        # Rules have the widgets of the field that they are about.
        ("issuedNotAhead", "DatePickerEditor", "LiteralViewer"),
        ("dateOrderMarket", "DatePickerEditor", "LiteralViewer"),
        ("cfStagesSum", "DetailsEditor", "DetailsViewer"),
        ("duty-ratedCapacity-EV", "TextFieldEditor", "LiteralViewer"),
        ("duty-manufacturer-EV", "AutoCompleteEditor", "LabelViewer"),
    ],
)
def test_a_field_has_the_widget_of_its_kind(shape: str, editor: str, viewer: str) -> None:
    shapes = SETS["EV" if shape.startswith("duty") else "files"]

    for vocabulary in (PREFIXES["dash"], PREFIXES["shui"]):
        assert shapes.index.text(SHAPES + shape, f"{vocabulary}editor") == vocabulary + editor
        assert shapes.index.text(SHAPES + shape, f"{vocabulary}viewer") == vocabulary + viewer


@pytest.mark.parametrize("shapes", SETS.values(), ids=SETS.keys())
def test_messages_and_hints_are_sentences(shapes: ShapeSet) -> None:
    for iri, shape in shapes.property_shapes.items():
        for text in (*shape.message, *shape.mend, *shape.description):
            # A message may begin with a code, which keeps its small letter.
            first = text.split()[0].strip(",")
            assert not text[0].islower() or first in ("true", "manufacturerId"), (iri, text)
            assert text.endswith((".", "?")), (iri, text)
            assert "  " not in text, (iri, text)


@pytest.mark.parametrize("shapes", SETS.values(), ids=SETS.keys())
def test_places_within_a_group_are_given_once(shapes: ShapeSet) -> None:
    places = Counter((shape.group, shape.order) for shape in shapes.property_shapes.values())

    assert not [place for place, count in places.items() if count > 1]


@pytest.mark.parametrize("shapes", SETS.values(), ids=SETS.keys())
def test_every_property_shape_hangs_on_a_node_shape(shapes: ShapeSet) -> None:
    hung = {
        term.value
        for node_shape in shapes.node_shapes
        for term in shapes.objects(node_shape, "property")
        if isinstance(term, NamedNode)
    }

    assert hung == shapes.property_shapes.keys()


def test_groups_have_labels_in_both_languages() -> None:
    for group in {shape.group for shape in STATIC.property_shapes.values()}:
        labels = STATIC.index.objects(group, expand("rdfs:label"))
        assert sorted(getattr(label, "language", "") for label in labels) == ["de", "en"], group


def test_components_and_their_parameters_are_told_in_both_languages_and_used() -> None:
    used = {
        parameter
        for iri in STATIC.property_shapes
        for parameter in STATIC.index.predicates(iri)
        if parameter.startswith(SHAPES)
    }
    declared = set()
    for component in STATIC.index.subjects(RDF + "type"):
        if NamedNode(SH + "ConstraintComponent") not in STATIC.index.objects(component, RDF + "type"):
            continue
        for predicate in (expand("rdfs:label"), expand("rdfs:comment")):
            texts = STATIC.index.objects(component, predicate)
            assert sorted(getattr(text, "language", "") for text in texts) == ["de", "en"], component
        for parameter in STATIC.objects(component, "parameter"):
            told = STATIC.objects(getattr(parameter, "value", ""), "description")
            assert sorted(getattr(text, "language", "") for text in told) == ["de", "en"], parameter
            path = STATIC.index.text(getattr(parameter, "value", ""), SH + "path")
            assert path not in declared, "a parameter of two components would set off both"
            declared.add(path)

    assert declared == used


def test_the_manifest_lists_every_file_and_each_has_a_version() -> None:
    files = {path.stem for path in shapes_path().glob("*.ttl")} - {"manifest"}
    listed = {
        shorten(getattr(term, "value", "")) for term in STATIC.index.objects(MANIFEST, expand("owl:imports"))
    }

    assert listed == {f"{MANIFEST}/{name}" for name in files}
    for name in files:
        version = STATIC.index.text(f"{MANIFEST}/{name}", expand("owl:versionIRI"))
        assert version and version.startswith(f"{MANIFEST}/{name}/"), name


def test_patterns_are_anchored() -> None:
    for iri in STATIC.property_shapes:
        for pattern in STATIC.objects(iri, "pattern"):
            text = getattr(pattern, "value", "")
            assert text.startswith("^") and (text.endswith("$") or text == "^qr"), (iri, text)


def test_queries_are_ones_that_other_engines_run_too() -> None:
    store = Store()
    prefixes = {
        STATIC.index.text(str(node), SH + "prefix") or "": STATIC.index.text(str(node), SH + "namespace")
        or ""
        for node in STATIC.objects(f"{SHAPES}prefixes", "declare")
    }
    queries = [
        getattr(select, "value", "")
        for subject in STATIC.index.subjects(SH + "select")
        for select in STATIC.objects(subject, "select")
    ]

    assert len(queries) > 30
    for query in queries:
        assert "$this" in query
        # Pre-binding forbids these (SHACL 1.0, appendix A).
        assert not re.search(r"\b(VALUES|MINUS|SERVICE)\b|AS \$this", query), query
        store.query(query.replace("$PATH", "<urn:path>"), prefixes=prefixes)


def test_every_property_of_the_mapping_table_has_a_shape() -> None:
    quantities = load_quantities()
    shaped = {step for shape in STATIC.property_shapes.values() for route in shape.routes for step in route}
    wanted: set[str] = set()
    for rule in rules(read_mapping(TABLE)):
        wanted.add(rule.predicate)
        if rule.kind == "quantity":
            wanted.add(quantities[rule.key].compact_iri)
        if rule.kind == "code":
            wanted.add(f"{rule.predicate}Text")

    assert not {shorten(iri) for iri in wanted - shaped}


def test_every_attribute_has_a_shape() -> None:
    shaped = {step for shape in STATIC.property_shapes.values() for route in shape.routes for step in route}

    for attribute in load_attributes().values():
        assert set(attribute.path.properties) <= shaped, attribute.name


def test_every_attribute_ends_in_a_field_that_says_what_its_values_are_like() -> None:
    kinds = ("datatype", "class", "node", "in", "nodeKind")
    constrained = {
        shape.routes[0][-1]
        for iri, shape in STATIC.property_shapes.items()
        # A text in place of a code is not wanted at all.
        if any(STATIC.objects(iri, kind) for kind in kinds) or STATIC.index.text(iri, SH + "maxCount") == "0"
    }
    attributes = load_attributes()

    assert len(attributes) == 93
    for attribute in attributes.values():
        for route in attribute.path.routes:
            assert route[-1] in constrained, (attribute.submodel, attribute.name)


def test_every_attribute_has_a_duty_shape_where_it_is_mandatory() -> None:
    owed = {
        shape.rpartition("-")[0] for category in Category for shape in SETS[str(category)].property_shapes
    }

    obligations = Obligations.load()
    for attribute in load_attributes():
        binding = [obligations.of(attribute, category) for category in Category]
        mandatory = any(one is not None and one.bindingness == "mandatory" for one in binding)
        assert (f"{SHAPES}duty-{attribute}" in owed) == mandatory, attribute


def test_quantities_are_asked_for_in_the_unit_of_their_table() -> None:
    has_unit = NamedNode(expand("emmo:EMMO_bed1d005_b04e_4a90_94cf_02bc678a8569"))
    units: dict[str, set[str]] = {}
    for node_shape in STATIC.node_shapes:
        for prop in STATIC.objects(node_shape, "property"):
            listed = [
                getattr(unit, "value", "")
                for head in STATIC.objects(getattr(prop, "value", ""), "in")
                if has_unit in STATIC.objects(getattr(prop, "value", ""), "path")
                for unit in STATIC.list_of(head)
            ]
            for target in STATIC.objects(node_shape, "targetObjectsOf") if listed else ():
                units.setdefault(getattr(target, "value", ""), set()).update(listed)

    for kind in load_quantities().values():
        if kind.open:
            # Other units are kept as stated; where only some make sense, the canonical one is the first.
            assert kind.link_iri not in units or kind.unit_iri in units[kind.link_iri], kind.key
        else:
            assert units[kind.link_iri] == {kind.unit_iri}, kind.key


def test_every_scheme_of_codes_has_a_shape() -> None:
    shaped = {STATIC.index.text(node_shape, SCHEME) for node_shape in STATIC.node_shapes} - {None}

    assert shaped == {expand(f"bp:{scheme}") for scheme in ConceptTable.load().schemes}


def rules(place: Place) -> Iterator[Rule]:
    """Yield the rules of a mapping table."""
    if place.rule is not None:
        yield place.rule
    for inner in [*place.members.values(), *([place.items] if place.items else [])]:
        yield from rules(inner)


def test_the_digest_of_the_shapes_is_the_same_in_every_process() -> None:
    """Reports are compared by it, and a parser calls blank nodes as it likes each time."""
    again = ShapeSet.load()
    assert {str(quad) for quad in again.quads} != {str(quad) for quad in STATIC.quads}
    assert again.digest == STATIC.digest
    assert ShapeSet.load(only=["general"]).digest != STATIC.digest
