"""Shapes and data written as Turtle within a test."""

from pyoxigraph import Quad, RdfFormat, parse

from battpass.kg.validation.compiled import Compiled, Report, Result, compile_shapes
from battpass.kg.validation.compiled.vocabulary import SH

EX = "http://example.org/"
HEADS = f"""
@prefix sh: <{SH}> .
@prefix ex: <{EX}> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def quads(turtle: str) -> list[Quad]:
    """Return the statements of Turtle with the usual prefixes."""
    return list(parse((HEADS + turtle).encode(), RdfFormat.TURTLE))


def compiled(shapes: str) -> Compiled:
    """Return the validator of shapes."""
    return compile_shapes(quads(shapes))


def validate(shapes: str, data: str, deadline: float | None = None) -> Report:
    """Return the report on data."""
    return compiled(shapes).validate(quads(data), deadline)


def told(result: Result) -> tuple[str, str, str]:
    """Return component, focus node and value of a result, shortly."""
    component = result.component.value.removeprefix(SH).removesuffix("ConstraintComponent")
    value = "" if result.value is None else str(result.value)
    return component, str(result.focus).replace(EX, ""), value.replace(EX, "")
