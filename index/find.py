"""Find words in a document's text, as a reader's "search in this document" does."""

from __future__ import annotations

import re

_MOST = 2_000
_LONGEST = 500


def find_in_text(text: str, query: str, limit: int = _MOST) -> list[tuple[int, int]]:
    """Find every place where the words of a query stand in this order.

    Args:
        text: A document's text.
        query: The words; their case does not matter, and any run of white space is equal to any other.
        limit: How many places at most.

    Returns:
        Spans `(start, end)` in the order of the text, code points from 0, end exclusive; none for an empty query.
    """
    words = query[:_LONGEST].split()
    if not words:
        return []
    pattern = re.compile(r"\s+".join(re.escape(word) for word in words), re.IGNORECASE)
    spans = []
    for found in pattern.finditer(text):
        spans.append(found.span())
        if len(spans) == limit:
            break
    return spans
