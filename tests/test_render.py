"""What the page draws: words from outside stay words, markers lead where they say, marks cover the quote exactly."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.find import find_in_text
from index.parse.pdf import Box
from index.types import ConversationInfo, Document, DocumentInfo, Hit, Page, Passage, Signals
from rag.types import Answer, Citation, Conversation, Statement
from ui.web.layout import blocks
from ui.web.render import (
    View,
    render_conversation,
    render_pending,
    render_problem,
    render_suggestions,
)
from ui.web.render_dialogs import render_edit, render_rate, render_rename, render_settings, render_test, render_tried
from ui.web.render_library import render_library, render_outcomes, render_talks, title_filter
from ui.web.render_source import Finds, render_missing, render_page, render_text
from ui.web.render_why import plain
from ui.web.uploads import Outcome, safe_name

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "</mark></p></article><iframe srcdoc='<script>alert(1)</script>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "${alert(1)} `${alert(1)}` {{alert(1)}} {{{x}}} @children",
    "<!-- <b> &lt;b&gt; &amp; ]]>",
]
TAGS = set(
    "div section h1 h2 h3 h4 p span b i ol ul li button small svg path header article mark strong table tr td "
    "blockquote nav img a input form label textarea details summary dl dt dd fieldset legend q aside".split()
)


class Shape(HTMLParser):
    """The tags and attributes of a page, and the text inside `<mark>`."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.marked: list[str] = []
        self.article: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("img", "path", "input"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "path":  # closes itself
            return
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "mark" in self._open:
            self.marked.append(data)
        if "article" in self._open:
            self.article.append(data)


def document(text: str, title: str = "Report", pages: tuple[Page, ...] = ()) -> Document:
    kind = "application/pdf" if pages else "text/plain"
    added = datetime(2026, 1, 1, tzinfo=UTC)
    return Document("0123456789abcdef", "/x", title, text, pages, date(2026, 4, 24), title, kind, None, added)


def citation(marker: int, words: str = "A quote.", **changes: object) -> Citation:
    fields: dict[str, object] = {"title": words, "source": words, "quote": words, **changes}
    return Citation(marker, "0123456789abcdef", published=date(2026, 4, 24), page=2, start=5, end=9, **fields)  # type: ignore[arg-type]


def answer(words: str, *, abstained: bool = False) -> Answer:
    statements = (Statement(words, (1,), 1.0, "supported"), Statement(words, (2,), 0.5, "weak"))
    passage = Passage("0123456789abcdef", 0, len(words), words, 1, words)
    return Answer(
        question=words,
        standalone_question=f"{words} again",
        statements=() if abstained else statements,
        citations=() if abstained else (citation(1, words), citation(2, words)),
        hits=(Hit(passage, 1.0, 1, Signals()),),
        abstained=abstained,
        confidence=0.5,
        searched=3,
        unknown_terms=(words,) if abstained else (),
    )


def assert_harmless(html: str) -> None:
    for tag, attributes in Shape(html).tags:
        assert tag in TAGS, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), name
            assert name not in ("srcdoc", "action", "formaction"), name
            if name == "href":
                assert re.fullmatch(r"/files/[0-9a-f]{16}", value or "")
            if name == "src":
                assert re.fullmatch(r"/pages/[0-9a-f]{16}/\d+\.png", value or "")
            if name == "style":
                assert re.fullmatch(r"[a-z0-9:.%;/-]*", value or "")


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_become_text(words: str) -> None:
    """No title, quote, question, name or message can add a tag or an attribute to the page."""
    conversation = Conversation().add(answer(words)).add(answer(words, abstained=True))
    info = DocumentInfo("0123456789abcdef", words, words, None, words, words, words, datetime.now(UTC), 1, 1, 1)
    statement = Statement(words, (1,), 0.0, "unsupported")
    drawn = [
        render_conversation(
            conversation, render_problem(words, words, words), View(titles={"0123456789abcdef": words})
        ),
        render_pending(words, [statement], [citation(1, words)], 0, "interrupted"),
        render_library([replace(info, tags=(words,))]),
        render_talks([ConversationInfo(words, words, datetime.now(UTC), datetime.now(UTC), 1, words)], words, words),
        render_suggestions([words], words),
        render_rename(words, words),
        render_rate(0, 1),
        render_edit(0, conversation.turns[0]),
        render_test(0, answer(words)),
        render_settings([(words, [(words, words)])]),
        render_tried([(False, words, words)]),
        render_text(document(words, words), 0, 2, finds=Finds(words, [(0, 1), (1, 2)], 1), download=True),
        render_outcomes([Outcome(words, "failed", (words, words))]),
        render_missing(words, words),
        render_text(document(f"{words}\n\n{words} **{words}**\n\n| {words} | b |", words), 3, 40, note=words),
        render_page(document(words, words, (Page(1, 0, len(words), 1, 1),)), 0, 5, 1, [Box(0.1, 0.1, 0.5, 0.1)]),
    ]
    for html in drawn:
        assert_harmless(html)
    assert words in "".join(unescape(piece) for piece in re.split(r"<[^>]*>", drawn[1]))


