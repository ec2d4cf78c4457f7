"""Tokens of question and passages, read in their context, and how near they come to each other.

For each token of the question the nearest token of a sentence counts (late interaction: Khattab and Zaharia, "ColBERT",
SIGIR 2020), here with the shipped encoder as it is and weighted by how rare the question's words are. So "obstacles"
finds "holes", and a word of the question that nothing comes near shows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from index.types import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.library import Library
    from rag.standalone import Query


class TokenView:
    """The tokens of a question and of the passages read for it.

    Args:
        query: The question.
        hits: The passages.
        weights: Weight of each index term of the question.
        library: Gives the encoder and the index terms.
    """

    def __init__(
        self,
        query: Query,
        hits: Sequence[Hit],
        weights: Mapping[str, float],
        library: Library,
    ) -> None:
        encoder = library.encoder
        found = encoder.encode_tokens([query.question, *(h.passage.text for h in hits)])
        self._starts = {h.passage.id: [a for a, _ in encoder.token_offsets(h.passage.text)] for h in hits}
        self._vectors = {h.passage.id: v for h, v in zip(hits, found[1:], strict=True)}
        self._weights = _token_weights(query, encoder.token_offsets(query.question), len(found[0]), weights, library)
        self._nearness = {name: vectors @ found[0].T for name, vectors in self._vectors.items()}

    def rows(self, hit: Hit, start: int, end: int) -> slice:
        """Find the tokens of a stretch of the document that lies in a hit's passage."""
        base = hit.passage.start
        starts = self._starts[hit.passage.id]
        return slice(bisect_left(starts, start - base), bisect_left(starts, end - base))

    def mean(self, hit: Hit, rows: slice) -> NDArray[np.float32]:
        """The mean vector of some tokens, shape `(dimension,)`, L2-normalised; zeros if there are none."""
        import numpy as np

        vectors = self._vectors[hit.passage.id][rows]
        if not len(vectors):
            return np.zeros(self._vectors[hit.passage.id].shape[1], dtype=np.float32)
        mean = vectors.mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)

    def nearest(self, hit: Hit, rows: slice) -> NDArray[np.float32]:
        """For each token of the question, the cosine of the nearest of some tokens; shape `(question tokens,)`."""
        import numpy as np

        table = self._nearness[hit.passage.id][rows]
        return table.max(axis=0) if len(table) else np.zeros(table.shape[1], dtype=np.float32)

    def weigh(self, nearest: NDArray[np.float32]) -> float:
        """Average what `nearest` gives over the question's tokens, weighted by rarity; 0 if it has no content."""
        total = float(self._weights.sum())
        return float(nearest @ self._weights) / total if total else 0.0

    def weakest(self, nearest: NDArray[np.float32]) -> float:
        """The lowest of what `nearest` gives among the question's content tokens; 0 if it has none."""
        content = self._weights > 0
        return float(nearest[content].min()) if content.any() else 0.0


def _token_weights(
    query: Query, offsets: Sequence[tuple[int, int]], count: int, weights: Mapping[str, float], library: Library
) -> NDArray[np.float32]:
    """Share each word's weight among its tokens; words without content get none."""
    import numpy as np

    result = np.zeros(count, dtype=np.float32)
    for term, word in query.own_terms.items():
        at = query.question.find(word)
        tokens = [i for i, (a, b) in enumerate(offsets[:count]) if a < at + len(word) and at < b] if at >= 0 else []
        for i in tokens:
            result[i] += weights.get(term, 0.0) / len(tokens)
    return result
