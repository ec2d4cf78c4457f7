"""Choose the sentences of an answer, or find that there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.types import Hit
from rag.followup.kinds import follows
from rag.grounding.pairs import Read
from rag.linear import to_probability
from rag.reader.candidates import Candidate, find_candidates, with_context
from rag.reader.features import Reading, answer_in
from rag.reader.weights import Weights, load_weights
from rag.reader.words import likely_words, with_sentence, without_head

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.library import Library
    from rag.followup.correct import NotMeant
    from rag.grounding.pairs import SpanReader
    from rag.standalone import Query

_SAME = 0.8  # share of common terms from which two sentences say the same
_RELATIVE = 3.0  # log-odds a further sentence may lie below the best
_SCRAP = 1.5  # log-odds taken from headings and other scraps: the questions fitted to come from texts without them
UNSAID = 0.75
"""Log-odds added in a follow-up, which says less of what is asked than the questions fitted to: balanced accuracy and
area under the risk-coverage curve are better with 0.5 to 1.5 than without, on MTRAG clapnq and on the golden set."""
CLOSER = 3
"""Sentences read by themselves."""
BY_ITSELF = 0.2
"""Weight of that reading in a sentence's score. With it the first statement is right in .886 instead of .861 of every
second question of dev_squad2, all passages as a library; a plateau from 0.1 to 0.3."""
_NEW_DOCUMENT = 0.4  # log-odds granted to a document that has not spoken yet


@dataclass(frozen=True, slots=True)
class Chosen:
    """A stretch of a document that becomes a statement: `start` to `end` of its text, and the hit it came from.

    `answer` is the place of the exact answer in the document, `None` where the model sees none.
    """

    hit: Hit
    start: int
    end: int
    score: float
    answer: tuple[int, int] | None = None

    @property
    def quote(self) -> str:
        """The document's text from `start` to `end`."""
        return self.quote_of(self.start, self.end)

    def quote_of(self, start: int, end: int) -> str:
        """The document's text from `start` to `end`, which lie in the hit's passage."""
        base = self.hit.passage.start
        return self.hit.passage.text[start - base : end - base]


@dataclass(frozen=True, slots=True)
class Selection:
    """What the reader found.

    `chosen` are the sentences, the best first; `confidence` (0 to 1) is the estimated probability that the documents
    hold an answer; `abstained` says that it is too low. `unknown` are words of the question that occur nowhere in the
    library.
    """

    chosen: tuple[Chosen, ...]
    confidence: float
    abstained: bool
    unknown: tuple[str, ...]


class Reader:
    """Reads passages with the grounding model and the fitted weights.

    Args:
        spans: Finds answers in passages.
        weights: Weights other than the ones shipped, for fitting.
    """

    def __init__(self, spans: SpanReader, weights: Weights | None = None) -> None:
        self._spans = spans
        self._weights = weights

    def measure(
        self,
        query: Query,
        hits: Sequence[Hit],
        titles: Mapping[str, str],
        library: Library,
        avoid: NotMeant | None = None,
    ) -> Reading | None:
        """Read hits, cut them into sentences and measure those; `None` if they hold no sentence."""
        candidates = find_candidates(hits, avoid, titles)
        if not candidates:
            return None
        heads = [f"{title}. " if (title := titles.get(h.passage.document_id, "")) else "" for h in hits]
        found = self._spans.read(
            query.standalone_question, [head + h.passage.text for head, h in zip(heads, hits, strict=True)]
        )
        reads = {h.passage.id: without_head(len(head), r) for h, head, r in zip(hits, heads, found, strict=True)}
        return Reading(query, candidates, hits, titles, reads, library)

    def read(
        self,
        query: Query,
        hits: Sequence[Hit],
        titles: Mapping[str, str],
        library: Library,
        *,
        limit: int,
        threshold: float | None = None,
        avoid: NotMeant | None = None,
    ) -> Selection:
        """Choose up to `limit` sentences that answer a question.

        Args:
            query: The question.
            hits: Passages, the best first.
            titles: Title of each hit's document, by id.
            library: Gives terms.
            limit: How many sentences at most.
            threshold: Abstain below this confidence; the fitted one if `None`.
            avoid: What a correction says was not meant.

        Returns:
            The sentences, the best first, or an abstention.
        """
        weights = self._weights or load_weights()
        reading = self.measure(query, hits, titles, library, avoid)
        if reading is None:
            return Selection((), 0.0, True, ())
        scores = weights.sentence.score(reading.sentences) - _SCRAP * reading.column("short")
        alone = self.look_closer(reading, scores)
        features = reading.question_features(scores, alone)
        unsaid = UNSAID if follows(query.kind) else 0.0
        confidence = to_probability(float(weights.question.score(features[None, :])[0]) + unsaid)
        least = weights.threshold if threshold is None else threshold
        if reading.lacks_kind(scores):  # "how many" without a number, "when" without a time: no answer
            confidence = min(confidence, 0.5 * weights.threshold)
        unknown = tuple(
            query.own_terms[t] for t in reading.terms if t in reading.rarity.unknown and t in query.own_terms
        )
        if confidence < least:
            return Selection((), confidence, True, unknown)
        scores = with_closer(scores, alone)
        for i, read in alone.items():
            candidate = reading.candidates[i]
            passage = candidate.hit.passage
            closer = with_sentence(reading.reads[passage.id], read, candidate.start - passage.start)
            reading.spans[i] = answer_in(candidate, closer)
        return Selection(choose(reading, scores, limit), confidence, False, unknown)

    def look_closer(self, reading: Reading, scores: NDArray[np.float32]) -> dict[int, Read]:
        """Read the best sentences without title and passage, each after the one before it; by their index among the
        candidates.

        A passage that is about the matter makes the model see answers in it that are none. The sentence before says
        whom "he" means: read with it the area under the ROC curve, answerable or not, of the highest `answerable` alone
        is .784 instead of .739 on MTRAG clapnq, .863 instead of .849 on ClapNQ.
        """
        import numpy as np

        best = [int(i) for i in np.argsort(-scores)[:CLOSER]]
        heads = [reading.candidates[i].before for i in best]
        texts = [head + reading.candidates[i].text for head, i in zip(heads, best, strict=True)]
        found = self._spans.read(reading.query.standalone_question, texts)
        return {i: without_head(len(head), read) for i, head, read in zip(best, heads, found, strict=True)}


