"""Sentences that may answer a question, cut out of the best passages with exact offsets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from index.sentences import leans_on_previous, sentence_spans
from index.types import Hit

if TYPE_CHECKING:
    from rag.followup.correct import NotMeant

_LONGEST = 700  # characters; longer "sentences" are tables or code, cut at line breaks
BEFORE = 300
"""Characters of the sentence before that a sentence is read with when the model looks closer at it."""
_ENDS = (".", "!", "?")  # of a sentence; a title may be one
_LEADERS = re.compile(r"(?:\.\s?){5,}")  # the dots between a heading and its page in a table of contents


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a hit's passage.

    `start` and `end` are offsets in the document; `previous` is the start of the sentence before it in the same
    passage, `None` for the first; `position` is its index in the passage, from 0.
    """

    hit: Hit
    start: int
    end: int
    previous: int | None
    position: int

    @property
    def text(self) -> str:
        """The sentence as it stands in the document."""
        return self.slice(self.start)

    @property
    def before(self) -> str:
        """The end of the sentence before it in the same passage, as it stands there, blanks after it included."""
        if self.previous is None:
            return ""
        base = self.hit.passage.start
        return end_before(self.hit.passage.text, self.previous - base, self.start - base)

    def slice(self, start: int) -> str:
        """The document's text from `start`, an offset within the passage, to the end of the sentence."""
        base = self.hit.passage.start
        return self.hit.passage.text[start - base : self.end - base]


def end_before(text: str, previous: int, start: int) -> str:
    """The last `BEFORE` characters at most of what stands between the starts of two neighbouring sentences."""
    return text[max(previous, start - BEFORE) : start]


def find_candidates(
    hits: Sequence[Hit], avoid: NotMeant | None = None, titles: Mapping[str, str] = MappingProxyType({})
) -> list[Candidate]:
    """Cut hits into sentences.

    Args:
        hits: Passages, the best first.
        avoid: What is not meant.
        titles: Title of each document, by id.

    Returns:
        Their sentences in the same order, without headings, the title where more than it is said, lines of a table of
        contents, sentences that say word for word what an earlier one said, what is not meant, and pieces that hold no
        word.
    """
    candidates: list[Candidate] = []
    seen: set[str] = set()
    for hit in hits:
        text, base, document = hit.passage.text, hit.passage.start, hit.passage.document_id
        headings = {" ".join(part.lower().split()) for part in hit.passage.heading.split(" › ")}
        title = " ".join(titles.get(document, "").lower().split())
        if not title.endswith(_ENDS) and len(text) > 2 * len(title):
            headings.add(title)
        previous: int | None = None
        for position, (start, end) in enumerate(_spans(text)):
            words = " ".join(text[start:end].lower().split())
            meant = avoid is None or not avoid.holds(document, base + start, base + end, text[start:end])
            if meant and words not in seen and words not in headings and _says_something(words):
                seen.add(words)
                candidates.append(Candidate(hit, base + start, base + end, previous, position))
            previous = base + start
    return candidates


def _says_something(words: str) -> bool:
    return any(c.isalnum() for c in words) and _LEADERS.search(words) is None


def _spans(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start, end in sentence_spans(text):
        if end - start <= _LONGEST:
            spans.append((start, end))
            continue
        at = start
        for match in re.finditer(r"\n+", text[start:end]):
            if start + match.start() > at:
                spans.append((at, start + match.start()))
            at = start + match.end()
        if at < end:
            spans.append((at, end))
    return spans


def with_context(candidate: Candidate) -> int:
    """Find where a statement made of this sentence has to begin to be understood.

    A sentence that starts with a pronoun or points back takes the one before it along, if that stands in the same
    passage and the two are not far apart.

    Returns:
        The start offset, at or before `candidate.start`.
    """
    if candidate.previous is None or not leans_on_previous(candidate.text):
        return candidate.start
    between = candidate.slice(candidate.previous)
    if len(between) > 2 * _LONGEST or "\n\n" in between[: candidate.start - candidate.previous]:
        return candidate.start
    return candidate.previous
