"""What constraints want, in words: for results whose shapes have no message, and for branches of a choice."""

from collections.abc import Iterable, Mapping

from pyoxigraph import Literal, NamedNode

from battpass.kg.index import Term
from battpass.kg.namespaces import XSD, shorten
from battpass.kg.tables import Labels
from battpass.kg.validation.compiled.constraints.base import Constraint
from battpass.kg.validation.compiled.constraints.cardinality import MaxCount, MinCount
from battpass.kg.validation.compiled.constraints.logical import And, Not, Or, Xone
from battpass.kg.validation.compiled.constraints.other import Closed, HasValue, In
from battpass.kg.validation.compiled.constraints.pairs import Disjoint, Equals, Less
from battpass.kg.validation.compiled.constraints.ranges import Bound
from battpass.kg.validation.compiled.constraints.shape_based import Conforms, Qualified
from battpass.kg.validation.compiled.constraints.strings import (
    LanguageIn,
    Matches,
    MaxLength,
    MinLength,
    UniqueLang,
)
from battpass.kg.validation.compiled.constraints.value_type import Class, Datatype, NodeKind
from battpass.kg.validation.compiled.paths import Path, Predicate, sparql
from battpass.kg.validation.compiled.results import Branches, Result
from battpass.kg.validation.compiled.vocabulary import SH

SHOWN = 200
_FEW = 5

_BOUNDS: Mapping[str, Labels] = {
    "minInclusive": Labels("at least", "mindestens"),
    "minExclusive": Labels("more than", "mehr als"),
    "maxInclusive": Labels("at most", "höchstens"),
    "maxExclusive": Labels("less than", "weniger als"),
    "lessThan": Labels("less than the value of", "weniger als der Wert von"),
    "lessThanOrEquals": Labels("no more than the value of", "nicht mehr als der Wert von"),
}
_KINDS: Mapping[str, Labels] = {
    "IRI": Labels("an IRI", "eine IRI"),
    "BlankNode": Labels("a blank node", "ein leerer Knoten"),
    "Literal": Labels("a literal", "ein Literal"),
    "BlankNodeOrIRI": Labels("an IRI or a blank node", "eine IRI oder ein leerer Knoten"),
    "BlankNodeOrLiteral": Labels("a blank node or a literal", "ein leerer Knoten oder ein Literal"),
    "IRIOrLiteral": Labels("an IRI or a literal", "eine IRI oder ein Literal"),
}


def wish_of(result: Result) -> Labels:
    """Return what the constraint of a result wants: in the words of its shape, else of its kind."""
    return _of_messages(result.messages) or constraint_wish(result)


def constraint_wish(result: Result) -> Labels:
    """Return what the constraint of a result wants by its kind, whatever the shape says."""
    wish = _wish(result.rule) if result.rule is not None else None
    component = result.component.value.removeprefix(SH).removesuffix("ConstraintComponent")
    return wish or Labels(f"what {component} asks for", f"was {component} verlangt")


def closest_of(branches: Branches, details: Iterable[Result]) -> Labels:
    """Return which branch of a choice comes closest and what it wants, or which ones hold together.

    >>> closest_of(Branches((1, 3), (NamedNode("urn:a"), NamedNode("urn:c")), 3, hold=True), ()).en
    'branches 1 and 3 of 3 hold together (urn:a, urn:c), and only one may'
    """
    names = ", ".join(shown(shape) for shape in branches.shapes if isinstance(shape, NamedNode))
    named = f" ({names})" if names else ""
    if branches.hold:
        *first, last = map(str, branches.places)
        before = ", ".join(first)
        return Labels(
            f"branches {before} and {last} of {branches.of} hold together{named}, and only one may",
            f"die Zweige {before} und {last} von {branches.of} treffen zugleich zu{named}, "
            "und nur einer darf es",
        )
    wants = [_place(leaf) for leaf in leaves(details)]
    english, german = (_listed([wish[language] for wish in wants]) for language in (0, 1))
    place = branches.places[0]
    return Labels(
        f"branch {place} of {branches.of}{named} comes closest{english and f'; it wants {english}'}",
        f"Zweig {place} von {branches.of}{named} trifft am ehesten zu{german and f'; er verlangt {german}'}",
    )


def leaves(results: Iterable[Result]) -> Iterable[Result]:
    """Yield the results at the ends: those of the shapes that were asked, in the place of who asked them."""
    for result in results:
        if result.details:
            yield from leaves(result.details)
        else:
            yield result


def shown(term: Term) -> str:
    """Return a term in a few words.

    >>> shown(NamedNode("http://www.w3.org/2001/XMLSchema#decimal")), shown(Literal("a"))
    ('xsd:decimal', '"a"')
    """
    if isinstance(term, Literal) and term.datatype.value.startswith(XSD):
        text = f'"{term.value}"' if term.datatype.value == f"{XSD}string" else term.value
    else:
        text = shorten(term.value) if isinstance(term, NamedNode) else str(term)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def path_text(path: Path | None) -> str:
    """Return a path as SPARQL writes it, with the usual prefixes; empty where there is none."""
    if path is None:
        return ""
    return shorten(path.iri.value) if isinstance(path, Predicate) else sparql(path)


