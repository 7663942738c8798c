"""Who asks: the key that a request carries, and what its holder may read and do.

A key comes as `Authorization: Bearer bp_...` or `X-API-Key: bp_...`. Without one a caller is anonymous and
reads what is public. A key that is ill-formed, unknown, revoked or expired is answered alike, so that nobody
learns which of these it is; the log names the id, for the operator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import unquote_plus

import structlog
from starlette.requests import HTTPConnection

from battpass.kg.errors import BattPassError
from battpass.kg.keys import Key, KeyRing, id_in, masked

ANYBODY = "public"

# Parameters by which other services take keys; here they are a mistake that is worth a word.
_PARAMETERS = frozenset({"access_token", "api_key", "apikey", "x-api-key"})


class Unauthorized(BattPassError):
    """Who asks is not known, and this is not for everybody (HTTP: 401)."""

    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(BattPassError):
    """Who asks is known, and has no right to this (HTTP: 403)."""


class KeysUnusable(BattPassError):
    """Nobody can be known at the moment, as the file of the keys is damaged or locked (HTTP: 503)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: `actor` as the journal names it, empty for anybody; the audience it is of; what it may do."""

    actor: str
    audience: str
    rights: frozenset[str]

    @classmethod
    def of(cls, key: Key) -> "Caller":
        """Return the holder of a key. A key without the right to read reads what anybody may."""
        audience = key.audience if "read" in key.rights else ANYBODY
        return cls(key.actor, audience, key.rights | {"read"})

    def may(self, right: str) -> bool:
        """Return whether the caller has a right."""
        return right in self.rights

    def require(self, right: str) -> None:
        """Return if the caller has a right.

        Raises
        ------
        Unauthorized
            If it has not, and is anonymous: a key may help.
        Forbidden
            If its key does not carry the right.
        """
        if self.may(right):
            return
        if not self.actor:
            raise Unauthorized(f"This needs a key with the right to {right}, and the request carries none.")
        raise Forbidden(f"The key of this request carries no right to {right}.")


ANONYMOUS = Caller("", ANYBODY, frozenset({"read"}))


class Callers:
    """Tells callers by the keys of one home."""

    def __init__(self, ring: KeyRing, log: structlog.typing.FilteringBoundLogger) -> None:
        self.ring = ring
        self._log = log

    def of(self, request: HTTPConnection) -> Caller:
        """Return who sent a request. The ring is read each time, so what is revoked is refused at once.

        Raises
        ------
        Unauthorized
            If the request carries a key that does not stand, two of them, or one in its address.
        KeysUnusable
            If the file of the keys cannot be read.
        """
        _refuse_in_address(request)
        token = _token(request)
        if token is None:
            return ANONYMOUS
        try:
            key = self.ring.find(token)
        except BattPassError as error:
            # The message names the file; that is for the operator alone.
            self._log.error("keys cannot be read", reason=str(error))
            raise KeysUnusable("Keys cannot be checked on this server now, so none is taken.") from error
        if key is None:
            request.state.refused = id_in(token) or "ill-formed"
            raise _unknown()
        return Caller.of(key)


def caller_of(request: HTTPConnection) -> Caller:
    """Return who sent a request to an app whose `state.callers` tells them; the log names them afterwards.

    Raises what `Callers.of` raises.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known is None:
        callers: Callers = request.app.state.callers
        request.state.caller = known = callers.of(request)
    return known


def _token(request: HTTPConnection) -> str | None:
    """Return the text that is meant as a key, None where there is none."""
    given = request.headers.getlist("authorization")
    bare = request.headers.getlist("x-api-key")
    if not given and not bare:
        return None
    if len(given) + len(bare) > 1:
        return ""
    if bare:
        return bare[0].strip()
    scheme, _, token = given[0].strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refuse_in_address(request: HTTPConnection) -> None:
    query = unquote_plus(request.scope["query_string"].decode("latin-1"))
    named = {part.partition("=")[0].lower() for part in query.split("&")}
    if masked(query) != query or named & _PARAMETERS:
        raise Unauthorized(
            "A key came in the address, where logs and histories keep it. Revoke it, and send a new one "
            "as Authorization: Bearer bp_..."
        )


def _unknown() -> Unauthorized:
    return Unauthorized("The key of this request is none that is taken here.")
