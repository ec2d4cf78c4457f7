"""How telling a question's terms are in a library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.library import Library

SMALL = 1_000
"""Passages: a library of fewer is taken to have so many."""


@dataclass(frozen=True, slots=True)
class Rarity:
    """How telling each term is in this library: idf as in BM25, with a floor that keeps small libraries from noise."""

    weights: Mapping[str, float]
    unknown: frozenset[str]

    def share(self, held: set[str] | frozenset[str], of: Sequence[str]) -> float:
        """Weighted share (0 to 1) of the terms `of` that are in `held`; 0 if there are none."""
        total = sum(self.weights[t] for t in of)
        return sum(self.weights[t] for t in of if t in held) / total if total else 0.0


def measure_rarity(terms: Sequence[str], library: Library) -> Rarity:
    """Look up how rare terms are among the library's passages.

    Their weight is `idf`.
    """
    counts = library.lexical.frequencies(terms)
    size = library.catalog.count()[1]
    weights = {t: idf(n, size) for t, n in counts.items()}
    return Rarity(weights, frozenset(t for t, n in counts.items() if n == 0))


def idf(count: int, size: int) -> float:
    """How telling a term is: ln(1 + (N - n + 0.5) / (n + 0.5)) of Robertson's BM25.

    Args:
        count: n, passages that have it.
        size: N, passages in all. Both are raised until N is `SMALL`, so that in a library of ten passages one mention
            more or less does not decide.
    """
    scale = max(SMALL / max(size, 1), 1.0)
    total, held = max(size, 1) * scale, count * scale
    return math.log(1 + (total - held + 0.5) / (held + 0.5))