def _place(result: Result) -> Labels:
    path, wish = path_text(result.path), wish_of(result)
    if not path:
        return wish
    return Labels(f"of {path}: {wish.en}", f"bei {path}: {wish.de}")


def _listed(texts: list[str]) -> str:
    more = f"; … ({len(texts)})" if len(texts) > _FEW else ""
    return "; ".join(dict.fromkeys(texts[:_FEW])) + more


def _of_messages(messages: tuple[Literal, ...]) -> Labels | None:
    """Return the messages of a shape in both languages; one without a language serves for each that lacks."""
    by_language: dict[str, str] = {}
    for message in messages:
        by_language.setdefault((message.language or "").partition("-")[0], message.value)
    if not by_language:
        return None
    other = next(iter(by_language.values()))
    plain = by_language.get("", by_language.get("en", other))
    return Labels(by_language.get("en", plain), by_language.get("de", plain))


def _wish(rule: Constraint) -> Labels | None:
    """Return what a constraint wants; None of those that speak through queries."""
    match rule:
        case MinCount(least):
            return Labels(f"at least {_values(least)[0]}", f"mindestens {_values(least)[1]}")
        case MaxCount(most):
            return Labels(f"at most {_values(most)[0]}", f"höchstens {_values(most)[1]}")
        case Qualified(shape, _, side, count):
            bound = _BOUNDS["minInclusive" if side == "Min" else "maxInclusive"]
            english, german = _values(count)
            return Labels(
                f"{bound.en} {english} as {_shape(shape).en}", f"{bound.de} {german} nach {_shape(shape).de}"
            )
        case Datatype(datatype):
            return Labels(f"a well-formed {shown(datatype)}", f"ein wohlgeformter {shown(datatype)}")
        case Class(kind):
            return Labels(f"an instance of {shown(kind)}", f"ein Exemplar von {shown(kind)}")
        case NodeKind(kind):
            return _KINDS[kind.value.removeprefix(SH)]
        case Bound(parameter, bound):
            return _with(_BOUNDS[parameter], shown(bound))
        case Less(parameter, other):
            return _with(_BOUNDS[parameter], shown(other))
        case Equals(other):
            return Labels(f"the same values as {shown(other)}", f"dieselben Werte wie {shown(other)}")
        case Disjoint(other):
            return Labels(f"no value of {shown(other)}", f"kein Wert von {shown(other)}")
        case In(terms):
            listed = ", ".join(map(shown, terms[:_FEW])) + (", …" if len(terms) > _FEW else "")
            return Labels(f"one of: {listed}", f"eines von: {listed}")
        case HasValue(term):
            return Labels(f"the value {shown(term)}", f"der Wert {shown(term)}")
        case Closed():
            return Labels("no other properties", "keine anderen Eigenschaften")
        case _:
            return _of_texts(rule) or _of_shapes(rule)


def _of_texts(rule: Constraint) -> Labels | None:
    match rule:
        case MinLength(least):
            return Labels(f"at least {least} characters", f"mindestens {least} Zeichen")
        case MaxLength(most):
            return Labels(f"at most {most} characters", f"höchstens {most} Zeichen")
        case Matches(pattern, _):
            cut = pattern if len(pattern) <= SHOWN else f"{pattern[: SHOWN - 1]}…"
            return Labels(f"a text that matches {cut}", f"ein Text nach dem Muster {cut}")
        case LanguageIn(ranges):
            return Labels(
                f"a text in one of: {', '.join(ranges)}", f"ein Text in einer von: {', '.join(ranges)}"
            )
        case UniqueLang():
            return Labels("one text to a language", "ein Text je Sprache")
        case _:
            return None


def _of_shapes(rule: Constraint) -> Labels | None:
    match rule:
        case Not(shape):
            return Labels(f"nothing that is as {_shape(shape).en}", f"nichts nach {_shape(shape).de}")
        case Conforms(shape):
            return Labels(f"a node as {_shape(shape).en}", f"ein Knoten nach {_shape(shape).de}")
        case And(shapes):
            return Labels(f"all of {len(shapes)} shapes", f"alle von {len(shapes)} Formen")
        case Or(shapes):
            return Labels(f"one of {len(shapes)} shapes", f"eine von {len(shapes)} Formen")
        case Xone(shapes):
            return Labels(f"exactly one of {len(shapes)} shapes", f"genau eine von {len(shapes)} Formen")
        case _:
            return None


def _values(count: int) -> Labels:
    return Labels(
        f"{count} {'value' if count == 1 else 'values'}", f"{count} {'Wert' if count == 1 else 'Werte'}"
    )


def _shape(node: Term) -> Labels:
    if isinstance(node, NamedNode):
        return Labels(shown(node), shown(node))
    return Labels("its shape says", "der Form")


def _with(labels: Labels, text: str) -> Labels:
    return Labels(f"{labels.en} {text}", f"{labels.de} {text}")
