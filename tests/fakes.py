"""Small stand-ins for the parts that are slow or large."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.grounding.pairs import Read

_TOKEN = re.compile(r"\w+|[^\w\s]")


class FakeEncoder:
    """An encoder without a model: texts with the same words get the same vector, whatever their order or case.

    Each word adds +1 or -1 to one of 64 places, both chosen by its CRC-32, so results are the same on every machine.
    It satisfies `index.embed.Encoder`: a short window (64 tokens, 2 of them special) makes limits easy to reach.

    Args:
        name: Identity that a library remembers.
        dimension: Length of a vector.
        max_tokens: Tokens it reads, special ones included.
    """

    special_tokens = 2

    def __init__(self, name: str = "fake/words@1", dimension: int = 64, max_tokens: int = 64) -> None:
        self.name = name
        self.dimension = dimension
        self.max_tokens = max_tokens

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Cut a text into words and single punctuation characters."""
        return [match.span() for match in _TOKEN.finditer(text)]

    def count_tokens(self, text: str) -> int:
        """Count words and punctuation characters."""
        return len(self.token_offsets(text))

    def encode(self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        """Encode texts: shape `(len(texts), dimension)`, float32, each row of L2 norm 1."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for start, end in self.token_offsets(text)[: self.max_tokens - self.special_tokens]:
                code = zlib.crc32(text[start:end].lower().encode("utf-8", errors="replace"))
                vectors[row, code % self.dimension] += 1.0 if code & 0x10000 else -1.0
            if not vectors[row].any():
                vectors[row, 0] = 1.0
        if progress is not None and len(texts):
            progress(len(texts))
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


class FakeModel:
    """A grounding model without a model: what shares words with the question is relevant and holds the answer.

    It satisfies `Ranker`, `SpanReader` and `Judge` of `rag.grounding`.
    """

    def relevance(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """Count the words that a passage shares with the question."""
        asked = _words(question)
        return np.array([float(len(asked & _words(p))) for p in passages], dtype=np.float32)

    def read(self, question: str, passages: Sequence[str]) -> list[Read]:
        """See an answer in each word of a passage alike."""
        reads = []
        for passage, shared in zip(passages, self.relevance(question, passages), strict=True):
            offsets = [m.span() for m in _TOKEN.finditer(passage)]
            flat = np.full(len(offsets), -1.0, dtype=np.float32)
            reads.append(Read(float(shared), float(shared), flat, flat, offsets))
        return reads

    def support(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """Find a statement entailed by the share of its words that the evidence holds."""
        shares = [len(_words(s) & _words(e)) / max(len(_words(s)), 1) for s, e in pairs]
        return np.array([[p, 1 - p, 0.0] for p in shares], dtype=np.float32).reshape(-1, 3)


def _words(text: str) -> set[str]:
    return {match.group().lower() for match in _TOKEN.finditer(text)}
