"""The source panel as HTML. Pure functions; everything from a document is escaped here, once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from html import escape

from index.parse.pdf import Box
from index.types import Document
from rag.types import page_name
from ui.web.layout import Block, blocks
from ui.web.render import KINDS, place, render_notice, written_date

WINDOW = 15_000
"""Characters of a document shown before and after a quote at first, and added by each "show more"."""

_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*")
_RULE = re.compile(r"[|\s:-]+")
_EDGE = 400


def render_text(
    document: Document,
    start: int,
    end: int,
    *,
    before: int = WINDOW,
    after: int = WINDOW,
    headings: Collection[str] = (),
    note: str = "",
    switch: bool = False,
) -> str:
    """Draw a document as text with a stretch of it marked.

    Args:
        document: The document.
        start: First marked character, code points from 0.
        end: One past the last; equal to `start` to mark nothing.
        before: Characters shown before the mark.
        after: Characters shown after it.
        headings: Titles to set as headings.
        note: A sentence about how it is shown.
        switch: Whether there is a page view to change to.

    Returns:
        HTML. The text of all `<mark>` elements together is exactly `document.text[start:end]`.
    """
    text = document.text
    start = min(max(start, 0), len(text))
    end = min(max(end, start), len(text))
    first, last = _window(text, start, end, before, after)
    body = "".join(_block(text, block, start, end) for block in blocks(text, first, last, headings))
    where = place(document.id, start, end)
    above = below = ""
    if first > 0:
        wider = f'data-view="text" data-before="{before + WINDOW}" data-after="{after}"'
        above = f'<button type="button" class="more" data-more="above" {where} {wider}>Show more above</button>'
    if last < len(text):
        wider = f'data-view="text" data-before="{before}" data-after="{after + WINDOW}"'
        below = f'<button type="button" class="more" data-more="below" {where} {wider}>Show more below</button>'
    page = next((p.number for p in reversed(document.pages) if p.start <= start), None) if end > start else None
    head = _head(document, start, end, page, _views(document, start, end, "text") if switch else "")
    told = f'<p class="aside">{escape(note)}</p>' if note else ""
    return f'{head}<div class="body">{told}{above}<article class="text" dir="auto">{body}</article>{below}</div>'


def _window(text: str, start: int, end: int, before: int, after: int) -> tuple[int, int]:
    """Choose what to show: whole paragraphs where their edges are near."""
    first, last = max(start - max(before, 0), 0), min(end + max(after, 0), len(text))
    if first > 0:
        edge = text.find("\n\n", first, min(first + _EDGE, start))
        first = edge + 2 if edge >= 0 else first
    if last < len(text):
        edge = text.rfind("\n\n", max(last - _EDGE, end), last)
        last = edge if edge >= 0 else last
    return first, last


def _block(text: str, block: Block, start: int, end: int) -> str:
    gap = f'<span class="hidden">{_marked(text, block.close, block.end, start, end)}</span>'
    if block.style == "table":
        rows = "".join(_row(text, a, b, start, end) for a, b in _lines(text, block.start, block.close))
        return f'<div class="table"><table>{rows}</table>{gap}</div>'
    hidden = ""
    if block.body > block.start:
        hidden = f'<span class="hidden">{_marked(text, block.start, block.body, start, end)}</span>'
    inside = f"{hidden}{_marked(text, block.body, block.close, start, end, bold=True)}{gap}"
    return f"<h4>{inside}</h4>" if block.style == "heading" else f'<p class="{block.style}" dir="auto">{inside}</p>'


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The lines of a stretch, each with its line break."""
    while start < end:
        stop = text.find("\n", start, end) + 1 or end
        yield start, stop
        start = stop


def _row(text: str, first: int, last: int, start: int, end: int) -> str:
    """Draw a line `| a | b |` as a row of a table; its bars stay in the page, hidden."""
    bars = [i for i in range(first, last) if text[i] == "|" and text[i - 1 : i] != "\\"]
    rule = " class='hidden'" if _RULE.fullmatch(text, first, last) else ""
    edges = [first, *bars[1:-1], last] if len(bars) > 2 else [first, last]
    cells = []
    for a, b in zip(edges, edges[1:], strict=False):
        words = text[a:b]
        left = a + len(words) - len(words.lstrip("| \t"))
        right = max(left, a + len(words.rstrip("| \t\n")))
        edge = f'<span class="hidden">{_marked(text, a, left, start, end)}</span>'
        tail = f'<span class="hidden">{_marked(text, right, b, start, end)}</span>'
        cells.append(f"<td>{edge}{_marked(text, left, right, start, end, bold=True)}{tail}</td>")
    return f"<tr{rule}>{''.join(cells)}</tr>"


