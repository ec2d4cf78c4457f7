"""The words the encoder reads for each passage of a document."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from index.sentences import Span
from index.split import HEADING_TOKENS, Tokenizer
from index.types import Passage


def embedded_texts(
    text: str, title: str, passages: Sequence[Passage], tokenizer: Tokenizer, tokens: Sequence[Span] | None = None
) -> list[str]:
    """Write the words that the vectors of a document's passages are made of.

    Title and headings, cut to `HEADING_TOKENS`, then the passage, then what fits of its neighbours in the same section,
    half before and half after it. Filling the window matters: vectors of short pieces lie nearer to any question, so
    that without it the two halves of one text push ahead of a better text that needed no cut (measured on MTRAG:
    R@5 .36 without, .41 with; `bench/retrieval.py`).

    Tokens are counted in the text as a whole, once; cut out of it, a passage has the same ones but in rare cases.

    Args:
        text: The document's text.
        title: Its title.
        passages: All its passages, in order.
        tokenizer: Counts tokens as the encoder does.
        tokens: `tokenizer.token_offsets(text)`, if it is known already.

    Returns:
        One text a passage, in order.
    """
    tokens = tokenizer.token_offsets(text) if tokens is None else tokens
    starts = [start for start, _ in tokens]
    limit = tokenizer.max_tokens - tokenizer.special_tokens
    own = [(bisect_left(starts, p.start), bisect_left(starts, p.end)) for p in passages]
    heads: dict[tuple[str, ...], tuple[str, int]] = {}
    texts = []
    for i, passage in enumerate(passages):
        names = _names(title, passage)
        if names not in heads:
            heads[names] = _cut(" › ".join(names), tokenizer)
        head, taken = heads[names]
        room = limit - (own[i][1] - own[i][0]) - taken
        before = own[i - 1] if i > 0 and passages[i - 1].heading == passage.heading else None
        after = own[i + 1] if i + 1 < len(own) and passages[i + 1].heading == passage.heading else None
        have_before = before[1] - before[0] if before else 0
        have_after = after[1] - after[0] if after else 0
        take_after = max(min(have_after, max(room // 2, room - have_before)), 0)
        take_before = max(min(have_before, room - take_after), 0)
        parts = [head] if head else []
        if before and take_before:
            parts.append(text[starts[before[1] - take_before] : passages[i - 1].end])
        parts.append(passage.text)
        if after and take_after:
            parts.append(text[passages[i + 1].start : tokens[after[0] + take_after - 1][1]])
        texts.append("\n".join(parts))
    return texts


def _names(title: str, passage: Passage) -> tuple[str, ...]:
    """Title and headings, without those the passage itself begins with."""
    start = " ".join(passage.text[:400].split()).lower()
    names = dict.fromkeys(part for part in (title, *passage.heading.split(" › ")) if part)
    return tuple(name for name in names if not start.startswith(name.lower()))


def _cut(head: str, tokenizer: Tokenizer) -> tuple[str, int]:
    """Cut a head to `HEADING_TOKENS`; gives it with its tokens."""
    offsets = tokenizer.token_offsets(head[: HEADING_TOKENS * 12])
    if len(offsets) > HEADING_TOKENS - 1:
        return head[: offsets[HEADING_TOKENS - 2][1]], HEADING_TOKENS - 1
    return head, len(offsets)
