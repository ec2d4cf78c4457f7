"""What is measured of a candidate sentence and of a question, for the fitted weights of the reader."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from index.types import Hit
from rag.grounding.edits import MONTHS
from rag.reader.candidates import Candidate
from rag.reader.words import likely_words
from rag.words import QUESTION_WORD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from index.library import Library
    from rag.grounding.pairs import Read
    from rag.standalone import Query

SENTENCE_FEATURES = (
    "span",  # start and end logit of the best answer in the sentence, less those of "not here"
    "beaten",  # how far that is below the best answer in the same passage, 0 and up
    "answerable",  # the passage holds the answer: log-odds of the grounding model
    "relevance",  # the passage helps to answer: log-odds of the grounding model
    "cosine",  # passage to the query with the conversation mixed in
    "cover",  # share of the question's terms, weighted by rarity, that the sentence holds
    "cover_near",  # the same for the sentence, the one before it, and title and headings
    "cover_passage",  # the same for the whole passage
    "pairs",  # share of neighbouring term pairs of the question that stand in the sentence together
    "rank",  # 1 / rank of the passage
    "type",  # 1 if the kind of thing asked for (date, number, name) is there, -1 if not, 0 if no kind is asked for
    "new",  # logarithm of 1 + terms that the sentence adds to the question
    "short",  # 1 for a piece that is hardly a sentence
    "asks",  # 1 if the sentence is itself a question
    "first",  # 1 for the first sentence of its passage
)
QUESTION_FEATURES = (
    "relevance",  # the highest of any passage read
    "cosine",  # the highest of any passage read
    "cover_near",  # the highest of any sentence
    "agreement",  # logarithm of the number of passages whose answer shares words with the best one
    "answerable_alone",  # the highest of the best sentences, each read outside its passage
    "relevance_alone",  # the same
)

_NOTHING = -20.0  # score of a sentence that the model did not reach
_NUMBER = re.compile(
    r"\b\d[\d,.]*(?!\w)|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|"
    r"billion|dozen|half|halves|thirds?|quarters?|fifths?|twice)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    rf"\b(?:1[0-9]\d\d|20\d\d)s?\b|\b(?:{'|'.join(MONTHS)}|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|spring|summer|autumn|winter|today|yesterday|"
    r"tomorrow|century|decade|years?|months?|weeks?|days?|hours?|morning|evening|night|noon|midnight)\b|\d{1,2}:\d\d",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?<![.!?…:] )(?<!^)\b[A-Z][\w’'-]+|\b[A-Z]{2,}\b|\b[A-Z][\w’'-]+ (?:(?:of|the|de|van|von|bin|al) )?[A-Z][\w’'-]+"
)
_ASKS_TIME = re.compile(r"when\b|(?:what|which) (?:year|date|day|month|time)\b|how long\b", re.IGNORECASE)
_ASKS_NUMBER = re.compile(
    r"how (?:many|much|far|old|large|big|tall|high|deep|wide|heavy|fast|often|likely|long)\b|"
    r"what (?:number|percentage|percent|share|proportion|amount|price|cost|size|length|budget|fee|rate)\b",
    re.IGNORECASE,
)
_ASKS_NAME = re.compile(
    r"who(?:m|se)?\b|where\b|which (?:person|company|country|city|ministry|minister|organi[sz]ation)\b", re.IGNORECASE
)


def asked_type(question: str) -> str:
    """Tell what a question asks for: `time`, `number`, `name` or nothing special. Its first question word decides."""
    first = QUESTION_WORD.search(question)
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


class Reading:
    """The measurements of one question's candidates.

    Args:
        query: The question.
        candidates: Sentences of the hits.
        hits: The passages read, the best first.
        titles: Title of each document, by id.
        reads: What the grounding model saw in each passage, by passage id; offsets count from the passage's start.
        library: Gives terms.
    """

    def __init__(
        self,
        query: Query,
        candidates: Sequence[Candidate],
        hits: Sequence[Hit],
        titles: Mapping[str, str],
        reads: Mapping[str, Read],
        library: Library,
    ) -> None:
        self.query, self.candidates, self.hits, self.reads = query, candidates, hits, reads
        self.terms = list(query.own_terms) or list(query.carried_terms)
        self.rarity = query.rarity
        self.kind = asked_type(query.question)
        index_terms = library.lexical.terms
        self.passage_terms = {h.passage.id: frozenset(index_terms(h.passage.text)) for h in hits}
        self.head_terms = {
            h.passage.id: frozenset(index_terms(f"{titles.get(h.passage.document_id, '')} {h.passage.heading}"))
            for h in hits
        }
        self.sentence_terms = [frozenset(index_terms(c.text)) for c in candidates]
        self.spans = [answer_in(c, reads[c.hit.passage.id]) for c in candidates]
        self.sentences = self._sentence_features()

    def _sentence_features(self) -> NDArray[np.float32]:
        """Shape `(candidates, len(SENTENCE_FEATURES))`, float32."""
        import numpy as np

        pairs = list(zip(self.terms, self.terms[1:], strict=False))
        best: dict[str, float] = {}
        for candidate, (span, _) in zip(self.candidates, self.spans, strict=True):
            name = candidate.hit.passage.id
            best[name] = max(best.get(name, span), span)
        rows = []
        for i, candidate in enumerate(self.candidates):
            hit = candidate.hit
            passage, read, span = hit.passage, self.reads[hit.passage.id], self.spans[i][0]
            held = self.sentence_terms[i]
            near = held | self.head_terms[passage.id]
            if i and self.candidates[i - 1].hit is hit:
                near |= self.sentence_terms[i - 1]
            text = candidate.text
            rows.append(
                (
                    span,
                    best[passage.id] - span,
                    read.answerable,
                    read.relevance,
                    hit.signals.dense or 0.0,
                    self.rarity.share(held, self.terms),
                    self.rarity.share(near, self.terms),
                    self.rarity.share(self.passage_terms[passage.id] | self.head_terms[passage.id], self.terms),
                    sum(a in held and b in held for a, b in pairs) / len(pairs) if pairs else 0.0,
                    1.0 / hit.rank,
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

    def answer(self, number: int) -> str:
        """The exact answer that the model sees in a candidate, empty if none."""
        candidate, (_, span) = self.candidates[number], self.spans[number]
        base = candidate.hit.passage.start
        return candidate.hit.passage.text[span[0] - base : span[1] - base] if span else ""

    def lacks_kind(self, scores: NDArray[np.float32]) -> bool:
        """Tell whether a number or a time is asked for and none of the five best sentences holds one."""
        import numpy as np

        if self.kind not in ("number", "time"):
            return False
        best = [self.candidates[int(i)].text for i in np.argsort(-scores)[:5]]
        return all(is_scrap(text) or type_match(self.kind, text) < 0 for text in best)  # a heading's number is none

    def question_features(self, scores: NDArray[np.float32], alone: Mapping[int, Read]) -> NDArray[np.float32]:
        """Measure how well the best sentences fit the question.

        Args:
            scores: The sentences' scores, shape `(candidates,)`, higher for better.
            alone: The best sentences read outside their passages, by their index.

        Returns:
            Shape `(len(QUESTION_FEATURES),)`, float32.
        """
        import numpy as np

        return np.asarray(
            [
                max(r.relevance for r in self.reads.values()),
                self.column("cosine").max(),
                self.column("cover_near").max(),
                math.log1p(self._agreeing(int(scores.argmax()))),
                max(r.answerable for r in alone.values()),
                max(r.relevance for r in alone.values()),
            ],
            dtype=np.float32,
        )

    def _agreeing(self, best: int) -> int:
        """Count other passages whose best answer shares a telling word with that of one candidate.

        A word of the question is none: that passages repeat it says nothing.
        """
        asked = set(self.query.question.lower().replace("?", " ").split())
        words = {w for w in self.answer(best).lower().split() if len(w) > 3 or w.isdigit()} - asked
        own = self.candidates[best].hit.passage.id
        agreeing = set()
        for i, candidate in enumerate(self.candidates):
            name = candidate.hit.passage.id
            if name != own and self.spans[i][0] > 0 and words & set(self.answer(i).lower().split()):
                agreeing.add(name)
        return len(agreeing)


def answer_in(candidate: Candidate, read: Read) -> tuple[float, tuple[int, int] | None]:
    """Find the answer inside a sentence: its score, and its place in the document; `None` if nothing was read."""
    base = candidate.hit.passage.start
    starts = [a for a, _ in read.offsets]
    first, last = bisect_left(starts, candidate.start - base), bisect_left(starts, candidate.end - base)
    if first >= last:
        return _NOTHING, None
    best, (start, end) = likely_words(read, first, last)
    return best, (base + start, base + end)
