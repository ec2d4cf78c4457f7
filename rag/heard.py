"""What all the passages of a search say, sentence by sentence: who else says it, and who said it last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from index.sentences import sentence_spans
from index.types import DocumentInfo, Hit
from rag.disagree import Said
from rag.grounding.facts import content, months, names, negations, numbers

if TYPE_CHECKING:
    from index.library import Library

_SAME = 0.8  # share of content words from which two sentences with the same values say the same
_CONTEXT = 2  # sentences before one that belong to its context
_LONGEST = 700  # characters of a sentence; what is longer is a table
_WORD = re.compile(r"\w+")

Stretch = tuple[Hit, int, int]
"""A hit and the offsets of a stretch of its passage in the document's text; `end` is exclusive."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A sentence of a hit: what it says, and where it stands in the document's text."""

    said: Said
    hit: Hit
    start: int
    end: int


def sentences_of(hits: Iterable[Hit], documents: Mapping[str, DocumentInfo]) -> list[Heard]:
    """Cut hits into sentences, those that say the same in different documents included."""
    found = []
    for hit in hits:
        passage = hit.passage
        info, text = documents[passage.document_id], passage.text
        spans = sentence_spans(text)
        for i, (start, end) in enumerate(spans):
            if end - start > _LONGEST:
                continue
            before = text[spans[max(0, i - _CONTEXT)][0] : start]
            said = Said(
                " ".join(text[start:end].split()), info.id, info.title, info.published,
                context=f"{passage.heading} {before}",
            )  # fmt: skip
            found.append(Heard(said, hit, passage.start + start, passage.start + end))
    return found


def context_of(hit: Hit, start: int) -> str:
    """What stands above and right before an offset in a hit's document."""
    before = hit.passage.text[: max(0, start - hit.passage.start)]
    spans = sentence_spans(before)[-_CONTEXT:]
    return f"{hit.passage.heading} {before[spans[0][0] :] if spans else ''}"


def latest(stretch: Stretch, hits: Sequence[Hit], documents: Mapping[str, DocumentInfo], library: Library) -> Stretch:
    """Find the newest document that says a stretch in the same words.

    Args:
        stretch: What was chosen.
        hits: All hits.
        documents: Their documents by id.
        library: Gives the passages of near-duplicates, which are not among the hits.

    Returns:
        The place in that document; the stretch itself if none is newer.
    """
    hit, start, end = stretch
    quote = hit.passage.text[start - hit.passage.start : end - hit.passage.start]
    pattern = re.compile(r"\s+".join(map(re.escape, quote.split())))
    best: Stretch = stretch
    newest = documents[hit.passage.document_id].published or date.min
    for other in hits:
        published = documents[other.passage.document_id].published
        if published is not None and published > newest and (match := pattern.search(other.passage.text)):
            base = other.passage.start
            best, newest = (other, base + match.start(), base + match.end()), published
    folded = best[0]
    for info in library.documents(folded.also) if folded.also else ():
        if info.published is None or info.published <= newest:
            continue
        for passage in library.passages(info.id):
            if match := pattern.search(passage.text):
                also = (folded.passage.document_id, *(i for i in folded.also if i != info.id))
                found = replace(folded, passage=passage, also=also)
                best = (found, passage.start + match.start(), passage.start + match.end())
                newest = info.published
                break
    return best


def count_sources(text: str, document_id: str, heard: Sequence[Heard], near: Mapping[str, Mapping[str, float]]) -> int:
    """Count the independent documents that say a statement.

    Args:
        text: The statement.
        document_id: The document it is cited from.
        heard: The sentences of all hits.
        near: Near-duplicates of each document: they, and documents folded into one hit, count once.

    Returns:
        At least 1.
    """
    claim = _Claim(text)
    group: dict[str, str] = {}
    for one in heard:
        here = group.setdefault(one.said.document_id, one.said.document_id)
        for other in (*one.hit.also, *near.get(one.said.document_id, ())):
            there = group.get(other, other)
            group = {name: here if g == there else g for name, g in group.items()} | {other: here}
    saying = {document_id} | {h.said.document_id for h in heard if claim.same(h.said.text)}
    return len({group.get(name, name) for name in saying})


class _Claim:
    """A statement in a form in which others can be compared with it."""

    def __init__(self, text: str) -> None:
        spans = sentence_spans(text)
        self._texts = [text] if len(spans) < 2 else [text, text[slice(*spans[-1])]]  # the last one carries the answer
        self._bare = [_bare(t) for t in self._texts]
        self._words = set(content(self._texts[-1]))
        self._facts = _facts(self._texts[-1])
        self._names = {n.lower() for n in names(self._texts[-1])}

    def same(self, text: str) -> bool:
        """Whether a sentence says the same: in the same words, or with the same values and nearly the same words."""
        if _bare(text) in self._bare:
            return True
        words = set(content(text))
        shared = len(words & self._words)
        if len(self._words) < 3 or shared < _SAME * max(len(self._words), 1) or shared < _SAME * len(words):
            return False
        other_names = {n.lower() for n in names(text)}
        return self._facts == _facts(text) and self._names <= words and other_names <= self._words


def _bare(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _facts(text: str) -> tuple[object, ...]:
    return sorted((n.value, n.unit) for n in numbers(text)), months(text), negations(text) % 2
