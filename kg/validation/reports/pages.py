"""Reports as one page of HTML that needs nothing else: no script, no picture, no other file."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape

from battpass.kg.validation.reports.sheets import SEVERITIES, Entry, Section, Sheet, chosen, say

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
h2 { overflow-wrap: anywhere; } .count { font-weight: normal; }
article { border-left: .3rem solid #888; margin: 1rem 0; padding: .1rem 1rem; }
article.violation { border-color: #b00020; } article.warning { border-color: #b06000; }
article.info { border-color: #1a56a0; }
h4 { margin: .3rem 0; } code { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .3rem 0; }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
"""
# What a server may say of the page: it loads nothing, and only this style is its own.
POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + b64encode(sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(sheets: Sequence[Sheet], language: str) -> str:
    """Return reports as a page in one language; whatever comes from documents is escaped."""
    return "".join(_page(sheets, language))


def _page(sheets: Sequence[Sheet], language: str) -> Iterator[str]:
    title = say("title", language)
    yield f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{_text(title)}</h1>\n"
    for sheet in sheets:
        yield f"<section>\n<h2>{_text(sheet.name or sheet.headline)}</h2>\n"
        about = f"{sheet.headline}: {sheet.summary}" if sheet.name else sheet.summary
        yield f"<p>{_text(about)}</p>\n"
        for section in sheet.sections:
            yield from _section(section, language)
        if sheet.shapes:
            by = f"{say('shapes', language)}: {', '.join(sheet.shapes)}"
            yield f"<p><small>{_text(by)}</small></p>\n"
        yield "</section>\n"
    yield "</body>\n</html>\n"


def _section(section: Section, language: str) -> Iterator[str]:
    if section.title:
        counts = section.summary(language)
        yield f'<h3>{_text(section.title)} <span class="count">({_text(counts)})</span></h3>\n'
    for entry in section.entries:
        yield from _entry(entry, language)


def _entry(entry: Entry, language: str) -> Iterator[str]:
    name = chosen(SEVERITIES[entry.severity], language)
    place = f" <code>{_text(entry.place)}</code>" if entry.place else ""
    yield f'<article class="{escape(entry.severity)}">\n<h4>{_text(name)}: {_text(entry.title)}{place}</h4>\n'
    yield "<dl>\n"
    yield from _facts(entry.facts, language)
    yield "</dl>\n</article>\n"


def _facts(facts: Iterable[tuple[str, str]], language: str) -> Iterator[str]:
    for key, told in facts:
        yield f"<dt>{_text(say(key, language))}</dt><dd>{_text(told)}</dd>\n"


def _text(text: str) -> str:
    """Return text as HTML, with characters that no page may hold as escapes."""
    shown = "".join(
        one if one.isprintable() or one in "\n\t" else one.encode("unicode_escape").decode() for one in text
    )
    return escape(shown)
