"""The source panel as HTML. Pure functions; everything from a document is escaped here, once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

from index.parse.pdf import Box
from index.types import Document
from rag.types import page_name
from ui.web.icons import icon
from ui.web.layout import blocks
from ui.web.render import KINDS, render_notice, written_date
from ui.web.render_text import NOTHING, Finds, Layers, render_blocks
from ui.web.render_why import place, plain
from ui.web.strings import say

WINDOW = 15_000
"""Characters of a document shown before and after a quote at first, and added by each "show more"."""
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
    finds: Finds = NOTHING,
    download: bool = False,
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
        finds: What a search in it found; the window is then around the place at hand.
        download: Whether the original can be downloaded.

    Returns:
        HTML. The text of all `<mark>` elements together is exactly `document.text[start:end]`.
    """
    text = document.text
    start = min(max(start, 0), len(text))
    end = min(max(end, start), len(text))
    centre = finds.spans[finds.at] if finds.spans else (start, end)
    first, last = _window(text, *centre, before, after)
    layers = Layers(start, end, finds)
    body = render_blocks(text, blocks(text, first, last, headings), layers)
    where = place(document.id, start, end)
    above = below = ""
    if first > 0:
        wider = f'data-view="text" data-before="{before + WINDOW}" data-after="{after}"'
        above = f'<button type="button" class="more" data-more="above" {where} {wider}>'
        above += f"{escape(say('source.above'))}</button>"
    if last < len(text):
        wider = f'data-view="text" data-before="{before}" data-after="{after + WINDOW}"'
        below = f'<button type="button" class="more" data-more="below" {where} {wider}>'
        below += f"{escape(say('source.below'))}</button>"
    page = next((p.number for p in reversed(document.pages) if p.start <= start), None) if end > start else None
    switches = _views(document, start, end, "text") if switch else ""
    head = _head(document, start, end, page, switches, finds=finds, view="text", download=download)
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


def render_page(
    document: Document,
    start: int,
    end: int,
    number: int,
    boxes: Sequence[Box],
    *,
    finds: Finds = NOTHING,
    found: Sequence[tuple[bool, Box]] = (),
    download: bool = False,
) -> str:
    """Draw a PDF's page as a picture with boxes over the quote, and buttons to turn pages.

    Args:
        document: The document.
        start: First character of the quote, code points from 0.
        end: One past the last; equal to `start` if there is none.
        number: The page, from 1.
        boxes: Where on this page the quote is.
        finds: What a search in the document found.
        found: Where on this page it is, each with whether it is the place at hand.
        download: Whether the original can be downloaded.

    Returns:
        HTML.
    """
    count = len(document.pages)
    where = place(document.id, start, end)
    marks = "".join(_box("box", b) for b in boxes) + "".join(_box("found now" if n else "found", b) for n, b in found)
    sheet = document.pages[number - 1]
    words = f' data-query="{escape(finds.query)}" data-at="{finds.at}"' if finds.query else ""
    turn = [
        f'<button type="button" class="icon" {where} data-page="{to}"{words} '
        f'aria-label="{escape(say(f"source.{name}_page"))}"'
        f"{'' if 1 <= to <= count else ' disabled'}>{icon(name)}</button>"
        for to, name in ((number - 1, "previous"), (number + 1, "next"))
    ]
    quote = " ".join(document.text[start:end].split())
    told = escape(say("source.page", n=number, count=count))
    pages = (
        f'<nav class="turn-page" aria-label="{escape(say("source.pages"))}">{turn[0]}<span>{told}</span>{turn[1]}</nav>'
    )
    cited = f'<blockquote dir="auto">{escape(quote)}</blockquote>' if quote else ""
    title = escape(say("source.page.alt", n=number, title=plain(document.title)))
    tools = _views(document, start, end, "page") + pages
    return (
        f"{_head(document, start, end, number, tools, finds=finds, view='page', download=download)}"
        f'<div class="body">{cited}<div class="sheet-room" tabindex="0"><div class="sheet" '
        f'style="aspect-ratio:{sheet.width:.2f}/{sheet.height:.2f}">'
        f'<img src="/pages/{escape(document.id)}/{number}.png" alt="{title}">{marks}</div></div></div>'
    )


