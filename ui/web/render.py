"""Answers and documents as HTML. Pure functions; everything from a document, a question or a model is escaped here.

What these functions return is put into the page as it is, so the only markup in it is the markup written below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from index.parse.pdf import Box
from index.types import AddReport, Document, DocumentInfo, Hit
from rag.types import Answer, Citation, Conversation, Statement, Turn, abstention_text

WINDOW = 12_000
"""Characters of a document shown before and after a quote; more is fetched on demand."""

_KINDS = {
    "text/plain": "TXT",
    "text/markdown": "MD",
    "text/html": "HTML",
    "application/pdf": "PDF",
    "message/rfc822": "EML",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
}
_VERDICTS = {
    "supported": ("✓", "Supported: the cited words say this"),
    "weak": ("~", "Weak: the cited words say this only in part"),
    "unsupported": ("!", "Unsupported: the cited words do not say this"),
}


def render_conversation(conversation: Conversation, pending: str = "", *, documents: int = 1) -> str:
    """Draw a whole conversation.

    Args:
        conversation: The turns so far.
        pending: HTML of a turn that is still being answered.
        documents: How many documents the library holds; 0 gives the first-run hint.

    Returns:
        HTML.
    """
    if not conversation.turns and not pending:
        return _welcome(documents)
    return "".join(render_turn(turn, n) for n, turn in enumerate(conversation.turns)) + pending


def _welcome(documents: int) -> str:
    if documents == 0:
        return (
            '<div class="welcome"><h2>No documents yet</h2>'
            "<p>Add files with the button in the library, then ask about them here.</p></div>"
        )
    count = "one document" if documents == 1 else f"{documents} documents"
    return (
        f'<div class="welcome"><h2>Ask your {count}</h2>'
        "<p>Every sentence of an answer is taken word for word from a source. "
        "Choose a number like <span class='cite sample'>1</span> to see where it stands.</p></div>"
    )


def render_turn(turn: Turn, number: int, titles: Mapping[str, str] | None = None) -> str:
    """Draw one question and its answer."""
    if turn.answer is None:
        body = f'<div class="answer"><p>{_text(turn.text)}</p></div>'
    else:
        body = render_answer(turn.answer, number, titles or {})
    return f'<section class="turn">{render_question(turn.question)}{body}</section>'


def render_question(question: str) -> str:
    """Draw a question."""
    return f'<div class="question"><p dir="auto">{_text(question)}</p></div>'


def render_pending(question: str, statements: Sequence[Statement], citations: Sequence[Citation], number: int) -> str:
    """Draw a turn whose answer is still coming."""
    by_marker = {c.marker: c for c in citations}
    said = "".join(_statement(s, by_marker, number) for s in statements)
    waiting = '<p class="waiting" role="status">Reading the documents<span class="dots">…</span></p>'
    return f'<section class="turn">{render_question(question)}<div class="answer">{said or waiting}</div></section>'


def render_problem(question: str, message: str, remedy: str) -> str:
    """Draw a question that could not be answered, with what to do."""
    return (
        f'<section class="turn">{render_question(question)}<div class="answer problem" role="alert">'
        f"<p>{_text(message)}</p><p>{_text(remedy)}</p></div></section>"
    )


def render_answer(answer: Answer, number: int, titles: Mapping[str, str]) -> str:
    """Draw an answer: statements with markers and a list of sources, or an abstention with the nearest passages.

    Args:
        answer: The answer.
        number: Index of its turn; makes element ids unique.
        titles: Title of each hit's document, by id.

    Returns:
        HTML.
    """
    if answer.abstained:
        return _abstention(answer, titles)
    by_marker = {c.marker: c for c in answer.citations}
    said = "".join(_statement(s, by_marker, number) for s in answer.statements)
    sources = "".join(f"<li>{_marker(c, number, plain=True)}<span>{_facts(c)}</span></li>" for c in answer.citations)
    rewritten = ""
    if answer.standalone_question != answer.question:
        rewritten = f'<p class="searched">Searched for: {_text(answer.standalone_question)}</p>'
    return f'<div class="answer">{said}{rewritten}<ol class="sources" aria-label="Sources">{sources}</ol></div>'


def _statement(statement: Statement, citations: Mapping[int, Citation], number: int) -> str:
    markers = "".join(_marker(citations[m], number) for m in statement.citations if m in citations)
    sign, meaning = _VERDICTS[statement.verdict]
    mark = f'<span class="verdict {statement.verdict}" title="{meaning}" aria-label="{meaning}">{sign}</span>'
    return f'<p class="statement" dir="auto">{_text(statement.text)} {markers}{mark}</p>'


def _marker(citation: Citation, number: int, *, plain: bool = False) -> str:
    quote = " ".join(citation.quote.split())
    label = f"Source {citation.marker}: {citation.title}"
    return (
        f'<button type="button" class="cite{" plain" if plain else ""}" {_place(citation)} '
        f'data-title="{escape(citation.title)}" data-facts="{escape(_when_and_page(citation))}" '
        f'data-quote="{escape(quote[:400])}" aria-label="{escape(label)}">{citation.marker}</button>'
    )


def _place(citation: Citation) -> str:
    return f'data-document="{escape(citation.document_id)}" data-start="{citation.start}" data-end="{citation.end}"'


def _when_and_page(citation: Citation) -> str:
    parts = [
        citation.published.isoformat() if citation.published else "",
        f"p. {citation.page}" if citation.page else "",
    ]
    return " · ".join(part for part in parts if part)


def _facts(citation: Citation) -> str:
    extra = _when_and_page(citation)
    return f'<b dir="auto">{_text(citation.title)}</b>{f" <i>{escape(extra)}</i>" if extra else ""}'


def _abstention(answer: Answer, titles: Mapping[str, str]) -> str:
    items = "".join(_nearest(hit, titles) for hit in answer.hits[:3])
    near = f"<h4>Nearest passages</h4><ul>{items}</ul>" if items else ""
    said = abstention_text(answer.searched, answer.unknown_terms).removeprefix("Not in these documents:").strip()
    text = f"<p><b>Not in these documents.</b> {_text(said[:1].upper() + said[1:])}</p>"
    return f'<div class="answer abstained" role="note">{text}{near}</div>'


def _nearest(hit: Hit, titles: Mapping[str, str]) -> str:
    passage = hit.passage
    where = f' data-document="{escape(passage.document_id)}" data-start="{passage.start}" data-end="{passage.end}"'
    title = titles.get(passage.document_id, "Passage")
    page = f" <i>p. {passage.page}</i>" if passage.page else ""
    text = " ".join(passage.text.split())
    return (
        f'<li><button type="button" class="near"{where}><b dir="auto">{_text(title)}</b>{page}'
        f'<span dir="auto">{_text(text[:180])}…</span></button></li>'
    )


def render_library(documents: Sequence[DocumentInfo]) -> str:
    """Draw the list of documents."""
    items = "".join(
        f'<li><button type="button" class="document" data-document="{escape(d.id)}" data-start="0" data-end="0">'
        f'<span class="kind">{_KINDS.get(d.media_type, "DOC")}</span>'
        f'<span class="name" dir="auto">{_text(d.title)}</span>'
        f'<span class="date">{d.published.isoformat() if d.published else "undated"}</span></button></li>'
        for d in sorted(documents, key=lambda d: (d.published is None, d.published, d.title))
    )
    return f'<h2>Library <span class="count">{len(documents)}</span></h2><ul class="documents">{items}</ul>'


def render_report(report: AddReport) -> str:
    """Draw what came of an upload, a row for each failure with its reason and remedy."""
    counts = [(len(report.added), "added"), (len(report.updated), "replaced"), (len(report.unchanged), "known already")]
    said = ", ".join(f"{n} {word}" for n, word in counts if n) or "Nothing was added"
    rows = "".join(
        f"<li><b>{_text(f.source.rsplit('/', 1)[-1])}</b> {_text(f.message)} {_text(f.remedy)}</li>"
        for f in report.failed
    )
    notes = "".join(f"<li>{_text(note)}</li>" for _, note in report.notes)
    return f'<div class="report" role="status"><p>{said}.</p><ul class="failed">{rows}</ul><ul>{notes}</ul></div>'


def render_source(document: Document, start: int, end: int) -> str:
    """Draw a document as text with a stretch of it marked.

    Args:
        document: The document.
        start: First marked character, code points from 0.
        end: One past the last; equal to `start` to mark nothing.

    Returns:
        HTML: a head, and the text around the mark, every character of the mark inside `<mark>`.
    """
    text = document.text
    start = min(max(start, 0), len(text))
    end = min(max(end, start), len(text))
    first, last = max(start - WINDOW, 0), min(end + WINDOW, len(text))
    body = _text(text[first:last])
    if end > start:
        body = f'{_text(text[first:start])}<mark id="quote">{_text(text[start:end])}</mark>{_text(text[end:last])}'
    more = []
    if first > 0:
        more.append(f"{first:,} characters before this are not shown.")
    if last < len(text):
        more.append(f"{len(text) - last:,} characters after this are not shown.")
    note = f'<p class="cut">{" ".join(more)}</p>' if more else ""
    return f'{render_source_head(document, start, end)}{note}<div class="text" dir="auto">{body}</div>'


def render_source_head(document: Document, start: int, end: int, page: int | None = None) -> str:
    """Draw the head of the source panel: title, facts and the button that closes it."""
    facts = [
        _KINDS.get(document.media_type, ""),
        document.published.isoformat() if document.published else "",
        document.author or "",
        f"page {page} of {len(document.pages)}" if page else "",
        f"characters {start:,}–{end:,}" if end > start else "",
    ]
    return (
        '<header><button type="button" class="close" data-close aria-label="Close the source">×</button>'
        f'<h3 dir="auto">{_text(document.title)}</h3>'
        f'<p class="facts">{_text(" · ".join(f for f in facts if f))}</p></header>'
    )


def render_page_image(document: Document, start: int, end: int, page: int, boxes: Sequence[Box]) -> str:
    """Draw a PDF's page as a picture with boxes over the quote, and buttons to turn pages."""
    marks = "".join(
        f'<i class="box" style="left:{100 * b.left:.3f}%;top:{100 * b.top:.3f}%;'
        f'width:{100 * b.width:.3f}%;height:{100 * b.height:.3f}%"></i>'
        for b in boxes
    )
    sheet = document.pages[page - 1]
    turn = "".join(
        f'<button type="button" data-turn="{to}" {"" if 1 <= to <= len(document.pages) else "disabled"} '
        f'data-document="{escape(document.id)}" data-start="{start}" data-end="{end}">{name}</button>'
        for to, name in ((page - 1, "‹ Previous page"), (page + 1, "Next page ›"))
    )
    quote = (
        f'<blockquote id="quote-text" dir="auto">{_text(document.text[start:end])}</blockquote>' if end > start else ""
    )
    return (
        f"{render_source_head(document, start, end, page)}{quote}"
        f'<nav class="turn-page" aria-label="Pages">{turn}</nav>'
        f'<div class="sheet" style="aspect-ratio:{sheet.width:.2f}/{sheet.height:.2f}">'
        f'<img src="/pages/{escape(document.id)}/{page}.png" alt="Page {page} of the document">{marks}</div>'
    )


def _text(text: str) -> str:
    return escape(text)
