"""What the page draws: everything foreign is escaped, markers and marks are exact."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import unescape
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from index.parse.pdf import Box
from index.types import AddReport, Document, DocumentInfo, Failure, Hit, Page, Passage, Signals
from rag.types import Answer, Citation, Conversation, Statement
from ui.web.render import (
    render_answer,
    render_conversation,
    render_library,
    render_page_image,
    render_pending,
    render_problem,
    render_report,
    render_source,
)

HOSTILE = (
    '<script>window.hit=1</script><img src=x onerror="window.hit=1">${window.hit=1}{{window.hit=1}}`\'" javascript:'
)


class Tags(HTMLParser):
    """Collects the tags and attributes that a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


OURS = {
    "section",
    "div",
    "p",
    "b",
    "i",
    "span",
    "button",
    "ol",
    "ul",
    "li",
    "h2",
    "h3",
    "h4",
    "header",
    "mark",
    "nav",
    "img",
}
OURS |= {"blockquote"}


def document(text: str, title: str = "T", pages: tuple[Page, ...] = ()) -> Document:
    return Document(
        "0" * 16, "/x", title, text, pages, date(2026, 1, 2), HOSTILE, "text/plain", None, datetime.now(UTC)
    )


def answer(text: str, *, abstained: bool = False) -> Answer:
    citation = Citation(1, "0" * 16, text, text, date(2026, 1, 2), 3, 5, 9, text)
    passage = Passage("0" * 16, 0, len(text), text, 1, text)
    return Answer(
        text,
        text + "?",
        () if abstained else (Statement(text, (1,), 1.0, "supported"),),
        () if abstained else (citation,),
        (Hit(passage, 1.0, 1, Signals()),),
        abstained,
        0.5,
        searched=2,
        unknown_terms=(text,) if abstained else (),
    )


def everything(text: str) -> list[str]:
    info = DocumentInfo("0" * 16, text, text, None, text, "text/plain", None, datetime.now(UTC), 1, 0, 1)
    sheet = document(text, text, (Page(1, 0, len(text), 600.0, 800.0),))
    return [
        render_answer(answer(text), 0, {}),
        render_answer(answer(text, abstained=True), 0, {"0" * 16: text}),
        render_conversation(Conversation().add(answer(text))),
        render_pending(text, answer(text).statements, answer(text).citations, 0),
        render_problem(text, text, text),
        render_report(AddReport(failed=(Failure(text, "E", text, text),), notes=((text, text),))),
        render_library([info]),
        render_source(document(text, text), 0, min(3, len(text))),
        render_page_image(sheet, 0, 2, 1, [Box(0.1, 0.1, 0.2, 0.02)]),
    ]


def test_hostile_text_becomes_text() -> None:
    """No tag or attribute comes from a document, a question or a model."""
    for html in everything(HOSTILE):
        seen = Tags(html)
        assert seen.tags <= OURS
        assert not any(name.startswith("on") for name in seen.attributes)
        assert "src" not in seen.attributes or ("img" in seen.tags and 'src="/pages/' in html)


@given(st.text(max_size=60))
def test_any_text_becomes_text(text: str) -> None:
    """The same for whatever text there is."""
    for html in everything(text or "x"):
        assert Tags(html).tags <= OURS


@given(st.text(alphabet="ab <>&\n'\"é東", min_size=1, max_size=80), st.data())
def test_mark_holds_exactly_the_quote(text: str, data: st.DataObject) -> None:
    """The marked characters are the cited ones, and the whole text is there around them."""
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    html = render_source(document(text), start, end)
    marked = re.search(r"<mark id=\"quote\">(.*?)</mark>", html, re.DOTALL)
    assert marked is not None
    assert unescape(marked.group(1)) == text[start:end]
    shown = re.search(r"<div class=\"text\" dir=\"auto\">(.*)</div>", html, re.DOTALL)
    assert shown is not None
    assert unescape(re.sub(r"</?mark[^>]*>", "", shown.group(1))) == text


def test_long_document_shows_a_window_and_says_what_is_left_out() -> None:
    """A book does not go to the browser whole."""
    html = render_source(document("word " * 100_000), 250_000, 250_010)
    assert len(html) < 30_000
    assert "characters before this are not shown" in html
    assert "characters after this are not shown" in html


def test_marker_carries_its_place_and_a_spoken_name() -> None:
    """A marker says which characters of which document it stands for, and has a label."""
    html = render_answer(answer("Berth nine"), 0, {})
    assert html.count('data-start="5" data-end="9"') == 2
    assert 'aria-label="Source 1: Berth nine"' in html


def test_empty_library_says_what_to_do() -> None:
    """The first thing a newcomer sees is what to do."""
    assert "Add files" in render_conversation(Conversation(), documents=0)
    assert "Ask your one document" in render_conversation(Conversation(), documents=1)
