"""`import --into ID`: documents that add to a passport which is kept already."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from battpass.kg.errors import UnknownFormat
from battpass.services.cli.console import Console

if TYPE_CHECKING:
    from battpass.kg.home import Arrival, Home
    from battpass.services.cli.documents import Result


def add_to(out: Console, files: list[Path], name: str) -> int:
    """Add what RDF documents say of a passport to it: all of them, or nothing.

    The partner's own document stays as it came, and goes out again as it came.
    """
    from battpass.services.cli import homes
    from battpass.services.cli.documents import Result

    with homes.writing(out, create=False) as home:
        record = home.kept(name).record
        outcome = home.put_many([_grown(home, record, files)])[0]
    results: list[Result] = []
    for file in files:
        results.append(Result(str(file), outcome, record))
        out.say(f"{outcome:<9}  {file}  {record.rpartition('/')[2]}")
    out.document({"home": str(out.home), "results": [asdict(result) for result in results]})
    return 0


def _grown(home: Home, record: str, files: list[Path]) -> Arrival:
    from battpass.kg.home import Arrival
    from battpass.services.cli.documents import naming, read_document
    from battpass.services.exchange.rdf import Rdf

    kept = home.kept(record)
    passport = home.passport(record)
    for file in files:
        with naming(file, " Nothing was added."):
            data, known = read_document(file, "")
            if not isinstance(known, Rdf):
                raise UnknownFormat(
                    f"{known.title} describes whole passports. Add to one with Turtle or JSON-LD."
                )
            passport = known.supplement(data, passport)
    return Arrival(passport, kept.findings, home.original(record), kept.format, kept.source)
