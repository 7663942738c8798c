"""Which representation and language a caller asks for: suffix, `?format=`, `?lang=`, headers (RFC 9110)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from battpass.services.api.problems import NotAcceptable

LANGUAGES = ("en", "de")

_LONGEST_HEADER = 4_096
_HTML = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class Representation:
    """One way to hand out a resource: short name (also the value of `?format=`), suffix and media type."""

    name: str
    suffix: str
    media_type: str
    title: str

    @property
    def content_type(self) -> str:
        """The media type as a header has it; texts are UTF-8."""
        is_text = self.media_type.startswith("text/")
        return f"{self.media_type}; charset=utf-8" if is_text else self.media_type


def weights(header: str | None) -> Mapping[str, float]:
    """Return the ranges of an Accept or Accept-Language header, in lower case, with their weights.

    >>> weights("text/turtle;q=0.5, */*;q=0.1")
    {'text/turtle': 0.5, '*/*': 0.1}
    """
    found: dict[str, float] = {}
    for part in (header or "")[:_LONGEST_HEADER].lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name:
            given = (parameter.partition("=") for parameter in parameters)
            quality = next((value.strip() for key, _, value in given if key.strip() == "q"), "1")
            found[name] = max(_quality(quality), found.get(name, 0.0))
    return found


def media_weight(media_type: str, ranges: Mapping[str, float]) -> float:
    """Return how much a media type is wanted; the most specific range counts."""
    for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if name in ranges:
            return ranges[name]
    return 0.0


def choose(offered: Sequence[Representation], accept: str | None, asked: str | None = None) -> Representation:
    """Return the representation that a caller wants most; `asked` is a short name or suffix, and wins.

    Raises
    ------
    NotAcceptable
        If none of those on offer is acceptable; the message names them.
    """
    if asked is not None:
        for one in offered:
            if asked.lower() in (one.name, one.suffix, one.media_type):
                return one
        raise NotAcceptable(f"There is no format {asked[:60]!r} here. On offer: {_named(offered)}.")
    ranges = weights(accept)
    if not ranges:
        return offered[0]
    best = max(offered, key=lambda one: media_weight(one.media_type, ranges))
    if media_weight(best.media_type, ranges) > 0:
        return best
    raise NotAcceptable(f"Nothing here is {(accept or '')[:100]}. On offer: {_named(offered)}.")


def prefers_html(accept: str | None, others: Iterable[str]) -> bool:
    """Return whether a caller names HTML and wants it at least as much as any other type that it names.

    `*/*` does not name HTML: programs send it, and get the format made for programs.
    """
    ranges = weights(accept)
    html = max((ranges.get(media_type, 0.0) for media_type in _HTML), default=0.0)
    return html > 0 and all(html >= ranges.get(media_type, 0.0) for media_type in others)


def language(asked: str | None, accept_language: str | None) -> str:
    """Return the language of a page: `?lang=` if it is ours, else the best of the header, else English.

    >>> language(None, "fr, de-AT;q=0.8, en;q=0.5")
    'de'
    """
    if asked in LANGUAGES:
        return asked
    ranges: dict[str, float] = {}
    for name, weight in weights(accept_language).items():
        plain = name.partition("-")[0]
        ranges[plain] = max(weight, ranges.get(plain, 0.0))
    wanted = {one: ranges.get(one, ranges.get("*", 0.0)) for one in LANGUAGES}
    return max(LANGUAGES, key=lambda one: wanted[one])


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0.0 <= value <= 1.0 else 0.0


def _named(offered: Sequence[Representation]) -> str:
    return ", ".join(f"{one.media_type} ({one.name})" for one in offered)
