"""A process that writes into a home until it is killed: `python -m tests.durability.writer HOME`.

It says `ready PORT` once the home is open. Each client has a connection and a thread of its own, sends one
line of JSON for each write, and gets one back when `Home` has acknowledged it. SIGTERM closes the home.
"""

import json
import signal
import socketserver
import sys
import threading
from typing import Any

from battpass.kg.errors import BattPassError
from battpass.kg.home import Home, Stage, Written
from tests.durability import material


def carried_out(home: Home, asked: dict[str, Any]) -> list[Written]:
    """Do one write; the journal names it by its id as the actor."""
    actor, records, marker = asked["id"], asked["records"], asked["marker"]
    name = material.record_name(records[0])
    match asked["do"]:
        case "draft":
            arrivals = [material.arrival(record, marker) for record in records]
            return home.put_many(arrivals, stage=Stage.DRAFT, actor=actor)
        case "put":
            arrivals = [material.arrival(record, marker, checked=True) for record in records]
            return home.put_many(arrivals, stage=Stage.PUBLISHED, actor=actor)
        case "publish":
            return [
                home.publish(name, report=material.report(actor), actor=actor, reason="A report was made")
            ]
        case "archive":
            return [home.archive(name, actor=actor, reason="Recycled")]
        case "erase":
            return [home.erase(name, actor=actor)]
        case other:
            raise ValueError(f"{other} is nothing that a client asks for")


class _Client(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        for line in self.rfile:
            try:
                written = carried_out(self.server.home, json.loads(line))
            except BattPassError as error:
                answer: dict[str, Any] = {"refused": f"{type(error).__name__}: {error}"}
            else:
                answer = {
                    "written": [[one.version, one.sequence, one.outcome] for one in written],
                    "commits": self.server.home.journal.statistics.commits,
                    "entries": self.server.home.journal.statistics.entries,
                }
            self.wfile.write(json.dumps(answer).encode() + b"\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, home: Home) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.home = home


def main(folder: str) -> None:
    """Serve the home in a folder, a new one where there is none."""
    material.arrival(0, "")  # reads the example, so that the first write takes no longer than others
    with Home.open(folder, create=True) as home, _Server(home) as server:
        signal.signal(
            signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start()
        )
        sys.stdout.write(f"ready {server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever(0.01)


if __name__ == "__main__":
    main(sys.argv[1])
