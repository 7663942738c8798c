"""What one running app holds, handed to its routes; nothing of it lives in a module."""

import time
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
from starlette.responses import HTMLResponse, Response

from battpass.kg.access import Audience
from battpass.kg.home import Home
from battpass.kg.home.queries import Queries
from battpass.kg.journal.entry import Entry
from battpass.kg.keys import masked
from battpass.services.api import negotiation
from battpass.services.api.answering import Answering
from battpass.services.api.callers import Caller, caller_of
from battpass.services.api.catalogue import Catalogue
from battpass.services.api.examples import Example
from battpass.services.api.lexicon import Lexicon, Speech
from battpass.services.api.metrics import Counted
from battpass.services.api.moving import Moving
from battpass.services.api.negotiation import Representation
from battpass.services.api.places import Place, Places
from battpass.services.api.preconditions import entity_tag, unchanged
from battpass.services.api.reading import Reading
from battpass.services.api.remembered import Remembered
from battpass.services.api.settings import Settings
from battpass.services.api.writing import Client, Writing
from battpass.services.exchange.checking import Checker
from battpass.services.exchange.intake import Intake

# The one audience that needs no key.
PUBLIC = "public"
WEB = Path(__file__).parent / "web"

# How many requests may wait for a worker; more are turned away at once.
_WAITING = 32
# Answers are sent from threads of their own: one that waits for a worker must not keep another from ending.
_SENDING = 64

T = TypeVar("T")


@dataclass
class Site:
    """The parts of one app."""

    settings: Settings
    home: Home
    intake: Intake
    checker: Checker
    lexicon: Lexicon
    audiences: Mapping[str, Audience]
    examples: tuple[Example, ...]
    log: structlog.typing.FilteringBoundLogger
    templates: jinja2.Environment
    answering: Answering = field(init=False)
    asking: Places = field(init=False)
    taking_in: Places = field(init=False)
    validating: Places = field(init=False)
    remembered: Remembered = field(init=False)
    reading: Reading = field(init=False)
    writing: Writing = field(init=False)
    moving: Moving = field(init=False)
    catalogue: Catalogue = field(init=False)
    sending: anyio.CapacityLimiter = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        self.answering = Answering(self.home, settings, self.log)
        self.asking = Places(
            settings.query_workers, each=settings.queries_per_client, line=_WAITING, what="queries"
        )
        self.taking_in = Places(
            settings.intake_workers, each=settings.writes_per_client, line=_WAITING, what="writes"
        )
        self.validating = Places(
            settings.validation_workers,
            each=settings.validations_per_client,
            line=_WAITING,
            what="validations",
        )
        self.remembered = Remembered(settings.remembered_mb << 20)
        self.reading = Reading(self.home, self.audiences, self.remembered)
        self.writing = Writing(self.home, self.intake, self.reading, self.taking_in, settings.policy)
        self.moving = Moving(self.home, self.intake, self.reading, self.taking_in, settings.policy)
        self.catalogue = Catalogue(self.home, self.reading)
        self.sending = anyio.CapacityLimiter(_SENDING)

    def open(self) -> None:
        """Begin to follow the journal, and to open what answers the public, both in the background."""
        if self.home.journal.is_writable:
            self.home.follow()
        self.answering.begin(PUBLIC)

    def close(self) -> None:
        """End what reads documents, then what answers queries. Who made the home closes it."""
        self.intake.close()
        self.checker.close()
        self.answering.close()

    def pools(self) -> dict[str, Counted]:
        """Return what counts processes, by name: the intake, and the queries of each audience."""
        asked = {
            f"queries-{one.audience}": one.queries
            for one in self.answering.openings()
            if one.queries is not None
        }
        return {"intake": self.intake, "validation": self.checker, **asked}

    async def ask(
        self, request: Request, call: Callable[[Queries, float], T], sequence: int = 0
    ) -> tuple[T, Place]:
        """Run something that waits for a query worker, at a place of this client, once `sequence` is shown.

        `call` is given the seconds that are left of the deadline. Give the place back when its answer is
        sent. What the dataset shows by then stands in the state of the request, as `shown`.

        Raises
        ------
        NotReady, NotShownYet, TooManyRequests, PoolBusy
        """
        until = time.monotonic() + self.settings.query_deadline_seconds
        client = await self.client(request)
        queries = await self.answering.queries(client.caller.audience)
        if sequence:
            await self.answering.shows(client.caller.audience, sequence, until - time.monotonic())
        # Told before the query runs: it may see more by then, and never less.
        request.state.shown = self.home.shown(client.caller.audience)
        place = await self.asking.take(client.name, until - time.monotonic())
        try:
            # To the tenth, as messages tell it.
            left = max(0.1, round(until - time.monotonic(), 1))
            return await anyio.to_thread.run_sync(call, queries, left, limiter=self.sending), place
        except BaseException:
            place.give_back()
            raise

    async def caller(self, request: Request) -> Caller:
        """Return who sent a request. Looking a key up reads a file, so that is done on a thread."""
        if "authorization" in request.headers or "x-api-key" in request.headers:
            return await anyio.to_thread.run_sync(caller_of, request)
        return caller_of(request)

    async def client(self, request: Request) -> Client:
        """Return who sent a request, and by which name its share is counted: its key's, else its address."""
        caller = await self.caller(request)
        host = request.client.host if request.client else "unknown"
        return Client(caller, caller.actor or f"address:{host}")

    async def document(
        self, request: Request, entry: Entry, audience: str, chosen: Representation
    ) -> Response:
        """Return a passport as data, from what was made before where it was; 304 to who has it already."""
        tag = entity_tag(self.reading.state_tag(entry, audience), chosen.name)
        headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache"}
        if unchanged(request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers=headers)
        body = self.reading.remembered(entry, audience, chosen.name)
        if body is None:
            body = await anyio.to_thread.run_sync(self.reading.document, entry, audience, chosen.name)
        return Response(body, headers=headers, media_type=chosen.content_type)

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
            # A key that came in the path by mistake does not stand in the page.
            other_address=masked(f"{swapped.path}?{swapped.query}"),
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
