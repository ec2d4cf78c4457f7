"""Where a permalink leads now, in a library whose files go on changing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from index.permalink import Permalink, hash_quote, locate, parse_permalink
from index.types import Resolved

if TYPE_CHECKING:
    from index.parts import LibraryParts

_REACH = 5_000
"""Characters around the old place in which a quote is looked for by its hash alone."""


def resolve(library: LibraryParts, link: str) -> Resolved:
    """Find the span that a permalink names; see `Library.resolve`."""
    wanted = parse_permalink(link)
    document = library.catalog.get_document(wanted.document_id)
    if document is not None:
        return _in_same_bytes(library, wanted, document.text)
    former = library.ledger.former(wanted.document_id)
    if former is None:
        return Resolved("gone", None, 0, 0, "", "")
    source, text = former
    quote = text[wanted.start : wanted.end]
    if not wanted.names(quote):
        return Resolved("gone", None, 0, 0, "", source)
    now = library.catalog.document_of_source(source)
    current = library.catalog.get_document(now) if now is not None else None
    if now is None or current is None:
        return Resolved("gone", None, 0, 0, quote, source)
    found = locate(quote, current.text, wanted.start)
    if found is None:
        return Resolved("gone", now, 0, 0, quote, source)
    page = library.catalog.page_at(now, found.start)
    return Resolved(found.state, now, found.start, found.end, quote, source, page)


def _in_same_bytes(library: LibraryParts, wanted: Permalink, text: str) -> Resolved:
    """The file has not changed, but a later parser may have read other text out of it."""
    name = wanted.document_id
    source = next(iter(library.catalog.sources_of(name)), "")
    length = wanted.end - wanted.start
    for start in _places(wanted.start, len(text) - length):
        quote = text[start : start + length]
        if hash_quote(quote) == wanted.quote_hash:
            state = "same" if start == wanted.start else "moved"
            return Resolved(
                state, name, start, start + length, quote, source, library.catalog.page_at(name, start)
            )  # fmt: skip
    return Resolved("gone", name, 0, 0, "", source)


def _places(hint: int, last: int) -> list[int]:
    """Offsets from the nearest to the farthest."""
    shifts = (sign * step for step in range(_REACH) for sign in ((1, -1) if step else (1,)))
    return [at for shift in shifts if 0 <= (at := hint + shift) <= last]
