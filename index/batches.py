"""Which texts a model reads in one call."""

from __future__ import annotations

import math
from collections.abc import Sequence

CALL = 24
"""What a call costs whatever it reads, in tokens. Measured with the grounding model on two cores without VNNI: reading
five passages takes .7 of the time of one padded batch with 4 to 16, .8 with 48, .85 with 96; a processor that
multiplies faster pays more for a call."""


def batches(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Divide texts among calls so that little is read but the texts.

    Every text of a batch is padded to the longest of it. Texts are taken in order of length, which makes the best
    division a shortest path: each batch costs its padded tokens and `CALL`.

    Args:
        lengths: Tokens of each text.
        most: Padded tokens a batch at most; a longer text is a batch of its own.

    Returns:
        Indices of the texts of each batch, the shortest first.
    """
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    cost = [0.0] * (len(order) + 1)  # of the texts from here on
    ends = [0] * len(order)
    for start in reversed(range(len(order))):
        cost[start] = math.inf
        for end in range(start + 1, len(order) + 1):
            tokens = (end - start) * lengths[order[end - 1]]
            if tokens > most and end > start + 1:
                break
            total = tokens + CALL + cost[end]
            if total < cost[start]:
                cost[start], ends[start] = total, end
    found, at = [], 0
    while at < len(order):
        found.append(order[at : ends[at]])
        at = ends[at]
    return found
