"""Tasks that do what documents do to the process that reads them: for the workers of `test_crew.py`.

It is loaded in the fork server; what a task finds in its sealed worker comes back as text.
"""

import os
import signal
import socket
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from battpass.kg.errors import NotFound


class Rough:
    """Runs one task by its name."""

    def __init__(self) -> None:
        self.kept: list[bytearray] = []

    def run(self, request: dict[str, Any], texts: list[bytes]) -> list[bytes]:
        """Return what the task gives, as texts."""
        answer = getattr(self, request["task"])(request, texts)
        return answer if isinstance(answer, list) else [str(answer).encode()]

    def pid(self, request: dict[str, Any], texts: list[bytes]) -> int:
        return os.getpid()

    def echo(self, request: dict[str, Any], texts: list[bytes]) -> list[bytes]:
        return [text[::-1] for text in texts]

    def sleep(self, request: dict[str, Any], texts: list[bytes]) -> int:
        time.sleep(request["for"])
        return os.getpid()

    def crash(self, request: dict[str, Any], texts: list[bytes]) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def leave(self, request: dict[str, Any], texts: list[bytes]) -> None:
        os._exit(3)

    def fail(self, request: dict[str, Any], texts: list[bytes]) -> None:
        raise ZeroDivisionError("a secret of the inside")

    def refuse(self, request: dict[str, Any], texts: list[bytes]) -> None:
        raise NotFound("There is no such thing.")

    def swell(self, request: dict[str, Any], texts: list[bytes]) -> int:
        whole = [bytearray(1 << 20) for _ in range(request["megabytes"])]
        return len(whole)

    def keep(self, request: dict[str, Any], texts: list[bytes]) -> int:
        self.kept.append(bytearray(b"x" * request["bytes"]))
        return os.getpid()

    def flood(self, request: dict[str, Any], texts: list[bytes]) -> list[bytes]:
        return [b"x" * request["bytes"]]

    def scrawl(self, request: dict[str, Any], texts: list[bytes]) -> None:
        os.write(1, texts[0])
        os._exit(0)

    def environment(self, request: dict[str, Any], texts: list[bytes]) -> str:
        return " ".join(sorted(os.environ))

    def reach(self, request: dict[str, Any], texts: list[bytes]) -> str:
        """Try to get out, in the way that is named; return what that was answered with."""
        ways = {
            "read a file": lambda: Path("/etc/hostname").read_bytes(),
            "write a file": lambda: Path(request["folder"], "canary").write_bytes(b"x"),
            "open a socket": lambda: socket.create_connection(("127.0.0.1", request["port"]), 1),
            "start a program": lambda: os.execv("/bin/true", ["true"]),
            "load a module": lambda: import_module("tests.exchange.test_crew"),
        }
        try:
            ways[request["way"]]()
        except (OSError, ImportError) as error:
            return type(error).__name__
        return "done"


def ready() -> Rough:
    """Return the tasks."""
    return Rough()


def broken() -> Rough:
    """Return nothing: loading it fails."""
    raise ValueError("a table does not load")
