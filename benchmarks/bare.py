"""The rival of `serving`: one FastAPI route that answers with bytes it holds, on the same server.

python -m benchmarks.bare SIZE      prints the address, then serves until it is ended
"""

import socket
import sys

import uvicorn
from fastapi import FastAPI, Response


def main() -> None:
    """Serve as many bytes from one route."""
    body = b'"' + b"x" * (int(sys.argv[1]) - 2) + b'"'
    app = FastAPI()

    @app.get("/v1/dpps/{identifier}")
    async def read(identifier: str) -> Response:
        return Response(body, media_type="application/json")

    # Named as TCP, or asyncio leaves small answers waiting for one another.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main()