def test_each_marker_has_one_button_with_a_name() -> None:
    """Statement and marker go together one to one, and a screen reader hears what a marker leads to."""
    drawn = Shape(render_conversation(Conversation().add(answer("Words."))))
    markers = [a for tag, a in drawn.tags if tag == "button" and a.get("class") == "cite"]
    assert [a["aria-label"] for a in markers] == ["Source 1: Words., page 2", "Source 2: Words., page 2"]
    assert {(a["data-document"], a["data-start"], a["data-end"]) for a in markers} == {("0123456789abcdef", "5", "9")}
    keys = [a["data-key"] for tag, a in drawn.tags if "data-key" in a]
    assert len(keys) == len(set(keys)) >= 4


def test_verdict_is_told_in_words_too() -> None:
    """Colour is not the only sign of how well a statement is supported."""
    drawn = Shape(render_conversation(Conversation().add(answer("Words."))))
    verdicts = [a["aria-label"] for tag, a in drawn.tags if (a.get("class") or "").startswith("verdict")]
    assert verdicts == [
        "Supported: the cited words say this",
        "Weak: the cited words say this only in part",
    ]


def test_abstention_does_not_look_like_an_answer() -> None:
    """It says so, and what was searched for, lists what came nearest, and has no markers."""
    html = render_conversation(Conversation().add(answer("Passage text", abstained=True)), View(titles={}))
    assert 'class="answer abstained"' in html
    before, _, after = html.partition("Searched for: Passage text again")
    assert "Not in these documents." in after
    assert "Not in these documents." not in before
    assert "Not in these documents." in html
    assert "Nearest passages" in html
    assert 'class="cite"' not in html


def test_empty_library_says_what_to_do() -> None:
    """The first page of a new library is not a blank one."""
    assert "Add files to the library" in render_conversation(Conversation(), "", View(documents=0))


TEXT = st.text(st.sampled_from(list("ab <&|*#-.\n\n  1")), min_size=1, max_size=120)


@given(text=TEXT, start=st.integers(0, 120), length=st.integers(0, 60))
def test_mark_covers_exactly_the_quote(text: str, start: int, length: int) -> None:
    """The text of all marks together is `text[start:end]`, that of the article the document, to the character."""
    start = min(start, len(text))
    end = min(start + length, len(text))
    drawn = Shape(render_text(document(text), start, end))
    assert "".join(drawn.marked) == text[start:end]
    assert "".join(drawn.article) == text


@given(text=TEXT, start=st.integers(0, 120), length=st.integers(0, 60), letter=st.sampled_from("ab1 "))
def test_search_in_a_document_moves_no_mark(text: str, start: int, length: int, letter: str) -> None:
    """What a search found is drawn over the text without changing a character of it or of the quote."""
    start = min(start, len(text))
    end = min(start + length, len(text))
    spans = find_in_text(text, letter)
    html = render_text(document(text), start, end, finds=Finds(letter, spans, 0))
    drawn = Shape(html)
    assert "".join(drawn.marked) == text[start:end]
    assert "".join(drawn.article) == text
    assert html.count('class="found') >= len(spans)


