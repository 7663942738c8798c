"""What `validate` looks at: documents from files and folders, each with the report on it or an error."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import typer

from battpass.kg.errors import BadDocument, BattPassError
from battpass.kg.validation.reports.forms import Told

if TYPE_CHECKING:
    from battpass.kg.validation.validator import Validator
    from battpass.services.exchange.bulk import Document
    from battpass.services.exchange.checking import Checker

HINT = "To check it by shapes of its own, name them: --shapes FILE."


@dataclass
class Passports:
    """Reports on passports by the installed shapes, as of a day; a checker is started if one needs it."""

    checker: Checker
    on: date | None
    format_name: str

    @cached_property
    def _validator(self) -> Validator:
        from battpass.kg.validation.validator import Validator

        return Validator.load(on=self.on)

    def told(self, document: Document, *, graph: bool) -> Told:
        """Return the report on a document.

        Raises
        ------
        BattPassError
            If it cannot be read.
        """
        from battpass.kg.validation.reports.graphs import n_triples
        from battpass.kg.validation.reports.passports import PassportReport
        from battpass.services.cli.checks import opened
        from battpass.services.exchange.foreign import RDF_XML, media_type_of
        from battpass.services.exchange.rdf import Rdf
        from battpass.services.exchange.registry import formats

        media_type = _media_type(document)
        is_unread = media_type == "application/trig" or RDF_XML in (media_type, media_type_of(document.data))
        # What no format of passports reads directly may be a passport all the same.
        if is_unread and not self.format_name:
            checked = self.checker.passport(
                document.data, media_type=media_type or RDF_XML, on=self.on, hint=HINT, graph=graph
            )
            return Told(document.name, checked.report, checked.graph)
        try:
            passport, places, findings = opened(document.data, self.format_name)
        except BadDocument as error:
            if any(isinstance(known, Rdf) and known.takes(document.data) for known in formats()):
                raise type(error)(f"{error} {HINT}") from None
            raise
        report = self._validator.validate(passport, places).with_findings(findings)
        return Told(
            document.name, PassportReport.read(report.text()), n_triples(report.graph) if graph else b""
        )


@dataclass
class ByShapes:
    """Reports on any data by the shapes of a file."""

    checker: Checker
    shapes: bytes
    shapes_type: str

    def told(self, document: Document, *, graph: bool) -> Told:
        """Return the report on a document.

        Raises
        ------
        BattPassError
            If it or the shapes cannot be read, or are too much.
        """
        checked = self.checker.data(
            document.data, self.shapes, types=(_media_type(document), self.shapes_type), graph=graph
        )
        return Told(document.name, checked.report, checked.graph)


def documents_of(paths: Sequence[Path]) -> Iterator[Document]:
    """Yield the documents of files and folders, one after the other; errors come as documents."""
    from battpass.services.cli.sources import STANDARD_INPUT, read_source
    from battpass.services.exchange.bulk import Document, documents

    for path in paths:
        if str(path) == STANDARD_INPUT:
            try:
                yield Document(STANDARD_INPUT, read_source(path))
            except BattPassError as error:
                yield Document(STANDARD_INPUT, error=error)
        elif path.is_dir():
            yield from _of_folder(path)
        else:
            yield from documents(path)


@contextmanager
def checking(deadline: float) -> Iterator[Checker]:
    """Lend a checker whose validations take at most `deadline` seconds each; it starts when first needed."""
    from battpass.services.exchange.checking import Checker
    from battpass.services.exchange.crew import IntakeLimits

    with Checker(1, IntakeLimits(seconds=deadline)) as checker:
        yield checker


def shapes_of(path: Path) -> tuple[bytes, str]:
    """Return the bytes of a file with shapes, and their media type, "" where the name does not tell.

    Raises
    ------
    BadDocument
        If it cannot be read, or is empty.
    """
    from battpass.services.cli.documents import naming
    from battpass.services.cli.sources import read_source
    from battpass.services.exchange.foreign import SUFFIXES

    with naming(path):
        data = read_source(path)
        if not data.strip():
            raise BadDocument("The file of shapes is empty. Name one with shapes in it.")
    return data, SUFFIXES.get(path.suffix.lower(), "")


def _of_folder(folder: Path) -> Iterator[Document]:
    from battpass.services.exchange.bulk import ARCHIVE, DOCUMENTS, LINES, Document, Unreadable, documents
    from battpass.services.exchange.foreign import SUFFIXES

    wanted = DOCUMENTS | LINES | {ARCHIVE} | SUFFIXES.keys()
    found = False
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if PurePosixPath(name).suffix.lower() in wanted and not name.startswith("."):
                found = True
                yield from documents(Path(here) / name)
    if not found:
        kinds = ", ".join(sorted(wanted))
        error = Unreadable(f"The folder holds no documents. They end in one of: {kinds}.")
        yield Document(str(folder), error=error)


def _media_type(document: Document) -> str:
    from battpass.services.exchange.foreign import SUFFIXES

    return SUFFIXES.get(PurePosixPath(document.name).suffix.lower(), "")


def form_named(name: str) -> str:
    """Return the name of a form of reports; an error says what else it may have been meant as."""
    from battpass.kg.validation.reports.forms import MEDIA_TYPES
    from battpass.services.exchange.registry import formats

    if name in MEDIA_TYPES:
        return name
    hint = ""
    if name in {known.name for known in formats()}:
        hint = f" To say that documents are in {name}, write --from {name}."
    raise typer.BadParameter(
        f"{name!r} is no form of reports. Use one of: {', '.join(MEDIA_TYPES)}.{hint}",
        param_hint="'--format'",
    )
