"""The plan: known by its digest, the same for equal graphs, and what goes to pySHACL instead."""

import logging

import pytest
from pyoxigraph import RdfFormat, parse

from battpass.kg.validation.compiled import compile_shapes
from battpass.kg.validation.shapes import ShapeSet
from tests.shacl.turtle import HEADS, compiled, quads, told

SHAPES = """
ex:S sh:targetClass ex:C ; sh:property [ sh:path ( ex:p [ sh:inversePath ex:q ] ) ; sh:in ( 1 2 "x" ) ] ,
    [ sh:path ex:r ; sh:or ( [ sh:datatype xsd:string ] [ sh:nodeKind sh:IRI ] ) ] .
"""


def test_equal_graphs_have_equal_digests_whatever_their_blank_nodes_are_called() -> None:
    digests = {
        compile_shapes(
            parse((HEADS + SHAPES).encode(), RdfFormat.TURTLE, rename_blank_nodes=True)
        ).plan.digest
        for _ in range(3)
    }
    digests.add(compile_shapes(reversed(quads(SHAPES))).plan.digest)

    assert len(digests) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("( 1 2", "( 2 1"),
        ("1 2", "1"),
        ("sh:in (", "sh:in ( 7"),
        ("ex:r", "ex:p"),
        ("sh:datatype xsd:string ] [", "sh:datatype xsd:string ; "),
        ("inversePath", "zeroOrMorePath"),
    ],
)
def test_other_graphs_have_other_digests(old: str, new: str) -> None:
    assert old in SHAPES
    assert compiled(SHAPES).plan.digest != compiled(SHAPES.replace(old, new)).plan.digest


def test_a_blank_node_for_two_is_not_two_blank_nodes() -> None:
    one = compiled("ex:S sh:node _:a ; sh:not _:a . _:a sh:class ex:C .")
    two = compiled("ex:S sh:node _:a ; sh:not _:b . _:a sh:class ex:C . _:b sh:class ex:C .")

    assert one.plan.digest != two.plan.digest


def test_the_installed_shapes_compile_into_plans_that_are_equal() -> None:
    shapes = ShapeSet.load()
    first, second = (compile_shapes(shapes.quads).plan for _ in range(2))

    assert first.digest == second.digest
    assert first == second
    assert len(first.targeted) > 60


def test_plans_cannot_be_changed() -> None:
    plan = compiled(SHAPES).plan

    with pytest.raises(AttributeError):
        plan.digest = ""  # type: ignore[misc]


def test_results_come_in_the_same_order_whatever_that_of_the_data() -> None:
    validator = compiled(
        "ex:S sh:targetSubjectsOf ex:p ; sh:property [ sh:path ex:p ; sh:maxLength 1 ; sh:nodeKind sh:IRI ] ."
    )
    data = quads(" ".join(f'ex:n{number} ex:p "aaa{number}" , "b{number}" .' for number in range(20)))

    assert validator.validate(data).results == validator.validate(data[::-1]).results


def test_advanced_features_go_to_pyshacl_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    validator = compiled(
        """ex:S a sh:NodeShape ; sh:target [ a sh:SPARQLTarget ; sh:select
            "SELECT ?this { ?this <http://example.org/p> ?o }" ] ;
            sh:property [ sh:path ( ex:p ex:q ) ; sh:minCount 1 ] ."""
    )

    with caplog.at_level(logging.INFO, logger="battpass.validation"):
        report = validator.validate(quads("ex:a ex:p 1 . ex:b ex:q 1 ."))

    assert [told(result) for result in report.results] == [("MinCount", "<a>", "")]
    assert validator.plan.advanced == ("sh:SPARQLTarget", "sh:target")
    (record,) = caplog.records
    assert record.message.startswith(f"pySHACL validates with the shapes {validator.plan.digest[:12]}, which")
    assert record.message.endswith("use sh:SPARQLTarget, sh:target")


def test_shapes_without_advanced_features_never_go_to_pyshacl(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="battpass.validation"):
        compiled(SHAPES).validate(quads("ex:a a ex:C ."))

    assert caplog.records == []


def test_a_shape_that_is_a_class_of_owl_is_about_its_instances() -> None:
    (shape,) = compile_shapes(
        quads("ex:A a <http://www.w3.org/2002/07/owl#Class> , sh:NodeShape .")
    ).plan.targeted
    assert [(target.kind, target.term) for target in shape.targets] == [("targetClass", shape.node)]