def with_closer(scores: NDArray[np.float32], alone: Mapping[int, Read]) -> NDArray[np.float32]:
    """Order sentences that were read by themselves by that, too; among them they keep the scores they had."""
    mixed = {i: scores[i] + BY_ITSELF * (likely_words(read)[0] + read.answerable) for i, read in alone.items()}
    ordered = scores.copy()
    held = sorted((scores[i] for i in alone), reverse=True)
    for score, i in zip(held, sorted(mixed, key=lambda i: -mixed[i]), strict=True):
        ordered[i] = score
    return ordered


def choose(reading: Reading, scores: NDArray[np.float32], limit: int) -> tuple[Chosen, ...]:
    """Take the best sentence, then others that are nearly as good and say something else.

    Args:
        reading: The sentences and their measurements.
        scores: Log-odds of each, shape `(n,)`.
        limit: How many at most.

    Returns:
        Stretches that do not overlap, the best first. A document not yet heard is preferred among equals.
    """
    candidates = reading.candidates
    chosen: list[Chosen] = []
    taken: list[int] = []
    heard: set[str] = set()
    best = float(scores.max())
    left = {i for i in range(len(candidates)) if scores[i] >= best - _RELATIVE}
    while left and len(chosen) < limit:
        i = max(left, key=lambda k: (scores[k] + (0 if _document(candidates[k]) in heard else _NEW_DOCUMENT), -k))
        left.remove(i)
        if not chosen:
            i = int(scores.argmax())
            left.discard(i)
        if any(_alike(reading.sentence_terms[i], reading.sentence_terms[j]) for j in taken):
            continue
        stretch = _stretch(candidates[i], float(scores[i]), reading.spans[i], chosen)
        if stretch is not None:
            chosen.append(stretch)
            taken.append(i)
            heard.add(_document(candidates[i]))
    return tuple(chosen)


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return len(a & b) >= _SAME * len(a | b)


def _document(candidate: Candidate) -> str:
    return candidate.hit.passage.document_id


def _stretch(
    candidate: Candidate, score: float, span: tuple[float, tuple[int, int] | None], chosen: Sequence[Chosen]
) -> Chosen | None:
    """Give a sentence the context it needs, unless that, or it, is already in the answer."""
    document = _document(candidate)
    for start in (with_context(candidate), candidate.start):
        overlaps = any(
            c.hit.passage.document_id == document and start < c.end and c.start < candidate.end for c in chosen
        )
        if not overlaps:
            return Chosen(candidate.hit, start, candidate.end, score, span[1] if span[0] > 0 else None)
    return None
