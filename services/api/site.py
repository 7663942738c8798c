"""What one running app holds, handed to its routes; nothing of it lives in a module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import anyio
import anyio.to_thread
import jinja2
import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse

from battpass.kg.access import Audience
from battpass.kg.dataset import Walls
from battpass.kg.errors import BattPassError, PoolBusy
from battpass.kg.home import Home
from battpass.kg.home.datasets import Watch
from battpass.kg.home.home import Queries
from battpass.services.api import negotiation
from battpass.services.api.catalogue import Catalogue
from battpass.services.api.examples import Example
from battpass.services.api.lexicon import Lexicon, Speech
from battpass.services.api.settings import Settings

# The one audience that needs no sign-in.
AUDIENCE = "public"
WEB = Path(__file__).parent / "web"

# How many requests may wait for a query worker; more are turned away at once.
_WAITING = 32
# Answers are sent from threads of their own: one that waits for a worker must not keep another from ending.
_SENDING = 64

T = TypeVar("T")


@dataclass
class Site:
    """The parts of one app. `queries` is there while the app runs."""

    settings: Settings
    home: Home
    lexicon: Lexicon
    audiences: Mapping[str, Audience]
    examples: tuple[Example, ...]
    catalogue: Catalogue
    log: structlog.typing.FilteringBoundLogger
    templates: jinja2.Environment
    queries: Queries | None = None
    asking: anyio.CapacityLimiter = field(init=False)
    sending: anyio.CapacityLimiter = field(init=False)

    def __post_init__(self) -> None:
        self.asking = anyio.CapacityLimiter(self.settings.query_workers + _WAITING)
        self.sending = anyio.CapacityLimiter(_SENDING)

    def open(self, watch: Watch | None = None) -> None:
        """Open what answers queries, unless it is open; this builds the public dataset if there is none.

        `watch` sees the records go by while it is built.
        """
        if self.queries is not None:
            return
        walls = Walls(memory=self.settings.query_memory_mb << 20)
        workers = self.settings.query_workers
        self.queries = self.home.queries(AUDIENCE, watch, workers=workers, walls=walls)

    def close(self) -> None:
        """Give back what answering took."""
        if self.queries is not None:
            self.queries.close()
            self.queries = None

    async def ask(self, call: Callable[[Queries], T]) -> T:
        """Run something that waits for a query worker, on a thread of its own: pages never wait behind it.

        Raises
        ------
        PoolBusy
            If too many are waiting already.
        """
        queries = self.queries
        if queries is None:
            raise BattPassError("The server is starting or ending. Try again in a moment.")
        if self.asking.available_tokens < 1:
            raise PoolBusy(f"All workers are busy and {_WAITING} queries wait for them.")
        return await anyio.to_thread.run_sync(lambda: call(queries), limiter=self.asking)

    def speech(self, request: Request) -> Speech:
        """Return the language of the answer to a request."""
        language = negotiation.language(
            request.query_params.get("lang"), request.headers.get("accept-language")
        )
        return self.lexicon.in_language(language)

    def page(self, request: Request, name: str, status: int = 200, **content: object) -> HTMLResponse:
        """Return a page in the language of the request."""
        speech = self.speech(request)
        other = next(one for one in negotiation.LANGUAGES if one != speech.language)
        root = request.scope.get("root_path", "")
        # A language chosen by ?lang= stays chosen on the pages that this one links to.
        chosen = {"lang": speech.language} if "lang" in request.query_params else {}
        swapped = request.url.include_query_params(lang=other)

        def link(path: str, **parameters: object) -> str:
            query = urlencode({**parameters, **chosen})
            return f"{root}{path}?{query}" if query else f"{root}{path}"

        text = self.templates.get_template(name).render(
            say=speech.say,
            count=speech.count,
            speech=speech,
            lang=speech.language,
            other=other,
            other_address=f"{swapped.path}?{swapped.query}",
            chosen=chosen,
            link=link,
            **content,
        )
        headers = {
            "Content-Language": speech.language,
            "Vary": "Accept, Accept-Language",
            "Cache-Control": "no-cache",
        }
        return HTMLResponse(text, status, headers)


def templates() -> jinja2.Environment:
    """Return the templates: everything is escaped, and a name that is not there is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
