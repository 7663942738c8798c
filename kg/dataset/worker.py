"""The program of a sealed process: it runs foreign queries, or reads foreign documents, and nothing else.

It is started by its path, imports the standard library and pyoxigraph only, and is ready in some 30 ms.
It speaks frames over two pipes: one byte for the kind, four for the length, then the payload.

    in    C  settings (JSON), once, first       out   R  sealed and ready (JSON)
          Q  request (JSON)                           A  request taken
          B  body of a document (bytes)               H  head of the answer (JSON)
                                                      D  a piece of the answer
                                                      E  end of the answer
                                                      X  error (JSON: kind, message, line, column)

Sealing, in this order: no core files, a kernel filter that refuses sockets and new programs, the store
opened read-only, every free descriptor taken, then a ceiling on memory. What was opened stays open. The
store opens most of its tables only when first read, so the descriptors of those stay free; the kernel
filter holds alone there, and where neither can hold the process does not start.
"""

# pathlib would take a third of the start-up time.
# ruff: noqa: PTH115, PTH119, PTH123, PTH208
import ctypes
import json
import os
import re
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

if TYPE_CHECKING:
    from pyoxigraph import Quad, Store

if sys.platform != "win32":  # where nothing can be sealed, the module still serves queries in process
    import resource

HEADER = struct.Struct(">cI")
PIECE = 65_536

# Per machine: the audit number of the architecture, and the system calls that the filter refuses: socket,
# execve, execveat, ptrace, process_vm_readv, process_vm_writev, io_uring_setup, pidfd_getfd, bpf.
_REFUSED_CALLS = {
    "x86_64": (0xC000003E, (41, 59, 322, 101, 310, 311, 425, 438, 321)),
    "aarch64": (0xC00000B7, (198, 221, 281, 117, 270, 271, 425, 438, 280)),
}


class Fault(Exception):
    """Something to tell the caller, as an X frame."""

    def __init__(self, kind: str, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.content = {"kind": kind, "message": message, "line": line, "column": column}


def read_frame(source: BinaryIO) -> tuple[bytes, bytes]:
    """Return kind and payload of the next frame; an empty kind where the other side has gone."""
    header = source.read(HEADER.size)
    if len(header) < HEADER.size:
        return b"", b""
    kind, length = HEADER.unpack(header)
    return kind, source.read(length)


class Pieces:
    """An output that the engine writes to, sent on as D frames of some 64 kB.

    Without a destructor on purpose: what an error left unsent must never follow the error.
    """

    def __init__(self, send: Callable[[bytes, bytes], None]) -> None:
        self._send = send
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        if len(self._held) >= PIECE:
            self.finish()
        return len(data)

    def flush(self) -> None:
        """Do nothing: the engine flushes at places of its own."""

    def finish(self) -> None:
        """Send what is held."""
        self._send(b"D", bytes(self._held))
        self._held.clear()


# --- sealing ---------------------------------------------------------------------------------------------


def filter_system_calls() -> bool:
    """Refuse sockets and new programs from here on; return False where the kernel or machine does not serve.

    It holds for this thread and those it starts, so it comes before the engine.
    """
    machine = os.uname().machine
    if sys.platform != "linux" or machine not in _REFUSED_CALLS:
        return False
    architecture, refused = _REFUSED_CALLS[machine]
    program = [(0x20, 0, 0, 4), (0x15, 0, len(refused) + 3, architecture), (0x20, 0, 0, 0)]
    program.append((0x35, len(refused) + 1, 0, 0x40000000))  # calls of the x32 interface
    program += [(0x15, len(refused) - index, 0, number) for index, number in enumerate(refused)]
    program += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050001)]  # allow; refuse with EPERM
    instructions = b"".join(struct.pack("HBBI", *step) for step in program)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    libc = ctypes.CDLL(None)
    libc.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong)
    if libc.prctl(38, 1, None, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS
        return False
    content = Program(len(program), instructions)
    return bool(libc.prctl(22, 2, ctypes.addressof(content), 0, 0) == 0)  # PR_SET_SECCOMP, filter


def unopened_tables(store: str) -> int:
    """Return how many tables of a store this process has not opened yet."""
    tables = {name for name in os.listdir(store) if name.endswith(".sst")}
    for number in os.listdir("/proc/self/fd"):
        try:
            tables.discard(os.path.basename(os.readlink(f"/proc/self/fd/{number}")))
        except OSError:
            continue  # the descriptor of the listing itself
    return len(tables)


def take_descriptors(spare: int) -> None:
    """Fill every free descriptor and forbid new ones, but for `spare`."""
    highest = max(int(number) for number in os.listdir("/proc/self/fd"))
    taken = os.open(os.devnull, os.O_RDONLY)
    while taken < highest:
        taken = os.open(os.devnull, os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken + 1 + spare, taken + 1 + spare))


