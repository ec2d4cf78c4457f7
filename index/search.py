"""Hybrid search: dense and lexical rankings fused by weighted reciprocal rank.

Dense search is done twice: the second time, the query leans towards the first passages found (`lean`).

score = Σ weight / (60 + rank), rank from 1: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet
and individual Rank Learning Methods", SIGIR 2009; weights as in later practice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from index.types import Hit, Passage, Signals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


def lean(vector: NDArray[np.float32], found: Sequence[NDArray[np.float32]], weight: float) -> NDArray[np.float32]:
    """Move a query's vector towards passages that a first search found (pseudo-relevance feedback).

    Rocchio, "Relevance feedback in information retrieval", 1971, with the first passages taken for relevant. What it
    brings: `python bench/retrieval.py`.

    Args:
        vector: Shape `(dimension,)`, L2-normalised.
        found: Vectors of passages, each of the same shape.
        weight: Of their mean, 0 and up; the query has 1.

    Returns:
        Shape `(dimension,)`, float32, L2-normalised.
    """
    import numpy as np

    moved = vector + weight * np.mean(found, axis=0)
    return np.asarray(moved / max(float(np.linalg.norm(moved)), 1e-12), dtype=np.float32)


def rank_by(vector: NDArray[np.float32], stored: Mapping[str, NDArray[np.float32]], limit: int) -> Ranking:
    """Rank some passages by the cosine of their stored vectors to a vector.

    Args:
        vector: Shape `(dimension,)`, L2-normalised.
        stored: The passages' vectors, each of the same shape and L2-normalised.
        limit: How many at most.

    Returns:
        `(passage id, cosine)`, the nearest first; ties go to the id.
    """
    import numpy as np

    if not stored:
        return []
    cosines = np.asarray(list(stored.values()), dtype=np.float32) @ vector
    return sorted(zip(stored, map(float, cosines), strict=True), key=lambda r: (-r[1], r[0]))[:limit]


def promote(fused: Sequence[tuple[str, float, Signals]], top_k: int, each: int) -> list[tuple[str, float, Signals]]:
    """Make sure that the first of each method are among the first `top_k`.

    A passage that holds the very words of a question but means something else on the whole is found by one method
    only, and fusing puts it behind everything that both found a little. Whoever reads on should still see it.

    Args:
        fused: A fused ranking, the best first.
        top_k: How many will be used.
        each: How many of each method's first must be among them; they take the last places.

    Returns:
        The ranking with those moved up; otherwise in the same order.
    """
    head, tail = list(fused[:top_k]), list(fused[top_k:])
    wanted = [f for f in tail if min(f[2].dense_rank or each + 1, f[2].lexical_rank or each + 1) <= each]
    for item in wanted[: max(top_k - 1, 0)]:
        place = next(
            (
                i
                for i in range(len(head) - 1, -1, -1)
                if min(head[i][2].dense_rank or each + 1, head[i][2].lexical_rank or each + 1) > each
            ),
            None,
        )
        if place is None:
            break
        tail.remove(item)
        tail.insert(0, head.pop(place))
        head.append(item)
    return head + tail


def to_hits(
    fused: Sequence[tuple[str, float, Signals]],
    passages: Mapping[str, Passage],
    top_k: int,
    near: Mapping[str, Mapping[str, float]] | None = None,
) -> list[Hit]:
    """Make hits of a fused ranking.

    Passages removed since are left out. A passage that says the same as one taken already stands with that one as
    `Hit.also`: it has the same words, or comes from a near-duplicate of its document and has nearly the same words and
    exactly the same numbers and months (a new version of a text may differ in nothing else).

    Args:
        fused: The ranking.
        passages: Its passages by id, as far as they are known.
        top_k: How many hits at most.
        near: For each document, its near-duplicates.
    """
    taken: list[tuple[_Said, float, Signals, list[str]]] = []
    for name, score, signals in fused:
        passage = passages.get(name)
        if passage is None:
            continue
        said = _Said(passage)
        same = next((t for t in taken if t[0].same(said, near or {})), None)
        if same is None:
            if len(taken) < top_k:
                taken.append((said, score, signals, []))
        elif passage.document_id != same[0].passage.document_id and passage.document_id not in same[3]:
            same[3].append(passage.document_id)
    return [
        Hit(said.passage, score, rank, signals, tuple(also))
        for rank, (said, score, signals, also) in enumerate(taken, 1)
    ]


_WORD = re.compile(r"\w+")
_NUMBERS = frozenset(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion january february "
    "march april may june july august september october november december".split()
)
"""Words that say a number or a date as figures do."""
_SAME = 0.8
"""Share of common words from which passages of near-duplicate documents count as saying the same."""


class _Said:
    """A passage and its words, cut once."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self._text = " ".join(passage.text.split())
        self._words: set[str] | None = None

    def words(self) -> set[str]:
        if self._words is None:
            self._words = set(_WORD.findall(self._text.lower()))
        return self._words

    def same(self, other: _Said, near: Mapping[str, Mapping[str, float]]) -> bool:
        """Whether it says what another does."""
        if self._text == other._text:
            return True
        if other.passage.document_id not in near.get(self.passage.document_id, {}):
            return False
        a, b = self.words(), other.words()
        numbers = [{w for w in words if w in _NUMBERS or any(c.isdigit() for c in w)} for words in (a, b)]
        return numbers[0] == numbers[1] and len(a & b) >= _SAME * len(a | b)
