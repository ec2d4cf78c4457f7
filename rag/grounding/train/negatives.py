"""Texts that a search finds for a question and that do not answer it: what a reader has to tell from those that do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag.grounding.train.examples import Maker


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the name of the text it is about (empty if that is none of the maker's) and its answers' texts."""

    id: str
    question: str
    context: str
    answers: Sequence[str]


def hard_negatives(maker: Maker, asked: Sequence[Asked], encoder: Any, depth: int = 30) -> dict[str, list[str]]:
    """Find, for each question, texts that a dense search gives and that do not hold its answer.

    Args:
        maker: Holds texts.
        asked: The questions.
        encoder: An `index.embed.Encoder`.
        depth: How far down the ranking is looked.

    Returns:
        Names of up to 20 contexts for each question's id, the nearest first.
    """
    import numpy as np

    names = [n for n in maker.contexts if not n.startswith("squad2_half_dev")]
    texts = [maker.contexts[n].text[:2_000] for n in names]
    lowered = [maker.contexts[n].text.lower() for n in names]
    vectors = encoder.encode(texts)
    found: dict[str, list[str]] = {}
    for at in range(0, len(asked), 1_024):
        batch = asked[at : at + 1_024]
        scores = encoder.encode([q.question for q in batch]) @ vectors.T
        nearest = np.argsort(-scores, axis=1)[:, :depth]
        for question, row in zip(batch, nearest, strict=True):
            said = [text.lower() for text in question.answers if len(text) > 2]
            found[question.id] = [
                names[i]
                for i in row
                if names[i] != question.context and said and not any(s in lowered[i] for s in said)
            ][:20]
    return found