def limit_memory(room: int) -> None:
    """Set the ceiling on address space to what is held now plus `room` bytes."""
    with open("/proc/self/statm", "rb") as statm:
        held = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + room, held + room))


def seal(settings: dict[str, Any]) -> "tuple[Store | None, dict[str, Any]]":
    """Open the store, if any, and shut every way out; return it with what holds."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)  # whoever writes and reads passports goes before a query that takes all it can get
    filtered = settings["filter_calls"] and filter_system_calls()

    from pyoxigraph import Store

    store = Store.read_only(settings["store"]) if settings.get("store") else None
    spare = 0 if store is None else unopened_tables(settings["store"])  # an empty store is falsy
    if not settings["take_descriptors"]:
        spare = 64
    if spare and not filtered:
        raise Fault("seal", "this system has no filter for system calls, and the store needs descriptors")
    limit_memory(settings["memory"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    take_descriptors(spare)
    return store, {"filtered": filtered, "spare_descriptors": spare}


# --- queries ---------------------------------------------------------------------------------------------


def answer(store: "Store", request: dict[str, Any], head: Callable[[str], None], output: "IO[bytes]") -> None:
    """Run one query: tell `head` the kind of result (bindings or graph), then write the result.

    The request holds the text, the two formats by their media types, prefixes, and where the caller chose
    them, the default and the named graphs. An empty choice is a choice: then that part is empty.
    """
    from pyoxigraph import NamedNode, QueryResultsFormat, QueryTriples, RdfFormat, serialize

    chosen: dict[str, Any] = {}
    if request["default_graphs"] or request["named_graphs"]:
        chosen["default_graph"] = [NamedNode(iri) for iri in request["default_graphs"]]
        chosen["named_graphs"] = [NamedNode(iri) for iri in request["named_graphs"]]
    results = store.query(request["text"], prefixes=request["prefixes"], **chosen)
    if not isinstance(results, QueryTriples):
        bindings = QueryResultsFormat.from_media_type(request["bindings"])
        head("bindings")
        results.serialize(output, format=bindings)
        return
    graph = RdfFormat.from_media_type(request["graph"])
    head("graph")
    if graph == RdfFormat.TURTLE:
        serialize(results, output, format=graph, prefixes=request["prefixes"])
    else:
        results.serialize(output, format=graph)


def query_fault(error: Exception, text: str) -> Fault:
    """Return an engine's error in words of ours, with its place where it is a syntax error."""
    message = str(error)
    if isinstance(error, SyntaxError):
        match = re.match(r"error at (\d+):(\d+): expected (.*)", message, re.DOTALL)
        if match is None:
            return Fault("syntax", message)
        line, column = int(match[1]), int(match[2])
        return Fault("syntax", _syntax(text, line, column, match[3]), line, column)
    return Fault("memory" if isinstance(error, MemoryError) else "engine", message or "out of memory")


def _syntax(text: str, line: int, column: int, expected: str) -> str:
    """Return what is wrong at a place; the engine's list of tokens is left out, its sentences are kept."""
    prose = [part for part in re.split(r", |^one of ", expected) if re.match(r"[A-Z]\w+ \w", part)]
    if prose:
        return prose[0]
    lines = text.split("\n")
    near = lines[line - 1][max(0, column - 21) : column + 19].strip() if line <= len(lines) else ""
    if "".join([lines[line - 1][column - 1 :], *lines[line:]]).strip():
        return f"not understood near {near!r}"
    return f"not understood at the end, after {near!r}"


