"""Passports over HTTP: `serve`, and `demo`, which fills a home with the example fleet first."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated, Any

import typer

from battpass.kg.errors import BattPassError
from battpass.services.cli.console import Console, JsonFlag, console, count

if TYPE_CHECKING:
    from battpass.kg.home import Home

Host = Annotated[str, typer.Option(envvar="BATTPASS_HOST", help="Address to listen on.")]
Port = Annotated[
    int,
    typer.Option(min=0, max=65_535, envvar="BATTPASS_PORT", help="Port to listen on; 0 takes a free one."),
]
THIS_MACHINE, USUAL_PORT = "127.0.0.1", 8008
# Built before the first question: pages and /sparql ask the one, `battpass query` the other.
PUBLIC, OWNER = "public", "owner"


class CannotListen(BattPassError):
    """The address or port cannot be had."""


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(demo)
    app.command()(serve)


def demo(
    context: typer.Context,
    size: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of passports.")] = 100,
    seed: Annotated[int, typer.Option(help="Another seed makes another fleet, always the same one.")] = 1,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the fleet afterwards.")] = True,
    host: Host = THIS_MACHINE,
    port: Port = USUAL_PORT,
    as_json: JsonFlag = False,
) -> int:
    """Load the published examples and a fleet of made-up batteries, build their datasets, and serve them.

    The same size and seed give the same fleet, which is loaded once. A home that holds other passports is
    left alone: name an empty folder with --home.
    """
    from battpass.services.cli import homes
    from battpass.services.cli.fleet import load_fleet

    out = console(context)
    with homes.writing(out, create=True) as home:
        load_fleet(home, size, seed, out.watch("Loading the fleet"))
        for audience in (OWNER,) if serving else (OWNER, PUBLIC):
            home.dataset(audience, out.watch(f"Building the {audience} dataset"))
        out.say(f"{out.home} keeps {count(len(home), 'passport')} of the example fleet, seed {seed}.")
        out.document({"home": str(out.home), "passports": len(home), "seed": seed})
        if serving:
            _serve(out, home, host, port)
        else:
            out.say(
                'Ask them: battpass query "SELECT ?battery ?ah { ?battery bp:model/bp:ratedCapacityAh ?ah }"'
            )
    return 0


def serve(
    context: typer.Context, host: Host = THIS_MACHINE, port: Port = USUAL_PORT, as_json: JsonFlag = False
) -> int:
    """Serve the passports that are kept: pages and SPARQL, with what the public may read."""
    from battpass.services.cli import homes

    out = console(context)
    with homes.writing(out) as home:
        out.document({"home": str(out.home), "passports": len(home)})
        _serve(out, home, host, port)
    return 0


def _serve(out: Console, home: Home, host: str, port: int) -> None:
    import uvicorn

    from battpass.services.api.app import create_app
    from battpass.services.api.settings import Settings

    listening = _listen(host, port)
    port = listening.getsockname()[1]
    given: dict[str, Any] = {"home": out.home, "host": host, "port": port}
    app = create_app(Settings(**given), home)
    # The server's settings say how many queries run at once and in how much memory, so it opens the dataset.
    app.state.site.open(out.watch(f"Building the {PUBLIC} dataset"))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    out.say(f"Pages     {address}/")
    out.say(f"SPARQL    {address}/sparql")
    if (first := next(home.records(), None)) is not None:
        out.say(f"Passport  {address}/p/{first.rpartition('/')[2]}")
    out.say("Stop with Ctrl+C.")
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        out.say("Stopped.")
    finally:
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket on the address, taken before anything is said of it.

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
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise CannotListen(
            f"Port {port} of {host} cannot be had ({error.strerror}). "
            "Name another with --port, or 0 for a free one."
        ) from None
    return listening
