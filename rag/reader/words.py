"""The words of an answer: of the likely spans of a text, the one that has most in common with all of them.

Where an answer begins and ends is often open ("12 May", "on 12 May 1999", "12 May 1999"), so the likeliest span may
share little with the others. The span with the highest expected F1 is chosen instead: minimum Bayes risk decoding,
Kumar and Byrne (2004), with overlap in tokens as the gain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.grounding.pairs import Read

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST = 30
"""Tokens of an answer in a few words."""
BREVITY = 0.4
"""Taken from the logits of a span for each unit of the logarithm of its tokens: unsure where an answer ends, the model
reaches for the next likely end."""
_TEMPERATURE = 0.7
_SPANS, _STARTS = 15, 12  # spans held against each other, and starts they are sought at
ALONE = 2.0
"""Weight of the reading of a sentence by itself, beside 1 for the reading of its passage. With `BREVITY` and the
temperature chosen on dev_squad2, dev_qed and the texts kept from training: a plateau, within 0.5 F1 on each."""
_ELSEWHERE = -8.0  # logits outside the sentence that was read by itself


def likely_words(read: Read, first: int = 0, last: int | None = None) -> tuple[float, tuple[int, int]]:
    """Choose the words that answer.

    Args:
        read: What the model saw in a passage.
        first: Index of the first token that may be part of the answer.
        last: Index past the last one; all if `None`.

    Returns:
        Start and end logit of the likeliest span, less those of "not here", and the place of the chosen words in the
        passage, code points from 0, end exclusive; `-1e9` and `(0, 0)` if there are no tokens.
    """
    import numpy as np

    starts, ends = read.starts[first:last], read.ends[first:last]
    if not len(starts):
        return -1e9, (0, 0)
    begin = np.argsort(-starts)[:_STARTS]
    reach = np.arange(min(LONGEST, len(ends)))
    stop = begin[:, None] + reach
    inside = stop < len(ends)
    raw = np.where(inside, starts[begin][:, None] + ends[np.minimum(stop, len(ends) - 1)], -np.inf)
    scores = raw - BREVITY * np.log1p(reach)
    best = np.argsort(-scores, axis=None)[:_SPANS]
    best = best[np.isfinite(scores.ravel()[best])]
    a, size = begin[best // len(reach)], best % len(reach) + 1
    b = a + size
    chosen = int(_gain(a, b, scores.ravel()[best]).argmax())
    place = (read.offsets[first + int(a[chosen])][0], read.offsets[first + int(b[chosen]) - 1][1])
    return float(raw.max()), place


def _gain(a: NDArray[np.int64], b: NDArray[np.int64], scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Expected F1 of each span `[a, b)` under the chances that the scores give, shape `(spans,)`."""
    import numpy as np

    chances = np.exp((scores - scores.max()) / _TEMPERATURE)
    shared = np.clip(np.minimum(b[:, None], b) - np.maximum(a[:, None], a), 0, None)
    return np.asarray(2 * shared / ((b - a)[:, None] + (b - a)) @ (chances / chances.sum()), dtype=np.float64)


def without_head(head: int, read: Read) -> Read:
    """Leave out the tokens of what was put before a text, the first `head` characters; places count from the text."""
    first = next((i for i, (a, _) in enumerate(read.offsets) if a >= head), len(read.offsets))
    offsets = [(a - head, b - head) for a, b in read.offsets[first:]]
    return replace(read, starts=read.starts[first:], ends=read.ends[first:], offsets=offsets)


def with_sentence(read: Read, alone: Read, start: int) -> Read:
    """Mix the reading of a passage with that of one of its sentences by itself, where the model looks closer.

    Args:
        read: Of the passage.
        alone: Of the sentence.
        start: Where the sentence begins in the passage.

    Returns:
        The passage's reading with other logits of starts and ends.
    """
    import numpy as np

    at_start = {start + a: x for (a, _), x in zip(alone.offsets, alone.starts, strict=True)}
    at_end = {start + b: x for (_, b), x in zip(alone.offsets, alone.ends, strict=True)}
    starts = np.array([at_start.get(a, _ELSEWHERE) for a, _ in read.offsets], dtype=np.float32)
    ends = np.array([at_end.get(b, _ELSEWHERE) for _, b in read.offsets], dtype=np.float32)
    return replace(read, starts=_mixed(read.starts, starts), ends=_mixed(read.ends, ends))


def _mixed(whole: NDArray[np.float32], alone: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    return np.asarray((whole + ALONE * alone) / (1.0 + ALONE), dtype=np.float32)