# --- documents -------------------------------------------------------------------------------------------

_JSON_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def read_document(request: dict[str, Any], body: bytes, output: "IO[bytes]") -> None:
    """Write the quads of one document as N-Quads; blank nodes keep the labels they have."""
    from pyoxigraph import RdfFormat, serialize

    serialize(document_quads(request, body), output, format=RdfFormat.N_QUADS)


def document_quads(request: dict[str, Any], body: bytes) -> "Iterator[Quad]":
    """Yield the quads of one document; to be run only where the process may be lost.

    The request holds media type and base, and how deep JSON may nest and how many statements are taken.
    """
    from pyoxigraph import RdfFormat, Triple, parse

    document_format = RdfFormat.from_media_type(request["media_type"])
    if document_format == RdfFormat.JSON_LD:
        check_json_depth(body, request["depth"])
    quads = parse(body, format=document_format, base_iri=request["base"])
    try:
        for number, quad in enumerate(quads, start=1):
            if number > request["quads"]:
                raise Fault("quads", f"more than {request['quads']:,} statements")
            if isinstance(quad.object, Triple):
                raise Fault("term", f"statement {number:,} has a triple as its object (RDF 1.2)")
            yield quad
    except SyntaxError as error:
        raise document_fault(error) from None


def check_json_depth(body: bytes, most: int) -> None:
    """Refuse JSON whose brackets nest deeper than `most`, before anything recursive reads it."""
    depth = 0
    for match in _JSON_MARKS.finditer(body):
        mark = match[0]
        if mark in (b"[", b"{"):
            depth += 1
            if depth > most:
                before = body[: match.start()]
                line = before.count(b"\n") + 1
                column = match.start() - before.rfind(b"\n")
                raise Fault("depth", f"brackets nested deeper than {most}", line, column)
        elif mark in (b"]", b"}"):
            depth -= 1


def document_fault(error: SyntaxError) -> Fault:
    """Return a parser's error with its place."""
    message = re.sub(
        r"^Parser error at line \d+ (?:column \d+|between columns \d+ and \d+): ", "", str(error)
    )
    if "LoadDocumentCallback" in message:
        return Fault("context", "the document names a remote @context, and nothing is fetched")
    return Fault("syntax", message, error.lineno, error.offset)


# --- the program -----------------------------------------------------------------------------------------


def main(source: BinaryIO, sink: BinaryIO) -> None:
    """Take settings, seal, then serve requests until the other side goes away."""

    def send(kind: bytes, payload: bytes) -> None:
        sink.write(HEADER.pack(kind, len(payload)) + payload)
        sink.flush()

    def send_json(kind: bytes, content: object) -> None:
        send(kind, json.dumps(content).encode())

    try:
        store, holds = seal(json.loads(read_frame(source)[1]))
    except (OSError, RuntimeError, Fault) as error:
        send_json(b"X", (error if isinstance(error, Fault) else Fault("seal", str(error))).content)
        return
    send_json(b"R", holds)
    while (frame := read_frame(source))[0] == b"Q":
        send(b"A", b"")  # whatever ends this process from here on may be the request's doing
        request = json.loads(frame[1])
        # Should the parent die, nobody enforces the deadline: the kernel does then.
        signal.setitimer(signal.ITIMER_REAL, request["seconds"] + 1)
        output = Pieces(send)
        try:
            if store is not None:
                answer(store, request, lambda kind: send_json(b"H", kind), cast(IO[bytes], output))
            else:
                read_document(request, read_frame(source)[1], cast(IO[bytes], output))
            output.finish()
        except Fault as fault:
            send_json(b"X", fault.content)
        except BrokenPipeError:
            return
        except (SyntaxError, ValueError, OSError, RuntimeError, MemoryError) as error:
            send_json(b"X", query_fault(error, request.get("text", "")).content)
            if not isinstance(error, SyntaxError):
                return  # after such an error the engine's state is not to be relied on
        else:
            send(b"E", b"")
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    main(sys.stdin.buffer, sys.stdout.buffer)
