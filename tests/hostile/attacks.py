"""What one hostile client sends: queries and documents that are bombs, and bytes that are no requests.

CANARY stands for an address on loopback that must never be called.
"""

import gzip
import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.dataset.hostile import DOCUMENTS, HEAVY, MISSHAPEN, REACHING_OUT

_JSON, _MERGE = "application/json", "application/merge-patch+json"
# Where to: a new passport, in the place of one, or as a change of one.
NEW, ONE = "/v1/dpps", "/v1/dpps/{id}"


@dataclass(frozen=True, slots=True)
class Attack:
    """One hostile request."""

    name: str
    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def _query(name: str, text: str) -> Attack:
    body = text.encode("utf-8", "surrogatepass")
    return Attack(name, "POST", "/sparql", body, (("Content-Type", "application/sparql-query"),))


def _document(name: str, media_type: str, body: bytes, method: str = "POST") -> Attack:
    path = NEW if method == "POST" else ONE
    name = f"{method} of {name} as {media_type[:40]}"
    return Attack(name, method, path, body, (("Content-Type", media_type), ("If-Match", "*")))


QUERIES = tuple(_query(name, text) for name, text in (MISSHAPEN | REACHING_OUT).items())
ENDLESS = tuple(_query(name, text) for name, text in HEAVY.items() if not name.startswith("closure"))

_SECTIONS = b'{"identification": {}, "metadata": {}, "performance": '


def bombs() -> tuple[Attack, ...]:
    """Return documents, and changes of a document, that nest deep, swell, or are none."""
    return (
        tuple(_document(name, media_type, body) for name, (media_type, body, _) in DOCUMENTS.items())
        + tuple(
            _document(name, media_type, body, method)
            for method, media_type, documents in (
                ("POST", _JSON, _json()),
                ("POST", "text/turtle", _turtle()),
                ("PATCH", _MERGE, _changes()),
            )
            for name, body in documents.items()
        )
        + tuple(
            _document(f"a type of {len(media_type)} characters", media_type, body)
            for media_type, body in (
                ("text/html", b"<html></html>"),
                ("///", b"{}"),
                ("a/" + "b" * 10_000, b"{}"),
                ("multipart/form-data; boundary=x", b"--x\r\n" * 100_000),
            )
        )
    )


def _json() -> dict[str, bytes]:
    terms = {"@context": {f"t{number}": f"t{number + 1}:x" for number in range(20_000)}, "t0": 1}
    return {
        "arrays nested 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
        "objects nested 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "sections nested 5,000 deep": _SECTIONS + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
        "300,000 empty objects": b'{"identification": [' + b"{}," * 300_000 + b"{}]}",
        "50,000 members": json.dumps({f"a{number}": number for number in range(50_000)}).encode(),
        "one member 100,000 times": b"{" + b'"a":1,' * 100_000 + b'"a":2}',
        "20,000 terms that define each other": json.dumps(terms).encode(),
        "a text of 3 MB": _SECTIONS + b'"' + b"x" * 3_000_000 + b'"}',
        "a number of a million digits": _SECTIONS + b"9" * 10**6 + b"}",
        "a number without end": _SECTIONS + b"1e999999999}",
        "half of a surrogate pair": _SECTIONS + b'"\\ud800"}',
        "UTF-16": (_SECTIONS + b"1}").decode().encode("utf-16"),
        "nothing but white space": b" " * 3_000_000,
        "a gzip that swells a thousandfold": gzip.compress(bytes(100_000_000)),
    }


def _turtle() -> dict[str, bytes]:
    return {
        "100,000 statements": b"".join(b"<a:%d> <a:b> 1 ." % number for number in range(100_000)),
        "collections nested 50,000 deep": b"<a:a> <a:b> " + b"( " * 50_000 + b") " * 50_000 + b".",
        "a literal of 3 MB": b'<a:a> <a:b> "' + b"x" * 3_000_000 + b'" .',
    }


