"""Stretches of text of a given size, cut at sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from index.sentences import sentence_spans

Span = tuple[int, int]


def windows(text: str, size: int, step: int, count: Callable[[str], int]) -> list[Span]:
    """Cover a text with windows of whole sentences that overlap.

    Args:
        text: Any text.
        size: Tokens a window holds at most; a longer sentence is a window of its own.
        step: Tokens from the start of one window to the start of the next, at least; below `size`, windows overlap.
        count: Counts the tokens of a text.

    Returns:
        Spans of the text in order, one for a text that fits. Empty for a text without words.
    """
    spans = sentence_spans(text)
    if not spans:
        return []
    sizes = [count(text[a:b]) for a, b in spans]
    if sum(sizes) <= size:
        return [(spans[0][0], spans[-1][1])]
    found: list[Span] = []
    first = 0
    while first < len(spans):
        last, held = first, sizes[first]
        while last + 1 < len(spans) and held + sizes[last + 1] <= size:
            last += 1
            held += sizes[last]
        found.append((spans[first][0], spans[last][1]))
        if last + 1 == len(spans):
            break
        passed = 0
        while first <= last and passed < step:
            passed += sizes[first]
            first += 1
    return found


def best_window(sizes: Sequence[int], weights: Sequence[float], room: int) -> Span:
    """Choose the run of sentences that weighs most and fits.

    Args:
        sizes: Tokens of each sentence.
        weights: What each is worth, 0 and up.
        room: Tokens there is room for.

    Returns:
        Indices of the first sentence and past the last; at least one sentence. The earliest of equals, with sentences
        worth nothing taken along where there is room.
    """
    best, chosen = -1.0, (0, 1)
    last, held, worth = 0, 0, 0.0
    for first in range(len(sizes)):
        if last < first + 1:
            last, held, worth = first + 1, sizes[first], weights[first]
        while last < len(sizes) and held + sizes[last] <= room:
            held += sizes[last]
            worth += weights[last]
            last += 1
        if worth > best:
            best, chosen = worth, (first, last)
        held -= sizes[first]
        worth -= weights[first]
    return chosen
