"""From the reader's choice to statements: each cited and checked, with who else says it and who says otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from index.types import DocumentInfo, Hit
from rag.disagree import Said, conflicting, counted, find_disagreements
from rag.grounding.verify import Verifier, normalise
from rag.heard import context_of, count_sources, latest, sentences_of
from rag.reader.read import Chosen
from rag.types import Citation, Disagreement, Sentence, Statement

if TYPE_CHECKING:
    from index.library import Library


class Telling:
    """Makes the statements of one answer; afterwards `disagreements` says where they contradict one another.

    Args:
        question: What was asked.
        standalone_question: The same with what was carried over from the conversation.
        hits: The passages that were read.
        documents: Their documents by id.
        library: Where they come from.
        verifier: Checks each statement against its citation.
    """

    def __init__(
        self,
        question: str,
        standalone_question: str,
        hits: Sequence[Hit],
        documents: Mapping[str, DocumentInfo],
        library: Library,
        verifier: Verifier,
    ) -> None:
        self._question = question if len(question.split()) > 4 else standalone_question
        self._hits, self._documents, self._library = hits, dict(documents), library
        self._verifier = verifier
        self.disagreements: tuple[Disagreement, ...] = ()

    def sentences(self, chosen: Sequence[Chosen]) -> Iterator[Sentence]:
        """State what the reader chose, and then what other documents say to the contrary.

        Args:
            chosen: Stretches of hits, the best first.

        Yields:
            Each statement with its citation, quoted from the newest document that has the same words.
        """
        if not chosen:
            return
        heard = sentences_of(self._hits, self._documents)
        near = self._library.ledger.near(list(self._documents))
        pieces = self._newest(chosen)
        said = [self._said(piece) for piece in pieces]
        taken = [(p.hit.passage.document_id, p.start, p.end) for p in pieces]
        free = [h for h in heard if not any(h.said.document_id == d and h.start < b and a < h.end for d, a, b in taken)]
        added = conflicting(self._question, said, [h.said for h in free])
        for h in (h for s in added for h in free if h.said is s):
            pieces.append(Chosen(h.hit, h.start, h.end, pieces[-1].score))
            said.append(h.said)
        stated = []
        for marker, (piece, claim) in enumerate(zip(pieces, said, strict=True), 1):
            document = self._documents[piece.hit.passage.document_id]
            citation = cite(marker, piece, document, self._library)
            text = normalise(piece.quote)
            checked = self._verifier.check(text, [citation.quote])
            sources = count_sources(text, document.id, heard, near)
            stated.append(replace(claim, marker=marker))
            statement = Statement(
                text, (marker,), checked.score, checked.verdict, claim.highlight, checked.reason, sources
            )
            yield Sentence(statement, (citation,))
        self.disagreements = find_disagreements(self._question, stated)

    def _newest(self, chosen: Sequence[Chosen]) -> list[Chosen]:
        """Take each stretch from the newest document that says it in the same words, without taking anything twice."""
        pieces: list[Chosen] = []
        for piece in chosen:
            hit, start, end = latest((piece.hit, piece.start, piece.end), self._hits, self._documents, self._library)
            if hit.passage.document_id not in self._documents:
                self._documents.update((i.id, i) for i in self._library.documents([hit.passage.document_id]))
            moved = Chosen(hit, start, end, piece.score, _moved(piece, start, end))
            overlaps = any(
                p.hit.passage.document_id == hit.passage.document_id and p.start < end and start < p.end
                for p in [*pieces, *(c for c in chosen if c is not piece)]
            )
            pieces.append(piece if overlaps else moved)
        return pieces

    def _said(self, piece: Chosen) -> Said:
        document = self._documents[piece.hit.passage.document_id]
        text = normalise(piece.quote)
        return Said(
            text, document.id, document.title, document.published,
            highlight=counted(self._question, text, highlight(piece)), context=context_of(piece.hit, piece.start),
        )  # fmt: skip


def _moved(piece: Chosen, start: int, end: int) -> tuple[int, int] | None:
    """Where the exact answer of a stretch stands in the same words elsewhere; `None` if they are spaced otherwise."""
    if piece.answer is None or end - start != piece.end - piece.start:
        return None
    return piece.answer[0] - piece.start + start, piece.answer[1] - piece.start + start


def highlight(piece: Chosen) -> tuple[int, int] | None:
    """Where the exact answer stands in the statement made of a stretch; `None` without one, or if it is all of it."""
    if piece.answer is None:
        return None
    text = normalise(piece.quote)
    inside = normalise(piece.quote_of(*piece.answer))
    before = normalise(piece.quote[: piece.answer[0] - piece.start])
    start = text.find(inside, max(len(before) - 1, 0)) if inside else -1
    whole = len(inside) >= len(text) - 1  # but for its full stop
    return None if start < 0 or whole else (start, start + len(inside))


def cite(marker: int, piece: Chosen, document: DocumentInfo, library: Library) -> Citation:
    """Make the citation of a stretch of a document."""
    page = library.catalog.page_at(document.id, piece.start)
    also = library.catalog.list_documents(piece.hit.also) if piece.hit.also else []
    return Citation(
        marker=marker,
        document_id=document.id,
        title=document.title,
        source=document.source,
        published=document.published,
        page=page.number if page else None,
        page_label=page.label if page else "",
        also=tuple(info.title for info in also),
        start=piece.start,
        end=piece.end,
        quote=piece.quote,
    )
