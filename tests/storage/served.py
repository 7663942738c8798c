"""A server whose clock can be wrong: `python -m tests.storage.served HOME CLOCK`.

The file CLOCK holds the seconds by which it is. Everything else is as `battpass serve` has it.
"""

import socket
import sys
import time
from pathlib import Path

import uvicorn

from battpass.kg.home import Home
from battpass.kg.journal.clock import Clock
from battpass.services.api.app import create_app
from battpass.services.api.settings import Settings


def main(folder: Path, clock: Path) -> None:
    """Serve the home in a folder until the process is told to end."""
    wall = lambda: time.time() + float(clock.read_text())  # noqa: E731
    with Home.open(folder, clock=Clock(wall)) as home, socket.create_server(("127.0.0.1", 0)) as listener:
        app = create_app(Settings(home=folder, port=0), home)
        sys.stdout.write("Pages http://{}:{}\n".format(*listener.getsockname()))
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
