"""A query made ready to run, and its answer as a stream; the path that runs it in this process."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, cast

from pyoxigraph import NamedNode, Store

from battpass.kg.dataset import worker
from battpass.kg.dataset.formats import BINDINGS, GRAPHS, ResultFormat, negotiate
from battpass.kg.dataset.guard import Limits, QueryForm, check, form_of, undeclared
from battpass.kg.errors import BadQuery, DeadlineExceeded, QueryFailed, QueryRefused

_PIECE = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """A query that passed the guard, with the format of its answer; `content` is what a worker is sent."""

    format: ResultFormat
    content: Mapping[str, object]


class Answer(Iterator[bytes]):
    """The answer to one query, in pieces; `media_type` says in which format.

    Errors up to the first pieces (some 64 kB) are raised before there is an `Answer`; later ones are raised
    by the iteration. Close it, or use it as a context manager, if it is not read to its end: a worker is held
    until then, at most until the deadline.
    """

    def __init__(self, answer_format: ResultFormat, pieces: Iterator[bytes]) -> None:
        self.format = answer_format
        self._pieces = pieces
        self._first: bytes | None = next(pieces, b"")

    @property
    def media_type(self) -> str:
        return self.format.media_type

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._pieces)

    def read(self) -> bytes:
        """Return all that is left."""
        return b"".join(self)

    def close(self) -> None:
        """Leave the rest unread."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def prepare(
    text: str,
    accept: str | None,
    limits: Limits | None,
    prefixes: Mapping[str, str],
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
) -> Request:
    """Pass a query through the guard and choose the format of its answer.

    `limits=None` leaves the guard out. If graphs are named, the query sees these and no others, as the
    SPARQL protocol has it: without default graphs among them, its default graph is empty.

    Raises
    ------
    QueryRefused
        From the guard, for a graph name that is no IRI, or as `NotAcceptable`.
    """
    form = check(text, limits).form if limits else form_of(text)
    if limits and len(default_graphs) + len(named_graphs) > limits.graphs:
        raise QueryRefused(
            f"More than {limits.graphs} graphs are named. Leave them out: the default is the union."
        )
    for iri in (*default_graphs, *named_graphs):
        try:
            NamedNode(iri)
        except ValueError:
            raise QueryRefused(
                f"The graph name {iri[:200]!r} is no IRI. Give it in full, as in http://..."
            ) from None
    # A text without a form is a syntax error; which format it would have had does not matter.
    chosen = negotiate(accept, form or QueryForm.SELECT)
    content = {
        "text": text,
        "bindings": _canonical(chosen, BINDINGS),
        "graph": _canonical(chosen, GRAPHS),
        "prefixes": dict(prefixes),
        "default_graphs": list(default_graphs),
        "named_graphs": list(named_graphs),
    }
    return Request(chosen, content)


def _canonical(chosen: ResultFormat, offered: tuple[ResultFormat, ...]) -> str:
    return next((one.media_type for one in offered if one.name == chosen.name), offered[0].media_type)


def failure(fault: Mapping[str, object], request: Mapping[str, object]) -> QueryFailed:
    """Return the error that an X frame of a worker stands for."""
    message = str(fault["message"])
    if fault["kind"] == "syntax":
        unknown = undeclared(str(request["text"]), cast(Mapping[str, str], request["prefixes"]))
        if unknown:
            where, prefix = unknown
            return BadQuery(
                f"{where}: the prefix {prefix}: is not declared. Add PREFIX {prefix}: <...> at the top."
            )
        where = f"line {fault['line']}, column {fault['column']}: " if fault["line"] else ""
        return BadQuery(f"{where}{message}. Mend the query there and send it again.")
    if fault["kind"] == "memory":
        return QueryFailed("The query needs more memory than one query may take. Ask for less at a time.")
    return QueryFailed(
        f"The engine could not answer: {message}. Nothing was changed; mend the query or try again."
    )


def in_process(store: Store, request: Request, deadline: float) -> Answer:
    """Run a query in this process, for use as a library.

    Nothing here can stop the engine, so the text must be the caller's own; the deadline is looked at only
    between pieces of the answer.
    """
    output = _Bounded(time.monotonic() + deadline, deadline)
    try:
        worker.answer(store, dict(request.content), lambda kind: None, cast(IO[bytes], output))
    except DeadlineExceeded:
        raise
    except (SyntaxError, ValueError, OSError, RuntimeError, MemoryError) as error:
        text = str(request.content["text"])
        raise failure(worker.query_fault(error, text).content, request.content) from None
    whole = bytes(output.held)
    return Answer(request.format, (whole[at : at + _PIECE] for at in range(0, len(whole), _PIECE)))


class _Bounded:
    """Keeps what the engine writes, until the deadline."""

    def __init__(self, until: float, deadline: float) -> None:
        self.held = bytearray()
        self._until = until
        self._deadline = deadline

    def write(self, data: bytes) -> int:
        if time.monotonic() > self._until:
            raise late(self._deadline)
        self.held += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: all is kept until it is asked for."""


def late(deadline: float) -> DeadlineExceeded:
    """Return the error for a query that ran over its deadline."""
    return DeadlineExceeded(
        f"The query was stopped after {deadline:g} s. Ask for less: "
        "fewer joins, a LIMIT, or one passport at a time."
    )
