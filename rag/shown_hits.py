"""The first hits of an answer as plain data, so that a stored conversation can still show what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from index.types import Hit, Passage, Signals

KEPT = 5


def hits_to_data(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Write the first `KEPT` hits."""
    return [
        {
            "document_id": h.passage.document_id, "start": h.passage.start, "end": h.passage.end,
            "text": h.passage.text, "page": h.passage.page, "heading": h.passage.heading, "score": h.score,
            "rank": h.rank, "dense_rank": h.signals.dense_rank, "lexical_rank": h.signals.lexical_rank,
        }
        for h in hits[:KEPT]
    ]  # fmt: skip


def hits_from_data(data: Sequence[dict[str, Any]]) -> tuple[Hit, ...]:
    """Read hits back from `hits_to_data`; signals hold their ranks only."""
    return tuple(
        Hit(
            Passage(d["document_id"], d["start"], d["end"], d["text"], d["page"], d["heading"]),
            d["score"],
            d["rank"],
            Signals(dense_rank=d["dense_rank"], lexical_rank=d["lexical_rank"]),
        )
        for d in data
    )