def test_signs_that_turn_the_direction_of_writing_disguise_no_name() -> None:
    """A file name cannot show its ending backwards in a list."""
    assert plain("invoice\u202egnp.exe \u2066x\u2069\n") == "invoicegnp.exe x"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", ""),
        ("crane fall", 'title="crane" title="fall"'),
        ("type=pdf crane", "type=pdf crane"),
        ('a"b', 'title="a""b"'),
    ],
)
def test_plain_words_filter_by_title(typed: str, meant: str) -> None:
    """Who types words without a condition looks for a title."""
    assert title_filter(typed) == meant


@given(text=TEXT, first=st.integers(0, 120))
def test_blocks_tile_the_text(text: str, first: int) -> None:
    """Every character is in exactly one block, in order."""
    first = min(first, len(text))
    position = first
    for block in blocks(text, first, len(text), {"ab"}):
        assert block.start == position
        assert block.start <= block.body <= block.close <= block.end
        assert block.end > block.start
        position = block.end
    assert position == len(text)


def test_large_document_is_shown_in_part() -> None:
    """Five million characters cost a page of thirty thousand, with a way to more on both sides."""
    text = "Some words of a sentence.\n\n" * 200_000
    html = render_text(document(text), 2_000_000, 2_000_025)
    assert len(html) < 150_000
    assert 'data-more="above"' in html
    assert 'data-more="below"' in html
    assert "".join(Shape(html).marked) == text[2_000_000:2_000_025]


RECORDS = (
    "Ships\n\nName: Tern | Crew: 8\nName: Heron | Crew: 9 | Note: *new*\n\nName: Both | Crew: 17\n\n"
    "Port: Ansel | Name: x\n\nEnd"
)


def test_rows_of_sheets_become_one_table() -> None:
    """Rows with the same columns stand below one header, also where a cell is empty; others get their own."""
    html = render_text(document(RECORDS), 0, 0)
    assert html.count("<table") == 2
    assert [cell.split(">")[1] for cell in html.split("</th>")[:3]][1:] == ["Crew", "Note"]
    assert html.count("<tr>") == 2 + 4
    for start in range(len(RECORDS)):
        for end in (start + 1, start + 9, len(RECORDS)):
            shape = Shape(render_text(document(RECORDS), start, end))
            assert "".join(shape.marked) == RECORDS[start:end]


def test_headers_of_mail_and_front_matter_are_set_apart() -> None:
    """What stands above a text about it is no part of its flow, and its rules are not shown."""
    for text, about in (
        ("Subject: A\nFrom: b\nDate: c\n\nBody.", "Subject: A"),
        ("---\ntitle: A\n---\n\nBody.", "title: A"),
    ):
        first, second = blocks(text, 0, len(text))
        assert (first.style, second.style) == ("meta", "flow")
        assert text[first.body : first.close].startswith(about)
        assert "---" not in text[first.body : first.close]


def test_layout_knows_headings_lists_tables_and_hard_wrapped_lines() -> None:
    """Text that a margin broke is set anew; lines that were meant stay lines."""
    wrapped = "word " * 13 + "end\n" + "word " * 13 + "end\nlast."
    listed = "From: a\nTo: b\n\n- one\n  more\n- two\n\n| a | b |\n| - | - |"
    text = f"# Title\ntext\n\n{wrapped}\n\n{listed}\n\nSummary\n\nBody."
    styles = [block.style for block in blocks(text, 0, len(text), {"Summary"})]
    assert styles == ["heading", "flow", "flow", "lines", "bullet", "bullet", "table", "heading", "flow"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        (".bashrc", "bashrc"),
        ("a\x00b\n<c>.txt", "a_b__c_.txt"),
        ("...", "file"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("Übersicht 2026 – Entwurf.docx", "Übersicht 2026 – Entwurf.docx"),
    ],
)
def test_upload_gets_a_safe_name(name: str, safe: str) -> None:
    """What a browser calls a file cannot lead out of the folder for uploads."""
    assert safe_name(name) == safe
