"""Let the offline reader go on where a language model broke off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rag.types import Sentence
from rag.writing.writer import Written


def go_on(sentences: Iterable[Sentence], written: Written) -> Iterator[Sentence]:
    """Number the reader's sentences after those that were written, and leave out what these already say.

    Args:
        sentences: The reader's, with markers from 1.
        written: What the model wrote before it failed.
    """
    said = {s.text.casefold() for s in written.statements}
    taken = [(c.document_id, c.start, c.end) for c in written.citations]
    marker = len(written.citations)
    for sentence in sentences:
        again = any(c.document_id == d and c.start < b and a < c.end for c in sentence.citations for d, a, b in taken)
        if again or sentence.statement.text.casefold() in said:
            continue
        citations = tuple(replace(c, marker=marker + n) for n, c in enumerate(sentence.citations, 1))
        marker += len(citations)
        yield Sentence(replace(sentence.statement, citations=tuple(c.marker for c in citations)), citations)
