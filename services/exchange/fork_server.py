"""The program of the fork server: it loads everything once, and then makes workers by forking itself.

A worker that is forked is ready in some 20 ms, where a program that imports the validator and loads the
tables takes more than a second. The server itself reads nothing foreign: each worker seals itself before it
reads its first document, and has no way back to the server.

It is started by its path, with a socket as its standard input, and takes messages of one JSON object each:

    {"paths": [...], "tasks": "module:factory"}      once, first; the factory makes what the workers run
    {"do": "fork"}, with two pipes: in and out       answered with {"pid": 1234}
    {"do": "end", "pid": 1234}                       ends a worker; answered with {"code": -9}

Workers are not waited for before they are to end, so that their numbers stay theirs. When the other side goes
away, the server ends its workers, then itself; should it be killed, the kernel ends the workers.

A worker speaks the frames of `kg/dataset/worker.py`: C and R to begin with, then for each task Q (JSON: the
task, and the sizes of its texts), A, B (the texts, one behind the other), and as the answer H (the same for
what comes), D and E, or X for an error.
"""

# Files are opened by their numbers, or for as long as the process lives.
# ruff: noqa: PTH123, PTH208, SIM115
import ctypes
import gc
import json
import os
import signal
import socket
import sys
import traceback
from importlib import import_module
from typing import Any, BinaryIO, Protocol

MOST_IN_A_MESSAGE = 128 * 1024
PIECE = 1 << 20

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


class Tasks(Protocol):
    """What workers run."""

    def run(self, request: dict[str, Any], texts: list[bytes]) -> list[bytes]:
        """Return the answer to one request.

        Raises
        ------
        BattPassError
            Travels to the caller by class and message; any other error ends the worker.
        """
        ...


def main(control: socket.socket) -> None:
    """Load what workers need, then fork on demand until the other side goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start = json.loads(control.recv(MOST_IN_A_MESSAGE))
    sys.path += [path for path in start["paths"] if path not in sys.path]
    try:
        module, _, factory = start["tasks"].partition(":")
        tasks: Tasks = getattr(import_module(module), factory)()
    except Exception as error:  # the outermost edge: whoever started us has the log
        _send(control, {"error": f"{type(error).__name__}: {error}"})
        return
    # What is there now stays shared with all workers: the collector must not write into it.
    gc.collect()
    gc.freeze()
    _send(control, {"pid": os.getpid()})
    children: set[int] = set()
    try:
        while (received := _receive(control))[0]:
            message, pipes = received
            request = json.loads(message)
            if request["do"] == "fork":
                pid = _fork(control, pipes, tasks)
                children.add(pid)
                _send(control, {"pid": pid})
            else:
                children.discard(request["pid"])
                _send(control, {"code": _end(request["pid"])})
    except OSError:
        pass  # the other side has gone
    finally:
        for pid in children:
            _end(pid)


def _send(control: socket.socket, content: dict[str, Any]) -> None:
    control.send(json.dumps(content).encode())


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    message, pipes, *_ = socket.recv_fds(control, MOST_IN_A_MESSAGE, 2)
    return message, list(pipes)


def _end(pid: int) -> int:
    """End a child; one that ended by itself keeps its own exit code."""
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _fork(control: socket.socket, pipes: list[int], tasks: Tasks) -> int:
    """Return the number of a new worker that reads from the first pipe and writes to the second."""
    server = os.getpid()
    pid = os.fork()
    if pid:
        for pipe in pipes:
            os.close(pipe)
        return pid
    try:
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == server:
            control.detach()
            os.dup2(pipes[0], 0)
            os.dup2(pipes[1], 1)
            os.closerange(3, max(3, *(int(number) for number in os.listdir("/proc/self/fd"))) + 1)
            serve(open(0, "rb", closefd=False), open(1, "wb", closefd=False), tasks)
    finally:
        os._exit(0)


def serve(source: BinaryIO, sink: BinaryIO, tasks: Tasks) -> None:
    """Take settings, seal, then run tasks until the other side goes away."""
    from battpass.kg.dataset.worker import HEADER, Fault, read_frame, seal

    def send(kind: bytes, payload: bytes) -> None:
        sink.write(HEADER.pack(kind, len(payload)) + payload)
        sink.flush()

    def send_json(kind: bytes, content: object) -> None:
        send(kind, json.dumps(content).encode())

    # Opened while files can be opened; it is read from its beginning each time.
    statm = open("/proc/self/statm", "rb", buffering=0)
    settings = json.loads(read_frame(source)[1])
    try:
        _, holds = seal(settings)
    except (OSError, RuntimeError, Fault) as error:
        send_json(b"X", {"message": str(error)})
        return
    held = _held(statm)
    send_json(b"R", holds)
    while (frame := read_frame(source))[0] == b"Q":
        send(b"A", b"")
        request = json.loads(frame[1])
        # Should the parent die, nobody enforces the deadline: the kernel does then.
        signal.setitimer(signal.ITIMER_REAL, request["seconds"] + 1)
        body = memoryview(read_frame(source)[1])
        texts = []
        for size in request["sizes"]:
            texts.append(bytes(body[:size]))
            body = body[size:]
        answer = _answer(tasks, request, texts)
        if isinstance(answer, dict):
            send_json(b"X", answer)
            if not answer["sound"]:
                return
        elif sum(map(len, answer)) > settings["answer"]:
            most = settings["answer"]
            message = f"Written out in full it has more than {most:,} bytes. Send it in parts."
            send_json(b"X", {"class": "DocumentTooLarge", "message": message, "sound": False})
            return
        else:
            send_json(b"H", {"sizes": [len(text) for text in answer], "grown": _held(statm) - held})
            for text in answer:
                for start in range(0, len(text), PIECE):
                    send(b"D", text[start : start + PIECE])
            send(b"E", b"")
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(tasks: Tasks, request: dict[str, Any], texts: list[bytes]) -> list[bytes] | dict[str, Any]:
    """Return what a task gives, or the content of an X frame."""
    from battpass.kg.errors import BattPassError

    try:
        return tasks.run(request, texts)
    except BattPassError as error:
        return {"class": type(error).__name__, "message": str(error), "sound": True}
    except RecursionError:
        return {"message": "It nests too deep.", "sound": False}
    except MemoryError:
        return {"message": "It needs more memory than one document may take.", "sound": False}
    except Exception as error:  # the outermost edge of this process: the caller logs the trace
        trace = _trace(error)
        return {"message": f"Reading it failed: {type(error).__name__}.", "sound": False, "trace": trace}


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-4_000:]


def _held(statm: BinaryIO) -> int:
    """Return the bytes of memory that this process has on hand."""
    statm.seek(0)
    return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main(socket.socket(fileno=0))
