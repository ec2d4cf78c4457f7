"""Choose the sentences of an answer, or find that there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.types import Hit
from rag.reader.candidates import Candidate, find_candidates, with_context
from rag.reader.features import Reading
from rag.reader.tokens import EncodeTokens
from rag.reader.weights import Weights, load_weights, to_probability

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.library import Library
    from rag.standalone import Query

_SAME = 0.88  # cosine from which two sentences say the same
_RELATIVE = 3.0  # log-odds a further sentence may lie below the best
_SCRAP = 1.5  # log-odds taken from headings and other scraps: the questions fitted to come from texts without them
_NEW_DOCUMENT = 0.4  # log-odds granted to a document that has not spoken yet


@dataclass(frozen=True, slots=True)
class Chosen:
    """A stretch of a document that becomes a statement: `start` to `end` of its text, and the hit it came from."""

    hit: Hit
    start: int
    end: int
    score: float

    @property
    def quote(self) -> str:
        """The document's text from `start` to `end`."""
        base = self.hit.passage.start
        return self.hit.passage.text[self.start - base : self.end - base]


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
    """Reads passages with a library's encoder and the fitted weights.

    Args:
        weights: Weights other than the ones shipped, for fitting.
    """

    def __init__(self, weights: Weights | None = None) -> None:
        self._weights = weights

    def measure(
        self,
        query: Query,
        hits: Sequence[Hit],
        titles: Mapping[str, str],
        library: Library,
        encode_tokens: EncodeTokens | None = None,
    ) -> Reading | None:
        """Cut hits into sentences and measure them; `None` if they hold no sentence.

        `encode_tokens` takes the place of the encoder's, for callers that remember passages.
        """
        candidates = find_candidates(hits)
        if not candidates:
            return None
        passage_vectors = library.vectors.get([h.passage.id for h in hits])
        missing = [h.passage for h in hits if h.passage.id not in passage_vectors]
        if missing:  # recorded, but not embedded yet
            made = library.encoder.encode([p.text for p in missing])
            passage_vectors.update(zip((p.id for p in missing), made, strict=True))
        return Reading(query, candidates, hits, titles, passage_vectors, library, encode_tokens)

    def read(
        self,
        query: Query,
        hits: Sequence[Hit],
        titles: Mapping[str, str],
        library: Library,
        *,
        limit: int,
        threshold: float | None = None,
    ) -> Selection:
        """Choose up to `limit` sentences that answer a question.

        Args:
            query: The question.
            hits: Passages, the best first.
            titles: Title of each hit's document, by id.
            library: Gives encoder and terms.
            limit: How many sentences at most.
            threshold: Abstain below this confidence; the fitted one if `None`.

        Returns:
            The sentences, the best first, or an abstention.
        """
        weights = self._weights or load_weights()
        reading = self.measure(query, hits, titles, library)
        if reading is None:
            return Selection((), 0.0, True, ())
        scores = weights.sentence.score(reading.sentences) - _SCRAP * reading.column("short")
        features = reading.question_features(scores)
        confidence = to_probability(float(weights.question.score(features[None, :])[0]))
        least = weights.threshold if threshold is None else threshold
        if reading.lacks_kind(scores):  # "how many" without a number, "when" without a time: no answer
            confidence = min(confidence, 0.5 * weights.threshold)
        unknown = tuple(
            query.own_terms[t] for t in reading.terms if t in reading.rarity.unknown and t in query.own_terms
        )
        if confidence < least:
            return Selection((), confidence, True, unknown)
        return Selection(choose(reading.candidates, scores, reading.vectors, limit), confidence, False, unknown)


def choose(
    candidates: Sequence[Candidate], scores: NDArray[np.float32], vectors: NDArray[np.float32], limit: int
) -> tuple[Chosen, ...]:
    """Take the best sentence, then others that are nearly as good and say something else.

    Args:
        candidates: The sentences.
        scores: Log-odds of each, shape `(n,)`.
        vectors: Vector of each, shape `(n, dimension)`, L2-normalised.
        limit: How many at most.

    Returns:
        Stretches that do not overlap, the best first. A document not yet heard is preferred among equals.
    """
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
        if any(float(vectors[i] @ vectors[j]) >= _SAME for j in taken):
            continue
        stretch = _stretch(candidates[i], float(scores[i]), chosen)
        if stretch is not None:
            chosen.append(stretch)
            taken.append(i)
            heard.add(_document(candidates[i]))
    return tuple(chosen)


def _document(candidate: Candidate) -> str:
    return candidate.hit.passage.document_id


def _stretch(candidate: Candidate, score: float, chosen: Sequence[Chosen]) -> Chosen | None:
    """Give a sentence the context it needs, unless that, or it, is already in the answer."""
    document = _document(candidate)
    for start in (with_context(candidate), candidate.start):
        overlaps = any(
            c.hit.passage.document_id == document and start < c.end and c.start < candidate.end for c in chosen
        )
        if not overlaps:
            return Chosen(candidate.hit, start, candidate.end, score)
    return None
