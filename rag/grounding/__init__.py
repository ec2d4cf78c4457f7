"""The grounding model: which passages help, where the answer is, and whether a statement is supported.

One small network with four heads ships with the project (`model/`, with its card); each head can be replaced by any
sentence-transformers `CrossEncoder`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.grounding.pairs import Judge, PairModel, Ranker, Read, SpanReader
from rag.grounding.verify import LlmJudge, Support, Verifier

__all__ = [
    "Grounding",
    "Judge",
    "LlmJudge",
    "PairModel",
    "Ranker",
    "Read",
    "SpanReader",
    "Support",
    "Verifier",
    "open_grounding",
]


@dataclass(frozen=True, slots=True)
class Grounding:
    """What judges passages, reads them and checks statements."""

    ranker: Ranker
    spans: SpanReader
    verifier: Verifier


class _Answerability:
    """A span reader whose judgement of answerability comes from another model."""

    def __init__(self, spans: SpanReader, ranker: Ranker) -> None:
        self._spans, self._ranker = spans, ranker

    def read(self, question: str, passages: Sequence[str]) -> list[Read]:
        """See `SpanReader.read`."""
        scores = self._ranker.relevance(question, passages)
        reads = self._spans.read(question, passages)
        return [replace(r, answerable=float(s)) for r, s in zip(reads, scores, strict=True)]


def open_grounding(
    ranker: str = "", answerability: str = "", judge: str = "", *, device: str = "cpu", llm: LlmJudge | None = None
) -> Grounding:
    """Open the shipped model, or sentence-transformers cross-encoders in the place of its heads.

    Args:
        ranker: A reranker by name or folder, in the place of the relevance head; empty for the shipped one.
        answerability: The same for the answerability head. Spans always come from the shipped model.
        judge: A model of natural language inference in the place of the support head.
        device: Where cross-encoders run: `cpu`, `cuda`, `mps`.
        llm: Asked about statements on which the checks are undecided.

    Raises:
        ModelUnavailableError: A model cannot be loaded, or is of the wrong kind.
    """
    from rag.grounding.cross import CrossEncoderJudge, CrossEncoderRanker

    shipped = PairModel()
    spans: SpanReader = shipped
    if answerability:
        spans = _Answerability(shipped, CrossEncoderRanker(answerability, device))
    return Grounding(
        CrossEncoderRanker(ranker, device) if ranker else shipped,
        spans,
        Verifier(CrossEncoderJudge(judge, device) if judge else shipped, llm),
    )