def _changes() -> dict[str, bytes]:
    return {
        "a change nested 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "a change with 50,000 members": json.dumps(
            {"metadata": {f"a{number}": number for number in range(50_000)}}
        ).encode(),
        "a change of what must stay to null": b'{"metadata": null, "identification": null}',
        "a change that is a list": b"[1, 2, 3]",
        "a change that is no JSON": b"\x00\x01\x02",
    }


def _head(path: str, *headers: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: a", *headers, "", ""]).encode()


_TYPE, _CHUNKED = "Content-Type: application/sparql-query", "Transfer-Encoding: chunked"


def _drip(connection: socket.socket) -> None:
    """Send a body byte by byte, and leave before its end."""
    connection.sendall(_head("/sparql", _TYPE, "Content-Length: 500"))
    for _ in range(20):
        connection.sendall(b"A")
        time.sleep(0.05)


def _half_close(connection: socket.socket) -> None:
    """Say that nothing more comes, in the middle of a body, and wait for an answer."""
    connection.sendall(_head("/sparql", _TYPE, "Content-Length: 5000") + b"{")
    connection.shutdown(socket.SHUT_WR)


def _many_headers(connection: socket.socket) -> None:
    connection.sendall(_head("/", *(f"X-{number}: {number}" for number in range(20_000)), method="GET"))


def _huge_chunk(connection: socket.socket) -> None:
    """Announce a chunk of many terabytes, and send some of it."""
    connection.sendall(_head("/sparql", _TYPE, _CHUNKED) + b"FFFFFFFFFFF\r\n" + b"A" * 3_000_000)


def _small_chunks(connection: socket.socket) -> None:
    """Send more than is read in chunks of one byte."""
    connection.sendall(_head("/sparql", _TYPE, _CHUNKED) + b"1\r\nA\r\n" * 1_200_000)


def _smuggle(connection: socket.socket) -> None:
    """Send one request with two lengths, and another one where they disagree."""
    hidden = _head("/metrics", method="GET")
    connection.sendall(_head("/sparql", _TYPE, "Content-Length: 5", _CHUNKED) + b"0\r\n\r\n" + hidden)


def _reset(connection: socket.socket) -> None:
    """Ask for much, and break the connection off before any of it is read."""
    connection.sendall(_head("/v1/dpps?limit=1000", method="GET"))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
    connection.close()


# What breaks the rules of HTTP, or of patience, on a connection of its own.
RUDE: dict[str, Callable[[socket.socket], None]] = {
    "a body that drips": _drip,
    "half a body, then half a connection": _half_close,
    "a pipeline that ends in garbage": lambda connection: connection.sendall(
        _head("/healthz", method="GET") * 200 + b"\x00\xff" * 5_000
    ),
    "20,000 headers": _many_headers,
    "a header of 5 MB": lambda connection: connection.sendall(
        _head("/", "X: " + "a" * 5_000_000, method="GET")
    ),
    "an address of 3 MB": lambda connection: connection.sendall(
        _head("/sparql?query=" + "%7B" * 10**6, method="GET")
    ),
    "a chunk of terabytes": _huge_chunk,
    "a million chunks": _small_chunks,
    "a request hidden in another": _smuggle,
    "an answer that nobody reads": _reset,
    "a greeting of TLS": lambda connection: connection.sendall(b"\x16\x03\x01\x02\x00\x01" + bytes(500)),
    "nothing at all": lambda connection: None,
}


def answer_to(rude: Callable[[socket.socket], None], host: str, port: int) -> bytes:
    """Be rude on a new connection, and return what was answered before it ended, or within a second."""
    told = b""
    with socket.create_connection((host, port), timeout=60) as connection:
        with suppress(OSError):  # the server may hang up before it was told all of it
            rude(connection)
        with suppress(OSError):
            connection.settimeout(1.0)
            while piece := connection.recv(65_536):
                told += piece
    return told
