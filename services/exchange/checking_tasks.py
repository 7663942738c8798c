"""What the workers of a checker do: validate passports by our shapes, and any data by anybody's.

The same in any process; sealed is the one that runs it. See `checking.py` for the caller's side.
"""

import json
from collections.abc import Iterable
from datetime import date
from time import monotonic
from typing import Any

from pyoxigraph import Quad, RdfFormat, Triple, serialize

from battpass.kg.errors import BadDocument, BattPassError, DeadlineExceeded, Overdue
from battpass.kg.graphs import AccessClass
from battpass.kg.validation.compiled import compile_shapes
from battpass.kg.validation.reports.data import DataReport
from battpass.kg.validation.reports.graphs import n_triples
from battpass.services.exchange.foreign import (
    MEDIA_TYPES,
    SUFFIXES,
    is_json,
    media_type_of,
    read_quads,
    renamed_apart,
)
from battpass.services.exchange.intake_tasks import EXAMPLES, WARM_UP, IntakeTasks
from battpass.services.exchange.rdf import JSON_LD, N_QUADS
from battpass.services.exchange.registry import detect, format_named

# All that pySHACL loads when it is first used comes in with shapes that use all of it.
_ADVANCED = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <urn:ex:> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
ex:S a sh:NodeShape ; sh:target [ a sh:SPARQLTarget ; sh:select "SELECT ?this { ?this <urn:ex:p> ?o }" ] ;
    sh:rule [ a sh:TripleRule ; sh:subject sh:this ; sh:predicate ex:q ; sh:object [ sh:path ex:p ] ] ,
        [ a sh:SPARQLRule ; sh:construct "CONSTRUCT { $this <urn:ex:r> 1 } WHERE { $this <urn:ex:p> ?o }" ] ;
    sh:property [ sh:path ( ex:p [ sh:inversePath ex:q ] ) ; sh:minCount 3 ; sh:message "no"@en ] ;
    sh:sparql [ sh:select "SELECT $this { $this <urn:ex:p> ?o FILTER(regex(str(?o), '.')) }" ] .
"""
_CORE = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix ex: <urn:ex:> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
ex:S a sh:NodeShape ; sh:targetSubjectsOf ex:p ; sh:or ( [ sh:class ex:C ] [ sh:nodeKind sh:Literal ] ) ;
    sh:property [ sh:path ex:p ; sh:pattern "^(a|b)+$" ; sh:flags "i" ; sh:datatype xsd:dateTime ;
        sh:minInclusive 7 ; sh:languageIn ( "de" ) ; sh:uniqueLang true ; sh:lessThan ex:q ] ;
    sh:sparql [ sh:select "SELECT $this ?value { $this <urn:ex:p> ?value FILTER(regex(?value, '.')) }" ] .
"""
_DATA = "<urn:ex:a> <urn:ex:p> <urn:ex:b> , 'x'@de , 7 ."