def _marked(text: str, first: int, last: int, start: int, end: int, *, bold: bool = False) -> str:
    """Write `text[first:last]` with what lies in `[start, end)` inside `<mark>`."""
    set_ = _bold if bold else lambda text, a, b: escape(text[a:b])
    a, b = max(first, start), min(last, end)
    if a >= b:
        return set_(text, first, last)
    return f"{set_(text, first, a)}<mark>{set_(text, a, b)}</mark>{set_(text, b, last)}"


def _bold(text: str, first: int, last: int) -> str:
    parts = []
    for found in _BOLD.finditer(text, first, last):
        a, b = found.span()
        star = '<span class="hidden">**</span>'
        parts.append(f"{escape(text[first:a])}{star}<strong>{escape(found[1])}</strong>{star}")
        first = b
    return "".join([*parts, escape(text[first:last])])


def render_page(document: Document, start: int, end: int, number: int, boxes: Sequence[Box]) -> str:
    """Draw a PDF's page as a picture with boxes over the quote, and buttons to turn pages.

    Args:
        document: The document.
        start: First character of the quote, code points from 0.
        end: One past the last; equal to `start` if there is none.
        number: The page, from 1.
        boxes: Where on this page the quote is.

    Returns:
        HTML.
    """
    count = len(document.pages)
    where = place(document.id, start, end)
    marks = "".join(
        f'<i class="box" style="left:{100 * b.left:.3f}%;top:{100 * b.top:.3f}%;'
        f'width:{100 * b.width:.3f}%;height:{100 * b.height:.3f}%"></i>'
        for b in boxes
    )
    sheet = document.pages[number - 1]
    turn = [
        f'<button type="button" {where} data-page="{to}" aria-label="{name} page"'
        f"{'' if 1 <= to <= count else ' disabled'}>{arrow}</button>"
        for to, name, arrow in ((number - 1, "Previous", "‹"), (number + 1, "Next", "›"))
    ]
    quote = " ".join(document.text[start:end].split())
    pages = f'<nav class="turn-page" aria-label="Pages">{turn[0]}<span>Page {number} of {count}</span>{turn[1]}</nav>'
    cited = f'<blockquote dir="auto">{escape(quote)}</blockquote>' if quote else ""
    return (
        f"{_head(document, start, end, number, _views(document, start, end, 'page') + pages)}"
        f'<div class="body">{cited}<div class="sheet" style="aspect-ratio:{sheet.width:.2f}/{sheet.height:.2f}">'
        f'<img src="/pages/{escape(document.id)}/{number}.png" alt="Page {number} of {escape(document.title)}">'
        f"{marks}</div></div>"
    )


def render_missing(message: str, remedy: str) -> str:
    """Draw a source that cannot be shown."""
    return f'<header><h3>Source</h3>{_CLOSE}</header><div class="body">{render_notice(message, remedy)}</div>'


_CLOSE = '<button type="button" class="close" data-close aria-label="Close the source">×</button>'


def _head(document: Document, start: int, end: int, page: int | None, tools: str) -> str:
    facts = [
        KINDS.get(document.media_type, ""),
        written_date(document.published),
        document.author or "",
        page_name(page, document.pages[page - 1].label) if page else "",
        f"characters {start:,}–{end:,}" if end > start else "",
    ]
    bar = f'<div class="tools">{tools}</div>' if tools else ""
    told = " · ".join(f"<span>{escape(fact)}</span>" for fact in facts if fact)
    return f'<header><h3 dir="auto">{escape(document.title)}</h3><p class="facts">{told}</p>{bar}{_CLOSE}</header>'


def _views(document: Document, start: int, end: int, current: str) -> str:
    where = place(document.id, start, end)
    buttons = "".join(
        f'<button type="button" {where} data-view="{view}" aria-pressed="{"true" if view == current else "false"}">'
        f"{name}</button>"
        for view, name in (("page", "Page"), ("text", "Text"))
    )
    return f'<div class="views" role="group" aria-label="View">{buttons}</div>'
