"""Hybrid search: dense and lexical rankings fused by weighted reciprocal rank.

score = Σ weight / (60 + rank), rank from 1: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet
and individual Rank Learning Methods", SIGIR 2009; weights as in later practice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from index.types import Hit, Passage, Signals

RRF_K = 60

Ranking = Sequence[tuple[str, float]]
"""`(passage id, score)`, the best first."""


def fuse(
    dense: Ranking, lexical: Ranking, dense_weight: float, lexical_weight: float
) -> list[tuple[str, float, Signals]]:
    """Fuse two rankings.

    Args:
        dense: Passages by cosine.
        lexical: Passages by BM25.
        dense_weight: Weight of the first, 0 and up; 0 leaves it out of the score.
        lexical_weight: Weight of the second.

    Returns:
        `(passage id, score, signals)`, the highest score first; ties go to the better dense rank, then to the id.
    """
    dense_ranks = {name: (rank, score) for rank, (name, score) in enumerate(dense, 1)}
    lexical_ranks = {name: (rank, score) for rank, (name, score) in enumerate(lexical, 1)}
    fused: list[tuple[str, float, Signals]] = []
    for name in dict.fromkeys([*dense_ranks, *lexical_ranks]):
        d, x = dense_ranks.get(name), lexical_ranks.get(name)
        score = (dense_weight / (RRF_K + d[0]) if d else 0.0) + (lexical_weight / (RRF_K + x[0]) if x else 0.0)
        fused.append(
            (name, score, Signals(d[1] if d else None, d[0] if d else None, x[1] if x else None, x[0] if x else None))
        )
    never = len(fused) + 1
    return sorted(fused, key=lambda f: (-f[1], f[2].dense_rank or never, f[0]))


def to_hits(fused: Sequence[tuple[str, float, Signals]], passages: Mapping[str, Passage], top_k: int) -> list[Hit]:
    """Make hits of a fused ranking, leaving out passages removed since and repeats of a text already taken."""
    hits: list[Hit] = []
    seen: set[str] = set()
    for name, score, signals in fused:
        passage = passages.get(name)
        if passage is None or (words := " ".join(passage.text.split())) in seen:
            continue
        seen.add(words)
        hits.append(Hit(passage, score, len(hits) + 1, signals))
        if len(hits) == top_k:
            break
    return hits
