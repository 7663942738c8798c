"""A record's graphs as text: per access class, the sorted N-Quads of its named graph.

Equal graphs have equal texts, so a text is named by its digest, and two versions are compared line by line
without any RDF engine. Whoever holds a journal can read it with a text editor and a checksum tool.
"""

import hashlib
from collections.abc import Iterable, Mapping

import pyoxigraph
from pyoxigraph import Quad, RdfFormat

from battpass.kg.graphs import AccessClass, Graphs

# An access class that is not there has an empty graph.
Parts = Mapping[AccessClass, bytes]


def parts_of(graphs: Graphs) -> Parts:
    """Return graphs as texts.

    >>> parts_of({})
    {}
    """
    return {access: text_of(graphs[access]) for access in AccessClass if graphs.get(access)}


def graphs_of(parts: Parts) -> Graphs:
    """Return graphs from their texts.

    Raises
    ------
    ValueError
        If a text is no N-Quads.
    """
    return {access: quads_of(parts[access]) for access in AccessClass if parts.get(access)}


def text_of(quads: Iterable[Quad]) -> bytes:
    """Return quads as sorted N-Quads."""
    text = pyoxigraph.serialize(quads, format=RdfFormat.N_QUADS)
    assert text is not None
    return b"".join(sorted(text.splitlines(keepends=True)))


def quads_of(text: bytes) -> frozenset[Quad]:
    """Return the quads of a text that was checked before: lenient, which is a third faster."""
    return frozenset(pyoxigraph.parse(text, format=RdfFormat.N_QUADS, lenient=True))


def difference(before: Parts, after: Parts) -> tuple[Parts, Parts]:
    """Return the lines that were added and those that were removed, by access class.

    >>> difference({AccessClass.PUBLIC: b"<a>\\n<b>\\n"}, {AccessClass.PUBLIC: b"<b>\\n<c>\\n"})
    ({<AccessClass.PUBLIC: 'public'>: b'<c>\\n'}, {<AccessClass.PUBLIC: 'public'>: b'<a>\\n'})
    """
    added, removed = {}, {}
    for access in AccessClass:
        old, new = before.get(access, b""), after.get(access, b"")
        if old == new:
            continue
        was, now = set(old.splitlines(keepends=True)), set(new.splitlines(keepends=True))
        if now - was:
            added[access] = b"".join(sorted(now - was))
        if was - now:
            removed[access] = b"".join(sorted(was - now))
    return added, removed


def applied(before: Parts, added: Parts, removed: Parts) -> Parts:
    """Return the state after a change.

    >>> applied({AccessClass.ITEM: b"<a>\\n"}, {AccessClass.ITEM: b"<b>\\n"}, {AccessClass.ITEM: b"<a>\\n"})
    {<AccessClass.ITEM: 'item'>: b'<b>\\n'}
    """
    after = {}
    for access in AccessClass:
        text = before.get(access, b"")
        if access in added or access in removed:
            lines = set(text.splitlines(keepends=True))
            lines -= set(removed.get(access, b"").splitlines(keepends=True))
            lines |= set(added.get(access, b"").splitlines(keepends=True))
            text = b"".join(sorted(lines))
        if text:
            after[access] = text
    return after


def digest(data: bytes) -> str:
    """Return the digest by which a text is kept and checked: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
