"""Splitting a changed document so that what did not change keeps its passages, and with them its vectors.

Passages of a section are sized evenly, so one longer paragraph would move every later boundary of it. Therefore the
passages of the old state that stand unchanged in the new text are kept where they are, and only the rest is split.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from index.sentences import Span, trim
from index.types import Parsed

_SMALL = 160
"""Characters: a gap of less is split together with a kept neighbour, so that edits leave no crumbs behind."""


def kept_spans(parsed: Parsed, former: Sequence[str]) -> list[Span]:
    """Find the old passages that can be kept.

    Args:
        parsed: The new state of the document.
        former: The texts of the old passages, in order.

    Returns:
        Spans of the new text, in order and without overlap, each equal to an old passage; none has a heading or a
        skipped stretch inside it.
    """
    edges = sorted({h.start for h in parsed.headings} | {edge for span in parsed.skipped for edge in span})
    anchors = [
        (start, end)
        for start, end in _longest_rising(_anchors(parsed.text, former))
        if bisect_right(edges, start) == bisect_left(edges, end) and not _skipped(parsed.skipped, start)
    ]
    return _without_crumbs(parsed, anchors)


def _anchors(text: str, former: Sequence[str]) -> list[Span]:
    """Where old passages stand in the new text: those that follow the one before, or stand there only once."""
    counts = Counter(former)
    found: list[Span] = []
    at = 0
    for passage in former:
        rest = trim(text, at, min(at + len(passage) + 200, len(text)))
        start = rest[0] if rest is not None and text.startswith(passage, rest[0]) else -1
        if start < 0 and counts[passage] == 1:
            start = text.find(passage)
            if start >= 0 and text.find(passage, start + 1) >= 0:
                start = -1
        if start >= 0:
            at = start + len(passage)
            found.append((start, at))
    return found


def _longest_rising(spans: Sequence[Span]) -> list[Span]:
    """The longest chain of spans in the order of the text: a paragraph that moved must not undo all after it."""
    tails: list[int] = []  # ends of the best chain of each length
    at: list[int] = []  # index of that chain's last span
    before: list[int] = [-1] * len(spans)
    for i, (start, end) in enumerate(spans):
        length = bisect_right(tails, start)
        before[i] = at[length - 1] if length else -1
        if length == len(tails):
            tails.append(end)
            at.append(i)
        elif end < tails[length]:
            tails[length], at[length] = end, i
    chain: list[Span] = []
    i = at[-1] if at else -1
    while i >= 0:
        chain.append(spans[i])
        i = before[i]
    return chain[::-1]


def _skipped(skipped: Sequence[Span], start: int) -> bool:
    return any(a <= start < b for a, b in skipped)


def _without_crumbs(parsed: Parsed, spans: Sequence[Span]) -> list[Span]:
    kept: list[Span] = []
    at = 0
    for start, end in spans:
        gap = trim(parsed.text, at, start)
        if gap is not None and gap[1] - gap[0] < _SMALL and not _crosses(parsed, gap, end):
            if kept and kept[-1][1] - kept[-1][0] < end - start and not _crosses(parsed, kept[-1], gap[1]):
                kept.pop()  # the shorter neighbour is split anew, with the crumb
            else:
                at = gap[0]
                continue
        kept.append((start, end))
        at = end
    return kept


def _crosses(parsed: Parsed, span: Span, end: int) -> bool:
    """Whether a stretch from `span` to `end` holds words that are skipped: then the crumb has no neighbour there."""
    return any(span[0] <= a < end for a, _ in parsed.skipped)
