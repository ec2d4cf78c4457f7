"""A person asks in a real browser, follows a citation and sees the words."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Server, Visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
QUESTION = "How many days did the fleet spend on patrol in 2025?"
IN_PDF = "How many of the weekly safety records could be found?"


def in_view(visit: Visit, selector: str) -> bool:
    return bool(
        visit.page.evaluate(
            "s => { const r = document.querySelector(s).getBoundingClientRect(); "
            "return r.width > 0 && r.top >= 0 && r.bottom <= innerHeight && r.left >= 0 && r.right <= innerWidth; }",
            selector,
        )
    )


def test_question_gets_a_cited_answer_whose_citation_shows_the_words(visit: Visit) -> None:
    """Ask, click the marker: the source opens beside the answer with exactly the quoted words marked and in view."""
    visit.shoot("start")
    visit.ask(QUESTION)
    visit.shoot("answer")
    marker = visit.page.locator(".statement button.cite").first
    quote = marker.get_attribute("data-quote")
    assert quote
    assert "2,140" in visit.page.locator(".statement").first.inner_text()
    marker.click()
    visit.page.wait_for_selector("#source mark")
    visit.page.wait_for_timeout(400)
    marked = " ".join(visit.page.locator("#source mark").text_content().split())
    assert marked[:400] == quote
    assert in_view(visit, "#source mark")
    visit.shoot("source-text")
    visit.page.keyboard.press("Escape")
    assert not visit.page.locator("#source-pane").is_visible()
    assert visit.page.evaluate("document.activeElement.className").startswith("cite")


def test_citation_of_a_pdf_shows_its_page_with_the_quote_boxed(visit: Visit) -> None:
    """The page's picture is there, boxes lie on it in view, and pages can be turned."""
    visit.ask(IN_PDF)
    marker = visit.page.locator(".statement button.cite[data-facts*='p. ']").first
    marker.click()
    visit.page.wait_for_selector("#source .sheet .box")
    visit.page.wait_for_function("document.querySelector('#source img').naturalWidth > 0")
    visit.page.wait_for_timeout(400)
    assert in_view(visit, "#source .box")
    assert "61 were found" in visit.page.locator("#quote-text").inner_text()
    visit.shoot("source-pdf")
    before = visit.page.locator("#source img").get_attribute("src")
    visit.page.locator("#source .turn-page button:not([disabled])").first.click()
    visit.page.wait_for_function("src => document.querySelector('#source img').getAttribute('src') !== src", arg=before)


def test_hovering_a_marker_shows_the_quote(visit: Visit) -> None:
    """Title and quote are there before any click, for the mouse and for the keyboard."""
    visit.ask(QUESTION)
    marker = visit.page.locator(".statement button.cite").first
    marker.hover()
    assert visit.page.locator("#hover-card q").inner_text() == marker.get_attribute("data-quote")
    visit.shoot("hover")
    visit.page.mouse.move(5, 5)
    assert not visit.page.locator("#hover-card").is_visible()
    marker.focus()
    assert visit.page.locator("#hover-card").is_visible()


def test_question_the_documents_do_not_answer_is_refused_visibly(visit: Visit) -> None:
    """An abstention looks different, cites nothing and offers the nearest passages."""
    visit.ask("Who won the Zanzibar chess tournament?")
    refused = visit.page.locator(".abstained")
    assert "Not in these documents" in refused.inner_text()
    assert visit.page.locator(".abstained button.cite").count() == 0
    refused.locator("button.near").first.click()
    visit.page.wait_for_selector("#source header")
    visit.shoot("abstention")


def test_conversation_resumes_by_its_link(visit: Visit, chromium: Browser) -> None:
    """The address holds the conversation: another window shows it, and a follow-up is understood there."""
    visit.ask(QUESTION)
    visit.page.wait_for_function("location.search.startsWith('?c=')")
    other = Visit(chromium.new_page(), visit.page.url)
    other.page.wait_for_selector(".turn")
    assert QUESTION in other.page.locator(".turn .question").first.inner_text()
    other.ask("And in 2023?")
    assert other.page.locator(".turn").count() == 2
    other.page.close()


def test_question_that_is_too_long_is_explained(visit: Visit) -> None:
    """An error is a calm sentence with what to do, in the conversation."""
    visit.ask("a" * 5000)
    assert "the limit is 4,000" in visit.page.locator(".problem").inner_text()


def test_uploads_are_added_and_failures_explained(visit: Visit, tmp_path: Path) -> None:
    """A good file is asked about at once; a bad one beside it says why it failed; hostile text stays text."""
    good = tmp_path / "lighthouse.txt"
    good.write_text(
        "The lighthouse of Perrick was painted green in 1931 by Ida Moorhen.\n<script>window.hit=1</script>"
    )
    hostile = tmp_path / "hostile.html"
    hostile.write_text(
        "<title>&lt;img src=x onerror=window.hit=1&gt;${window.hit=1}</title><body><p>The keeper of Perrick said "
        "&lt;script&gt;window.hit=1&lt;/script&gt; &lt;img src=http://192.0.2.1/x onerror=window.hit=1&gt; "
        "{{window.hit=1}} ${window.hit=1} `${window.hit=1}` aloud to the lighthouse.</p></body>"
    )
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(b"not a pdf")
    visit.page.set_input_files("#library-pane input[type=file]", [good, hostile, bad])
    visit.page.wait_for_selector(".report .failed li")
    assert "not a readable PDF" in visit.page.locator(".report").inner_text()
    visit.shoot("upload")
    visit.ask("Who painted the lighthouse of Perrick green?")
    assert "Ida Moorhen" in visit.page.locator(".statement").first.inner_text()
    visit.ask("What did the keeper of Perrick say aloud to the lighthouse?")
    visit.page.locator(".turn").last.locator("button.cite, button.near").first.click()
    visit.page.wait_for_selector("#source header")
    visit.page.wait_for_timeout(500)
    assert visit.page.evaluate("window.hit") is None
    assert all(urlparse(url).hostname in ("127.0.0.1", None) or url.startswith("data:") for url in visit.requests)


def test_page_asks_no_other_host_and_logs_no_error(visit: Visit) -> None:
    """Everything comes from this server; the console stays clean."""
    visit.ask(QUESTION)
    hosts = {urlparse(url).hostname for url in visit.requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert visit.errors == []


def test_phone_width_has_no_sideways_scrolling(chromium: Browser, server: Server) -> None:
    """At 390 pixels the conversation fills the screen and a source opens over it."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    visit = Visit(context.new_page(), server.url)
    visit.ask(QUESTION)
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
    visit.page.locator(".statement button.cite").first.click()
    visit.page.wait_for_selector("#source mark")
    visit.page.wait_for_timeout(400)
    assert in_view(visit, "#source mark")
    visit.shoot("phone-dark")
    context.close()