class CheckingTasks:
    """The formats and the shapes of the intake, and the reading of any RDF."""

    def __init__(self) -> None:
        self._intake = IntakeTasks()

    def run(self, request: dict[str, Any], texts: list[bytes]) -> list[bytes]:
        """Return the report on data as JSON and, where the request asks for the `graph`, as N-Triples.

        The request names the `task`. `passport` has one text, in a `format` or of a `type`, and is checked
        as of the day `on`; `hint` is said where it is RDF and no passport. `data` has two texts, the data and
        the shapes, with their `types`; `deadline` is how long they may take, in seconds.
        """
        if request["task"] == "passport":
            return self._passport(texts[0], request)
        data, shapes = texts
        return self._data(data, shapes, request)

    def _passport(self, document: bytes, request: dict[str, Any]) -> list[bytes]:
        name, media_type = request["format"], request["type"]
        if not name and _is_rdf(document, media_type):
            document, name = self._as_quads(document, media_type, request["hint"]), N_QUADS.name
        report = self._intake.examine(document, name, date.fromisoformat(request["on"]))
        return [report.text(), n_triples(report.graph) if request["graph"] else b""]

    def _as_quads(self, document: bytes, media_type: str, hint: str) -> bytes:
        """Return a passport in any RDF syntax as N-Quads.

        Raises
        ------
        BadDocument
            If there is no passport in it.
        """
        quads = read_quads(document, media_type)
        if not any(quad.predicate.value.endswith("#describes") for quad in quads):
            raise BadDocument(f"The document is RDF, and describes no passport. {hint}")
        return serialize(quads, format=RdfFormat.N_QUADS) or b""

    def _data(self, data: bytes, shapes: bytes, request: dict[str, Any]) -> list[bytes]:
        until = monotonic() + request["deadline"]
        of_data, of_shapes = request["types"]
        about = _named("The data", lambda: self._statements(data, of_data))
        by = _named("The shapes", lambda: read_quads(shapes, of_shapes))
        try:
            compiled = compile_shapes(renamed_apart(by, about))
            report = compiled.validate(about, deadline=max(0.001, until - monotonic()))
        except DeadlineExceeded:
            raise Overdue(
                f"The validation was stopped after {request['deadline']:g} s. "
                "Validate less at once, allow more time, or look for shapes that multiply."
            ) from None
        told = json.dumps(DataReport.of(report).content()).encode()
        return [told, n_triples(report.graph) if request["graph"] else b""]

    def _statements(self, data: bytes, media_type: str) -> list[Quad]:
        """Return the statements of RDF, or those of a passport in a format of partners, without residue."""
        if media_type in ("", "application/json") and is_json(data) and not JSON_LD.takes(data):
            passport = detect(data, self._intake.formats).load(data).passport
            return [
                quad
                for graphs in (passport.item_graphs, passport.model_graphs)
                for access, part in graphs.items()
                if access is not AccessClass.DOCUMENT
                for quad in part
            ]
        return read_quads(data, "" if media_type == "application/json" else media_type)

    def warm_up(self) -> None:
        """Load all that is loaded when first used: a sealed process can load nothing."""
        self._intake.warm_up()
        on = date.today().isoformat()
        plain = {"task": "passport", "format": "", "type": "", "on": on, "hint": "", "graph": True}
        passport = (EXAMPLES / "passports" / f"{WARM_UP}.json").read_bytes()
        self.run(plain, [passport])
        loaded = detect(passport).load(passport).passport
        for name in ("json-ld", "turtle"):  # with named graphs, and without
            self.run(plain, [format_named(name).dump(loaded)])
        turtle = "text/turtle"
        for shapes in (_CORE, _ADVANCED):
            request = {"task": "data", "types": [turtle, turtle], "deadline": 60.0, "graph": True}
            self.run(request, [_DATA.encode(), shapes.encode()])
        triples: Iterable[Triple] = [quad.triple for quad in read_quads(_DATA.encode(), turtle)]
        for media_type in dict.fromkeys(SUFFIXES.values()):
            known = RdfFormat.from_media_type(media_type)
            assert known is not None
            for text in (serialize(triples, format=known) or b"", b"<a> <b"):
                try:
                    read_quads(text, media_type)
                except BadDocument:
                    continue


def ready() -> CheckingTasks:
    """Return the tasks, ready to be sealed."""
    tasks = CheckingTasks()
    tasks.warm_up()
    return tasks


def _is_rdf(document: bytes, media_type: str) -> bool:
    """Return whether a document is meant as RDF: by its type, or where it has none, by what it looks like."""
    if media_type not in ("", "application/json"):
        return media_type in MEDIA_TYPES
    return JSON_LD.takes(document) if is_json(document) else media_type_of(document) != ""


def _named(what: str, read: Any) -> list[Quad]:
    """Return what is read, or say of what an error is."""
    try:
        found: list[Quad] = read()
        return found
    except BattPassError as error:
        raise type(error)(f"{what}: {error}") from None
