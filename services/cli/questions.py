"""Questions to the graph and to its vocabulary: `query`, `terms`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from battpass.services.cli.console import FOUND, Console, JsonFlag, console, count

TABLE = "table"


class ResultFormat(StrEnum):
    """The forms of an answer: rows or yes and no in the first group, a graph in the second."""

    TABLE = "table"
    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    XML = "xml"
    TURTLE = "turtle"
    JSON_LD = "jsonld"
    N_TRIPLES = "ntriples"
    RDF_XML = "rdfxml"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(short_help="Ask the passports that are kept, in SPARQL.")(query)
    app.command(short_help="Find terms to ask with, by label.")(terms)


def query(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT|FILE", help="A SPARQL query, a file with one, or -.")],
    result_format: Annotated[
        ResultFormat | None,
        typer.Option(
            "--format", "-f", help="Form of the answer; else a table on a terminal, CSV or Turtle in a pipe."
        ),
    ] = None,
    audience: Annotated[str, typer.Option(help="Ask what this audience may read.")] = "owner",
    deadline: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds after which the query is stopped.")
    ] = 60.0,
    as_json: JsonFlag = False,
) -> int:
    """Ask the passports that are kept in SPARQL.

    The prefixes that BattPass knows (bp, emmo, battery, echem, bvco, prov, schema, ...) need no declaration.
    """
    from battpass.kg.dataset.guard import QueryForm, form_of
    from battpass.services.cli import homes

    out = console(context)
    asked = _text(text)
    is_rows = form_of(asked) in (QueryForm.SELECT, QueryForm.ASK, None)
    chosen = result_format or _usual(as_json, is_rows)
    if chosen == TABLE and not is_rows:
        chosen = ResultFormat.TURTLE
    with homes.reading(out) as home:
        queries = home.queries(audience, out.watch(f"Building the {audience} dataset"))
        try:
            accept = ResultFormat.JSON if chosen == TABLE else chosen
            answer = queries.query(asked, accept.value, deadline)
            if chosen == TABLE:
                _say_answer(out, json.loads(answer.read()))
            else:
                for piece in answer:
                    typer.echo(piece, nl=False)
        finally:
            queries.close()
    return 0


def terms(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Words of a label, or a prefixed name.")],
    limit: Annotated[int, typer.Option(min=1, help="Most terms to show.")] = 20,
    as_json: JsonFlag = False,
) -> int:
    """Find terms to ask with, by label: our own, and those of BattINFO, EMMO, BVCO and others in use.

    Exit status 1: no term has such a label.
    """
    from battpass.services.cli.glossary import search

    out = console(context)
    found = search(text)
    shown = found[:limit]
    for one in shown:
        labels = " / ".join(filter(None, (one.label, one.german)))
        out.say(f"{one.curie}  {labels}  ({one.status}, {one.source})")
        if one.definition:
            out.say(f"    {one.definition}")
    if not shown:
        out.say(f"No term has {text!r} in its label. Try one word of it, or another word.")
    if len(found) > limit:
        out.say(f"{count(len(found) - limit, 'more term')}; --limit shows more.")
    out.document({"terms": [one.as_dict() for one in shown], "found": len(found)})
    return 0 if found else FOUND


def _usual(as_json: bool, is_rows: bool) -> ResultFormat:
    if as_json:
        return ResultFormat.JSON if is_rows else ResultFormat.JSON_LD
    if not is_rows:
        return ResultFormat.TURTLE
    return ResultFormat.TABLE if sys.stdout.isatty() else ResultFormat.CSV


def _text(argument: str) -> str:
    """Return the query: the argument itself, or what the file holds that it names."""
    from battpass.kg.dataset.guard import form_of
    from battpass.kg.errors import NotFound, QueryRefused
    from battpass.services.cli.documents import naming
    from battpass.services.cli.sources import is_file, read_source

    if is_file(argument):
        try:
            with naming(Path(argument)):
                return read_source(Path(argument)).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise QueryRefused(
                f"{argument}: byte {error.start} is not UTF-8. Save the query as UTF-8."
            ) from None
    if form_of(argument) is None and "{" not in argument:
        raise NotFound(f"{argument!r} is neither a file nor a SPARQL query. Begin with SELECT, ASK, ...")
    return argument


def _say_answer(out: Console, answer: dict[str, Any]) -> None:
    if "boolean" in answer:
        out.say("yes" if answer["boolean"] else "no")
        return
    names = answer["head"]["vars"]
    rows = answer["results"]["bindings"]
    out.table(names, ([_shown(row.get(name)) for name in names] for row in rows))
    out.say(count(len(rows), "row"))


def _shown(term: dict[str, Any] | None) -> str:
    """Return a term of an answer as a person reads it: names with their prefix, literals as they stand."""
    from battpass.kg.namespaces import BASE, shorten

    if term is None:
        return ""
    if term["type"] == "uri":
        # Names of passports, models and makers go without the base that all of them share.
        return shorten(str(term["value"])).removeprefix(BASE)
    if term["type"] == "triple":
        parts: Iterator[str] = (_shown(term["value"][part]) for part in ("subject", "predicate", "object"))
        return f"<< {' '.join(parts)} >>"
    return str(term["value"])
