"""The exact answer to a question in one given text: a few words, or the sentence that says it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from index.sentences import sentence_spans
from rag.grounding.pairs import Read, SpanReader
from rag.grounding.windows import windows
from rag.linear import standard, to_probability
from rag.reader.candidates import end_before
from rag.reader.features import asked_type
from rag.reader.words import likely_words, with_sentence, without_head

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.embed import Encoder

WINDOW = 1_100  # characters of a window, about 250 tokens
STEP = 550
LOOKED_AT = 3
"""Sentences read outside their text, where all look alike, each after the end of the one before it."""
CLOSER = 0.6
"""Weight of that reading beside 1 for the text's. F1 on every fourth question of dev_squad2 and on dev_qed, whose
questions are not made of the sentence that answers: 81.3 and 62.5, after the text's first sentence 80.3 and 62.6,
without it 78.6 and 64.2."""
NEAR = 1.0
"""Weight of a sentence's cosine to the question beside that of its reading, each over the sentences of the text brought
to mean 0 and standard deviation 1, where whole sentences are the answer."""
ENOUGH = 25
"""Words of such an answer at least, while sentences follow: a heading says where the answer is, not what it is. With
both F1 on every fifth question of dev_doc2dial, pages of up to 12,000 characters, is 42.6, with neither 36.1, with one
of them 36.7 and 33.2; a plateau from 15 words, and from 1 to 2 for the weight."""
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


def find_answer(
    spans: SpanReader, question: str, source: str, earlier: Sequence[str] = (), encoder: Encoder | None = None
) -> ExactAnswer:
    """Find the answer to a question in a text of any length.

    Args:
        spans: Reads passages.
        question: The question.
        source: The text.
        earlier: Questions of the conversation before this one, oldest first.
        encoder: Where whole sentences are the answer, the nearness of their meaning counts as well.

    Returns:
        The answer, the best guess even where `answered` is false; empty for a text without words. In a conversation,
        and where somebody asks about their own case, it is the whole sentence, and what follows as long as that is
        less than `ENOUGH` words: there a few words are no answer.
    """
    cut = windows(source, WINDOW, STEP, len)
    if not cut:
        return ExactAnswer("", 0, 0, False, 0.0)
    texts = [source[a:b] for a, b in cut]
    reads = spans.read(question, texts)
    likely = _likely_sentences(cut, texts, reads)
    found = spans.read(question, [s.head + texts[s.window][s.start : s.end] for s in likely])
    alone = [without_head(len(s.head), read) for s, read in zip(likely, found, strict=True)]
    seen = [CLOSER * (likely_words(read)[0] + read.answerable) for read in alone]
    best = max(range(len(likely)), key=lambda i: likely[i].score + seen[i])
    chosen = likely[best]
    base = cut[chosen.window][0]
    _, place = likely_words(with_sentence(reads[chosen.window], alone[best], chosen.start))
    span = (base + place[0], base + place[1])
    if earlier or wants_sentence(question):
        sentences = sentence_spans(source)
        scores = _sentence_scores(sentences, cut, reads)
        if earlier:
            scores += _TOPIC * _sentence_scores(sentences, cut, spans.read(f"{earlier[0]} {question}", texts))
        fit = standard(scores)
        if encoder is not None:
            vectors = encoder.encode([question, *(source[a:b] for a, b in sentences)])
            fit += NEAR * standard(vectors[1:] @ vectors[0])
        span = _long_enough(source, sentences, int(fit.argmax()))
    confidence = to_probability(alone[best].answerable - ANSWERED)
    return ExactAnswer(source[span[0] : span[1]], *span, confidence >= 0.5, confidence)


@dataclass(frozen=True, slots=True)
class _Likely:
    """A sentence that may hold the answer: `start` to `end` of the text of a window, what speaks for it, and what goes
    before it when it is read outside the text."""

    window: int
    start: int
    end: int
    score: float
    head: str


def _likely_sentences(cut: Sequence[tuple[int, int]], texts: Sequence[str], reads: Sequence[Read]) -> list[_Likely]:
    """The `LOOKED_AT` sentences that most likely hold the answer, each once, the likeliest first."""
    best: dict[int, _Likely] = {}
    for window, (text, read) in enumerate(zip(texts, reads, strict=True)):
        starts = [a for a, _ in read.offsets]
        sentences = sentence_spans(text)
        for n, (start, end) in enumerate(sentences):
            score, place = likely_words(read, bisect_left(starts, start), bisect_left(starts, end))
            head = end_before(text, sentences[n - 1][0], start) if n else ""
            found = _Likely(window, start, max(end, place[1]), score + read.answerable, head)
            at = cut[window][0] + start
            if at not in best or found.score > best[at].score:
                best[at] = found
    return sorted(best.values(), key=lambda s: -s.score)[:LOOKED_AT]


def _sentence_scores(
    sentences: Sequence[tuple[int, int]], cut: Sequence[tuple[int, int]], reads: Sequence[Read]
) -> NDArray[np.float32]:
    """How likely each sentence holds the answer, shape `(sentences,)`: logarithm of all starts and ends in it, and the
    relevance of its window; of several windows that reach into it, the best."""
    import numpy as np

    starts = [a for a, _ in sentences]
    scores = np.full(len(sentences), -np.inf, dtype=np.float32)
    for (start, _), read in zip(cut, reads, strict=True):
        places = np.array([max(bisect_right(starts, start + a) - 1, 0) for a, _ in read.offsets], dtype=np.int64)
        for sentence in np.unique(places):
            own = places == sentence
            mass = np.logaddexp.reduce(read.starts[own]) + np.logaddexp.reduce(read.ends[own])
            scores[sentence] = max(scores[sentence], mass + read.relevance)
    seen = np.isfinite(scores)
    scores[~seen] = scores[seen].min(initial=0.0)  # signs that are no tokens
    return scores


def _long_enough(source: str, sentences: Sequence[tuple[int, int]], first: int) -> tuple[int, int]:
    """From a sentence as far as it takes to say `ENOUGH` words, or to the end of the text."""
    words = 0
    for start, end in sentences[first:]:
        words += len(source[start:end].split())
        if words >= ENOUGH:
            break
    return sentences[first][0], end


ANSWERED = 2.5
"""Log-odds of `answerable`, the sentence read by itself, from which a text is said to hold the answer. Set by hand with
`dev_squad2` in view (SQuAD 2.0 F1 66, 67 with 3.0) and the SQuAD 2.0 articles kept from training (78 questions, which
want less). Read within its passage, the same sentence tells less: area under the ROC curve .74 instead of .78."""


@lru_cache(maxsize=256)
def wants_sentence(question: str) -> bool:
    """Tell whether a question asks for more than a name, a number or a few words: "how do I …", "can we …"."""
    return _OWN_CASE.search(question) is not None and not asked_type(question)
