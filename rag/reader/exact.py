"""The exact answer to a question in one given text: a few words, or the sentence that says it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from index.sentences import sentence_spans
from rag.grounding.pairs import Read, SpanReader
from rag.grounding.windows import windows
from rag.linear import to_probability

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW = 1_100  # characters of a window, about 250 tokens
STEP = 550
_LONGEST = 30  # tokens of an answer in a few words
_STARTS = 12
BREVITY = 0.25
"""Taken from the logits of a span for each unit of the logarithm of its tokens: unsure where an answer ends, the model
reaches for the next likely end. F1 on dev_squad2 75 to 76, on dev_qed unchanged."""
_TOPIC = 0.4  # weight of the opening question of a conversation beside the last one
_OWN_CASE = re.compile(  # not the "I" of a song's title
    r"^(?:can|could|do|should|am|will|may|must|i|i'm|i've|we|my|hello|hi|please)\b|^how to\b|"
    r"\b(?:can|could|do|did|should|must|may|will|would|am|have|need|if) (?:i|we|my)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ExactAnswer:
    """An answer inside a text: `text` is `source[start:end]`, code points from 0, end exclusive.

    `answered` says whether the text holds the answer, `confidence` with which chance (0 to 1).
    """

    text: str
    start: int
    end: int
    answered: bool
    confidence: float


def find_answer(spans: SpanReader, question: str, source: str, earlier: Sequence[str] = ()) -> ExactAnswer:
    """Find the answer to a question in a text of any length.

    Args:
        spans: Reads passages.
        question: The question.
        source: The text.
        earlier: Questions of the conversation before this one, oldest first.

    Returns:
        The answer, the best guess even where `answered` is false; empty for a text without words. In a conversation,
        and where somebody asks about their own case, it is the whole sentence: there a few words are no answer.
    """
    cut = windows(source, WINDOW, STEP, len)
    if not cut:
        return ExactAnswer("", 0, 0, False, 0.0)
    texts = [source[a:b] for a, b in cut]
    reads = spans.read(question, texts)
    best, found = -1e9, (0, 0)
    chance = -1e9
    for (start, _), read in zip(cut, reads, strict=True):
        score, span = best_span(read)
        if score + read.answerable > best:
            best, found = score + read.answerable, (start + span[0], start + span[1])
            chance = log_odds(score, read.answerable)
    if earlier or wants_sentence(question):
        sentences = sentence_spans(source)
        scores = _sentence_scores(sentences, cut, reads)
        if earlier:
            scores += _TOPIC * _sentence_scores(sentences, cut, spans.read(f"{earlier[0]} {question}", texts))
        found = sentences[int(scores.argmax())]
    confidence = to_probability(chance)
    return ExactAnswer(source[found[0] : found[1]], *found, confidence >= 0.5, confidence)


def _sentence_scores(
    sentences: Sequence[tuple[int, int]], cut: Sequence[tuple[int, int]], reads: Sequence[Read]
) -> NDArray[np.float32]:
    """How likely each sentence holds the answer, shape `(sentences,)`: logarithm of all starts and ends in it, and the
    relevance of its window; of several windows that reach into it, the best."""
    import numpy as np

    starts = [a for a, _ in sentences]
    scores = np.full(len(sentences), -1e9, dtype=np.float32)
    for (start, _), read in zip(cut, reads, strict=True):
        places = np.array([max(bisect_right(starts, start + a) - 1, 0) for a, _ in read.offsets], dtype=np.int64)
        for sentence in np.unique(places):
            own = places == sentence
            mass = np.logaddexp.reduce(read.starts[own]) + np.logaddexp.reduce(read.ends[own])
            scores[sentence] = max(scores[sentence], mass + read.relevance)
    return scores


def best_span(read: Read, longest: int = _LONGEST) -> tuple[float, tuple[int, int]]:
    """The best answer of a passage: start and end logit less those of "not here", and its place in the passage."""
    import numpy as np

    best = score = -1e9
    place = (0, 0)
    for i in np.argsort(-read.starts)[:_STARTS]:
        reach = shortened(read.ends[i : i + longest])
        j = int(reach.argmax())
        if read.starts[i] + reach[j] > best:
            best = float(read.starts[i] + reach[j])
            score = float(read.starts[i] + read.ends[int(i) + j])
            place = (read.offsets[i][0], read.offsets[int(i) + j][1])
    return score, place


def shortened(ends: NDArray[np.float32]) -> NDArray[np.float32]:
    """End logits of the tokens from a start on, shape `(n,)`, less what a longer answer has to make up for."""
    import numpy as np

    return np.asarray(ends - BREVITY * np.log1p(np.arange(len(ends))), dtype=np.float32)


ANSWERED = (-3.0, 0.15, 1.0)
"""Weights of `log_odds`: middle, span, answerable. Set by hand with `dev_squad2` in view (F1 62.9, 63.2 at the best
middle and span weight) and the SQuAD 2.0 articles kept from training (78 questions, which want a middle above -2.5)."""


def log_odds(span: float, answerable: float) -> float:
    """Log-odds that a passage holds the answer."""
    return ANSWERED[0] + ANSWERED[1] * span + ANSWERED[2] * answerable


@lru_cache(maxsize=256)
def wants_sentence(question: str) -> bool:
    """Tell whether a question asks for more than a name, a number or a few words: "how do I …", "can we …"."""
    return _OWN_CASE.search(question) is not None
