"""Passports over HTTP: `serve`, and `demo`, which fills a home with the example fleet first."""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battpass.kg.errors import BattPassError
from battpass.services.cli.console import FOUND, Console, JsonFlag, console, count

if TYPE_CHECKING:
    from battpass.kg.home import Home

Host = Annotated[str, typer.Option(envvar="BATTPASS_HOST", help="Address to listen on.")]
Port = Annotated[
    int,
    typer.Option(min=0, max=65_535, envvar="BATTPASS_PORT", help="Port to listen on; 0 takes a free one."),
]
THIS_MACHINE, USUAL_PORT = "127.0.0.1", 8008
# Without a server, built before the first question.
PUBLIC, OWNER = "public", "owner"
# For answers that are under way when the server is to end.
GRACE_SECONDS = 5
_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h


class CannotListen(BattPassError):
    """The address or port cannot be had."""


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(short_help="Load the example fleet and serve it.")(demo)
    app.command(short_help="Serve the passports that are kept, over HTTP.")(serve)


def demo(
    context: typer.Context,
    size: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of passports.")] = 100,
    seed: Annotated[int, typer.Option(help="Another seed makes another fleet, always the same one.")] = 1,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the fleet afterwards.")] = True,
    host: Host = THIS_MACHINE,
    port: Port = USUAL_PORT,
    as_json: JsonFlag = False,
) -> int:
    """Load the published examples and a fleet of made-up batteries, and serve them, or build their datasets.

    The same size and seed give the same fleet, which is loaded once; others begin the demo anew. A home that
    holds other passports is left alone: name an empty folder with --home.
    """
    from battpass.services.cli.fleet import load_fleet, open_for_fleet
    from battpass.services.cli.readers import reading_documents
    from battpass.services.cli.stopping import on_wish, terminating_like_ctrl_c

    out = console(context)
    with ExitStack() as stack:
        stack.enter_context(terminating_like_ctrl_c())
        # Taken first, so that a port in use is told before the fleet is loaded.
        taken = stack.enter_context(_taken(host, port)) if serving else None
        home = stack.enter_context(open_for_fleet(out.home, size, seed))
        with reading_documents(out) as intake, on_wish() as wish:
            load_fleet(home, intake, size, seed, out.watch("Loading the fleet"), wish)
        if wish():
            out.note("Stopped. Run the same command again to go on.")
            return FOUND
        out.say(f"{out.home} keeps {count(len(home), 'passport')} of the example fleet, seed {seed}.")
        out.document({"home": str(out.home), "passports": len(home), "seed": seed})
        if taken is not None:
            _serve(out, home, taken, host)
            return 0
        for audience in (OWNER, PUBLIC):
            home.dataset(audience, out.watch(f"Building the {audience} dataset"))
        out.say('Ask them: battpass query "SELECT ?battery ?ah { ?battery bp:model/bp:ratedCapacityAh ?ah }"')
    return 0


def serve(
    context: typer.Context, host: Host = THIS_MACHINE, port: Port = USUAL_PORT, as_json: JsonFlag = False
) -> int:
    """Serve the passports that are kept, over HTTP: pages, passports and SPARQL; with a key also writing.

    It listens at once; datasets open in the background. Ctrl+C or SIGTERM end it.
    """
    from battpass.services.cli import homes
    from battpass.services.cli.stopping import terminating_like_ctrl_c

    out = console(context)
    _keep_few_arenas()
    with terminating_like_ctrl_c(), homes.writing(out) as home, _taken(host, port) as taken:
        out.document({"home": str(out.home), "passports": len(home)})
        _serve(out, home, taken, host)
    return 0


def _keep_few_arenas() -> None:
    """Have the C library share out memory from two places, and not from one for each of many threads.

    Each place holds back what was given free there, which under load comes to hundreds of megabytes.
    """
    with suppress(OSError, AttributeError):  # another C library does without
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def _serve(out: Console, home: Home, taken: socket.socket, host: str) -> None:
    import uvicorn

    from battpass.services.api.app import create_app
    from battpass.services.api.settings import Settings

    port = taken.getsockname()[1]
    given: dict[str, Any] = {"home": out.home, "host": host, "port": port}
    app = create_app(Settings(**given), home)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS
    )
    server = uvicorn.Server(config)
    try:
        taken.listen(128)
    except OSError as error:  # another process took it while the fleet was loaded
        raise _cannot_listen(host, port, error) from None
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    out.say(f"Pages     {address}/")
    out.say(f"SPARQL    {address}/sparql")
    if (first := next(home.records(PUBLIC, limit=1), None)) is not None:
        out.say(f"Passport  {address}/p/{first.rpartition('/')[2]}")
    out.say("Stop with Ctrl+C.")
    with suppress(KeyboardInterrupt):  # raised once more when the server has ended
        server.run(sockets=[taken])
    out.say("Stopped.")


@contextmanager
def _taken(host: str, port: int) -> Iterator[socket.socket]:
    """Lend a socket on the address, taken before anything is said of it.

    Raises
    ------
    CannotListen
        If the port is in use, or the address is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(
            f"{host} is no address here ({error.strerror}). Name another with --host."
        ) from None
    with listening:
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError as error:
            raise _cannot_listen(host, port, error) from None
        yield listening


def _cannot_listen(host: str, port: int, error: OSError) -> CannotListen:
    return CannotListen(
        f"Port {port} of {host} cannot be had ({error.strerror}). "
        "Name another with --port, or 0 for a free one."
    )