def _box(kind: str, b: Box) -> str:
    return (
        f'<i class="{kind}" style="left:{100 * b.left:.3f}%;top:{100 * b.top:.3f}%;'
        f'width:{100 * b.width:.3f}%;height:{100 * b.height:.3f}%"></i>'
    )


def render_missing(message: str, remedy: str) -> str:
    """Draw a source that cannot be shown."""
    title = escape(say("source.title"))
    return f'<header><h3>{title}</h3>{_close()}</header><div class="body">{render_notice(message, remedy)}</div>'


def _close() -> str:
    label = escape(say("source.close"))
    return f'<button type="button" class="close" data-close aria-label="{label}" title="{label}">×</button>'


def _head(
    document: Document,
    start: int,
    end: int,
    page: int | None,
    tools: str,
    *,
    finds: Finds,
    view: str,
    download: bool,
) -> str:
    facts = [
        KINDS.get(document.media_type, ""),
        written_date(document.published),
        plain(document.author or ""),
        page_name(page, document.pages[page - 1].label) if page else "",
        say("source.characters", start=start, end=end) if end > start else "",
    ]
    told = " · ".join(f'<span dir="auto">{escape(fact)}</span>' for fact in facts if fact)
    bar = f'<div class="tools">{tools}{_reading_tools(document, start, end, finds, view, download)}</div>'
    cites = (
        '<nav class="cites" hidden><button type="button" class="icon" data-act="cite-previous" '
        f'aria-label="{escape(say("source.cite_previous"))}" title="{escape(say("source.cite_previous"))}">'
        f'{icon("previous")}</button><span></span><button type="button" class="icon" data-act="cite-next" '
        f'aria-label="{escape(say("source.cite_next"))}" title="{escape(say("source.cite_next"))}">{icon("next")}'
        "</button></nav>"
    )
    return (
        f'<header><h3 dir="auto">{escape(plain(document.title))}</h3><p class="facts">{told}</p>{bar}{cites}{_close()}'
        "</header>"
    )


def _reading_tools(document: Document, start: int, end: int, finds: Finds, view: str, download: bool) -> str:
    """Search in the document, zoom, download."""
    zoom = "".join(
        f'<button type="button" class="icon" data-act="{name}" aria-label="{escape(say(label))}" '
        f'title="{escape(say(label))}">{icon(name)}</button>'
        for name, label in (("smaller", "source.zoom_out"), ("larger", "source.zoom_in"))
    )
    label = escape(say("source.download"))
    link = (
        f'<a class="icon" href="/files/{escape(document.id)}" download aria-label="{label}" title="{label}">'
        f"{icon('export')}</a>"
        if download
        else ""
    )
    where = f'{place(document.id, start, end)} data-view="{view}" data-query="{escape(finds.query)}"'
    told, steps = "", ""
    if finds.query:
        many = len(finds.spans)
        told = say("source.found", n=finds.at + 1, count=many) if many else say("source.found_none")
        steps = "".join(
            f'<button type="button" class="icon" {where} data-at="{(finds.at + step) % many if many else 0}" '
            f'aria-label="{escape(say(label))}" title="{escape(say(label))}"{"" if many else " disabled"}>{icon(name)}'
            "</button>"
            for step, name, label in ((-1, "up", "source.found_previous"), (1, "down", "source.found_next"))
        )
    find = escape(say("source.find"))
    search = (
        f'<form class="find" role="search" {where}><input type="search" name="query" value="{escape(finds.query)}" '
        f'placeholder="{escape(say("source.find.hint"))}" aria-label="{find}" autocomplete="off" dir="auto">'
        f'<span role="status">{escape(told)}</span>{steps}</form>'
    )
    return f'{search}<div class="zoom">{zoom}{link}</div>'


def _views(document: Document, start: int, end: int, current: str) -> str:
    where = place(document.id, start, end)
    buttons = "".join(
        f'<button type="button" {where} data-view="{view}" aria-pressed="{"true" if view == current else "false"}">'
        f"{escape(say(f'source.view.{view}'))}</button>"
        for view in ("page", "text")
    )
    return f'<div class="views" role="group" aria-label="{escape(say("source.view"))}">{buttons}</div>'
