"""Check a statement against what it cites, whoever wrote it.

The first rung of the ladder: are the statement's words, in their order, in the cited text? What is verbatim is
supported with certainty; anything else is not judged here and counts as unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.types import Verdict

_SPACE = re.compile(r"\s+")


def normalise(text: str) -> str:
    """Make runs of white space single spaces; nothing else is changed."""
    return _SPACE.sub(" ", text).strip()


def check(statement: str, quotes: Iterable[str]) -> tuple[float, Verdict]:
    """Say how well quotes support a statement.

    Args:
        statement: One sentence of an answer, without markers.
        quotes: The cited stretches of text.

    Returns:
        `(support, verdict)`: 1.0 and `supported` if one quote holds the statement word for word (white space aside),
        else 0.0 and `unsupported`.
    """
    words = normalise(statement)
    if words and any(words in normalise(quote) for quote in quotes):
        return 1.0, "supported"
    return 0.0, "unsupported"
