"""Which passages a model is shown: as many of the best as its window holds, whole or cut at a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from index.sentences import sentence_spans
from index.types import DocumentInfo, Hit

_FRAME = 60  # tokens of a passage's delimiters, title and date


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage as a model is shown it: `number` from 1, and `document.text[start:end]`, which is `text`."""

    number: int
    hit: Hit
    document: DocumentInfo
    start: int
    end: int
    text: str


def choose_passages(
    hits: Sequence[Hit], documents: Mapping[str, DocumentInfo], room: int, count: Callable[[str], int]
) -> list[Shown]:
    """Take the best passages that fit.

    Args:
        hits: Passages, the best first.
        documents: Their documents by id.
        room: Tokens there are for them.
        count: Counts the tokens of a text.

    Returns:
        Passages numbered from 1, the best first. The last may be cut; a later, shorter one never takes the place of
        a better one.
    """
    shown: list[Shown] = []
    left = room
    for hit in hits:
        passage = hit.passage
        left -= _FRAME
        cost = count(passage.text)
        end = len(passage.text) if cost <= left else _cut(passage.text, left, count)
        if end:
            document = documents[passage.document_id]
            start = passage.start
            shown.append(Shown(len(shown) + 1, hit, document, start, start + end, passage.text[:end]))
        left -= cost
        if left <= _FRAME:
            break
    return shown


def _cut(text: str, room: int, count: Callable[[str], int]) -> int:
    """Where the last sentence ends that still fits; 0 if none does."""
    end = 0
    for _, stop in sentence_spans(text):
        if count(text[:stop]) > room:
            break
        end = stop
    return end
