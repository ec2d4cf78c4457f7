"""How telling a question's terms are in a library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.library import Library


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

    weight = ln(1 + (N - n + 0.5) / (n + 0.5)) of Robertson's BM25, with N raised to at least 1,000 so that in a library
    of ten passages one mention more or less does not decide.
    """
    counts = library.lexical.frequencies(terms)
    size = max(library.catalog.count()[1], 1)
    scale = max(1000 / size, 1.0)
    total = size * scale
    weights = {t: math.log(1 + (total - n * scale + 0.5) / (n * scale + 0.5)) for t, n in counts.items()}
    return Rarity(weights, frozenset(t for t, n in counts.items() if n == 0))
