"""What is measured of a candidate sentence and of a question, for the fitted weights of the reader."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.types import Hit
from rag.reader.candidates import Candidate
from rag.reader.tokens import EncodeTokens, TokenView

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.library import Library
    from rag.standalone import Query

SENTENCE_FEATURES = (
    "cosine",  # mean of the sentence's tokens, read in their passage, to the query with the conversation mixed in
    "cosine_passage",  # passage to the query
    "cover",  # share of the question's terms, weighted by rarity, that the sentence holds
    "cover_near",  # the same for the sentence, the one before it, and title and headings
    "cover_passage",  # the same for the whole passage
    "soft",  # how near the sentence's nearest token comes to each of the question's, weighted by rarity
    "soft_near",  # the same for the sentence and the one before it
    "soft_passage",  # the same for the whole passage
    "pairs",  # share of neighbouring term pairs of the question that stand in the sentence together
    "rank",  # 1 / rank of the passage
    "type",  # 1 if the kind of thing asked for (date, number, name) is there, -1 if not, 0 if no kind is asked for
    "new",  # logarithm of 1 + terms that the sentence adds to the question
    "short",  # 1 for a piece that is hardly a sentence
    "asks",  # 1 if the sentence is itself a question
    "first",  # 1 for the first sentence of its passage
)
QUESTION_FEATURES = (
    "cosine",  # the best sentence's, under the fitted sentence weights
    "cover_near",  # the highest of any sentence
    "soft_near",  # the highest of the best five sentences
    "weakest",  # how near the best five sentences come to the question word they are furthest from
    "names_missing",  # share of names and numbers in the question that the best passages lack
)
"""Few on purpose: margins, passage cosines and counts of unknown terms were tried; they fit the training questions
better and carried over worse to ClapNQ and MTRAG."""

_NUMBER = re.compile(
    r"\b\d[\d,.]*(?!\w)|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|"
    r"billion|dozen|half|halves|thirds?|quarters?|fifths?|twice)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:1[0-9]\d\d|20\d\d)s?\b|\b(?:january|february|march|april|may|june|july|august|september|october|november|"
    r"december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|spring|summer|autumn|winter|today|yesterday|"
    r"tomorrow|century|decade|years?|months?|weeks?|days?|hours?|morning|evening|night|noon|midnight)\b|\d{1,2}:\d\d",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?<![.!?…:] )(?<!^)\b[A-Z][\w’'-]+|\b[A-Z]{2,}\b|\b[A-Z][\w’'-]+ (?:(?:of|the|de|van|von|bin|al) )?[A-Z][\w’'-]+"
)
_QUESTION_WORD = re.compile(r"\b(?:when|what|which|who|whom|whose|where|why|how)\b", re.IGNORECASE)
_ASKS_TIME = re.compile(r"when\b|(?:what|which) (?:year|date|day|month|time)\b|how long\b", re.IGNORECASE)
_ASKS_NUMBER = re.compile(
    r"how (?:many|much|far|old|large|big|tall|high|deep|wide|heavy|fast|often|likely|long)\b|"
    r"what (?:number|percentage|percent|share|proportion|amount|price|cost|size|length|budget|fee|rate)\b",
    re.IGNORECASE,
)
_ASKS_NAME = re.compile(
    r"who(?:m|se)?\b|where\b|which (?:person|company|country|city|ministry|minister|organi[sz]ation)\b", re.IGNORECASE
)


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


def asked_type(question: str) -> str:
    """Tell what a question asks for: `time`, `number`, `name` or nothing special. Its first question word decides."""
    first = _QUESTION_WORD.search(question)
    if first is None:
        return ""
    for kind, pattern in (("time", _ASKS_TIME), ("number", _ASKS_NUMBER), ("name", _ASKS_NAME)):
        if pattern.match(question, first.start()):
            return kind
    return ""


def type_match(kind: str, sentence: str) -> float:
    """Tell whether a sentence holds the kind of thing asked for: 1 yes, -1 no, 0 if no kind is asked for."""
    pattern = {"time": _TIME, "number": _NUMBER, "name": _NAME}.get(kind)
    if pattern is None:
        return 0.0
    return 1.0 if pattern.search(sentence) else -1.0


def is_scrap(text: str) -> bool:
    """Tell whether a piece is hardly a sentence: a word or two, or a short line without an end, such as a heading."""
    ended = text.rstrip('"”’)*_ ').endswith((".", "!", "?"))
    return len(text.split()) < 3 or (not ended and len(text) < 60)


def names_in(question: str) -> list[str]:
    """List names and numbers of a question: capitalised words after the first, and anything with a digit."""
    words = re.findall(r"[\w’'-]+(?:\.\d+)*", question)
    return [w for i, w in enumerate(words) if any(c.isdigit() for c in w) or (i and w[:1].isupper() and len(w) > 1)]


class Reading:
    """The measurements of one question's candidates.

    Args:
        query: The question.
        candidates: Sentences of the hits.
        hits: The passages read, the best first.
        titles: Title of each document, by id.
        passage_vectors: Vector of each hit's passage, by passage id.
        library: Gives terms, their rarity and the encoder.
        encode_tokens: Takes the place of the encoder's, for callers that remember passages.
    """

    def __init__(
        self,
        query: Query,
        candidates: Sequence[Candidate],
        hits: Sequence[Hit],
        titles: Mapping[str, str],
        passage_vectors: Mapping[str, NDArray[np.float32]],
        library: Library,
        encode_tokens: EncodeTokens | None = None,
    ) -> None:
        self.query, self.candidates, self.hits = query, candidates, hits
        self.terms = list(query.own_terms) or list(query.carried_terms)
        self.rarity = measure_rarity(self.terms, library)
        self.kind = asked_type(query.question)
        index_terms = library.lexical.terms
        self.passage_terms = {h.passage.id: frozenset(index_terms(h.passage.text)) for h in hits}
        self.head_terms = {
            h.passage.id: frozenset(index_terms(f"{titles.get(h.passage.document_id, '')} {h.passage.heading}"))
            for h in hits
        }
        self.sentence_terms = [frozenset(index_terms(c.text)) for c in candidates]
        view = TokenView(query, hits, self.rarity.weights, library, encode_tokens)
        self.vectors, self.weakest, soft = self._soft_features(view)
        self.sentences = self._sentence_features(passage_vectors, soft)

    def _soft_features(self, view: TokenView) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Sentence vectors `(n, dimension)`, L2-normalised; weakest token `(n,)`; and soft covers `(n, 3)`."""
        import numpy as np

        vectors, weakest, soft = [], [], []
        whole = {h.passage.id: view.weigh(view.nearest(h, slice(None))) for h in self.hits}
        for candidate in self.candidates:
            hit = candidate.hit
            own = view.nearest(hit, view.rows(hit, candidate.start, candidate.end))
            start = candidate.start if candidate.previous is None else candidate.previous
            near = view.nearest(hit, view.rows(hit, start, candidate.end))
            vectors.append(view.mean(hit, view.rows(hit, candidate.start, candidate.end)))
            weakest.append(view.weakest(near))
            soft.append((view.weigh(own), view.weigh(near), whole[hit.passage.id]))
        return np.stack(vectors), np.asarray(weakest, np.float32), np.asarray(soft, np.float32)

    def _sentence_features(
        self, passage_vectors: Mapping[str, NDArray[np.float32]], soft: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Shape `(candidates, len(SENTENCE_FEATURES))`, float32."""
        import numpy as np

        query = self.query
        cosines = self.vectors @ query.vector
        passage_cosines = {name: float(v @ query.vector) for name, v in passage_vectors.items()}
        pairs = list(zip(self.terms, self.terms[1:], strict=False))
        rows = []
        for i, candidate in enumerate(self.candidates):
            passage = candidate.hit.passage
            held = self.sentence_terms[i]
            near = held | self.head_terms[passage.id]
            if i and self.candidates[i - 1].hit is candidate.hit:
                near |= self.sentence_terms[i - 1]
            text = candidate.text
            rows.append(
                (
                    cosines[i],
                    passage_cosines.get(passage.id, 0.0),
                    self.rarity.share(held, self.terms),
                    self.rarity.share(near, self.terms),
                    self.rarity.share(self.passage_terms[passage.id] | self.head_terms[passage.id], self.terms),
                    *soft[i],
                    sum(a in held and b in held for a, b in pairs) / len(pairs) if pairs else 0.0,
                    1.0 / candidate.hit.rank,
                    type_match(self.kind, text),
                    math.log1p(len(held - set(self.terms))),
                    float(is_scrap(text)),
                    float(text.rstrip("\"'”’)* ").endswith("?")),
                    float(candidate.position == 0),
                )
            )
        return np.asarray(rows, dtype=np.float32).reshape(-1, len(SENTENCE_FEATURES))

    def column(self, name: str) -> NDArray[np.float32]:
        """One feature of all candidates, shape `(candidates,)`."""
        return self.sentences[:, SENTENCE_FEATURES.index(name)]

    def lacks_kind(self, scores: NDArray[np.float32]) -> bool:
        """Tell whether a number or a time is asked for and none of the five best sentences holds one."""
        import numpy as np

        if self.kind not in ("number", "time"):
            return False
        best = [self.candidates[int(i)].text for i in np.argsort(-scores)[:5]]
        return all(is_scrap(text) or type_match(self.kind, text) < 0 for text in best)  # a heading's number is none

    def question_features(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Measure how well the best sentences fit the question.

        Args:
            scores: The sentences' scores, shape `(candidates,)`, higher for better.

        Returns:
            Shape `(len(QUESTION_FEATURES),)`, float32.
        """
        import numpy as np

        column = {name: self.sentences[:, i] for i, name in enumerate(SENTENCE_FEATURES)}
        order = np.argsort(-scores)
        best = int(order[0])
        top = order[:5]
        top_passages = {self.candidates[int(i)].hit.passage.id for i in top}
        held = frozenset().union(*(self.passage_terms[p] | self.head_terms[p] for p in top_passages))
        in_question = set(names_in(self.query.question))
        names = [term for term, word in self.query.own_terms.items() if word in in_question]
        return np.asarray(
            [
                column["cosine"][best],
                column["cover_near"].max(),
                column["soft_near"][top].max(),
                self.weakest[top].max(),
                sum(t not in held for t in names) / len(names) if names else 0.0,
            ],
            dtype=np.float32,
        )
